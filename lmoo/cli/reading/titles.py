"""Lines above the data of white space that have another number of words: prose or lost names."""

import re

from lmoo.cli.reading.candidates import Candidate, Parsed

_QUOTED = re.compile(r'\s*("[^"]*"\s*)+')
_BRACKETS = re.compile(r"\(.*\)|\[.*\]")
_COMMAS = re.compile("[,;|]")
# Words that do not occur as names of columns, unlike "a", "in" and "no".
_WORDS = re.compile(
    "of|the|from|with|by|for|to|and|on|is|was|were|this|von|der|mit|und", re.IGNORECASE
)
_ENDS = (".", "!", "?")
# The number of letters up to which words are taken for names, such as "t", "y1" and "err".
_SHORT = 3


def has_row_numbers(best: Candidate, start: int) -> bool:
    """Return whether the first column has the row numbers of R, which are below no name.

    R's ``write.table`` writes names in quotes, and none above the row numbers.

    Parameters
    ----------
    best : Candidate
        The lines, split by the separator.
    start : int
        Index of the first line of data.
    """
    if best.separator != " " or not start or not best.numeric[0]:
        return False
    above = best.lines[start - 1]
    if len(above.cells) != best.width - 1 or above.has_data or not _is_quoted(best, above):
        return False
    expected, before = 1, best.lines[start].number - 1
    for line in best.lines[start:]:
        if len(line.cells) != best.width:
            continue
        cell = line.cells[0]
        # The sample leaves out lines in the middle of a long file.
        skipped = line.number - before - 1
        if not (cell.isdecimal() and expected <= int(cell) <= expected + skipped):
            return False
        expected, before = int(cell) + 1, line.number
    return True


def is_prose(best: Candidate, line: Parsed) -> bool:
    """Return whether a line whose words are more or fewer than the columns is prose, not names.

    A line that may contain names is not prose, because their loss would go unnoticed.
    """
    cells = line.cells
    if _is_quoted(best, line):
        return False
    alike = abs(len(cells) - best.width) == 1
    if line.has_data:
        # Such as "time 400 410".
        return not (alike and len(cells) > 2 and line.kinds == "X" + "N" * (len(cells) - 1))
    if len(cells) == 1:
        parts = len(_COMMAS.split(cells[0].strip(",;|")))
        return len(cells[0]) >= _SHORT and (parts == 1 or parts != best.width)
    sentence = cells[0][:1].isupper() and cells[-1].endswith(_ENDS)
    labelled = any(cell.endswith(":") or "=" in cell for cell in cells)
    if sentence or labelled or any(_WORDS.fullmatch(cell) for cell in cells):
        return True
    units = sum(_BRACKETS.fullmatch(cell) is not None for cell in cells)
    alike = alike or len(cells) - units == best.width
    return not alike and any(len(cell) > _SHORT for cell in cells)


def _is_quoted(best: Candidate, line: Parsed) -> bool:
    return _QUOTED.fullmatch(best.raw[line.number]) is not None
