"""Problems 11 to 14: a variable number of residuals."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math

import numpy as np

from problems.arithmetic import Array, exp, indices


def _watson_terms(x: Array) -> tuple[Array, Array, Array]:
    """For t = i/29, i = 1..29: t, sum_j (j-1) t^(j-2) x_j and sum_j t^(j-1) x_j."""
    t = indices(29) / 29.0
    slope = np.zeros(29)
    value = np.zeros(29)
    power, below = np.ones(29), np.zeros(29)
    for j, xj in enumerate(x):
        slope += j * below * xj
        value += power * xj
        power, below = t * power, power
    return t, slope, value


def watson(x: Array, m: int) -> Array:
    """f_i = sum_j (j-1) t^(j-2) x_j - (sum_j t^(j-1) x_j)^2 - 1, t = i/29, i <= 29.

    f_30 = x1, f_31 = x2 - x1^2 - 1.
    """
    _, slope, value = _watson_terms(x)
    return np.concatenate([slope - value * value - 1.0, [x[0], x[1] - x[0] * x[0] - 1.0]])


def watson_jac(x: Array, m: int) -> Array:
    t, _, value = _watson_terms(x)
    jac = np.zeros((31, x.size))
    power = 1.0 / t
    for j in range(x.size):
        jac[:29, j] = power * (j - 2.0 * t * value)
        power = t * power
    jac[29, 0] = 1.0
    jac[30, :2] = -2.0 * x[0], 1.0
    return jac


def box_3d(x: Array, m: int) -> Array:
    """f_i = exp(-t x1) - exp(-t x2) + x3 (exp(-10 t) - exp(-t)), t = i/10."""
    i = indices(m)
    t = i / 10.0
    return exp(-t * x[0]) - exp(-t * x[1]) + (exp(-i) - exp(-t)) * x[2]


def box_3d_jac(x: Array, m: int) -> Array:
    i = indices(m)
    t = i / 10.0
    return np.column_stack([-t * exp(-t * x[0]), t * exp(-t * x[1]), exp(-i) - exp(-t)])


def jennrich_sampson(x: Array, m: int) -> Array:
    """f_i = 2 + 2 i - (exp(i x1) + exp(i x2))."""
    i = indices(m)
    return 2.0 + 2.0 * i - exp(i * x[0]) - exp(i * x[1])


def jennrich_sampson_jac(x: Array, m: int) -> Array:
    i = indices(m)
    return np.column_stack([-i * exp(i * x[0]), -i * exp(i * x[1])])


def _brown_dennis_terms(x: Array, m: int) -> tuple[Array, Array, Array, Array]:
    t = indices(m) / 5.0
    sin = np.array([math.sin(v) for v in t])
    cos = np.array([math.cos(v) for v in t])
    return t, sin, x[0] + t * x[1] - exp(t), x[2] + sin * x[3] - cos


def brown_dennis(x: Array, m: int) -> Array:
    """f_i = (x1 + t x2 - exp(t))^2 + (x3 + x4 sin(t) - cos(t))^2, t = i/5."""
    _, _, a, b = _brown_dennis_terms(x, m)
    return a * a + b * b


def brown_dennis_jac(x: Array, m: int) -> Array:
    t, sin, a, b = _brown_dennis_terms(x, m)
    return np.column_stack([2.0 * a, t * (2.0 * a), 2.0 * b, sin * (2.0 * b)])
