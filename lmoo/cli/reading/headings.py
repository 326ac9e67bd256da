"""Names and units of columns, above the data or in comments."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lmoo.cli.reading.candidates import Candidate, Parsed
from lmoo.cli.reading.errors import DataError, cut
from lmoo.cli.reading.separators import split_loosely
from lmoo.cli.reading.titles import has_row_numbers, is_prose
from lmoo.cli.reading.units import are_units, bare

_WIDE_GAP = re.compile(r"\s{2,}|\t")
_DAMAGED = re.compile(r"[+-]?\.?[0-9]", re.ASCII)


@dataclass(frozen=True)
class Heading:
    """The names and the units of the columns, and the empty cells at the edges of lines.

    `line` is the number of the line of the names; None without names in a line of their own.
    """

    header: tuple[str, ...] | None
    units: tuple[str, ...] | None
    line: int | None
    edges: tuple[int, int]
    notes: tuple[str, ...]


def find_heading(name: str, best: Candidate, start: int) -> Heading:
    """Return the names and the units of the columns.

    Parameters
    ----------
    name : str
        Name of the file, for messages.
    best : Candidate
        The lines, split by the separator.
    start : int
        Index of the first line of data.

    Raises
    ------
    DataError
        The line above the data is neither names nor part of a preamble, or two names are equal.
    """
    above = best.lines[:start]
    numbered = has_row_numbers(best, start)
    edges = (1, 0) if numbered else _edges(best, above)
    names, units, used = _names(name, best, above, edges)
    where = above[-used].number if used else None
    notes = ["without the row numbers in the first column"] if numbered else []
    if names is None:
        names, units, comment = _from_comments(best, start, edges)
        if names is not None:
            where = comment
            notes.append(f"names from the comment in line {comment}")
    elif len(above) > used:
        notes.append(f"names in line {where}")
    if names is not None and where is not None:
        _check_unique(name, where, names)
    if units is not None:
        notes.append(f"units {' '.join(units)}")
    if len(above) > used:
        notes.append(f"data from line {best.lines[start].number}")
    return Heading(names, units, where, edges, tuple(notes))


def _edges(best: Candidate, above: Sequence[Parsed]) -> tuple[int, int]:
    """Return whether lines begin or end with a separator, as 0 or 1 each."""
    if best.separator == " " or best.width < 2:
        return 0, 0
    cells = [row.cells for row in best.rows]
    if above and len(above[-1].cells) == best.width:
        cells.append(above[-1].cells)
    before = best.separator in "|\t" and not any(row[0] for row in cells)
    return int(before), int(not any(row[-1] for row in cells))


def _names(
    name: str, best: Candidate, above: Sequence[Parsed], edges: tuple[int, int]
) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None, int]:
    """Return names, units, and the number of lines above the data that hold them."""
    if not above:
        return None, None, 0
    last = _fitting(best, above[-1], edges)
    if last is None:
        _refuse_other_width(name, best, above)
        return None, None, 0
    cells, plain = last
    if plain:
        # Units below the names, and in files of Origin a line of remarks below these.
        for used in (2, 3):
            units = _fitting(best, above[1 - used], edges) if len(above) >= used else None
            if units is not None and are_units(units[0]):
                higher = _fitting(best, above[-used], edges)
                named = higher is not None and (higher[1] or _may_name(best, above[-used]))
                if higher is not None and named and not are_units(higher[0]):
                    return higher[0], tuple(map(bare, units[0])), used
        return cells, None, 1
    beside = len(above) > 1 and len(above[-2].cells) == best.width
    if beside or not _may_name(best, above[-1]):
        _refuse_row(name, best, above[-1])
    return cells, None, 1


def _fitting(
    best: Candidate, line: Parsed, edges: tuple[int, int]
) -> tuple[tuple[str, ...], bool] | None:
    """Return the cells of a line as one for each column, and whether none of them is data."""
    before, after = edges
    columns = best.width - before - after
    cells, kinds = line.cells, line.kinds
    if len(cells) == best.width:
        stop = len(cells) - after
        return tuple(cells[before:stop]), not set(kinds[before:stop]) & {"N", "T"}
    if len(cells) == columns:
        return tuple(cells), not line.has_data
    raw = best.raw[line.number]
    for other in (split_loosely(raw, best.separator), _WIDE_GAP.split(raw.strip())):
        # A "#" within a name, or blanks within names above columns of white space.
        usable = len(other) == best.width and (best.separator == " " or "#" in raw)
        if usable and not line.has_data:
            return tuple(cell.strip() for cell in other[before : len(other) - after]), True
    return None


def _may_name(best: Candidate, line: Parsed) -> bool:
    """Return whether a line with text and numbers may be names, as ``time, 400, 410``."""
    first = best.numeric.index(True)
    if len(line.cells) != best.width or line.kinds[first] != "X":
        return False
    return not any(
        kind == "X" and _DAMAGED.match(cell)
        for kind, cell in zip(line.kinds, line.cells, strict=True)
    )


def _refuse_other_width(name: str, best: Candidate, above: Sequence[Parsed]) -> None:
    """Raise DataError if the line above the data may be names or data of another width."""
    last = above[-1]
    named = any(len(line.cells) == best.width and not line.has_data for line in above)
    blank = best.separator == " "
    if not named and (is_prose(best, last) if blank else len(last.cells) < 2):
        return
    commas = ""
    if best.separator == "," and best.width == 2 * len(last.cells):
        commas = "; decimal commas need another separator, or quotes"
    below = best.rows[0]
    raise DataError(
        f"{name}, line {last.number}: found {len(last.cells)} columns where line {below.number} "
        f"has {best.width}{commas}; --skip {last.number} leaves out the lines up to here"
    )


def _refuse_row(name: str, best: Candidate, line: Parsed) -> None:
    column = next(
        index
        for index, (kind, numeric) in enumerate(zip(line.kinds, best.numeric, strict=True))
        if numeric and kind == "X"
    )
    raise DataError(
        f"{name}, line {line.number}: column {column + 1} must be a number, as in the lines below; "
        f"it is {cut(line.cells[column])}; --skip {line.number} leaves out the lines up to here"
    )


def _from_comments(
    best: Candidate, start: int, edges: tuple[int, int]
) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None, int | None]:
    """Return names and units in the comments directly above the data, and the line of the names."""
    first = best.lines[start].number
    after = best.lines[start - 1].number if start else 0
    numbers = sorted(number for number in best.comments if after < number < first)
    columns = best.width - sum(edges)
    found = [(number, split_loosely(best.comments[number], best.separator)) for number in numbers]
    texts = [
        (number, tuple(cells))
        for number, cells in found[-2:]
        if len(cells) == columns and all(cell and not _DAMAGED.match(cell) for cell in cells)
    ]
    if not texts or texts[-1][0] != numbers[-1]:
        return None, None, None
    if len(texts) == 2 and are_units(texts[1][1]) and not are_units(texts[0][1]):
        return texts[0][1], tuple(map(bare, texts[1][1])), texts[0][0]
    return texts[-1][1], None, texts[-1][0]


def _check_unique(name: str, line: int, header: Sequence[str]) -> None:
    seen = set[str]()
    for title in filter(None, header):
        if title in seen:
            raise DataError(
                f"{name}, line {line}: two columns are called {cut(title)}; --skip {line} leaves "
                "the names out, and columns are selected by number"
            )
        seen.add(title)
