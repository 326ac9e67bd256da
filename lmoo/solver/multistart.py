"""Fit a curve from several starting points if starting values of parameters are missing."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.errors import EvaluationError
from lmoo.models.expression import Expression
from lmoo.models.starts.given import GivenParameters
from lmoo.models.starts.oscillation import most_oscillation, oscillation
from lmoo.models.starts.points import starting_points
from lmoo.models.starts.projection import projected
from lmoo.problems.parameters import relations_of
from lmoo.results.result import Result
from lmoo.solver.solver import Solver

# Results whose costs differ by less than this, relatively, are at the same minimum.
_SAME = 1e-6
# Costs below this, for each point and relative to the square of the largest value, are rounding
# errors.
_ROUNDING = 1e-26
# Tolerance of the limit of an oscillation.  If an oscillation is above the limit at most points,
# its cost must be at most this share of the cost of a slower one.
_TOLERANCE, _BETTER = 1.01, 0.5
# A fit is continued if the linear parameters alone reduce its cost to this share; largest number
# of continuations.
_REDUCED, _CONTINUED = 0.99, 5
# Evaluations for each starting point, and number of results that are then solved to the end.
_FIRST_MAXFEV, _FINALISTS = 40, 4
# Numbers of starting points, and of rows of all of them together above which they are fewer.
_MOST_STARTS, _FEWEST_STARTS, _ROWS = 48, 12, 480_000
# Largest number of nonlinear parameters without a starting value: for more a search fails.
_MOST_GUESSED = 50


class StartError(ValueError):
    """No starting values were found, or the model is not defined at the given ones."""


@dataclass(frozen=True)
class Search:
    """A problem to be solved from several points.

    Attributes
    ----------
    problem : object
        The problem to be solved.
    model : Expression
        The model, from which starting values are derived.
    t : (m,) or (k, m) float64 array
    y : (m,) float64 array
    sigma : (m,) float64 array or None
    given : GivenParameters
        The starting values that are given, and the bounds.
    hint : str, default "give p0"
        What to do if no starting values are found.
    """

    problem: Any
    model: Expression
    t: Array
    y: Array
    sigma: Array | None
    given: GivenParameters
    hint: str = "give p0"

    @cached_property
    def weight(self) -> Array | float:
        """Reciprocal standard deviations."""
        return 1.0 if self.sigma is None else 1.0 / self.sigma

    @cached_property
    def size(self) -> float:
        """The largest of y, by which residuals are divided so that no square overflows."""
        return float(np.max(np.abs(self.y * self.weight))) or 1.0

    def cost(self, result: Result) -> float:
        """Return the cost of a result, relative to `size`."""
        return 0.5 * (result.fnorm / self.size) ** 2

    @property
    def rounding(self) -> float:
        """The relative cost below which a fit is exact to rounding."""
        return _ROUNDING * self.y.size


def best_result(search: Search, solver: Solver) -> Result:
    """Solve from the given starting point, or from several, and return the best result.

    From several starting points each solve gets a few evaluations; those with the lowest cost are
    then solved to the end.
    """
    if not np.isnan(search.given.values).any():
        try:
            result = solver.solve(search.problem, search.given.values)
        except EvaluationError as error:
            raise StartError(
                f"the model cannot be evaluated at the starting values: {error}"
            ) from error
        return _continued(result, search, solver)
    _check_guesses(search)
    first = _solved(search.problem, replace(solver, maxfev=_FIRST_MAXFEV), _starts(search))
    lowest = sorted(first, key=search.cost)[:_FINALISTS]
    results = _solved(search.problem, solver, [result.x for result in lowest])
    if not results:
        raise _no_start(search)
    return _lowest(results, search)


def _no_start(search: Search) -> StartError:
    """Return the exception where no starting values were found."""
    n, m = search.given.values.size, search.y.size
    if m < n:
        points = "1 point" if m == 1 else f"{m} points"
        return StartError(
            f"no starting values can be found from {points} for {n} parameters; {search.hint}"
        )
    if not np.ptp(np.atleast_2d(search.t), axis=1).any():
        return StartError(
            f"no starting values can be found from points that are all at one place; {search.hint}"
        )
    return StartError(
        "no starting values were found: at none that were tried is the model finite at all points; "
        f"{search.hint}"
    )


def robust_result(search: Search, squares: Solver, robust: Solver) -> Result:
    """Solve with a loss, from the given start or from the least-squares solution.

    Starting points are compared by their costs.  Costs with an estimated scale cannot be compared,
    so the search uses least squares.

    squares, robust : solvers of least squares, and with the loss
    """
    start = search.given.values
    if np.isnan(start).any():
        start = best_result(search, squares).x
    return _solved_from(start, search, robust)


def related_result(search: Search, squares: Solver, related: Solver) -> Result:
    """Solve with relations of the parameters, from the given start or from several.

    Starting points that violate the constraints are moved.

    squares, related : solvers of least squares, and with relations and possibly a loss
    """
    start = search.given.values
    relations = relations_of(related, search.problem)
    tied = () if relations is None else relations.ties
    names = search.problem.parameter_names
    needed = np.array([name not in tied for name in names])
    if np.isnan(start[needed]).any():
        found = _best_related(search, squares, replace(related, loss="linear", f_scale=1.0))
        if related.loss == "linear":
            return found
        start = found.x
    known = {k: v for k, v in zip(names, start.tolist(), strict=True) if v == v}
    return _solved_from(known, search, related)


def _solved_from(start: Any, search: Search, solver: Solver) -> Result:
    """Solve from a start; StartError if the model cannot be evaluated there."""
    try:
        return solver.solve(search.problem, start)
    except EvaluationError as error:
        raise StartError(
            f"the model cannot be evaluated at the starting values: {error}"
        ) from error


def _best_related(search: Search, squares: Solver, related: Solver) -> Result:
    """Return the best result with relations from several starting points."""
    problem = search.problem
    starts = [best_result(search, squares).x, *_starts(search)]
    moved = [feasible(related, problem, x) for x in starts if np.isfinite(x).all()]
    first = _solved(problem, replace(related, maxfev=_FIRST_MAXFEV), moved)
    lowest = sorted(first, key=search.cost)[:_FINALISTS]
    results = _solved(problem, related, [result.x for result in lowest])
    if not results:
        raise _no_start(search)
    return _lowest(results, search)


def _starts(search: Search) -> Iterable[Array]:
    """Return several starting points."""
    count = min(_MOST_STARTS, max(_FEWEST_STARTS, _ROWS // search.y.size))
    return starting_points(search.model, search.t, search.y, search.sigma, search.given, count)


def feasible(solver: Solver, problem: Any, x: Array) -> Array:
    """Return starting values that were found, moved into the constraints."""
    relations = relations_of(solver, problem)
    if relations is None or not (relations.constraints or solver.bounds is not None):
        return x
    # Not at the top, as most fits have no relations.
    from lmoo.models.relations.coordinates import coordinates_of

    names = problem.parameter_names
    return coordinates_of(names, relations, solver.bounds, solver.fixed, x).feasible(x)


def _lowest(results: list[Result], search: Search) -> Result:
    """Return the result with the lowest cost; among equal ones that with the slowest oscillation.

    Then it is that with the fewest negative parameters, as the sign of a width, say, is free.
    An oscillation above the Nyquist limit has the same values at the points as a slower one.  If
    the points are not equidistant, an oscillation above the limit of their median distance may be
    right; it must then fit much better than slower ones.
    """
    speeds = {id(result): oscillation(search.model, search.t, result.x) for result in results}
    most = most_oscillation(search.t)

    def no_faster(limit: float) -> list[Result]:
        return [result for result in results if speeds[id(result)] <= _TOLERANCE * limit]

    kept = no_faster(1.0)
    better = min(map(search.cost, kept), default=np.inf) * _BETTER
    rounding = search.rounding
    fast = [result for result in no_faster(most) if search.cost(result) < better - rounding]
    kept = fast or kept or results
    limit = min(map(search.cost, kept)) * (1.0 + _SAME) + rounding
    near = [result for result in kept if search.cost(result) <= limit]
    return min(
        near,
        key=lambda result: (
            not result.success,
            round(speeds[id(result)], 6),
            np.count_nonzero(result.x < 0.0),
            result.fnorm,
        ),
    )


def _continued(result: Result, search: Search, solver: Solver) -> Result:
    """Continue the fit if its linear parameters alone can reduce the cost: it is not at a minimum.

    A fit from a distant start may end where a growing exponential is so large that the effect of
    the linear parameters is below rounding errors.
    """
    for _ in range(_CONTINUED):
        point = projected(search.model, search.t, search.y, search.sigma, search.given, result.x)
        if not np.isfinite(point).all():
            return result
        residual = (search.model(search.t, *point) - search.y) * search.weight / search.size
        cost = 0.5 * float(np.sum(residual**2))
        if not cost < _REDUCED * search.cost(result) - search.rounding:
            return result
        further = _solved(search.problem, solver, [point])
        if not further or not further[0].fnorm < result.fnorm:
            return result
        (result,) = further
    return result


def _check_guesses(search: Search) -> None:
    missing = {
        name
        for name, value in zip(search.model.parameter_names, search.given.values, strict=True)
        if np.isnan(value)
    }
    guessed = len(missing.difference(search.model.linear))
    if guessed > _MOST_GUESSED:
        raise StartError(
            f"starting values are found for at most {_MOST_GUESSED} parameters that the model is "
            f"not linear in; there are {guessed}: {search.hint}"
        )


def _solved(problem: Any, solver: Solver, starts: Iterable[Array]) -> list[Result]:
    """Solve from the points at which the model is finite on every row."""
    results = []
    for x0 in starts:
        with contextlib.suppress(EvaluationError):
            results.append(solver.solve(problem, x0))
    return results
