"""Memory over a million solves, and over as many whose residual raises."""

import gc
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from common import versions

import lmoo

SOLVES = 1_000_000


def resident() -> float:
    """Return the memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def residual(x: np.ndarray) -> np.ndarray:
    return x - 3.0


def raising(x: np.ndarray) -> np.ndarray:
    raise ValueError("on purpose")


def solve() -> None:
    lmoo.leastsq(residual, [1.0, 2.0])


def solve_with_solver() -> None:
    lmoo.Solver().solve(lmoo.FunctionProblem(residual), [1.0, 2.0])


def solve_raising() -> None:
    try:
        lmoo.leastsq(raising, [1.0, 2.0])
    except ValueError:
        return


def growth(function: Callable[[], None], solves: int) -> float:
    """Return the growth of the process in MB over these solves, after a tenth to warm up."""
    for _ in range(solves // 10):
        function()
    gc.collect()
    before = resident()
    for _ in range(solves):
        function()
    gc.collect()
    return resident() - before


if __name__ == "__main__":
    solves = int(sys.argv[1]) if len(sys.argv) > 1 else SOLVES
    print(versions())
    for function in (solve, solve_raising, solve_with_solver):
        print(f"{function.__name__:<20}{solves:>10} solves: {growth(function, solves):+.2f} MB")
