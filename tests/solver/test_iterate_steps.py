"""`Solver.iterate`: a solve in steps is the same solve."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from iterate_cases import (
    EVERY_CASE,
    ROSENBROCK,
    Counted,
    WithJacobian,
    assert_same_bits,
    assert_same_record,
)

import lmoo
from lmoo import Solver, Status


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
        # There are as many residuals as parameters.
        assert result.degrees_of_freedom == 0
        assert not np.isfinite(result.standard_errors).any()
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
