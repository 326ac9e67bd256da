"""Standard errors, reports, storage and profiles of fits with losses."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from loss_cases import NAMES, SCALE, START, T, Y, decay, jacobian, residual

import lmoo


@pytest.mark.parametrize("name", NAMES)
def test_standard_errors_are_hubers_sandwich(name: str) -> None:
    result = lmoo.Solver(loss=name, f_scale=SCALE).solve(
        lmoo.FunctionProblem(residual, jacobian), START
    )
    f, J = result.residual, jacobian(result.x)
    z = (f / SCALE) ** 2
    _, slope, second = getattr(lmoo.losses, name)(z)
    psi, curve = slope * f, slope + 2 * z * second
    h = np.maximum(curve, 0.05 * slope)
    m, p = J.shape
    correction = 1 + p / m * curve.var() / curve.mean() ** 2
    s2 = correction**2 * (psi @ psi) / (m - p) / curve.mean() ** 2
    covariance = s2 * h.mean() * np.linalg.inv((J.T * h) @ J)
    tiny = 1e-5 * np.diag(covariance).min()
    np.testing.assert_allclose(result.covariance(), covariance, rtol=1e-5, atol=tiny)
    np.testing.assert_array_equal(result.covariance(scaled=False), result.covariance())
    assert result.degrees_of_freedom == m - p
    assert result.residual_deviation == pytest.approx(np.sqrt(s2), rel=1e-9)
    np.testing.assert_array_equal(result.loss_weights, slope)
    assert result.f_scale == SCALE
    # It is of the size of what the good points scatter by, which least squares cannot tell.
    assert 0.01 < result.residual_deviation < 0.1


def test_without_outliers_errors_are_those_of_least_squares() -> None:
    t = np.linspace(0.0, 4.0, 4000)
    y = decay(t, 2.5, 1.3, 0.5) + 0.02 * np.random.default_rng(5).standard_normal(t.size)
    problem = lmoo.CurveProblem(decay, t, y)
    plain = lmoo.Solver().solve(problem, START)
    for name in NAMES:
        robust = lmoo.Solver(loss=name, f_scale="mad").solve(problem, START)
        # 95 % of the efficiency: errors that are larger by 1 / sqrt(0.95).
        ratio = robust.standard_errors / plain.standard_errors
        np.testing.assert_allclose(ratio, 1 / np.sqrt(0.95), rtol=0.04)


def test_reports_and_storage_know_the_loss() -> None:
    result = lmoo.Solver(loss="huber", f_scale=SCALE).solve(lmoo.CurveProblem(decay, T, Y), START)
    report = str(result)
    low = int((result.loss_weights < 0.5).sum())
    assert 12 <= low < 20
    for line in (
        "cost = 1/2 sum of rho",
        "huber, f_scale = 0.1",
        f"below 1/2  {low} of 60",
        "sandwich",
    ):
        assert line in report
    assert "AIC" not in report
    assert np.isnan(result.aic)
    assert np.isnan(result.r_squared)
    for again in (
        lmoo.Result.from_dict(result.to_dict()),
        pickle.loads(pickle.dumps(result)),
    ):
        np.testing.assert_array_equal(again.loss_weights, result.loss_weights)
        np.testing.assert_allclose(again.standard_errors, result.standard_errors, rtol=1e-12)
        assert again.f_scale == SCALE
    plain = lmoo.Solver().solve(lmoo.CurveProblem(decay, T, Y), START)
    assert plain.loss_weights.tolist() == [1.0] * T.size
    assert np.isnan(plain.f_scale)


def test_profiles_of_a_linear_model_are_its_linear_intervals() -> None:
    t = np.linspace(-1.0, 1.0, 400)
    rng = np.random.default_rng(8)
    y = 1.0 + 2.0 * t + 0.1 * rng.standard_normal(t.size)
    problem = lmoo.CurveProblem(lambda t, a, b: a + b * t, t, y)
    for name in ("soft_l1", "cauchy"):
        result = lmoo.Solver(loss=name, f_scale="mad").solve(problem, [0.0, 0.0])
        linear = result.confidence_interval(0.9)
        profile = result.confidence_interval(0.9, method="profile")
        np.testing.assert_allclose(
            profile - result.x[:, None], linear - result.x[:, None], rtol=0.1
        )
