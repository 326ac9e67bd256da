"""Read columns of numbers from text files; errors name the line."""

import csv
import gzip
import io
import os
import re
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["DataError", "Table", "number", "read_table"]

Array = NDArray[np.float64]

_MISSING = {"", "nan", "na", "n/a", "null", "none"}
# No two parts of the pattern match the same digits, so a match takes linear time.
_NUMBER = re.compile(
    r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([ed][+-]?[0-9]+)?|[+-]?inf(inity)?",
    re.ASCII | re.IGNORECASE,
)
_COMMENT = re.compile(r"""("[^"]*"?)|#.*""")
_WORD = re.compile(r'"[^"]*"|\S+')


# A compressed file of a few kB may contain GB of text, and a table takes more memory.
_DECOMPRESSED_MIB = 64
_LIMIT_VARIABLE = "LMOO_DECOMPRESSED_MIB"


class DataError(ValueError):
    """A data file that cannot be read as columns of numbers."""


class Row(NamedTuple):
    """The cells of a line, and its number from 1."""

    line: int
    cells: list[str]


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
    rows : tuple of Row
        The rows, all with the same number of cells.

    Examples
    --------
    >>> from lmoo.cli.datafile import Row, Table
    >>> table = Table("a.csv", ("t", "y"), (Row(2, ["0", "1.5"]), Row(3, ["1", ""])))
    >>> table.column("y"), table.column("2")
    (1, 1)
    >>> table.complete([1]).numbers(1)
    array([1.5])
    >>> table.numbers(1)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    lmoo.cli.datafile.DataError: a.csv, line 3: column 'y' is empty; ...
    """

    name: str
    header: tuple[str, ...] | None
    rows: tuple[Row, ...]

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.rows[0].cells)

    def column(self, key: str) -> int:
        """Return the index of a column from its name, or from its number counted from 1.

        Raises
        ------
        DataError
            There is no such column.
        """
        if self.names(key):
            return self._places[key]
        if key.isascii() and key.isdecimal() and len(key) < 10:
            if 1 <= int(key) <= self.width:
                return int(key) - 1
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

    def title(self, index: int) -> str:
        """Return the name or the number of a column for messages."""
        name = self.label(index, "")
        return f"column {name!r}" if name else f"column {index + 1}"

    def complete(self, columns: Sequence[int]) -> "Table":
        """Return the table without the rows in which one of these columns has no value.

        Raises
        ------
        DataError
            No row is left.
        """
        kept = [row for row in self.rows if not any(missing(row.cells[j]) for j in columns)]
        if not kept:
            raise DataError(f"{self.name}: every row has an empty cell or a NaN")
        return replace(self, rows=tuple(kept))

    def numbers(self, column: int) -> Array:
        """Return a column, by its index from 0, as numbers.

        Returns
        -------
        (m,) float64 array

        Raises
        ------
        DataError
            A cell is not a finite number; the message names the line.
        """
        return np.array([self._number(row, column) for row in self.rows])

    def _number(self, row: Row, index: int) -> float:
        cell = row.cells[index]
        where = f"{self.name}, line {row.line}: {self.title(index)}"
        if missing(cell):
            what = f"is {cell!r}" if cell else "is empty"
            raise DataError(f"{where} {what}; --nan-policy omit leaves such rows out")
        value = number(cell)
        if value is None:
            comma = (
                "; decimals are written with a point" if is_number(cell.replace(",", ".")) else ""
            )
            raise DataError(f"{where} must be a number; it is {_cut(cell)}{comma}")
        if not np.isfinite(value):
            raise DataError(f"{where} must be finite; it is {_cut(cell)}")
        return value

    def _columns(self) -> str:
        if self.header is None:
            return f"it has no header, and columns 1 to {self.width}"
        return f"its columns are {_cut(', '.join(self.header), 200)}"


def read_table(path: str) -> Table:
    r"""Read the cells of a data file.

    Columns are separated by tabs, semicolons, commas or white space: the first of these that the
    first line contains.  The first line is a header if it contains names and no numbers.  ``#``
    begins a comment; empty lines are skipped.  The text is UTF-8, with or without a byte order
    mark, plain or compressed by gzip.  Decompressed text may have at most 64 MiB, or the number of
    MiB in the environment variable ``LMOO_DECOMPRESSED_MIB``.

    Parameters
    ----------
    path : str
        ``-`` is standard input.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        The file cannot be read, is not text, is too long when decompressed, has no data, or has a
        line whose number of cells differs from that of the first line.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from lmoo.cli.datafile import read_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "decay.csv")
    ...     _ = path.write_text('time,"y (mV)"\n0, 2.5\n1, 0.9  # late\n')
    ...     table = read_table(str(path))
    >>> table.header, table.numbers(1)
    (('time', 'y (mV)'), array([2.5, 0.9]))
    """
    name = "standard input" if path == "-" else path
    name = "".join(char if char.isprintable() else "?" for char in name)
    rows = list(_rows(name, _text(name, _content(name, path))))
    if not rows:
        raise DataError(f"{name} has no data")
    header = _header(rows[0])
    _check_widths(name, rows)
    if header is not None:
        _check_header(name, rows[0].line, header)
        rows = rows[1:]
        if not rows:
            raise DataError(f"{name} has a header and no data")
    return Table(name, header, tuple(rows))


def missing(cell: str) -> bool:
    """Return whether a cell stands for a missing value."""
    return cell.lower() in _MISSING


def is_number(cell: str) -> bool:
    """Return whether a cell is a number, including infinities."""
    return _NUMBER.fullmatch(cell) is not None


def number(cell: str) -> float | None:
    """Return the number in a cell, including infinities; None if it is not a number.

    Examples
    --------
    >>> from lmoo.cli.datafile import number
    >>> number("1.5d3"), number("1_000")
    (1500.0, None)
    """
    # Fortran writes exponents with a D.
    return float(cell.lower().replace("d", "e")) if is_number(cell) else None


def _content(name: str, path: str) -> bytes:
    """Return the bytes of a file, decompressed."""
    if path == "-" and sys.stdin is None:
        raise DataError("cannot read standard input: it is closed")
    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot read {name}: {reason}") from error
    if not content.startswith(b"\x1f\x8b"):
        return content
    limit = _decompressed_limit()
    try:
        # Reading one byte beyond the limit shows whether the text is longer.
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            text = file.read((limit << 20) + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot decompress {name}: {error}") from error
    if len(text) > limit << 20:
        raise DataError(
            f"{name} has more than {limit} MiB of decompressed text; decompress it to a file, or "
            f"set {_LIMIT_VARIABLE} to a larger number of MiB"
        )
    return text


def _decompressed_limit() -> int:
    """Return the limit of decompressed text in MiB."""
    text = os.environ.get(_LIMIT_VARIABLE, "").strip()
    if not text:
        return _DECOMPRESSED_MIB
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0):
        raise DataError(
            f"the environment variable {_LIMIT_VARIABLE} must be a whole number of MiB, 1 or more; "
            f"it is {_cut(text)}"
        )
    return int(text)


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name}, line {line}: the byte {content[error.start]:#04x} is not UTF-8"
        ) from error


def _rows(name: str, text: str) -> Iterator[Row]:
    """Yield the lines that are not empty, split into cells."""
    delimiter = None
    first = True
    # Lines end with "\r\n", "\n" or "\r", as in editors; str.splitlines knows more line ends.
    for number, raw in enumerate(io.StringIO(text, newline=None), start=1):
        line = _COMMENT.sub(lambda match: match.group(1) or "", raw).strip(" \r\n")
        if not line.strip():
            continue
        if first:
            delimiter, first = _delimiter(line), False
        yield Row(number, _cells(f"{name}, line {number}", line, delimiter))


def _delimiter(line: str) -> str | None:
    """Return the delimiter of the cells in a line; None for white space."""
    bare = re.sub(r'"[^"]*"', "", line)
    return next((char for char in "\t;," if char in bare), None)


def _cells(where: str, line: str, delimiter: str | None) -> list[str]:
    """Split a line into cells without quotes and surrounding white space."""
    if delimiter is None:
        return [word.strip('"') for word in _WORD.findall(line)]
    try:
        (cells,) = csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True)
    except csv.Error as error:
        raise DataError(f"{where}: the quotes are wrong: {error}") from error
    return [cell.strip() for cell in cells]


def _header(row: Row) -> tuple[str, ...] | None:
    """Return the names in the first row; None if it contains data."""
    named = any(not is_number(cell) and not missing(cell) for cell in row.cells)
    return tuple(row.cells) if named and not any(map(is_number, row.cells)) else None


def _check_header(name: str, line: int, header: Sequence[str]) -> None:
    seen = set[str]()
    for title in filter(None, header):
        if title in seen:
            raise DataError(f"{name}, line {line}: two columns are called {_cut(title)}")
        seen.add(title)


def _check_widths(name: str, rows: Sequence[Row]) -> None:
    width = len(rows[0].cells)
    for row in rows:
        if len(row.cells) != width:
            raise DataError(
                f"{name}, line {row.line}: found {len(row.cells)} columns where line "
                f"{rows[0].line} has {width}"
            )


def _cut(text: str, length: int = 40) -> str:
    """Return the text for a message: on one line, and cut off if it is long."""
    return repr(text if len(text) <= length else text[:length] + "...")
