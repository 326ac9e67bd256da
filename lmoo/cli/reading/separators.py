"""Split lines into cells."""

import csv
import re
from collections.abc import Callable

from lmoo.cli.reading.errors import DataError

# In the order of preference among those that explain a file equally well.
SEPARATORS = ("\t", ";", "|", ",", " ")

# ASCII white space only: others, such as a no-break space, stand between thousands.
_WORD = re.compile(r'"[^"]*"|\S+', re.ASCII)
_PLAIN_WORD = re.compile(r"\S+", re.ASCII)


def split_blanks(line: str) -> list[str]:
    r"""Split a line without quotes at the white space of ASCII.

    Examples
    --------
    >>> from lmoo.cli.reading.separators import split_blanks
    >>> split_blanks("1\u00a0234 \t5")
    ['1\xa0234', '5']
    """
    if line.isascii():
        return line.split()
    words = (word.strip() for word in _PLAIN_WORD.findall(line))
    return [word for word in words if word]


def splitter(separator: str) -> Callable[[str], list[str]]:
    """Return the function that splits lines without quotes; a space is any white space of ASCII."""
    if separator == " ":
        return split_blanks
    return lambda line: [cell.strip() for cell in line.split(separator)]


def split_line(where: str, line: str, separator: str) -> list[str]:
    """Split a line into cells without quotes and surrounding white space.

    Raises
    ------
    DataError
        The quotes are wrong.

    Examples
    --------
    >>> from lmoo.cli.reading.separators import split_line
    >>> split_line("a.csv, line 1", ' t , "y, raw"', ",")
    ['t', 'y, raw']
    """
    if '"' not in line:
        return splitter(separator)(line)
    if separator == " ":
        return [word.strip().strip('"') for word in _WORD.findall(line)]
    # Blanks between a cell and its quote.
    line = line.strip() if separator != "\t" else line.strip(" ")
    try:
        (cells,) = csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True)
    except csv.Error as error:
        raise DataError(f"{where}: the quotes are wrong: {error}") from error
    return [cell.strip() for cell in cells]


def split_loosely(line: str, separator: str) -> list[str]:
    """Split a line into cells, whether its quotes are right or not."""
    try:
        return split_line("", line, separator)
    except DataError:
        return splitter(separator)(line)
