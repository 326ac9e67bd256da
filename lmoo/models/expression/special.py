"""Special functions to double precision, for arrays, without scipy."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["digamma", "erf", "erfc", "gamma", "i0", "i1", "lgamma"]


def _unpacked(value: Any) -> Any:
    """Return an array, or the scalar in one without dimensions, with which numpy is faster."""
    return value[()]


def _vectorized(function: Callable[[float], float], pole: float) -> Callable[[Any], Any]:
    """Make a function of `math` one of arrays: `pole` where it has no value, inf on overflow."""

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


erf = _vectorized(math.erf, math.nan)
erfc = _vectorized(math.erfc, math.nan)
gamma = _vectorized(math.gamma, math.nan)
lgamma = _vectorized(math.lgamma, math.inf)

# B_2k / 2k, the coefficients of the asymptotic series of digamma.
_DIGAMMA = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
_LARGE = 10


def digamma(x: Any) -> Any:
    """Return the derivative of `lgamma`; nan at its poles 0, -1, -2, ...

    The asymptotic series from 10 on, the recurrence below, and the reflection below 1/2
    (Abramowitz, Stegun 1964, "Handbook of mathematical functions", 6.3.18, 6.3.5, 6.3.7).

    Parameters
    ----------
    x : array_like of float64

    Returns
    -------
    float64 array of the shape of x

    Examples
    --------
    >>> from lmoo.models.expression.special import digamma
    >>> float(digamma(1.0).round(9))  # minus Euler's constant
    -0.577215665
    """
    x = np.asarray(x, dtype=np.float64)
    reflected = x < 0.5
    z = np.where(reflected, 1.0 - x, x)
    sum_ = np.zeros_like(z)
    for _ in range(_LARGE):
        small = z < _LARGE
        sum_ = np.where(small, sum_ - 1.0 / z, sum_)
        z = np.where(small, z + 1.0, z)
    square = 1.0 / (z * z)
    series = np.zeros_like(z)
    for coefficient in reversed(_DIGAMMA):
        series = (series + coefficient) * square
    value = sum_ + np.log(z) - 0.5 / z - series
    turn = np.pi * (x - np.round(x))
    # nan at the poles; what is not reflected needs no tangent.
    tangent = np.tan(np.where(reflected & (turn != 0.0), turn, np.nan))
    return _unpacked(np.where(reflected, value - np.pi / tangent, value))


def i0(x: Any) -> Any:
    """Return the modified Bessel function I0, which is numpy's."""
    return _unpacked(np.asarray(np.i0(x), dtype=np.float64))


# From here on the asymptotic series holds double precision, to here the midpoint rule does.
_FAR = 30.0


def i1(x: Any) -> Any:
    """Return the modified Bessel function I1, the derivative of I0.

    ``2/pi`` times the integral of ``sinh(x cos u) cos u`` from 0 to pi/2, by the midpoint rule,
    which converges geometrically for periodic functions (Trefethen, Weideman 2014, SIAM Review 56,
    385), with nothing but positive terms; and the asymptotic series (Abramowitz, Stegun 9.7.1) for
    large arguments.

    Parameters
    ----------
    x : array_like of float64

    Returns
    -------
    float64 array of the shape of x

    Examples
    --------
    >>> from lmoo.models.expression.special import i1
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
