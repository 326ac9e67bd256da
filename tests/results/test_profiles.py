"""Profiles, and joint regions of two parameters."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from profile_cases import T, Y, decay, random_fit, sum_of_squares

from lmoo import CurveProblem, Solver
from lmoo.datasets import nist
from lmoo.results.profile import contour

# ============================================================================ profiles


@pytest.mark.parametrize("name", ["DanWood", "Misra1a", "Rat42"])
def test_a_profile_rises_through_the_best_point(name: str) -> None:
    data = nist(name)
    result = Solver().solve(data, data.starts[1])
    for j, key in enumerate(result.parameter_names[:2]):
        values, tau = result.profile(key)
        assert values.shape == tau.shape
        assert (np.diff(values) > 0).all()
        assert (np.diff(tau) > 0).all()
        assert tau[values == result.x[j]].tolist() == [0.0]
        t = scipy.stats.t.ppf(0.995, result.degrees_of_freedom)
        assert tau[-1] > t
        for value, height in list(zip(values, tau, strict=True))[::5]:
            grown = sum_of_squares(result, j, value) / (2 * result.cost) - 1.0
            right = np.sign(value - result.x[j]) * np.sqrt(
                max(grown, 0.0) * result.degrees_of_freedom
            )
            np.testing.assert_allclose(height, right, rtol=1e-5, atol=1e-5)


def test_the_profile_of_a_linear_model_is_a_straight_line() -> None:
    result = random_fit()
    for j in range(3):
        values, tau = result.profile(j)
        np.testing.assert_allclose(tau, (values - result.x[j]) / result.stderr[j], atol=1e-6)
        assert 8 <= len(values) <= 40


def test_a_profile_goes_as_far_as_it_is_asked_to() -> None:
    result = random_fit()
    for level in (0.5, 0.9, 0.999):
        _, tau = result.profile(0, level=level)
        t = scipy.stats.t.ppf(0.5 + 0.5 * level, 7)
        assert t <= tau[-1] <= 1.5 * t
        assert -1.5 * t <= tau[0] <= -t


def test_there_is_no_profile_of_a_fixed_parameter() -> None:
    result = random_fit(fixed=[1])
    with pytest.raises(ValueError, match=r"j must be a parameter that is not fixed; x\[1\] is"):
        result.profile(1)


def test_there_is_no_profile_without_degrees_of_freedom() -> None:
    result = random_fit(m=3)
    with pytest.raises(ValueError, match="a profile needs more observations than parameters"):
        result.profile(0)
    values, tau = result.profile(0, scaled=False)
    error = np.sqrt(result.covariance(scaled=False)[0, 0])
    np.testing.assert_allclose(tau, (values - result.x[0]) / error, atol=1e-6)


# ============================================================================ joint regions


def joint(level: float, dof: int) -> float:
    return 2.0 * float(scipy.stats.f.ppf(level, 2, dof))


@pytest.mark.parametrize("level", [0.68, 0.95])
def test_the_region_of_a_linear_model_is_an_ellipse(level: float) -> None:
    result = random_fit()
    x, y = contour(result, 0, 2, level, True)
    assert (x[0], y[0]) == (x[-1], y[-1])
    d = np.stack([x - result.x[0], y - result.x[2]])
    inverse = np.linalg.inv(result.covariance()[np.ix_([0, 2], [0, 2])])
    np.testing.assert_allclose(np.einsum("ik,ij,jk->k", d, inverse, d), joint(level, 7), rtol=1e-3)
    # All around, and as far as the ellipse goes.
    reach = np.sqrt(joint(level, 7)) * result.stderr[[0, 2]]
    np.testing.assert_allclose([np.ptp(x) / 2, np.ptp(y) / 2], reach, rtol=0.01)


def test_the_boundary_of_a_bent_region_is_a_contour() -> None:
    data = nist("Rat43")
    result = Solver().solve(data, data.starts[1])
    x, y = contour(result, 1, 2, 0.68, True, points=8)
    for a, b in zip(x, y, strict=True):
        start = result.x.copy()
        start[[1, 2]] = a, b
        cost = Solver(fixed=[1, 2]).solve(data, start).cost
        grown = (cost / result.cost - 1.0) * result.degrees_of_freedom
        np.testing.assert_allclose(grown, joint(0.68, 11), rtol=2e-3)


def test_a_region_stays_within_the_bounds() -> None:
    free = Solver().solve(CurveProblem(decay, T, Y), [1.0, 1.0])
    edge = free.x[1] + free.stderr[1]
    result = Solver(bounds={"rate": (None, edge)}).solve(CurveProblem(decay, T, Y), [1.0, 1.0])
    for pair in ((0, 1), (1, 0)):
        line = contour(result, *pair, 0.95, True)
        np.testing.assert_allclose(line[pair.index(1)].max(), edge, rtol=1e-12)


def test_a_region_is_of_two_parameters_that_are_not_fixed() -> None:
    result = random_fit(fixed=[1])
    with pytest.raises(ValueError, match=r"j must be a parameter that is not fixed; x\[1\] is"):
        contour(result, 0, 1, 0.95, True)
    with pytest.raises(ValueError, match=r"i and j must be two parameters; both are x\[0\]"):
        contour(result, 0, 0, 0.95, True)
    with pytest.raises(ValueError, match="a profile needs more observations than parameters"):
        contour(random_fit(m=3), 0, 1, 0.95, True)
