"""Find the layout of a text file from a sample of its lines."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from lmoo.cli.reading.candidates import Candidate, Line, candidates
from lmoo.cli.reading.decimals import find_notation
from lmoo.cli.reading.errors import DataError, cut
from lmoo.cli.reading.headings import find_heading
from lmoo.cli.reading.layout import Layout
from lmoo.cli.reading.numbers import Notation
from lmoo.cli.reading.options import FileFormat

# Lines that identify formats in which a line has several values of one column.
_RUNNING = (
    (
        re.compile(r"\s*##(XYDATA|NTUPLES|DATA TABLE)\s*=.*\(X\+\+|\s*##NTUPLES", re.I),
        "JCAMP-DX with ordinates alone, (X++(Y..Y))",
    ),
    (re.compile(r"\*COUNT\s*=|_COUNTS\s*$"), "a list of counts"),
    (re.compile(r"BANK\s+\d+.*\b(STD|ESD|ALT)\s*$"), "data of GSAS in its form STD, ESD or ALT"),
)
_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
_ZERO_FIRST = re.compile(r"0[0-9]+", re.ASCII)
_THREE = re.compile(r"[0-9]{3}", re.ASCII)


def sniff(name: str, sample: Sequence[Line], given: FileFormat) -> Layout:
    """Return the layout of a file.

    The separator is the one by which most cells of the lines with data are numbers or times.  Data
    begin with the first line that has numbers in the columns in which the longest run of similar
    lines has them.  A file that can be read in two ways is refused.

    Parameters
    ----------
    name : str
        Name of the file, for messages.
    sample : sequence of Line
        Lines of the beginning and of the end.
    given : FileFormat
        What is known.

    Raises
    ------
    DataError
        There are no data, or the file can be read in two ways.

    Examples
    --------
    >>> from lmoo.cli.reading.candidates import Line
    >>> from lmoo.cli.reading.options import FileFormat
    >>> from lmoo.cli.reading.sniffing import sniff
    >>> lines = [Line(1, "Run 7"), Line(2, "t;U"), Line(3, "s;V"), Line(4, "0;1,5")]
    >>> found = sniff("a.csv", lines, FileFormat())
    >>> found.separator, found.notation.decimal, found.header, found.units, found.first
    (';', ',', ('t', 'U'), ('s', 'V'), 4)
    """
    for line in sample:
        for form, what in _RUNNING:
            if form.match(line.text):
                raise DataError(
                    f"{name}, line {line.number}: {what}, one value after the other in each line, "
                    "is no table of columns; export points, x and y in each line, or CSV"
                )
    missing = given.missing_cells(given.decimal or ".")
    found = candidates(name, sample, given, Notation(given.decimal or ".", missing=missing))
    best = found[0]
    start = best.start()
    assert start is not None
    heading = find_heading(name, best, start)
    if given.separator is None and given.decimal is None and heading.header is None:
        _check_whole_numbers(name, best, start)
    if given.skip is None and heading.header is None:
        _check_numeric_header(name, best, start)
    notation = _notation(name, best, start, given, missing)
    if given.decimal is None:
        notation = replace(notation, missing=given.missing_cells(notation.decimal))
    return Layout(
        best.separator,
        notation,
        best.width,
        heading.edges,
        best.lines[start].number,
        best.numeric,
        heading.header,
        heading.units,
        heading.line,
        _notes(notation, heading.notes),
    )


def _notation(
    name: str, best: Candidate, start: int, given: FileFormat, missing: frozenset[str]
) -> Notation:
    cells = [
        (line.number, cell)
        for line in best.lines[start:]
        if len(line.cells) == best.width
        for cell, numeric in zip(line.cells, best.numeric, strict=True)
        if numeric
    ]
    if given.decimal is None:
        return find_notation(name, cells, missing)
    other = "." if given.decimal == "," else ","
    groups = any(other in cell for _, cell in cells)
    return Notation(given.decimal, other if groups else "", missing)


def _check_whole_numbers(name: str, best: Candidate, start: int) -> None:
    """Raise DataError if whole numbers between commas may be numbers with decimal commas."""
    rows = [line for line in best.lines[start:] if len(line.cells) == best.width]
    cells = [row.cells for row in rows]
    if best.separator != "," or not all(_WHOLE.fullmatch(c) for row in cells for c in row if c):
        return
    zeros = next((row for row in rows if any(map(_ZERO_FIRST.fullmatch, row.cells[1:]))), None)
    groups = best.width == 2 and all(_THREE.fullmatch(row[1]) for row in cells)
    # One name, or a title, above two whole numbers or one with a decimal comma.
    single = start > 0 and len(best.lines[start - 1].cells) == 1 and best.width == 2
    if zeros is None and not groups and not single:
        return
    row = rows[0] if zeros is None else zeros
    raise DataError(
        f"{name}, line {row.number}: {cut(','.join(row.cells))} may be {best.width} columns of "
        "whole numbers, or numbers with decimal commas or with commas between thousands; --sep "
        "comma says that they are columns, --decimal comma or --decimal point together with --sep "
        "what they are otherwise"
    )


def _check_numeric_header(name: str, best: Candidate, start: int) -> None:
    """Raise DataError if the first line counts the columns and the others have fractions."""
    first, *rest = [line for line in best.lines[start:] if len(line.cells) == best.width]
    if best.width < 3 or not rest or not all(map(_WHOLE.fullmatch, first.cells)):
        return
    values = [int(cell) for cell in first.cells]
    step = values[1] - values[0]
    even = step > 0 and all(b - a == step for a, b in pairwise(values))
    fractions = all(any(not _WHOLE.fullmatch(cell) for cell in row.cells[1:]) for row in rest)
    if even and fractions:
        raise DataError(
            f"{name}, line {first.number}: {cut(' '.join(first.cells))} may be data or the names "
            f"of columns; --skip {first.number} leaves it out, --skip {first.number - 1} reads it"
        )


def _notes(notation: Notation, heading: Sequence[str]) -> tuple[str, ...]:
    out = ["decimal commas"] if notation.decimal == "," else []
    if notation.thousands:
        out.append(f"thousands separated by {notation.thousands!r}")
    return (*out, *heading)
