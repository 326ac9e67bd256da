"""Write NaN into the cells of lines that stand for a missing value, for numpy's parser."""

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from lmoo.cli.reading.numbers import Notation, is_number

# Classes of bytes: digits, what is in numbers at some places, what is between cells, and others.
_DIGIT, _POINT, _SIGN, _EXPONENT, _SEPARATOR, _LINE, _OTHER = range(7)
_CLASSES = np.full(256, _OTHER, np.uint8)
_CLASSES[list(b"0123456789")] = _DIGIT
_CLASSES[list(b".")] = _POINT
_CLASSES[list(b"+-")] = _SIGN
_CLASSES[list(b"eE")] = _EXPONENT
_CLASSES[list(b"\n")] = _LINE
_BLANKS = list(b" \t\v\f\r")
# Number of bytes that are compared at a time, which stay in the cache of a processor.
_BLOCK = 1 << 17


def with_nan(lines: Sequence[str], separator: str, notation: Notation) -> list[str]:
    """Return the lines with NaN in the cells that stand for a missing value.

    Numbers that stand for one are left: their values are compared after the lines are parsed.

    Parameters
    ----------
    lines : sequence of str
        Lines without quotes, with points as decimal marks.
    separator : str
        A space is any white space.
    notation : Notation

    Examples
    --------
    >>> from lmoo.cli.reading.missingcells import with_nan
    >>> from lmoo.cli.reading.numbers import Notation
    >>> with_nan(["1,2", "1,", "NA,-1e-5"], ",", Notation())
    ['1,2', '1,nan', 'nan,-1e-5']
    """
    given = {
        token
        for token in notation.missing
        if token and not is_number(token) and notation.value(token) is None
    }
    fill = _pattern(notation.tokens, separator).sub
    # A substitution takes some microseconds, so it is made where numbers have other characters.
    # A missing value that looks like a number, such as 1-2, may be anywhere.
    if any(not _suspects([token], separator).size for token in given):
        return [fill("nan", line) for line in lines]
    out = list(lines)
    for k in _suspects(lines, separator).tolist():
        out[k] = fill("nan", out[k])
    return out


def _pattern(tokens: Iterable[str], separator: str) -> re.Pattern[str]:
    """Return a pattern of the cells that are empty or one of the tokens."""
    listed = "|".join(re.escape(token) for token in tokens if token and not is_number(token))
    if separator == " ":
        return re.compile(rf"(?<!\S)(?:{listed})(?!\S)", re.IGNORECASE)
    mark = re.escape(separator)
    return re.compile(
        rf"(?:(?<=^)|(?<={mark}))[^\S{mark}]*(?:{listed})?[^\S{mark}]*(?={mark}|$)",
        re.IGNORECASE,
    )


def _suspects(lines: Sequence[str], separator: str) -> NDArray[np.intp]:
    """Return the indices of the lines with a cell that is empty or no number.

    Some lines of numbers may be among them.
    """
    blank = separator == " "
    classes = _CLASSES.copy()
    classes[_BLANKS if blank else separator.encode()[0]] = _SEPARATOR
    text = "\n".join(["", *lines, ""]).encode("utf-8", "replace")
    dropped = b"" if blank else bytes(set(_BLANKS) - set(separator.encode()))
    kinds = np.frombuffer(text.translate(classes.tobytes(), dropped), np.uint8)
    bad, ends = [], []
    for begin in range(0, kinds.size - 1, _BLOCK):
        left, right = kinds[begin:-1][:_BLOCK], kinds[begin + 1 :][:_BLOCK]
        bad.append(begin + np.flatnonzero(_is_bad(left, right, blank)))
        # A line feed belongs to the line that it ends.
        ends.append(begin + np.flatnonzero(right == _LINE))
    found: NDArray[np.intp] = np.unique(np.searchsorted(np.concatenate(ends), np.concatenate(bad)))
    return found


def _is_bad(left: NDArray[np.uint8], right: NDArray[np.uint8], blank: bool) -> NDArray[np.bool_]:
    """Return where two classes one after the other are in no number, and between no cells."""
    bad: NDArray[np.bool_] = right == _OTHER
    bad |= (left == _SIGN) & (right > _POINT)
    bad |= (left > _POINT) & (right == _EXPONENT)
    bad |= (left == _POINT) & (right == _POINT)
    if not blank:
        bad |= (left >= _SEPARATOR) & (right >= _SEPARATOR)
    return bad
