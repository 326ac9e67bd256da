"""The table in a text."""

import re
from collections.abc import Sequence
from dataclasses import replace

from lmoo.cli.reading.candidates import Line
from lmoo.cli.reading.layout import Layout
from lmoo.cli.reading.options import FileFormat
from lmoo.cli.reading.sniffing import sniff
from lmoo.cli.reading.table import Table
from lmoo.cli.reading.text import content_lines

_EXCELS_LINE = re.compile(r"sep=(.)", re.IGNORECASE)
# The layout is found from this many lines of the end, and twice as many of the beginning.
_SAMPLE = 1000
# Largest number of characters in these lines; the first few are taken even if they have more.
_CHARACTERS = 2_000_000
_FEWEST = 5
_SEPARATORS = {"\t": "tabs", " ": "white space", ",": "commas", ";": "semicolons", "|": "bars"}


def table_of_text(name: str, text: str, given: FileFormat, notes: Sequence[str] = ()) -> Table:
    r"""Return the table in a text whose lines end with ``\n``.

    Parameters
    ----------
    name : str
        Name of the file, for messages.
    text : str
    given : FileFormat
        What is known of the format.
    notes : sequence of str
        Notes on how the text was read from its file.

    Raises
    ------
    DataError
        The text is no table, or can be read in two ways.

    Examples
    --------
    >>> from lmoo.cli.reading.options import FileFormat
    >>> from lmoo.cli.reading.texttable import table_of_text
    >>> table_of_text("a", "% run 7\n0 1\n1 2", FileFormat()).numbers(1)
    array([1., 2.])
    """
    lines = text.split("\n")
    offset = given.skip or 0
    lines = lines[offset:]
    lines, offset, given = _with_excels_line(lines, offset, given)
    sample, head = _sample(lines, offset)
    layout = sniff(name, sample, given)
    if layout.first > head:
        # A preamble longer than the sample: data may begin between its two parts.
        layout = sniff(name, _numbered(lines, range(len(lines)), offset), given)
    rows, more = content_lines(name, lines, offset, layout, given)
    found = [*notes, *layout.notes, *more]
    return Table(
        name,
        layout.header,
        rows,
        layout.units,
        layout.notation,
        ", ".join([*_separated(layout), *found]),
        not found,
    )


def _with_excels_line(
    lines: list[str], offset: int, given: FileFormat
) -> tuple[list[str], int, FileFormat]:
    """Remove a first line such as ``sep=;``, which tells Excel the separator, and use it."""
    match = _EXCELS_LINE.fullmatch(lines[0].strip(' "')) if lines else None
    if match is None:
        return lines, offset, given
    return lines[1:], offset + 1, replace(given, separator=given.separator or match.group(1))


def _sample(lines: Sequence[str], offset: int) -> tuple[list[Line], int]:
    """Return lines of the beginning and of the end, and the number of the last one before a gap."""
    count = len(lines)
    chosen = _limited(range(count), lines)
    if count <= 3 * _SAMPLE and len(chosen) == count:
        return _numbered(lines, chosen, offset), offset + count
    head = _limited(range(min(count, 2 * _SAMPLE)), lines)
    tail = _limited(range(count - 1, max(head[-1], count - _SAMPLE - 1), -1), lines)
    return _numbered(lines, head + tail[::-1], offset), offset + head[-1] + 1


def _numbered(lines: Sequence[str], indices: Sequence[int], offset: int) -> list[Line]:
    return [Line(offset + index + 1, lines[index]) for index in indices if lines[index].strip()]


def _limited(indices: range, lines: Sequence[str]) -> list[int]:
    """Return the first of the indices, until their lines have too many characters together."""
    out: list[int] = []
    length = 0
    for index in indices:
        length += len(lines[index])
        if length > _CHARACTERS and len(out) >= _FEWEST:
            break
        out.append(index)
    return out


def _separated(layout: Layout) -> list[str]:
    if layout.width == 1:
        return ["one column"]
    return [f"separated by {_SEPARATORS.get(layout.separator, repr(layout.separator))}"]
