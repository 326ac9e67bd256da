"""The form of a data file, as given by options."""

from dataclasses import dataclass
from itertools import pairwise

from lmoo.cli.reading.errors import DataError, cut
from lmoo.cli.reading.numbers import Notation

_SEPARATORS = {
    "tab": "\t",
    "\\t": "\t",
    "comma": ",",
    "semicolon": ";",
    "pipe": "|",
    "bar": "|",
    "space": " ",
    "spaces": " ",
    "white": " ",
}
_DECIMALS = {"comma": ",", "point": ".", "dot": ".", ",": ",", ".": "."}


@dataclass(frozen=True)
class FileFormat:
    r"""The form of a data file, as far as it is given; the rest is found from the file.

    Attributes
    ----------
    separator : str or None
        One character between the cells; a space stands for any white space.
    decimal : str or None
        ``"."`` or ``","``.
    comment : str or None
        The text that begins a comment, anywhere in a line.
    skip : int or None
        Number of lines at the top that are not read.
    encoding : str or None
        Name of an encoding of Python.
    missing : tuple of str
        Cells that stand for a missing value, besides the usual ones, with commas between several.
    sheet : str or None
        Sheet of a workbook, name of a table or data set, or number of a FITS extension.

    Examples
    --------
    >>> from lmoo.cli.reading import FileFormat
    >>> FileFormat.parse(separator="tab", decimal="comma").separator
    '\t'
    """

    separator: str | None = None
    decimal: str | None = None
    comment: str | None = None
    skip: int | None = None
    encoding: str | None = None
    missing: tuple[str, ...] = ()
    sheet: str | None = None

    @classmethod
    def parse(
        cls,
        separator: str | None = None,
        decimal: str | None = None,
        comment: str | None = None,
        skip: str | None = None,
        encoding: str | None = None,
        missing: tuple[str, ...] = (),
        sheet: str | None = None,
    ) -> "FileFormat":
        """Return the format from the texts of options.

        Raises
        ------
        DataError
            A text has none of the values that the option may have.
        """
        return cls(
            None if separator is None else _separator(separator),
            None if decimal is None else _decimal(decimal),
            None if comment is None else _comment(comment),
            None if skip is None else _skip(skip),
            None if encoding is None else _encoding(encoding),
            tuple(text.strip() for text in missing),
            sheet,
        )

    def missing_cells(self, decimal: str) -> frozenset[str]:
        """Return the cells that stand for a missing value, in small letters.

        Parameters
        ----------
        decimal : str
            The decimal mark of the file, which tells what a comma is.

        Raises
        ------
        DataError
            A comma may be a decimal mark, or between two cells.

        Examples
        --------
        >>> from lmoo.cli.reading import FileFormat
        >>> given = FileFormat.parse(missing=("-99,9",))
        >>> sorted(given.missing_cells(",")), sorted(given.missing_cells("."))
        (['-99,9'], ['-99', '9'])
        """
        found: set[str] = set()
        for text in self.missing:
            parts = [part.strip() for part in text.split(",")]
            if decimal == "," and Notation(",").value(text) is not None:
                parts = [text]
            for one, other in pairwise(parts):
                if decimal == "," and Notation(",").value(f"{one},{other}") is not None:
                    raise DataError(
                        f"--missing {cut(text)} may have the number {one},{other}, as this file "
                        "has decimal commas; give --missing once for each value"
                    )
            found.update(part.lower() for part in parts)
        return frozenset(found)


def _separator(text: str) -> str:
    found = _SEPARATORS.get(text.lower(), text)
    if len(found) != 1 or found.isalnum() or found in '\r\n"+-.':
        raise DataError(
            "--sep must be one character, or tab, comma, semicolon, pipe or space; "
            f"it is {cut(text)}"
        )
    return found


def _decimal(text: str) -> str:
    if text.lower() not in _DECIMALS:
        raise DataError(f"--decimal must be point or comma; it is {cut(text)}")
    return _DECIMALS[text.lower()]


def _comment(text: str) -> str:
    if not text.strip() or text[0].isalnum():
        raise DataError(f"--comment must be a character such as %, or //; it is {cut(text)}")
    return text.strip()


def _skip(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise DataError(f"--skip must be a number of lines, 0 or more; it is {cut(text)}")
    return int(text)


def _encoding(text: str) -> str:
    try:
        "".encode(text)
        b"".decode(text)
    except (LookupError, ValueError, TypeError) as error:
        raise DataError(
            f"--encoding must be an encoding such as utf-8, utf-16 or latin-1; it is {cut(text)}"
        ) from error
    return text
