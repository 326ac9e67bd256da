"""Groups of functions that the rules for starting values distinguish, and inverse functions."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lmoo.models.expression.functions import BINARY, FUNCTIONS, UNARY, Function

PLUS, MINUS, TIMES, OVER, POWER = (BINARY[sign] for sign in ("+", "-", "*", "/", "**"))
ARITHMETIC = (PLUS, MINUS, TIMES, OVER)
# +x and -x.
SIGNS = tuple(UNARY.values())
PERIODIC = (FUNCTIONS["sin"], FUNCTIONS["cos"], FUNCTIONS["tan"])
# A constant term in the argument is a factor of the value.
EXPONENTIALS = (FUNCTIONS["exp"], FUNCTIONS["exp2"])
EXTREMA = (FUNCTIONS["minimum"], FUNCTIONS["maximum"])
# Functions whose arguments are compared with each other.
COMPARISONS = (*(BINARY[sign] for sign in ("<", "<=", ">", ">=", "==", "!=")), *EXTREMA)
# Functions of two arguments of the same order of magnitude.
SAME_SIZE = (FUNCTIONS["mod"], FUNCTIONS["hypot"], FUNCTIONS["arctan2"])
# Powers with a constant exponent.
POWERS = {FUNCTIONS["square"]: 2.0, FUNCTIONS["sqrt"]: 0.5, FUNCTIONS["cbrt"]: 1.0 / 3.0}
# Functions for which no order of magnitude of the argument is special.
SCALE_FREE = (
    POWER,
    *POWERS,
    *(FUNCTIONS[name] for name in ("log", "log2", "log10", "abs", "sign")),
)
UNIT_CONVERSIONS = (FUNCTIONS["deg2rad"], FUNCTIONS["rad2deg"])

INVERSES: dict[Function | None, Callable[[Any], Any]] = {
    FUNCTIONS["exp"]: np.log,
    FUNCTIONS["exp2"]: np.log2,
    FUNCTIONS["expm1"]: np.log1p,
    FUNCTIONS["log"]: np.exp,
    FUNCTIONS["log2"]: np.exp2,
    FUNCTIONS["log10"]: lambda v: np.power(10.0, v),
    FUNCTIONS["log1p"]: np.expm1,
    FUNCTIONS["sqrt"]: np.square,
    FUNCTIONS["square"]: np.sqrt,
    FUNCTIONS["cbrt"]: lambda v: v**3,
    FUNCTIONS["abs"]: np.abs,
    FUNCTIONS["sin"]: np.arcsin,
    FUNCTIONS["cos"]: np.arccos,
    FUNCTIONS["tan"]: np.arctan,
    FUNCTIONS["arcsin"]: np.sin,
    FUNCTIONS["arccos"]: np.cos,
    FUNCTIONS["arctan"]: np.tan,
    FUNCTIONS["sinh"]: np.arcsinh,
    FUNCTIONS["cosh"]: np.arccosh,
    FUNCTIONS["tanh"]: np.arctanh,
    FUNCTIONS["deg2rad"]: np.rad2deg,
    FUNCTIONS["rad2deg"]: np.deg2rad,
}
