"""Special functions to double precision, for arrays, without scipy."""

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np


def _unpacked(value: Any) -> Any:
    """Return an array, or a scalar instead of an array without dimensions; numpy is faster then."""
    return value[()]


def _vectorized(function: Callable[[float], float], pole: float) -> Callable[[Any], Any]:
    """Return a function of `math` for arrays: `pole` where it is undefined, inf on overflow."""

    def one(x: float) -> float:
        try:
            return function(x)
        except ValueError:
            return pole
        except OverflowError:
            return math.inf

    every = np.frompyfunc(one, 1, 1)

    def vectorized(x: Any) -> Any:
        return _unpacked(np.asarray(every(x), dtype=np.float64))

    return vectorized


def _gamma(x: float) -> float:
    """Return the function gamma, with signs where it is infinite next to 0."""
    if abs(x) >= sys.float_info.min:
        return math.gamma(x)
    return 1.0 / x if x else math.copysign(math.inf, x)


erf = _vectorized(math.erf, math.nan)
erfc = _vectorized(math.erfc, math.nan)
gamma = _vectorized(_gamma, math.nan)
gammaln = _vectorized(math.lgamma, math.inf)

# B_2k / 2k, the coefficients of the asymptotic series of digamma.
_DIGAMMA = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
_LARGE = 10


def _large(
    z: Any, term: Callable[[Any], Any], coefficients: tuple[float, ...]
) -> tuple[Any, Any, Any]:
    """Return z + k of 10 or more, the sum of the k terms up to it, and the series there."""
    sum_ = np.zeros_like(z)
    for _ in range(_LARGE):
        small = z < _LARGE
        sum_ = np.where(small, sum_ + term(z), sum_)
        z = np.where(small, z + 1.0, z)
    square = 1.0 / (z * z)
    series = np.zeros_like(z)
    for coefficient in reversed(coefficients):
        series = (series + coefficient) * square
    return z, sum_, series


def digamma(x: Any) -> Any:
    """Return the derivative of `gammaln`; at its poles infinite for 0, nan for -1, -2, ...

    The asymptotic series from 10 on, the recurrence below, and the reflection below 1/2
    (Abramowitz, Stegun 1964, "Handbook of mathematical functions", 6.3.18, 6.3.5, 6.3.7).

    Examples
    --------
    >>> from lmoo.models.graph.special import digamma
    >>> float(digamma(1.0).round(9))  # minus Euler's constant
    -0.577215665
    """
    x = np.asarray(x, dtype=np.float64)
    reflected = x < 0.5
    z, sum_, series = _large(np.where(reflected, 1.0 - x, x), lambda z: -1.0 / z, _DIGAMMA)
    value = sum_ + np.log(z) - 0.5 / z - series
    # -0.0 - -0.0 is 0.0.
    turn = np.pi * np.where(x == 0.0, x, x - np.round(x))
    # nan at the poles but 0; only reflected arguments need the tangent.
    tangent = np.tan(np.where(reflected & ((turn != 0.0) | (x == 0.0)), turn, np.nan))
    with np.errstate(divide="ignore"):
        return _unpacked(np.where(reflected, value - np.pi / tangent, value))


# B_2k, those of trigamma.
_TRIGAMMA = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)


def trigamma(x: Any) -> Any:
    """Return the derivative of `digamma`; inf at its poles 0, -1, -2, ...

    As `digamma` (Abramowitz, Stegun 1964, 6.4.12, 6.4.6, 6.4.7).

    Examples
    --------
    >>> from lmoo.models.graph.special import trigamma
    >>> float(trigamma(1.0).round(9))  # pi^2/6
    1.644934067
    """
    x = np.asarray(x, dtype=np.float64)
    reflected = x < 0.5
    z, sum_, series = _large(np.where(reflected, 1.0 - x, x), lambda z: 1.0 / (z * z), _TRIGAMMA)
    value = sum_ + (1.0 + 0.5 / z + series) / z
    with np.errstate(divide="ignore"):
        root = np.pi / np.sin(np.pi * (x - np.round(x)))
    return _unpacked(np.where(reflected, root * root - value, value))


def expit(x: Any) -> Any:
    """Return the logistic function ``1/(1 + exp(-x))``."""
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-np.asarray(x, dtype=np.float64)))


# The asymptotic series is used from here on; erfc is accurate below.
_ERFCX_FAR = 25.0


def erfcx(x: Any) -> Any:
    """Return ``exp(x^2) erfc(x)``.

    Examples
    --------
    >>> from lmoo.models.graph.special import erfcx
    >>> float(erfcx(1.0).round(9))
    0.427583576
    """
    x = np.asarray(x, dtype=np.float64)
    size = np.abs(x)
    near = np.minimum(size, _ERFCX_FAR)
    # The square is split into a high and a low part, because its rounding error matters in exp.
    high = np.float64(np.float32(near)) if near.ndim == 0 else near.astype(np.float32).astype(float)
    grown = np.exp(high * high) * np.exp((near - high) * (near + high))
    s = 0.5 / np.square(np.maximum(size, _ERFCX_FAR))
    series = 1.0 - s * (1.0 - 3.0 * s * (1.0 - 5.0 * s * (1.0 - 7.0 * s)))
    with np.errstate(all="ignore"):
        far = series / (np.sqrt(np.pi) * np.maximum(size, _ERFCX_FAR))
        value = np.where(size < _ERFCX_FAR, grown * erfc(near), far)
        both = np.exp(np.where(size < _ERFCX_FAR, 0.0, size * size))
        both = np.where(size < _ERFCX_FAR, grown, both)
        return _unpacked(np.where(x < 0.0, 2.0 * both - value, value))


def i0(x: Any) -> Any:
    """Return the modified Bessel function I0, by numpy."""
    return _unpacked(np.asarray(np.i0(x), dtype=np.float64))


# Up to here the midpoint rule is exact to double precision, from here on the asymptotic series is.
_FAR = 30.0


def i1(x: Any) -> Any:
    """Return the modified Bessel function I1, the derivative of I0.

    ``2/pi`` times the integral of ``sinh(x cos u) cos u`` from 0 to pi/2, by the midpoint rule,
    which converges geometrically for periodic functions (Trefethen, Weideman 2014, SIAM Review 56,
    385), with nothing but positive terms; and the asymptotic series (Abramowitz, Stegun 9.7.1) for
    large arguments.

    Examples
    --------
    >>> from lmoo.models.graph.special import i1
    >>> float(i1(1.0).round(9))
    0.565159104
    """
    x = np.asarray(x, dtype=np.float64)
    size = np.abs(x)
    near = np.minimum(size, _FAR)
    nodes = np.cos((np.arange(32) + 0.5) * (np.pi / 64))
    integral = np.zeros_like(near)
    for node in nodes:
        integral = integral + node * np.sinh(near * node)
    far = np.maximum(size, _FAR)
    term = np.ones_like(far)
    series = np.ones_like(far)
    for k in range(1, 26):
        term = term * ((2 * k - 1) ** 2 - 4) / (8 * k * far)
        series = series + term
    # In halves, as exp overflows before the function does.
    half = np.exp(0.5 * far)
    value = np.where(size < _FAR, integral / 32, half * (half * series / np.sqrt(2 * np.pi * far)))
    return _unpacked(np.copysign(value, x))


# Below, the midpoint rule for Bessel's integral is exact to double precision; above, Hankel's
# expansion is.
_BESSEL_FAR = 25.0
_ANGLES = (np.arange(64) + 0.5) * (np.pi / 128)


def j0(x: Any) -> Any:
    """Return the Bessel function J0.

    ``2/pi`` times the integral of ``cos(x sin u)`` from 0 to pi/2, by the midpoint rule; for large
    arguments Hankel's expansion (Abramowitz, Stegun 9.1.18, 9.2.5).

    Examples
    --------
    >>> from lmoo.models.graph.special import j0
    >>> float(j0(1.0).round(9))
    0.765197687
    """
    return _bessel(x, 0)


def j1(x: Any) -> Any:
    """Return the Bessel function J1, minus the derivative of J0; as `j0`.

    Examples
    --------
    >>> from lmoo.models.graph.special import j1
    >>> float(j1(1.0).round(9))
    0.440050586
    """
    return _bessel(x, 1)


def _bessel(x: Any, order: int) -> Any:
    """Return J0 or J1."""
    x = np.asarray(x, dtype=np.float64)
    size = np.abs(x)
    near = np.minimum(size, _BESSEL_FAR)
    mean = np.zeros_like(near)
    for s in np.sin(_ANGLES):
        mean = mean + (np.cos(near * s) if order == 0 else s * np.sin(near * s))
    value = np.where(size < _BESSEL_FAR, mean / 64, _hankel(size, order))
    return _unpacked(value if order == 0 else value * np.sign(x))


def _hankel(x: Any, order: int) -> Any:
    """Return J0 or J1 of large arguments: ``sqrt(2/(pi x)) (P cos(chi) - Q sin(chi))``."""
    z = np.maximum(x, _BESSEL_FAR)
    term, p, q = np.ones_like(z), np.ones_like(z), np.zeros_like(z)
    for k in range(1, 25):
        term = term * (4 * order**2 - (2 * k - 1) ** 2) / (8 * k * z)
        sign = (1, 1, -1, -1)[k % 4]
        p, q = (p + sign * term, q) if k % 2 == 0 else (p, q + sign * term)
    with np.errstate(invalid="ignore"):
        c, s = np.cos(z), np.sin(z)
    # cos and sin of z - pi/4, or of z - 3 pi/4, times sqrt(2).
    cosine, sine = (c + s, s - c) if order == 0 else (s - c, -(s + c))
    return np.where(np.isinf(x), 0.0, (p * cosine - q * sine) / np.sqrt(np.pi * z))


_NODES = 11
_SPACING = np.sqrt(np.pi / (_NODES + 1))


def _wofz(x: Any, y: Any) -> Any:
    """Return the Faddeeva function ``exp(-z^2) erfc(-i z)``, z = x + i y.

    The trapezium and midpoint rules with the contribution of the pole (Al Azah, Chandler-Wilde
    2021, "Computation of the complex error function using modified trapezoidal rules", SIAM J.
    Numer. Anal. 59), in the first quadrant; by symmetry in the others.
    """
    x, y = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
    a, b = np.abs(x), np.abs(y)
    h = _SPACING
    z = a + 1j * b
    with np.errstate(all="ignore"):
        square = z * z
        middle = sum(
            np.exp(-t * t) / (square - t * t) for t in (np.arange(_NODES + 1) + 0.5) * h
        ) * (2j * h / np.pi * z)
        ends = sum(np.exp(-t * t) / (square - t * t) for t in np.arange(1, _NODES + 1) * h) * (
            2j * h / np.pi * z
        ) + 1j * h / (np.pi * z)
        far = b >= np.pi / h
        turn = np.exp(-2j * np.pi / h * np.where(far, 0.0, z))
        gauss = 2.0 * np.exp(-np.where(far, 0.0, square))
        fraction = a / h - np.floor(a / h)
        trapezium = (b < a) & (fraction >= 0.25) & (fraction <= 0.75)
        pole = np.where(far, 0.0, gauss / np.where(trapezium, 1.0 - turn, 1.0 + turn))
        w = np.where(trapezium, ends, middle) + pole
        w = np.where(np.isinf(a) | np.isinf(b), 0.0, w)
        # w(-conj z) = conj w(z), w(-z) = 2 exp(-z^2) - w(z)
        w = np.where(y < 0.0, 2.0 * np.exp(-square) - w, w)
    # Here w is that of z in the first quadrant, or of -z in the third.
    return np.where((x < 0.0) ^ (y < 0.0), np.conj(w), w)


def wofz_real(x: Any, y: Any) -> Any:
    """Return the real part of the Faddeeva function at x + i y, the Voigt function.

    Examples
    --------
    >>> from lmoo.models.graph.special import wofz_imag, wofz_real
    >>> float(wofz_real(1.0, 0.5).round(9)), float(wofz_imag(1.0, 0.5).round(9))
    (0.354900333, 0.342871719)
    """
    return _unpacked(_wofz(x, y).real)


def wofz_imag(x: Any, y: Any) -> Any:
    """Return the imaginary part of the Faddeeva function at x + i y."""
    return _unpacked(_wofz(x, y).imag)
