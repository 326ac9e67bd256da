"""Starting points for a model whose parameters have no starting values.

Parameters in which the model is linear are solved for, given the others (`Projection`).  The others
are drawn from a Halton sequence, over ranges that the data and the place of each parameter in the
model determine (`lmoo.models.starts.rules`); the points that fit best become starting points.  The
search is deterministic: the same data give the same starting points.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.models.expression import Expression
from lmoo.models.expression.tree import ExpressionTree
from lmoo.models.starts.features import Features
from lmoo.models.starts.form import PowerForm
from lmoo.models.starts.given import GivenParameters
from lmoo.models.starts.halton import halton
from lmoo.models.starts.plan import plan
from lmoo.models.starts.projection import Projection
from lmoo.models.starts.rules import Rule
from lmoo.models.starts.sizes import GenericRule
from lmoo.models.starts.values import NodeValues

# Largest number of draws, and the number that are evaluated together.
_MOST_DRAWS, _AT_ONCE = 4096, 128
# Share of the draws in which several parameters have the first candidates for peaks or frequencies.
_RANKED = 0.3


def starting_points(
    model: Expression,
    t: Array,
    y: Array,
    sigma: Array | None,
    given: GivenParameters,
    count: int = 48,
) -> list[Array]:
    """Return starting points, the one that fits best first.

    Parameters
    ----------
    model : Expression
    t : (m,) or (k, m) float64 array
    y : (m,) float64 array
    sigma : (m,) float64 array or None
    given : GivenParameters
        Linear parameters are solved for unless they are fixed, even if they have starting values.
    count : int
        Largest number of points.  There is only one if all parameters to be found are linear.

    Returns
    -------
    list of (n,) float64 array
        Within the bounds; empty if the model is finite at none of the points that were drawn.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.models.starts.given import GivenParameters
    >>> from lmoo.models.starts.points import starting_points
    >>> model = lmoo.Expression("a*exp(-b*t) + c")
    >>> t = np.linspace(0, 4, 20)
    >>> values, free = np.array([np.nan, 0.5, np.nan]), np.zeros(3, dtype=bool)
    >>> given = GivenParameters(values, np.full(3, -9.0), np.full(3, 9.0), free)
    >>> starting_points(model, t, model(t, 2, 0.5, 1), None, given)[0].round(9)
    array([2. , 0.5, 1. ])
    """
    linear = given.linear(model)
    missing = np.isnan(given.values)
    drawn = np.flatnonzero(missing & ~linear)
    known = sum(1 << int(j) for j in np.flatnonzero(~missing & ~linear))
    tree = ExpressionTree.of(model.text, model.variables, model.parameter_names)
    rules = plan(tree, [int(j) for j in drawn], known)
    search = _Search(model, tree, Features.of(t, y, sigma), given)
    total = min(_MOST_DRAWS, 512 << drawn.size) if drawn.size else 1
    # The last column decides which draws are ranked.
    shares = halton(total, drawn.size + 1)
    found: list[_DrawnPoint] = []
    for first in range(0, total, _AT_ONCE):
        found += search.draw(rules, shares[first : first + _AT_ONCE])
    return _best(found, count)


@dataclass(frozen=True)
class _DrawnPoint:
    """A point, its cost, and the candidates that it was drawn from."""

    cost: float
    point: Array
    choices: tuple[int, ...]


def _best(found: list[_DrawnPoint], count: int) -> list[Array]:
    """Return the points that fit best; half of them have different candidates.

    The points with the lowest costs alone may all lead to the same minimum.
    """
    found = sorted(found, key=lambda one: one.cost)
    taken: list[_DrawnPoint] = []
    seen = set[tuple[int, ...]]()
    for one in found:
        if one.choices not in seen and len(taken) < count // 2:
            seen.add(one.choices)
            taken.append(one)
    first = set(map(id, taken))
    taken += [one for one in found if id(one) not in first][: count - len(taken)]
    return [one.point for one in sorted(taken, key=lambda one: one.cost)]


class _Search:
    """Draws of the parameters of a model, with the linear parameters solved for."""

    def __init__(
        self, model: Expression, tree: ExpressionTree, all_rows: Features, given: GivenParameters
    ) -> None:
        self._tree, self._all_rows, self._given = tree, all_rows, given
        self._data = all_rows.few
        # Residuals are relative to it, so that their squares do not overflow.
        self._size = float(np.abs(all_rows.y * all_rows.weight).max()) or 1.0
        self._projection = Projection(model, self._data, given)

    def draw(self, rules: Sequence[Rule], shares: Array) -> list[_DrawnPoint]:
        """Return the points that have a finite cost, for shares of shape (k, number of rules)."""
        k = len(shares)
        values = [np.full((k, 1), 0.0 if np.isnan(x) else x) for x in self._given.values]
        draws = NodeValues(self._tree, self._data, self._all_rows, values)
        choices = np.full((k, len(rules)), -1)
        several = any(rule.has_candidates and rule.rank > 0 for rule in rules)
        ranked = (shares[:, [-1]] < _RANKED) & several
        with np.errstate(all="ignore"):
            for column, rule in enumerate(rules):
                j = rule.parameter
                values[j], chosen = self._within(rule, shares[:, [column]], ranked, draws)
                choices[:, [column]] = chosen
            phases = [(rule.parameter, rule.phase) for rule in rules if rule.phase is not None]
            points = self._projection.points(draws, phases)
            fitted = self._projection.model_values(list(points.T[:, :, None]))
            residuals = (fitted - self._data.y) * self._data.weight / self._size
            costs = np.sum(residuals**2, axis=1)
        return [
            _DrawnPoint(float(cost), point, tuple(map(int, choice)))
            for cost, point, choice in zip(costs, points, choices, strict=True)
            if np.isfinite(cost) and np.isfinite(point).all()
        ]

    def _within(self, rule: Rule, u: Array, ranked: Any, draws: NodeValues) -> tuple[Array, Any]:
        """Return values of a parameter within its bounds."""
        j = rule.parameter
        lower, upper = float(self._given.lower[j]), float(self._given.upper[j])
        if not (np.isfinite(lower) and np.isfinite(upper)):
            values, chosen = self._drawn(rule, u, ranked, draws)
            return _reflected(values, lower, upper), chosen
        # The bounds may be meant as the range of the parameter: some draws are evenly between them.
        by_rule = u < 0.6
        values, chosen = rule.draw(np.where(by_rule, u / 0.6, 0.5), ranked, self._data, draws)
        even = lower + (u - 0.6) / 0.4 * (upper - lower)
        good = by_rule & np.isfinite(values)
        values = np.where(good, _reflected(values, lower, upper), np.clip(even, lower, upper))
        return values, np.where(good, chosen, -1)

    def _drawn(self, rule: Rule, u: Array, ranked: Any, draws: NodeValues) -> tuple[Array, Any]:
        """Return values by a rule; by the size of the data alone where no value satisfies it."""
        values, chosen = rule.draw(u, ranked, self._data, draws)
        good = np.isfinite(values)
        # Points at one place have no size.
        if good.all() or not np.ptp(self._data.t, axis=1).any():
            return values, chosen
        spare = GenericRule(rule.parameter, rule.leaf, PowerForm(rule.leaf, rule.leaf), 0)
        others, _ = spare.draw(u, ranked, self._data, draws)
        return np.where(good, values, others), np.where(good, chosen, -1)


def _reflected(values: Array, lower: float, upper: float) -> Array:
    """Return values within bounds; those outside are reflected at the bound."""
    values = np.where(values < lower, 2.0 * lower - values, values)
    values = np.where(values > upper, 2.0 * upper - values, values)
    return np.clip(values, lower, upper)
