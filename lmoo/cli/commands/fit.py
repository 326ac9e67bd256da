"""``lmoo fit``: a model from text, fitted to columns of a file."""

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

# Costs closer to each other than this, relatively, are the same minimum.
_SAME = 1e-6
# Costs below this, relative to the sum of squares of the data, are zero but for rounding.
_ROUNDING = 1e-26
# Room for noise above the limit of an oscillation.  One that is faster than most points can tell
# may leave this share of the sum of squares.
_ROOM, _BETTER = 1.01, 0.5
# Share of a cost to which linear parameters alone must reduce it for a fit to go on; and how often.
_MUCH, _CONTINUED = 0.99, 5
# Evaluations that each of several starts gets, and how many of them go on to the end.
_HEAT, _FINALISTS = 40, 4
# Starts that are taken, and how many rows they may have together before they are fewer.
_MOST_STARTS, _FEWEST_STARTS, _ROWS = 48, 12, 480_000
# Parameters that a search finds starting values for; in more dimensions it finds none, for hours.
_MOST_GUESSED = 50


def run(arguments: argparse.Namespace) -> int:
    """Fit, print the report, write the files; return 0 for a minimum and 1 for none."""
    start = options.numbers("--start", arguments.start)
    bounds = options.bounds("--bounds", arguments.bounds)
    fixed = options.held("--fix", arguments.fix)
    named = {**start, **bounds, **fixed}
    check_files(arguments)
    # What is wrong with the expression comes before what is wrong with its names.
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
    held = _held(model, fixed, start)
    _check_rows(data, len(model.parameter_names), len(held))
    unknowns = _unknowns(model, {**start, **held}, bounds, held)
    problem = CurveProblem(model, data.t, data.y, data.sigma, jac=model.jacobian)
    solver = Solver(bounds=bounds or None, fixed=held or None)
    result = _best(problem, model, data, solver, unknowns)
    deliver(result, arguments, columns.labels(table))
    return 0 if result.success else 1


def _model(text: str, variables: list[str], named: Iterable[str]) -> Expression:
    """Return the model; the constants pi and e are parameters where an option says so."""
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


def _check_rows(data: CurveData, n: int, held: int) -> None:
    """Refuse what `Solver` would: fixed parameters are columns of its Jacobian as well."""
    if data.y.size < n:
        among = f", {held} of them fixed," if held else ""
        raise UsageError(
            f"{n} parameters{among} need as many rows of data or more; there are {data.y.size}"
        )


def _held(
    model: Expression, fixed: Mapping[str, float | None], start: Mapping[str, float]
) -> dict[str, float]:
    """Return the values of parameters that are held."""
    held = {}
    for name, value in fixed.items():
        if value is None and name not in start:
            raise UsageError(f"--fix {name} needs a value: {name}=1.5, or one in --start")
        held[name] = start[name] if value is None else value
    if len(held) == len(model.parameter_names):
        raise UsageError("--fix leaves no parameter to be fitted")
    return held


def _unknowns(
    model: Expression,
    known: Mapping[str, float],
    bounds: Mapping[str, tuple[float, float]],
    held: Mapping[str, float],
) -> Unknowns:
    """Return what is known of the parameters; those not given are nan."""
    order = model.parameter_names
    lower, upper, fixed = limits(bounds or None, held or None, order, len(order))
    values = np.array([known.get(name, np.nan) for name in order])
    for name, value, low, high in zip(order, values, lower, upper, strict=True):
        if value < low or value > high:
            raise UsageError(f"--start {name}={value:g} is outside its bounds, {low:g} to {high:g}")
    return Unknowns(values, lower, upper, fixed)


def _best(
    problem: CurveProblem, model: Expression, data: CurveData, solver: Solver, unknowns: Unknowns
) -> Result:
    """Solve from the start that was given, or from several, and return the best that is found.

    All of several get a few evaluations, and those that got furthest go on to the end.
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
    heats = _solved(problem, replace(solver, maxfev=_HEAT), starts)
    furthest = sorted(heats, key=lambda result: result.cost)[:_FINALISTS]
    results = _solved(problem, solver, [result.x for result in furthest])
    if not results:
        raise UsageError("no starting values were found at which the model is finite; give --start")
    return _lowest(results, model, data)


def _lowest(results: list[Result], model: Expression, data: CurveData) -> Result:
    """Return the result with the lowest cost, and of equal ones that which oscillates least.

    A faster oscillation than the data can tell has the values of a slower one at their points.
    Where the points are not even, a faster one than most of them can tell may be right, and must
    then fit much better.
    """
    speeds = {id(result): oscillation(model, data.t, result.x) for result in results}
    most = most_oscillation(data.t)

    def no_faster(limit: float) -> list[Result]:
        return [result for result in results if speeds[id(result)] <= _ROOM * limit]

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
    """Return the cost below which a fit is exact but for rounding."""
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
    """Go on where the linear parameters alone give a much lower cost: that is no minimum.

    A fit from far away may end where a growing exponential drowns all else, and a step of the
    linear parameters, which is exact, is lost in rounding.
    """
    for _ in range(_CONTINUED):
        point = projected(model, data.t, data.y, data.sigma, unknowns, result.x)
        if not np.isfinite(point).all():
            return result
        weight = 1.0 if data.sigma is None else 1.0 / data.sigma
        cost = 0.5 * float(np.sum(((model(data.t, *point) - data.y) * weight) ** 2))
        if not cost < _MUCH * result.cost - _rounding(data):
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
    """Solve from some points, but for those at which the model is not finite on every row."""
    results = []
    for x0 in starts:
        with contextlib.suppress(EvaluationError):
            results.append(solver.solve(problem, x0))
    return results
