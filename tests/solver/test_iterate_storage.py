"""`Solver.iterate`: iterations that are stored and continued."""

from __future__ import annotations

import copy
import itertools
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from iterate_cases import (
    CASES,
    EVERY_CASE,
    ROSENBROCK,
    Counted,
    Failing,
    Mine,
    MineError,
    WithJacobian,
    assert_same_bits,
    assert_same_record,
    stored,
)
from samples import START, decay

import lmoo
from lmoo import FunctionProblem, Problem, Solver, Status

AGAIN = pytest.mark.parametrize(
    "again",
    [
        stored,
        copy.deepcopy,
        lambda steps: pickle.loads(pickle.dumps(steps, protocol=2)),
    ],
    ids=["pickle", "deepcopy", "protocol 2"],
)


@AGAIN
@EVERY_CASE
def test_it_goes_on_bit_for_bit_from_every_iteration_without_evaluating_again(
    case: Any, again: Callable[[lmoo.Iteration], lmoo.Iteration]
) -> None:
    solver, problem, x0 = case
    steps = solver.iterate(problem, x0)
    records = list(steps)
    right = steps.result
    assert len(records) >= 3
    # Of a long solve, the first twenty iterations and every seventh.
    for k in sorted({*range(min(len(records) + 1, 20)), *range(20, len(records) + 1, 7)}):
        Counted.reset()
        first = solver.iterate(problem, x0)
        for _ in range(k):
            next(first)
        before = (Counted.residuals, Counted.jacobians)
        second = again(first)
        assert (Counted.residuals, Counted.jacobians) == before
        assert_same_bits(second.result, first.result)
        assert (Counted.residuals, Counted.jacobians) == before
        rest = list(second)
        assert len(rest) == len(records) - k
        for record, expected in zip(rest, records[k:], strict=True):
            assert_same_record(record, expected)
        assert_same_bits(second.result, right)
        # Both halves together cost what the whole cost.
        assert Counted.residuals == right.nfev
        if hasattr(type(problem), "jacobian") and isinstance(problem, WithJacobian):
            assert Counted.jacobians == right.njev


def test_the_cases_have_what_they_are_for() -> None:
    def records(name: str) -> list[lmoo.IterationRecord]:
        solver, problem, x0 = CASES[name]
        return list(solver.iterate(problem, x0))

    assert any(not record.accepted for record in records("analytic"))
    # A refused point has no ratio.
    assert any(record.ratio == 0.0 and not record.accepted for record in records("refused"))
    steps = records("reverted")
    assert any(
        later.x.tobytes() != record.x.tobytes() and not later.accepted
        for record, later in itertools.pairwise(steps)
    ), "no accepted point was thrown back"
    assert len({record.njev for record in records("default")}) > 3


@EVERY_CASE
def test_it_can_be_stored_after_every_iteration_in_turn(case: Any) -> None:
    solver, problem, x0 = case
    right = solver.solve(problem, x0)
    Counted.reset()
    steps = solver.iterate(problem, x0)
    for _ in range(right.nit + 1):
        steps = stored(steps)
        next(steps, None)
    assert_same_bits(steps.result, right)
    assert Counted.residuals == right.nfev


def test_it_can_be_stored_after_an_exception() -> None:
    for at in range(1, 20):
        problem = Failing(MineError("mine"), residual=at)
        steps = Solver().iterate(problem, ROSENBROCK)
        with pytest.raises(MineError):
            list(steps)
        twin = stored(steps)
        assert_same_bits(twin.result, steps.result)
        list(twin)
        right = Solver().solve(Counted(), ROSENBROCK)
        assert twin.result.x.tobytes() == right.x.tobytes()
        assert twin.result.status is right.status


def test_a_finished_one_can_be_stored() -> None:
    steps = Solver().iterate(WithJacobian(), ROSENBROCK)
    list(steps)
    Counted.reset()
    twin = stored(steps)
    assert list(twin) == []
    assert_same_bits(twin.result, steps.result)
    assert Counted.residuals == 0


def test_a_stopped_one_can_be_stored() -> None:
    steps = Solver().iterate(Counted(), ROSENBROCK)
    next(steps)
    steps.stop()
    twin = stored(steps)
    assert list(twin) == []
    assert twin.result.status is Status.STOPPED


def test_the_original_goes_on_undisturbed_by_its_copy() -> None:
    steps = Solver().iterate(Counted(), ROSENBROCK)
    next(steps)
    twin = stored(steps)
    list(twin)
    assert steps.result.nit == 1
    list(steps)
    assert_same_bits(steps.result, twin.result)


def test_copy_copy_is_an_iteration_of_its_own() -> None:
    steps = Solver().iterate(Counted(), ROSENBROCK)
    next(steps)
    twin = copy.copy(steps)
    list(twin)
    assert steps.result.nit == 1
    assert twin.problem is steps.problem
    list(steps)
    assert_same_bits(steps.result, twin.result)


def test_names_are_stored_with_the_problem() -> None:
    problem = Counted()
    problem.parameter_names = ("a", "b")
    twin = stored(Solver().iterate(problem, ROSENBROCK))
    assert twin.result.parameter_names == ("a", "b")


def test_a_large_one_can_be_stored() -> None:
    # Of a factorisation that keeps no Householder vectors.
    steps = Solver().iterate(Large(), START)
    next(steps)
    twin = stored(steps)
    list(steps)
    list(twin)
    assert steps.result.success
    assert_same_bits(twin.result, steps.result)


class Large(Problem):
    t = np.linspace(0.0, 2.0, 300_000)

    def residual(self, x: np.ndarray) -> np.ndarray:
        return x[0] * np.exp(-x[1] * self.t) - 2.0 * np.exp(-1.3 * self.t)


def test_a_problem_that_cannot_be_pickled_is_named() -> None:
    steps = Solver().iterate(FunctionProblem(lambda x: x, parameter_names=("a",)), [1.0])
    next(steps)
    with pytest.raises(TypeError, match=r"problem, .*FunctionProblem") as caught:
        pickle.dumps(steps)
    assert caught.value.__cause__ is not None
    # It failed to be stored, and nothing else.
    list(steps)
    assert steps.result.success


def test_a_strategy_that_cannot_be_pickled_is_named() -> None:
    class Local(Mine):
        pass

    steps = Solver(jacobian=Local()).iterate(Counted(), ROSENBROCK)
    with pytest.raises(TypeError, match=r"solver\.jacobian, .*Local"):
        pickle.dumps(steps)


def test_deepcopy_of_what_cannot_be_pickled_says_why() -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        return decay(x)

    steps = Solver().iterate(FunctionProblem(residual), START)
    next(steps)
    with pytest.raises(TypeError, match=r"^this Iteration cannot be pickled, as its problem, "):
        copy.deepcopy(steps)
    list(steps)
    assert_same_bits(steps.result, Solver().solve(FunctionProblem(decay), START))


def test_a_problem_that_holds_its_own_iteration_is_named() -> None:
    problem = Counted()
    problem.steps = Solver().iterate(problem, ROSENBROCK)  # type: ignore[attr-defined]
    next(problem.steps)  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match=r"^this Iteration cannot be pickled, as its problem, "):
        pickle.dumps(problem.steps)  # type: ignore[attr-defined]
