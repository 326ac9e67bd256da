"""Partial derivatives of the functions of scipy.special, as graphs."""

import math
from collections.abc import Callable
from typing import Any

from lmoo.models.graph.terms import Term, call

# A derivative by the order is a difference of six values at these multiples of the step: its error
# is the step to the sixth power times the seventh derivative over 140.
_WEIGHTS = ((1, 45.0 / 60.0), (2, -9.0 / 60.0), (3, 1.0 / 60.0))
# In units over which a function of its order changes: the error is then about 1e-14, and that of
# rounding 5e-14.
_STEP = 0.005
# Values near the smallest number, whose quotients have large rounding errors.
_TINY = 1e-290
# Coefficients of the power series of the elliptic integral K(m), over pi/2.
_ELLIPTIC = [math.comb(2 * k, k) ** 2 / 16.0**k for k in range(9)]
# Below this the power series of derivatives of elliptic integrals is exact to 1e-14.
_SMALL = 0.02


def _by_order(name: str, positive: bool = True) -> Callable[..., Term]:
    """Return the derivative by the first argument; by that of the logarithm of positive values.

    The logarithm changes less where the values are tiny or huge.
    """

    def partial(order: Term, x: Term, v: Term) -> Term:
        # Incomplete gamma functions of a rise over the root of a, or over a below 1.
        unit: Any = 1.0
        if name.startswith("gamma"):
            unit = call("minimum", order, call("sqrt", order))
        step, total = _STEP * unit, None
        for multiple, weight in _WEIGHTS:
            above, below = (call(name, order + sign * multiple * step, x) for sign in (1.0, -1.0))
            change = call("log", above / below) if positive else above - below
            total = weight * change if total is None else total + weight * change
        slope = total / step
        return call("where", call("less", v, _TINY), 0.0, v * slope) if positive else slope

    return partial


def _gamma_density(a: Term, x: Term, v: Term) -> Term:
    """Return ``x^(a - 1) exp(-x) / gamma(a)``."""
    one = call("equal", a, 1.0)
    power = call("where", one, 0.0, (a - 1.0) * call("log", x))
    return call("exp", power - x - call("gammaln", a))


def _of_neighbours(name: str, below: float, above: float) -> Callable[..., Term]:
    """Return the derivative of a Bessel function by those of the orders one below and above."""
    return lambda v, x, value: (
        0.5 * (below * call(name, v - 1.0, x) + above * call(name, v + 1.0, x))
    )


def _elliptic(m: Term, far: Term, coefficients: list[float]) -> Term:
    """Return a derivative; its series near 0, where the formula cancels."""
    series: Any = 0.0
    for k in reversed(range(1, len(coefficients))):
        series = series * m + 0.5 * math.pi * k * coefficients[k]
    return call("where", call("less", call("absolute", m), _SMALL), series, far)


def _ellipk(m: Term, v: Term) -> Term:
    far = (call("ellipe", m) - (1.0 - m) * v) / (2.0 * m * (1.0 - m))
    return _elliptic(m, far, _ELLIPTIC)


def _ellipe(m: Term, v: Term) -> Term:
    far = (v - call("ellipk", m)) / (2.0 * m)
    return _elliptic(m, far, [c / (1 - 2 * k) for k, c in enumerate(_ELLIPTIC)])


def _i1e(x: Term, v: Term) -> Term:
    zero = call("equal", x, 0.0)
    far = call("i0e", x) - v / call("where", zero, 1.0, x) - call("sign", x) * v
    return call("where", zero, 0.5, far)


def _spence(x: Term, v: Term) -> Term:
    one = call("equal", x, 1.0)
    return call("where", one, -1.0, call("log", x) / call("where", one, 1.0, 1.0 - x))


PARTIALS: dict[str, tuple[Callable[..., Any], ...]] = {
    "lambertw": (lambda x, v: call("exp", -v) / (1.0 + v),),
    "exp1": (lambda x, v: -call("exp", -x) / x,),
    "expi": (lambda x, v: call("exp", x) / x,),
    "k0": (lambda x, v: -call("k1", x),),
    "k1": (lambda x, v: -call("k0", x) - v / x,),
    "k0e": (lambda x, v: v - call("k1e", x),),
    "k1e": (lambda x, v: v - call("k0e", x) - v / x,),
    "i0e": (lambda x, v: call("i1e", x) - call("sign", x) * v,),
    "i1e": (_i1e,),
    "ellipk": (_ellipk,),
    "ellipe": (_ellipe,),
    "ndtri": (lambda p, v: math.sqrt(2.0 * math.pi) * call("exp", 0.5 * call("square", v)),),
    "erfinv": (lambda y, v: 0.5 * math.sqrt(math.pi) * call("exp", call("square", v)),),
    "spence": (_spence,),
    "gammainc": (_by_order("gammainc"), _gamma_density),
    "gammaincc": (_by_order("gammaincc"), lambda a, x, v: -_gamma_density(a, x, v)),
    "jv": (_by_order("jv", False), _of_neighbours("jv", 1.0, -1.0)),
    "yv": (_by_order("yv", False), _of_neighbours("yv", 1.0, -1.0)),
    "iv": (_by_order("iv"), _of_neighbours("iv", 1.0, 1.0)),
    "kv": (_by_order("kv"), _of_neighbours("kv", -1.0, -1.0)),
}
