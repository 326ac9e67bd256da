"""Starts at which the residual or the Jacobian cannot be evaluated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ids import stable
from samples import START, decay
from solver_problems import EVERY_STRATEGY, KINDS, log_bad, solve_decay

import lmoo
from lmoo import EvaluationError, FunctionProblem, Solver


@EVERY_STRATEGY
def test_evaluation_error_of_the_residual_at_x0_is_the_users_own(dfun: Any, strategy: Any) -> None:
    mine = EvaluationError("my words", 5)

    def residual(x: np.ndarray) -> np.ndarray:
        raise mine

    with pytest.raises(EvaluationError) as caught:
        solve_decay(residual, dfun, strategy)
    assert caught.value is mine


@pytest.mark.parametrize("columns", [False, True])
def test_evaluation_error_of_the_jacobian_at_x0_is_the_users_own(columns: bool) -> None:
    mine = EvaluationError("my words", 5)

    def jacobian(x: np.ndarray) -> np.ndarray:
        raise mine

    strategy = lmoo.ColumnMajor() if columns else lmoo.Analytic()
    with pytest.raises(EvaluationError) as caught:
        solve_decay(decay, jacobian, strategy)
    assert caught.value is mine


def test_evaluation_error_of_a_strategy_at_x0_is_the_users_own() -> None:
    mine = EvaluationError("my words", 5)

    class Raising(lmoo.Jacobian):
        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> int:
            raise mine

    with pytest.raises(EvaluationError) as caught:
        solve_decay(strategy=Raising())
    assert caught.value is mine


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf], ids=stable)
@EVERY_STRATEGY
def test_residual_not_finite_at_x0_names_the_entry(bad: float, dfun: Any, strategy: Any) -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        f = decay(x)
        f[4] = bad
        return f

    with pytest.raises(EvaluationError, match=rf"residual\(x0\) .* entry 4 is {bad}$"):
        solve_decay(residual, dfun, strategy)


@pytest.mark.parametrize("bad", [np.nan, np.inf], ids=stable)
@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("m", [9, 300_000], ids=["small", "large"])
def test_jacobian_not_finite_at_x0_names_the_entry(bad: float, columns: bool, m: int) -> None:
    # From a million m n^2 on it is another factorisation that meets the entry.
    t = np.linspace(0.0, 1.0, m)

    def jacobian(x: np.ndarray) -> np.ndarray:
        out = np.column_stack([np.ones(m), t])
        out[7, 1] = bad
        return out.T if columns else out

    problem = FunctionProblem(lambda x: x[0] + x[1] * t - 1.0, jacobian)
    strategy = lmoo.ColumnMajor() if columns else lmoo.Analytic()
    with pytest.raises(EvaluationError, match=rf"Jacobian at x0 .* entry \(7, 1\) is {bad}$"):
        Solver(jacobian=strategy).solve(problem, [0.0, 0.0])


@KINDS
@pytest.mark.parametrize("strategy", [None, lmoo.CentralDifference()], ids=stable)
def test_a_start_that_nothing_round_can_be_evaluated_is_an_evaluation_error(
    kind: str, strategy: Any
) -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        if np.array_equal(x, START):
            return decay(x)
        return log_bad(np.array([-1.0]), decay(x), kind)

    with pytest.raises(EvaluationError, match="Jacobian at x0"):
        solve_decay(residual, strategy=strategy)
