"""Points whose linear parameters minimise the cost, given the others (variable projection).

Golub, Pereyra 1973, SIAM J. Numer. Anal. 10, 413.

The phase of an oscillation is linear too, together with its amplitude: ``a sin(w t + p)`` is
``a cos(p) sin(w t) + a sin(p) cos(w t)``.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.models.expression import Expression
from lmoo.models.expression.tree import ExpressionTree
from lmoo.models.starts.features import Features
from lmoo.models.starts.given import GivenParameters
from lmoo.models.starts.lstsq import bounded_lstsq
from lmoo.models.starts.phase import Phase
from lmoo.models.starts.values import NodeValues

Indices = NDArray[np.intp]

# Number of draws at which it is tested whether a phase has an amplitude.
_TESTED = 32


class _Pair(NamedTuple):
    """A phase and its amplitude, by the indices of the parameters."""

    phase: Phase
    phase_index: int
    amplitude_index: int


def projected(
    model: Expression,
    t: Array,
    y: Array,
    sigma: Array | None,
    given: GivenParameters,
    point: Array,
) -> Array:
    """Return a point with the best linear parameters, given the other ones.

    Parameters
    ----------
    model : Expression
    t : (m,) or (k, m) float64 array
    y : (m,) float64 array
    sigma : (m,) float64 array or None
    given : GivenParameters
        Bounds, and which parameters are fixed.
    point : (n,) float64 array

    Returns
    -------
    (n,) float64 array
        Within the bounds; not finite where the model is not.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.models.starts.given import GivenParameters
    >>> from lmoo.models.starts.projection import projected
    >>> model = lmoo.Expression("a*exp(-b*t) + c")
    >>> t = np.linspace(0, 4, 20)
    >>> free = np.zeros(3, dtype=bool)
    >>> given = GivenParameters(np.full(3, np.nan), np.full(3, -9.0), np.full(3, 9.0), free)
    >>> point = np.array([1.0, 0.5, 0.0])
    >>> projected(model, t, model(t, 2, 0.5, 1), None, given, point).round(9)
    array([2. , 0.5, 1. ])
    """
    data = Features.of(t, y, sigma)
    tree = ExpressionTree.of(model.text, model.variables, model.parameter_names)
    projection = Projection(model, data, given)
    values = [np.full((1, 1), value) for value in point]
    with np.errstate(all="ignore"):
        found = projection.points(NodeValues(tree, data, data, values), [])
    moved: Array = found[0]
    return moved


class Projection:
    """The linear problem for the linear parameters of a model.

    Parameters
    ----------
    model : Expression
    data : Features
        The rows that are fitted.
    given : GivenParameters
    """

    def __init__(self, model: Expression, data: Features, given: GivenParameters) -> None:
        self._model, self._data, self._given = model, data, given
        self._linear: Indices = np.flatnonzero(given.linear(model))
        # For each phase its amplitude; -1 for none.
        self._amplitudes: dict[int, int] = {}

    def model_values(self, columns: Sequence[Array]) -> Array:
        """Return the values of the model, (k, m), for parameters of shape (k, 1)."""
        t = self._data.t
        shape = (len(columns[0]), self._data.y.size)
        return np.broadcast_to(self._model(t if len(t) > 1 else t[0], *columns), shape)

    def points(self, draws: NodeValues, phases: Sequence[tuple[int, Phase]]) -> Array:
        """Return the points with the best linear parameters.

        Parameters
        ----------
        draws : NodeValues
            The other parameters.
        phases : sequence of (index of a parameter, Phase)
            Phases that may be changed together with their amplitudes.

        Returns
        -------
        (k, n) float64 array
        """
        values = list(draws.points)
        k = len(values[0])
        for j in self._linear:
            values[j] = np.zeros((k, 1))
        points = np.concatenate([np.broadcast_to(value, (k, 1)) for value in values], axis=1)
        if not self._linear.size:
            return points
        basis = self._derivatives(values)
        target = (self._data.y - self.model_values(values)) * self._data.weight
        pairs = self._pairs(draws, values, phases)
        quarter = basis
        if pairs:
            quarter = self._derivatives(_turned(values, draws, pairs, 0.25))
        extra = [self._column(pair.amplitude_index) for pair in pairs]
        basis = np.concatenate([basis, quarter[..., extra]], axis=2) * self._data.weight[:, None]
        limits = self._limits(extra)
        turns = [_turns(pair, draws, k) for pair in pairs]
        solutions = bounded_lstsq(basis, target, limits)
        points[:, self._linear] = solutions[:, : self._linear.size]
        for i, solution in enumerate(solutions if pairs else ()):
            for number, pair in enumerate(pairs):
                cosine = solution[self._column(pair.amplitude_index)]
                sine = solution[self._linear.size + number]
                self._set_phase(points[i], turns[number][i], pair, cosine, sine)
        return points

    def _derivatives(self, columns: Sequence[Array]) -> Array:
        """Return the derivatives by the linear parameters, (k, m, l)."""
        t = self._data.t
        jacobian = self._model.jacobian(t if len(t) > 1 else t[0], *columns)
        return jacobian[..., self._linear]

    def _column(self, j: int) -> int:
        """Return the index of a parameter among the linear ones."""
        return int(np.flatnonzero(self._linear == j)[0])

    def _limits(self, extra: Sequence[int]) -> Array:
        """Return the bounds of the linear parameters, then those of the sines: none.

        Amplitudes with a phase have no bounds here; `_set_phase` applies them.
        """
        free = (-np.inf, np.inf)
        lower, upper = self._given.lower, self._given.upper
        limits = [(lower[j], upper[j]) for j in self._linear]
        for column in extra:
            limits[column] = free
        return np.array(limits + [free] * len(extra))

    def _pairs(
        self, draws: NodeValues, values: list[Array], phases: Sequence[tuple[int, Phase]]
    ) -> list[_Pair]:
        """Return the phases that have an amplitude.

        Whether the model is ``a sin(w t + p)`` in a and p is decided by its values at some of the
        first draws.
        """
        few = draws.first(_TESTED)
        some = [value[:_TESTED] for value in values]
        for index, phase in phases:
            j = self._amplitudes.get(index)
            if j is None:
                j = self._amplitude(few, some, _Pair(phase, index, 0))
                taken = j in self._amplitudes.values()
                self._amplitudes[index] = -1 if j is None or taken else j
        pairs = [_Pair(phase, index, self._amplitudes[index]) for index, phase in phases]
        return [pair for pair in pairs if pair.amplitude_index >= 0]

    def _amplitude(self, draws: NodeValues, values: list[Array], pair: _Pair) -> int | None:
        """Return the linear parameter that is the amplitude of a phase; None if there is none."""
        columns = [self._derivatives(values)]
        for part in (0.5, 0.25, 0.125):
            moved = _turned(values, draws, [pair], part)
            columns.append(self._derivatives(moved))
            if part == 0.5:
                change = self.model_values(moved) - self.model_values(values)
        basis, half, quarter, eighth = columns
        size = np.abs(basis).max(axis=1, keepdims=True, initial=0.0)
        rounding = 1e-9 * np.where(np.isfinite(size), size, 0.0)
        changed = np.flatnonzero((np.abs(half - basis) > rounding).any(axis=(0, 1)))
        if changed.size != 1 or (np.abs(change) > 1e-9 * np.abs(self._data.y).max()).any():
            return None
        (column,) = changed
        wrong = np.abs(half + basis) > 1e3 * rounding
        wrong |= np.abs(eighth - (basis + quarter) / np.sqrt(2.0)) > 1e3 * rounding
        return None if wrong[..., column].any() else int(self._linear[column])

    def _set_phase(
        self, point: Array, turns: Array, pair: _Pair, cosine: float, sine: float
    ) -> None:
        """Set amplitude and phase from the factors of the function and of its quarter turn."""
        turn, start, middle = turns
        _, i, j = pair
        lower, upper = self._given.lower, self._given.upper
        amplitude = float(np.hypot(cosine, sine))
        for sign in (1.0, -1.0):
            angle = np.arctan2(sign * sine, sign * cosine) / (2.0 * np.pi) * turn + start
            near = angle + np.round((middle - angle) / turn) * turn
            if near < lower[i]:
                near += np.ceil((lower[i] - near) / turn) * turn
            elif near > upper[i]:
                near -= np.ceil((near - upper[i]) / turn) * turn
            value = sign * amplitude
            inside = lower[i] <= near <= upper[i] and lower[j] <= value <= upper[j]
            if inside or sign > 0.0:
                point[i] = np.clip(near, lower[i], upper[i])
                point[j] = np.clip(value, lower[j], upper[j])
            if inside:
                return


def _turns(pair: _Pair, draws: NodeValues, k: int) -> Array:
    """Return for each draw a full turn of a phase, its value, and the middle of its range."""
    phase = pair.phase
    columns = (phase.turn(draws), draws.points[pair.phase_index], phase.middle(draws))
    return np.concatenate([np.broadcast_to(column, (k, 1)) for column in columns], axis=1)


def _turned(
    values: list[Array], draws: NodeValues, pairs: Sequence[_Pair], part: float
) -> list[Array]:
    """Return values with phases moved by part of a turn."""
    moved = list(values)
    for pair in pairs:
        j = pair.phase_index
        moved[j] = moved[j] + part * pair.phase.turn(draws)
    return moved
