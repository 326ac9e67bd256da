"""Statistics do not depend on the unit of the residual."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from statistics_cases import T, Y, decay, decay_slopes

from lmoo import CurveProblem, Result, Solver
from lmoo.results.profile import contour

SCALES = [1e-200, 1e-160, 1e-100, 1e100, 1e160, 1e200]


def scaled_fit(scale: float, jac: bool) -> Result:
    """The fit of `fitted` with data and model in another unit."""
    problem = CurveProblem(
        lambda t, a, b: scale * decay(t, a, b),
        T,
        scale * Y,
        jac=(lambda t, a, b: scale * decay_slopes(t, a, b)) if jac else None,
    )
    return Solver().solve(problem, [1.0, 1.0])


@pytest.mark.parametrize("jac", [False, True])
@pytest.mark.parametrize("scale", SCALES)
def test_statistics_do_not_depend_on_the_unit_of_the_residual(scale: float, jac: bool) -> None:
    one, other = scaled_fit(1.0, jac), scaled_fit(scale, jac)
    close: dict[str, Any] = {"rtol": 1e-5}
    np.testing.assert_allclose(other.stderr, one.stderr, **close)
    np.testing.assert_allclose(other.leverage, one.leverage, **close)
    np.testing.assert_allclose(other.leverage.sum(), 2.0, **close)
    np.testing.assert_allclose(
        other.standardized_residuals, one.standardized_residuals, rtol=1e-4, atol=1e-4
    )
    assert other.r_squared == pytest.approx(one.r_squared, rel=1e-9)
    bends = [dataclasses.astuple(result.nonlinearity()) for result in (one, other)]
    np.testing.assert_allclose(bends[1], bends[0], rtol=1e-2)
    for j in (0, 1):
        for mine, theirs in zip(other.profile(j), one.profile(j), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        other.confidence_interval(method="profile"),
        one.confidence_interval(method="profile"),
        **close,
    )
    str(other)


@pytest.mark.parametrize("scale", SCALES)
def test_contours_and_profiles_of_one_parameter_at_any_size(scale: float) -> None:
    lines = [contour(scaled_fit(s, False), 0, 1, 0.9, True) for s in (1.0, scale)]
    np.testing.assert_allclose(lines[1], lines[0], rtol=1e-4)

    def single(s: float) -> Result:
        problem = CurveProblem(lambda t, b: s * 2.0 * np.exp(-b * t), T, s * Y)
        return Solver().solve(problem, [1.0])

    one, other = single(1.0).profile(0), single(scale).profile(0)
    np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-6)
