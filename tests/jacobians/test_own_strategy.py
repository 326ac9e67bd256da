"""Strategies that users write."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from ids import stable
from jacobian_cases import Delegating, Recorder, Sparse
from samples import START, decay, decay_jacobian, rosenbrock, rosenbrock_jacobian

import lmoo
from lmoo import EvaluationError, FunctionProblem, Solver, Status


def test_a_users_strategy() -> None:
    record = Recorder(lambda x: x**2 - np.array([1.0, 4.0]))
    result = Solver(jacobian=Sparse()).solve(FunctionProblem(record), [3.0, 3.0])
    assert result.success
    np.testing.assert_allclose(result.x, [1.0, 2.0], rtol=1e-9)
    # One evaluation a Jacobian, one a trial point, one for the start.
    assert result.nfev == len(record.points) == 1 + result.nit + result.njev


def test_a_strategy_gets_the_problem_and_arrays_of_its_own() -> None:
    problem = FunctionProblem(decay, decay_jacobian)

    class Spoiling(lmoo.Jacobian):
        def evaluate(self, given: Any, x: np.ndarray, f: np.ndarray, out: np.ndarray) -> None:
            assert given is problem
            assert (x.dtype, x.shape, f.dtype, f.shape) == (np.float64, (2,), np.float64, (9,))
            assert (out.dtype, out.shape) == (np.float64, (9, 2))
            assert out.flags.f_contiguous
            assert out.flags.writeable
            np.testing.assert_array_equal(f, decay(x))
            out[:] = decay_jacobian(x)
            x.fill(np.nan)
            f.fill(np.nan)

    result = Solver(jacobian=Spoiling()).solve(problem, START)
    right = Solver().solve(problem, START)
    assert result.x.tobytes() == right.x.tobytes()
    assert result.residual.tobytes() == right.residual.tobytes()
    assert result.nfev == right.nfev


@pytest.mark.parametrize("cost", [None, 0, 1, 7, np.int64(7)], ids=stable)
def test_the_cost_that_a_strategy_returns_is_added_to_nfev(cost: Any) -> None:
    class Costly(Delegating):
        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> Any:
            super().evaluate(problem, x, f, out)
            return cost

    problem = FunctionProblem(decay, decay_jacobian)
    result = Solver(jacobian=Costly()).solve(problem, START)
    assert result.nfev == 1 + result.nit + int(cost or 0) * result.njev


def test_the_cost_counts_against_maxfev() -> None:
    class Costly(Delegating):
        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> int:
            super().evaluate(problem, x, f, out)
            return 100

    problem = FunctionProblem(rosenbrock, rosenbrock_jacobian)
    result = Solver(jacobian=Costly(), maxfev=300).solve(problem, [-1.2, 1.0])
    assert result.status is Status.MAXFEV


@pytest.mark.parametrize(
    ("cost", "error"),
    [("many", ValueError), ([1], TypeError), (1j, TypeError), (object(), TypeError)],
    ids=["str", "list", "complex", "object"],
)
def test_a_cost_that_is_no_number_is_an_error(cost: Any, error: type[Exception]) -> None:
    class Odd(Delegating):
        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> Any:
            super().evaluate(problem, x, f, out)
            return cost

    with pytest.raises(error, match=r"int\(\)"):
        Solver(jacobian=Odd()).solve(FunctionProblem(decay, decay_jacobian), START)


def test_an_entry_forgotten_at_x0_is_named() -> None:
    class Forgetful(lmoo.Jacobian):
        def evaluate(self, problem: Any, x: Any, f: Any, out: np.ndarray) -> None:
            J = decay_jacobian(x)
            out[:7] = J[:7]
            out[8] = J[8]
            out[7, 0] = J[7, 0]

    with pytest.raises(EvaluationError, match=r"Jacobian at x0 .* entry \(7, 1\) is nan"):
        Solver(jacobian=Forgetful()).solve(FunctionProblem(decay), START)


def test_an_entry_forgotten_later_is_not_the_one_of_the_call_before() -> None:
    calls = itertools.count(1)

    class Forgetful(lmoo.Jacobian):
        def evaluate(self, problem: Any, x: Any, f: Any, out: np.ndarray) -> None:
            assert np.isnan(out).all(), "out still holds the Jacobian before this one"
            out[:] = decay_jacobian(x)
            if next(calls) == 3:
                out[4, 1] = np.nan

    result = Solver(jacobian=Forgetful()).solve(FunctionProblem(decay), START)
    assert next(calls) > 4
    assert result.success
    np.testing.assert_array_equal(result.residual, decay(result.x))


def test_a_strategy_that_writes_nothing_later_ends_without_success() -> None:
    calls = itertools.count(1)

    class Lazy(lmoo.Jacobian):
        def evaluate(self, problem: Any, x: Any, f: Any, out: np.ndarray) -> None:
            if next(calls) == 1:
                out[:] = decay_jacobian(x)

    result = Solver(jacobian=Lazy()).solve(FunctionProblem(decay), START)
    assert result.status is Status.DOMAIN
    np.testing.assert_array_equal(result.x, START)
    np.testing.assert_array_equal(result.residual, decay(np.array(START)))


def test_a_strategy_may_refuse_a_point() -> None:
    refused: list[np.ndarray] = []
    calls = itertools.count(1)

    class Refusing(Delegating):
        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> None:
            if next(calls) in (2, 3):
                refused.append(x)
                raise EvaluationError("not here")
            super().evaluate(problem, x, f, out)

    result = Solver(jacobian=Refusing()).solve(FunctionProblem(decay, decay_jacobian), START)
    assert len(refused) == 2
    assert not np.array_equal(refused[0], refused[1])
    assert result.success
    right = Solver().solve(FunctionProblem(decay, decay_jacobian), START)
    np.testing.assert_allclose(result.x, right.x, rtol=1e-9)


@pytest.mark.parametrize("kind", [ValueError, StopIteration, KeyboardInterrupt, SystemExit])
def test_other_exceptions_of_a_strategy_come_out(kind: type[BaseException]) -> None:
    mine = kind("mine")

    class Raising(lmoo.Jacobian):
        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> None:
            raise mine

    with pytest.raises(kind) as caught:
        Solver(jacobian=Raising()).solve(FunctionProblem(decay), START)
    assert caught.value is mine


def test_out_may_be_kept_and_written_to_after_the_solve() -> None:
    kept: list[np.ndarray] = []

    class Keeping(Delegating):
        def evaluate(self, problem: Any, x: Any, f: Any, out: np.ndarray) -> None:
            super().evaluate(problem, x, f, out)
            kept.append(out)

    def solve() -> lmoo.Result:
        return Solver(jacobian=Keeping()).solve(FunctionProblem(decay, decay_jacobian), START)

    result = solve()
    x, covariance = result.x.copy(), result.covariance()
    first = list(kept)
    # Other solves want memory meanwhile.
    for _ in range(20):
        solve()
    for out in first:
        out.fill(7.0)
        assert (out == 7.0).all()
    np.testing.assert_array_equal(result.x, x)
    np.testing.assert_array_equal(result.covariance(), covariance)
    np.testing.assert_array_equal(solve().x, x)


def test_a_base_strategy_says_what_is_missing() -> None:
    class Empty(lmoo.Jacobian):
        pass

    with pytest.raises(NotImplementedError, match="Empty must define evaluate"):
        Solver(jacobian=Empty()).solve(FunctionProblem(decay), START)


def test_a_strategy_may_solve_another_problem() -> None:
    class Nested(Delegating):
        def evaluate(self, problem: Any, x: Any, f: Any, out: np.ndarray) -> None:
            inner = Solver().solve(FunctionProblem(rosenbrock), [-1.2, 1.0])
            assert inner.success
            super().evaluate(problem, x, f, out)

    problem = FunctionProblem(decay, decay_jacobian)
    result = Solver(jacobian=Nested()).solve(problem, START)
    assert result.x.tobytes() == Solver().solve(problem, START).x.tobytes()


def test_complex_step_can_be_subclassed() -> None:
    class Counting(lmoo.ComplexStep):
        calls = 0

        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> int:
            Counting.calls += 1
            return super().evaluate(problem, x, f, out)

    result = Solver(jacobian=Counting()).solve(FunctionProblem(decay), START)
    assert result.success
    assert Counting.calls == result.njev


@pytest.mark.parametrize("m", [9, 300_000], ids=["small", "large"])
def test_strategies_agree_on_problems_of_either_size(m: int) -> None:
    # From a million m n^2 on another factorisation is used, which releases the GIL.
    t = np.linspace(0.0, 2.0, m)
    y = 2.0 * np.exp(-1.3 * t) + 0.01 * np.cos(7.0 * t)

    def residual(p: np.ndarray) -> np.ndarray:
        return p[0] * np.exp(-p[1] * t) - y

    def rows(p: np.ndarray) -> np.ndarray:
        e = np.exp(-p[1] * t)
        return np.column_stack([e, -p[0] * t * e])

    right = Solver().solve(FunctionProblem(residual, rows), START)
    assert right.success
    for strategy, dfun in (
        (lmoo.ColumnMajor(), lambda p: rows(p).T),
        (lmoo.ForwardDifference(), None),
        (lmoo.ComplexStep(), None),
        (Delegating(), rows),
    ):
        result = Solver(jacobian=strategy).solve(FunctionProblem(residual, dfun), START)
        assert result.success
        np.testing.assert_allclose(result.x, right.x, rtol=1e-9)
        np.testing.assert_allclose(result.standard_errors, right.standard_errors, rtol=1e-6)


class Counting(lmoo.Jacobian):
    """Tells another number of evaluations than it made."""

    def __init__(self, told: Any, refuse: bool = False) -> None:
        self.told, self.refuse = told, refuse

    def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> Any:
        if self.refuse:
            error = lmoo.EvaluationError()
            error.evaluations = self.told
            raise error
        out[:] = np.eye(2)
        return self.told


@pytest.mark.parametrize("refuse", [False, True])
@pytest.mark.parametrize("told", [-1, -(2**60), 2**62, 10**30, -0.5 - 1.0])
def test_a_strategy_that_tells_no_number_of_evaluations_is_refused(told: Any, refuse: bool) -> None:
    problem = lmoo.FunctionProblem(lambda x: x - 3.0)
    blocks = type("Rows", (lmoo.RowBlockProblem,), {"residual": lambda self, x, block: x - 3.0})
    for solved in (problem, blocks([0])):
        with pytest.raises(
            ValueError, match=r"evaluate must return the number of evaluations .* returned"
        ):
            lmoo.Solver(jacobian=Counting(told, refuse)).solve(solved, [1.0, 1.0])


@pytest.mark.parametrize("told", [None, 0, 7, np.int64(3)])
def test_what_a_strategy_tells_is_counted(told: Any) -> None:
    problem = lmoo.FunctionProblem(lambda x: x - 3.0)
    result = lmoo.Solver(jacobian=Counting(told)).solve(problem, [1.0, 1.0])
    own = lmoo.Solver(jacobian=Counting(0)).solve(problem, [1.0, 1.0]).nfev
    assert result.nfev == own + result.njev * int(told or 0)
