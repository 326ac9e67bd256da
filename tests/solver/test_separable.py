"""Variable projection: linear parameters are eliminated, and all else stays as it is."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from separable_cases import (
    FORMS,
    SEPARABLE,
    SIGMA,
    START,
    T,
    Y,
    assert_same,
    decays,
    decays_jacobian,
    polished,
)

import lmoo
from lmoo.datasets import nist
from lmoo.datasets._nist_models import MODELS


@pytest.mark.parametrize("form", FORMS)
def test_the_answer_is_that_of_the_full_fit(form):
    problem = FORMS[form]()
    start = (*START, 0.0)[: 5 if form == "model" else 4]
    if form == "model":  # amplitude1, rate1, amplitude2, rate2, offset in another order
        names = problem.parameter_names
        start = [{"rate1": 0.1, "rate2": 2.0, "offset": 0.0}.get(name, 1.0) for name in names]
    full = polished(problem, start)
    found = SEPARABLE.solve(problem, start)
    # Derivatives by differences are those of another residual here.
    differences = "called" in form or form in ("function", "problem", "covariance")
    assert_same(found, full, x=1e-8, errors=1e-5 if differences else 1e-8)
    assert found.nit < lmoo.Solver().solve(problem, start).nit
    if found.residual.size:
        np.testing.assert_allclose(found.residual, problem.residual(found.x), atol=1e-12)


@pytest.mark.parametrize("form", ["traced", "called", "problem", "blocks traced", "given jacobian"])
def test_starting_values_of_linear_parameters_do_not_matter(form):
    one = SEPARABLE.solve(FORMS[form](), START)
    two = SEPARABLE.solve(FORMS[form](), [-1e6, START[1], 0.0, START[3]])
    np.testing.assert_array_equal(one.x, two.x)


@pytest.mark.parametrize("form", ["traced", "called", "given jacobian", "blocks traced"])
@pytest.mark.parametrize(
    "options",
    [
        {"bounds": {1: (0.0, 0.4)}},
        {"bounds": {0: (0.0, 2.5)}},
        {"bounds": {0: (0.0, 2.5), 3: (0.0, 1.9)}},
        {"fixed": {0: 2.9}},
        {"fixed": {1: 0.48}},
        {"fixed": {0: 2.9, 3: 2.8}},
        {"bounds": {0: (None, None), 2: (-np.inf, np.inf), 3: (0.0, 10.0)}},
    ],
)
def test_bounds_and_fixed_parameters_are_kept(form, options):
    start = np.array(START)
    start[1] = min(start[1], 0.3)
    start[3] = min(start[3], 1.8)
    problem = FORMS[form]()
    full = polished(problem, start, **options)
    found = lmoo.Solver(separable=True, **options).solve(problem, start)
    errors = 1e-5 if form == "called" else 1e-7
    assert_same(found, full, x=1e-7, errors=errors)


def test_a_model_that_is_never_evaluated_outside_the_bounds():
    seen = []

    def f(t, a, b):
        seen.append((float(a), float(b)))
        return a * np.exp(-b * t)

    y = f(T, 2.0, 0.5)
    problem = lmoo.CurveProblem(
        f, T, y, trace=False, linear_parameters=[0], bounds={"b": (0.2, 0.4)}
    )
    SEPARABLE.solve(problem, [1.0, 0.3])
    assert all(0.2 <= b <= 0.4 for _, b in seen[1:])


@pytest.mark.parametrize(
    "problem",
    [
        lmoo.CurveProblem(lambda t, a, b: a + b * t, T, Y),
        lmoo.CurveProblem(decays, T, Y, fixed={"b": 0.5, "d": 3.0}),
    ],
)
def test_a_linear_problem_is_solved_for_all(problem):
    start = START[: len(problem.parameter_names)]
    found, full = SEPARABLE.solve(problem, start), lmoo.Solver().solve(problem, start)
    np.testing.assert_array_equal(found.x, full.x)
    assert found.nit == full.nit


def test_rank_deficient_columns_have_a_basic_solution():
    # At b = d both decays are the same.
    problem = lmoo.CurveProblem(decays, T, Y)
    found = SEPARABLE.solve(problem, [1.0, 1.0, 1.0, 1.0])
    assert np.isfinite(found.x).all()
    assert found.cost <= lmoo.Solver().solve(problem, [1.0, 1.0, 1.0, 1.0]).cost * (1 + 1e-9)
    called = lmoo.CurveProblem(decays, T, Y, trace=False, linear_parameters=[0, 2])
    assert SEPARABLE.solve(called, [1.0, 1.0, 1.0, 1.0]).cost == pytest.approx(found.cost)


def test_a_zero_column_costs_nothing():
    problem = lmoo.CurveProblem(
        lambda t, a, b, c: a * np.exp(-b * t) + c * np.where(t > 9.0, 1.0, 0.0), T, Y
    )
    found = SEPARABLE.solve(problem, [1.0, 1.0, 5.0])
    assert (found.success, found.rank) == (True, 2)
    assert np.isinf(found.standard_errors[2])


def test_points_that_the_model_has_no_value_at_shorten_the_step():
    def f(t, a, b):
        return a * np.sqrt(b - t)

    y = f(T, 2.0, 4.5) + 0.01 * np.cos(9 * T)
    with np.errstate(invalid="ignore"):
        full = lmoo.Solver().solve(lmoo.CurveProblem(f, T, y), [1.0, 9.0])
        found = SEPARABLE.solve(lmoo.CurveProblem(f, T, y), [1.0, 9.0])
    np.testing.assert_allclose(found.x, full.x, rtol=1e-8)


def test_a_start_that_is_not_finite_is_refused():
    def f(t, a, b):
        return a * np.sqrt(b - t)

    problem = lmoo.CurveProblem(f, T, Y, trace=False, linear_parameters=[0])
    with np.errstate(invalid="ignore"), pytest.raises(lmoo.EvaluationError, match="finite"):
        SEPARABLE.solve(problem, [1.0, 2.0])


def test_a_fit_without_a_minimum_is_no_success():
    y = decays(T, 3.0, 0.5, 2.0, 3.0)
    problem = lmoo.models.Gaussian().problem(T, y + 0.01 * np.cos(40 * T))
    found = SEPARABLE.solve(problem, [5.0, 0.0, 1.0, 0.0])
    assert not found.success


@pytest.mark.parametrize("name", ["Misra1a", "Gauss1", "Kirby2", "MGH09", "Thurber", "Lanczos3"])
@pytest.mark.parametrize("number", [0, 1])
def test_nist(name, number):
    data = nist(name)
    problem = lmoo.CurveProblem(MODELS[name].value, data.x, data.y)
    found = SEPARABLE.solve(problem, data.starts[number])
    np.testing.assert_allclose(found.x, data.certified, rtol=1e-8)
    full = polished(problem, data.certified)
    np.testing.assert_allclose(found.standard_errors, full.standard_errors, rtol=1e-7)


def test_counts_are_those_of_the_function():
    calls = []

    def f(t, a, b):
        calls.append(0)
        return a * np.exp(-b * t)

    problem = lmoo.CurveProblem(f, T, Y, trace=False, linear_parameters=["a"])
    found = SEPARABLE.solve(problem, [1.0, 1.0])
    assert found.nfev == len(calls)
    slopes = []

    def jac(t, a, b):
        slopes.append(0)
        return np.stack([np.exp(-b * t), -a * t * np.exp(-b * t)], axis=1)

    calls.clear()
    problem = lmoo.CurveProblem(f, T, Y, jac=jac, linear_parameters=["a"])
    found = SEPARABLE.solve(problem, [1.0, 1.0])
    assert (found.nfev, found.njev) == (len(calls), len(slopes))


def test_iterations_have_all_parameters():
    problem = lmoo.CurveProblem(decays, T, Y)
    found = SEPARABLE.solve(problem, START, history=True)
    assert found.history.x.shape == (found.nit, 4)
    assert found.history.iteration[-1] == found.nit
    np.testing.assert_array_equal(found.history.x[-1], found.x)
    at = found.history.x[0]
    f = problem.residual(at)
    np.testing.assert_allclose(decays_jacobian(T, *at)[:, [0, 2]].T @ f, 0.0, atol=1e-10)


def test_a_solve_is_continued_from_any_iteration():
    problem = lmoo.CurveProblem(decays, T, Y)
    whole = SEPARABLE.solve(problem, START)
    for count in range(1, whole.nit + 1):
        steps = SEPARABLE.iterate(problem, START)
        for _ in range(count):
            next(steps)
        again = pickle.loads(pickle.dumps(steps))
        assert [step.cost for step in steps] == [step.cost for step in again]
        np.testing.assert_array_equal(steps.result.x, again.result.x)
        assert again.result.nit == whole.nit


def test_a_solve_that_is_stopped_has_its_linear_model():
    problem = lmoo.CurveProblem(decays, T, Y)
    found = SEPARABLE.solve(problem, START, callback=lambda step: step.iteration == 3)
    assert (found.status, found.nit) == (lmoo.Status.STOPPED, 3)
    assert found.rank == 4
    few = lmoo.Solver(separable=True, maxfev=3).solve(problem, START)
    assert few.status is lmoo.Status.MAXFEV
    assert few.rank == 4


def test_profiles_and_steps_work():
    problem = lmoo.CurveProblem(decays, T, Y, SIGMA)
    found = SEPARABLE.solve(problem, START)
    full = lmoo.Solver().solve(problem, START)
    np.testing.assert_allclose(
        found.confidence_interval(method="profile"),
        full.confidence_interval(method="profile"),
        rtol=1e-5,
    )
    for step in (lmoo.More(), lmoo.Nielsen(), lmoo.GeodesicAcceleration()):
        for form in ("traced", "blocks traced", "called"):
            solver = lmoo.Solver(separable=True, step=step)
            np.testing.assert_allclose(solver.solve(FORMS[form](), START).x, full.x, rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.2, 1.0), st.floats(2.0, 5.0), st.floats(-4.0, 4.0), st.integers(0, 1000))
def test_the_cost_is_the_least_of_both(slow, fast, amplitude, seed):
    y = decays(T, 3.0, slow, amplitude, fast) + 0.05 * np.random.default_rng(seed).normal(
        size=T.size
    )
    problem = lmoo.CurveProblem(decays, T, y)
    found = SEPARABLE.solve(problem, [1.0, 0.5, 1.0, 3.0])
    # At the solution the linear parameters are those of linear least squares.
    basis = decays_jacobian(T, *found.x)[:, [0, 2]]
    best = np.linalg.lstsq(basis, y, rcond=None)[0]
    cost = 0.5 * np.sum((basis @ best - y) ** 2)
    assert found.cost <= cost * (1 + 1e-9)
