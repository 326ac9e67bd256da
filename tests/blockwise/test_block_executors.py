"""Blocks in threads and in processes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import current_process
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from block_problems import (
    KINDS,
    RNG,
    TEN,
    X0,
    Decay,
    DecayWithJacobian,
    T,
    Y,
    assert_same_bits,
    cut,
)
from processes import processes

from lmoo import RowBlockProblem, Solver


@KINDS
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_threads_change_no_bit(kind: Any, workers: int) -> None:
    blocks = cut(T.size, RNG.integers(0, 60, 40).tolist())
    right = Solver().solve(kind(blocks), X0)
    with ThreadPoolExecutor(workers) as executor:
        assert_same_bits(Solver().solve(kind(blocks, executor), X0), right)


def test_processes_change_no_bit() -> None:
    right = Solver().solve(DecayWithJacobian(TEN), X0)
    with processes(2) as executor:
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
    with processes(2) as executor:
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
