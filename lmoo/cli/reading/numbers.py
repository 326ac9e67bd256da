"""Numbers in cells: decimal marks, thousands separators, exponents, missing values."""

import re
from dataclasses import dataclass

_MISSING = frozenset(
    {"", "nan", "+nan", "-nan", "na", "n/a", "#n/a", "null", "none", "--", "-", "?", "...", "n.a."}
    | {"\u2212", "\u2013", "\u2014", "\u2026"}  # a minus, dashes, three points
    | {"1.#qnan", "-1.#qnan", "1.#ind", "-1.#ind", "missing", "nd", "n.d."}
    | {"#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"}
)
# No two parts of the pattern match the same digits, so a match takes linear time.
_NUMBER = re.compile(
    r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([ed][+-]?[0-9]+)?|[+-]?inf(inity)?",
    re.ASCII | re.IGNORECASE,
)
# A number with either decimal mark and thousands separators.
_LOOSE = re.compile(
    "[+-]?([1-9][0-9]{0,2}([,.'\u2019\u00a0\u2009\u202f][0-9]{3})+(\\.[0-9]*|,[0-9]+)?"
    r"|[0-9]+(\.[0-9]*|,[0-9]+)?|[.,][0-9]+)"
    r"([ed][+-]?[0-9]+)?|[+-]?inf(inity)?",
    re.ASCII | re.IGNORECASE,
)
# Separators of thousands that are never decimal marks.
_MARKS = "'\u2019\u00a0\u2009\u202f"
_MARKED = re.compile(rf"[+-]?[0-9]{{1,3}}([{_MARKS}])[0-9]{{3}}(\1[0-9]{{3}})*(?![0-9{_MARKS}])")


# Other forms of characters of numbers: the minus sign, a plus sign, digits and marks of full width.
# Dashes and hyphens before a number may mean something else.
_FORMS = str.maketrans(
    {
        "\u2212": "-",
        **{chr(0xFEE0 + ord(char)): char for char in "+.,0123456789dDeE"},
    }
)
_SUPERSCRIPTS = "\u207a\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
_RAISED = str.maketrans(_SUPERSCRIPTS, "+-0123456789")
# A power of ten.  It needs a mark, a sign or raised digits: 103 is a number.
_POWER = re.compile(
    r"\s?[x*\u00d7\u00b7\u22c5]\s?10"
    rf"(?:\^([+-]?[0-9]+)|([+-][0-9]+)|([{_SUPERSCRIPTS}]+))",
    re.IGNORECASE,
)


def typed(cell: str) -> str:
    """Return a number as it is typed on a keyboard; other texts nearly as they are.

    Examples
    --------
    >>> from lmoo.cli.reading.numbers import typed
    >>> typed("\u22121.5\u00d710\u207b\u00b3"), typed("\u22121e\u22125"), typed("2.5*10^4")
    ('-1.5e-3', '-1e-5', '2.5e4')
    """
    if not cell.isascii():
        cell = cell.translate(_FORMS)
    elif "10" not in cell:
        return cell
    power = _POWER.search(cell)
    if power is None or power.end() != len(cell):
        return cell
    rest = "".join(filter(None, power.groups())).translate(_RAISED)
    return f"{cell[: power.start()]}e{rest}"


def is_number(cell: str) -> bool:
    """Return whether a cell is a number with a decimal point, including infinities."""
    return _NUMBER.fullmatch(cell) is not None


def number(cell: str) -> float | None:
    """Return the number in a cell, including infinities; None if it is not a number.

    Examples
    --------
    >>> from lmoo.cli.reading.numbers import number
    >>> number("1.5d3"), number("1_000")
    (1500.0, None)
    """
    cell = cell if is_number(cell) else typed(cell)
    # Fortran writes exponents with a D.
    return float(cell.lower().replace("d", "e")) if is_number(cell) else None


def looks_numeric(cell: str) -> bool:
    """Return whether a cell is a number in some notation.

    Examples
    --------
    >>> from lmoo.cli.reading.numbers import looks_numeric
    >>> looks_numeric("1.234,5"), looks_numeric("v1.2")
    (True, False)
    """
    return _LOOSE.fullmatch(typed(cell)) is not None


@dataclass(frozen=True)
class Notation:
    """Notation of numbers in a file.

    Attributes
    ----------
    decimal : str
        ``"."`` or ``","``.
    thousands : str
        ``","`` or ``"."`` between groups of three digits, or ``""``.  Apostrophes and narrow spaces
        between such groups are always read, as they have no other meaning.
    missing : frozenset of str
        Further cells, in small letters, that stand for a missing value.

    Examples
    --------
    >>> from lmoo.cli.reading.numbers import Notation
    >>> german = Notation(",", ".")
    >>> german.value("1.234,5"), german.value("1.5"), german.is_missing("--")
    (1234.5, None, True)
    """

    decimal: str = "."
    thousands: str = ""
    missing: frozenset[str] = frozenset()

    def is_missing(self, cell: str) -> bool:
        """Return whether a cell stands for a missing value."""
        lower = cell.lower()
        if lower in _MISSING or lower in self.missing:
            return True
        return bool(self.missing) and self.value(cell) in self.sentinels

    @property
    def tokens(self) -> frozenset[str]:
        """All cells that stand for a missing value, in small letters."""
        return _MISSING | self.missing

    @property
    def sentinels(self) -> set[float]:
        """Numbers among the missing values: -999 is -999.0 too."""
        found = ((self.value(token), number(token)) for token in self.missing)
        values = (value if point is None else point for value, point in found)
        return {value for value in values if value is not None}

    def value(self, cell: str) -> float | None:
        """Return the number in a cell; None if it is not a number."""
        plain = self.plain(cell)
        return None if plain is None else number(plain)

    def plain(self, cell: str) -> str | None:
        """Return the number with a decimal point and without thousands; None if it has neither."""
        # A point among decimal commas is a thousands separator or a mistake.
        if is_number(cell) and (self.decimal == "." or "." not in cell):
            return cell
        cell = typed(cell)
        marked = _MARKED.match(cell)
        if marked is not None:
            whole = marked.group().replace(marked.group(1), "")
            cell = whole + cell[marked.end() :]
        if self.thousands and self.thousands in cell:
            whole, mark, rest = cell.partition(self.decimal)
            if not _grouped(whole, self.thousands):
                return None
            cell = whole.replace(self.thousands, "") + mark + rest
        if self.decimal == ",":
            if "." in cell or cell.endswith(","):
                return None
            cell = cell.replace(",", ".")
        return cell if is_number(cell) else None


def _grouped(whole: str, mark: str) -> bool:
    """Return whether a whole number is written in groups of three digits."""
    first, *groups = whole.lstrip("+-").split(mark)
    if not 1 <= len(first) <= 3 or first.startswith("0"):
        return False
    return all(len(part) == 3 and part.isdecimal() for part in groups)
