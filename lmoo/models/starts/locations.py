"""The rule for a parameter that is a location on the axis of a variable."""

from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.models.starts.functions import COMPARISONS
from lmoo.models.starts.numbers import (
    finite_range,
    is_odd,
    last_row,
    log_uniform,
    magnitude_range,
    root,
    split_unit,
)
from lmoo.models.starts.rules import Context, Rule
from lmoo.models.starts.widths import draw_width


class LocationRule(Rule):
    """A parameter that is added to a variable: a location, or a term as large as the variable.

    It is drawn such that the sum ``A + B p^e`` changes its sign at a peak of the data, between the
    first row and the last, or outside; or such that ``B p^e`` is of the order of A.
    """

    priority = 2
    has_candidates = True

    def _draw(self, u: Array, context: Context) -> tuple[Any, Any]:
        data, offset, exponent = context.data, context.offset, context.exponent
        target = None if self.form.function in COMPARISONS else self._required(context)
        if target is not None:
            offset = offset - target
        wanted = np.atleast_2d(-offset / context.factor)
        low, high = finite_range(wanted)
        (peak, between, alike, out), chosen = split_unit(u, 0.35, 0.15, 0.35, 0.15)
        choices: Any = -1
        size = np.abs(wanted)
        span = high - low
        least, most = magnitude_range(size)
        inside = low + between * span
        opposite = np.sign(last_row(-wanted)) * log_uniform(alike, least / 3.0, 3.0 * most)
        outside = np.where(
            out < 0.5,
            low - span * log_uniform(2.0 * out, 0.003, 30.0),
            high + span * log_uniform(2.0 * out - 1.0, 0.003, 30.0),
        )
        found = np.select([chosen == 1, chosen == 2, chosen == 3], [inside, opposite, outside])
        at_rows = np.broadcast_to(wanted, (u.size, data.y.size))
        if len(data.t) == 1 and data.peaks and target is None:
            index = self._candidate_index(u, peak, len(data.peaks))
            rows = np.array([row for row, _ in data.peaks])[index]
            choices = np.where(chosen == 0, index, -1)
        else:
            rows = np.minimum((peak * data.y.size).astype(int), data.y.size - 1)
        found = np.where(chosen == 0, np.take_along_axis(at_rows, rows, axis=1), found)
        # An even power has no negative value: p is then of the size of A, whatever its sign.
        impossible = ~is_odd(exponent) & (found <= 0.0)
        width = draw_width(np.abs(u), least / 3.0, 3.0 * most, 1.0 / size, size, data)
        return root(np.where(impossible, width, found), exponent), choices
