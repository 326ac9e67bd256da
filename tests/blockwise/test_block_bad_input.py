"""Refusals of `RowBlockProblem`."""

from __future__ import annotations

import gc
import itertools
import re
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from block_problems import TEN, X0, Decay, DecayWithJacobian, Restartable

import lmoo
from lmoo import RowBlockProblem, Solver


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

    says = (
        "blocks must have the same number of rows in every pass: 1000 in 10 blocks in the first, "
        f"now {now}"
    )
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
