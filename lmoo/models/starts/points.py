"""Starting values for a model that nobody has given any for.

Parameters that the model is linear in are solved for, given the others (variable projection: Golub,
Pereyra 1973, SIAM J. Numer. Anal. 10, 413).  The others are drawn from a Halton sequence (Halton
1960, Numer. Math. 2, 84), spread over the values that `lmoo.models.starts.rules` derives from the
data and from the place of each in the model; the best points become starts.  Nothing is random: the
same data give the same starts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo.models.expression import Expression
from lmoo.models.expression.tree import Tree
from lmoo.models.starts.features import Features, fastest, spacing
from lmoo.models.starts.rules import PERIODIC, Rule, Values, plan

__all__ = ["Unknowns", "most_oscillation", "oscillation", "projected", "starting_points"]

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)
# Draws at most, and how many of them are evaluated together.
_MOST_DRAWN, _AT_ONCE = 4096, 128
# Share of the draws in which several places or frequencies are the most conspicuous ones.
_RANKED = 0.3
# Draws from which it is told whether a phase has an amplitude.
_TRIED = 32


@dataclass(frozen=True)
class Unknowns:
    """What is known of the parameters before a fit.

    Attributes
    ----------
    values : (n,) float64 array
        Starting values; nan for those to be found.
    lower, upper : (n,) float64 array
        Bounds.
    held : (n,) bool array
        Which are held at their values.
    """

    values: Array
    lower: Array
    upper: Array
    held: NDArray[np.bool_]


def starting_points(
    model: Expression,
    t: Array,
    y: Array,
    sigma: Array | None,
    unknowns: Unknowns,
    count: int = 48,
) -> list[Array]:
    """Return starting points, the one that fits best first.

    Parameters
    ----------
    model : Expression
    t : (m,) or (k, m) float64 array
    y : (m,) float64 array
    sigma : (m,) float64 array or None
    unknowns : Unknowns
    count : int
        As many points at most; one where nothing but linear parameters is to be found.  These are
        solved for even where they have starting values, unless they are held.

    Returns
    -------
    list of (n,) float64 array
        Within the bounds; empty where the model is finite at no point that was drawn.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.models.starts.points import Unknowns, starting_points
    >>> model = lmoo.Expression("a*exp(-b*t) + c")
    >>> t = np.linspace(0, 4, 20)
    >>> values, free = np.array([np.nan, 0.5, np.nan]), np.zeros(3, dtype=bool)
    >>> unknowns = Unknowns(values, np.full(3, -9.0), np.full(3, 9.0), free)
    >>> starting_points(model, t, model(t, 2, 0.5, 1), None, unknowns)[0].round(9)
    array([2. , 0.5, 1. ])
    """
    every = Features.of(t, y, sigma)
    # Given the others, the best linear ones are known, whatever they were to start from.
    linear = np.isin(model.parameter_names, model.linear) & ~unknowns.held
    drawn = np.flatnonzero(np.isnan(unknowns.values) & ~linear)
    search = _Search(model, every, unknowns, np.flatnonzero(linear))
    known = sum(1 << int(j) for j in np.flatnonzero(~np.isnan(unknowns.values) & ~linear))
    rules = plan(search.tree, [int(j) for j in drawn], known)
    total = min(_MOST_DRAWN, 512 << drawn.size) if drawn.size else 1
    # One share more than parameters, for what they have in common.
    shares = halton(total, drawn.size + 1)
    found: list[_Drawn] = []
    for first in range(0, total, _AT_ONCE):
        found += search.draw(rules, shares[first : first + _AT_ONCE])
    return _chosen(found, count)


def projected(
    model: Expression,
    t: Array,
    y: Array,
    sigma: Array | None,
    unknowns: Unknowns,
    point: Array,
) -> Array:
    """Return a point with the parameters that the model is linear in solved for.

    Parameters
    ----------
    model, t, y, sigma, unknowns
        As for `starting_points`.
    point : (n,) float64 array

    Returns
    -------
    (n,) float64 array
        Within the bounds; not finite where the model is not.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.models.starts.points import Unknowns, projected
    >>> model = lmoo.Expression("a*exp(-b*t) + c")
    >>> t = np.linspace(0, 4, 20)
    >>> free = np.zeros(3, dtype=bool)
    >>> unknowns = Unknowns(np.full(3, np.nan), np.full(3, -9.0), np.full(3, 9.0), free)
    >>> point = np.array([1.0, 0.5, 0.0])
    >>> projected(model, t, model(t, 2, 0.5, 1), None, unknowns, point).round(9)
    array([2. , 0.5, 1. ])
    """
    linear = np.isin(model.parameter_names, model.linear) & ~unknowns.held
    search = _Search(model, Features.of(t, y, sigma), unknowns, np.flatnonzero(linear))
    search.data = search.every
    values = [np.full((1, 1), value) for value in point]
    with np.errstate(all="ignore"):
        found = search.project(Values(search.tree, search.data, search.every, values), [])
    moved: Array = found[0]
    return moved


@dataclass(frozen=True)
class _Drawn:
    """A point, its cost, and which candidates for places and frequencies it has."""

    cost: float
    point: Array
    choices: tuple[int, ...]


def _chosen(found: list[_Drawn], count: int) -> list[Array]:
    """Return the points that fit best, at first those with different candidates.

    What fits best by its start alone may be the same minimum many times.
    """
    found = sorted(found, key=lambda one: one.cost)
    taken: list[_Drawn] = []
    seen = set[tuple[int, ...]]()
    for one in found:
        if one.choices not in seen and len(taken) < count // 2:
            seen.add(one.choices)
            taken.append(one)
    first = set(map(id, taken))
    taken += [one for one in found if id(one) not in first][: count - len(taken)]
    return [one.point for one in sorted(taken, key=lambda one: one.cost)]


class _Search:
    """Draws of parameters, and the linear ones solved for."""

    def __init__(
        self, model: Expression, every: Features, unknowns: Unknowns, linear: Indices
    ) -> None:
        self.model, self.every, self.unknowns, self.linear = model, every, unknowns, linear
        self.data = every.few
        # For each phase its amplitude, -1 for none.
        self._amplitudes: dict[int, int] = {}
        self.tree = Tree.of(model.text, model.variables, model.parameter_names)

    def draw(self, rules: Sequence[Rule], shares: Array) -> list[_Drawn]:
        """Return the points of some shares, (k, d) for d rules, that have a finite cost."""
        k = len(shares)
        values = [np.full((k, 1), 0.0 if np.isnan(x) else x) for x in self.unknowns.values]
        at = Values(self.tree, self.data, self.every, values)
        choices = np.full((k, len(rules)), -1)
        several = any(rule.listed and rule.rank > 0 for rule in rules)
        ranked = (shares[:, [-1]] < _RANKED) & several
        with np.errstate(all="ignore"):
            for column, rule in enumerate(rules):
                j = rule.parameter
                values[j], chosen = self._within(rule, shares[:, [column]], ranked, at)
                choices[:, [column]] = chosen
            points = self.project(at, [rule for rule in rules if rule.phase is not None])
            residuals = (self._model(list(points.T[:, :, None])) - self.data.y) * self.data.weight
            costs = np.sum(residuals**2, axis=1)
        return [
            _Drawn(float(cost), point, tuple(map(int, choice)))
            for cost, point, choice in zip(costs, points, choices, strict=True)
            if np.isfinite(cost) and np.isfinite(point).all()
        ]

    def _within(self, rule: Rule, u: Array, ranked: Any, at: Values) -> tuple[Array, Any]:
        """Return values of a parameter, within its bounds."""
        j = rule.parameter
        lower, upper = float(self.unknowns.lower[j]), float(self.unknowns.upper[j])
        if not (np.isfinite(lower) and np.isfinite(upper)):
            values, chosen = rule.draw(u, ranked, self.data, at)
            return _folded(values, lower, upper), chosen
        # What the data suggest may be at one end of the bounds, or they may be meant.
        by_rule = u < 0.6
        values, chosen = rule.draw(np.where(by_rule, u / 0.6, 0.5), ranked, self.data, at)
        even = lower + (u - 0.6) / 0.4 * (upper - lower)
        good = by_rule & np.isfinite(values)
        values = np.where(good, _folded(values, lower, upper), np.clip(even, lower, upper))
        return values, np.where(good, chosen, -1)

    def _model(self, columns: Sequence[Array]) -> Array:
        """Return the values of the model, (k, m)."""
        t = self.data.t
        shape = (len(columns[0]), self.data.y.size)
        return np.broadcast_to(self.model(t if len(t) > 1 else t[0], *columns), shape)

    def _columns(self, columns: Sequence[Array]) -> Array:
        """Return the derivatives by the linear parameters, (k, m, l)."""
        t = self.data.t
        jacobian = self.model.jacobian(t if len(t) > 1 else t[0], *columns)
        return jacobian[..., self.linear]

    def project(self, at: Values, phased: Sequence[Rule]) -> Array:
        """Return the points, (k, n), with the linear parameters solved for."""
        values = list(at.points)
        k = len(values[0])
        for j in self.linear:
            values[j] = np.zeros((k, 1))
        points = np.concatenate([np.broadcast_to(value, (k, 1)) for value in values], axis=1)
        if not self.linear.size:
            return points
        basis = self._columns(values)
        target = (self.data.y - self._model(values)) * self.data.weight
        pairs = self._paired(at, values, phased)
        quarter = basis
        if pairs:
            quarter = self._columns(_turned(values, at, pairs, 0.25))
        extra = [self._place_of(j) for _, j in pairs]
        basis = np.concatenate([basis, quarter[..., extra]], axis=2) * self.data.weight[:, None]
        free = (-np.inf, np.inf)
        limits = [(self.unknowns.lower[j], self.unknowns.upper[j]) for j in self.linear]
        for place in extra:
            limits[place] = free
        ends = np.array(limits + [free] * len(extra))
        turns = [_turns(rule, at, k) for rule, _ in pairs]
        for i in range(k):
            solution = _solved(basis[i], target[i], ends)
            points[i, self.linear] = solution[: self.linear.size]
            for number, (rule, j) in enumerate(pairs):
                cosine = solution[self._place_of(j)]
                sine = solution[self.linear.size + number]
                self._set_phase(points[i], turns[number][i], rule.parameter, j, cosine, sine)
        return points

    def _place_of(self, j: int) -> int:
        """Return which of the linear parameters a parameter is."""
        return int(np.flatnonzero(self.linear == j)[0])

    def _paired(
        self, at: Values, values: list[Array], phased: Sequence[Rule]
    ) -> list[tuple[Rule, int]]:
        """Return phases and the amplitudes that belong to them.

        ``a sin(w t + p)`` is ``a cos(p) sin(w t) + a sin(p) cos(w t)``, linear in two numbers of
        which a and p are made.  Whether the model is of this kind in a and p, its values tell, of
        some draws of the first that are looked at.
        """
        few = Values(self.tree, self.data, self.every, [point[:_TRIED] for point in at.points])
        some = [value[:_TRIED] for value in values]
        for rule in phased:
            j = self._amplitudes.get(rule.parameter)
            if j is None:
                j = self._amplitude(few, some, rule)
                taken = j in self._amplitudes.values()
                self._amplitudes[rule.parameter] = -1 if j is None or taken else j
        paired = [(rule, self._amplitudes[rule.parameter]) for rule in phased]
        return [(rule, j) for rule, j in paired if j >= 0]

    def _amplitude(self, at: Values, values: list[Array], rule: Rule) -> int | None:
        """Return the linear parameter that is the amplitude of a phase; None where none is."""
        columns = [self._columns(values)]
        for part in (0.5, 0.25, 0.125):
            moved = _turned(values, at, [(rule, 0)], part)
            columns.append(self._columns(moved))
            if part == 0.5:
                change = self._model(moved) - self._model(values)
        basis, half, quarter, eighth = columns
        size = np.abs(basis).max(axis=1, keepdims=True, initial=0.0)
        rounding = 1e-9 * np.where(np.isfinite(size), size, 0.0)
        places = np.flatnonzero((np.abs(half - basis) > rounding).any(axis=(0, 1)))
        if places.size != 1 or (np.abs(change) > 1e-9 * np.abs(self.data.y).max()).any():
            return None
        (place,) = places
        wrong = np.abs(half + basis) > 1e3 * rounding
        wrong |= np.abs(eighth - (basis + quarter) / np.sqrt(2.0)) > 1e3 * rounding
        return None if wrong[..., place].any() else int(self.linear[place])

    def _set_phase(
        self, point: Array, turns: Array, phase: int, j: int, cosine: float, sine: float
    ) -> None:
        """Set amplitude and phase from what multiplies the function and its quarter turn."""
        turn, start, middle = turns
        lower, upper = self.unknowns.lower, self.unknowns.upper
        amplitude = float(np.hypot(cosine, sine))
        for sign in (1.0, -1.0):
            angle = np.arctan2(sign * sine, sign * cosine) / (2.0 * np.pi) * turn + start
            near = angle + np.round((middle - angle) / turn) * turn
            if near < lower[phase]:
                near += np.ceil((lower[phase] - near) / turn) * turn
            elif near > upper[phase]:
                near -= np.ceil((near - upper[phase]) / turn) * turn
            value = sign * amplitude
            inside = lower[phase] <= near <= upper[phase] and lower[j] <= value <= upper[j]
            if inside or sign > 0.0:
                point[phase] = np.clip(near, lower[phase], upper[phase])
                point[j] = np.clip(value, lower[j], upper[j])
            if inside:
                return


def _turns(rule: Rule, at: Values, k: int) -> Array:
    """Return for each draw a full turn of a phase, its value, and where it is to be, (k, 3)."""
    assert rule.phase is not None
    columns = (rule.phase.turn(at), at.points[rule.parameter], rule.phase.middle(at))
    parts = [np.broadcast_to(column, (k, 1)) for column in columns]
    return np.concatenate(parts, axis=1)


def _turned(
    values: list[Array], at: Values, pairs: Sequence[tuple[Rule, int]], part: float
) -> list[Array]:
    """Return values with phases moved by part of a turn."""
    moved = list(values)
    for rule, _ in pairs:
        assert rule.phase is not None
        moved[rule.parameter] = moved[rule.parameter] + part * rule.phase.turn(at)
    return moved


def _folded(values: Array, lower: float, upper: float) -> Array:
    """Return values within bounds, those outside reflected at the bound."""
    values = np.where(values < lower, 2.0 * lower - values, values)
    values = np.where(values > upper, 2.0 * upper - values, values)
    return np.clip(values, lower, upper)


def _solved(matrix: Array, target: Array, limits: Array) -> Array:
    """Return the solution of a linear problem within bounds, or near to it; nan where none is.

    What ends outside is held at its bound, and the others are solved for once more.
    """
    n = matrix.shape[1]
    if not (np.isfinite(matrix).all() and np.isfinite(target).all()):
        return np.full(n, np.nan)
    # So that units do not decide what counts as small, and no square overflows.
    largest = np.abs(matrix).max(axis=0)
    lengths = np.where(largest > 0.0, largest, 1.0)
    scaled = matrix / lengths
    norms = np.linalg.norm(scaled, axis=0)
    scaled = scaled / np.where(norms > 0.0, norms, 1.0)
    lengths = lengths * np.where(norms > 0.0, norms, 1.0)
    held = np.zeros(n, dtype=bool)
    solution = np.zeros(n)
    for _ in range(n + 1):
        rest = target - matrix[:, held] @ solution[held]
        size = float(np.abs(rest).max()) or 1.0
        free = np.linalg.lstsq(scaled[:, ~held], rest / size, rcond=1e-12)[0]
        solution[~held] = free / lengths[~held] * size
        bounded = np.clip(solution, limits[:, 0], limits[:, 1])
        outside = bounded != solution
        solution = bounded
        if not outside.any():
            break
        held |= outside
    return solution


def most_oscillation(t: Array) -> float:
    """Return the largest `oscillation` that sampling at t can tell: 1 for even sampling.

    Parameters
    ----------
    t : (m,) or (k, m) float64 array
    """
    if t.ndim > 1:
        return 1.0
    return fastest(t) * spacing(t) / np.pi or 1.0


def oscillation(model: Expression, t: Array, point: Array) -> float:
    """Return how fast a model oscillates between the points of the data.

    Parameters
    ----------
    model : Expression
    t : (m,) or (k, m) float64 array
    point : (n,) float64 array

    Returns
    -------
    float
        Above 1 where the argument of a periodic function moves by more than half a turn between
        points of the data that are as far from each other as most neighbours; 0 for a model that
        has no periodic function, or several variables.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.models.starts.points import oscillation
    >>> model = lmoo.Expression("a*sin(w*t)")
    >>> round(oscillation(model, np.arange(9.0), np.array([1.0, 2 * np.pi + 0.1])), 3)
    2.032
    """
    if t.ndim > 1:
        return 0.0
    tree = Tree.of(model.text, model.variables, model.parameter_names)
    points = np.unique(t)
    points = points[np.r_[True, np.diff(points) > 1e-9 * np.ptp(points)]]
    most = 0.0
    for node in tree.nodes:
        if node.function in PERIODIC and node.varies and points.size > 1:
            with np.errstate(all="ignore"):
                angle = tree.value(node.children[0], [points], list(point))
                most = max(most, float(np.median(np.abs(np.diff(angle)))) / np.pi)
    return most


def halton(count: int, dimensions: int) -> Array:
    """Return points of the Halton sequence, from its second on.

    Parameters
    ----------
    count, dimensions : int
        Dimensions beyond the 16th repeat the first ones, shifted.

    Returns
    -------
    (count, dimensions) float64 array, in (0, 1)

    Examples
    --------
    >>> from lmoo.models.starts.points import halton
    >>> halton(3, 2).round(3)
    array([[0.5  , 0.333],
           [0.25 , 0.667],
           [0.75 , 0.111]])
    """
    out = np.zeros((count, dimensions))
    for j in range(dimensions):
        base = _PRIMES[j % len(_PRIMES)]
        rest = np.arange(1, count + 1) + 409 * (j // len(_PRIMES))
        weight = 1.0
        while rest.any():
            weight /= base
            out[:, j] += weight * (rest % base)
            rest //= base
    return out
