"""Functions and data of the tests of `least_squares`."""

from __future__ import annotations

import numpy as np

Array = np.ndarray
START = np.array([-1.2, 1.0])
TIGHT = {"ftol": 1e-14, "xtol": 1e-14, "gtol": 1e-14}
T = np.linspace(0.0, 4.0, 200)


def rosenbrock(x: Array) -> Array:
    return np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]])


def rosenbrock_jacobian(x: Array) -> Array:
    return np.array([[-20.0 * x[0], 10.0], [-1.0, 0.0]])


def curve(x: Array) -> Array:
    return np.asarray(x[0] * np.exp(-x[1] * T) + x[2] - Y)


def curve_jacobian(x: Array) -> Array:
    e = np.exp(-x[1] * T)
    return np.stack([e, -x[0] * T * e, np.ones_like(T)], axis=1)


def _data() -> Array:
    rng = np.random.default_rng(3)
    y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.02 * rng.standard_normal(T.size)
    y[rng.choice(T.size, 20, replace=False)] += rng.standard_normal(20)
    return y


Y = _data()
