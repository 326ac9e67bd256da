"""`Result.covariance` and standard errors, in any units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from result_cases import ANALYTIC, START, Decay, T, linear, solved

from lmoo import FunctionProblem, Solver

# ============================================================================ covariance


@ANALYTIC
@pytest.mark.parametrize("seed", range(5))
def test_covariance_of_a_linear_fit(analytic: bool, seed: int) -> None:
    A, y, result = solved(seed, analytic=analytic)
    right = np.linalg.inv(A.T @ A)
    rtol = 1e-10 if analytic else 1e-6
    x, squares = np.linalg.lstsq(A, y)[:2]
    np.testing.assert_allclose(result.x, x, rtol=1e-7)
    np.testing.assert_allclose(result.covariance(scaled=False), right, rtol=rtol)
    np.testing.assert_allclose(result.covariance(), right * squares[0] / 7, rtol=rtol)
    np.testing.assert_allclose(
        result.standard_errors, np.sqrt(np.diag(right) * squares[0] / 7), rtol=rtol
    )


def test_covariance_is_symmetric_and_scaled_by_2_cost_over_m_minus_n() -> None:
    result = Solver().solve(Decay(), START)
    unscaled, scaled = result.covariance(scaled=False), result.covariance()
    np.testing.assert_array_equal(unscaled, unscaled.T)
    np.testing.assert_array_equal(scaled, scaled.T)
    np.testing.assert_allclose(scaled, unscaled * 2.0 * result.cost / 10, rtol=1e-13)
    np.testing.assert_allclose(result.standard_errors, np.sqrt(np.diag(scaled)), rtol=1e-13)
    J = Decay().jacobian(result.x)
    np.testing.assert_allclose(unscaled, np.linalg.inv(J.T @ J), rtol=1e-7)


def test_standard_errors_are_what_repeated_measurements_scatter_by() -> None:
    # The statement that the formula stands for, tested as such: 400 experiments.
    random = np.random.default_rng(7)
    truth = 2.0 * np.exp(-1.3 * T)
    fits = []
    errors = []
    for _ in range(400):
        y = truth + 0.05 * random.normal(size=T.size)
        problem = FunctionProblem(lambda x, y: x[0] * np.exp(-x[1] * T) - y, args=(y,))
        result = Solver().solve(problem, START)
        fits.append(result.x)
        errors.append(result.standard_errors)
    scatter = np.std(fits, axis=0)
    np.testing.assert_allclose(np.mean(errors, axis=0), scatter, rtol=0.15)


@ANALYTIC
def test_covariance_does_not_depend_on_the_order_of_the_parameters(analytic: bool) -> None:
    A, y, result = solved(3, analytic=analytic)
    order = [2, 0, 1]
    other = Solver().solve(linear(A[:, order], y, analytic), np.ones(3))
    np.testing.assert_allclose(
        other.covariance(), result.covariance()[np.ix_(order, order)], rtol=1e-6
    )


# ------------------------------------------------------------------- units and magnitudes


@ANALYTIC
@pytest.mark.parametrize(
    "units", [(1e-12, 1.0, 1e12), (1e12, 1e-12, 1.0), (1e-6, 1e6, 1e-6)], ids=str
)
def test_wildly_different_units_are_no_deficiency(analytic: bool, units: Any) -> None:
    A, y, right = solved(1)
    units = np.array(units)
    problem = linear(A / units, y, analytic)
    # In its own unit each parameter starts at 1.
    result = Solver().solve(problem, units)
    assert result.success
    assert result.rank == 3
    assert result.undetermined == ()
    np.testing.assert_allclose(result.x, right.x * units, rtol=1e-6)
    np.testing.assert_allclose(result.standard_errors, right.standard_errors * units, rtol=1e-6)
    np.testing.assert_allclose(
        result.covariance(), right.covariance() * units * units[:, None], rtol=1e-6
    )


@ANALYTIC
def test_wildly_different_units_of_a_nonlinear_fit(analytic: bool) -> None:
    units = np.array([1e-12, 1e12])
    plain = Decay()
    problem = FunctionProblem(
        lambda x: plain.residual(x / units),
        (lambda x: plain.jacobian(x / units) / units) if analytic else None,
    )
    right = Solver().solve(plain, START)
    result = Solver().solve(problem, np.array(START) * units)
    assert result.success
    assert result.rank == 2
    np.testing.assert_allclose(result.x, right.x * units, rtol=1e-8)
    np.testing.assert_allclose(result.standard_errors, right.standard_errors * units, rtol=1e-6)


@ANALYTIC
@pytest.mark.parametrize("scale", [1e-300, 1e-155, 1e-100, 1e100, 1e155, 1e300], ids=str)
def test_huge_and_tiny_residuals_do_no_harm_to_standard_errors(
    scale: float, analytic: bool
) -> None:
    A, y, right = solved(2)
    result = Solver().solve(linear(scale * A, scale * y, analytic), np.ones(3))
    assert result.success
    np.testing.assert_allclose(result.x, right.x, rtol=1e-7)
    np.testing.assert_allclose(result.standard_errors, right.standard_errors, rtol=1e-6)
    np.testing.assert_allclose(result.covariance(), right.covariance(), rtol=1e-6)
    np.testing.assert_allclose(
        result.residual_deviation, scale * right.residual_deviation, rtol=1e-7
    )
    assert "a minimum was found" in str(result)


@pytest.mark.parametrize("scale", [1e155, 1e200, 1e300], ids=str)
def test_numbers_that_overflow_are_inf_without_a_warning(scale: float) -> None:
    # Warnings are errors here.
    A, y, _ = solved(2)
    result = Solver(maxfev=1).solve(linear(scale * A, scale * y), np.full(3, 5.0))
    assert result.cost == np.inf
    assert np.isinf(result.gradient).any()
    assert str(result)
    assert np.isnan(result.standard_errors).all()
    result = Solver().solve(linear(scale * A, scale * y), np.full(3, 5.0))
    assert result.success
    assert np.isfinite(result.standard_errors).all()


def test_a_covariance_that_overflows_is_inf_without_a_warning() -> None:
    A, y, right = solved(2)
    result = Solver().solve(linear(A / 1e200, y), np.full(3, 1e200))
    np.testing.assert_allclose(result.standard_errors, right.standard_errors * 1e200, rtol=1e-8)
    assert np.isinf(np.diag(result.covariance())).all()
    assert str(result)


def test_a_perfect_fit_has_standard_errors_of_zero() -> None:
    A, _, _ = solved(2)
    result = Solver().solve(linear(A, A @ [1.0, 2.0, 3.0]), np.ones(3))
    assert result.success
    assert (result.standard_errors < 1e-14).all()
    np.testing.assert_allclose(result.covariance(scaled=False), np.linalg.inv(A.T @ A), rtol=1e-9)
    assert str(result)
