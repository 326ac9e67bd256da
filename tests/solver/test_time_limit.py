"""The option `time_limit`."""

from __future__ import annotations

import itertools
import math
import time
from typing import Any

import numpy as np
import pytest
from samples import T, rosenbrock

import lmoo
from lmoo import FunctionProblem, Solver, Status


@pytest.mark.parametrize("value", [0, -1.0, math.nan])
def test_a_time_limit_is_positive(value: Any) -> None:
    with pytest.raises(
        ValueError, match=r"^time_limit must be a positive number of seconds, or None"
    ):
        Solver(time_limit=value)


@pytest.mark.parametrize("value", ["1", True, [1.0], 1j])
def test_a_time_limit_is_a_number(value: Any) -> None:
    with pytest.raises(TypeError, match="time_limit must be a real number"):
        Solver(time_limit=value)


class TimedBlock(lmoo.RowBlockProblem):
    def residual(self, x: np.ndarray, block: Any) -> Any:
        return rosenbrock(x)


@pytest.mark.parametrize(
    "problem", [FunctionProblem(rosenbrock), TimedBlock([0])], ids=["whole", "blocks"]
)
@pytest.mark.parametrize("history", [False, True])
def test_the_time_limit_ends_a_solve_after_the_iteration_that_passes_it(
    problem: Any, history: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A clock by which each iteration takes 1 s.
    clock = itertools.count()
    monkeypatch.setattr(lmoo.solver.solver.time, "perf_counter", lambda: float(next(clock)))
    start = [-1.2, 1.0]
    result = Solver(time_limit=2.5).solve(problem, start, history=history)
    assert result.status is Status.STOPPED
    assert not result.success
    assert result.nit == 3
    assert result.message.startswith("stopped by the time limit, time_limit = 2.5 s (")
    steps = Solver(time_limit=2.5).iterate(problem, start)
    records = list(steps)
    assert len(records) == 3
    assert steps.result.status is Status.STOPPED
    np.testing.assert_array_equal(steps.result.x, result.x)
    assert steps.result.message == result.message
    free = Solver().iterate(problem, start)
    assert [next(free).cost for _ in range(3)] == [record.cost for record in records]
    # Where the solve ends by itself before, the limit changes nothing.
    for limit in (1e9, math.inf):
        long, plain = (Solver(time_limit=v).solve(problem, start) for v in (limit, None))
        np.testing.assert_array_equal(long.x, plain.x)
        assert (long.status, long.nfev) == (plain.status, plain.nfev)


def test_time_between_two_steps_does_not_count() -> None:
    steps = Solver(time_limit=0.5).iterate(FunctionProblem(rosenbrock), [-1.2, 1.0])
    next(steps)
    time.sleep(0.6)
    next(steps)
    assert steps.result.status is Status.UNFINISHED


def test_a_model_in_compiled_code_has_a_time_limit_too() -> None:
    model = lmoo.models.Exponential()
    t = np.linspace(0.0, 4.0, 20)
    problem = model.problem(t, model(t, 2.5, 1.3, 0.5))
    result = Solver(time_limit=1e-9).solve(problem, [1.0, 1.0, 0.0])
    assert (result.status, result.nit) == (Status.STOPPED, 1)


def test_stacks_refuse_a_time_limit_by_name() -> None:
    with pytest.raises(
        ValueError, match=r"solver must have time_limit=None for many fits; it is 3"
    ):
        lmoo.curve_fit_many(
            lambda t, a: a * t, T, np.ones((2, T.size)), [1.0], solver=Solver(time_limit=3)
        )
