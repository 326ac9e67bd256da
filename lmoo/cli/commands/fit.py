"""``lmoo fit``: fit an expression to columns of a file."""

import argparse
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lmoo.cli.commands import options
from lmoo.cli.commands.columns import CurveData, choose, load
from lmoo.cli.commands.options import UsageError
from lmoo.cli.commands.output import check_files, deliver
from lmoo.cli.datafile import read_table
from lmoo.errors import EvaluationError
from lmoo.models.expression import Expression
from lmoo.models.expression.functions import CONSTANTS
from lmoo.models.expression.tokens import names
from lmoo.models.starts.points import (
    Unknowns,
    most_oscillation,
    oscillation,
    projected,
    starting_points,
)
from lmoo.problems.bounds import limits
from lmoo.problems.curveproblem import CurveProblem
from lmoo.results.result import Result
from lmoo.solver.solver import Solver

__all__ = ["run"]

Array = NDArray[np.float64]

# Results whose costs differ by less than this, relatively, are at the same minimum.
_SAME = 1e-6
# Costs below this, relative to the sum of squares of the data, are rounding errors.
_ROUNDING = 1e-26
# Tolerance of the limit of an oscillation.  An oscillation above the limit for most points must
# reduce the cost to this share of that of a slower one.
_TOLERANCE, _BETTER = 1.01, 0.5
# A fit is continued if the linear parameters alone reduce its cost to this share; at most so often.
_REDUCED, _CONTINUED = 0.99, 5
# Evaluations for each starting point, and number of results that are then solved to the end.
_FIRST_MAXFEV, _FINALISTS = 40, 4
# Numbers of starting points, and of rows of all of them together above which they are fewer.
_MOST_STARTS, _FEWEST_STARTS, _ROWS = 48, 12, 480_000
# Largest number of nonlinear parameters without a starting value: for more a search fails.
_MOST_GUESSED = 50


def run(arguments: argparse.Namespace) -> int:
    """Fit, print the report and write the files; return 0 if a minimum was found, else 1."""
    start = options.numbers("--start", arguments.start)
    bounds = options.bounds("--bounds", arguments.bounds)
    fixed = options.optional_numbers("--fix", arguments.fix)
    named = {**start, **bounds, **fixed}
    check_files(arguments)
    # Report errors of the expression before errors of its names.
    Expression(arguments.expression, variables=())
    table = read_table(arguments.data)
    columns = choose(
        table,
        arguments.expression,
        options.bindings("--x", arguments.x),
        arguments.y,
        arguments.sigma,
        named,
    )
    model = _model(arguments.expression, list(columns.variables), named)
    _check_names(model, {"--start": start, "--bounds": bounds, "--fix": fixed})
    data = load(table, columns, arguments.nan_policy == "omit")
    values = _fixed_values(model, fixed, start)
    _check_rows(data, len(model.parameter_names), len(values))
    unknowns = _unknowns(model, {**start, **values}, bounds, values)
    problem = CurveProblem(model, data.t, data.y, data.sigma, jac=model.jacobian)
    solver = Solver(bounds=bounds or None, fixed=values or None)
    result = _best(problem, model, data, solver, unknowns)
    deliver(result, arguments, columns.labels(table))
    return 0 if result.success else 1


def _model(text: str, variables: list[str], named: Iterable[str]) -> Expression:
    """Return the model; pi and e are parameters if an option names them."""
    taken = {*variables, *(set(CONSTANTS) - set(named))}
    parameters = [name for name in names(text) if name not in taken]
    if not parameters:
        raise UsageError("the expression has no parameters to fit")
    return Expression(text, variables=variables, parameters=parameters)


def _check_names(model: Expression, given: Mapping[str, Iterable[str]]) -> None:
    for option, used in given.items():
        for name in used:
            if name not in model.parameter_names:
                raise UsageError(
                    f"{option}: {name!r} is no parameter of the expression; its parameters are "
                    f"{', '.join(model.parameter_names)}"
                )


def _check_rows(data: CurveData, n: int, fixed: int) -> None:
    """Raise UsageError if there are fewer rows than parameters, including fixed ones."""
    if data.y.size < n:
        among = f", {fixed} of them fixed," if fixed else ""
        raise UsageError(
            f"{n} parameters{among} need as many rows of data or more; there are {data.y.size}"
        )


def _fixed_values(
    model: Expression, fixed: Mapping[str, float | None], start: Mapping[str, float]
) -> dict[str, float]:
    """Return the values of fixed parameters."""
    values = {}
    for name, value in fixed.items():
        if value is None and name not in start:
            raise UsageError(f"--fix {name} needs a value: {name}=1.5, or one in --start")
        values[name] = start[name] if value is None else value
    if len(values) == len(model.parameter_names):
        raise UsageError("--fix leaves no parameter to be fitted")
    return values


def _unknowns(
    model: Expression,
    known: Mapping[str, float],
    bounds: Mapping[str, tuple[float, float]],
    fixed_values: Mapping[str, float],
) -> Unknowns:
    """Return the starting values that are given, nan for the others, and the bounds."""
    order = model.parameter_names
    lower, upper, fixed = limits(bounds or None, fixed_values or None, order, len(order))
    values = np.array([known.get(name, np.nan) for name in order])
    for name, value, low, high in zip(order, values, lower, upper, strict=True):
        if value < low or value > high:
            raise UsageError(f"--start {name}={value:g} is outside its bounds, {low:g} to {high:g}")
    return Unknowns(values, lower, upper, fixed)


def _best(
    problem: CurveProblem, model: Expression, data: CurveData, solver: Solver, unknowns: Unknowns
) -> Result:
    """Solve from the given starting point, or from several, and return the best result.

    From several starting points each solve gets a few evaluations; those with the lowest cost are
    then solved to the end.
    """
    if not np.isnan(unknowns.values).any():
        try:
            result = solver.solve(problem, unknowns.values)
        except EvaluationError as error:
            raise UsageError(
                f"the model cannot be evaluated at the starting values: {error}"
            ) from error
        return _continued(result, problem, model, data, solver, unknowns)
    _check_guesses(model, unknowns)
    count = min(_MOST_STARTS, max(_FEWEST_STARTS, _ROWS // data.y.size))
    starts = starting_points(model, data.t, data.y, data.sigma, unknowns, count)
    first = _solved(problem, replace(solver, maxfev=_FIRST_MAXFEV), starts)
    lowest = sorted(first, key=lambda result: result.cost)[:_FINALISTS]
    results = _solved(problem, solver, [result.x for result in lowest])
    if not results:
        raise UsageError("no starting values were found at which the model is finite; give --start")
    return _lowest(results, model, data)


def _lowest(results: list[Result], model: Expression, data: CurveData) -> Result:
    """Return the result with the lowest cost; among equal ones that with the slowest oscillation.

    An oscillation above the Nyquist limit has the same values at the points as a slower one.  If
    the points are not equidistant, an oscillation above the limit of their median distance may be
    right; it must then fit much better than slower ones.
    """
    speeds = {id(result): oscillation(model, data.t, result.x) for result in results}
    most = most_oscillation(data.t)

    def no_faster(limit: float) -> list[Result]:
        return [result for result in results if speeds[id(result)] <= _TOLERANCE * limit]

    kept = no_faster(1.0)
    better = min((result.cost for result in kept), default=np.inf) * _BETTER
    rounding = _rounding(data)
    fast = [result for result in no_faster(most) if result.cost < better - rounding]
    kept = fast or kept or results
    lowest = min(result.cost for result in kept)
    near = [result for result in kept if result.cost <= lowest * (1.0 + _SAME) + rounding]
    return min(
        near,
        key=lambda result: (not result.success, round(speeds[id(result)], 6), result.cost),
    )


def _rounding(data: CurveData) -> float:
    """Return the cost below which a fit is exact to rounding."""
    weighted = data.y if data.sigma is None else data.y / data.sigma
    return _ROUNDING * float(np.max(np.abs(weighted))) ** 2 * data.y.size


def _continued(
    result: Result,
    problem: CurveProblem,
    model: Expression,
    data: CurveData,
    solver: Solver,
    unknowns: Unknowns,
) -> Result:
    """Continue the fit if its linear parameters alone can reduce the cost: that is no minimum.

    A fit from a distant start may end where a growing exponential is so large that the effect of
    the linear parameters is below rounding errors.
    """
    for _ in range(_CONTINUED):
        point = projected(model, data.t, data.y, data.sigma, unknowns, result.x)
        if not np.isfinite(point).all():
            return result
        weight = 1.0 if data.sigma is None else 1.0 / data.sigma
        cost = 0.5 * float(np.sum(((model(data.t, *point) - data.y) * weight) ** 2))
        if not cost < _REDUCED * result.cost - _rounding(data):
            return result
        further = _solved(problem, solver, [point])
        if not further or not further[0].cost < result.cost:
            return result
        (result,) = further
    return result


def _check_guesses(model: Expression, unknowns: Unknowns) -> None:
    missing = {
        name
        for name, value in zip(model.parameter_names, unknowns.values, strict=True)
        if np.isnan(value)
    }
    guessed = len(missing.difference(model.linear))
    if guessed > _MOST_GUESSED:
        raise UsageError(
            f"starting values are found for at most {_MOST_GUESSED} parameters that the model is "
            f"not linear in; there are {guessed}: give --start"
        )


def _solved(problem: CurveProblem, solver: Solver, starts: Iterable[Array]) -> list[Result]:
    """Solve from the points at which the model is finite on every row."""
    results = []
    for x0 in starts:
        with contextlib.suppress(EvaluationError):
            results.append(solver.solve(problem, x0))
    return results
