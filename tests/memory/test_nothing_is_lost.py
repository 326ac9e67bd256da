"""However a solve ends, the memory of the process does not grow."""

from __future__ import annotations

import gc
import itertools
import os
import pickle
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from memory_cases import MineError

import lmoo
from lmoo import EvaluationError, FunctionProblem, Problem, Solver

STATM = Path("/proc/self/statm")
LINUX = pytest.mark.skipif(not STATM.exists(), reason="resident memory is read from /proc")


def resident() -> int:
    """Bytes of memory of this process that are there."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def growth(action: Callable[[], Any], times: int) -> int:
    """By how much memory grows over so many calls, once it has settled."""
    for _ in range(times // 10):
        action()
    gc.collect()
    before = resident()
    for _ in range(times):
        action()
    gc.collect()
    return resident() - before


# A state that is lost is a kilobyte at least, an array of the residual's length 8 kilobytes: 2 and
# 16 megabytes over these many solves.  Without a loss the growth is below 100 kilobytes.
M, TIMES, ALLOWED = 1000, 2_000, 500_000
DATA = np.linspace(1.0, 2.0, M)
IDENTITY = np.ones((M, 1))


def quick(x: np.ndarray) -> np.ndarray:
    return x - DATA


def quick_jacobian(x: np.ndarray) -> np.ndarray:
    return IDENTITY


@LINUX
def test_thousands_of_solves() -> None:
    solver, problem = Solver(), FunctionProblem(quick, quick_jacobian)
    assert growth(lambda: solver.solve(problem, [1.4]), TIMES) < ALLOWED


@LINUX
def test_thousands_of_solves_whose_residual_raises() -> None:
    calls = itertools.count()

    def residual(x: np.ndarray) -> np.ndarray:
        # At the second evaluation: the memory for m residuals is there.
        if next(calls) % 2:
            raise MineError
        return quick(x)

    problem, solver = FunctionProblem(residual, quick_jacobian), Solver()

    def action() -> None:
        with suppress(MineError):
            solver.solve(problem, [1.4])

    assert growth(action, TIMES) < ALLOWED


def bad_jacobian(x: np.ndarray) -> np.ndarray:
    raise MineError


def refuse(x: np.ndarray) -> np.ndarray:
    raise EvaluationError


ENDS: dict[str, Callable[[], Any]] = {
    "differences": lambda: Solver().solve(FunctionProblem(quick), [1.4]),
    "central": lambda: Solver(jacobian=lmoo.CentralDifference()).solve(
        FunctionProblem(quick), [1.4]
    ),
    "complex": lambda: Solver(jacobian=lmoo.ComplexStep()).solve(FunctionProblem(quick), [1.4]),
    "list": lambda: Solver().solve(FunctionProblem(lambda x: quick(x).tolist()), [1.4]),
    "float32": lambda: Solver().solve(
        FunctionProblem(lambda x: quick(x).astype(np.float32), quick_jacobian), [1.4]
    ),
    "jacobian raises": lambda: Solver().solve(FunctionProblem(quick, bad_jacobian), [1.4]),
    "jacobian of the wrong shape": lambda: Solver().solve(
        FunctionProblem(quick, lambda x: IDENTITY.T), [1.4]
    ),
    "start refused": lambda: Solver().solve(FunctionProblem(refuse), [1.4]),
    "start not finite": lambda: Solver().solve(
        FunctionProblem(lambda x: np.full(M, np.nan)), [1.4]
    ),
    "too few residuals": lambda: Solver().solve(FunctionProblem(quick), np.ones(M + 1)),
    "no vector": lambda: Solver().solve(FunctionProblem(lambda x: [[1.0], [1.0, 2.0]]), [1.4]),
    "length changes": lambda: Solver().solve(
        FunctionProblem(lambda x: quick(x)[: M if x[0] == 1.4 else M // 2]), [1.4]
    ),
    "callback raises": lambda: Solver().solve(
        FunctionProblem(quick, quick_jacobian), [1.4], callback=bad_jacobian
    ),
    "abandoned": lambda: next(Solver().iterate(FunctionProblem(quick, quick_jacobian), [1.4])),
    "never begun": lambda: Solver().iterate(FunctionProblem(quick), np.ones(100)),
    "everything asked for": lambda: str(
        Solver().solve(FunctionProblem(quick, quick_jacobian), [1.4])
    ),
    "checked": lambda: lmoo.check_jacobian(FunctionProblem(quick, quick_jacobian), [1.4]),
}


@LINUX
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_no_end_loses_memory(end: Callable[[], Any]) -> None:
    def action() -> None:
        with suppress(MineError, TypeError, ValueError, EvaluationError):
            end()

    # A lost array of M numbers would be 3.2 MB over 400 solves.
    assert growth(action, 400) < ALLOWED


class Stored(Problem):
    def residual(self, x: np.ndarray) -> np.ndarray:
        return quick(x)


@LINUX
def test_storing_and_restoring_loses_no_memory() -> None:
    steps = Solver().iterate(Stored(), [1.4])
    next(steps)
    function, arguments = steps.__reduce__()  # type: ignore[misc]

    def action() -> None:
        list(pickle.loads(pickle.dumps(function(*arguments))))  # type: ignore[operator]

    assert growth(action, 400) < ALLOWED


@LINUX
def test_a_residual_that_advances_its_own_iteration_loses_no_memory() -> None:
    def action() -> None:
        steps: list[lmoo.Iteration] = []
        inside: list[int] = []

        def residual(x: np.ndarray) -> np.ndarray:
            if not inside:
                inside.append(1)
                with suppress(RuntimeError, ValueError):
                    next(steps[0])
            return quick(x)

        steps.append(Solver().iterate(FunctionProblem(residual, quick_jacobian), [1.4]))
        next(steps[0])

    assert growth(action, 400) < ALLOWED


def test_numpys_own_books_balance() -> None:
    # NumPy tells tracemalloc of every array: none is left of a thousand solves.
    solver, problem = Solver(), FunctionProblem(quick, quick_jacobian)
    for _ in range(100):
        solver.solve(problem, [1.4])
    tracemalloc.start()
    try:
        for _ in range(10):
            solver.solve(problem, [1.4])
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(1000):
            solver.solve(problem, [1.4])
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 20_000
    finally:
        tracemalloc.stop()
