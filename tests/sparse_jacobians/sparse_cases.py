"""Problems with sparse Jacobians for the tests."""

from __future__ import annotations

from typing import Any

import numpy as np

import lmoo

Array = np.ndarray[Any, np.dtype[np.float64]]


def chained(x: Array) -> Array:
    """Return the residuals of the chained Rosenbrock function."""
    return np.concatenate([10 * (x[1:] - x[:-1] ** 2), 1 - x[:-1]])


def chained_jacobian(x: Array) -> Array:
    """Return their derivatives."""
    n = x.size
    top = np.zeros((n - 1, n))
    k = np.arange(n - 1)
    top[k, k], top[k, k + 1] = -20 * x[:-1], 10.0
    return np.concatenate([top, -np.eye(n - 1, n)])


def chained_pattern(n: int) -> Array:
    """Return which derivatives may be nonzero."""
    return np.concatenate([np.eye(n - 1, n) + np.eye(n - 1, n, k=1), np.eye(n - 1, n)])


class Counting(lmoo.Problem):
    """Curves of one rate with an amplitude each; it counts its calls."""

    def __init__(self, curves: int, kind: Any = None, noise: float = 0.01) -> None:
        rng = np.random.default_rng(3)
        self.t, self.curves, self.kind = np.linspace(0.0, 3.0, 12), curves, kind
        amplitudes = rng.uniform(1.0, 3.0, curves)
        self.y = np.outer(amplitudes, np.exp(-0.8 * self.t))
        self.y += noise * rng.standard_normal(self.y.shape)
        self.start = np.ones(curves + 1)
        self.calls = self.jacobians = 0
        self.parameter_names = ("rate", *(f"a{k}" for k in range(curves)))
        if kind is None:
            self.jacobian = None  # type: ignore[method-assign,assignment]

    def residual(self, x: Array) -> Array:
        self.calls += 1
        return np.asarray((np.outer(x[1:], np.exp(-x[0] * self.t)) - self.y).ravel())

    def dense(self, x: Array) -> Array:
        """Return the derivatives as an array."""
        e = np.exp(-x[0] * self.t)
        out = np.zeros((self.curves, self.t.size, self.curves + 1))
        out[:, :, 0] = -np.outer(x[1:], self.t * e)
        out[np.arange(self.curves), :, np.arange(self.curves) + 1] = e
        return out.reshape(-1, self.curves + 1)

    def jacobian(self, x: Array) -> Any:
        self.jacobians += 1
        return self.kind(self.dense(x))
