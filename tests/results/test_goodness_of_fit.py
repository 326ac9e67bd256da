"""Correlation, information criteria, R squared, and the curve of a problem."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from statistics_cases import SIGMA, T, Y, decay, fitted, random_fit

import lmoo
from lmoo import CurveProblem, FunctionProblem, Problem, Solver
from lmoo.curve import Curve
from lmoo.datasets import nist


def test_correlation_is_covariance_without_units() -> None:
    A, y, result = random_fit(3)
    right = np.linalg.inv(A.T @ A)
    root = np.sqrt(np.diag(right))
    np.testing.assert_allclose(result.correlation, right / np.outer(root, root), rtol=1e-10)
    units = np.array([1e-200, 1.0, 1e200])
    scaled = Solver().solve(
        FunctionProblem(lambda x: (A / units) @ x - y, lambda x: A / units), units
    )
    np.testing.assert_allclose(scaled.correlation, result.correlation, rtol=1e-8)
    assert (np.diag(scaled.correlation) == 1.0).all()


def test_stderr_is_standard_errors() -> None:
    result = fitted()
    np.testing.assert_array_equal(result.stderr, result.standard_errors)


def test_criteria_are_lmfit_s() -> None:
    # lmfit 1.3.4 on the same data.
    data = nist("Misra1a")
    result = Solver().solve(data, data.starts[1])
    np.testing.assert_allclose(result.aic, -62.10931901350072, rtol=1e-12)
    np.testing.assert_allclose(result.bic, -60.831204354270206, rtol=1e-12)
    np.testing.assert_allclose(result.reduced_chi_square, 0.01037928241203343, rtol=1e-9)


def test_r_squared() -> None:
    result = fitted()
    spread = ((Y - Y.mean()) ** 2).sum()
    np.testing.assert_allclose(result.r_squared, 1 - 2 * result.cost / spread, rtol=1e-12)


def test_r_squared_is_weighted_as_the_fit_is() -> None:
    result = fitted(sigma=SIGMA)
    w = SIGMA**-2
    mean = (w * Y).sum() / w.sum()
    right = 1 - 2 * result.cost / (w * (Y - mean) ** 2).sum()
    np.testing.assert_allclose(result.r_squared, right, rtol=1e-12)
    matrix = fitted(sigma=np.diag(SIGMA**2))
    np.testing.assert_allclose(matrix.r_squared, right, rtol=1e-10)


def test_r_squared_of_constant_data_is_nan() -> None:
    problem = CurveProblem(lambda t, a: a + 0 * t, T, np.full(12, 3.0))
    assert np.isnan(Solver().solve(problem, [1.0]).r_squared)


def test_what_needs_a_curve_says_so() -> None:
    _, _, result = random_fit()
    for ask, missing in (
        (lambda: result.r_squared, "f, t, y"),
        (result.predict, "f, t"),
        (result.plot, "f, t, y"),
    ):
        with pytest.raises(TypeError, match=f"FunctionProblem has no {missing}: a method as_curve"):
            ask()


class Weighted(Problem):
    """Has attributes f, t and y, and weights of its own."""

    def __init__(self) -> None:
        self.f, self.t, self.y = decay, T, Y

    def residual(self, x: np.ndarray) -> Any:
        return (self.f(self.t, *x) - self.y) / 0.01


class Told(Weighted):
    """The same, and says so."""

    def as_curve(self) -> Any:
        return Curve(self.f, self.t, self.y, 0.01)


class Twice(CurveProblem):
    """Another residual than its base has."""

    def residual(self, x: np.ndarray) -> Any:
        return 2.0 * super().residual(x)


def test_r_squared_is_not_guessed_from_the_names_of_attributes() -> None:
    for problem in (Weighted(), Twice(decay, T, Y)):
        result = Solver().solve(problem, [1.0, 1.0])
        with pytest.raises(TypeError, match="has no "):
            result.r_squared  # noqa: B018


def test_a_problem_can_tell_its_curve() -> None:
    told, right = Solver().solve(Told(), [1.0, 1.0]), fitted(sigma=0.01)
    np.testing.assert_allclose(told.r_squared, right.r_squared, rtol=1e-10)
    for at in (None, [0.3, 4.0]):
        mine = told.predict(at, interval="prediction")
        np.testing.assert_allclose(mine, right.predict(at, interval="prediction"), rtol=1e-6)


def test_what_tells_a_curve_must_return_one() -> None:
    problem = Told()
    problem.as_curve = lambda: (decay, T)  # type: ignore[method-assign]
    result = Solver().solve(problem, [1.0, 1.0])
    with pytest.raises(TypeError, match=r"as_curve\(\) of Told must return an lmoo.curve.Curve"):
        result.predict()


@pytest.mark.parametrize(
    "problem", [Weighted(), Twice(decay, T, Y)], ids=lambda problem: type(problem).__name__
)
def test_a_sigma_that_nobody_tells_is_not_taken_for_1(problem: Any) -> None:
    result = Solver().solve(problem, [1.0, 1.0])
    fit, low, high = result.predict(interval="confidence")
    right = fitted()
    np.testing.assert_allclose(fit, right.predict(), rtol=1e-6)
    _, right_low, right_high = right.predict(interval="confidence")
    np.testing.assert_allclose(high - low, right_high - right_low, rtol=1e-5)
    for at in (None, [1.0]):
        with pytest.raises(ValueError, match="the problem does not define that of the data"):
            result.predict(at, interval="prediction")
    assert len(result.predict([1.0], interval="prediction", sigma=0.01)) == 3


@pytest.mark.parametrize("sigma", [None, 0.01])
def test_blocks_predict_as_the_same_data_in_one_piece(sigma: Any) -> None:
    blocks = lmoo.CurveBlocks(decay, T, Y, sigma=sigma, block_size=5)
    mine = Solver().solve(blocks, [1.0, 1.0]).predict([0.3, 4.0], interval="prediction")
    right = fitted(sigma=sigma).predict([0.3, 4.0], interval="prediction")
    np.testing.assert_allclose(mine, right, rtol=1e-6)


def test_blocks_of_different_sigma_ask_for_that_of_a_prediction() -> None:
    blocks = lmoo.CurveBlocks(decay, T, Y, sigma=SIGMA, block_size=5)
    result = Solver().solve(blocks, [1.0, 1.0])
    with pytest.raises(ValueError, match="sigma must be given for interval='prediction'"):
        result.predict([1.0], interval="prediction")
    mine = result.predict([1.0], interval="prediction", sigma=0.05)
    right = fitted(sigma=SIGMA).predict([1.0], interval="prediction", sigma=0.05)
    np.testing.assert_allclose(mine, right, rtol=1e-6)
    with pytest.raises(TypeError, match="CurveBlocks has no t, y"):
        result.r_squared  # noqa: B018


class Another(Problem):
    """What its attributes are is nobody's business."""

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)

    def residual(self, x: np.ndarray) -> Any:
        return decay(T, *x) - Y


@pytest.mark.parametrize(
    "problem",
    [
        Another(f=decay, y=Y, time=T),
        Another(f=decay, y={"a": 1}, t=T),
        Another(f=decay, y=Y, t=T, sigma=np.ones(3)),
        Another(as_curve=lambda: Curve(decay, T, Y, np.ones(3))),
        Another(as_curve=lambda: 1 / 0),
        Another(as_curve=T),
    ],
)
def test_reports_do_not_fail_at_what_attributes_a_problem_has(problem: Any) -> None:
    result = Solver().solve(problem, [1.0, 1.0])
    for report in (str(result), result._repr_html_()):
        assert "a minimum was found" in report
        assert "R squared" not in report


@pytest.mark.parametrize("sigma", [None, 0.3])
def test_r_squared_is_nan_where_rounding_alone_tells_the_values_apart(sigma: Any) -> None:
    problem = CurveProblem(lambda t, a: a * t, T, np.full(12, 0.1), sigma=sigma)
    assert np.isnan(Solver().solve(problem, [1.0]).r_squared)
