"""Partial derivatives of the operations, as graphs."""

import math
from collections.abc import Callable
from typing import Any

from lmoo.models.graph.scipypartials import PARTIALS as OF_SCIPY
from lmoo.models.graph.terms import Term, call

Partial = Callable[..., Any]

_LN2, _LN10 = math.log(2.0), math.log(10.0)
_GAUSS = 2.0 / math.sqrt(math.pi)


def _divide_by_divisor(a: Term, b: Term, v: Term) -> Term:
    # If b is the same at all points, its reciprocal is computed once.
    return -v / b if b.varies else -v * (1.0 / b)


def _power_by_base(a: Term, b: Term, v: Term) -> Term:
    """Return ``b a^(b - 1)``, and 0 for b = 0, also at a = 0."""
    if b.number is not None:
        return b * a ** (b.number - 1.0)
    zero = call("equal", b, 0.0)
    if b.varies or not a.varies:
        return call("where", zero, 0.0, b * a ** (b - 1.0))
    # b v/a needs no second power; the value at 0 is computed once.
    at_zero = call("where", zero, 0.0, b * call("power", 0.0, b - 1.0))
    return call("where", call("equal", a, 0.0), at_zero, b * (v / a))


def _power_by_exponent(a: Term, b: Term, v: Term) -> Term:
    """Return ``a^b log(a)``, which tends to 0 with a for positive b."""
    if a.number is not None and a.number > 0.0:
        return v * math.log(a.number)
    limit = call("logical_and", call("equal", a, 0.0), call("greater", b, 0.0))
    return call("where", limit, 0.0, v * call("log", a))


def _sinc(x: Term, v: Term) -> Term:
    """Return ``(cos(pi x) - sinc(x)) / x``, for small x by its series to avoid cancellation."""
    z = call("square", math.pi * x)
    series = -(math.pi**2) / 3 * x * (1 - z / 10 * (1 - z / 28 * (1 - z / 54 * (1 - z / 88))))
    far = call("greater", call("absolute", x), 0.05)
    slope = (call("cos", math.pi * x) - v) / call("where", far, x, 1.0)
    return call("where", far, slope, series)


def _j1(x: Term, v: Term) -> Term:
    """Return ``J0(x) - J1(x)/x``, 1/2 at 0."""
    zero = call("equal", x, 0.0)
    return call("where", zero, 0.5, call("j0", x) - v / call("where", zero, 1.0, x))


def _i1(x: Term, v: Term) -> Term:
    """Return ``I0(x) - I1(x)/x``, 1/2 at 0."""
    zero = call("equal", x, 0.0)
    return call("where", zero, 0.5, call("i0", x) - v / call("where", zero, 1.0, x))


# Beyond this square of |z| the derivatives of w and erfcx are those of the asymptotic series,
# 1 + 3/2 z^-2 (Abramowitz, Stegun 1964, 7.1.23); the first term left out is 4e-12 there.  The
# recurrence w' = -2 z w + 2i/sqrt(pi) loses a factor |z|^2 of precision, all of it at 1e16.
_FAR = 1e6
_FIRST, _SECOND = 1.0 / math.sqrt(math.pi), 1.5 / math.sqrt(math.pi)


def _wofz_slope(a: Term, b: Term) -> tuple[Term, Term]:
    """Return the real and the imaginary part of the derivative of w at z = a + i b."""
    real, imaginary = call("wofz_real", a, b), call("wofz_imag", a, b)
    size = call("square", a) + call("square", b)
    inverse = 1.0 / size
    p, q = a * inverse, b * inverse
    # u + i v = 1/z^2, and the series x + i y.
    u, v = call("square", p) - call("square", q), -2.0 * p * q
    x, y = _FIRST + _SECOND * u, _SECOND * v
    # The series is that of the upper half plane.
    far = call("greater", call("copysign", size, b), _FAR)
    return (
        call("where", far, u * y + v * x, 2.0 * (b * imaginary - a * real)),
        call("where", far, v * y - u * x, _GAUSS - 2.0 * (a * imaginary + b * real)),
    )


def _erfcx(x: Term, v: Term) -> Term:
    """Return the derivative of erfcx, ``2 x v - 2/sqrt(pi)``."""
    u = 1.0 / call("square", x)
    far = call("greater", x, math.sqrt(_FAR))
    return call("where", far, u * (_SECOND * u - _FIRST), 2.0 * x * v - _GAUSS)


def _digits(x: Term) -> Term:
    """Return ``1/sqrt(1 - x^2)``."""
    return 1.0 / call("sqrt", (1.0 - x) * (1.0 + x))


# Operations whose derivatives are zero wherever they exist.
FLAT = frozenset(
    [
        "sign",
        "floor",
        "ceil",
        "trunc",
        "rint",
        "floor_divide",
        "isnan",
        "isfinite",
        "less",
        "less_equal",
        "greater",
        "greater_equal",
        "equal",
        "not_equal",
        "logical_not",
        "logical_and",
        "logical_or",
        "logical_xor",
    ]
)

# For each argument: partial(*arguments, value); or a float; or an int, the place of the derivative
# in (*arguments, value); None if the derivative is zero wherever it exists.
PARTIALS: dict[str, tuple[Partial | float | int | None, ...]] = {
    "negative": (-1.0,),
    "add": (1.0, 1.0),
    "subtract": (1.0, -1.0),
    "multiply": (1, 0),
    "divide": (lambda a, b, v: 1.0 / b, _divide_by_divisor),
    "power": (_power_by_base, _power_by_exponent),
    "absolute": (lambda x, v: call("sign", x),),
    "sqrt": (lambda x, v: 0.5 / v,),
    "cbrt": (lambda x, v: 1.0 / (3.0 * call("square", v)),),
    "square": (lambda x, v: 2.0 * x,),
    "reciprocal": (lambda x, v: -call("square", v),),
    "exp": (1,),
    "exp2": (lambda x, v: _LN2 * v,),
    "expm1": (lambda x, v: call("exp", x),),
    "log": (lambda x, v: 1.0 / x,),
    "log2": (lambda x, v: 1.0 / (_LN2 * x),),
    "log10": (lambda x, v: 1.0 / (_LN10 * x),),
    "log1p": (lambda x, v: 1.0 / (1.0 + x),),
    "sin": (lambda x, v: call("cos", x),),
    "cos": (lambda x, v: -call("sin", x),),
    "tan": (lambda x, v: 1.0 + call("square", v),),
    "arcsin": (lambda x, v: _digits(x),),
    "arccos": (lambda x, v: -_digits(x),),
    "arctan": (lambda x, v: 1.0 / (1.0 + call("square", x)),),
    "sinh": (lambda x, v: call("cosh", x),),
    "cosh": (lambda x, v: call("sinh", x),),
    # 1 - v^2 would cancel.
    "tanh": (lambda x, v: 1.0 / call("square", call("cosh", x)),),
    "arcsinh": (lambda x, v: 1.0 / call("hypot", 1.0, x),),
    "arccosh": (lambda x, v: 1.0 / (call("sqrt", x - 1.0) * call("sqrt", x + 1.0)),),
    "arctanh": (lambda x, v: 1.0 / ((1.0 - x) * (1.0 + x)),),
    "sinc": (_sinc,),
    "erf": (lambda x, v: _GAUSS * call("exp", -call("square", x)),),
    "erfc": (lambda x, v: -_GAUSS * call("exp", -call("square", x)),),
    "erfcx": (_erfcx,),
    "gamma": (lambda x, v: v * call("digamma", x),),
    "gammaln": (lambda x, v: call("digamma", x),),
    "digamma": (lambda x, v: call("trigamma", x),),
    # expit(-x) is 1 - expit(x) without its cancellation.
    "expit": (lambda x, v: v * call("expit", -x),),
    "i0": (lambda x, v: call("i1", x),),
    "i1": (_i1,),
    "j0": (lambda x, v: -call("j1", x),),
    "j1": (_j1,),
    "wofz_real": (lambda a, b, v: _wofz_slope(a, b)[0], lambda a, b, v: -_wofz_slope(a, b)[1]),
    "wofz_imag": (lambda a, b, v: _wofz_slope(a, b)[1], lambda a, b, v: _wofz_slope(a, b)[0]),
    "hypot": (lambda a, b, v: a / v, lambda a, b, v: b / v),
    # Divided by the length twice, because its square may overflow.
    "arctan2": (
        lambda a, b, v: b / call("hypot", a, b) / call("hypot", a, b),
        lambda a, b, v: -(a / call("hypot", a, b) / call("hypot", a, b)),
    ),
    "mod": (1.0, lambda a, b, v: -call("floor", a / b)),
    "fmod": (1.0, lambda a, b, v: -call("trunc", a / b)),
    "copysign": (
        lambda a, b, v: call("multiply", call("copysign", 1.0, a), call("copysign", 1.0, b)),
        None,
    ),
    **OF_SCIPY,
}

# Operations that return one of two arguments: selections(*arguments) are the indices of the two and
# the condition for the first.
SELECTIONS: dict[str, Callable[..., tuple[int | None, int | None, Term]]] = {
    "where": lambda c, a, b: (1, 2, c),
    "minimum": lambda a, b: (0, 1, call("less_equal", a, b)),
    "maximum": lambda a, b: (0, 1, call("greater_equal", a, b)),
    "fmin": lambda a, b: (
        0,
        1,
        call("logical_or", call("less_equal", a, b), call("isnan", b)),
    ),
    "fmax": lambda a, b: (
        0,
        1,
        call("logical_or", call("greater_equal", a, b), call("isnan", b)),
    ),
    "heaviside": lambda a, b: (1, None, call("equal", a, 0.0)),
}
