"""Bounds that are infinite or None."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bound_cases import JACOBIANS, STEP

import lmoo
from lmoo import FunctionProblem, Solver


@STEP
@pytest.mark.parametrize("jacobian", [*JACOBIANS[:4], lmoo.ComplexStep()], ids=repr)
@pytest.mark.parametrize(
    ("f", "slope", "solution"),
    [
        (np.log, lambda x: 1.0 / x, 1e-3),
        (lambda x: 1.0 / x, lambda x: -1.0 / x**2, 1e-3),
        (lambda x: x * np.log(x), lambda x: np.log(x) + 1.0, 1e-3),
    ],
    ids=["log", "reciprocal", "x log x"],
)
@pytest.mark.parametrize("start", [0.1, 0.3])
def test_a_bound_without_a_value_is_not_the_end(
    start: float, f: Any, slope: Any, solution: float, jacobian: Any, step: Any
) -> None:
    """A solve that steps onto the bound finds the solution in the interior all the same."""
    seen: list[float] = []

    def residual(x: np.ndarray) -> np.ndarray:
        seen.append(float(np.real(x[0])))
        with np.errstate(all="ignore"):
            return np.array([f(x[0]) - f(solution), 0.0])

    def jacobian_of(x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.array([[slope(x[0])], [0.0]])

    problem = FunctionProblem(residual, jacobian_of, bounds=(0.0, 1.0))
    result = Solver(jacobian=jacobian, step=step).solve(problem, [start])
    assert result.success
    assert min(seen) >= 0.0
    np.testing.assert_allclose(result.x, solution, rtol=1e-6)
    assert result.active_mask[0] == 0


@pytest.mark.parametrize("step", [lmoo.More(), lmoo.GeodesicAcceleration()], ids=repr)
@pytest.mark.parametrize("jacobian", JACOBIANS[:4], ids=repr)
@pytest.mark.parametrize("start", [0.1, 0.3, 1.0])
def test_a_bound_without_a_slope_is_not_the_end(start: float, jacobian: Any, step: Any) -> None:
    def slope(x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.array([0.5 / np.sqrt(x), [0.0]])

    problem = FunctionProblem(
        lambda x: np.array([np.sqrt(x[0]) - 1e-3, 0.0]), slope, bounds=(0.0, 1.0)
    )
    result = Solver(jacobian=jacobian, step=step).solve(problem, [start])
    assert result.success
    np.testing.assert_allclose(result.x, 1e-6, rtol=1e-6)
