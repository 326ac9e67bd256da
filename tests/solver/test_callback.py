"""The callback of `Solver.solve`."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from ids import stable
from samples import START, decay, decay_jacobian, rosenbrock
from solver_problems import Recorder, assert_same_bits, solve_decay

import lmoo
from lmoo import EvaluationError, FunctionProblem, Solver, Status


def test_the_callback_gets_a_record_after_each_iteration() -> None:
    steps: list[lmoo.IterationRecord] = []
    result = Solver().solve(FunctionProblem(rosenbrock), [-1.2, 1.0], callback=steps.append)
    assert [step.iteration for step in steps] == list(range(1, result.nit + 1))
    costs = [step.cost for step in steps]
    assert costs == sorted(costs, reverse=True)
    assert any(not step.accepted for step in steps)
    assert any(step.lambda_ > 0.0 for step in steps)
    assert any(not later.accepted for later in steps[1:])
    for step, later in itertools.pairwise(steps):
        assert step.nfev < later.nfev
        assert step.njev <= later.njev
        if not later.accepted:
            np.testing.assert_array_equal(later.x, step.x)
    assert all(step.delta > 0.0 for step in steps)
    assert all(0.0 <= step.optimality <= 1.0 + 1e-12 for step in steps)
    np.testing.assert_array_equal(steps[-1].x, result.x)
    assert steps[-1].cost == result.cost


def test_the_gradient_of_a_record_is_that_of_where_the_step_came_from() -> None:
    steps: list[lmoo.IterationRecord] = []
    problem = FunctionProblem(decay, decay_jacobian)
    Solver().solve(problem, START, callback=steps.append)
    x = np.array(START)
    for step in steps:
        np.testing.assert_allclose(step.gradient, decay_jacobian(x).T @ decay(x), atol=1e-12)
        x = step.x


def test_a_callback_does_not_change_the_solve() -> None:
    def spoil(step: lmoo.IterationRecord) -> None:
        step.x[:] = np.nan
        step.gradient[:] = np.nan

    watched = Solver().solve(FunctionProblem(decay), START, callback=spoil)
    assert_same_bits(watched, solve_decay())


@pytest.mark.parametrize("answer", [True, 1, np.True_, "yes"], ids=stable)
def test_a_true_answer_of_the_callback_stops(answer: Any) -> None:
    steps: list[lmoo.IterationRecord] = []

    def callback(step: lmoo.IterationRecord) -> Any:
        steps.append(step)
        return answer if step.iteration == 3 else None

    result = Solver().solve(FunctionProblem(rosenbrock), [-1.2, 1.0], callback=callback)
    assert result.status is Status.STOPPED
    assert not result.success
    assert result.nit == len(steps) == 3
    np.testing.assert_array_equal(result.x, steps[-1].x)
    np.testing.assert_array_equal(result.residual, rosenbrock(result.x))
    assert result.nfev == steps[-1].nfev


@pytest.mark.parametrize("answer", [None, False, 0, np.False_, ""], ids=stable)
def test_a_false_answer_goes_on(answer: Any) -> None:
    result = Solver().solve(FunctionProblem(decay), START, callback=lambda step: answer)
    assert_same_bits(result, solve_decay())


def test_stop_iteration_of_the_callback_stops() -> None:
    def callback(step: lmoo.IterationRecord) -> None:
        if step.iteration == 2:
            raise StopIteration

    result = Solver().solve(FunctionProblem(rosenbrock), [-1.2, 1.0], callback=callback)
    assert result.status is Status.STOPPED
    assert result.nit == 2


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, EvaluationError])
def test_other_exceptions_of_the_callback_come_out(kind: type[BaseException]) -> None:
    mine = kind("mine")

    def callback(step: lmoo.IterationRecord) -> None:
        raise mine

    with pytest.raises(kind) as caught:
        Solver().solve(FunctionProblem(decay), START, callback=callback)
    assert caught.value is mine


@pytest.mark.parametrize("callback", [3, "print", [print]], ids=stable)
def test_a_callback_must_be_callable(callback: Any) -> None:
    record = Recorder(decay)
    with pytest.raises(TypeError, match=r"^callback must be callable or None; it is "):
        Solver().solve(FunctionProblem(record), START, callback=callback)
    assert record.points == []


@pytest.mark.parametrize("scale", [1e155, 1e200, 1e300], ids=stable)
def test_a_watched_solve_of_huge_residuals_goes_like_one_that_is_not(scale: float) -> None:
    # The gradient J.T @ f overflows; that is no reason to warn, which is an error here.
    problem = FunctionProblem(lambda x: scale * decay(x))
    watched = Solver().solve(problem, START, callback=lambda step: None)
    assert_same_bits(watched, Solver().solve(problem, START))
