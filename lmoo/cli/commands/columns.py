"""Select the columns of a data file: the variables, the data to fit and their errors."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.cli.commands.options import UsageError
from lmoo.cli.reading import DataError, Table
from lmoo.models.expression import Expression
from lmoo.models.expression.tokens import names

# Names of the variable besides the names of columns.
_USUAL = ("t", "x")


@dataclass(frozen=True)
class Quantity:
    """A column, or a function of columns.

    Attributes
    ----------
    option : str
        The option that selects it, for messages.
    columns : tuple of int
        Indices of the columns.
    formula : Expression or None
        A function of these columns; None for a column.
    """

    option: str
    columns: tuple[int, ...]
    formula: Expression | None = None

    def label(self, table: Table) -> str:
        """Return the label of the axis in a plot."""
        if self.formula is not None:
            return self.formula.text
        return table.axis(self.columns[0], "y")

    def of(self, table: Table) -> Array:
        """Return the values of the quantity, (m,)."""
        values = [table.numbers(j) for j in self.columns]
        if self.formula is None:
            return values[0]
        found = self.formula(values[0] if len(values) == 1 else values)
        return np.array(np.broadcast_to(found, len(table.rows)))


@dataclass(frozen=True)
class Columns:
    """The columns of a fit: variables by name, the response y, and standard deviations."""

    variables: dict[str, int]
    y: Quantity
    sigma: Quantity | None
    sigma_x: Quantity | None = None

    def labels(self, table: Table) -> tuple[str, str]:
        """Return the labels of the axes; with several variables the abscissa is the row."""
        x, y = self.names(table)
        return x if len(self.variables) == 1 else "row", y

    def names(self, table: Table) -> tuple[str, str]:
        """Return the names of the variables and of what is fitted, with their units."""
        variables = [table.axis(index, name) for name, index in self.variables.items()]
        return ", ".join(variables), self.y.label(table)

    def all(self) -> list[int]:
        """Return the indices of all columns that are used."""
        others = [q.columns for q in (self.sigma, self.sigma_x) if q is not None]
        return sorted({*self.variables.values(), *self.y.columns, *(j for q in others for j in q)})


@dataclass(frozen=True)
class CurveData:
    """The data of a curve: t, (m,), or (k, m) for k variables; y and sigma, (m,), or sigma None."""

    t: Array
    y: Array
    sigma: Array | None
    sigma_x: Array | None = None

    def extends(self, other: "CurveData") -> bool:
        """Return whether these are the other data with further rows at the end, or without."""
        rows = other.y.size
        return all(
            np.array_equal(mine[..., :rows], theirs)
            for mine, theirs in zip(self._arrays(), other._arrays(), strict=True)
        )

    def equals(self, other: "CurveData") -> bool:
        """Return whether all numbers are equal."""
        return self.y.size == other.y.size and self.extends(other)

    def _arrays(self) -> list[Array]:
        found = (self.t, self.y, self.sigma, self.sigma_x)
        return [values for values in found if values is not None]


def choose(
    table: Table,
    expression: str,
    x: Sequence[tuple[str | None, str]],
    y: str | None,
    sigma: str | None,
    parameters: Collection[str],
    sigma_x: str | None = None,
) -> Columns:
    """Return the columns of a fit.

    Parameters
    ----------
    table : Table
    expression : str
        The model.
    x : sequence of (str or None, str)
        Names of variables and their columns; None stands for the name of the column, t or x.
    y, sigma : str or None
        A column, or an expression of columns; sigma may be a constant.
    parameters : collection of str
        Names of parameters; they are not variables.
    sigma_x : str or None
        As sigma, for the variable.

    Raises
    ------
    DataError, ExpressionError, UsageError
        There is no such column; the variable or the response is not known.

    Examples
    --------
    >>> from lmoo.cli.commands.columns import choose
    >>> from lmoo.cli.reading import ArrayRows, Table
    >>> table = Table("a.csv", ("time", "y", "err"), ArrayRows([[0], [1.5], [0.1]]))
    >>> columns = choose(table, "a*exp(-b*t)", [], None, "err", [])
    >>> columns.variables, columns.y.columns, columns.sigma.columns
    ({'t': 0}, (1,), (2,))
    """
    used = [name for name in names(expression) if name not in parameters]
    errors = None if sigma is None else _quantity(table, "--sigma", sigma.strip())
    of_x = None if sigma_x is None else _quantity(table, "--sigma-x", sigma_x.strip())
    response = None if y is None else _quantity(table, "--y", y.strip())
    both = _single(errors) | _single(of_x)
    variables = _variables(table, used, x, _single(response), both)
    if response is None:
        # An integer may be meant as a constant, so it does not take its column away from y.
        given = set() if _whole(sigma) else _single(errors)
        given = given if _whole(sigma_x) else given | _single(of_x)
        response = _response(table, {*variables.values(), *given})
    for option, text, quantity in (("--sigma", sigma, errors), ("--sigma-x", sigma_x, of_x)):
        both = _single(quantity) & {*variables.values(), *_single(response)}
        if both:
            constant = f"; a constant is written with a point, {text}.0" if _whole(text) else ""
            raise UsageError(
                f"{option} {text} is {table.title(min(both))}, which is the variable or what is "
                f"fitted{constant}"
            )
    if of_x is not None and len(variables) > 1:
        raise UsageError(f"--sigma-x is for one variable; there are {', '.join(variables)}")
    return Columns(variables, response, errors, of_x)


def load(table: Table, columns: Columns, omit: bool) -> CurveData:
    """Return the numbers.

    Parameters
    ----------
    table : Table
    columns : Columns
    omit : bool
        Leave out the rows with missing values; False makes them an error.

    Raises
    ------
    DataError
        A cell that is not a number, a response that is not finite, or a standard deviation that is
        not positive; the message names the line.
    """
    table.rows.prepare(columns.all())
    if omit:
        table = table.complete(columns.all())
    t = np.array([table.numbers(j) for j in columns.variables.values()])
    y = columns.y.of(table)
    _check(table, columns.y, y, np.isfinite(y), "finite")
    sigma = None
    if columns.sigma is not None:
        sigma = columns.sigma.of(table)
        _check(table, columns.sigma, sigma, np.isfinite(sigma) & (sigma > 0), "positive")
    sigma_x = None
    if columns.sigma_x is not None:
        sigma_x = columns.sigma_x.of(table)
        _check(table, columns.sigma_x, sigma_x, np.isfinite(sigma_x) & (sigma_x > 0), "positive")
    return CurveData(t[0] if len(t) == 1 else t, y, sigma, sigma_x)


def _check(
    table: Table, quantity: Quantity, values: Array, good: NDArray[np.bool_], what: str
) -> None:
    for k in np.flatnonzero(~good)[:1]:
        raise DataError(
            f"{table.place(int(k))}: {quantity.option} must be {what}; it is {values[k]:g}"
        )


def _quantity(table: Table, option: str, text: str) -> Quantity:
    """Return the column or the function of columns in the value of an option."""
    if table.names(text) or text.isidentifier() or text.removeprefix("#").isdecimal():
        return Quantity(f"{option} {text}", (table.column(text),))
    columns = [name for name in dict.fromkeys(names(text)) if table.names(name)]
    formula = Expression(text, variables=columns, parameters=())
    return Quantity(f"{option} {text}", tuple(map(table.column, columns)), formula)


def _single(quantity: Quantity | None) -> set[int]:
    """Return the column of a quantity; an empty set for a formula or None."""
    return set() if quantity is None or quantity.formula is not None else set(quantity.columns)


def _variables(
    table: Table,
    used: Sequence[str],
    x: Sequence[tuple[str | None, str]],
    response: set[int],
    errors: set[int],
) -> dict[str, int]:
    """Return the model's variables: those of --x, columns in the expression, or t or x."""
    found: dict[str, int] = {}
    for name, column in x:
        index = table.column(column)
        found[_name(table, index, used) if name is None else name] = index
    for name in used:
        if table.names(name) and name not in found:
            found[name] = _free_column(table, name, response | errors)
    usual = [name for name in _USUAL if name in used and name not in found]
    if usual and (found or len(usual) > 1):
        raise UsageError(
            f"{' and '.join(map(repr, usual))} in the expression: which column? --x "
            f"{usual[0]}=COLUMN selects it, --start {usual[0]}=... makes it a parameter"
        )
    if usual:
        return {usual[0]: _first_column(table, usual[0], response)}
    if not found:
        raise _no_variable(table, used)
    return found


def _free_column(table: Table, name: str, taken: set[int]) -> int:
    """Return the column that the expression names; UsageError if --y or --sigma uses it."""
    index = table.column(name)
    if index in taken:
        raise UsageError(
            f"{name!r} in the expression is a column that --y or --sigma uses; --start "
            f"{name}=... makes it a parameter"
        )
    return index


def _first_column(table: Table, name: str, response: set[int]) -> int:
    """Return the column of a variable t or x that no option selects."""
    free = [j for j in range(table.width) if j not in response]
    if not free:
        raise UsageError(f"{table.name} has no column left for {name}; name it with --x")
    _check_order(table, free, "--x")
    return free[0]


def _check_order(table: Table, free: Sequence[int], option: str) -> None:
    """Raise UsageError if one of several columns would be chosen that have no order."""
    if not table.ordered and len(free) > 1:
        listed = ", ".join(table.label(index, f"#{index + 1}") for index in free)
        raise UsageError(
            f"{option} must name a column of {table.name}, whose data sets have no order: {listed}"
        )


def _no_variable(table: Table, used: Sequence[str]) -> UsageError:
    if not used:
        return UsageError("the expression has no variable: use t, x or the name of a column")
    return UsageError(
        f"the expression has no variable: none of {', '.join(used)} is t, x or a column of "
        f"{table.name}"
    )


def _name(table: Table, index: int, used: Sequence[str]) -> str:
    """Return the name of a column's variable in the expression."""
    header = [] if table.header is None else [table.header[index]]
    for name in (*header, *_USUAL):
        if name in used:
            return name
    raise UsageError(
        f"--x: the expression has no variable for {table.title(index)}; use t, x, the name of the "
        "column, or NAME in --x NAME=COLUMN"
    )


def _response(table: Table, used: set[int]) -> Quantity:
    """Return the response if no option selects it: the column y, or the first one not used."""
    header = table.header or ()
    free = [j for j in range(table.width) if j not in used]
    if not free:
        raise UsageError(f"{table.name} has no column left to be fitted")
    named = [j for j in free if header and header[j] == "y"]
    _check_order(table, named or free, "--y")
    return Quantity("y", ((named or free)[0],))


def _whole(text: str | None) -> bool:
    return text is not None and text.isdecimal()
