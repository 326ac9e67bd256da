"""``lmoo fit``: fit an expression to columns of a file."""

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo.cli.commands import options
from lmoo.cli.commands.columns import CurveData, choose, load
from lmoo.cli.commands.options import UsageError
from lmoo.cli.commands.output import check_files, deliver
from lmoo.cli.reading import FileFormat, Table, read_table
from lmoo.cli.terminal import note
from lmoo.models.expression import Expression
from lmoo.models.expression.functions import CONSTANTS
from lmoo.models.expression.tokens import names
from lmoo.models.starts.given import GivenParameters
from lmoo.problems.bounds import limits
from lmoo.problems.curveproblem import CurveProblem
from lmoo.results.result import Result
from lmoo.solver.multistart import (
    Search,
    StartError,
    best_result,
    related_result,
    robust_result,
)
from lmoo.solver.solver import Solver

__all__ = ["run"]

Array = NDArray[np.float64]


def run(arguments: argparse.Namespace) -> int:
    """Fit, print the report and write the files; return 0 if a minimum was found, else 1."""
    start = options.numbers("--start", arguments.start)
    bounds = options.bounds("--bounds", arguments.bounds)
    fixed = options.optional_numbers("--fix", arguments.fix)
    relations = _relations(arguments)
    named = {**start, **bounds, **fixed}
    if arguments.loss != "linear" and arguments.absolute_sigma:
        raise UsageError(
            "--absolute-sigma is incompatible with --loss: with a loss the errors are estimated "
            "from the scatter of the good points"
        )
    if arguments.loss != "linear" and arguments.sigma_x is not None:
        raise UsageError("--sigma-x is incompatible with --loss: distances are minimised")
    check_files(arguments)
    # Report errors of the expression before errors of its names.
    Expression(arguments.expression, variables=())
    table = _table(arguments)
    columns = choose(
        table,
        arguments.expression,
        options.bindings("--x", arguments.x),
        arguments.y,
        arguments.sigma,
        named,
        arguments.sigma_x,
    )
    model = _model(arguments.expression, list(columns.variables), named)
    _check_names(model, {"--start": start, "--bounds": bounds, "--fix": fixed})
    data = load(table, columns, arguments.nan_policy == "omit")
    if not table.plain:
        note(f"{table.name}: {table.reading}")
    values = _fixed_values(model, fixed, start)
    tied = len(relations.get("ties", ()))
    _check_rows(data, len(model.parameter_names) - tied, len(values))
    given = _given_parameters(model, {**start, **values}, bounds, values)
    problem = CurveProblem(model, data.t, data.y, data.sigma)
    solver = Solver(bounds=bounds or None, fixed=values or None, separable="auto")
    search = Search(problem, model, data.t, data.y, data.sigma, given, "give --start")
    try:
        robust = solver
        if arguments.loss != "linear":
            robust = replace(solver, loss=arguments.loss, f_scale=arguments.f_scale)
        if relations:
            result = _related_result(search, solver, robust, relations)
        elif robust is solver:
            result = best_result(search, solver)
        else:
            result = robust_result(search, solver, robust)
    except StartError as error:
        raise UsageError(str(error)) from error
    if data.sigma_x is not None:
        both = CurveProblem(model, data.t, data.y, data.sigma, sigma_x=data.sigma_x)
        result = solver.solve(both, result.x)
    deliver(result, arguments, columns.labels(table), table.reading)
    return 0 if result.success else 1


def _relations(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the relations of the parameters as options of a solver."""
    found = {
        "ties": options.expressions("--tie", arguments.tie),
        "priors": options.priors("--prior", arguments.prior),
        "derived": options.expressions("--derived", arguments.derived),
        "constraints": arguments.constraint,
    }
    return {name: value for name, value in found.items() if value}


def _related_result(
    search: Search, squares: Solver, robust: Solver, relations: Mapping[str, Any]
) -> Result:
    """Return the result with relations of the parameters; UsageError if they are invalid."""
    try:
        return related_result(search, squares, replace(robust, **relations))
    except StartError:
        raise
    except ValueError as error:
        raise UsageError(str(error)) from error


def _table(arguments: argparse.Namespace) -> Table:
    """Read the data in the form that the options give."""
    return read_table(
        arguments.data,
        FileFormat.parse(
            arguments.sep,
            arguments.decimal,
            arguments.comment,
            arguments.skip,
            arguments.encoding,
            tuple(arguments.missing),
            arguments.sheet,
        ),
    )


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
                    f"{option}: {name!r} is not a parameter of the expression; its parameters are "
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


def _given_parameters(
    model: Expression,
    known: Mapping[str, float],
    bounds: Mapping[str, tuple[float, float]],
    fixed_values: Mapping[str, float],
) -> GivenParameters:
    """Return the starting values that are given, nan for the others, and the bounds."""
    order = model.parameter_names
    lower, upper, fixed = limits(bounds or None, fixed_values or None, order, len(order))
    values = np.array([known.get(name, np.nan) for name in order])
    for name, value, low, high in zip(order, values, lower, upper, strict=True):
        if value < low or value > high:
            raise UsageError(f"--start {name}={value:g} is outside its bounds, {low:g} to {high:g}")
    return GivenParameters(values, lower, upper, fixed)
