"""Fits whose statistics the tests know."""

from __future__ import annotations

from typing import Any

import numpy as np

from lmoo import CurveProblem, FunctionProblem, Result, Solver

T = np.linspace(0.0, 2.0, 12)
Y = 2.0 * np.exp(-1.3 * T) + 0.05 * np.cos(7.0 * T)
SIGMA = 0.02 + 0.03 * T


def decay(t: Any, amplitude: float, rate: float) -> Any:
    return amplitude * np.exp(-rate * t)


def decay_slopes(t: Any, amplitude: float, rate: float) -> Any:
    e = np.exp(-rate * t)
    return np.column_stack([e, -amplitude * t * e])


def fitted(**options: Any) -> Result:
    return Solver().solve(CurveProblem(decay, T, Y, **options), [1.0, 1.0])


def straight(A: np.ndarray, y: np.ndarray, **options: Any) -> Result:
    """A linear fit, whose statistics are those of textbooks."""
    problem = FunctionProblem(lambda x: A @ x - y, lambda x: A)
    return Solver(**options).solve(problem, np.ones(A.shape[1]))


def random_fit(seed: int = 0, m: int = 10, n: int = 3, **options: Any) -> Any:
    random = np.random.default_rng(seed)
    A, y = random.normal(size=(m, n)), random.normal(size=m)
    return A, y, straight(A, y, **options)


PLAIN = FunctionProblem(lambda x: decay(T, *x) - Y)
