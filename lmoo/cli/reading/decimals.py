"""The decimal mark of a file, from its numbers."""

import re
from collections.abc import Iterable

from lmoo.cli.reading.errors import DataError
from lmoo.cli.reading.numbers import Notation, looks_numeric, typed

_EXPONENT = re.compile(r"[ed][+-]?[0-9]+$", re.IGNORECASE)
_CONTRADICTIONS = (
    (("decimal", ","), ("decimal", ".")),
    (("decimal", ","), ("thousands", ",")),
    (("thousands", "."), ("decimal", ".")),
    (("thousands", "."), ("thousands", ",")),
)


def find_notation(
    where: str, cells: Iterable[tuple[int, str]], missing: frozenset[str]
) -> Notation:
    """Return how numbers are written, from all cells that are numbers.

    A number such as ``1,234`` may be 1.234 or 1234; others show which: ``0,5`` and ``12,34`` have
    decimal commas, ``1,234,567`` and ``1,234.5`` have thousands commas, and so has a file that
    writes ``0.5``.

    Parameters
    ----------
    where : str
        Name of the file, for messages.
    cells : iterable of (int, str)
        Numbers of lines and cells.
    missing : frozenset of str
        Passed to the notation.

    Raises
    ------
    DataError
        Nothing decides between decimals and thousands, or the file mixes both decimal marks.

    Examples
    --------
    >>> from lmoo.cli.reading.decimals import find_notation
    >>> find_notation("a.csv", [(1, "1,234"), (2, "0,5")], frozenset()).decimal
    ','
    >>> find_notation("a.csv", [(1, "1,234")], frozenset())  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    lmoo.cli.reading.errors.DataError: a.csv, line 1: '1,234' may be 1.234 or 1234; ...
    """
    # The first line and cell that show each mark in each use.
    seen: dict[tuple[str, str], tuple[int, str]] = {}
    for line, cell in cells:
        if ("," in cell or "." in cell) and looks_numeric(cell):
            for use in _uses(_EXPONENT.sub("", typed(cell).lstrip("+-"))):
                seen.setdefault(use, (line, cell))
    comma, point = ("decimal", ",") in seen, ("decimal", ".") in seen
    for first, second in _CONTRADICTIONS:
        if first in seen and second in seen:
            (one, a), (two, b) = seen[first], seen[second]
            raise DataError(
                f"{where} mixes decimal commas and points: {a!r} in line {one}, {b!r} in line {two}"
            )
    thousands = ("thousands", ",") in seen, ("thousands", ".") in seen
    if comma or thousands[1]:
        return Notation(",", "." if thousands[1] else "", missing)
    if not point and not thousands[0] and ("either", ",") in seen:
        line, cell = seen["either", ","]
        raise DataError(
            f"{where}, line {line}: {cell!r} may be {cell.replace(',', '.')} or "
            f"{cell.replace(',', '')}; --decimal comma or --decimal point says which"
        )
    commas = thousands[0] or ("either", ",") in seen
    return Notation(".", "," if commas else "", missing)


def _uses(text: str) -> list[tuple[str, str]]:
    """Return the uses of the marks in a number: decimal, thousands, or either of them."""
    commas, points = text.count(","), text.count(".")
    if commas and points:
        last = "," if text.rfind(",") > text.rfind(".") else "."
        other = "." if last == "," else ","
        return [("decimal", last), ("thousands", other)]
    mark, count = (",", commas) if commas else (".", points)
    if count > 1:
        return [("thousands", mark)]
    whole, _, rest = text.partition(mark)
    if mark == ".":
        # English and programs write 1.234 for a fraction; thousands with points are never alone.
        return [("decimal", ".")] if len(rest) != 3 or not _may_be_group(whole) else []
    alike = len(rest) == 3 and _may_be_group(whole)
    return [("either" if alike else "decimal", mark)]


def _may_be_group(whole: str) -> bool:
    return 1 <= len(whole) <= 3 and whole.isdecimal() and not whole.startswith("0")
