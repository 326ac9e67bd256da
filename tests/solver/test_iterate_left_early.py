"""`Solver.iterate`: iterations that are left, closed or end with an exception."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from case_tables import each
from iterate_cases import ROSENBROCK, Counted, Failing, MineError, WithJacobian, assert_same_bits
from samples import START, decay

import lmoo
from lmoo import EvaluationError, FunctionProblem, Solver, Status


def test_after_a_break_the_result_is_there_and_the_rest_can_follow() -> None:
    right = Solver().solve(Counted(), ROSENBROCK)
    Counted.reset()
    steps = Solver().iterate(Counted(), ROSENBROCK)
    for step in steps:
        if step.iteration == 4:
            break
    result = steps.result
    assert result.status is Status.UNFINISHED
    assert not result.success
    assert result.nit == 4
    assert "not finished" in str(result)
    for _ in steps:
        pass
    assert_same_bits(steps.result, right)
    assert Counted.residuals == right.nfev


def test_stop_ends_it() -> None:
    steps = Solver().iterate(Counted(), ROSENBROCK)
    record = next(steps)
    steps.stop()
    assert list(steps) == []
    assert steps.result.status is Status.STOPPED
    assert steps.result.x.tobytes() == record.x.tobytes()


def test_stop_before_the_first_iteration_evaluates_nothing() -> None:
    Counted.reset()
    steps = Solver().iterate(Counted(), ROSENBROCK)
    steps.stop()
    assert list(steps) == []
    assert steps.result.status is Status.STOPPED
    assert Counted.residuals == 0


def test_stop_after_the_end_changes_nothing() -> None:
    steps = Solver().iterate(Counted(), ROSENBROCK)
    list(steps)
    result = steps.result
    steps.stop()
    assert_same_bits(steps.result, result)


class FailingWithJacobian(Failing, WithJacobian):
    def jacobian(self, x: np.ndarray) -> np.ndarray:
        value = super().jacobian(x)
        if Counted.jacobians == self.at[1]:
            raise self.error
        return value


@pytest.mark.parametrize("kind", [MineError, KeyboardInterrupt, MemoryError])
@each("at", range(1, 25))
def test_after_an_exception_of_the_residual_it_goes_on_where_it_was(
    kind: type[BaseException], at: int
) -> None:
    mine = kind("mine")
    problem = Failing(mine, residual=at)
    steps = Solver().iterate(problem, ROSENBROCK)
    costs: list[float] = []
    with pytest.raises(kind) as caught:
        costs.extend(step.cost for step in steps)
    assert caught.value is mine
    result = steps.result
    assert result.status is Status.UNFINISHED
    if result.nit:
        assert result.cost == costs[-1]
        assert result.residual.tobytes() == problem.model(result.x).tobytes()
    for _ in steps:
        pass
    right = Solver().solve(Counted(), ROSENBROCK)
    assert steps.result.x.tobytes() == right.x.tobytes()
    assert steps.result.status is right.status
    assert steps.result.nit == right.nit


@pytest.mark.parametrize("at", range(1, 12))
def test_after_an_exception_of_the_jacobian_it_goes_on_where_it_was(at: int) -> None:
    mine = MineError("mine")
    problem = FailingWithJacobian(mine, jacobian=at)
    steps = Solver().iterate(problem, ROSENBROCK)
    with pytest.raises(MineError) as caught:
        list(steps)
    assert caught.value is mine
    result = steps.result
    assert result.residual.tobytes() == problem.model(result.x).tobytes()
    list(steps)
    right = Solver().solve(WithJacobian(), ROSENBROCK)
    assert steps.result.x.tobytes() == right.x.tobytes()
    assert steps.result.status is right.status
    # The evaluation that failed is counted, and made again.
    assert steps.result.nfev == right.nfev
    assert steps.result.njev == right.njev + 1


def test_an_exception_of_the_loops_body_leaves_the_solve_alone() -> None:
    steps = Solver().iterate(Counted(), ROSENBROCK)

    def body() -> None:
        for step in steps:
            if step.iteration == 3:
                raise MineError

    with pytest.raises(MineError):
        body()
    assert steps.result.nit == 3
    list(steps)
    assert_same_bits(steps.result, Solver().solve(Counted(), ROSENBROCK))


@pytest.mark.parametrize("kind", ["residual", "jacobian"])
@pytest.mark.parametrize("at", [1, 3])
def test_stop_iteration_of_user_code_is_a_runtime_error_with_its_cause(kind: str, at: int) -> None:
    mine = StopIteration("mine")
    problem = FailingWithJacobian(mine, **{kind: at})
    steps = Solver().iterate(problem, ROSENBROCK)
    with pytest.raises(RuntimeError, match="StopIteration") as caught:
        list(steps)
    assert caught.value.__cause__ is mine
    assert steps.result.status is Status.UNFINISHED


def test_stop_iteration_of_a_strategy_is_a_runtime_error_too() -> None:
    class Stopping(lmoo.Jacobian):
        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> None:
            next(iter(()))

    steps = Solver(jacobian=Stopping()).iterate(Counted(), ROSENBROCK)
    with pytest.raises(RuntimeError) as caught:
        next(steps)
    assert isinstance(caught.value.__cause__, StopIteration)


@pytest.mark.parametrize("own", [True, False])
def test_a_start_that_cannot_be_evaluated_raises_at_the_first_iteration(own: bool) -> None:
    mine = EvaluationError("mine")

    def residual(x: np.ndarray) -> np.ndarray:
        if own:
            raise mine
        return np.array([1.0, np.nan])

    steps = Solver().iterate(FunctionProblem(residual), START)
    for first in (True, False):
        with pytest.raises(EvaluationError, match="mine" if own else "entry 1 is nan") as caught:
            next(steps)
        # Asked again, it says so again, without having kept what the first one holds on to.
        assert (caught.value is mine) == (own and first)
    result = steps.result
    assert result.status is Status.NOT_FINITE
    assert not result.success
    np.testing.assert_array_equal(result.x, START)


def test_a_residual_that_advances_its_own_iteration_does_no_harm() -> None:
    # Like a generator that calls itself, it is refused, and the solve goes on.
    steps: list[lmoo.Iteration] = []
    refused = 0

    def residual(x: np.ndarray) -> np.ndarray:
        nonlocal refused
        if refused < 20 and steps[0].result.nit >= 1:
            with pytest.raises(RuntimeError, match=r"^this solve is already running$"):
                next(steps[0])
            refused += 1
        return Counted().model(x)

    steps.append(Solver().iterate(FunctionProblem(residual), ROSENBROCK))
    list(steps[0])
    result = steps[0].result
    assert refused == 20
    assert result.residual.tobytes() == Counted().model(result.x).tobytes()
    assert_same_bits(
        result,
        Solver().solve(FunctionProblem(Counted().model), ROSENBROCK),
    )


def test_a_first_evaluation_that_advances_its_own_iteration_does_no_harm() -> None:
    steps: list[lmoo.Iteration] = []
    inside: list[bool] = []

    def residual(x: np.ndarray) -> np.ndarray:
        if not inside:
            inside.append(True)
            with pytest.raises(RuntimeError, match=r"^this solve is already running$"):
                next(steps[0])
        return Counted().model(x)

    steps.append(Solver().iterate(FunctionProblem(residual), ROSENBROCK))
    list(steps[0])
    assert_same_bits(steps[0].result, Solver().solve(FunctionProblem(Counted().model), ROSENBROCK))


def test_two_threads_in_one_iteration_do_no_harm() -> None:
    # While one is inside the residual the other one asks for the next iteration.
    inside, go = threading.Event(), threading.Event()
    main = threading.current_thread()

    def residual(x: np.ndarray) -> np.ndarray:
        if threading.current_thread() is not main:
            inside.set()
            go.wait(10.0)
        return decay(x)

    steps = Solver().iterate(FunctionProblem(residual), START)
    next(steps)
    other = threading.Thread(target=lambda: next(steps))
    other.start()
    assert inside.wait(10.0)
    try:
        with pytest.raises(RuntimeError, match=r"^this solve is already running$"):
            next(steps)
    finally:
        go.set()
        other.join()
    list(steps)
    right = Solver().solve(FunctionProblem(decay), START)
    assert_same_bits(steps.result, right)
