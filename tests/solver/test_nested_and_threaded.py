"""Solves within solves, and solves in several threads."""

from __future__ import annotations

import copy
import functools
import itertools
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from samples import START, T, Y, decay
from solver_problems import EVERY_STRATEGY, STRATEGIES, assert_same_bits, solve_decay

import lmoo
from lmoo import FunctionProblem, Problem, Solver


def test_a_residual_may_solve_and_may_call_leastsq() -> None:
    def best_amplitude(rate: float, facade: bool) -> np.ndarray:
        def inner(a: np.ndarray) -> np.ndarray:
            return a[0] * np.exp(-rate * T) - Y

        if facade:
            return lmoo.leastsq(inner, [1.0])[0]
        return Solver().solve(FunctionProblem(inner), [1.0]).x

    for facade in (False, True):

        def outer(x: np.ndarray, facade: bool = facade) -> np.ndarray:
            return decay(np.array([best_amplitude(x[0], facade)[0], x[0]]))

        result = Solver(jacobian=lmoo.ForwardDifference(1e-12)).solve(FunctionProblem(outer), [0.7])
        assert result.success
        np.testing.assert_allclose(result.x, solve_decay().x[1:], rtol=1e-5)


def test_a_residual_may_solve_its_own_problem_with_its_own_solver() -> None:
    solver = Solver()

    class Deep(Problem):
        depth = 0

        def residual(self, x: np.ndarray) -> np.ndarray:
            if self.depth < 3:
                self.depth += 1
                try:
                    assert solver.solve(self, START).success
                finally:
                    self.depth -= 1
            return decay(x)

    deep = Deep()
    # Only the innermost of three levels is cheap.
    deep.depth = 1
    assert_same_bits(solver.solve(deep, START), solve_decay())


@pytest.fixture
def switching() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_a_solve_leaves_no_trace_in_any_module() -> None:
    def state() -> dict[tuple[str, str], Any]:
        names = [name for name in sys.modules if name == "lmoo" or name.startswith("lmoo.")]
        return {
            (name, key): (id(value), copy.copy(value) if type(value) in (dict, list, set) else None)
            for name in names
            for key, value in vars(sys.modules[name]).items()
            if key != "__builtins__"
        }

    # The first solve may import what it needs.
    str(solve_decay())
    before = state()
    for dfun, strategy in STRATEGIES.values():
        str(solve_decay(decay, dfun, strategy))
    with pytest.raises(ZeroDivisionError):
        solve_decay(lambda x: [1 / 0])
    assert state() == before


@pytest.mark.usefixtures("switching")
@EVERY_STRATEGY
def test_threads_may_share_a_solver_and_a_problem(dfun: Any, strategy: Any) -> None:
    solver, problem = Solver(jacobian=strategy), FunctionProblem(decay, dfun)
    starts = [(1.0 + 0.1 * k, 1.0 + 0.05 * k) for k in range(16)]
    right = [solver.solve(problem, x0) for x0 in starts]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda x0: solver.solve(problem, x0), starts * 2))
    for answer, expected in zip(answers, right * 2, strict=True):
        assert_same_bits(answer, expected)


def test_eight_solves_are_under_way_at_once_and_know_nothing_of_each_other() -> None:
    # Everybody waits for everybody at several evaluations: the solves overlap for certain.
    barrier = threading.Barrier(8, timeout=30.0)
    solver = Solver()

    def solve(k: int, meet: bool) -> lmoo.Result:
        calls = itertools.count(1)

        def residual(x: np.ndarray) -> np.ndarray:
            if next(calls) in (1, 3, 4) and meet:
                barrier.wait()
            return (1.0 + k) * decay(x)

        return solver.solve(FunctionProblem(residual), (1.0 + 0.1 * k, 1.0))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(functools.partial(solve, meet=True), range(8)))
    for k, answer in enumerate(answers):
        assert_same_bits(answer, solve(k, False))


def test_large_solves_in_threads_which_let_go_of_the_gil() -> None:
    # m n^2 is above a million: the factorisation runs without the GIL.
    t = np.linspace(0.0, 2.0, 300_000)

    def solve(k: int) -> lmoo.Result:
        y = (1.0 + k) * np.exp(-1.3 * t)
        return Solver().solve(FunctionProblem(lambda p: p[0] * np.exp(-p[1] * t) - y), START)

    right = [solve(k) for k in range(3)]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(solve, range(3)))
    for answer, expected in zip(answers, right, strict=True):
        assert_same_bits(answer, expected)
