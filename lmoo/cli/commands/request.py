"""The model, the parameters and the data that the options of a command request."""

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.cli.commands import options
from lmoo.cli.commands.columns import Columns, CurveData, choose, load
from lmoo.cli.commands.options import UnsuitableDataError, UsageError
from lmoo.cli.reading import FileFormat, Table, read_table
from lmoo.cli.reading.source import name_of
from lmoo.models.expression import Expression, ExpressionError
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


@dataclass(frozen=True)
class Request:
    """The options of a fit, with what does not depend on the data checked.

    Attributes
    ----------
    arguments : argparse.Namespace
        The options.
    start : dict of str to float
        Starting values.
    bounds : dict of str to (float, float)
    fixed : dict of str to (float or None)
        Fixed parameters; None stands for the starting value.
    relations : dict of str
        Ties, priors, derived quantities and constraints, as options of a `Solver`.
    """

    arguments: argparse.Namespace
    start: Mapping[str, float]
    bounds: Mapping[str, tuple[float, float]]
    fixed: Mapping[str, float | None]
    relations: Mapping[str, Any]

    @classmethod
    def parse(cls, arguments: argparse.Namespace) -> "Request":
        """Return the request of the options; UsageError if they are invalid."""
        _check_combinations(arguments)
        _check_order(arguments)
        return cls(
            arguments,
            options.numbers("--start", arguments.start),
            options.bounds("--bounds", arguments.bounds),
            options.optional_numbers("--fix", arguments.fix),
            _relations(arguments),
        )

    def read(self, growing: bool = False) -> Table:
        """Read the data.

        Parameters
        ----------
        growing : bool, default False
            The file may be in the course of being written: leave out an incomplete last line.

        Raises
        ------
        DataError
            The data cannot be read.
        """
        given = self.arguments
        form = FileFormat.parse(
            given.sep,
            given.decimal,
            given.comment,
            given.skip,
            given.encoding,
            tuple(given.missing),
            given.sheet,
        )
        return read_table(given.data, form, growing=growing)

    def prepare(self, table: Table) -> "PreparedFit":
        """Return the model and the numbers.

        Raises
        ------
        DataError, ExpressionError, UsageError
            A column does not exist or has text, or a name is not that of a parameter.
        """
        given = self.arguments
        named = {**self.start, **self.bounds, **self.fixed}
        columns = choose(
            table,
            given.expression,
            options.bindings("--x", given.x),
            given.y,
            given.sigma,
            named,
            given.sigma_x,
        )
        model = _model(given.expression, list(columns.variables), named)
        _check_names(model, {"--start": self.start, "--bounds": self.bounds, "--fix": self.fixed})
        data = load(table, columns, given.nan_policy == "omit")
        return PreparedFit(self, table, columns, model, data)


@dataclass(frozen=True)
class PreparedFit:
    """A fit whose data have been read."""

    request: Request
    table: Table
    columns: Columns
    model: Expression
    data: CurveData

    def solve(self, x0: Array | None = None) -> Result:
        """Fit the model.

        Parameters
        ----------
        x0 : (n,) float64 array, optional
            Starting values of all parameters.  None: those of the options; others are found.

        Raises
        ------
        UsageError, ExpressionError
            There are fewer rows than parameters, no starting values are found, or options are
            invalid for this model.
        """
        request, model, data = self.request, self.model, self.data
        fixed = _fixed_values(model, request.fixed, request.start)
        tied = len(request.relations.get("ties", ()))
        _check_rows(data, len(model.parameter_names) - tied, len(fixed))
        names = model.parameter_names
        known = {**request.start, **fixed}
        if x0 is not None:
            known = dict(zip(names, x0.tolist(), strict=True))
        try:
            given = _given_parameters(model, known, request.bounds, fixed)
            known_sigma = request.arguments.absolute_sigma
            problem = CurveProblem(model, data.t, data.y, data.sigma, absolute_sigma=known_sigma)
            problem.labels = self.columns.names(self.table)
            search = Search(problem, model, data.t, data.y, data.sigma, given, "give --start")
            return self._solved(search, fixed)
        except StartError as error:
            raise UnsuitableDataError(str(error)) from error
        except ExpressionError as error:
            reason = options.in_terms_of_options(error.reason)
            raise ExpressionError(error.text, error.place, reason, error.hint) from error
        except ValueError as error:
            raise UsageError(options.in_terms_of_options(str(error) or repr(error))) from error

    def _solved(self, search: Search, fixed: Mapping[str, float]) -> Result:
        request, data = self.request, self.data
        solver = Solver(bounds=request.bounds or None, fixed=fixed or None, separable="auto")
        loss, f_scale = request.arguments.loss, request.arguments.f_scale
        robust = solver
        if loss != "linear":
            robust = replace(solver, loss=loss, f_scale="mad" if f_scale is None else f_scale)
        related = replace(robust, **request.relations)
        if request.relations:
            result = related_result(search, solver, related)
        elif robust is not solver:
            result = robust_result(search, solver, robust)
        else:
            result = best_result(search, solver)
        if data.sigma_x is None:
            return result
        both = CurveProblem(
            self.model, data.t, data.y, data.sigma, sigma_x=data.sigma_x,
            absolute_sigma=request.arguments.absolute_sigma,
        )  # fmt: skip
        both.labels = self.columns.names(self.table)
        return related.solve(both, result.x)


def _check_order(arguments: argparse.Namespace) -> None:
    """Raise UsageError if the name of a file is in the place of the expression."""
    text = arguments.expression
    try:
        is_file = Path(text).is_file()
    except (OSError, ValueError):
        is_file = False
    if is_file:
        raise UsageError(
            f"EXPRESSION must be a model, such as 'a*exp(-b*t) + c'; {name_of(text)} is a file: "
            f"the order is {arguments.parser.prog} DATA EXPRESSION"
        )


def _check_combinations(arguments: argparse.Namespace) -> None:
    """Raise UsageError for options that exclude each other, or of which one needs another."""
    robust = arguments.loss != "linear"
    if robust and arguments.absolute_sigma:
        raise UsageError(
            "--absolute-sigma is incompatible with --loss: with a loss the errors are estimated "
            "from the scatter of the good points"
        )
    if arguments.f_scale is not None and not robust:
        raise UsageError("--f-scale is the scale of a loss: give --loss, such as --loss huber")
    if arguments.absolute_sigma and arguments.sigma is None:
        raise UsageError(
            "--absolute-sigma needs --sigma; --sigma 1.0 says that all errors of y are 1"
        )


def _relations(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the relations of the parameters as options of a solver."""
    found = {
        "ties": options.expressions("--tie", arguments.tie),
        "priors": options.priors("--prior", arguments.prior),
        "derived": options.expressions("--derived", arguments.derived),
        "constraints": arguments.constraint,
    }
    return {name: value for name, value in found.items() if value}


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
    """Raise UnsuitableDataError if there are fewer rows than parameters, including fixed ones."""
    if data.y.size < n:
        among = f", {fixed} of them fixed," if fixed else ""
        raise UnsuitableDataError(
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
