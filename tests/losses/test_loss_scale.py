"""Estimated scales of losses, and pickled solves."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from loss_cases import NAMES, SCALE, START, T, Y, decay, jacobian, residual
from scipy import stats

import lmoo


@pytest.mark.parametrize("name", NAMES)
def test_estimated_scale_is_that_of_the_solution(name: str) -> None:
    result = lmoo.Solver(loss=name, f_scale="mad").solve(
        lmoo.FunctionProblem(residual, jacobian), START
    )
    assert result.success
    largest = np.sort(np.abs(result.residual))[2:]
    expected = getattr(lmoo.losses, name).tuning * np.median(largest) / stats.norm.ppf(0.75)
    assert result.f_scale == pytest.approx(expected, rel=1e-7)
    again = lmoo.Solver(loss=name, f_scale=result.f_scale).solve(result.problem, result.x)
    np.testing.assert_allclose(result.x, again.x, rtol=1e-8)


def test_estimated_scale_where_most_points_fit_exactly() -> None:
    y = decay(T, 2.5, 1.3, 0.5)
    y[::5] += 1.0
    problem = lmoo.FunctionProblem(lambda x: decay(T, *x) - y, jacobian)
    for name in NAMES:
        result = lmoo.Solver(loss=name, f_scale="mad").solve(problem, START)
        np.testing.assert_allclose(result.x, (2.5, 1.3, 0.5), rtol=1e-4)
    exact = lmoo.Solver(loss="huber", f_scale="mad").solve(
        lmoo.FunctionProblem(lambda x: x - 1.0), [1.0, 1.0]
    )
    assert exact.success
    assert exact.cost == 0.0


@pytest.mark.parametrize("scale", [SCALE, "mad"])
@pytest.mark.parametrize("step", [None, lmoo.GeodesicAcceleration()])
def test_a_solve_goes_on_after_pickling(scale: Any, step: Any) -> None:
    solver = lmoo.Solver(loss="cauchy", f_scale=scale, step=step)
    steps = solver.iterate(lmoo.CurveProblem(decay, T, Y), START)
    whole = [record.cost for record in solver.iterate(lmoo.CurveProblem(decay, T, Y), START)]
    for k, _ in enumerate(steps):
        again = pickle.loads(pickle.dumps(steps))
        assert [record.cost for record in again] == whole[k + 1 :]
        assert again.result.nfev == solver.solve(steps.problem, START).nfev
