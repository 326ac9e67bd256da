"""Iterations and results of problems in blocks."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from block_problems import (
    KINDS,
    TEN,
    X0,
    Decay,
    DecayWithJacobian,
    Restartable,
    Whole,
    WholeWithJacobian,
    assert_same_bits,
)

import lmoo
from lmoo import Solver, Status


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
