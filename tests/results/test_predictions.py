"""`Result.predict`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats
from statistics_cases import SIGMA, T, Y, decay, decay_slopes, fitted

import lmoo
from lmoo import CurveProblem, Solver


def line(t: Any, a: float, b: float) -> Any:
    return a + b * t


def test_prediction_of_a_straight_line_is_the_textbook_s() -> None:
    y = 1.0 + 2.0 * T + 0.1 * np.cos(9.0 * T)
    result = Solver().solve(CurveProblem(line, T, y), [0.0, 0.0])
    new = np.array([-1.0, 0.7, 5.0])
    s, t = result.residual_deviation, scipy.stats.t.ppf(0.95, 10)
    spread = 1 / 12 + (new - T.mean()) ** 2 / ((T - T.mean()) ** 2).sum()
    for interval, extra in (("confidence", 0.0), ("prediction", 1.0)):
        fit, low, high = result.predict(new, interval=interval, level=0.9)
        np.testing.assert_allclose(fit, line(new, *result.x), rtol=1e-14)
        np.testing.assert_allclose(high - fit, t * s * np.sqrt(spread + extra), rtol=1e-8)
        np.testing.assert_allclose(fit - low, high - fit, rtol=1e-12)
    np.testing.assert_allclose(result.predict(), line(T, *result.x))
    np.testing.assert_allclose(result.predict(5.0), result.predict([5.0]))


def test_prediction_takes_sigma_into_account() -> None:
    result = fitted(sigma=SIGMA)
    fit, _, narrow = result.predict(interval="confidence")
    _, _, wide = result.predict(interval="prediction")
    t = scipy.stats.t.ppf(0.975, 10)
    own = t * result.residual_deviation * SIGMA
    np.testing.assert_allclose((wide - fit) ** 2, (narrow - fit) ** 2 + own**2, rtol=1e-10)
    # Known deviations: nothing is estimated.
    z = scipy.stats.norm.ppf(0.975)
    fit, _, narrow = result.predict(interval="confidence", scaled=False)
    _, _, wide = result.predict(interval="prediction", scaled=False)
    np.testing.assert_allclose(
        (wide - fit) ** 2, (narrow - fit) ** 2 + (z * SIGMA) ** 2, rtol=1e-10
    )


def test_prediction_at_a_new_t_needs_its_sigma() -> None:
    result = fitted(sigma=SIGMA)
    with pytest.raises(ValueError, match="sigma must be given for interval='prediction'"):
        result.predict([3.0], interval="prediction")
    fit, _, high = result.predict([3.0], interval="prediction", sigma=0.1)
    _, _, same = result.predict([3.0], interval="prediction", sigma=[0.1])
    assert high[0] == same[0]
    assert high[0] > fit[0]
    with pytest.raises(ValueError, match="sigma must be positive"):
        result.predict([3.0], interval="prediction", sigma=-1.0)
    # One for all is one for the new ones too.
    assert fitted(sigma=0.1).predict([3.0], interval="prediction")[2][0] > 0


def test_prediction_with_a_covariance_matrix() -> None:
    matrix, plain = fitted(sigma=np.diag(SIGMA**2)), fitted(sigma=SIGMA)
    for mine, other in zip(
        matrix.predict(interval="prediction"), plain.predict(interval="prediction"), strict=True
    ):
        np.testing.assert_allclose(mine, other, rtol=1e-7)


def test_derivatives_given_and_differences_say_the_same() -> None:
    mine = fitted().predict(interval="confidence")
    exact = fitted(jac=decay_slopes).predict(interval="confidence")
    for a, b in zip(mine, exact, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7)


def test_a_compiled_model_predicts() -> None:
    model = lmoo.models.Exponential()
    result = Solver().solve(model.problem(T, Y), [1.0, 1.0, 0.0])
    problem = CurveProblem(lambda t, a, b, c: a * np.exp(-b * t) + c, T, Y)
    right = Solver().solve(problem, [1.0, 1.0, 0.0])
    for mine, other in zip(
        result.predict([0.3, 4.0], interval="confidence"),
        right.predict([0.3, 4.0], interval="confidence"),
        strict=True,
    ):
        np.testing.assert_allclose(mine, other, rtol=1e-6)
    np.testing.assert_allclose(result.r_squared, right.r_squared, rtol=1e-10)


def test_places_are_converted_as_data_are() -> None:
    t = np.array([1.0, 2.0, 4.0, 5.0])
    result = Solver().solve(CurveProblem(lambda t, a, b: a * t**-1 + b, t, 2 / t + 3), [1.0, 1.0])
    right = result.predict([1.0, 2.0], interval="confidence")
    for places in ([1, 2], np.array([1, 2]), np.array([1, 2], dtype=np.float32)):
        mine = result.predict(places, interval="confidence")
        np.testing.assert_array_equal(mine, right)
    for place in (2, np.int64(2), np.float32(2), np.array(2)):
        np.testing.assert_array_equal(result.predict(place), right[0][1:])


def test_places_of_several_variables_may_be_lists() -> None:
    problem = CurveProblem(lambda t, a, b: a * t[0] + b * t[1], (T, T**2), Y)
    result = Solver().solve(problem, [1.0, 1.0])
    right = result.predict((np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    np.testing.assert_array_equal(result.predict(([1, 2], [1, 4])), right)


def test_several_independent_variables() -> None:
    t = np.array([T, T**2])
    problem = CurveProblem(lambda t, a, b: a * t[0] + b * t[1], t, Y)
    result = Solver().solve(problem, [1.0, 1.0])
    fit, low, high = result.predict(np.array([[1.0], [2.0]]), interval="confidence")
    assert fit.shape == low.shape == high.shape == (1,)
    assert low[0] < fit[0] < high[0]


def test_what_is_determined_of_undetermined_parameters_is_predicted() -> None:
    # Only a + b counts at t = 1, where the data are; elsewhere nothing is known.
    problem = CurveProblem(
        lambda t, a, b: a + b * t, np.ones(5), np.array([1.0, 2.0, 3.0, 2.0, 1.0])
    )
    result = Solver().solve(problem, [1.0, 1.0])
    assert result.rank == 1
    fit, low, high = result.predict([1.0, 2.0], interval="confidence")
    np.testing.assert_allclose(fit[0], 1.8, rtol=1e-12)
    half = scipy.stats.t.ppf(0.975, 3) * result.residual_deviation / np.sqrt(5)
    np.testing.assert_allclose([fit[0] - low[0], high[0] - fit[0]], half, rtol=1e-6)
    assert (low[1], high[1]) == (-np.inf, np.inf)


def test_predictions_with_fixed_parameters() -> None:
    result = Solver(fixed={"amplitude": 2.0}).solve(CurveProblem(decay, T, Y), [1.0, 1.0])
    fit, low, high = result.predict([0.0, 1.0], interval="confidence")
    assert (fit[0], low[0], high[0]) == (2.0, 2.0, 2.0)
    assert low[1] < fit[1] < high[1]
