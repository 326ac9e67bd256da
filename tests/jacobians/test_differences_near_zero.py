"""Differences where parameters are zero or close to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ids import stable
from samples import START, decay, decay_jacobian

import lmoo
from lmoo import FunctionProblem, Solver

TINY = [1e-9, -1e-9, 1e-15, 1e-30, 1e-300, 5e-324, 0.0, -0.0]


@pytest.mark.parametrize("x0", TINY)
@pytest.mark.parametrize(
    "strategy",
    [
        None,
        lmoo.ForwardDifference(typical=1.0),
        lmoo.ForwardDifference(refine=False),
        lmoo.CentralDifference(),
        lmoo.CentralDifference(typical=[3.0]),
        lmoo.ComplexStep(),
    ],
    ids=stable,
)
def test_a_parameter_that_starts_near_zero_moves(x0: float, strategy: Any) -> None:
    result = Solver(jacobian=strategy).solve(FunctionProblem(lambda x: x - 3.0), [x0])
    assert result.success
    np.testing.assert_allclose(result.x, [3.0], rtol=1e-9)
    assert result.nfev <= 40


@pytest.mark.parametrize("x0", TINY)
@pytest.mark.parametrize("strategy", [None, lmoo.CentralDifference()], ids=stable)
def test_it_moves_in_company_too(x0: float, strategy: Any) -> None:
    result = Solver(jacobian=strategy).solve(FunctionProblem(decay), [1.5, x0])
    right = Solver().solve(FunctionProblem(decay, decay_jacobian), START)
    assert result.success
    np.testing.assert_allclose(result.x, right.x, rtol=1e-8)


def stationary(x: np.ndarray, seed: int) -> Callable[..., Any]:
    """A fit whose minimum is x to the last bits: its noise is orthogonal to the Jacobian there.

    y = x0 exp(-x1 t) + x2 + x3 t, and the noise has a standard deviation of 0.01.
    """
    t = np.linspace(0.0, 3.0, 30)

    def model(p: np.ndarray) -> np.ndarray:
        return p[0] * np.exp(-p[1] * t) + p[2] + p[3] * t

    e = np.exp(-x[1] * t)
    J = np.column_stack([e, -x[0] * t * e, np.ones_like(t), t])
    Q = np.linalg.qr(J)[0]
    noise = 0.01 * np.random.default_rng(seed).normal(size=t.size)
    noise -= Q @ (Q.T @ noise)
    y = model(x) - (noise - Q @ (Q.T @ noise))
    return lambda p: model(p) - y


def stationary_jacobian(p: np.ndarray) -> np.ndarray:
    t = np.linspace(0.0, 3.0, 30)
    e = np.exp(-p[1] * t)
    return np.column_stack([e, -p[0] * t * e, np.ones_like(t), t])


@pytest.mark.parametrize("end", [0.0, 1e-12, -1e-12, 1e-9, 1e-200], ids=stable)
@pytest.mark.parametrize("start", ["near", "zero", "far"])
@pytest.mark.parametrize(
    ("strategy", "rtol"),
    [
        (None, 1e-6),
        (lmoo.ForwardDifference(typical=1.0), 1e-6),
        (lmoo.ForwardDifference(refine=False), 1e-5),
        (lmoo.CentralDifference(), 1e-6),
        (lmoo.CentralDifference(typical=[2.0, 1.0, 1.0, 1.0]), 1e-6),
        (lmoo.ComplexStep(), 1e-6),
    ],
    ids=stable,
)
def test_a_parameter_that_ends_at_zero_has_the_right_standard_error(
    end: float, start: str, strategy: Any, rtol: float
) -> None:
    goal = np.array([2.0, 1.3, end, 0.5])
    residual = stationary(goal, 1)
    third = {"near": end, "zero": 0.0, "far": 0.7}[start]
    x0 = [1.7, 1.0, third, 0.4]
    right = Solver().solve(FunctionProblem(residual, stationary_jacobian), x0)
    np.testing.assert_allclose(right.x, goal, atol=1e-9)
    result = Solver(jacobian=strategy).solve(FunctionProblem(residual), x0)
    assert result.success
    assert (np.abs(result.x - goal) <= 1e-4 * right.standard_errors).all()
    np.testing.assert_allclose(result.standard_errors, right.standard_errors, rtol=rtol)
    assert result.rank == 4


@pytest.mark.parametrize("strategy", [None, lmoo.CentralDifference()], ids=stable)
def test_a_linear_parameter_that_is_exactly_zero_all_the_way(strategy: Any) -> None:
    # Symmetric data: the offset is 0 at the start, at every step and at the end.
    t = np.arange(-4.0, 5.0)
    noise = 0.1 * np.array([1.0, -2.0, 0.5, 1.5, -2.0, 1.5, 0.5, -2.0, 1.0])
    y = 2.0 * t + noise

    def residual(x: np.ndarray) -> np.ndarray:
        return x[0] + x[1] * t - y

    A = np.column_stack([np.ones_like(t), t])
    result = Solver(jacobian=strategy).solve(FunctionProblem(residual), [0.0, 1.0])
    right = Solver().solve(FunctionProblem(residual, lambda x: A), [0.0, 1.0])
    assert abs(result.x[0]) < 1e-8
    np.testing.assert_allclose(result.standard_errors, right.standard_errors, rtol=1e-7)


@pytest.mark.parametrize("unit", [1e-12, 1e-6, 1e6, 1e12], ids=stable)
@pytest.mark.parametrize("kind", [lmoo.ForwardDifference, lmoo.CentralDifference])
@pytest.mark.parametrize("start", [0.0, 1e-9, 1.0], ids=stable)
def test_typical_makes_any_unit_work_from_zero_on(unit: float, kind: Any, start: float) -> None:
    # The rate is of the order of unit; from 0 nobody could tell.
    def residual(p: np.ndarray) -> np.ndarray:
        return decay(np.array([p[0], p[1] / unit]))

    right = Solver().solve(FunctionProblem(decay, decay_jacobian), START)
    result = Solver(jacobian=kind(typical=[1.0, unit])).solve(
        FunctionProblem(residual), [1.0, start * unit]
    )
    assert result.success
    np.testing.assert_allclose(result.x, right.x * [1.0, unit], rtol=1e-7)
    np.testing.assert_allclose(
        result.standard_errors, right.standard_errors * [1.0, unit], rtol=1e-5
    )


@pytest.mark.parametrize("unit", [1e6, 1e12, 1e18], ids=stable)
@pytest.mark.parametrize("strategy", [None, lmoo.CentralDifference()], ids=stable)
def test_a_large_unit_is_found_without_typical(unit: float, strategy: Any) -> None:
    # From 0, a step of 1e-8 is nothing to a parameter that ends at 3 units.
    def residual(p: np.ndarray) -> np.ndarray:
        return np.array([p[0] - 1.0, p[1] / unit - 3.0, p[0] + p[1] / unit - 4.5])

    result = Solver(jacobian=strategy).solve(FunctionProblem(residual), [0.5, 0.0])
    assert result.success
    assert (result.rank, result.undetermined) == (2, ())
    np.testing.assert_allclose(result.x, [7.0 / 6.0, 19.0 / 6.0 * unit], rtol=1e-7)
