"""The layout of a text file: separator, names, units, and the first line of data."""

from dataclasses import dataclass

from lmoo.cli.reading.numbers import Notation


@dataclass(frozen=True)
class Layout:
    """Layout of a text file.

    Attributes
    ----------
    separator : str
        A space is any white space of ASCII.
    notation : Notation
    width : int
        Number of cells in a line of data, with those of `edges`.
    edges : (int, int)
        Numbers of cells before the first column and after the last one, 0 or 1: empty ones, and row
        numbers without a name.
    first : int
        Number of the first line of data.
    numeric : tuple of bool
        Which cells of a line of data are numbers or times.
    header, units : tuple of str or None
    header_line : int or None
        Number of the line of the names.
    notes : tuple of str
        What is not as in a plain table, for the user to check.
    """

    separator: str
    notation: Notation
    width: int
    edges: tuple[int, int]
    first: int
    numeric: tuple[bool, ...]
    header: tuple[str, ...] | None = None
    units: tuple[str, ...] | None = None
    header_line: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> int:
        """Number of columns."""
        return self.width - sum(self.edges)
