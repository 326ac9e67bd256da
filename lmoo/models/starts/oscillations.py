"""Rules for the frequency and the phase of a periodic function."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.models.expression.tree import Node
from lmoo.models.starts.features import frequencies, remaining
from lmoo.models.starts.form import coefficients
from lmoo.models.starts.numbers import (
    finite_range,
    highest_frequency,
    last_row,
    log_uniform,
    middle_row,
    root,
    split_unit,
)
from lmoo.models.starts.rules import Context, Rule
from lmoo.models.starts.values import NodeValues


@dataclass(eq=False)
class FrequencyRule(Rule):
    """A parameter in the argument ``A + B p^e`` of a periodic function, where p^e is a frequency.

    Frequencies that are not candidates of the data are between that of a slow oscillation and the
    highest that the data can resolve: half of them with evenly spaced logarithms, half with evenly
    spaced values.
    """

    _frequencies: Array | None = None

    priority = 0
    has_candidates = True

    def _draw(self, u: Array, context: Context) -> tuple[Any, Any]:
        factor = np.atleast_2d(context.factor)
        limit = highest_frequency(context.factor) * context.data.thinning
        chirp = self.form.offset_varies
        (listed, rest), chosen = split_unit(u, 0.2, 0.8) if chirp else split_unit(u, 0.75, 0.25)
        low, high = finite_range(factor)
        slow = 0.02 * np.pi / (high - low)
        omega = np.where(
            rest < 0.5,
            log_uniform(2.0 * rest, slow, limit),
            slow + (2.0 * rest - 1.0) * (limit - slow),
        )
        candidates = self._candidates(factor, context.values)
        if not candidates.size:
            return root(omega, context.exponent), -1
        offset = context.offset
        if chirp and np.isfinite(offset).any() and np.any(offset):
            # The argument has several terms, of which this one is drawn last.
            data = context.data
            phases = np.broadcast_to(offset, (u.size, data.y.size))
            found = remaining(factor[0], phases, data.y, data.weight)
            return root(np.where(np.isfinite(found), found, omega), context.exponent), -1
        index = self._candidate_index(u, listed, candidates.size)
        omega = np.where(chosen == 0, candidates[index], omega)
        return root(omega, context.exponent), np.where(chosen == 0, index, -1)

    def _unknown_term(self, node: Node) -> float:
        # A constant term is a phase, which does not change the frequency.
        return super()._unknown_term(node) if node.varies else 0.0

    def _candidates(self, factor: Array, values: NodeValues) -> Array:
        """Return the frequencies of the data in the coordinate B; none if B differs between draws.

        A constant difference of B is allowed.  A power of an oscillation has a multiple of its
        frequency, so halves of the first frequencies are candidates too.
        """
        if self._frequencies is None:
            shape = factor[:, np.isfinite(factor).all(axis=0)]
            shape = shape - shape[:, :1]
            self._frequencies = np.empty(0)
            differs = np.abs(shape - shape[:1]).max(initial=0.0)
            if shape.size and differs <= 1e-6 * np.abs(shape).max():
                first = values.first_draw
                coordinate = coefficients(self.form, first, first).factor
                data = values.all_rows
                found = frequencies(np.ravel(coordinate), data.y, data.weight)
                self._frequencies = np.concatenate([found, 0.5 * found[:3]])
        return self._frequencies


class PhaseRule(Rule):
    """A constant term in the argument of a periodic function: any value of a full turn."""

    priority = 1

    @property
    def is_parameter(self) -> bool:
        """Whether the term is the parameter itself, not a function of it."""
        return self.form.leaf is self.leaf

    def _draw(self, u: Array, context: Context) -> tuple[Any, Any]:
        phase = (u - 0.5) * 2.0 * np.pi / np.abs(last_row(context.factor))
        if not self.form.has_factor:
            return phase, -1
        middle = middle_row(-context.offset / context.factor)
        return phase + np.where(np.isfinite(middle), middle, 0.0), -1
