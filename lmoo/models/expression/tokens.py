"""Tokens of an expression."""

import itertools
import keyword
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from lmoo.models.expression.errors import ExpressionError

# Longer than any model that a person writes; it limits the time of parsing.
LONGEST = 10_000

Kind = Literal["number", "name", "operator", "end"]

_PATTERNS = re.compile(
    r"""
    (?P<space>\s+)
    | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+\u2212]?[0-9]+)?)
    | (?P<name>[^\W\d]\w*(?:\[[0-9]+\])?)
    | (?P<operator>\*\*|<=|>=|==|!=|[-+*/^()<>,\u2212\u00d7\u22c5])
    """,
    re.VERBOSE,
)

# The minus sign and times signs of word processors.
_TYPED = str.maketrans("\u2212\u00d7\u22c5", "-**")
_HINTS = {
    "[": "there are no subscripts",
    "]": "there are no subscripts",
    ".": "there are no attributes: write exp for np.exp",
    "'": "there are no strings",
    '"': "there are no strings",
    "=": "write the right-hand side alone; a comparison is written ==",
    "&": "write (a < t) * (t < b)",
    "|": "write maximum(a < t, t < b)",
    "%": "write mod(a, b)",
}


class Token(NamedTuple):
    """A number, a name, an operator or the end, and the index of its first character."""

    kind: Kind
    text: str
    place: int


def tokens(text: str, numbered: bool = False) -> Iterator[Token]:
    """Yield the tokens of an expression, the last one of the kind "end".

    numbered: whether names may have a number behind them, as "a[0]" in a `JointProblem`

    Raises
    ------
    ExpressionError
        A character does not begin a token; a name is a keyword of Python or has two underscores in
        a row; the text has more than `LONGEST` characters.
    """
    if len(text) > LONGEST:
        raise ExpressionError(
            text, LONGEST, f"the expression has {len(text)} characters, more than {LONGEST}"
        )
    place = 0
    while place < len(text):
        match = _PATTERNS.match(text, place)
        if match is None:
            raise _unexpected(text, place)
        if match.lastgroup == "name":
            name, bracket, _ = match.group().partition("[")
            _check_name(text, place, name)
            if bracket and not numbered:
                raise _unexpected(text, place + len(name))
        if match.lastgroup != "space":
            found = match.group().translate(_TYPED)
            yield Token(match.lastgroup, found, place)  # type: ignore[arg-type]
        place = match.end()
    yield Token("end", "", len(text))


def _unexpected(text: str, place: int) -> ExpressionError:
    """Return the error for a character that begins no token."""
    char = text[place]
    return ExpressionError(text, place, f"unexpected {char!r}", _HINTS.get(char, ""))


def _check_name(text: str, place: int, name: str) -> None:
    """Raise ExpressionError for a name that cannot be an argument of a Python function."""
    if keyword.iskeyword(name):
        raise ExpressionError(
            text, place, f"{name!r} is a keyword of Python and cannot be a name", f"write {name}_"
        )
    if "__" in name:
        raise ExpressionError(text, place, f"the name {name!r} has two underscores in a row")
    if not name.isidentifier():
        raise ExpressionError(text, place, f"{name!r} is not a valid name")


def is_name(text: str) -> bool:
    """Return whether a text can be the name of a parameter or a variable.

    Examples
    --------
    >>> from lmoo.models.expression.tokens import is_name
    >>> [is_name(text) for text in ("tau_1", "lambda", "a__b", "1a")]
    [True, False, False, False]
    """
    return text.isidentifier() and not keyword.iskeyword(text) and "__" not in text


def names(text: str) -> tuple[str, ...]:
    """Return the names of an expression that are not called, in the order of their appearance.

    Examples
    --------
    >>> from lmoo.models.expression.tokens import names
    >>> names("a*exp(-b*t) + a")
    ('a', 'b', 't')
    """
    found = list(tokens(text))
    free = [
        token.text
        for token, following in itertools.pairwise(found)
        if token.kind == "name" and following.text != "("
    ]
    return tuple(dict.fromkeys(free))
