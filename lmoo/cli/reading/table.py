"""A table of cells, whose columns are converted to numbers when they are requested."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.cli.reading.errors import DataError, cut
from lmoo.cli.reading.numbers import Notation, number
from lmoo.cli.reading.rows import Rows
from lmoo.cli.reading.times import is_clock, is_date, is_time, join, seconds


@dataclass(frozen=True)
class Table:
    """The cells of a data file.

    It is returned by `read_table`.  Cells are converted to numbers when a column is requested, so
    other columns may contain any text.

    Attributes
    ----------
    name : str
        Name of the file, for messages.
    header : tuple of str or None
        Names of the columns; None if the file has no header.
    rows : Rows
        The rows, all with the same number of cells.
    units : tuple of str or None
        Units of the columns.
    notation : Notation
        How numbers are written.
    reading : str
        How the file was read, for the user to check.
    plain : bool
        Whether the file is a plain table, of which there is nothing to be said.
    ordered : bool
        Whether the columns have an order, by which those are chosen that no option names.

    Examples
    --------
    >>> from lmoo.cli.reading import ArrayRows, Table
    >>> table = Table("a.csv", ("t", "y"), ArrayRows([[0, 1], [1.5, float("nan")]]))
    >>> table.column("y"), table.column("2")
    (1, 1)
    >>> table.complete([1]).numbers(1)
    array([1.5])
    >>> table.numbers(1)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    lmoo.cli.reading.errors.DataError: a.csv, row 2: column 'y' is 'nan'; ...
    """

    name: str
    header: tuple[str, ...] | None
    rows: Rows
    units: tuple[str, ...] | None = None
    notation: Notation = field(default_factory=Notation)
    reading: str = ""
    plain: bool = True
    ordered: bool = True

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.rows.width

    def column(self, key: str) -> int:
        """Return the index of a column from its name, or from its number counted from 1.

        ``#2`` is the second column also where a column is called 2.

        Raises
        ------
        DataError
            There is no such column, or the name of one is the number of another.
        """
        numbered = key.removeprefix("#")
        whole = numbered.isascii() and numbered.isdecimal() and len(numbered) < 10
        place = int(numbered) - 1 if whole else -1
        if self.names(key):
            found = self._places[key]
            if numbered == key and 0 <= place < self.width and place != found:
                raise DataError(
                    f"{self.name}: {key!r} is the name of column {found + 1} and the number of "
                    f"another; write #{found + 1} or #{key}"
                )
            return found
        if whole:
            if 0 <= place < self.width:
                return place
            raise DataError(f"{self.name} has {self.width} columns; there is no column {key}")
        raise DataError(f"{self.name} has no column {key!r}; {self._columns()}")

    def names(self, key: str) -> bool:
        """Return whether a column has this name."""
        return key in self._places

    @cached_property
    def _places(self) -> dict[str, int]:
        """Indices of the named columns.  A dict, as a model may contain thousands of names."""
        return {name: index for index, name in enumerate(self.header or ()) if name}

    def label(self, index: int, default: str) -> str:
        """Return the name of a column, or the default if it has none."""
        return (self.header[index] if self.header is not None else "") or default

    def axis(self, index: int, default: str) -> str:
        """Return the name of a column with its unit, for a plot."""
        label = self.label(index, default)
        unit = self.units[index] if self.units is not None else ""
        return f"{label} ({unit})" if unit else label

    def title(self, index: int) -> str:
        """Return the name or the number of a column for messages."""
        name = self.label(index, "")
        return f"column {name!r}" if name else f"column {index + 1}"

    def place(self, row: int) -> str:
        """Return where a row is: the file and the line."""
        return f"{self.name}, {self.rows.place(row)}"

    def complete(self, columns: Sequence[int]) -> "Table":
        """Return the table without the rows in which one of these columns has no value.

        Raises
        ------
        DataError
            No row is left.
        """
        self.rows.prepare(columns)
        gone = np.zeros(len(self.rows), bool)
        for column in columns:
            gone |= self._missing(column)
        if gone.all():
            raise DataError(f"{self.name}: every row has an empty cell or a NaN")
        return replace(self, rows=self.rows.take(~gone)) if gone.any() else self

    def numbers(self, column: int) -> Array:
        """Return a column, by its index from 0, as numbers.

        Dates become seconds since the first of them, with the times of day in the next column if
        they have none; times of day become seconds since midnight.

        Returns
        -------
        (m,) float64 array

        Raises
        ------
        DataError
            A cell is not a finite number; the message names the line.
        """
        values = self.rows.values(column)
        if values is not None and np.isfinite(values).all():
            return values
        cells = self.rows.cells(column)
        first = next((cell for cell in cells if not self.notation.is_missing(cell)), "")
        if is_time(first) and self.notation.value(first) is None:
            return self._seconds(column, cells)
        return np.array([self._number(row, column, cell) for row, cell in enumerate(cells)])

    def _missing(self, column: int) -> NDArray[np.bool_]:
        values = self.rows.values(column)
        if values is not None:
            return np.isnan(values)
        return np.array([self.notation.is_missing(cell) for cell in self.rows.cells(column)])

    def _seconds(self, column: int, cells: Sequence[str]) -> Array:
        beside = self.rows.cells(column + 1) if column + 1 < self.width else []
        if beside and all(map(is_date, filter(None, cells))) and all(map(is_clock, beside)):
            cells = join(cells, beside)
            halves = self.rows.cells(column + 2) if column + 2 < self.width else []
        else:
            halves = beside
        if halves and all(cell.lower().strip(".m") in ("a", "p") for cell in halves):
            cells = [f"{cell} {half}" for cell, half in zip(cells, halves, strict=True)]
        for row, cell in enumerate(cells):
            if self.notation.is_missing(cell):
                raise self._no_value(row, column, cell)
        lines = [self.rows.line(row) for row in range(len(cells))]
        return seconds(f"{self.name}: {self.title(column)}", cells, lines)

    def _number(self, row: int, column: int, cell: str) -> float:
        if self.notation.is_missing(cell):
            raise self._no_value(row, column, cell)
        value = self.notation.value(cell)
        where = f"{self.place(row)}: {self.title(column)}"
        if value is None:
            raise DataError(f"{where} must be a number; it is {cut(cell)}{self._hint(cell)}")
        if not np.isfinite(value):
            raise DataError(f"{where} must be finite; it is {cut(cell)}")
        return value

    def _no_value(self, row: int, column: int, cell: str) -> DataError:
        what = f"is {cut(cell)}" if cell else "is empty"
        return DataError(
            f"{self.place(row)}: {self.title(column)} {what}; --nan-policy omit leaves such rows "
            "out"
        )

    def _hint(self, cell: str) -> str:
        if self.notation.decimal == "," and "." in cell:
            return "; this file has decimal commas"
        if self.notation.decimal == "." and number(cell.replace(",", ".")) is not None:
            return "; decimals are written with a point in this file"
        return ""

    def _columns(self) -> str:
        if self.header is None:
            return f"it has no header, and columns 1 to {self.width}"
        return f"its columns are {cut(', '.join(self.header), 200)}"
