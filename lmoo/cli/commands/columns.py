"""Which columns of a data file a fit is of, and which of them the model's variables are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmoo.cli.commands.options import UsageError
from lmoo.cli.datafile import DataError, Table
from lmoo.models.expression import Expression
from lmoo.models.expression.tokens import names

__all__ = ["Columns", "CurveData", "Quantity", "choose", "load"]

Array = NDArray[np.float64]

# What the variable may be called where it is no column's name.
_USUAL = ("t", "x")


@dataclass(frozen=True)
class Quantity:
    """A column, or a function of columns.

    Attributes
    ----------
    option : str
        Where it comes from, for messages.
    columns : tuple of int
        Indices of the columns.
    formula : Expression or None
        A function of these columns; None for the column itself.
    """

    option: str
    columns: tuple[int, ...]
    formula: Expression | None = None

    def label(self, table: Table) -> str:
        """Return what it is called in a picture."""
        if self.formula is not None:
            return self.formula.text
        return table.label(self.columns[0], "y")

    def of(self, table: Table) -> Array:
        """Return its values, (m,)."""
        values = [table.numbers(j) for j in self.columns]
        if self.formula is None:
            return values[0]
        found = self.formula(values[0] if len(values) == 1 else values)
        return np.array(np.broadcast_to(found, len(table.rows)))


@dataclass(frozen=True)
class Columns:
    """What is fitted: variables of the model by their names, the response, its deviations."""

    variables: dict[str, int]
    y: Quantity
    sigma: Quantity | None

    def labels(self, table: Table) -> tuple[str, str]:
        """Return what the axes of a picture are called; several variables are drawn by row."""
        variables = [table.label(index, name) for name, index in self.variables.items()]
        return variables[0] if len(variables) == 1 else "row", self.y.label(table)

    def all(self) -> list[int]:
        """Return the indices of all columns that are used."""
        others = self.sigma.columns if self.sigma else ()
        return sorted({*self.variables.values(), *self.y.columns, *others})


@dataclass(frozen=True)
class CurveData:
    """A curve: t is (m,), or (k, m) for several variables; y is (m,), and sigma if not None."""

    t: Array
    y: Array
    sigma: Array | None


def choose(
    table: Table,
    expression: str,
    x: Sequence[tuple[str | None, str]],
    y: str | None,
    sigma: str | None,
    parameters: Collection[str],
) -> Columns:
    """Return what is fitted.

    Parameters
    ----------
    table : Table
    expression : str
        The model.
    x : sequence of (str or None, str)
        Names of variables and their columns; None for the column's own name, or t, or x.
    y, sigma : str or None
        A column, or an expression of columns; sigma may be a constant.
    parameters : collection of str
        Names that are parameters, and therefore no variables.

    Raises
    ------
    DataError, ExpressionError, UsageError
        There is no such column; the variable or the response cannot be told.

    Examples
    --------
    >>> from lmoo.cli.commands.columns import choose
    >>> from lmoo.cli.datafile import Row, Table
    >>> table = Table("a.csv", ("time", "y", "err"), (Row(2, ["0", "1.5", "0.1"]),))
    >>> columns = choose(table, "a*exp(-b*t)", [], None, "err", [])
    >>> columns.variables, columns.y.columns, columns.sigma.columns
    ({'t': 0}, (1,), (2,))
    """
    used = [name for name in names(expression) if name not in parameters]
    spread = None if sigma is None else _quantity(table, "--sigma", sigma.strip())
    response = None if y is None else _quantity(table, "--y", y.strip())
    variables = _variables(table, used, x, _own(response), _own(spread))
    if response is None:
        # A number may be a constant that was written without its point: y does not give way to it.
        given = set() if _whole(sigma) else _own(spread)
        response = _response(table, {*variables.values(), *given})
    both = _own(spread) & {*variables.values(), *_own(response)}
    if both:
        constant = f"; a constant is written with a point, {sigma}.0" if _whole(sigma) else ""
        raise UsageError(
            f"--sigma {sigma} is {table.title(min(both))}, which is the variable or what is "
            f"fitted{constant}"
        )
    return Columns(variables, response, spread)


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
        A cell that is no number, a response that is not finite, deviations that are not positive,
        with the line.
    """
    if omit:
        table = table.complete(columns.all())
    t = np.array([table.numbers(j) for j in columns.variables.values()])
    y = columns.y.of(table)
    _check(table, columns.y, y, np.isfinite(y), "finite")
    sigma = None
    if columns.sigma is not None:
        sigma = columns.sigma.of(table)
        _check(table, columns.sigma, sigma, np.isfinite(sigma) & (sigma > 0), "positive")
    return CurveData(t[0] if len(t) == 1 else t, y, sigma)


def _check(
    table: Table, quantity: Quantity, values: Array, good: NDArray[np.bool_], what: str
) -> None:
    for k in np.flatnonzero(~good)[:1]:
        raise DataError(
            f"{table.name}, line {table.rows[k].line}: {quantity.option} must be {what}; it is "
            f"{values[k]:g}"
        )


def _quantity(table: Table, option: str, text: str) -> Quantity:
    """Return the column, or the function of columns, that an option names."""
    if table.names(text) or text.isidentifier() or text.isdecimal():
        return Quantity(f"{option} {text}", (table.column(text),))
    columns = [name for name in dict.fromkeys(names(text)) if table.names(name)]
    formula = Expression(text, variables=columns, parameters=())
    return Quantity(f"{option} {text}", tuple(map(table.column, columns)), formula)


def _own(quantity: Quantity | None) -> set[int]:
    """Return the column that a quantity has for itself; a formula has none."""
    return set() if quantity is None or quantity.formula is not None else set(quantity.columns)


def _variables(
    table: Table,
    used: Sequence[str],
    x: Sequence[tuple[str | None, str]],
    response: set[int],
    spread: set[int],
) -> dict[str, int]:
    """Return the model's variables: those of --x, columns that it names, or t or x."""
    found: dict[str, int] = {}
    for name, column in x:
        index = table.column(column)
        found[_name(table, index, used) if name is None else name] = index
    for name in used:
        if table.names(name) and name not in found:
            found[name] = _free_column(table, name, response | spread)
    usual = [name for name in _USUAL if name in used and name not in found]
    if usual and (found or len(usual) > 1):
        raise UsageError(
            f"{' and '.join(map(repr, usual))} in the expression: which column? --x "
            f"{usual[0]}=COLUMN says so, --start {usual[0]}=... makes it a parameter"
        )
    if usual:
        return {usual[0]: _first_column(table, usual[0], response)}
    if not found:
        raise _no_variable(table, used)
    return found


def _free_column(table: Table, name: str, taken: set[int]) -> int:
    """Return the column that the expression names, unless it is what is fitted."""
    index = table.column(name)
    if index in taken:
        raise UsageError(
            f"{name!r} in the expression is a column that --y or --sigma uses; --start "
            f"{name}=... makes it a parameter"
        )
    return index


def _first_column(table: Table, name: str, response: set[int]) -> int:
    """Return the column of a variable that is called t or x and nothing else."""
    free = [j for j in range(table.width) if j not in response]
    if not free:
        raise UsageError(f"{table.name} has no column left for {name}; name it with --x")
    return free[0]


def _no_variable(table: Table, used: Sequence[str]) -> UsageError:
    if not used:
        return UsageError("the expression has no variable: it is called t or x, or as a column")
    return UsageError(
        f"the expression has no variable: none of {', '.join(used)} is t, x or a column of "
        f"{table.name}"
    )


def _name(table: Table, index: int, used: Sequence[str]) -> str:
    """Return what the expression calls a column."""
    own = [] if table.header is None else [table.header[index]]
    for name in (*own, *_USUAL):
        if name in used:
            return name
    raise UsageError(
        f"--x: the expression has no variable for {table.title(index)}; it is called t or x, or "
        "as the column, or NAME in --x NAME=COLUMN"
    )


def _response(table: Table, used: set[int]) -> Quantity:
    """Return the column that is fitted where no option names it: y, or the first one left."""
    header = table.header or ()
    free = [j for j in range(table.width) if j not in used]
    if not free:
        raise UsageError(f"{table.name} has no column left to be fitted")
    named = [j for j in free if header and header[j] == "y"]
    return Quantity("y", ((named or free)[0],))


def _whole(text: str | None) -> bool:
    return text is not None and text.isdecimal()
