"""Functions of scipy.special for placeholders."""

from collections.abc import Callable
from math import pi, sqrt
from typing import Any

import numpy as np

from lmoo.models.graph.scipyfunctions import BINARY, UNARY
from lmoo.models.tracing.applied import applied
from lmoo.models.tracing.placeholder import Placeholder, as_placeholder
from lmoo.models.tracing.recorder import Recorder

Recorded = Callable[..., Any]
# Recurrences of longer polynomials would be long programs.
_MOST_TERMS = 30


def operation(name: str, *operands: Any) -> Any:
    """Return the value of an operation; one of the operands is a placeholder, or has some."""
    parts = [part for x in operands for part in (x.flat if isinstance(x, np.ndarray) else [x])]
    recorder = next(part.recorder for part in parts if isinstance(part, Placeholder))
    return applied(recorder, name, *operands)


def _plain(name: str) -> Recorded:
    return lambda recorder, *operands: applied(recorder, name, *operands)


def _with(formula: Callable[..., Any]) -> Recorded:
    return lambda recorder, *operands: formula(*operands)


def _times_log(x: Any, y: Any) -> Any:
    return np.where((x == 0.0) & ~np.isnan(y), 0.0, x * np.log(y))


def _times_log1p(x: Any, y: Any) -> Any:
    return np.where((x == 0.0) & ~np.isnan(y), 0.0, x * np.log1p(y))


def _voigt(x: Any, sigma: Any, gamma: Any) -> Any:
    """Return scipy's voigt_profile: the real part of ``w((x + i gamma)/(sigma sqrt(2)))``."""
    a, b = x / (sigma * sqrt(2.0)), gamma / (sigma * sqrt(2.0))
    return operation("wofz_real", a, b) / (sigma * sqrt(2.0 * pi))


def _bessel(order: Any, x: Any) -> Any:
    if not isinstance(order, Placeholder) and np.ndim(order) == 0 and order in (0, 1):
        return operation("j1" if order else "j0", x)
    return operation("jv", order, x)


def _lambertw(recorder: Recorder, z: Any, k: Any, tolerance: Any) -> Any:
    """Return the principal branch, whose values are complex numbers."""
    z = as_placeholder(recorder, z)
    if z.imaginary is not None or isinstance(k, Placeholder) or k != 0:
        recorder.refuse("scipy.special.lambertw of complex numbers, or of another branch than 0")
    return applied(recorder, "lambertw", z)._like(imag=recorder.graph.constant(0.0))


def _beta(a: Any, b: Any) -> Any:
    """Return ``gamma(a) gamma(b) / gamma(a + b)``, by logarithms where this would overflow."""
    large = (a > 80.0) | (b > 80.0)
    gammas = [operation("gamma", np.where(large, 1.0, x)) for x in (a, b, a + b)]
    return np.where(large, np.exp(_betaln(a, b)), gammas[0] * gammas[1] / gammas[2])


def _betaln(a: Any, b: Any) -> Any:
    # One of them may be a number.
    both = [operation("gammaln", x + 0.0 * (a + b)) for x in (a, b)]
    return both[0] + both[1] - operation("gammaln", a + b)


def _fresnel(x: Any) -> tuple[Any, Any]:
    """Return both integrals of Fresnel, by ``erf(z) = 1 - exp(-z^2) w(i z)``."""
    side = np.where(x < 0.0, -1.0, 1.0)
    u = 0.5 * sqrt(pi) * (side * x)
    real, imag = operation("wofz_real", u, u), operation("wofz_imag", u, u)
    cosine, sine = np.cos(0.5 * pi * x**2), np.sin(0.5 * pi * x**2)
    # The real and the imaginary part of erf.
    a, b = 1.0 - (cosine * real - sine * imag), -(cosine * imag + sine * real)
    return side * 0.5 * (a + b), side * 0.5 * (a - b)


def _log_of_ndtr(x: Any) -> Any:
    low = np.minimum(x, 0.0)
    tail = np.log(0.5 * operation("erfcx", -low / sqrt(2.0))) - 0.5 * low**2
    return np.where(x < 0.0, tail, np.log1p(-0.5 * operation("erfc", np.maximum(x, 0.0) / sqrt(2))))


def _polynomial(terms: Callable[..., tuple[Any, Any, Any]], slope: Any, offset: Any = 0.0) -> Any:
    """Return a function of degree and argument, by a recurrence over two degrees.

    Parameters
    ----------
    terms : callable
        ``terms(k, *parameters)``: the coefficients of ``(a x + b) p_k - c p_(k-1) = p_(k+1)``.
    slope, offset
        ``p_1 = slope x + offset``, each a number or a function of the parameters.
    """

    def evaluated(recorder: Recorder, n: Any, *rest: Any) -> Any:
        *parameters, x = rest
        if isinstance(n, (Placeholder, np.ndarray)) or n != int(n) or not 0 <= n <= _MOST_TERMS:
            recorder.refuse(
                f"polynomials of scipy.special have fixed degrees up to {_MOST_TERMS} in models"
            )
        first = offset(*parameters) if callable(offset) else offset
        before, value = 0.0 * x + 1.0, slope * x + first
        for k in range(1, int(n)):
            a, b, c = terms(k, *parameters)
            before, value = value, (a * x + b) * value - c * before
        return value if n else before

    return evaluated


# ufuncs of scipy.special, by their names.
SPECIAL: dict[str, Recorded] = {
    **{
        name: _plain(name)
        for name in (
            "erf", "erfc", "erfcx", "gamma", "gammaln", "expit", "i0", "i1", "j0", "j1", "wofz",
            "cbrt", "exp2", "expm1", "log1p", *UNARY, *BINARY,
        )
    },
    "psi": _plain("digamma"),
    "jv": _with(_bessel),
    "kn": _plain("kv"),
    "yn": _plain("yv"),
    "y0": _with(lambda x: operation("yv", 0.0, x)),
    "y1": _with(lambda x: operation("yv", 1.0, x)),
    "_lambertw": _lambertw,
    "voigt_profile": _with(_voigt),
    "fresnel": _with(_fresnel),
    "dawsn": _with(lambda x: 0.5 * sqrt(pi) * operation("wofz_imag", x, 0.0)),
    "erfi": _with(lambda x: np.exp(x**2) * operation("wofz_imag", x, 0.0)),
    "ndtr": _with(lambda x: 0.5 * operation("erfc", -x / sqrt(2.0))),
    "log_ndtr": _with(_log_of_ndtr),
    "erfcinv": _with(lambda y: -operation("ndtri", 0.5 * y) / sqrt(2.0)),
    "logit": _with(lambda p: np.log(p / (1.0 - p))),
    "log_expit": _with(lambda x: -np.logaddexp(0.0, -x)),
    "exp10": _with(lambda x: 10.0**x),
    "exprel": _with(lambda x: np.where(x == 0.0, 1.0, np.expm1(x) / x)),
    "cosm1": _with(lambda x: -2.0 * np.sin(0.5 * x) ** 2),
    "xlogy": _with(_times_log),
    "xlog1py": _with(_times_log1p),
    "entr": _with(lambda x: np.where(x < 0.0, -np.inf, -_times_log(x, x))),
    "rgamma": _with(lambda x: 1.0 / operation("gamma", x)),
    "beta": _with(_beta),
    "betaln": _with(_betaln),
    "binom": _with(lambda n, k: 1.0 / ((n + 1.0) * _beta(1.0 + n - k, 1.0 + k))),
    "eval_legendre": _polynomial(lambda k: ((2 * k + 1) / (k + 1), 0.0, k / (k + 1)), 1.0),
    "eval_chebyt": _polynomial(lambda k: (2.0, 0.0, 1.0), 1.0),
    "eval_chebyu": _polynomial(lambda k: (2.0, 0.0, 1.0), 2.0),
    "eval_hermite": _polynomial(lambda k: (2.0, 0.0, 2.0 * k), 2.0),
    "eval_hermitenorm": _polynomial(lambda k: (1.0, 0.0, k), 1.0),
    "eval_laguerre": _polynomial(
        lambda k: (-1 / (k + 1), (2 * k + 1) / (k + 1), k / (k + 1)), -1.0, 1.0
    ),
    "eval_genlaguerre": _polynomial(
        lambda k, a: (-1 / (k + 1), (2 * k + 1 + a) / (k + 1), (k + a) / (k + 1)),
        -1.0,
        lambda a: 1.0 + a,
    ),
}  # fmt: skip


def _spherical(name: str, factor: float, odd: int) -> Recorded:
    """Return a spherical Bessel function of real numbers, by the one of half an order more.

    It is odd for orders n of which n + `odd` is odd, and finite at 0 unless `odd` is 1.
    """

    def called(n: Any, z: Any, derivative: bool = False) -> Any:
        # The reason why this is refused tells more than that of a call without substitutes.
        z.recorder.converts = True
        if derivative or isinstance(n, Placeholder) or n != int(n):
            z.recorder.refuse("a derivative of a spherical Bessel function, or one of any order")
        size = np.where(z == 0.0, 1.0, abs(z))
        value = np.sqrt(factor / size) * operation(name, n + 0.5, size)
        if (n + odd) % 2:
            value = np.where(z < 0.0, -value, value)
        return np.where(z == 0.0, -np.inf if odd else float(n == 0), value)

    return called


# Functions of scipy.special that are written in Python.
FUNCTIONS: dict[str, Recorded] = {
    "factorial": lambda x, exact=False: np.where(x < 0.0, 0.0, operation("gamma", x + 1.0)),
    "spherical_jn": _spherical("jv", 0.5 * pi, 0),
    "spherical_yn": _spherical("yv", 0.5 * pi, 1),
    "spherical_in": _spherical("iv", 0.5 * pi, 0),
}
