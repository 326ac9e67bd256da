"""Quantiles of Student's t and of Fisher's F, to double precision."""

from collections.abc import Callable
from functools import lru_cache
from math import exp, inf, lgamma, log, nextafter, pi, sqrt
from statistics import NormalDist

_HALF_LOG_2PI = 0.5 * log(2.0 * pi)
# B_2k / (2k (2k - 1)), Stirling's series.
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)


@lru_cache(maxsize=256)
def t_factor(level: float, dof: float) -> float:
    """Return the t that ``|T|`` does not exceed with probability `level`.

    Parameters
    ----------
    level : float
        Between 0 and 1.
    dof : float
        Degrees of freedom of Student's T, positive; inf for the normal distribution.

    Examples
    --------
    >>> from lmoo.results.distributions import t_factor
    >>> round(t_factor(0.95, 12), 9), round(t_factor(0.95, float("inf")), 9)
    (2.17881283, 1.959963985)
    """
    if dof == inf:
        return -NormalDist().inv_cdf(0.5 * (1.0 - level))
    return sqrt(f_exceeded(1.0 - level, 1.0, dof))


def f_exceeded(q: float, d1: float, d2: float) -> float:
    """Return the value that Fisher's F exceeds with probability q.

    Parameters
    ----------
    q : float
        Between 0 and 1.
    d1, d2 : float
        Degrees of freedom of numerator and denominator, positive and finite.

    Notes
    -----
    ``P(F > f) = I_x(d2 / 2, d1 / 2)`` with x = d2 / (d2 + d1 f).  The logarithm of this equation is
    solved for log f.  It is monotone in log f, and nearly linear or quadratic in both tails.

    Examples
    --------
    >>> from lmoo.results.distributions import f_exceeded
    >>> round(f_exceeded(0.05, 2, 12), 9)
    3.885293835
    """
    a, b, target = 0.5 * d2, 0.5 * d1, log(q)

    def excess(u: float) -> tuple[float, float]:
        # x and 1 - x are computed separately: a difference would lose the smaller one.
        odds = d1 / d2 * exp(u)
        x, y = 1.0 / (1.0 + odds), odds / (1.0 + odds)
        tail = incomplete_beta(a, b, x, y)
        slope = -_prefactor(a, b, x, y) / tail if tail > 0.0 else -inf
        return (log(tail) if tail > 0.0 else -inf) - target, slope

    return exp(_decreasing_root(excess))


def _decreasing_root(function: Callable[[float], tuple[float, float]]) -> float:
    """Return the root of a decreasing function by Newton's method within a bracket.

    function: returns its value and its slope
    """
    low, high = -1.0, 1.0
    while function(low)[0] < 0.0:
        low *= 2.0
    while function(high)[0] > 0.0:
        high *= 2.0
    u = 0.5 * (low + high)
    for _ in range(200):
        value, slope = function(u)
        low, high = (u, high) if value > 0.0 else (low, u)
        step = value / slope if slope < 0.0 else inf
        following = u - step
        if not low < following < high:
            following = 0.5 * (low + high)
        if abs(following - u) <= 1e-16 * max(abs(u), 1.0) or nextafter(low, high) >= high:
            return following
        u = following
    return u


def incomplete_beta(a: float, b: float, x: float, y: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b); y is 1 - x.

    It is computed by the continued fraction of Didonato and Morris (1992), "Algorithm 708",
    equation 9, for I_x(a, b) or for 1 - I_y(b, a), whichever converges faster.
    """
    if x <= a / (a + b):
        return _prefactor(a, b, x, y) * _fraction(a, b, x, y)
    return 1.0 - _prefactor(b, a, y, x) * _fraction(b, a, y, x)


def _fraction(a: float, b: float, x: float, y: float) -> float:
    """Return I_x(a, b) B(a, b) / (x^a y^b), for x up to a / (a + b).

    1 / (beta_0 + alpha_1 / (beta_1 + alpha_2 / (beta_2 + ...))) in Lentz' form.
    """
    # a - (a + b) x, from the smaller one of x and y.
    excess = a - (a + b) * x if x < y else (a + b) * y - b
    c = a * (excess + 1.0) / (a + 1.0)
    d, value = 0.0, c
    for n in range(1, 100_000):
        place = a + 2 * n - 1
        alpha = (a + n - 1) * (a + b + n - 1) * n * (b - n) * (x / place) ** 2
        beta = n + n * (b - n) * x / place + (a + n) * (excess + 1.0 + n * (1.0 + y)) / (place + 2)
        d = 1.0 / (beta + alpha * d)
        c = beta + alpha / c
        value *= c * d
        if abs(c * d - 1.0) <= 1e-16:
            break
    return 1.0 / value


def _prefactor(a: float, b: float, x: float, y: float) -> float:
    """Return x^a y^b / B(a, b), from the deviance of the binomial distribution.

    This avoids differences of large logarithms (Loader 2000, "Fast and accurate computation of
    binomial probabilities").
    """
    n = a + b
    if x <= 0.0 or y <= 0.0:
        return 0.0
    exponent = _stirling_error(n) - _stirling_error(a) - _stirling_error(b)
    exponent -= _deviance(a, n * x) + _deviance(b, n * y)
    return sqrt(a * b / (2.0 * pi * n)) * exp(exponent)


def _stirling_error(z: float) -> float:
    """Return log Gamma(z + 1) minus Stirling's (z + 1/2) log z - z + log(2 pi) / 2."""
    if z < 15.0:
        return lgamma(z + 1.0) - (z + 0.5) * log(z) + z - _HALF_LOG_2PI
    total, power = 0.0, 1.0 / z
    for coefficient in _STIRLING:
        total += coefficient * power
        power /= z * z
    return total


def _deviance(k: float, mean: float) -> float:
    """Return k log(k / mean) + mean - k, accurately also for k close to the mean."""
    difference = (mean - k) / k
    if abs(difference) > 0.1:
        return k * log(k / mean) + mean - k
    # d - log(1 + d) by the series of log(1 + d) = 2 artanh(v), v = d / (2 + d).
    v = difference / (2.0 + difference)
    total, power, j = 0.0, v * v, 3
    term = v * power / j
    while total + term != total:
        total += term
        power *= v * v
        j += 2
        term = v * power / j
    return k * (v * difference - 2.0 * total)
