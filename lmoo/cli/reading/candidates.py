"""Separators that may split a file into cells, and how well each explains it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lmoo.cli.reading.comments import comment_of, is_rule, stripper
from lmoo.cli.reading.errors import DataError, cut
from lmoo.cli.reading.numbers import Notation, looks_numeric
from lmoo.cli.reading.options import FileFormat
from lmoo.cli.reading.separators import SEPARATORS, split_loosely
from lmoo.cli.reading.times import is_time

# Fraction of data cells from which on a character is a separator; what names above them add.
_LEAST_SCORE = 0.4
_BONUS = 0.45


@dataclass(frozen=True)
class Line:
    """A line of the file, and its number from 1."""

    number: int
    text: str


@dataclass(frozen=True)
class Parsed:
    """A line that is no comment, split into cells, with their kinds.

    Kinds are ``N`` (number), ``T`` (time), ``M`` (missing) and ``X`` (other text).
    """

    number: int
    cells: list[str]
    kinds: str

    @property
    def has_data(self) -> bool:
        """Whether a cell is a number or a time."""
        return "N" in self.kinds or "T" in self.kinds


@dataclass
class Candidate:
    """A separator, with the lines of the sample that are split by it."""

    separator: str
    lines: list[Parsed] = field(default_factory=list)
    comments: dict[int, str] = field(default_factory=dict)
    raw: dict[int, str] = field(default_factory=dict)
    width: int = 0
    numeric: tuple[bool, ...] = ()
    run: list[Parsed] = field(default_factory=list)

    @property
    def rows(self) -> list[Parsed]:
        """The lines of the usual width that have data."""
        return [line for line in self.lines if line.has_data and len(line.cells) == self.width]

    @property
    def score(self) -> float:
        """Fraction of cells that are data, over the lines from the first with data on."""
        first = next((k for k, line in enumerate(self.lines) if line.has_data), 0)
        good = sum(sum(kind != "X" for kind in row.kinds) / self.width for row in self.rows)
        return good / max(1, len(self.lines) - first)

    def start(self) -> int | None:
        """Return the index of the first line of data."""
        first = next((k for k, line in enumerate(self.lines) if self.matches(line)), None)
        if first is None or self.lines[first] is self.run[0]:
            return first
        run = self.lines.index(self.run[0])
        above = self.lines[run - 1]
        labels = self._labels()
        # Settings such as "Dimension, 3, 1" above names and rows that are all called "Value".
        settings = labels and all(
            line.cells[column] != label
            for line in self.lines[first : run - 1]
            if self.matches(line)
            for column, label in labels.items()
        )
        named = len(above.cells) == self.width and not above.has_data
        return run if run > first and settings and named else first

    def _labels(self) -> dict[int, str]:
        """Return the texts that all rows of the longest run have in common, by column."""
        return {
            column: cell
            for column, cell in enumerate(self.run[0].cells)
            if not self.numeric[column]
            and cell
            and len(self.run) > 1
            and all(row.cells[column] == cell for row in self.run)
        }

    def matches(self, line: Parsed) -> bool:
        """Return whether a line has data in the columns that have them."""
        if len(line.cells) != self.width or not line.has_data:
            return False
        return all(
            kind != "X" for kind, numeric in zip(line.kinds, self.numeric, strict=True) if numeric
        )


def candidates(
    name: str, sample: Sequence[Line], given: FileFormat, missing: Notation
) -> list[Candidate]:
    """Return the separators that split the sample into cells, the best first.

    Parameters
    ----------
    name : str
        Name of the file, for messages.
    sample : sequence of Line
    given : FileFormat
    missing : Notation
        Knows which cells are missing.

    Raises
    ------
    DataError
        There are no lines, or no line has a number.
    """
    wanted: tuple[str, ...] = SEPARATORS if given.separator is None else (given.separator,)
    if given.separator is None and given.decimal == ",":
        wanted = tuple(separator for separator in wanted if separator != ",")
    found = [_candidate(separator, sample, given, missing) for separator in wanted]
    if not any(candidate.lines for candidate in found):
        raise DataError(f"{name} has no data")
    usable = [candidate for candidate in found if candidate.width]
    if not usable:
        _refuse_text(name, max(found, key=lambda candidate: len(candidate.lines)))
    return sorted(usable, key=_rank, reverse=True)


def _refuse_text(name: str, candidate: Candidate) -> None:
    first = candidate.lines[0]
    if len(candidate.lines) == 1:
        raise DataError(f"{name} has a header and no data")
    raise DataError(
        f"{name} has no line with a number in a column; line {first.number} is "
        f"{cut(' '.join(first.cells))}"
    )


def _rank(candidate: Candidate) -> tuple[float, float]:
    """Return how well a separator explains the sample; names above the data count a little."""
    start = candidate.start()
    named = False
    if start is not None and start > 0:
        above = candidate.lines[start - 1]
        named = len(above.cells) == candidate.width and "X" in above.kinds
    # A number with a decimal comma is one cell of white space too: separators come first.
    separates = candidate.width > 1 and candidate.score >= _LEAST_SCORE
    return float(separates), round(candidate.score + _BONUS * named, 6)


def _candidate(
    separator: str, sample: Sequence[Line], given: FileFormat, missing: Notation
) -> Candidate:
    strip = stripper(given.comment)
    out = Candidate(separator)
    for line in sample:
        comment = comment_of(line.text, separator, given.comment)
        if comment is not None:
            out.comments[line.number] = comment
            continue
        text = strip(line.text).strip(" ")
        if not text.strip() or is_rule(text):
            continue
        cells = split_loosely(text, separator)
        out.raw[line.number] = line.text
        out.lines.append(Parsed(line.number, cells, kinds_of(cells, missing)))
    out.run = run = _longest_run(out.lines)
    if run:
        out.width = len(run[0].cells)
        out.numeric = tuple(
            any(row.kinds[column] in "NT" for row in run) for column in range(out.width)
        )
    return out


def _longest_run(lines: Sequence[Parsed]) -> list[Parsed]:
    """Return the consecutive lines of one form that have the most data; the first of equals.

    Those below a line of names count twice.
    """
    best: list[Parsed] = []
    most = 0
    for first, run in _runs(lines):
        above = lines[first - 1] if first else None
        named = above is not None and len(above.kinds) == len(run[0].kinds) and not above.has_data
        amount = sum(map(_amount, run)) * (2 if named else 1)
        if amount > most:
            best, most = run, amount
    return best


def _runs(lines: Sequence[Parsed]) -> Iterator[tuple[int, list[Parsed]]]:
    """Yield runs of alike lines with data, with the indices of their first lines."""
    run: list[Parsed] = []
    for index, line in enumerate(lines):
        if run and not (line.has_data and _alike(run[-1], line)):
            yield index - len(run), run
            run = []
        if line.has_data:
            run.append(line)
    if run:
        yield len(lines) - len(run), run


def _alike(one: Parsed, other: Parsed) -> bool:
    """Return whether two lines have the same kinds of cells; a missing one is of any kind."""
    return len(one.kinds) == len(other.kinds) and all(
        a == b or "M" in (a, b) for a, b in zip(one.kinds, other.kinds, strict=True)
    )


def _amount(line: Parsed) -> int:
    return sum(kind in "NT" for kind in line.kinds)


def kinds_of(cells: Sequence[str], missing: Notation) -> str:
    """Return the kinds of the cells of a line: see `Parsed`."""
    return "".join(_kind(cell, missing) for cell in cells)


def _kind(cell: str, missing: Notation) -> str:
    if missing.is_missing(cell):
        return "M"
    if looks_numeric(cell):
        return "N"
    return "T" if is_time(cell) else "X"
