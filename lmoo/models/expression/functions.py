"""Operators and functions of expressions, by their names in the language."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lmoo.models.graph.nodes import Graph
from lmoo.models.graph.operations import OPERATIONS


@dataclass(frozen=True, eq=False)
class Function:
    """A function of the language.

    Attributes
    ----------
    operation : str or None
        The name of the operation in graphs; None for the argument times `factor`.
    factor : float
    variadic : bool
        Whether it accepts more than two arguments, as ``min(a, b, c)``.
    """

    operation: str | None
    factor: float = 1.0
    variadic: bool = False

    @property
    def arity(self) -> int:
        """Number of arguments."""
        return 1 if self.operation is None else OPERATIONS[self.operation].arity

    def value(self, *arguments: Any) -> Any:
        """Return the function's value, elementwise."""
        if self.operation is None:
            return arguments[0] * self.factor
        return OPERATIONS[self.operation].value(*arguments)

    def node(self, graph: Graph, *arguments: int) -> int:
        """Return the function's node in a graph."""
        if self.operation is not None:
            return graph.apply(self.operation, *arguments)
        return graph.apply("multiply", arguments[0], graph.constant(self.factor))


UNARY = {"-": Function("negative"), "+": Function(None)}

BINARY = {
    "+": Function("add"),
    "-": Function("subtract"),
    "*": Function("multiply"),
    "/": Function("divide"),
    "**": Function("power"),
    "<": Function("less"),
    "<=": Function("less_equal"),
    ">": Function("greater"),
    ">=": Function("greater_equal"),
    "==": Function("equal"),
    "!=": Function("not_equal"),
}
BINARY["^"] = BINARY["**"]

# Functions, which are not written as operators.
_NAMED = (
    "exp exp2 expm1 log log2 log10 log1p sqrt cbrt square reciprocal sin cos tan arcsin arccos "
    "arctan sinh cosh tanh arcsinh arccosh arctanh sinc sign floor ceil trunc rint isnan isfinite "
    "logical_not logical_and logical_or logical_xor erf erfc erfcx gamma digamma expit i0 "
    "i1 j0 j1 wofz_real wofz_imag hypot arctan2 mod fmod floor_divide copysign heaviside where"
)

FUNCTIONS = {
    **{name: Function(name) for name in _NAMED.split()},
    **{name: Function(name, variadic=True) for name in ("minimum", "maximum", "fmin", "fmax")},
    "abs": Function("absolute"),
    "lgamma": Function("gammaln"),
    "deg2rad": Function(None, np.pi / 180.0),
    "rad2deg": Function(None, 180.0 / np.pi),
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
