"""A graph as text that `lmoo.Expression` reads."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from lmoo.models.graph.nodes import Step

LONGEST_TEXT = 10_000

# Precedence of the operators, as in the parser; 6 for text that needs no parentheses.
_COMPARISON, _SUM, _PRODUCT, _SIGN, _POWER, _CLOSED = range(1, 7)

_OPERATORS = {
    "less": ("<", _COMPARISON),
    "less_equal": ("<=", _COMPARISON),
    "greater": (">", _COMPARISON),
    "greater_equal": (">=", _COMPARISON),
    "equal": ("==", _COMPARISON),
    "not_equal": ("!=", _COMPARISON),
    "add": ("+", _SUM),
    "subtract": ("-", _SUM),
    "multiply": ("*", _PRODUCT),
    "divide": ("/", _PRODUCT),
    "power": ("**", _POWER),
}
_SPACED = (_COMPARISON, _SUM)
# Functions with another name in the language of expressions.
_CALLED = {"absolute": "abs", "gammaln": "lgamma"}


class Piece(NamedTuple):
    """A part of the text, its precedence, and whether it begins with a number."""

    text: str
    binding: int
    numeric: bool = False

    def within(self, least: int) -> "Piece":
        """Return the operand of an operator, in parentheses if its precedence is below `least`."""
        return self if self.binding >= least else Piece(f"({self.text})", _CLOSED)


def written(steps: Sequence[Step], variables: Sequence[str], parameters: Sequence[str]) -> str:
    """Return the last step as text; common parts are written wherever they stand.

    Where that would be longer than `LONGEST_TEXT`, each common part has a line of its own, which
    is for people to read alone.

    Parameters
    ----------
    steps : sequence of Step
        The last one must depend on all of them.
    variables, parameters : sequence of str
        Names.

    Examples
    --------
    >>> import lmoo
    >>> from lmoo.models.graph.text import written
    >>> written(lmoo.Expression("(2*a)*exp(-(b*t))").steps, ["t"], ["a", "b"])
    '2*a*exp(-b*t)'
    """
    names = {"variable": variables, "parameter": parameters}
    if _length(steps) <= LONGEST_TEXT:
        return _pieces(steps, names, {})[-1].text
    return _lines(steps, names)


def _length(steps: Sequence[Step]) -> int:
    """Return the approximate length of the text."""
    lengths: list[int] = []
    for operation, arguments, _ in steps:
        lengths.append(len(operation) + sum(lengths[i] for i in arguments))
    return lengths[-1]


def _lines(steps: Sequence[Step], names: dict[str, Sequence[str]]) -> str:
    """Return a line for each step that is used more than once, and one for the last step."""
    uses = [0] * len(steps)
    for _, arguments, _ in steps:
        for i in arguments:
            uses[i] += 1
    shared = {
        node: f"_{count}"
        for count, node in enumerate(
            node for node, step in enumerate(steps) if uses[node] > 1 and step[1]
        )
    }
    pieces = _pieces(steps, names, shared)
    lines = [f"{name} = {pieces[node].text}" for node, name in shared.items()]
    return "\n".join([*lines, pieces[-1].text])


def _pieces(
    steps: Sequence[Step], names: dict[str, Sequence[str]], shared: dict[int, str]
) -> list[Piece]:
    """Return the text of each step; shared steps are written as names."""
    constants = _constants(names)
    pieces: list[Piece] = []
    for operation, arguments, value in steps:
        if operation == "constant":
            pieces.append(_number(float(value), constants))  # type: ignore[arg-type]
        elif operation in names:
            pieces.append(Piece(names[operation][value], _CLOSED))  # type: ignore[index]
        else:
            parts = [Piece(shared[i], _CLOSED) if i in shared else pieces[i] for i in arguments]
            pieces.append(_applied(operation, parts))
    return pieces


def _constants(names: dict[str, Sequence[str]]) -> dict[float, str]:
    """Return the constants whose names are not used otherwise."""
    taken = {*names["variable"], *names["parameter"]}
    known = {math.pi: "pi", math.e: "e"}
    return {value: name for value, name in known.items() if name not in taken}


def _number(value: float, constants: dict[float, str]) -> Piece:
    if math.isnan(value):
        return Piece("0/0", _PRODUCT, True)
    size = abs(value)
    # 2 for 2.0; infinity has no literal.
    text = "1/0" if math.isinf(value) else constants.get(size) or repr(size).removesuffix(".0")
    binding = _PRODUCT if math.isinf(value) else _CLOSED
    if math.copysign(1.0, value) < 0:
        return Piece(f"-{text}", min(binding, _SIGN), True)
    return Piece(text, binding, True)


def _applied(operation: str, parts: Sequence[Piece]) -> Piece:
    if operation == "negative":
        # -a*b is read as the negative of a*b, but -2*a as the product of -2 and a.
        inner = parts[0].within(_SIGN if parts[0].numeric else _PRODUCT)
        return Piece(f"-{inner.text}", min(inner.binding, _SIGN))
    if operation == "square":
        return Piece(parts[0].within(_CLOSED).text + "**2", _POWER, parts[0].numeric)
    if operation == "reciprocal":
        return Piece("1/" + parts[0].within(_PRODUCT + 1).text, _PRODUCT, True)
    if operation in _OPERATORS:
        return _joined(*_OPERATORS[operation], *parts)
    arguments = ", ".join(part.text for part in parts)
    return Piece(f"{_CALLED.get(operation, operation)}({arguments})", _CLOSED)


def _joined(sign: str, binding: int, a: Piece, b: Piece) -> Piece:
    # An operand of the same precedence needs no parentheses to the right of a power, and to the
    # left of other operators except comparisons.
    left = a.within(binding + 1 if binding in (_COMPARISON, _POWER) else binding)
    right = b.within(_SIGN if binding == _POWER else binding + 1)
    space = " " if binding in _SPACED else ""
    return Piece(f"{left.text}{space}{sign}{space}{right.text}", binding, left.numeric)
