"""`CurveProblem`: residual and Jacobian."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from curve_cases import T, X, Y, decay, slopes
from hypothesis import given, settings
from hypothesis import strategies as st
from ids import stable

import lmoo
from lmoo import CurveProblem, Solver


def test_residual_and_attributes() -> None:
    problem = CurveProblem(decay, T, Y, bounds=(0, 5), fixed=["c"])
    assert isinstance(problem, lmoo.Problem)
    assert problem.f is decay
    assert problem.jac is None
    assert problem.parameter_names == ("a", "b", "c")
    assert (problem.bounds, problem.fixed) == ((0, 5), ["c"])
    assert problem.sigma is None
    np.testing.assert_array_equal(problem.t, T)
    np.testing.assert_array_equal(problem.y, Y)
    assert problem.y is not Y
    np.testing.assert_array_equal(problem.residual(X + 1), decay(T, *(X + 1)) - Y)


@pytest.mark.parametrize("sigma", [0.1, np.float32(0.25), np.array([2.0])], ids=stable)
def test_one_standard_deviation_for_all(sigma: Any) -> None:
    problem = CurveProblem(decay, T, Y, sigma)
    np.testing.assert_array_equal(problem.sigma, np.full(12, float(np.squeeze(sigma))))
    np.testing.assert_allclose(problem.residual(X), (decay(T, *X) - Y) / np.squeeze(sigma))


def test_standard_deviations() -> None:
    sigma = np.linspace(0.1, 0.3, 12)
    problem = CurveProblem(decay, T, Y, list(sigma), slopes)
    np.testing.assert_array_equal(problem.sigma, sigma)
    np.testing.assert_allclose(problem.residual(X), (decay(T, *X) - Y) / sigma, rtol=1e-14)
    np.testing.assert_allclose(problem.jacobian(X), slopes(T, *X) / sigma[:, None], rtol=1e-14)


def test_a_covariance_matrix() -> None:
    distance = np.abs(T[:, None] - T)
    covariance = 0.04 * np.exp(-distance)
    problem = CurveProblem(decay, T, Y, covariance, slopes)
    np.testing.assert_array_equal(problem.sigma, covariance)
    difference = decay(T, *X) - Y
    residual, J = problem.residual(X), problem.jacobian(X)
    np.testing.assert_allclose(
        residual @ residual, difference @ np.linalg.solve(covariance, difference), rtol=1e-12
    )
    D = slopes(T, *X)
    np.testing.assert_allclose(J.T @ J, D.T @ np.linalg.solve(covariance, D), rtol=1e-11)
    np.testing.assert_allclose(
        J.T @ residual, D.T @ np.linalg.solve(covariance, difference), rtol=1e-11
    )


def test_a_diagonal_covariance_matrix_is_that_of_standard_deviations() -> None:
    sigma = np.linspace(0.1, 0.3, 12)
    one = Solver().solve(CurveProblem(decay, T, Y, sigma), [1, 1, 0])
    two = Solver().solve(CurveProblem(decay, T, Y, np.diag(sigma**2)), [1, 1, 0])
    np.testing.assert_allclose(one.x, two.x, rtol=1e-10)
    np.testing.assert_allclose(one.cost, two.cost, rtol=1e-12)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_whitened_sums_of_squares_are_mahalanobis_distances(seed: int, m: int) -> None:
    random = np.random.default_rng(seed)
    A = random.normal(size=(m, m)) + 3.0 * np.eye(m)
    y = random.normal(size=m)
    problem = CurveProblem(lambda t, a: a + 0.0 * t, np.zeros(m), y, A @ A.T)
    f = problem.residual(np.array([2.0]))
    assert f @ f == pytest.approx(float(np.sum(np.linalg.solve(A, 2.0 - y) ** 2)), rel=1e-6)


def test_with_jac_derivatives_are_analytic() -> None:
    with_jac = Solver().solve(CurveProblem(decay, T, Y, jac=slopes), [1, 1, 0])
    without = Solver().solve(CurveProblem(decay, T, Y, trace=False), [1, 1, 0])
    assert with_jac.success
    assert without.success
    assert with_jac.nfev < without.nfev
    np.testing.assert_allclose(with_jac.x, without.x, rtol=1e-9)
    assert lmoo.check_jacobian(CurveProblem(decay, T, Y, 0.1, slopes), X)
    with pytest.raises(TypeError, match="must define jacobian"):
        Solver(jacobian=lmoo.Analytic()).solve(CurveProblem(decay, T, Y), [1, 1, 0])


def test_a_subclass_may_have_the_jacobian() -> None:
    class Mine(CurveProblem):
        def jacobian(self, x: np.ndarray) -> np.ndarray:
            return slopes(self.t, *x)

    result = Solver().solve(Mine(decay, T, Y), [1, 1, 0])
    assert result.success
    assert result.nfev < 3 * result.njev + 5


def test_complex_steps_pass_through() -> None:
    covariance = np.diag(np.linspace(1, 2, 12)) + 0.1
    solver = Solver(jacobian=lmoo.ComplexStep())
    for sigma in (None, 0.1, covariance):
        result = solver.solve(CurveProblem(decay, T, Y, sigma), [1, 1, 0])
        plain = Solver().solve(CurveProblem(decay, T, Y, sigma), [1, 1, 0])
        np.testing.assert_allclose(result.x, plain.x, rtol=1e-9)


def test_parameters_reach_the_model_as_numpy_numbers() -> None:
    # Python's own raise where these overflow, or turn complex.
    seen: list[type] = []

    def model(t: Any, a: Any) -> Any:
        seen.append(type(a))
        return a * t

    CurveProblem(model, T, Y).residual(np.array([1.0]))
    assert seen == [np.float64]


def test_a_refused_point_shortens_the_step() -> None:
    def bounded(t: Any, a: float, b: float, c: float) -> Any:
        if b < 0:
            raise lmoo.EvaluationError
        return decay(t, a, b, c)

    assert Solver().solve(CurveProblem(bounded, T, Y), [1, 0.1, 0]).success


def test_it_can_be_pickled() -> None:
    problem = pickle.loads(pickle.dumps(CurveProblem(decay, T, Y, 0.1, slopes)))
    np.testing.assert_array_equal(
        problem.residual(X), CurveProblem(decay, T, Y, 0.1, slopes).residual(X)
    )
    without = pickle.loads(pickle.dumps(CurveProblem(decay, T, Y)))
    assert Solver().solve(without, [1, 1, 0]).success
