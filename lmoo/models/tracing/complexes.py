"""Arithmetic of complex numbers whose parts are nodes of a graph."""

from collections.abc import Callable
from typing import NamedTuple

from lmoo.models.graph.nodes import Graph
from lmoo.models.graph.terms import Term, call


class Pair(NamedTuple):
    """A complex number ``real + i imag``."""

    real: Term
    imag: Term


def _add(a: Pair, b: Pair) -> Pair:
    return Pair(a.real + b.real, a.imag + b.imag)


def _subtract(a: Pair, b: Pair) -> Pair:
    return Pair(a.real - b.real, a.imag - b.imag)


def _multiply(a: Pair, b: Pair) -> Pair:
    return Pair(
        _product(a.real, b.real) - _product(a.imag, b.imag),
        _product(a.real, b.imag) + _product(a.imag, b.real),
    )


def _product(a: Term, b: Term) -> Term:
    """Return a product; 0 where a factor is the zero part of a real or an imaginary number."""
    return a if _is_zero(a) else b if _is_zero(b) else a * b


def _divide(a: Pair, b: Pair) -> Pair:
    if _is_zero(b.imag):
        return Pair(a.real / b.real, a.imag / b.real)
    size = call("square", b.real) + call("square", b.imag)
    product = _multiply(a, Pair(b.real, -b.imag))
    return Pair(product.real / size, product.imag / size)


def _exp(z: Pair) -> Pair:
    size = call("exp", z.real)
    return Pair(size * call("cos", z.imag), size * call("sin", z.imag))


def _absolute(z: Pair) -> Term:
    return call("hypot", z.real, z.imag)


def _log(z: Pair) -> Pair:
    return Pair(call("log", _absolute(z)), call("arctan2", z.imag, z.real))


def _sqrt(z: Pair) -> Pair:
    """Return the root on the right half plane; neither part is a difference that cancels."""
    positive = call("greater_equal", z.real, 0.0)
    if _is_zero(z.imag):
        root = call("sqrt", call("absolute", z.real))
        return Pair(call("where", positive, root, 0.0), call("where", positive, 0.0, root))
    large = call("sqrt", 0.5 * (_absolute(z) + call("absolute", z.real)))
    zero = call("equal", large, 0.0)
    small = 0.5 * z.imag / call("where", zero, 1.0, large)
    return Pair(
        call("where", positive, large, call("absolute", small)),
        call("where", positive, small, call("copysign", large, z.imag)),
    )


def _power(a: Pair, b: Pair) -> Pair:
    exponent = b.real.number if _is_zero(b.imag) else None
    if exponent is not None and exponent == int(exponent) and 0 < abs(exponent) <= 16:
        product = a
        for _ in range(int(abs(exponent)) - 1):
            product = _multiply(product, a)
        one = Pair(_constant(a.real.graph, 1.0), _constant(a.real.graph, 0.0))
        return product if exponent > 0 else _divide(one, product)
    return _exp(_multiply(b, _log(a)))


def _sin(z: Pair) -> Pair:
    return Pair(
        call("sin", z.real) * call("cosh", z.imag), call("cos", z.real) * call("sinh", z.imag)
    )


def _cos(z: Pair) -> Pair:
    return Pair(
        call("cos", z.real) * call("cosh", z.imag), -(call("sin", z.real) * call("sinh", z.imag))
    )


def _sinh(z: Pair) -> Pair:
    return Pair(
        call("sinh", z.real) * call("cos", z.imag), call("cosh", z.real) * call("sin", z.imag)
    )


def _cosh(z: Pair) -> Pair:
    return Pair(
        call("cosh", z.real) * call("cos", z.imag), call("sinh", z.real) * call("sin", z.imag)
    )


def _tanh(z: Pair) -> Pair:
    """Return ``(sinh(2x) + i sin(2y)) / (cosh(2x) + cos(2y))``, without overflow for large x."""
    small = call("exp", -2.0 * call("absolute", z.real))
    size = call("expm1", -4.0 * call("absolute", z.real))
    below = 1.0 + call("square", small) + 2.0 * call("cos", 2.0 * z.imag) * small
    real = call("copysign", size, z.real) / below
    return Pair(real, 2.0 * call("sin", 2.0 * z.imag) * small / below)


def _tan(z: Pair) -> Pair:
    """Return ``-i tanh(i z)``."""
    turned = _tanh(Pair(-z.imag, z.real))
    return Pair(turned.imag, -turned.real)


def _wofz(z: Pair) -> Pair:
    return Pair(call("wofz_real", z.real, z.imag), call("wofz_imag", z.real, z.imag))


def _constant(graph: Graph, value: float) -> Term:
    return Term(graph, graph.constant(value))


def _is_zero(term: Term) -> bool:
    return term.number == 0.0


# Operations with a complex value; "absolute" has a real one.
COMPLEX: dict[str, Callable[..., Pair | Term]] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "power": _power,
    "negative": lambda z: Pair(-z.real, -z.imag),
    "conjugate": lambda z: Pair(z.real, -z.imag),
    "square": lambda z: _multiply(z, z),
    "reciprocal": lambda z: _divide(
        Pair(_constant(z.real.graph, 1.0), _constant(z.real.graph, 0.0)), z
    ),
    "exp": _exp,
    "log": _log,
    "sqrt": _sqrt,
    "sin": _sin,
    "cos": _cos,
    "tan": _tan,
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": _tanh,
    "absolute": _absolute,
    "wofz": _wofz,
}
