"""`RowBlockProblem` and `CurveBlocks`: fits that look at one block of rows at a time."""

from __future__ import annotations

import gc
import itertools
import os
import pickle
import re
import signal
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import current_process, get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import START, decay, decay_jacobian
from samples import T as SAMPLE_T

import lmoo
from lmoo import CurveBlocks, EvaluationError, RowBlockProblem, Solver, Status
from lmoo._core import kernels
from lmoo._core.rows import merge_norms, merge_triangles
from lmoo.blockwise.tree import FAN, Part, Tree, merge
from lmoo.datasets import NistDataset, nist, nist_names

RNG = np.random.default_rng(20121)
T = np.linspace(0.0, 4.0, 1000)
Y = 3.0 * np.exp(-0.5 * T) + 0.1 + 0.01 * RNG.standard_normal(T.size)
X0 = (1.0, 1.0, 0.0)
EPS = np.finfo(float).eps


def cut(rows: int, sizes: list[int]) -> list[slice]:
    """Slices of these sizes, and the rest."""
    ends = np.minimum(np.cumsum([0, *sizes]), rows)
    return [slice(a, b) for a, b in itertools.pairwise([*ends.tolist(), rows])]


class Decay(RowBlockProblem):
    """Blocks are slices."""

    parameter_names = ("amplitude", "rate", "offset")

    def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
        return x[0] * np.exp(-x[1] * T[block]) + x[2] - Y[block]


class DecayWithJacobian(Decay):
    def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
        t = T[block]
        e = np.exp(-x[1] * t)
        return np.column_stack([e, -x[0] * t * e, np.ones(t.size)])


class Whole(lmoo.Problem):
    """The same without blocks."""

    def residual(self, x: np.ndarray) -> np.ndarray:
        return Decay().residual(x, slice(None))


class WholeWithJacobian(Whole):
    def jacobian(self, x: np.ndarray) -> np.ndarray:
        return DecayWithJacobian().jacobian(x, slice(None))


TEN = cut(T.size, [100] * 9)
KINDS = pytest.mark.parametrize("kind", [Decay, DecayWithJacobian])


def assert_same_bits(ours: lmoo.Result, right: lmoo.Result) -> None:
    assert ours.x.tobytes() == right.x.tobytes()
    assert ours.cost == right.cost
    assert ours.status is right.status
    assert (ours.nfev, ours.njev, ours.nit) == (right.nfev, right.njev, right.nit)
    np.testing.assert_array_equal(ours.covariance(), right.covariance())


def without_threads_left(call: Callable[[], Any]) -> Any:
    before = threading.active_count()
    value = call()
    assert threading.active_count() == before
    return value


# ======================================================================= against whole problems


def test_a_problem_in_blocks_is_solved_as_the_whole() -> None:
    ours = Solver().solve(DecayWithJacobian(TEN), X0)
    whole = Solver().solve(WholeWithJacobian(), X0)
    assert ours.success
    assert (ours.nfev, ours.njev, ours.nit) == (whole.nfev, whole.njev, whole.nit)
    np.testing.assert_allclose(ours.x, whole.x, rtol=1e-13)
    np.testing.assert_allclose(ours.cost, whole.cost, rtol=1e-14)
    np.testing.assert_allclose(ours.covariance(), whole.covariance(), rtol=1e-11)
    np.testing.assert_allclose(ours.standard_errors, whole.standard_errors, rtol=1e-11)
    np.testing.assert_allclose(ours.residual_deviation, whole.residual_deviation, rtol=1e-14)
    assert ours.degrees_of_freedom == whole.degrees_of_freedom == T.size - 3
    assert ours.parameter_names == ("amplitude", "rate", "offset")


@pytest.mark.parametrize(
    "strategy",
    [
        None,
        lmoo.ForwardDifference(refine=False),
        lmoo.ForwardDifference(typical=1.0),
        lmoo.CentralDifference(),
        lmoo.ComplexStep(),
    ],
    ids=repr,
)
def test_every_strategy_differentiates_block_by_block(strategy: lmoo.Jacobian | None) -> None:
    solver = Solver(jacobian=strategy)
    ours, whole = solver.solve(Decay(TEN), X0), solver.solve(Whole(), X0)
    assert ours.success
    # nfev is of passes over all blocks.  Sums in another order may make the last step, which is of
    # the size of their rounding, seem worth one more: a trial, and a pair for each parameter.
    assert abs(ours.nit - whole.nit) <= 1
    assert abs(ours.nfev - whole.nfev) <= 1 + 2 * len(X0)
    exact = Solver().solve(WholeWithJacobian(), X0)
    unrefined = isinstance(strategy, lmoo.ForwardDifference) and not strategy.refine
    np.testing.assert_allclose(ours.x, exact.x, rtol=1e-6 if unrefined else 1e-9)


def test_columns_may_be_rows() -> None:
    class Columns(Decay):
        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            return DecayWithJacobian().jacobian(x, block).T

    ours = Solver(jacobian=lmoo.ColumnMajor()).solve(Columns(TEN), X0)
    assert_same_bits(ours, Solver().solve(DecayWithJacobian(TEN), X0))


def test_a_strategy_of_ones_own_sees_a_block_as_a_problem() -> None:
    seen = set()

    class Own(lmoo.Jacobian):
        relative_error = 1e-7

        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> int:
            seen.add((problem.block.start, f.size))
            for j in range(x.size):
                moved = x.copy()
                moved[j] += 1e-7
                out[:, j] = (problem.residual(moved) - f) / 1e-7
            return x.size

    result = Solver(jacobian=Own()).solve(Decay(TEN), X0)
    assert result.success
    assert seen == {(100 * k, 100) for k in range(10)}
    assert result.nfev == result.nit + 1 + 3 * result.njev


class NistRows(RowBlockProblem):
    def __init__(self, data: NistDataset, size: int) -> None:
        self.data = data
        super().__init__(cut(data.y.size, [size] * (data.y.size // size)))

    def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
        return self.data.residual(x)[block]

    def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
        return self.data.jacobian(x)[block]


def test_nist_has_the_digits_of_the_whole() -> None:
    errors = []
    for name, start in itertools.product(nist_names(), (0, 1)):
        data = nist(name)
        # Without acceleration, for which blocks would have to be passed once more.
        solver = Solver(step=lmoo.More(accelerate=False))
        ours = solver.solve(NistRows(data, 7), data.starts[start])
        whole = solver.solve(data, data.starts[start])
        assert ours.success == whole.success, name
        assert abs(ours.nfev - whole.nfev) <= 0.05 * whole.nfev, name
        np.testing.assert_allclose(ours.cost, whole.cost, rtol=1e-9, atol=1e-20, err_msg=name)
        difference = np.abs(ours.x - whole.x)
        errors.append(np.max(difference / np.abs(whole.x)))
        # Where a long path meets rounding both stop as near the minimum as they promise, not at
        # one point: within 30 xtol |f| in f, as much of the standard errors times the root of the
        # degrees of freedom.
        known = np.sqrt(whole.degrees_of_freedom) * whole.standard_errors
        near = 1e-10 * np.abs(whole.x) + 2.0 * 30.0 * 1e-10 * known
        assert (difference <= near).all(), name
    assert np.median(errors) <= 1e-14


def test_columns_scaled_over_twelve_orders_of_magnitude() -> None:
    scales = 10.0 ** np.array([-6.0, 0.0, 6.0])

    class Scaled(RowBlockProblem):
        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            return Decay().residual(x * scales, block)

        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            return DecayWithJacobian().jacobian(x * scales, block) * scales

    class ScaledWhole(lmoo.Problem):
        def residual(self, x: np.ndarray) -> np.ndarray:
            return Scaled().residual(x, slice(None))

        def jacobian(self, x: np.ndarray) -> np.ndarray:
            return Scaled().jacobian(x, slice(None))

    start = np.array(X0) / scales
    ours, whole = Solver().solve(Scaled(TEN), start), Solver().solve(ScaledWhole(), start)
    plain = Solver().solve(DecayWithJacobian(TEN), X0)
    assert ours.success
    np.testing.assert_allclose(ours.x, whole.x, rtol=1e-13)
    np.testing.assert_allclose(ours.x * scales, plain.x, rtol=1e-12)
    np.testing.assert_allclose(ours.standard_errors * scales, plain.standard_errors, rtol=1e-9)


# ======================================================================================= plans


@given(st.lists(st.integers(0, 400), max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_blocks_give_the_same_digits(sizes: list[int]) -> None:
    whole = Solver().solve(WholeWithJacobian(), X0)
    ours = Solver().solve(DecayWithJacobian(cut(T.size, sizes)), X0)
    assert (ours.status, ours.nfev, ours.njev) == (whole.status, whole.nfev, whole.njev)
    np.testing.assert_allclose(ours.x, whole.x, rtol=1e-12)
    np.testing.assert_allclose(ours.cost, whole.cost, rtol=1e-13)


def test_a_row_a_block() -> None:
    ours = Solver().solve(DecayWithJacobian(cut(T.size, [1] * 999)), X0)
    np.testing.assert_allclose(ours.x, Solver().solve(WholeWithJacobian(), X0).x, rtol=1e-12)
    assert ours.observations == T.size


def test_blocks_may_be_empty_and_have_fewer_rows_than_parameters() -> None:
    blocks = cut(T.size, [0, 1, 0, 2, 500, 0])
    for kind in (Decay, DecayWithJacobian):
        ours = Solver().solve(kind(blocks), X0)
        np.testing.assert_allclose(ours.x, Solver().solve(kind(TEN), X0).x, rtol=1e-8)


class Restartable:
    def __init__(self) -> None:
        self.passes = 0

    def __iter__(self) -> Iterator[slice]:
        self.passes += 1
        yield from TEN


@KINDS
def test_blocks_may_be_any_iterable_that_starts_anew(kind: Any) -> None:
    class Method(kind):  # type: ignore[misc]
        def blocks(self) -> Iterator[slice]:
            yield from TEN

    class Property(kind):  # type: ignore[misc]
        @property
        def blocks(self) -> Iterator[slice]:
            return map(slice, range(0, 1000, 100), range(100, 1100, 100))

        @blocks.setter
        def blocks(self, value: Any) -> None:
            raise AssertionError

    right = Solver().solve(kind(TEN), X0)
    assert_same_bits(Solver().solve(kind(tuple(TEN)), X0), right)
    assert_same_bits(Solver().solve(Method(), X0), right)
    blocks = Restartable()
    assert_same_bits(Solver().solve(kind(blocks), X0), right)
    # A pass a trial and the start, a pass a Jacobian; differences are taken within a block.
    assert blocks.passes == right.nit + 1 + right.njev


def test_one_jacobian_block_exists_at_a_time() -> None:
    alive: list[Any] = []
    most = 0

    class Tracked(np.ndarray):
        pass

    class Watched(DecayWithJacobian):
        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            nonlocal most
            gc.collect()
            most = max(most, sum(ref() is not None for ref in alive))
            array = super().jacobian(x, block).view(Tracked)
            alive.append(weakref.ref(array))
            return array

    # What other tests have left need not be looked through for each block.
    gc.freeze()
    try:
        assert Solver().solve(Watched(TEN), X0).success
    finally:
        gc.unfreeze()
    assert most == 0


def test_trial_points_evaluate_no_jacobian() -> None:
    calls = {"residual": 0, "jacobian": 0}

    class Counted(DecayWithJacobian):
        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            calls["residual"] += 1
            return super().residual(x, block)

        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            calls["jacobian"] += 1
            return super().jacobian(x, block)

    result = Solver().solve(Counted(TEN), X0)
    assert calls["jacobian"] == 10 * result.njev
    assert calls["residual"] == 10 * (result.nfev + result.njev)
    assert result.nfev == result.nit + 1


def test_what_the_block_functions_return_may_be_reused() -> None:
    class Reusing(DecayWithJacobian):
        def __init__(self, blocks: Any) -> None:
            super().__init__(blocks)
            self.f, self.j = np.empty(100), np.empty((100, 3))

        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            self.f[:] = super().residual(x, block)
            x[:] = np.nan
            return self.f

        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            self.j[:] = super().jacobian(x, block)
            self.f[:] = np.nan
            x[:] = np.nan
            return self.j

    assert_same_bits(Solver().solve(Reusing(TEN), X0), Solver().solve(DecayWithJacobian(TEN), X0))


@pytest.mark.parametrize(
    "layout",
    [
        np.asfortranarray,
        lambda j: j.tolist(),
        lambda j: np.repeat(j, 2, axis=0)[::2],
        lambda j: j.astype(">f8"),
        lambda j: np.flipud(np.flipud(j).copy()),
        lambda j: np.ndarray(j.shape, float, b"\0" + j.tobytes(), 1),
    ],
    ids=["fortran", "lists", "strided", "swapped", "reversed", "unaligned"],
)
def test_any_layout_of_a_jacobian_is_read(layout: Callable[[np.ndarray], Any]) -> None:
    class Laid(DecayWithJacobian):
        def jacobian(self, x: np.ndarray, block: slice) -> Any:
            return layout(super().jacobian(x, block))

    assert_same_bits(Solver().solve(Laid(TEN), X0), Solver().solve(DecayWithJacobian(TEN), X0))


def test_float32_blocks_are_differenced_with_steps_that_they_can_see() -> None:
    class Single(Decay):
        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            return super().residual(x.astype(np.float32), block).astype(np.float32)

    result = Solver().solve(Single(TEN), X0)
    assert result.success
    exact = Solver().solve(DecayWithJacobian(TEN), X0)
    np.testing.assert_allclose(result.x, exact.x, rtol=2000 * np.finfo(np.float32).eps)


# ============================================================================ steps and results


def test_the_result_has_no_residual_but_knows_its_length() -> None:
    result = Solver().solve(DecayWithJacobian(TEN), X0)
    assert result.residual.shape == (0,)
    assert result.observations == 1000
    assert "1000, 3 (997 degrees of freedom)" in str(result)


def test_the_result_of_a_whole_problem_knows_its_length_too() -> None:
    result = Solver().solve(Whole(), X0)
    assert result.observations == result.residual.size == 1000


@pytest.mark.parametrize("step", [lmoo.More(), lmoo.Nielsen(), lmoo.GeodesicAcceleration()])
def test_every_step_strategy_runs(step: lmoo.Step) -> None:
    result = Solver(step=step).solve(DecayWithJacobian(TEN), X0)
    assert result.success
    np.testing.assert_allclose(result.x, Solver().solve(WholeWithJacobian(), X0).x, rtol=1e-9)


def test_a_step_strategy_in_python_runs() -> None:
    class Marquardt(lmoo.Step):
        def propose(self, model: Any) -> tuple[np.ndarray, float]:
            last = model.memory.get("lambda", 0.01)
            model.memory["lambda"] = lambda_ = last / 10 if model.accepted else last * 10
            return model.damped(lambda_), lambda_

    ours = Solver(step=Marquardt()).solve(DecayWithJacobian(TEN), X0)
    whole = Solver(step=Marquardt()).solve(WholeWithJacobian(), X0)
    assert ours.nit == whole.nit
    np.testing.assert_allclose(ours.x, whole.x, rtol=1e-12)


def test_options_mean_what_they_mean() -> None:
    ours = Solver(maxfev=3).solve(DecayWithJacobian(TEN), X0)
    assert ours.status is Status.MAXFEV
    assert ours.nfev == 3
    scaled = Solver(diag=[1.0, 2.0, 3.0], factor=1.0)
    np.testing.assert_allclose(
        scaled.solve(DecayWithJacobian(TEN), X0).x,
        scaled.solve(WholeWithJacobian(), X0).x,
        rtol=1e-12,
    )
    with pytest.raises(ValueError, match=r"diag must have one entry per parameter, 3; it has 2"):
        Solver(diag=[1.0, 2.0]).solve(Decay(TEN), X0)


def test_callbacks_see_every_iteration_and_may_stop() -> None:
    records: list[lmoo.IterationRecord] = []
    result = Solver().solve(DecayWithJacobian(TEN), X0, callback=records.append)
    assert [record.iteration for record in records] == list(range(1, result.nit + 1))
    stopped = Solver().solve(DecayWithJacobian(TEN), X0, callback=lambda r: r.iteration == 2)
    assert stopped.status is Status.STOPPED
    assert stopped.nit == 2
    assert stopped.x.tobytes() == records[1].x.tobytes()


def test_stop_from_within_a_block_ends_the_solve() -> None:
    class Stopping(DecayWithJacobian):
        steps: Any = None
        calls = 0

        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            self.calls += 1
            if self.calls == 45:
                self.steps.stop()
            return super().residual(x, block)

    problem = Stopping(TEN)
    problem.steps = Solver().iterate(problem, X0)
    assert len(list(problem.steps)) < Solver().solve(DecayWithJacobian(TEN), X0).nit
    assert problem.steps.result.status is Status.STOPPED


@KINDS
def test_it_goes_on_bit_for_bit_from_a_pickle_of_every_iteration(kind: Any) -> None:
    steps = Solver().iterate(kind(TEN), X0)
    whole = Solver().solve(kind(TEN), X0)
    for step in steps:
        if step.iteration == whole.nit:
            break
        again = pickle.loads(pickle.dumps(steps))
        assert_same_bits(again.result, steps.result)
        assert again.result.observations == steps.result.observations
        for _ in again:
            pass
        assert_same_bits(again.result, whole)


def test_an_executor_is_not_pickled_along() -> None:
    with ThreadPoolExecutor(2) as executor:
        problem = DecayWithJacobian(TEN, executor)
        steps = Solver().iterate(problem, X0)
        next(steps)
        again = pickle.loads(pickle.dumps(steps))
        assert again.problem.executor is None
        assert problem.executor is executor
        assert [r.cost for r in again] == [r.cost for r in steps]


def test_an_iteration_evaluates_nothing_until_it_is_asked() -> None:
    blocks = Restartable()
    steps = Solver().iterate(Decay(blocks), X0)
    assert blocks.passes == 0
    assert np.isnan(steps.result.cost)
    assert steps.result.observations == 0


# =================================================================================== bad points


class Bounded(DecayWithJacobian):
    """Not to be evaluated at rates of 2.5 and more, in one of its blocks."""

    how: Any = None

    def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
        f = super().residual(x, block)
        if block.start == 700 and x[1] > 2.5:
            if self.how == "raise":
                raise EvaluationError("too fast")
            f[17] = self.how
        return f


@pytest.mark.parametrize("how", ["raise", np.nan, np.inf], ids=str)
@pytest.mark.parametrize("pool", [False, True], ids=["serial", "threads"])
def test_a_bad_block_refuses_the_point(how: Any, pool: bool) -> None:
    refused = 0

    def watch(record: lmoo.IterationRecord) -> None:
        nonlocal refused
        refused += record.ratio == 0.0 and not record.accepted

    def solve(executor: Executor | None) -> lmoo.Result:
        problem = Bounded(TEN, executor)
        problem.how = how
        return Solver(factor=100.0).solve(problem, (0.01, 0.01, 0.0), callback=watch)

    if pool:
        with ThreadPoolExecutor(3) as executor:
            result = solve(executor)
    else:
        result = solve(None)
    assert refused
    assert result.success
    np.testing.assert_allclose(result.x, Solver().solve(WholeWithJacobian(), X0).x, rtol=1e-9)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("raise", r"^too fast$"),
        (np.nan, r"^residual\(x0, block\) must be finite; its entry 17 is nan for block 7$"),
        (-np.inf, r"^residual\(x0, block\) must be finite; its entry 17 is -inf for block 7$"),
    ],
    ids=str,
)
def test_a_start_that_cannot_be_evaluated_says_where(how: Any, says: str) -> None:
    problem = Bounded(TEN)
    problem.how = how
    with pytest.raises(EvaluationError, match=says):
        Solver().solve(problem, (1.0, 3.0, 0.0))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_jacobian_that_is_not_finite_at_the_start_is_an_error(bad: float) -> None:
    class Bad(DecayWithJacobian):
        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            j = super().jacobian(x, block)
            j[5, 1] = bad
            return j

    with pytest.raises(EvaluationError, match=r"the Jacobian at x0"):
        Solver().solve(Bad(TEN), X0)


def test_a_jacobian_refused_at_the_start_comes_out_as_it_was() -> None:
    class Bad(Decay):
        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            raise EvaluationError("no derivatives")

    with pytest.raises(EvaluationError, match=r"^no derivatives$"):
        Solver().solve(Bad(TEN), X0)


def test_a_jacobian_that_is_bad_later_takes_its_point_back() -> None:
    class Bad(DecayWithJacobian):
        calls = 0

        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            self.calls += 1
            if 20 < self.calls <= 30:
                raise EvaluationError
            return super().jacobian(x, block)

    result = Solver().solve(Bad(TEN), X0)
    assert result.success
    np.testing.assert_allclose(result.x, Solver().solve(WholeWithJacobian(), X0).x, rtol=1e-9)


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_norms_neither_overflow_nor_underflow(scale: float) -> None:
    class Scaled(DecayWithJacobian):
        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            return scale * super().residual(x, block)

        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            return scale * super().jacobian(x, block)

    ours = Solver().solve(Scaled(TEN), X0)
    plain = Solver().solve(DecayWithJacobian(TEN), X0)
    assert ours.success
    np.testing.assert_allclose(ours.x, plain.x, rtol=1e-9)
    np.testing.assert_allclose(ours.fnorm, scale * plain.fnorm, rtol=1e-12)


# ==================================================================================== bad input


@pytest.mark.parametrize(
    ("blocks", "says"),
    [
        (None, r"it is None"),
        (3, r"it is 3"),
        (iter(TEN), r"it is <list_iterator .*>, which ends after one pass"),
        ((b for b in TEN), r"it is <generator .*>, which ends after one pass"),
    ],
    ids=["None", "int", "iterator", "generator"],
)
def test_blocks_that_cannot_be_gone_over_again_are_named(blocks: Any, says: str) -> None:
    with pytest.raises(
        TypeError, match=rf"^blocks must be an iterable that starts anew .*; {says}"
    ):
        Solver().solve(Decay(blocks), X0)


def test_no_blocks_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"^blocks must have at least one block; there is none"):
        Solver().solve(Decay([]), X0)


def test_no_rows_are_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"residual .*N=3 exceeds .* M=0"):
        Solver().solve(Decay([slice(0, 0)]), X0)


@pytest.mark.parametrize("rows", [1, 2])
def test_fewer_rows_than_parameters_are_solved(rows: int) -> None:
    result = Solver().solve(Decay([slice(k, k + 1) for k in range(rows)]), X0)
    assert result.success
    assert result.cost < 1e-24
    assert result.rank == rows
    assert len(result.undetermined) > 0


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize(
    ("change", "now"),
    [(lambda b: b[:-1], "900 in 9"), (lambda b: [*b, slice(0, 7)], "1007 in 11")],
    ids=["fewer", "more"],
)
def test_a_pass_with_other_rows_is_a_value_error(at: int, change: Any, now: str) -> None:
    class Changing(DecayWithJacobian):
        passes = 0

        def blocks(self) -> Any:
            self.passes += 1
            return TEN if self.passes <= at else change(TEN)

    says = f"blocks must give as many rows at every pass: 1000 in 10 blocks at the first, now {now}"
    with pytest.raises(ValueError, match=re.escape(says)):
        Solver().solve(Changing(), X0)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "returned None"),
        (1.0, "a scalar"),
        (np.zeros((3, 1)), r"shape \(3, 1\)"),
        (np.zeros(3) * 1j, "complex"),
        (["1", "2", "3"], "str"),
        ([[1.0], [1.0, 2.0]], "no array"),
    ],
    ids=["None", "float", "2-D", "complex", "str", "ragged"],
)
@pytest.mark.parametrize("call", [5, 15])
def test_a_residual_that_is_no_real_vector_is_a_type_error(
    value: Any, says: str, call: int
) -> None:
    calls = itertools.count(1)

    class Bad(Decay):
        def residual(self, x: np.ndarray, block: slice) -> Any:
            return value if next(calls) == call else super().residual(x, block)

    with pytest.raises(TypeError, match=rf"^residual must return a 1-D array .*{says}") as caught:
        Solver().solve(Bad(TEN), X0)
    assert "in block " in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (np.zeros((3, 100)), r"shape \(100, 3\); it returned shape \(3, 100\); it is transposed"),
        (np.zeros((100, 2)), r"shape \(100, 3\); it returned shape \(100, 2\)"),
        (np.zeros((100, 3)) * 1j, r"it returned dtype complex128"),
        (None, r"it returned dtype object"),
    ],
    ids=["transposed", "narrow", "complex", "None"],
)
def test_a_jacobian_of_the_wrong_shape_is_a_type_error(value: Any, says: str) -> None:
    class Bad(Decay):
        def jacobian(self, x: np.ndarray, block: slice) -> Any:
            return value

    with pytest.raises(TypeError, match=rf"^jacobian \(.*Bad.jacobian\) must return .*{says}"):
        Solver().solve(Bad(TEN), X0)


def test_a_residual_that_changes_its_length_within_a_block_is_a_value_error() -> None:
    calls = itertools.count(1)

    class Bad(Decay):
        def residual(self, x: np.ndarray, block: slice) -> Any:
            f = super().residual(x, block)
            return f if next(calls) != 12 else f[:-1]

    with pytest.raises(ValueError, match=r"residual must return as many .*: 100 at the .* now 99"):
        Solver().solve(Bad(TEN), X0)


def test_a_problem_without_residual_says_so() -> None:
    with pytest.raises(NotImplementedError, match=r"RowBlockProblem must define residual\(self, x"):
        Solver().solve(RowBlockProblem(TEN), X0)


@pytest.mark.parametrize("x0", [[], 1.0, [[1.0]], [np.nan, 1.0, 1.0]], ids=repr)
def test_a_bad_x0_is_named_and_nothing_is_evaluated(x0: Any) -> None:
    blocks = Restartable()
    with pytest.raises(ValueError, match=r"^x0 must be"):
        Solver().solve(Decay(blocks), x0)
    assert blocks.passes == 0


@pytest.mark.parametrize("executor", [3, "threads", ThreadPoolExecutor], ids=str)
def test_what_is_no_executor_is_a_type_error(executor: Any) -> None:
    with pytest.raises(TypeError, match=r"^executor must be a concurrent.futures.Executor, a Dask"):
        Solver().solve(Decay(TEN, executor), X0)


def test_analytic_asks_for_a_jacobian() -> None:
    with pytest.raises(TypeError, match=r"problem must define jacobian\(x\)"):
        Solver(jacobian=lmoo.Analytic()).solve(Decay(TEN), X0)


@pytest.mark.parametrize("where", ["residual", "jacobian", "blocks"])
@pytest.mark.parametrize("pool", [False, True], ids=["serial", "threads"])
def test_an_exception_comes_out_as_it_was(where: str, pool: bool) -> None:
    error = KeyError("mine")

    class Raising(DecayWithJacobian):
        def blocks(self) -> Iterator[slice]:
            yield from TEN[:5]
            if where == "blocks":
                raise error
            yield from TEN[5:]

        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            if where == "residual" and block.start == 300:
                raise error
            return super().residual(x, block)

        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            if where == "jacobian" and block.start == 300:
                raise error
            return super().jacobian(x, block)

    with ThreadPoolExecutor(3) as executor, pytest.raises(KeyError) as caught:
        Solver().solve(Raising(executor=executor if pool else None), X0)
    assert caught.value is error
    if where != "blocks":
        assert error.__notes__ == ["in block 3 of the problem's blocks"]


def test_after_an_exception_it_goes_on_where_it_was() -> None:
    class Once(DecayWithJacobian):
        calls = 0

        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            self.calls += 1
            if self.calls == 57:
                raise KeyError
            return super().residual(x, block)

    steps = Solver().iterate(Once(TEN), X0)
    with pytest.raises(KeyError):
        for _ in steps:
            pass
    for _ in steps:
        pass
    assert steps.result.x.tobytes() == Solver().solve(DecayWithJacobian(TEN), X0).x.tobytes()


@pytest.mark.parametrize("workers", [0, 2])
def test_stop_iteration_of_a_block_is_a_runtime_error(workers: int) -> None:
    class Bad(Decay):
        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            raise StopIteration("mine")

    with ThreadPoolExecutor(2) as executor, pytest.raises(RuntimeError, match="StopIteration"):
        next(Solver().iterate(Bad(TEN, executor if workers else None), X0))


def test_a_solve_leaves_nothing_behind() -> None:
    problem = DecayWithJacobian(TEN)
    steps = Solver().iterate(problem, X0)
    next(steps)
    dead = weakref.ref(problem)
    del steps, problem
    gc.collect()
    assert dead() is None


# ==================================================================================== executors


@KINDS
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_threads_change_no_bit(kind: Any, workers: int) -> None:
    blocks = cut(T.size, RNG.integers(0, 60, 40).tolist())
    right = Solver().solve(kind(blocks), X0)
    with ThreadPoolExecutor(workers) as executor:
        assert_same_bits(Solver().solve(kind(blocks, executor), X0), right)


def test_processes_change_no_bit() -> None:
    right = Solver().solve(DecayWithJacobian(TEN), X0)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        data = Pairs([(T[b], Y[b]) for b in TEN], executor)
        ours = Solver().solve(data, X0)
    assert ours.x.tobytes() == right.x.tobytes()
    assert ours.cost == right.cost


class Pairs(RowBlockProblem):
    """Blocks are pairs of arrays, and the problem can be sent without them."""

    def residual(self, x: np.ndarray, block: Any) -> np.ndarray:
        t, y = block
        return x[0] * np.exp(-x[1] * t) + x[2] - y

    def jacobian(self, x: np.ndarray, block: Any) -> np.ndarray:
        e = np.exp(-x[1] * block[0])
        return np.column_stack([e, -x[0] * block[0] * e, np.ones(e.size)])

    def __setstate__(self, state: dict[str, Any]) -> None:
        # What a worker gets is the problem without its data.
        assert current_process().name == "MainProcess" or not {"blocks", "executor"} & set(state)
        vars(self).update(state)


class Mortal(Pairs):
    """Kills the worker that evaluates it, at the n-th block that carries a mark."""

    marker = ""
    at = 0

    def residual(self, x: np.ndarray, block: Any) -> np.ndarray:
        if current_process().name != "MainProcess":
            with open(self.marker, "a") as file:
                file.write("x")
            if os.path.getsize(self.marker) >= self.at:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().residual(x, block)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no way to kill a process")
@pytest.mark.parametrize("at", [1, 14, 25])
def test_blocks_of_a_worker_that_died_are_evaluated_here(at: int, tmp_path: Path) -> None:
    blocks = [(T[b], Y[b]) for b in TEN]
    right = Solver().solve(Pairs(blocks), X0)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        problem = Mortal(blocks, executor)
        problem.marker, problem.at = str(tmp_path / "marker"), at
        ours = Solver().solve(problem, X0)
        assert os.path.getsize(problem.marker) >= at
        # A pool that is broken from the beginning.
        again = Solver().solve(problem, X0)
    for result in (ours, again):
        assert result.x.tobytes() == right.x.tobytes()
        assert (result.nfev, result.njev) == (right.nfev, right.njev)


def test_few_blocks_are_under_way_at_once() -> None:
    out = most = 0
    lock = threading.Lock()

    class Counting(DecayWithJacobian):
        def blocks(self) -> Iterator[slice]:
            nonlocal out, most
            for block in cut(T.size, [10] * 99):
                with lock:
                    out += 1
                    most = max(most, out)
                yield block

        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            nonlocal out
            with lock:
                out -= 1
            return super().residual(x, block)

    with ThreadPoolExecutor(2) as executor:
        Solver(maxfev=2).solve(Counting(executor=executor), X0)
    assert 2 <= most <= 2 * 2 + 1


def test_when_a_solve_has_failed_nothing_of_it_runs_on() -> None:
    running = threading.Semaphore(0)
    ended = []

    class Slow(Decay):
        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            if block.start == 0:
                running.acquire(timeout=5.0)
                raise KeyError
            running.release()
            ended.append(block.start)
            return super().residual(x, block)

    with ThreadPoolExecutor(2) as executor:
        with pytest.raises(KeyError):
            Solver().solve(Slow(TEN, executor), X0)
        count = len(ended)
        # Had any been left in the executor's queue, it would run before this.
        executor.submit(int).result()
        executor.submit(int).result()
        assert len(ended) == count


def test_a_problem_may_be_solved_by_several_threads_at_once() -> None:
    problem = DecayWithJacobian(TEN)
    right = Solver().solve(problem, X0)
    with ThreadPoolExecutor(4) as executor:
        for result in executor.map(lambda _: Solver().solve(problem, X0), range(8)):
            assert_same_bits(result, right)


# ===================================================================================== the tree


def triangle(rows: int, n: int = 4) -> np.ndarray:
    t: np.ndarray = np.asfortranarray(np.triu(RNG.standard_normal((rows, n + 1)))[:n])
    return t


def part(number: int) -> Part:
    return Part(number + 1, 1, float(number), EPS, triangle(4), number, 0.0)


@given(st.integers(1, 200))
@settings(deadline=None)
def test_the_tree_is_that_of_merging_level_by_level(count: int) -> None:
    parts = [part(k) for k in range(count)]
    tree = Tree()
    for p in parts:
        tree.add(p)
        assert all(len(level) < FAN for level in tree.levels)
    while len(parts) > 1:
        groups = [parts[k : k + FAN] for k in range(0, len(parts), FAN)]
        parts = [merge(group) if len(group) > 1 else group[0] for group in groups]
    root = tree.root()
    assert root is not None
    assert root._replace(triangle=None) == parts[0]._replace(triangle=None)
    np.testing.assert_array_equal(root.triangle, parts[0].triangle)


def test_an_empty_tree_has_no_root() -> None:
    assert Tree().root() is None


def test_merged_triangles_are_the_triangle_of_all_rows() -> None:
    triangles = [triangle(4) for _ in range(7)]
    kept = [t.copy() for t in triangles]
    merged = merge_triangles(triangles)
    rows = np.concatenate(triangles)
    np.testing.assert_allclose(merged.T @ merged, (rows.T @ rows)[:, :] * _seen(merged, rows))
    np.testing.assert_array_equal(np.tril(merged, -1), 0.0)
    for t, before in zip(triangles, kept, strict=True):
        np.testing.assert_array_equal(t, before)


def _seen(merged: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """1, but for |Q^T f|^2, of which the triangle keeps the part in the span of J."""
    n = merged.shape[0]
    ratio = np.ones((n + 1, n + 1))
    q = np.linalg.qr(rows[:, :n])[0].T @ rows[:, n]
    ratio[n, n] = (q @ q) / (rows[:, n] @ rows[:, n])
    return ratio


def test_folding_block_by_block_is_folding_the_whole() -> None:
    j, f = RNG.standard_normal((500, 5)), RNG.standard_normal(500)

    class Linear(RowBlockProblem):
        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            return j[block] @ x - f[block]

        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            return j[block]

    result = Solver().solve(Linear(cut(500, [37] * 13)), np.zeros(5))
    np.testing.assert_allclose(result.x, np.linalg.lstsq(j, f, rcond=None)[0], rtol=1e-12)
    r, _, acnorm, _ = kernels.fold(j, f)
    assert result.factor is not None
    np.testing.assert_allclose(np.abs(result.factor.r), np.abs(r), atol=1e-12)
    np.testing.assert_allclose(result.factor.acnorm, acnorm, rtol=1e-14)


@pytest.mark.parametrize("scale", [1e-300, 1e-10, 1.0, 1e300])
def test_merged_norms_neither_overflow_nor_underflow(scale: float) -> None:
    np.testing.assert_allclose(merge_norms([3.0 * scale, 4.0 * scale]), 5.0 * scale, rtol=1e-15)
    assert merge_norms([scale]) == scale


def test_a_refused_part_refuses_those_after_it() -> None:
    first, second = EvaluationError("first"), EvaluationError("second")
    parts = [part(5), part(9)._replace(refusal=first), part(70), part(3)._replace(refusal=second)]
    merged = merge(parts)
    assert merged.refusal is first
    assert merged.evaluations == 9


# ================================================================================== CurveBlocks


def model(t: np.ndarray, a: float, b: float, c: float) -> np.ndarray:
    return a * np.exp(-b * t) + c


def derivatives(t: np.ndarray, a: float, b: float, c: float) -> np.ndarray:
    e = np.exp(-b * t)
    return np.column_stack([e, -a * t * e, np.ones(t.size)])


@pytest.mark.parametrize("size", [1, 7, 100, 1000, 65536])
def test_curve_blocks_fit_a_model(size: int) -> None:
    ours = Solver().solve(CurveBlocks(model, T, Y, size, jac=derivatives), X0)
    np.testing.assert_allclose(ours.x, Solver().solve(WholeWithJacobian(), X0).x, rtol=1e-12)
    assert ours.observations == 1000
    assert ours.nfev == ours.nit + 1


def test_curve_blocks_of_hundred_are_the_ten_blocks() -> None:
    assert_same_bits(
        Solver().solve(CurveBlocks(model, T, Y, 100, jac=derivatives), X0),
        Solver().solve(DecayWithJacobian(TEN), X0),
    )
    assert_same_bits(
        Solver().solve(CurveBlocks(model, T, Y, 100, trace=False), X0),
        Solver().solve(Decay(TEN), X0),
    )


@pytest.mark.parametrize("jac", [None, derivatives])
def test_curve_blocks_divide_by_sigma(jac: Any) -> None:
    sigma = RNG.uniform(0.5, 2.0, T.size)
    ours = Solver().solve(CurveBlocks(model, T, Y, 64, sigma, jac), X0)

    def weighted(x: np.ndarray) -> np.ndarray:
        return (model(T, *x) - Y) / sigma

    whole = Solver().solve(lmoo.FunctionProblem(weighted), X0)
    np.testing.assert_allclose(ours.x, whole.x, rtol=1e-8)
    np.testing.assert_allclose(ours.cost, whole.cost, rtol=1e-12)
    halved = Solver().solve(CurveBlocks(model, T, Y, 64, 2.0, jac), X0)
    plain = Solver().solve(CurveBlocks(model, T, Y, 64, None, jac), X0)
    np.testing.assert_allclose(halved.cost, plain.cost / 4.0, rtol=1e-12)


def test_curve_blocks_take_memory_maps(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", T)
    np.save(tmp_path / "y.npy", Y)
    t, y = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "ty")
    seen = set()

    def watched(t: np.ndarray, *p: float) -> np.ndarray:
        seen.add((type(t), t.size))
        return model(t, *p)

    result = Solver().solve(CurveBlocks(watched, t, y, 300), X0)
    assert_same_bits(result, Solver().solve(CurveBlocks(model, T, Y, 300, trace=False), X0))
    assert seen == {(np.ndarray, 300), (np.ndarray, 100)}


def test_curve_blocks_take_several_predictors() -> None:
    x = np.stack([T, np.sin(T)])
    y = 2.0 * x[0] - 3.0 * x[1]
    problem = CurveBlocks(lambda x, a, b: a * x[0] + b * x[1], x, y, 128)
    np.testing.assert_allclose(Solver().solve(problem, [1.0, 1.0]).x, [2.0, -3.0], rtol=1e-9)


def test_curve_blocks_take_lists_and_integers() -> None:
    problem = CurveBlocks(lambda t, a, b: a + b * t, [0, 1, 2, 3], [1, 3, 5, 7], 2)
    np.testing.assert_allclose(Solver().solve(problem, [0.0, 0.0]).x, [1.0, 2.0], rtol=1e-9)


def test_curve_blocks_are_sent_without_their_data() -> None:
    from lmoo.blockwise.task import Task

    long = np.arange(100_000.0)
    problem = CurveBlocks(model, long, long, jac=derivatives, parameter_names=("a", "b", "c"))
    stored = pickle.dumps(Task(problem, lmoo.Analytic()))
    assert len(stored) < 2000
    again = pickle.loads(stored).problem
    np.testing.assert_array_equal(again.residual(np.array(X0), (T, Y, 1.0)), model(T, *X0) - Y)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"f": 3}, TypeError, r"f must be callable; it is 3"),
        ({"jac": 3}, TypeError, r"jac must be callable or None; it is 3"),
        ({"block_size": 0}, ValueError, r"block_size must be at least 1; it is 0"),
        ({"block_size": 1.5}, TypeError, r"block_size must be an integer; it is 1.5"),
        ({"ydata": Y * 1j}, TypeError, r"ydata must be real numbers; .* complex128"),
        ({"xdata": ["a"] * 1000}, TypeError, r"xdata must be real numbers; .* <U1"),
        ({"ydata": Y[:, None]}, ValueError, r"ydata must be 1-D; its shape is \(1000, 1\)"),
        ({"xdata": T[:-1]}, ValueError, r"xdata must have .* m = 1000 .* its shape is \(999,\)"),
        ({"xdata": T[:, None]}, ValueError, r"xdata must have .* its shape is \(1000, 1\)"),
        ({"sigma": 0.0}, ValueError, r"sigma must be positive and finite; it is 0.0"),
        ({"sigma": np.nan}, ValueError, r"sigma must be positive and finite; it is nan"),
        ({"sigma": np.ones(3)}, ValueError, r"sigma must have shape \(1000,\) .* has \(3,\)"),
        ({"sigma": "a"}, TypeError, r"sigma must be a real number"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_bad_arguments_of_curve_blocks_are_named(change: Any, error: Any, says: str) -> None:
    arguments: dict[str, Any] = {"f": model, "xdata": T, "ydata": Y, **change}
    with pytest.raises(error, match=rf"^{says}"):
        CurveBlocks(**arguments)


@pytest.mark.parametrize(
    ("f", "jac", "sigma", "says"),
    [
        (lambda t, *p: 1.0, None, None, r"f must return a value a row, shape \(64,\); .*\(\)"),
        (lambda t, *p: t[:-1], None, None, r"f must return .*; it returned shape \(63,\)"),
        (model, lambda t, *p: t, None, r"jac must return a row of 3 derivatives for each of 64"),
        (
            model,
            None,
            np.linspace(-1, 1, 1000),
            r"sigma must be positive; some of its entries are not: it is -1.0 at index 0",
        ),
    ],
    ids=["scalar", "short", "jac", "sigma"],
)
def test_what_shows_only_when_a_block_is_looked_at_is_named(
    f: Any, jac: Any, sigma: Any, says: str
) -> None:
    with pytest.raises(ValueError, match=rf"^{says}"):
        Solver().solve(CurveBlocks(f, T, Y, 64, sigma, jac), X0)


def test_a_subclass_of_curve_blocks_may_have_a_jacobian_of_its_own() -> None:
    class Own(CurveBlocks):
        def jacobian(self, x: np.ndarray, block: Any) -> np.ndarray:
            return derivatives(block[0], *x)

    result = Solver().solve(Own(model, T, Y, 100), X0)
    assert_same_bits(result, Solver().solve(DecayWithJacobian(TEN), X0))


def test_the_samples_in_three_blocks() -> None:
    class Sample(RowBlockProblem):
        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            return decay(x)[block]

        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            return decay_jacobian(x)[block]

    ours = Solver().solve(Sample(cut(SAMPLE_T.size, [2, 5])), START)
    whole = Solver().solve(lmoo.FunctionProblem(decay, decay_jacobian), START)
    np.testing.assert_allclose(ours.x, whole.x, rtol=1e-13)


def test_curves_in_blocks_take_bounds_and_fixed_parameters() -> None:
    t = np.linspace(0.0, 4.0, 100)

    def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
        return a * np.exp(-b * t) + c

    y = decay(t, 2.5, 1.3, 0.5)
    options = {"bounds": {"c": (0.6, None)}, "fixed": ["a"]}
    blocks = lmoo.CurveBlocks(decay, t, y, block_size=30, **options)
    result = lmoo.Solver().solve(blocks, [2.4, 1.0, 1.0])
    right = lmoo.Solver().solve(lmoo.CurveProblem(decay, t, y, **options), [2.4, 1.0, 1.0])
    np.testing.assert_allclose(result.x, right.x, rtol=1e-7)
    np.testing.assert_array_equal(result.active_mask, [0, 0, -1])
    np.testing.assert_array_equal(result.fixed, [True, False, False])


def test_the_derivatives_of_one_parameter_in_blocks_may_be_a_vector() -> None:
    t = np.linspace(0.0, 4.0, 100)
    blocks = lmoo.CurveBlocks(
        lambda t, b: np.exp(-b * t), t, np.exp(-1.3 * t), 30, jac=lambda t, b: -t * np.exp(-b * t)
    )
    np.testing.assert_allclose(lmoo.Solver().solve(blocks, [1.0]).x, 1.3, rtol=1e-10)
