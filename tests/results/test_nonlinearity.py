"""Curvature of the model at the solution."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from statistics_cases import T, Y, decay, fitted, random_fit

from lmoo import CurveProblem, Solver

CONCENTRATION = np.repeat([0.02, 0.06, 0.11, 0.22, 0.56, 1.10], 2)
VELOCITY = np.array([76, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200.0])


def michaelis_menten(t: Any, vmax: float, k: float) -> Any:
    return vmax * t / (k + t)


def michaelis_menten_slopes(t: Any, vmax: float, k: float) -> Any:
    return np.column_stack([t / (k + t), -vmax * t / (k + t) ** 2])


@pytest.mark.parametrize("jac", [None, michaelis_menten_slopes])
@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e6])
def test_curvature_of_puromycin(jac: Any, unit: float) -> None:
    # 0.092 and 0.2121 are printed by R's MASS::rms.curv for these data.
    problem = CurveProblem(
        lambda t, vmax, k: michaelis_menten(t, vmax, k * unit),
        CONCENTRATION,
        VELOCITY,
        jac=None if jac is None else lambda t, v, k: jac(t, v, k * unit) * [1.0, unit],
    )
    found = Solver().solve(problem, [200.0, 0.1 / unit]).nonlinearity()
    np.testing.assert_allclose(found.intrinsic, 0.092, atol=5e-4)
    np.testing.assert_allclose(found.parameter_effects, 0.2121, atol=5e-5)
    assert found.acceptable
    assert str(found).startswith("Linear errors can be trusted: curvature 0.092 of the model, 0.21")


def test_a_linear_model_has_no_curvature() -> None:
    _, _, result = random_fit()
    found = result.nonlinearity()
    assert max(found.intrinsic, found.parameter_effects) < 1e-6


def test_other_parameters_of_the_same_model_leave_the_intrinsic_curvature() -> None:
    other = CurveProblem(
        lambda t, v, k: michaelis_menten(t, np.exp(v), np.exp(k)), CONCENTRATION, VELOCITY
    )
    found = Solver().solve(other, [5.0, -2.0]).nonlinearity()
    np.testing.assert_allclose(found.intrinsic, 0.092, atol=5e-4)
    assert abs(found.parameter_effects - 0.2121) > 0.01


def test_curvature_with_a_fixed_parameter_is_that_of_the_others() -> None:
    fixed = Solver(fixed={"vmax": 210.0}).solve(
        CurveProblem(michaelis_menten, CONCENTRATION, VELOCITY), [200.0, 0.1]
    )
    alone = CurveProblem(lambda t, k: michaelis_menten(t, 210.0, k), CONCENTRATION, VELOCITY)
    right = Solver().solve(alone, [0.1]).nonlinearity()
    found = fixed.nonlinearity()
    np.testing.assert_allclose(found.intrinsic, right.intrinsic, rtol=1e-4)
    np.testing.assert_allclose(found.parameter_effects, right.parameter_effects, rtol=1e-4)


def test_curvature_beside_a_bound() -> None:
    # The best point is on a bound, and as good as without one.
    free = Solver().solve(
        CurveProblem(michaelis_menten, CONCENTRATION, VELOCITY, jac=michaelis_menten_slopes),
        [200.0, 0.1],
    )
    right = free.nonlinearity()
    bounds = np.array([free.x - 1e-3 * free.stderr, free.x + 10 * free.stderr])
    for lower, upper in (bounds, [bounds[0], np.inf], [-np.inf, free.x + 1e-4 * free.stderr]):
        found = dataclasses.replace(
            free, lower=np.broadcast_to(lower, 2), upper=np.broadcast_to(upper, 2)
        ).nonlinearity()
        np.testing.assert_allclose(found.intrinsic, right.intrinsic, rtol=0.02)
        np.testing.assert_allclose(found.parameter_effects, right.parameter_effects, rtol=0.02)


def test_predictions_and_curvature_stay_within_the_bounds() -> None:
    free = fitted()
    low = float(free.x[1]) + 0.2

    def f(t: Any, amplitude: float, rate: float) -> Any:
        assert low <= rate <= low + 1e-7
        return decay(t, amplitude, rate)

    problem = CurveProblem(f, T, Y, bounds={"rate": (low, low + 1e-7)})
    result = Solver().solve(problem, [1.0, low])
    assert result.fixed_or_active.tolist() == [False, True]
    fit, lower, upper = result.predict(interval="confidence")
    assert (lower < fit).all()
    assert (fit < upper).all()
    assert np.isfinite(result.nonlinearity().intrinsic)
    assert result.leverage.sum() == pytest.approx(1.0)


def test_curvature_is_not_known_without_degrees_of_freedom() -> None:
    _, _, result = random_fit(4, m=3)
    found = result.nonlinearity()
    assert np.isnan(found.intrinsic)
    assert not found.acceptable
    assert "not known" in str(found)
