"""The numbers of an iteration record against the formulas that define them.

Each step p solves (J^T J + lambda D^2) p = -J^T f with |D p| near delta, D the largest norms of
J's columns so far (More' 1978).  Everything is computed anew here, from the definitions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from problems import CASES, MghProblem

import lmoo

# Some with steps that are refused, some with many that are damped.
PROBLEMS = [
    "rosenbrock-2x2-f1", "helical-valley-3x3-f10", "bard-3x15-f1", "kowalik-osborne-4x11-f1",
    "watson-6x31-f1", "brown-dennis-4x20-f1", "meyer-3x16-f1", "osborne-1-5x33-f1",
]  # fmt: skip


class Step(NamedTuple):
    """A record with what was known before it."""

    x: np.ndarray
    f: np.ndarray
    jacobian: np.ndarray
    diag: np.ndarray
    delta: float
    record: lmoo.IterationRecord
    problem: MghProblem

    @property
    def before(self) -> float:
        return float(self.f @ self.f)

    @property
    def step(self) -> np.ndarray:
        return self.record.x - self.x

    @property
    def after(self) -> float:
        return float(np.sum(self.problem.residual(self.record.x) ** 2))

    @property
    def predicted(self) -> float:
        return self.before - float(np.sum((self.f + self.jacobian @ self.step) ** 2))

    @property
    def visible(self) -> bool:
        """Whether the reduction is more than rounding errors of the sums, and some digits more."""
        return self.predicted > 1e-9 * self.before


def steps_of(name: str, **options: Any) -> Iterator[Step]:
    case = next(case for case in CASES if case.id == name)
    # More's own steps, as the formulas are his.
    problem, solver = case.problem, lmoo.Solver(step=lmoo.More(accelerate=False), **options)
    x = case.start()
    diag, delta = None, 0.0
    for record in solver.iterate(problem, x):
        jacobian, f = problem.jacobian(x), problem.residual(x)
        lengths = np.linalg.norm(jacobian, axis=0)
        if diag is None:
            diag = np.where(lengths > 0.0, lengths, 1.0)
            # Where |D x| says nothing, as x0 is at or near 0, |f| sets the scale.
            delta = solver.factor * max(
                float(np.linalg.norm(diag * x)), 0.1 * float(np.linalg.norm(f))
            )
        diag = np.maximum(diag, lengths)
        yield Step(x, f, jacobian, diag, delta, record, problem)
        x, delta = record.x, record.delta


each_problem = pytest.mark.parametrize("name", PROBLEMS)


@pytest.fixture(params=PROBLEMS)
def steps(request: pytest.FixtureRequest) -> list[Step]:
    found = list(steps_of(request.param))
    assert len(found) > 5
    return found


def test_iterations_are_numbered(steps: list[Step]) -> None:
    assert [step.record.iteration for step in steps] == list(range(1, len(steps) + 1))


def test_x_and_cost(steps: list[Step]) -> None:
    for step in steps:
        record = step.record
        assert record.cost == pytest.approx(0.5 * step.after, rel=1e-13)
        if not record.accepted:
            np.testing.assert_array_equal(record.x, step.x)
        # Rounding errors may go up; nothing else may.
        assert record.cost <= 0.5 * step.before * (1.0 + 1e-12)


def test_gradient_and_optimality(steps: list[Step]) -> None:
    for step in steps:
        gradient = step.jacobian.T @ step.f
        lengths = np.linalg.norm(step.jacobian, axis=0) * np.linalg.norm(step.f)
        np.testing.assert_allclose(step.record.gradient / lengths, gradient / lengths, atol=1e-13)
        cosine = np.max(np.abs(gradient) / lengths)
        assert step.record.optimality == pytest.approx(cosine, rel=1e-9, abs=1e-13)


def test_the_step_solves_the_damped_problem_with_its_lambda(steps: list[Step]) -> None:
    checked = 0
    for step in steps:
        record = step.record
        if not (record.accepted and step.visible):
            continue
        p, jacobian = step.step, step.jacobian
        pull = record.lambda_ * step.diag**2
        gradient = jacobian.T @ (step.f + jacobian @ p) + pull * p
        # Column by column; x + p has been rounded to x's digits, and J p with it.
        lengths = np.linalg.norm(jacobian, axis=0)
        rounding = 4.0 * np.finfo(float).eps * np.abs(step.x)
        tolerance = lengths * (1e-10 * np.linalg.norm(step.f) + lengths @ rounding)
        assert (np.abs(gradient) <= tolerance + pull * rounding).all(), (record, gradient)
        checked += 1
    assert checked > 3


def test_the_step_is_within_the_region(steps: list[Step]) -> None:
    assert any(step.record.accepted for step in steps)
    for step in steps:
        if step.record.accepted:
            length = np.linalg.norm(step.diag * step.step)
            # x + p has been rounded to x's digits.
            rounding = 4.0 * np.finfo(float).eps * np.linalg.norm(step.diag * step.x)
            assert length <= 1.1 * step.delta * (1.0 + 1e-9) + rounding
            if step.record.lambda_ > 0.0 and step.visible:
                assert length >= 0.9 * step.delta * (1.0 - 1e-9) - rounding


def test_ratio_is_of_actual_to_predicted_reduction(steps: list[Step]) -> None:
    checked = 0
    for step in steps:
        record = step.record
        assert record.accepted == (record.ratio >= 1e-4)
        if record.accepted and step.visible:
            expected = (step.before - step.after) / step.predicted
            assert record.ratio == pytest.approx(expected, rel=1e-4)
            checked += 1
    assert checked > 3


def test_the_region_follows_the_ratio(steps: list[Step]) -> None:
    for step in steps:
        record = step.record
        if record.ratio <= 0.25:
            assert record.delta < step.delta * 1.1
        elif record.accepted and record.ratio >= 0.75:
            length = np.linalg.norm(step.diag * step.step)
            rounding = 8.0 * np.finfo(float).eps * np.linalg.norm(step.diag * step.x)
            assert record.delta == pytest.approx(2.0 * length, rel=1e-9, abs=rounding)


def test_counts(steps: list[Step]) -> None:
    # One residual at the start and one an iteration; one Jacobian for each point that was taken.
    accepted = 0
    for k, step in enumerate(steps, 1):
        assert step.record.nfev == 1 + k
        assert step.record.njev == 1 + accepted
        accepted += step.record.accepted


@each_problem
def test_a_given_diag_stays(name: str) -> None:
    case = next(case for case in CASES if case.id == name)
    n = case.problem.n
    diag = np.linspace(1.0, 3.0, n)
    problem, x = case.problem, case.start()
    checked = 0
    for record in lmoo.Solver(diag=diag, maxfev=20).iterate(problem, x):
        if record.accepted and checked < 4:
            jacobian, f = problem.jacobian(x), problem.residual(x)
            step = diag * (record.x - x)
            matrix = jacobian / diag
            # Along p the gradient of the damped problem vanishes for some lambda >= 0.
            gradient = matrix.T @ (f + matrix @ step)
            lambda_ = -(gradient @ step) / (step @ step)
            size = np.linalg.norm(matrix.T @ f)
            assert lambda_ >= -1e-9 * size / np.linalg.norm(step)
            np.testing.assert_allclose(gradient, -lambda_ * step, atol=1e-6 * size)
            checked += 1
        x = record.x
    assert checked == 4
