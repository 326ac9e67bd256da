"""Small problems that many tests use."""

import numpy as np

T = np.linspace(0.0, 2.0, 9)
# A residual remains: there is no exact solution.
Y = 2.0 * np.exp(-1.3 * T) + 0.01 * np.cos(7.0 * T)
START = (1.0, 1.0)


def decay(p: np.ndarray) -> np.ndarray:
    return p[0] * np.exp(-p[1] * T) - Y


def decay_jacobian(p: np.ndarray) -> np.ndarray:
    e = np.exp(-p[1] * T)
    return np.column_stack([e, -p[0] * T * e])


def decay_jacobian_t(p: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(decay_jacobian(p).T)


def rosenbrock(p: np.ndarray) -> np.ndarray:
    return np.array([10.0 * (p[1] - p[0] ** 2), 1.0 - p[0]])


def rosenbrock_jacobian(p: np.ndarray) -> np.ndarray:
    return np.array([[-20.0 * p[0], 10.0], [-1.0, 0.0]])
