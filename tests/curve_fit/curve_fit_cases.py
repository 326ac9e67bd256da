"""The curve that the tests of `curve_fit` fit, and its solution."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import lmoo

T = np.linspace(0.0, 4.0, 20)


def decay(t: Any, a: float, b: float, c: float) -> Any:
    return a * np.exp(-b * t) + c


def slopes(t: Any, a: float, b: float, c: float) -> Any:
    e = np.exp(-b * t)
    return np.stack([e, -a * t * e, np.ones_like(t)], axis=1)


def line(t: Any, a: float, b: float) -> Any:
    return a * t + b


Y = decay(T, 2.5, 1.3, 0.5) + 0.01 * np.random.default_rng(1).standard_normal(20)
SIGMA = np.linspace(0.01, 0.03, 20)
COVARIANCE = 1e-4 * np.exp(-np.abs(T[:, None] - T))


@functools.cache
def solution() -> tuple[np.ndarray, np.ndarray]:
    result = lmoo.Solver().solve(lmoo.CurveProblem(decay, T, Y, jac=slopes), [1, 1, 0])
    return result.x, result.covariance()


def check(answer: tuple[Any, ...]) -> None:
    """The tuple is that of the plain fit of `decay`."""
    x, covariance = solution()
    np.testing.assert_allclose(answer[0], x, rtol=1e-8)
    np.testing.assert_allclose(answer[1], covariance, rtol=1e-5)


def holes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    t, y = T.copy(), Y.copy()
    y[3] = t[5] = np.nan
    return t, y, np.delete(np.arange(20), [3, 5])
