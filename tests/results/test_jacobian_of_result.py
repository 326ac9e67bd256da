"""`Result.jacobian`: when it is evaluated, and how."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from statistics_cases import PLAIN, SIGMA, T, Y, decay, decay_slopes, fitted

import lmoo
from lmoo import CurveProblem, FunctionProblem, Problem, Solver


class Counting(Problem):
    """Counts its derivatives, and refuses points outside of what it is told."""

    def __init__(self, lower: float = -np.inf) -> None:
        self.calls, self.lower = 0, lower

    def residual(self, x: np.ndarray) -> np.ndarray:
        assert (x >= self.lower).all()
        return decay(T, *x) - Y

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        self.calls += 1
        return decay_slopes(T, *x)


def test_the_jacobian_is_evaluated_once_and_kept() -> None:
    problem = Counting()
    result = Solver().solve(problem, [1.0, 1.0])
    before = problem.calls
    J = result.jacobian()
    np.testing.assert_array_equal(J, decay_slopes(T, *result.x))
    J.fill(0.0)
    np.testing.assert_array_equal(result.jacobian(), decay_slopes(T, *result.x))
    result.leverage.sum()
    assert problem.calls == before + 1


class Halved(lmoo.Jacobian):
    """A strategy of one's own."""

    def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> int:
        out[:] = decay_slopes(T, *x)
        return 0


class ByColumns(Counting):
    def jacobian(self, x: np.ndarray) -> np.ndarray:
        return super().jacobian(x).T


@pytest.mark.parametrize(
    ("problem", "strategy", "rtol"),
    [
        (Counting(), None, 0),
        (Counting(), lmoo.Analytic(), 0),
        (ByColumns(), lmoo.ColumnMajor(), 0),
        (PLAIN, Halved(), 0),
        (PLAIN, lmoo.ComplexStep(), 1e-14),
        (PLAIN, None, 1e-8),
        (PLAIN, lmoo.CentralDifference(), 1e-8),
        (PLAIN, lmoo.ForwardDifference(typical=[1.0, 0.1]), 1e-8),
        (CurveProblem(decay, T, Y), None, 1e-8),
        (CurveProblem(decay, T, Y, jac=decay_slopes), None, 0),
    ],
)
def test_the_jacobian_comes_from_the_solver_s_strategy(
    problem: Any, strategy: Any, rtol: float
) -> None:
    result = Solver(jacobian=strategy).solve(problem, [1.0, 1.0])
    right = decay_slopes(T, *result.x)
    np.testing.assert_allclose(result.jacobian(), right, rtol=rtol, atol=rtol)


def test_the_jacobian_of_a_compiled_model() -> None:
    model = lmoo.models.Exponential()
    result = Solver().solve(model.problem(T, Y, SIGMA), [1.0, 1.0, 0.0])
    right = model.jacobian(T, *result.x) / SIGMA[:, None]
    np.testing.assert_allclose(result.jacobian(), right, rtol=1e-13)


@pytest.mark.parametrize("low", [0.0, 1.7])
def test_differences_stay_within_the_bounds(low: float) -> None:
    problem = Counting(low)
    problem.jacobian = None  # type: ignore[assignment]
    result = Solver(bounds=(low, np.inf)).solve(problem, [2.0, 2.0])
    np.testing.assert_allclose(result.jacobian(), decay_slopes(T, *result.x), rtol=1e-6, atol=1e-8)
    result.nonlinearity()
    result.confidence_interval(method="profile")


def test_differences_where_the_model_ends() -> None:
    # No value below 0, where the best point is; the derivative is one-sided.
    def residual(x: np.ndarray) -> np.ndarray:
        if x[0] < 0:
            raise lmoo.EvaluationError("below 0")
        return np.array([x[0] + 1.0, x[0] + 2.0, x[1] - 3.0])

    result = Solver().solve(FunctionProblem(residual), [0.0, 1.0])
    np.testing.assert_allclose(result.jacobian(), [[1, 0], [1, 0], [0, 1]], atol=1e-9)


def test_all_fixed_is_a_jacobian_of_zeros() -> None:
    for problem in (Counting(), PLAIN):
        result = Solver(fixed=[0, 1]).solve(problem, [1.0, 1.0])
        np.testing.assert_array_equal(result.jacobian(), np.zeros((12, 2)))
        np.testing.assert_array_equal(result.leverage, np.zeros(12))
        assert np.isnan(result.nonlinearity().intrinsic)


def test_columns_of_fixed_parameters_are_zero() -> None:
    for problem in (Counting(), PLAIN):
        J = Solver(fixed=[0]).solve(problem, [1.0, 1.0]).jacobian()
        assert (J[:, 0] == 0.0).all()
        assert (J[1:, 1] != 0.0).all()


class InBlocks(lmoo.RowBlockProblem):
    def residual(self, x: np.ndarray, block: Any) -> np.ndarray:
        t, y = block
        return decay(t, *x) - y


BLOCKS = [(T[:5], Y[:5]), (T[5:], Y[5:])]


def test_problems_in_blocks_say_what_they_do_not_have() -> None:
    result = Solver().solve(InBlocks(BLOCKS), [1.0, 1.0])
    for ask in (result.jacobian, result.nonlinearity, lambda: result.leverage):
        with pytest.raises(TypeError, match="RowBlockProblem is never in memory as a whole"):
            ask()
    right = fitted()
    np.testing.assert_allclose(result.confidence_interval(), right.confidence_interval(), rtol=1e-6)
    np.testing.assert_allclose(result.aic, right.aic, rtol=1e-10)


def test_curves_in_blocks_predict_at_a_given_t() -> None:
    result = Solver().solve(lmoo.CurveBlocks(decay, T, Y, block_size=5), [1.0, 1.0])
    right = fitted()
    for mine, other in zip(
        result.predict(T, interval="prediction"), right.predict(interval="prediction"), strict=True
    ):
        np.testing.assert_allclose(mine, other, rtol=1e-6)
    with pytest.raises(TypeError, match="CurveBlocks has no t:"):
        result.predict()
