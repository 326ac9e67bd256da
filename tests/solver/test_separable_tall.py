"""Variable projection with so many points that no Jacobian is stored: rows are taken in blocks."""

import pickle
import tracemalloc

import numpy as np
import pytest
from separable_cases import SEPARABLE, assert_same

import lmoo

M = 200_000
TRUE = np.array([3.0, 2.0, 0.5, 2.0, 5.0, 0.8, 0.7])
START = TRUE * 1.03


def peaks(t, a, m, s, b, n, u, c):
    return a * np.exp(-(((t - m) / s) ** 2)) + b * np.exp(-(((t - n) / u) ** 2)) + c


@pytest.fixture(scope="module")
def data():
    t = np.linspace(0.0, 8.0, M)
    return t, peaks(t, *TRUE) + 0.05 * np.cos(1e4 * t)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_answer_is_that_of_the_full_fit(data, weighted):
    t, y = data
    sigma = 0.05 + 0.01 * np.sin(t) if weighted else None
    problem = lmoo.CurveProblem(peaks, t, y, sigma, trace=True)
    found = SEPARABLE.solve(problem, START)
    assert_same(found, lmoo.Solver().solve(problem, START), x=1e-8, errors=1e-8)
    np.testing.assert_allclose(found.residual, problem.residual(found.x), atol=1e-12)


def test_of_a_compiled_model(data):
    t, _ = data
    gaussian = lmoo.models.Gaussian()
    problem, start = gaussian.problem(t, gaussian(t, 3.0, 2.0, 0.5, 0.7)), [1.0, 2.1, 0.6, 0.0]
    found = SEPARABLE.solve(problem, start)
    np.testing.assert_allclose(found.x, [3.0, 2.0, 0.5, 0.7], rtol=1e-9)
    assert "eliminated: amplitude, offset" in found.message
    # It is solved for all parameters where that may be chosen.
    assert "eliminated" not in lmoo.Solver(separable="auto").solve(problem, start).message


def test_a_solve_in_its_first_stage_is_stored_and_stopped(data):
    problem = lmoo.CurveProblem(peaks, *data)
    steps = SEPARABLE.iterate(problem, START)
    next(steps)
    again = pickle.loads(pickle.dumps(steps))
    assert [step.cost for step in steps] == [step.cost for step in again]
    stopped = SEPARABLE.solve(problem, START, callback=lambda step: step.iteration == 2)
    assert (stopped.status, stopped.nit) == (lmoo.Status.STOPPED, 2)
    np.testing.assert_allclose(stopped.residual, problem.residual(stopped.x), atol=1e-12)


def test_no_jacobian_is_stored(data):
    problem = lmoo.CurveProblem(peaks, *data)
    SEPARABLE.solve(problem, START)
    tracemalloc.start()
    try:
        SEPARABLE.solve(problem, START)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The derivatives by the linear parameters alone are three numbers per point.
    assert peak < 6 * 8 * M
