"""The table in a text."""

from collections.abc import Sequence

from lmoo.cli.reading.candidates import Line
from lmoo.cli.reading.layout import Layout
from lmoo.cli.reading.options import FileFormat
from lmoo.cli.reading.sniffing import sniff
from lmoo.cli.reading.table import Table
from lmoo.cli.reading.text import content_lines

__all__ = ["table_of_text"]

# Lines of the beginning and of the end that show the layout.
_SAMPLE = 1000
# Their characters, and the lines that are looked at though they have more.
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
        What has been found already.

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
    layout = sniff(name, _sample(lines, offset), given)
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


def _sample(lines: Sequence[str], offset: int) -> list[Line]:
    """Return lines of the beginning and of the end, with their numbers."""
    count = len(lines)
    if count <= 3 * _SAMPLE:
        chosen = _limited(range(count), lines)
    else:
        chosen = _limited(range(2 * _SAMPLE), lines)
        chosen += sorted(_limited(range(count - 1, count - _SAMPLE, -1), lines))
    return [Line(offset + index + 1, lines[index]) for index in chosen if lines[index].strip()]


def _limited(indices: range, lines: Sequence[str]) -> list[int]:
    """Return the first of the indices whose lines have a limited length together."""
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
