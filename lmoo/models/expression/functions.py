"""All that an expression can call: operators and functions, with their partial derivatives."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lmoo.models.expression import special

__all__ = ["BINARY", "CONSTANTS", "FUNCTIONS", "UNARY", "Function"]

Partial = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Function:
    """A function of arrays and its partial derivatives.

    Attributes
    ----------
    value : callable
        ``value(*arguments)``, elementwise.
    partials : tuple of callable or None
        One per argument, ``partial(*arguments, value)``; a bool array where the function hands
        that argument through or not; None where the derivative is zero wherever there is one.
    folds : bool
        Whether it takes more arguments than two, as ``min(a, b, c)``.
    """

    value: Callable[..., Any]
    partials: tuple[Partial | None, ...]
    folds: bool = False

    @property
    def arity(self) -> int:
        """Number of arguments."""
        return len(self.partials)


def _power_by_base(a: Any, b: Any, v: Any) -> Any:
    """``b a^(b - 1)``, and 0 for b = 0, at a = 0 too."""
    return np.where(b == 0.0, 0.0, b * np.power(a, b - 1.0))


def _power_by_exponent(a: Any, b: Any, v: Any) -> Any:
    """``a^b log(a)``, which tends to 0 with a for positive b."""
    return np.where((a == 0.0) & (b > 0.0), 0.0, v * np.log(a))


def _sinc_slope(x: Any, v: Any) -> Any:
    """``(cos(pi x) - sinc(x)) / x``, by its series where that cancels."""
    z = (np.pi * x) ** 2
    series = -(np.pi**2) * x / 3 * (1 - z / 10 * (1 - z / 28 * (1 - z / 54 * (1 - z / 88))))
    far = np.abs(x) > 0.05
    return np.where(far, (np.cos(np.pi * x) - v) / np.where(far, x, 1.0), series)


def _comparison(compare: Callable[[Any, Any], Any]) -> Function:
    return Function(lambda a, b: np.multiply(compare(a, b), 1.0), (None, None))


def _one(value: Callable[..., Any], partial: Partial | None) -> Function:
    return Function(value, (partial,))


UNARY = {
    "-": _one(operator.neg, lambda x, v: -1.0),
    "+": _one(operator.pos, lambda x, v: 1.0),
}

BINARY = {
    "+": Function(operator.add, (lambda a, b, v: 1.0, lambda a, b, v: 1.0)),
    "-": Function(operator.sub, (lambda a, b, v: 1.0, lambda a, b, v: -1.0)),
    "*": Function(operator.mul, (lambda a, b, v: b, lambda a, b, v: a)),
    "/": Function(operator.truediv, (lambda a, b, v: 1.0 / b, lambda a, b, v: -v / b)),
    "**": Function(operator.pow, (_power_by_base, _power_by_exponent)),
    "<": _comparison(operator.lt),
    "<=": _comparison(operator.le),
    ">": _comparison(operator.gt),
    ">=": _comparison(operator.ge),
    "==": _comparison(operator.eq),
    "!=": _comparison(operator.ne),
}
BINARY["^"] = BINARY["**"]

FUNCTIONS = {
    "exp": _one(np.exp, lambda x, v: v),
    "exp2": _one(np.exp2, lambda x, v: np.log(2.0) * v),
    "expm1": _one(np.expm1, lambda x, v: np.exp(x)),
    "log": _one(np.log, lambda x, v: 1.0 / x),
    "log2": _one(np.log2, lambda x, v: 1.0 / (np.log(2.0) * x)),
    "log10": _one(np.log10, lambda x, v: 1.0 / (np.log(10.0) * x)),
    "log1p": _one(np.log1p, lambda x, v: 1.0 / (1.0 + x)),
    "sqrt": _one(np.sqrt, lambda x, v: 0.5 / v),
    "cbrt": _one(np.cbrt, lambda x, v: 1.0 / (3.0 * v * v)),
    "square": _one(np.square, lambda x, v: 2.0 * x),
    "sin": _one(np.sin, lambda x, v: np.cos(x)),
    "cos": _one(np.cos, lambda x, v: -np.sin(x)),
    "tan": _one(np.tan, lambda x, v: 1.0 + v * v),
    "arcsin": _one(np.arcsin, lambda x, v: 1.0 / np.sqrt((1.0 - x) * (1.0 + x))),
    "arccos": _one(np.arccos, lambda x, v: -1.0 / np.sqrt((1.0 - x) * (1.0 + x))),
    "arctan": _one(np.arctan, lambda x, v: 1.0 / (1.0 + x * x)),
    "sinh": _one(np.sinh, lambda x, v: np.cosh(x)),
    "cosh": _one(np.cosh, lambda x, v: np.sinh(x)),
    # 1 - v^2 would cancel.
    "tanh": _one(np.tanh, lambda x, v: (1.0 / np.cosh(x)) ** 2),
    "arcsinh": _one(np.arcsinh, lambda x, v: 1.0 / np.hypot(1.0, x)),
    "arccosh": _one(np.arccosh, lambda x, v: 1.0 / (np.sqrt(x - 1.0) * np.sqrt(x + 1.0))),
    "arctanh": _one(np.arctanh, lambda x, v: 1.0 / ((1.0 - x) * (1.0 + x))),
    "sinc": _one(np.sinc, _sinc_slope),
    "deg2rad": _one(np.deg2rad, lambda x, v: np.pi / 180.0),
    "rad2deg": _one(np.rad2deg, lambda x, v: 180.0 / np.pi),
    "abs": _one(np.abs, lambda x, v: np.sign(x)),
    "sign": _one(np.sign, None),
    "floor": _one(np.floor, None),
    "ceil": _one(np.ceil, None),
    "trunc": _one(np.trunc, None),
    "rint": _one(np.rint, None),
    "erf": _one(special.erf, lambda x, v: 2.0 / np.sqrt(np.pi) * np.exp(-x * x)),
    "erfc": _one(special.erfc, lambda x, v: -2.0 / np.sqrt(np.pi) * np.exp(-x * x)),
    "gamma": _one(special.gamma, lambda x, v: v * special.digamma(x)),
    "lgamma": _one(special.lgamma, lambda x, v: special.digamma(x)),
    "i0": _one(special.i0, lambda x, v: special.i1(x)),
    "hypot": Function(np.hypot, (lambda a, b, v: a / v, lambda a, b, v: b / v)),
    "arctan2": Function(
        np.arctan2,
        # By the length twice, as its square may overflow.
        (
            lambda a, b, v: b / np.hypot(a, b) / np.hypot(a, b),
            lambda a, b, v: -a / np.hypot(a, b) / np.hypot(a, b),
        ),
    ),
    "mod": Function(np.mod, (lambda a, b, v: 1.0, lambda a, b, v: -np.floor(a / b))),
    "heaviside": Function(np.heaviside, (None, lambda a, b, v: a == 0.0)),
    "minimum": Function(np.minimum, (lambda a, b, v: a <= b, lambda a, b, v: b < a), folds=True),
    "maximum": Function(np.maximum, (lambda a, b, v: a >= b, lambda a, b, v: b > a), folds=True),
    "where": Function(
        lambda condition, a, b: np.where(condition != 0.0, a, b),
        (
            None,
            lambda condition, a, b, v: condition != 0.0,
            lambda condition, a, b, v: condition == 0.0,
        ),
    ),
}

_ALIASES = {
    "ln": "log",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "atan2": "arctan2",
    "fabs": "abs",
    "radians": "deg2rad",
    "degrees": "rad2deg",
    "round": "rint",
    "min": "minimum",
    "max": "maximum",
    "gammaln": "lgamma",
}
FUNCTIONS |= {alias: FUNCTIONS[name] for alias, name in _ALIASES.items()}

CONSTANTS = {"pi": np.float64(np.pi), "e": np.float64(np.e)}
