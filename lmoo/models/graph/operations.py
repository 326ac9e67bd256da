"""The operations of a graph, by their names, with their values in numpy.

Names are numpy's, or scipy.special's, where those have the function.  Comparisons and logical
functions return 0 or 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lmoo.models.graph import special
from lmoo.models.graph.scipyfunctions import BINARY, VALUES


@dataclass(frozen=True, eq=False)
class Operation:
    """A function of arrays, elementwise.

    Attributes
    ----------
    name : str
    arity : int
        Number of arguments.
    value : callable
        ``value(*arguments)`` in float64.
    """

    name: str
    arity: int
    value: Callable[..., Any]


def _truth(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of truth values as one of numbers."""
    return lambda *arguments: np.multiply(function(*arguments), 1.0)


def _where(condition: Any, a: Any, b: Any) -> Any:
    return np.where(condition != 0.0, a, b)[()]


_UNARY: dict[str, Callable[..., Any]] = {
    **{
        name: getattr(np, name)
        for name in (
            "negative", "absolute", "sign", "sqrt", "cbrt", "square", "reciprocal", "exp", "exp2",
            "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos",
            "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "floor", "ceil",
            "trunc", "rint", "sinc",
        )
    },
    **{name: _truth(getattr(np, name)) for name in ("logical_not", "isnan", "isfinite")},
    **{
        name: getattr(special, name)
        for name in (
            "erf", "erfc", "erfcx", "gamma", "gammaln", "digamma", "trigamma", "expit", "i0", "i1",
            "j0", "j1",
        )
    },
}  # fmt: skip

_BINARY: dict[str, Callable[..., Any]] = {
    **{
        name: getattr(np, name)
        for name in (
            "add", "subtract", "multiply", "divide", "power", "minimum", "maximum", "fmin", "fmax",
            "mod", "fmod", "floor_divide", "arctan2", "hypot", "copysign", "heaviside",
        )
    },
    **{
        name: _truth(getattr(np, name))
        for name in (
            "less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and",
            "logical_or", "logical_xor",
        )
    },
    "wofz_real": special.wofz_real,
    "wofz_imag": special.wofz_imag,
}  # fmt: skip

OPERATIONS = {
    **{name: Operation(name, 1, value) for name, value in _UNARY.items()},
    **{name: Operation(name, 2, value) for name, value in _BINARY.items()},
    **{name: Operation(name, 1 + (name in BINARY), value) for name, value in VALUES.items()},
    "where": Operation("where", 3, _where),
}
