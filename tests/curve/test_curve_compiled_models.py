"""`CurveProblem` of compiled models."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from curve_cases import T, X, Y, decay, slopes

import lmoo
from lmoo import CurveProblem, models
from lmoo.models.problem import curve_problem


def test_a_compiled_model_makes_a_compiled_problem_that_knows_its_data() -> None:
    model = models.Exponential()
    sigma = np.linspace(0.1, 0.3, 12)
    problem = model.problem(T, Y, sigma, bounds=(0, 9), fixed=["rate"])
    assert type(curve_problem(model, T, Y, sigma)) is type(problem)
    assert isinstance(problem, lmoo.CompiledProblem)
    assert problem.f is model
    np.testing.assert_array_equal(problem.t, T)
    np.testing.assert_array_equal(problem.y, Y)
    np.testing.assert_array_equal(problem.sigma, sigma)
    assert (problem.bounds, problem.fixed) == ((0, 9), ["rate"])
    plain = CurveProblem(decay, T, Y, sigma)
    np.testing.assert_allclose(problem.residual(X), plain.residual(X), rtol=1e-12)
    again = pickle.loads(pickle.dumps(problem))
    np.testing.assert_array_equal(again.residual(X), problem.residual(X))
    assert (again.bounds, again.fixed) == ((0, 9), ["rate"])


def test_a_compiled_model_of_two_variables_knows_its_data() -> None:
    u, v = (part.ravel() for part in np.meshgrid(np.arange(5.0), np.arange(4.0)))
    model = models.Gaussian2D()
    y = model((u, v), 10.0, 2.1, 1.4, 1.2, 0.5)
    problem = curve_problem(model, (u, v), y)
    assert isinstance(problem.t, tuple)
    np.testing.assert_array_equal(problem.t, (u, v))
    np.testing.assert_allclose(problem.f(problem.t, 10.0, 2.1, 1.4, 1.2, 0.5), problem.y)
    again = pickle.loads(pickle.dumps(problem))
    np.testing.assert_array_equal(again.t, problem.t)


def test_a_compiled_model_leaves_missing_points_out() -> None:
    y = Y.copy()
    y[2] = np.nan
    problem = curve_problem(models.Exponential(), T, y, nan_policy="omit")
    assert problem.m == 11
    np.testing.assert_array_equal(problem.t, np.delete(T, 2))
    with pytest.raises(ValueError, match=r"y\[2\] is nan"):
        curve_problem(models.Exponential(), T, y)


def test_what_compiled_problems_do_not_know_is_evaluated_from_python() -> None:
    model = models.Exponential()
    covariance = 0.01 * np.exp(-np.abs(T[:, None] - T))
    problem = curve_problem(model, T, Y, covariance)
    assert isinstance(problem, CurveProblem)
    assert problem.parameter_names == ("amplitude", "rate", "offset")
    plain = CurveProblem(decay, T, Y, covariance, slopes)
    np.testing.assert_allclose(problem.residual(X), plain.residual(X), rtol=1e-10)
    np.testing.assert_allclose(problem.jacobian(X), plain.jacobian(X), rtol=1e-10, atol=1e-10)
    assert isinstance(curve_problem(model, T, Y, jac=slopes), CurveProblem)
    assert isinstance(curve_problem(decay, T, Y), CurveProblem)


def test_function_problems_have_bounds_too() -> None:
    problem = lmoo.FunctionProblem(lambda x: x - 1.0, bounds=(0, 1), fixed=[0])
    assert (problem.bounds, problem.fixed) == ((0, 1), [0])
    assert (lmoo.Problem().bounds, lmoo.Problem().fixed) == (None, None)
