"""The rows of a text file, parsed by numpy's parser where it can."""

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array, Mask
from lmoo.cli.reading.candidates import kinds_of
from lmoo.cli.reading.comments import MARKS, comment_of, is_rule, stripper
from lmoo.cli.reading.errors import DataError, cut
from lmoo.cli.reading.layout import Layout
from lmoo.cli.reading.missingcells import with_nan
from lmoo.cli.reading.options import FileFormat
from lmoo.cli.reading.rows import Rows
from lmoo.cli.reading.separators import split_blanks, split_line, split_loosely

_MANY_COLUMNS = 100
# Of lines such as ------, and of numbers.
_RULES = "-=_|+*.~"
_LETTER = re.compile(r"[^\W\d_]")
_DIGIT = re.compile(r"[0-9]")
# The first line of a scan in files of SPEC.
_SCAN = re.compile(r"\n(#S [0-9]+ .*)")
# Lines such as END, *END, <<END>>, >>>>>End Spectral Data<<<<<.
_END = re.compile(r"[^\w\s]*\s*end\b", re.IGNORECASE)


class TextRows(Rows):
    """Lines of a text file, and how to split them.

    Parameters
    ----------
    name : str
        Name of the file, for messages.
    lines : sequence of str
        The lines, without comments and blank lines, all with `layout.width` cells.
    numbers : (m,) int array
        Numbers of the lines in the file, from 1.
    layout : Layout
    text : str, optional
        The lines, each with its end.
    """

    _counted = "line"

    def __init__(
        self,
        name: str,
        lines: Sequence[str],
        numbers: NDArray[np.intp],
        layout: Layout,
        text: str | None = None,
    ) -> None:
        super().__init__(numbers)
        self._name = name
        # All lines, each with its end: a search of one text is faster than one of each line.
        self._text = "\n".join([*lines, ""]) if text is None else text
        self._lines = lines
        self._layout = layout
        self._filled: Sequence[str] | None = None
        self._values: dict[int, Array | None] = {}
        self._kept: list[list[str]] | None = None

    @property
    def width(self) -> int:
        """Number of columns."""
        return self._layout.columns

    def values(self, column: int) -> Array | None:
        """Return a column as numbers, with NaN for missing values; None if a cell is neither."""
        if not self._simple:
            return None
        if column not in self._values:
            self._values[column] = self._read([column])
        return self._values[column]

    def prepare(self, columns: Sequence[int]) -> None:
        """Read columns together, in less time than one by one, if all are numbers."""
        wanted = sorted(set(columns).difference(self._values))
        if len(wanted) < 2 or not self._simple:
            return
        found = self._read(wanted)
        if found is not None:
            self._values.update(zip(wanted, np.ascontiguousarray(found.T), strict=True))

    def _read(self, columns: Sequence[int]) -> Array | None:
        """Return columns as numbers, (m,) or (m, k), with NaN; None if a cell is neither."""
        values = None if self._filled is not None else self._parsed(self._plain, columns)
        if values is None:
            if self._filled is None:
                separator, notation = self._layout.separator, self._layout.notation
                self._filled = with_nan(self._plain, separator, notation)
            values = self._parsed(self._filled, columns)
        sentinels = self._layout.notation.sentinels
        if values is not None and sentinels:
            values[np.isin(values, list(sentinels))] = np.nan
        return values

    def cells(self, column: int) -> list[str]:
        """Return the cells of a column as text."""
        index = column + self._layout.edges[0]
        if not self._wide():
            return [cells[index] for cells in self._split()]
        if self._kept is None:
            self._kept = list(self._split())
        return [cells[index] for cells in self._kept]

    def take(self, keep: Mask) -> "TextRows":
        """Return some of the rows."""
        lines = list(compress(self._lines, keep.tolist()))
        out = TextRows(self._name, lines, self._numbers[keep], self._layout)
        known = {key: values for key, values in self._values.items() if values is not None}
        out._values = {key: values[keep] for key, values in known.items()}
        return out

    def _split(self) -> Iterator[list[str]]:
        for number, line in zip(self._numbers, self._lines, strict=True):
            yield split_line(f"{self._name}, line {number}", line, self._layout.separator)

    def _wide(self) -> bool:
        """Return whether there are so many columns that lines must be split once only."""
        return self.width > _MANY_COLUMNS

    @cached_property
    def _simple(self) -> bool:
        """Whether numpy's parser reads the same numbers as `Notation`."""
        notation = self._layout.notation
        if notation.thousands or self._wide():
            return False
        # numpy splits at white space outside ASCII too, which stands between thousands.
        blank = self._layout.separator == " "
        if blank and not self._text.isascii() and not all(map(_splits_alike, self._lines)):
            return False
        # A point among decimal commas would be taken as a decimal point.
        return notation.decimal == "." or "." not in self._text

    @cached_property
    def _plain(self) -> Sequence[str]:
        """The lines with decimal points."""
        if self._layout.notation.decimal == ".":
            return self._lines
        return self._text.replace(",", ".").split("\n")[:-1]

    def _parsed(self, lines: Sequence[str], columns: Sequence[int]) -> Array | None:
        separator = None if self._layout.separator == " " else self._layout.separator
        try:
            found: Array = np.loadtxt(
                lines,
                delimiter=separator,
                usecols=[column + self._layout.edges[0] for column in columns],
                comments=None,
                quotechar='"',
                ndmin=1 if len(columns) == 1 else 2,
            )
        except ValueError:
            return None
        return found


def _splits_alike(line: str) -> bool:
    """Return whether all white space in a line is that of ASCII."""
    return line.isascii() or line.split() == split_blanks(line)


def content_lines(
    name: str, lines: Sequence[str], offset: int, layout: Layout, given: FileFormat
) -> tuple[TextRows, list[str]]:
    """Return the rows of a file, and notes.

    Parameters
    ----------
    name : str
        Name of the file, for messages.
    lines : sequence of str
        All lines of the file that are read.
    offset : int
        Number of lines that precede them in the file.
    layout : Layout
    given : FileFormat

    Raises
    ------
    DataError
        A line has more or fewer cells than the others, or another scan begins.
    """
    begin = layout.first - 1 - offset
    body = lines[begin:]
    text = "\n".join([*body, ""])
    numbers = np.arange(layout.first, layout.first + len(body))
    scan = _SCAN.search(text)
    if scan is not None:
        raise DataError(
            f"{name}, line {layout.first + text.count(chr(10), 0, scan.start(1))}: another scan "
            f"begins, {cut(scan[1])}; copy one scan to a file of its own"
        )
    keep = _data_lines(body, text, layout, given)
    if keep is not None:
        body = [body[k] for k in keep]
        numbers = numbers[keep]
    strip = stripper(given.comment)
    mark = given.comment or "#"
    if mark in text:
        body = [_without_comment(line, strip(line), layout) for line in body]
    body, numbers, notes = _without_footer(body, numbers, layout)
    if keep is not None or mark in text or notes:
        text = "\n".join([*body, ""])
    _check_widths(name, body, text, numbers, layout)
    return TextRows(name, body, numbers, layout, text), notes


def _data_lines(
    body: Sequence[str], text: str, layout: Layout, given: FileFormat
) -> list[int] | None:
    """Return the indices of the lines that are data; None if all are."""
    marks = (given.comment,) if given.comment is not None else MARKS
    first = {mark[0] for mark in marks} | set(_RULES)
    # Numbers begin with these characters too, so each such line is checked.
    drop = [
        k
        for k in _beginning_with(first, text)
        if not (line := body[k])
        or line.isspace()
        or (
            (start := line.lstrip()[0]) in first
            and (
                comment_of(line, layout.separator, given.comment) is not None
                or (start in _RULES and is_rule(line))
            )
        )
    ]
    if not drop:
        return None
    gone = set(drop)
    return [k for k in range(len(body)) if k not in gone]


def _beginning_with(characters: Iterable[str], text: str) -> list[int]:
    """Return the indices of the lines that begin with one of the characters, or may begin so.

    These are lines that are empty, or that begin with white space or beyond ASCII.
    """
    sought = np.zeros(256, bool)
    sought[128:] = True
    sought[list("".join([*characters, string.whitespace]).encode("ascii", "ignore"))] = True
    data, ends = _bytes_and_ends(text)
    begins = np.concatenate([[0], ends[:-1] + 1])
    found: list[int] = np.flatnonzero(sought[data[begins]]).tolist()
    return found


def _bytes_and_ends(text: str) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Return the bytes of lines, each with its end, and the places of the ends."""
    data = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
    return data, np.flatnonzero(data == ord("\n"))


def _without_comment(line: str, stripped: str, layout: Layout) -> str:
    """Return the line without its comment, unless the mark is part of a cell."""
    if stripped == line:
        return line
    stripped = stripped.rstrip(" ")
    if len(split_loosely(stripped, layout.separator)) == layout.width:
        return stripped
    return line if len(split_loosely(line, layout.separator)) == layout.width else stripped


def _without_footer(
    body: Sequence[str], numbers: NDArray[np.intp], layout: Layout
) -> tuple[Sequence[str], NDArray[np.intp], list[str]]:
    """Return the lines without what follows the table: lines that all begin with words.

    The first is one such as ``End of data``, or is below a blank line or a comment, or none has a
    digit.  Another line with a word in the place of a number may be a damaged one, and is kept.
    """
    end = len(body)
    while end > 1 and _begins_with_word(body[end - 1], layout):
        end -= 1
    while end < len(body) and not (
        _END.match(body[end])
        or numbers[end] - numbers[end - 1] > 1
        or all(_is_text(line, layout) for line in body[end:])
    ):
        end += 1
    if end == len(body):
        return body, numbers, []
    return body[:end], numbers[:end], [f"no data from line {numbers[end]}"]


def _begins_with_word(line: str, layout: Layout) -> bool:
    """Return whether a line has a word where the lines of data have their first number."""
    cells = split_loosely(line.strip(" "), layout.separator)
    first = min(layout.numeric.index(True), len(cells) - 1)
    lead = " ".join(cells[: first + 1])
    return _LETTER.search(lead) is not None and kinds_of(cells, layout.notation)[first] == "X"


def _is_text(line: str, layout: Layout) -> bool:
    """Return whether a line is text without a digit, with another number of cells than data."""
    other = len(split_loosely(line.strip(" "), layout.separator)) != layout.width
    return other and _DIGIT.search(line) is None and _LETTER.search(line) is not None


def _check_widths(
    name: str, body: Sequence[str], text: str, numbers: NDArray[np.intp], layout: Layout
) -> None:
    """Raise DataError for the first line with another number of cells."""
    separator, width = layout.separator, layout.width
    quoted = '"' in text
    if not quoted and separator != " " and separator.isascii() and _are_regular(text, layout):
        return
    counts: Iterable[int]
    if quoted:
        counts = (
            len(split_line(f"{name}, line {number}", line.strip(" "), separator))
            for number, line in zip(numbers, body, strict=True)
        )
    elif separator == " ":
        counts = [len(split_blanks(line)) for line in body]
    else:
        counts = [line.count(separator) + 1 for line in body]
    for count, number in zip(counts, numbers, strict=True):
        if count != width:
            raise _other_width(name, int(number), count, layout)


def _are_regular(text: str, layout: Layout) -> bool:
    """Return whether all lines have as many cells, between separators of one byte."""
    data, ends = _bytes_and_ends(text)
    places = np.flatnonzero(data == ord(layout.separator))
    each = layout.width - 1
    if places.size != each * ends.size or not each:
        return not places.size and not each
    rows = places.reshape(-1, each)
    return bool((rows[:, -1] < ends).all() and (rows[1:, 0] > ends[:-1]).all())


def _other_width(name: str, line: int, count: int, layout: Layout) -> DataError:
    named = layout.header_line if layout.columns == layout.width else None
    reference, width = named or layout.first, layout.width
    return DataError(
        f"{name}, line {line}: found {count} columns where line {reference} has {width}; a file "
        "must have one table: put # before lines that are no part of it"
    )
