"""Comments, blank lines and rules in text files."""

import re
from collections.abc import Callable

# Marks of comments at the start of a line.  "#" begins one anywhere.
MARKS = ("#", "%", "!", ";", "//")

# Codes of spreadsheets, and of numbers that C libraries write as 1.#QNAN: cells, not comments.
_CODES = r"#(?:N/A|DIV/0!|VALUE!|REF!|NAME\?|NUM!|NULL!|[QS]NAN|IND|INF)"
_CODE = re.compile(_CODES, re.IGNORECASE)
_HASH = re.compile(rf"""("[^"]*"?|{_CODES})|#.*""", re.IGNORECASE)
# The lines between the rows of a table in Markdown or of a terminal.
_RULE = re.compile(r"[\s|+:]*[-=_]{3,}[-=_\s|+:]*|[*.~]{3,}")


def comment_of(line: str, separator: str, given: str | None) -> str | None:
    """Return the text of a line that is a comment, without its mark; None for other lines.

    Parameters
    ----------
    line : str
    separator : str
        A line of data may begin with it, so it is no mark.
    given : str or None
        The mark that the user gives; None stands for the usual ones.

    Examples
    --------
    >>> from lmoo.cli.reading.comments import comment_of
    >>> comment_of(" % t y", " ", None), comment_of(";1", ";", None)
    ('t y', None)
    """
    start = line.lstrip()
    for mark in (given,) if given is not None else MARKS:
        if mark != separator and start.startswith(mark) and not _CODE.match(start):
            return start.lstrip(mark[0]).strip()
    return None


def stripper(given: str | None) -> Callable[[str], str]:
    """Return the function that removes comments at the end of a line."""
    pattern = _HASH if given is None else re.compile(rf'("[^"]*"?)|{re.escape(given)}.*')
    return lambda line: pattern.sub(lambda match: match.group(1) or "", line)


def is_rule(line: str) -> bool:
    """Return whether a line is a rule of a drawn table.

    Examples
    --------
    >>> from lmoo.cli.reading.comments import is_rule
    >>> is_rule("|----|:---|"), is_rule("-1 -2")
    (True, False)
    """
    return _RULE.fullmatch(line) is not None
