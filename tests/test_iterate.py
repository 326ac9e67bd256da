"""`Solver.iterate`: a solve that can be watched, left, stored and gone on with, bit for bit."""

from __future__ import annotations

import contextlib
import copy
import itertools
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import pytest
from samples import START, T, Y, decay

import lmoo
from lmoo import EvaluationError, FunctionProblem, Problem, Solver, Status
from lmoo._core.stored import checksum


class Counted(Problem):
    """Counts evaluations of all its copies together, pickled ones too."""

    residuals: ClassVar[int] = 0
    jacobians: ClassVar[int] = 0

    @classmethod
    def reset(cls) -> None:
        Counted.residuals = Counted.jacobians = 0

    def residual(self, x: np.ndarray) -> Any:
        Counted.residuals += 1
        return self.model(x)

    def model(self, x: np.ndarray) -> Any:
        return np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]])


class WithJacobian(Counted):
    def jacobian(self, x: np.ndarray) -> np.ndarray:
        Counted.jacobians += 1
        return np.array([[-20.0 * x[0], 10.0], [-1.0, 0.0]])


class WithColumns(WithJacobian):
    def jacobian(self, x: np.ndarray) -> np.ndarray:
        return super().jacobian(x).T


class Single(Counted):
    """In float32: its precision belongs to what must be stored."""

    def model(self, x: np.ndarray) -> np.ndarray:
        x = x.astype(np.float32)
        return x[0] * np.exp(-x[1] * T.astype(np.float32)) - Y.astype(np.float32)


class Edged(Counted):
    """Steps lead out of the domain, and Jacobians fail: there are refused points to store."""

    def model(self, x: np.ndarray) -> np.ndarray:
        if x[0] <= 0.0:
            raise EvaluationError("x[0] must be positive")
        return np.log(x[0] + T) - np.log(0.1 + T) + 0.01 * np.cos(5.0 * T)


class EdgedWithJacobian(Edged):
    def jacobian(self, x: np.ndarray) -> np.ndarray:
        Counted.jacobians += 1
        if 0.5 < x[0] < 2.0:
            raise EvaluationError("no derivative in the ring")
        return 1.0 / (x[0] + T)[:, None]


class Mine(lmoo.Jacobian):
    """A strategy of one's own."""

    def evaluate(self, problem: Any, x: np.ndarray, f: np.ndarray, out: np.ndarray) -> int:
        h = 1e-6
        for j in range(x.size):
            ahead = x.copy()
            ahead[j] += h
            out[:, j] = (problem.residual(ahead) - f) / h
        return x.size


ROSENBROCK = (-1.2, 1.0)
CASES: dict[str, tuple[Solver, Counted, tuple[float, ...]]] = {
    "default": (Solver(), Counted(), ROSENBROCK),
    "unrefined": (Solver(jacobian=lmoo.ForwardDifference(refine=False)), Counted(), ROSENBROCK),
    "typical": (Solver(jacobian=lmoo.ForwardDifference(1e-14, 1.0)), Counted(), ROSENBROCK),
    "central": (Solver(jacobian=lmoo.CentralDifference()), Counted(), ROSENBROCK),
    "complex": (Solver(jacobian=lmoo.ComplexStep()), Counted(), ROSENBROCK),
    "analytic": (Solver(), WithJacobian(), ROSENBROCK),
    "columns": (Solver(jacobian=lmoo.ColumnMajor()), WithColumns(), ROSENBROCK),
    "own": (Solver(jacobian=Mine()), Counted(), ROSENBROCK),
    "diag": (Solver(diag=[1.0, 3.0], factor=10.0), WithJacobian(), ROSENBROCK),
    "float32": (Solver(), Single(), START),
    "maxfev": (Solver(maxfev=20), Counted(), ROSENBROCK),
    "refused": (Solver(factor=100.0), Edged(), (30.0,)),
    "refused, central": (
        Solver(factor=100.0, jacobian=lmoo.CentralDifference()),
        Edged(),
        (30.0,),
    ),
    "reverted": (Solver(factor=0.9), EdgedWithJacobian(), (30.0,)),
}
EVERY_CASE = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def assert_same_bits(ours: lmoo.Result, right: lmoo.Result) -> None:
    assert ours.x.tobytes() == right.x.tobytes()
    assert ours.residual.tobytes() == right.residual.tobytes()
    assert ours.cost == right.cost or (np.isnan(ours.cost) and np.isnan(right.cost))
    assert ours.status is right.status
    assert ours.message == right.message
    assert (ours.nfev, ours.njev, ours.nit) == (right.nfev, right.njev, right.nit)
    np.testing.assert_array_equal(ours.covariance(), right.covariance())
    np.testing.assert_array_equal(ours.gradient, right.gradient)


def assert_same_record(ours: lmoo.IterationRecord, right: lmoo.IterationRecord) -> None:
    for name, a, b in zip(ours._fields, ours, right, strict=True):
        if name in ("x", "gradient"):
            assert a.tobytes() == b.tobytes(), name
        else:
            assert a == b, name


# ============================================================================ a solve in steps


@EVERY_CASE
def test_iterating_is_solving(case: Any) -> None:
    solver, problem, x0 = case
    seen: list[lmoo.IterationRecord] = []
    right = solver.solve(problem, x0, callback=seen.append)
    steps = solver.iterate(problem, x0)
    records = list(steps)
    assert_same_bits(steps.result, right)
    assert_same_bits(solver.solve(problem, x0), right)
    assert len(records) == right.nit
    for record, other in zip(records, seen, strict=True):
        assert_same_record(record, other)


def test_nothing_is_evaluated_until_it_is_asked_for() -> None:
    Counted.reset()
    steps = Solver().iterate(WithJacobian(), ROSENBROCK)
    assert isinstance(steps, Iterator)
    assert isinstance(steps, lmoo.Iteration)
    assert iter(steps) is steps
    assert steps.result.status is Status.UNFINISHED
    assert (Counted.residuals, Counted.jacobians) == (0, 0)
    next(steps)
    assert (Counted.residuals, Counted.jacobians) == (2, 1)


def test_the_result_costs_no_evaluation() -> None:
    Counted.reset()
    steps = Solver().iterate(Counted(), ROSENBROCK)
    for step in steps:
        before = Counted.residuals
        result = steps.result
        result.covariance()
        str(result)
        assert Counted.residuals == before == step.nfev


def test_the_result_is_the_best_so_far_at_every_iteration() -> None:
    problem = Counted()
    steps = Solver().iterate(problem, ROSENBROCK)
    best = np.inf
    for step in steps:
        result = steps.result
        assert result.x.tobytes() == step.x.tobytes()
        assert result.cost == step.cost <= best
        assert result.residual.tobytes() == problem.model(result.x).tobytes()
        assert (result.nfev, result.njev, result.nit) == (step.nfev, step.njev, step.iteration)
        assert np.isfinite(result.standard_errors).all() or result.degrees_of_freedom == 0
        best = step.cost
    assert steps.result.success


def test_a_finished_iteration_stays_finished() -> None:
    steps = Solver().iterate(WithJacobian(), ROSENBROCK)
    for _ in steps:
        pass
    result = steps.result
    Counted.reset()
    for _ in range(3):
        with pytest.raises(StopIteration):
            next(steps)
    assert Counted.residuals == 0
    assert_same_bits(steps.result, result)


def test_it_knows_its_solver_and_its_problem() -> None:
    solver, problem = Solver(), Counted()
    steps = solver.iterate(problem, ROSENBROCK)
    assert steps.solver is solver
    assert steps.problem is problem


def test_bad_arguments_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="x0 must be"):
        Solver().iterate(Counted(), [])
    with pytest.raises(TypeError, match="problem must"):
        Solver().iterate(3, [1.0])
    with pytest.raises(ValueError, match="diag must have"):
        Solver(diag=[1.0]).iterate(Counted(), ROSENBROCK)


def test_x0_and_the_records_are_not_the_solvers_memory() -> None:
    x0 = np.array(ROSENBROCK)
    steps = Solver().iterate(WithJacobian(), x0)
    x0.fill(np.nan)
    for step in steps:
        step.x.fill(np.nan)
        step.gradient.fill(np.nan)
        steps.result.x.fill(np.nan)
        steps.result.residual.fill(np.nan)
    assert_same_bits(steps.result, Solver().solve(WithJacobian(), ROSENBROCK))


def test_two_iterations_may_take_turns() -> None:
    solver, problem = Solver(), Counted()
    starts = [ROSENBROCK, (2.0, -1.0)]
    steps = [solver.iterate(problem, x0) for x0 in starts]
    for _ in itertools.zip_longest(*steps):
        pass
    for ours, x0 in zip(steps, starts, strict=True):
        assert_same_bits(ours.result, solver.solve(problem, x0))


# ============================================================================ leaving it


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


class MineError(Exception):
    pass


class Failing(Counted):
    """Raises once, at a given evaluation of the residual or of the Jacobian."""

    def __init__(self, error: BaseException, residual: int = 0, jacobian: int = 0) -> None:
        self.error, self.at = error, (residual, jacobian)
        Counted.reset()

    def residual(self, x: np.ndarray) -> Any:
        value = super().residual(x)
        if Counted.residuals == self.at[0]:
            raise self.error
        return value


class FailingWithJacobian(Failing, WithJacobian):
    def jacobian(self, x: np.ndarray) -> np.ndarray:
        value = super().jacobian(x)
        if Counted.jacobians == self.at[1]:
            raise self.error
        return value


@pytest.mark.parametrize("kind", [MineError, KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("at", range(1, 25))
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
    # Like a generator that calls itself: it is refused, or the numbers are right all the same.
    steps: list[lmoo.Iteration] = []
    inside: list[int] = []

    def residual(x: np.ndarray) -> np.ndarray:
        if len(inside) < 40 and steps[0].result.nit >= 1 and inside[-1:] != [1]:
            inside.append(1)
            try:
                next(steps[0])
            except (RuntimeError, ValueError, StopIteration):
                pass
            finally:
                inside.append(0)
        return Counted().model(x)

    steps.append(Solver().iterate(FunctionProblem(residual), ROSENBROCK))
    list(steps[0])
    result = steps[0].result
    assert inside
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
            with pytest.raises((RuntimeError, ValueError)):
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
        next(steps)
    except (RuntimeError, ValueError):
        pass  # As a generator does.
    finally:
        go.set()
        other.join()
    list(steps)
    right = Solver().solve(FunctionProblem(decay), START)
    assert_same_bits(steps.result, right)


# ============================================================================ storing it


def stored(steps: lmoo.Iteration) -> lmoo.Iteration:
    return pickle.loads(pickle.dumps(steps))


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


# What cannot be stored -------------------------------------------------------------------------


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


def test_deepcopy_of_what_cannot_be_pickled_works_or_says_why() -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        return decay(x)

    steps = Solver().iterate(FunctionProblem(residual), START)
    next(steps)
    try:
        twin = copy.deepcopy(steps)
    except TypeError as error:
        assert "problem" in str(error)  # noqa: PT017  (either answer will do)
    else:
        list(twin)
        list(steps)
        assert_same_bits(twin.result, steps.result)


def test_a_problem_that_holds_its_own_iteration_is_stored_or_named() -> None:
    problem = Counted()
    problem.steps = Solver().iterate(problem, ROSENBROCK)  # type: ignore[attr-defined]
    next(problem.steps)  # type: ignore[attr-defined]
    with pytest.raises((TypeError, RecursionError)):
        pickle.dumps(problem.steps)  # type: ignore[attr-defined]


def tampered(change: Callable[[dict[str, Any]], Any]) -> Callable[[], lmoo.Iteration]:
    """What undoes the pickle of a snapshot that is not as it was made."""
    steps = Solver().iterate(WithJacobian(), ROSENBROCK)
    next(steps)
    function, (solver, problem, x0, snapshot) = steps.__reduce__()  # type: ignore[misc]
    snapshot = dict(snapshot)
    change(snapshot)
    return lambda: function(solver, problem, x0, snapshot)  # type: ignore[operator]


def test_a_snapshot_of_another_version_is_refused() -> None:
    restore = tampered(lambda snapshot: snapshot.update(version=snapshot["version"] + 1))
    with pytest.raises(ValueError, match=r"stored .* format \d+ .* reads format \d+"):
        restore()


def test_a_snapshot_of_another_size_is_refused() -> None:
    restore = tampered(lambda snapshot: snapshot.update(size=snapshot["size"] + 8))
    with pytest.raises(ValueError, match="stored"):
        restore()


@pytest.mark.parametrize("bytes_left", [0, 8, 100])
def test_a_snapshot_cut_short_is_refused(bytes_left: int) -> None:
    # Otherwise memory that is not the snapshot's would be read.
    restore = tampered(lambda snapshot: snapshot.update(state=snapshot["state"][:bytes_left]))
    with pytest.raises(ValueError, match="stored"):
        restore()


def test_a_snapshot_of_an_lmoo_without_checksums_is_refused_by_its_format() -> None:
    restore = tampered(lambda snapshot: snapshot.pop("checksum"))
    with pytest.raises(ValueError, match=r"no 'checksum'.* older format; .* reads format \d+"):
        restore()


@pytest.mark.parametrize("snapshot", [None, 3, [], b"x" * 100])
def test_what_is_no_snapshot_is_refused(snapshot: Any) -> None:
    function, (solver, problem, x0, _) = started().__reduce__()  # type: ignore[misc]
    with pytest.raises(ValueError, match="the stored solve must be a dict"):
        function(solver, problem, x0, snapshot)  # type: ignore[operator]


@pytest.mark.parametrize(
    "x0",
    [
        np.zeros(2, dtype=complex),
        np.zeros((2, 1)),
        np.array(["a", "b"]),
        np.array([np.nan, 1.0]),
        np.zeros(3),
        np.zeros(0),
        None,
    ],
    ids=repr,
)
def test_a_damaged_start_is_refused(x0: Any) -> None:
    function, (solver, problem, _, snapshot) = started().__reduce__()  # type: ignore[misc]
    with pytest.raises(ValueError, match="the stored solve"):
        function(solver, problem, x0, snapshot)  # type: ignore[operator]
    with pytest.raises(ValueError, match="the stored solve must have a Solver"):
        function(None, problem, x0, snapshot)  # type: ignore[operator]


@pytest.mark.parametrize("made", [list, np.float32, lambda x: np.repeat(x, 2)[::2]])
def test_a_start_of_another_layout_is_copied(made: Any) -> None:
    steps = started()
    function, (solver, problem, x0, snapshot) = steps.__reduce__()  # type: ignore[misc]
    again = function(solver, problem, made(x0), snapshot)  # type: ignore[operator]
    assert [step.cost for step in again] == [step.cost for step in steps]


def started(**options: Any) -> lmoo.Iteration:
    """A solve after some iterations."""
    steps = Solver(**options).iterate(WithJacobian(), ROSENBROCK)
    for _ in range(3):
        next(steps)
    return steps


def flipped(snapshot: dict[str, Any], at: int) -> None:
    state = bytearray(snapshot["state"])
    state[at] ^= 0x40
    snapshot["state"] = bytes(state)


def test_a_flipped_bit_anywhere_is_found() -> None:
    _, (solver, problem, x0, snapshot) = started().__reduce__()  # type: ignore[misc]
    for at in range(len(snapshot["state"])):
        damaged = dict(snapshot)
        flipped(damaged, at)
        with pytest.raises(ValueError, match="damaged: its checksum differs"):
            lmoo.solver.iteration._resume(solver, problem, x0, damaged)


PARTS: dict[str, Any] = {
    "njev": [-1, 1.0, 2**70, None, True],
    "precision": [-0.5, 1.0, float("nan"), 1, "x", None],
    "flags": [(), (1, 0, 0, 0), (True,) * 3, [True] * 4, None],
    "step": [{}, "x"],
    "checksum": [0, None, "x"],
    "size": [0, -1, 1.5, None],
    "state": [None, "x", bytearray(100), np.zeros(100)],
    "version": [None, "3", 2, 3.5],
    "jacobian": [(np.zeros((2, 2)), np.zeros(2)), 3, ()],
    "vectors": [
        None,
        (),
        3,
        (np.zeros(2),),
        (np.zeros(0), np.zeros(0)),
        (np.zeros(2), np.zeros(3)),
        (np.zeros(10**6), np.zeros(2)),
        (np.zeros((2, 1)), np.zeros((2, 1))),
        (np.zeros(2, np.float32), np.zeros(2, np.float32)),
        (np.zeros(2, int), np.zeros(2, int)),
        (np.zeros(2, ">f8"), np.zeros(2, ">f8")),
        ([0.0, 0.0], [0.0, 0.0]),
    ],
}


@pytest.mark.parametrize("checked", [False, True])
@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in PARTS.items() for value in values],
    ids=str,
)
def test_parts_of_a_snapshot_must_fit(name: str, value: Any, checked: bool) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        snapshot[name] = value
        # With a checksum of its own, what is stored is still not gone on with.
        if checked and name != "checksum":
            with contextlib.suppress(ValueError):
                snapshot["checksum"] = checksum(snapshot)

    with pytest.raises(ValueError, match="stored"):
        tampered(change)()


@pytest.mark.parametrize(
    "options",
    [{}, {"bounds": ([-5, -5], [5, 5])}, {"step": lmoo.GeodesicAcceleration()}],
    ids=["plain", "bounds", "curvature"],
)
def test_a_state_that_points_elsewhere_is_refused_whatever_its_checksum(
    options: dict[str, Any],
) -> None:
    # All of its integers in turn; those that count or point somewhere are found.  In a process of
    # its own, as one that is not found could end it.
    steps = started(**options)
    done = subprocess.run(
        [sys.executable, "-c", EVERY_WORD],
        input=pickle.dumps(steps.__reduce__()[1]),  # type: ignore[index]
        capture_output=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]


EVERY_WORD = """
import pickle, sys
import numpy as np
import lmoo
from lmoo._core.stored import checksum

np.seterr(all="ignore")
solver, problem, x0, snapshot = pickle.loads(sys.stdin.buffer.read())
refused = 0
for at in range(0, len(snapshot["state"]), 4):
    for word in (b"\\xff" * 4, b"\\x7f" + b"\\xff" * 3, (10**7).to_bytes(4, "little")):
        state = bytearray(snapshot["state"])
        state[at : at + 4] = word
        changed = {**snapshot, "state": bytes(state)}
        changed["checksum"] = checksum(changed)
        try:
            again = lmoo.solver.iteration._resume(solver, problem, x0, changed)
            for k, _ in enumerate(again):
                if k == 5:
                    break
            again.result.covariance()
        except ValueError:
            refused += 1
        except (lmoo.EvaluationError, np.linalg.LinAlgError):
            pass
assert refused > 50, refused
"""


def test_a_snapshot_as_it_was_made_is_taken() -> None:
    steps = tampered(lambda snapshot: None)()
    list(steps)
    assert_same_bits(steps.result, Solver().solve(WithJacobian(), ROSENBROCK))
