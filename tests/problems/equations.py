"""Problems 4 to 7: small systems of equations."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math

import numpy as np

from problems.arithmetic import Array


def rosenbrock(x: Array, m: int) -> Array:
    """f = (10 (x2 - x1^2), 1 - x1)."""
    return np.array([10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]])


def rosenbrock_jac(x: Array, m: int) -> Array:
    return np.array([[-20.0 * x[0], 10.0], [-1.0, 0.0]])


def helical_valley(x: Array, m: int) -> Array:
    """f = (10 (x3 - 10 theta), 10 (r - 1), x3), 2 pi theta and r polar in (x1, x2).

    theta lies in (-1/4, 3/4): its cut is the negative half of the x2 axis.
    """
    if x[0] == 0.0:
        theta = np.copysign(0.25, x[1])
    else:
        theta = math.atan(x[1] / x[0]) / (8.0 * math.atan(1.0)) + (0.5 if x[0] < 0.0 else 0.0)
    r = np.sqrt(x[0] * x[0] + x[1] * x[1])
    return np.array([10.0 * (x[2] - 10.0 * theta), 10.0 * (r - 1.0), x[2]])


def helical_valley_jac(x: Array, m: int) -> Array:
    r2 = x[0] * x[0] + x[1] * x[1]
    a, r = 8.0 * math.atan(1.0) * r2, np.sqrt(r2)
    return np.array(
        [
            [100.0 * x[1] / a, -100.0 * x[0] / a, 10.0],
            [10.0 * x[0] / r, 10.0 * x[1] / r, 0.0],
            [0.0, 0.0, 1.0],
        ]
    )


def powell_singular(x: Array, m: int) -> Array:
    """f = (x1 + 10 x2, sqrt(5) (x3 - x4), (x2 - 2 x3)^2, sqrt(10) (x1 - x4)^2)."""
    u, v = x[1] - 2.0 * x[2], x[0] - x[3]
    return np.array(
        [x[0] + 10.0 * x[1], math.sqrt(5.0) * (x[2] - x[3]), u * u, math.sqrt(10.0) * (v * v)]
    )


def powell_singular_jac(x: Array, m: int) -> Array:
    u = 2.0 * (x[1] - 2.0 * x[2])
    v = 2.0 * math.sqrt(10.0) * (x[0] - x[3])
    s = math.sqrt(5.0)
    return np.array(
        [[1.0, 10.0, 0.0, 0.0], [0.0, 0.0, s, -s], [0.0, u, -2.0 * u, 0.0], [v, 0.0, 0.0, -v]]
    )


def freudenstein_roth(x: Array, m: int) -> Array:
    """f = (-13 + x1 + ((5 - x2) x2 - 2) x2, -29 + x1 + ((1 + x2) x2 - 14) x2)."""
    return np.array(
        [
            -13.0 + x[0] + ((5.0 - x[1]) * x[1] - 2.0) * x[1],
            -29.0 + x[0] + ((1.0 + x[1]) * x[1] - 14.0) * x[1],
        ]
    )


def freudenstein_roth_jac(x: Array, m: int) -> Array:
    return np.array(
        [
            [1.0, x[1] * (10.0 - 3.0 * x[1]) - 2.0],
            [1.0, x[1] * (2.0 + 3.0 * x[1]) - 14.0],
        ]
    )
