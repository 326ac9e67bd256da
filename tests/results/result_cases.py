"""Fits that the tests of `Result` share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lmoo import FunctionProblem, Problem, Solver

T = np.linspace(0.0, 2.0, 12)
Y = 2.0 * np.exp(-1.3 * T) + 0.05 * np.cos(7.0 * T)
START = (1.0, 1.0)


class Decay(Problem):
    parameter_names = ("amplitude", "rate")

    def residual(self, x: np.ndarray) -> np.ndarray:
        return x[0] * np.exp(-x[1] * T) - Y

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        e = np.exp(-x[1] * T)
        return np.column_stack([e, -x[0] * T * e])


def linear(A: np.ndarray, y: np.ndarray, analytic: bool = True) -> FunctionProblem:
    """A problem whose answers can be had from linear algebra."""
    return FunctionProblem(lambda x: A @ x - y, (lambda x: A) if analytic else None)


ANALYTIC = pytest.mark.parametrize("analytic", [True, False], ids=["analytic", "differences"])


def solved(seed: int = 0, m: int = 10, n: int = 3, analytic: bool = True) -> Any:
    """A linear fit with its matrix, data and result."""
    random = np.random.default_rng(seed)
    A, y = random.normal(size=(m, n)), random.normal(size=m)
    return A, y, Solver().solve(linear(A, y, analytic), np.ones(n))
