"""Fits that the tests of profile likelihood share."""

from __future__ import annotations

from typing import Any

import numpy as np

from lmoo import FunctionProblem, Result, Solver

T = np.linspace(0.0, 2.0, 12)
Y = 2.0 * np.exp(-1.3 * T) + 0.05 * np.cos(7.0 * T)


def decay(t: Any, amplitude: float, rate: float) -> Any:
    return amplitude * np.exp(-rate * t)


def random_fit(seed: int = 0, m: int = 10, n: int = 3, **options: Any) -> Result:
    random = np.random.default_rng(seed)
    A, y = random.normal(size=(m, n)), random.normal(size=m)
    return Solver(**options).solve(FunctionProblem(lambda x: A @ x - y), np.ones(n))


def sum_of_squares(result: Result, j: int, value: float) -> float:
    """What the profile is of, by small steps from the best point."""
    x = result.x
    for share in np.linspace(0.0, 1.0, 6)[1:]:
        held = {j: result.x[j] + share * (value - result.x[j])}
        found = Solver(fixed=held).solve(result.problem, x)
        x = found.x
    return 2.0 * found.cost
