"""A graph as LaTeX."""

import math
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from lmoo.models.graph.nodes import Step

# Precedence of the operators; fractions, roots and functions need no parentheses.
_COMPARISON, _SUM, _PRODUCT, _SIGN, _POWER, _CLOSED = range(1, 7)

_GREEK = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "mu",
        "nu",
        "xi",
        "pi",
        "rho",
        "sigma",
        "tau",
        "upsilon",
        "phi",
        "chi",
        "psi",
        "omega",
        "Gamma",
        "Delta",
        "Theta",
        "Lambda",
        "Xi",
        "Pi",
        "Sigma",
        "Upsilon",
        "Phi",
        "Psi",
        "Omega",
    ]
) | {"lambda"}
_SIGNS = {
    "less": "<",
    "less_equal": r"\le",
    "greater": ">",
    "greater_equal": r"\ge",
    "equal": "=",
    "not_equal": r"\ne",
}
_FUNCTIONS = {
    **{name: rf"\{name}" for name in ("log", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{f"arc{name}": rf"\arc{name}" for name in ("sin", "cos", "tan")},
    "log": r"\ln",
    "log2": r"\log_{2}",
    "log10": r"\log_{10}",
    "gamma": r"\Gamma",
    "gammaln": r"\ln\Gamma",
    "digamma": r"\psi",
    "trigamma": r"\psi'",
    "i0": "I_{0}",
    "i1": "I_{1}",
    "j0": "J_{0}",
    "j1": "J_{1}",
    "minimum": r"\min",
    "maximum": r"\max",
    "heaviside": "H",
}


class _Piece(NamedTuple):
    text: str
    binding: int

    def within(self, least: int) -> str:
        """Return the text of an operand, in parentheses if its precedence is below `least`."""
        return self.text if self.binding >= least else rf"\left({self.text}\right)"


def latex(steps: Sequence[Step], variables: Sequence[str], parameters: Sequence[str]) -> str:
    r"""Return the last step as LaTeX, for the mathematical mode.

    Parameters
    ----------
    steps : sequence of Step
        The last one must depend on all of them.
    variables, parameters : sequence of str
        Names.  The names of Greek letters become letters; the part behind an underscore becomes an
        index.

    Raises
    ------
    ValueError
        The text would be too long, because of common parts that occur in many places.

    Examples
    --------
    >>> import lmoo
    >>> print(lmoo.Expression("a*exp(-t/tau_1) + sqrt(c)").latex())
    a\, e^{-\frac{t}{\tau_{1}}} + \sqrt{c}
    """
    names = {"variable": variables, "parameter": parameters}
    pieces: list[_Piece] = []
    for operation, arguments, value in steps:
        if operation == "constant":
            pieces.append(_number(float(value)))  # type: ignore[arg-type]
        elif operation in names:
            pieces.append(_Piece(_name(names[operation][value]), _CLOSED))  # type: ignore[index]
        else:
            pieces.append(_applied(operation, [pieces[i] for i in arguments]))
        if len(pieces[-1].text) > 20_000:
            raise ValueError("the model is too long to be written as LaTeX; write its components")
    return pieces[-1].text


def _name(name: str) -> str:
    head, _, index = name.partition("_")
    digits = re.fullmatch(r"([^\W\d]+)(\d+)", head)
    if digits and not index:
        head, index = digits.groups()
    if not head:
        head, index = name, ""
    shown = rf"\{head}" if head in _GREEK else head if len(head) == 1 else _upright(head)
    if not index:
        return shown
    return f"{shown}_{{{index if index.isdigit() or len(index) == 1 else _upright(index)}}}"


def _upright(word: str) -> str:
    return rf"\mathrm{{{word.replace('_', chr(92) + '_')}}}"


def _number(value: float) -> _Piece:
    if math.isnan(value):
        return _Piece(r"\mathrm{nan}", _CLOSED)
    size = abs(value)
    known = {math.pi: r"\pi", math.e: "e", math.inf: r"\infty"}
    text = known.get(size) or repr(size).removesuffix(".0")
    digits, _, exponent = text.partition("e") if size not in known else (text, "", "")
    binding = _CLOSED
    if exponent:
        text, binding = rf"{digits} \cdot 10^{{{int(exponent)}}}", _PRODUCT
    return _Piece(f"-{text}", min(binding, _SIGN)) if value < 0 else _Piece(text, binding)


def _applied(operation: str, parts: Sequence[_Piece]) -> _Piece:
    rule = _RULES.get(operation)
    if rule is not None:
        return rule(*parts)
    if operation in _SIGNS:
        a, b = (part.within(_SUM) for part in parts)
        return _Piece(f"{a} {_SIGNS[operation]} {b}", _COMPARISON)
    name = _FUNCTIONS.get(operation) or rf"\operatorname{{{operation.replace('_', chr(92) + '_')}}}"
    arguments = ", ".join(part.text for part in parts)
    return _Piece(rf"{name}\left({arguments}\right)", _POWER)


def _product(a: _Piece, b: _Piece) -> _Piece:
    left, right = a.within(_PRODUCT), b.within(_SIGN + 1)
    return _Piece(rf"{left} \cdot {right}" if right[0].isdigit() else rf"{left}\, {right}", 3)


def _second(b: _Piece) -> str:
    """Return the second operand of a sum, in parentheses if it has a sign."""
    return b.within(_CLOSED + 1 if b.text[0] == "-" else _SUM + 1)


_RULES: dict[str, Callable[..., _Piece]] = {
    "negative": lambda x: _Piece(f"-{x.within(_PRODUCT)}", _SIGN),
    "add": lambda a, b: _Piece(f"{a.within(_SUM)} + {_second(b)}", _SUM),
    "subtract": lambda a, b: _Piece(f"{a.within(_SUM)} - {_second(b)}", _SUM),
    "multiply": _product,
    "divide": lambda a, b: _Piece(rf"\frac{{{a.text}}}{{{b.text}}}", _PRODUCT),
    "reciprocal": lambda x: _Piece(rf"\frac{{1}}{{{x.text}}}", _PRODUCT),
    "power": lambda a, b: _Piece(rf"{a.within(_CLOSED)}^{{{b.text}}}", _POWER),
    "square": lambda x: _Piece(rf"{x.within(_CLOSED)}^{{2}}", _POWER),
    "exp": lambda x: _Piece(rf"e^{{{x.text}}}", _POWER),
    "exp2": lambda x: _Piece(rf"2^{{{x.text}}}", _POWER),
    "sqrt": lambda x: _Piece(rf"\sqrt{{{x.text}}}", _CLOSED),
    "cbrt": lambda x: _Piece(rf"\sqrt[3]{{{x.text}}}", _CLOSED),
    "absolute": lambda x: _Piece(rf"\left|{x.text}\right|", _CLOSED),
    "floor": lambda x: _Piece(rf"\lfloor {x.text} \rfloor", _CLOSED),
    "ceil": lambda x: _Piece(rf"\lceil {x.text} \rceil", _CLOSED),
    "where": lambda c, a, b: _Piece(
        rf"\begin{{cases}} {a.text} & {c.text} \\ {b.text} & \text{{otherwise}} \end{{cases}}",
        _CLOSED,
    ),
}
