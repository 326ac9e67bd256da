"""Confidence intervals from the linear model."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
import scipy.stats
from statistics_cases import PLAIN, fitted, random_fit

from lmoo import Solver


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_linear_intervals(level: float) -> None:
    _, _, result = random_fit()
    limits = result.confidence_interval(level)
    t = scipy.stats.t.ppf(0.5 + 0.5 * level, 7)
    np.testing.assert_allclose(limits[:, 1] - result.x, t * result.stderr, rtol=1e-12)
    np.testing.assert_allclose(result.x - limits[:, 0], t * result.stderr, rtol=1e-12)
    known = result.confidence_interval(level, scaled=False)
    z = scipy.stats.norm.ppf(0.5 + 0.5 * level)
    errors = np.sqrt(np.diag(result.covariance(scaled=False)))
    np.testing.assert_allclose(known[:, 1] - result.x, z * errors, rtol=1e-12)


def test_intervals_without_degrees_of_freedom_are_open() -> None:
    _, _, result = random_fit(4, m=3)
    for method in ("linear", "profile"):
        limits = result.confidence_interval(method=method)
        assert (limits == [-np.inf, np.inf]).all()
    assert np.isfinite(result.confidence_interval(scaled=False)).all()


def test_there_are_no_intervals_before_there_is_a_jacobian() -> None:
    result = Solver().iterate(PLAIN, [1.0, 1.0]).result
    assert np.isnan(result.confidence_interval()).all()
    assert np.isnan(result.aic)
    assert np.isnan(result.correlation[0, 1])


@pytest.mark.parametrize("level", [0.0, 1.0, 95, -0.1, float("nan")])
def test_levels_that_are_none(level: float) -> None:
    result = fitted()
    for ask in (result.confidence_interval, lambda q: result.predict(level=q)):
        with pytest.raises(ValueError, match="level must be between 0 and 1, such as"):
            ask(level)


def test_arguments_that_are_none() -> None:
    result = fitted()
    with pytest.raises(ValueError, match="method must be 'linear' or 'profile'; it is 'exact'"):
        result.confidence_interval(method="exact")
    with pytest.raises(ValueError, match="interval must be None, 'confidence' or 'prediction'"):
        result.predict(interval="both")
    with pytest.raises(ValueError, match="j must be one of amplitude, rate; it is 'rat'"):
        result.profile("rat")
    with pytest.raises(ValueError, match="from 0 to 1; it is 2"):
        result.profile(2)
    with pytest.raises(TypeError, match=r"j must be an integer; it is 1\.5"):
        result.profile(1.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"level must be a real number; it is '95'"):
        result.confidence_interval("95")  # type: ignore[arg-type]
