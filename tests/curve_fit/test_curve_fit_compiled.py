"""`curve_fit` with compiled models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from curve_fit_cases import COVARIANCE, SIGMA, T, Y, check, decay, holes, slopes

from lmoo import curve_fit, models


def test_a_compiled_model_starts_from_its_guess_and_knows_its_derivatives() -> None:
    answer = curve_fit(models.Exponential(), T, Y, full_output=True)
    check(answer)
    assert answer[2]["njev"] >= 1
    # No evaluation went into differences.
    assert answer[2]["nfev"] <= 2 * answer[2]["njev"] + 3
    check(curve_fit(models.Exponential(), T, Y, [1, 1, 0]))
    check(curve_fit(models.Exponential(), T, Y, jac="3-point"))


def test_a_compiled_model_without_a_guess_starts_at_one() -> None:
    class Plain(models.Exponential):
        def guess(self, t: Any, y: np.ndarray) -> np.ndarray:
            raise NotImplementedError

    found = curve_fit(Plain(), T, Y)
    expected = curve_fit(models.Exponential(), T, Y, [1, 1, 1])
    np.testing.assert_array_equal(found[0], expected[0])


def test_a_compiled_model_with_fewer_points_than_parameters() -> None:
    for p0 in (None, [1, 1, 0]):
        with pytest.raises(TypeError, match=r"func parameters=3 must not exceed .* points=2$"):
            curve_fit(models.Exponential(), T[:2], Y[:2], p0)


def test_a_compiled_model_with_sigma() -> None:
    for sigma in (0.1, SIGMA, COVARIANCE):
        one = curve_fit(models.Exponential(), T, Y, sigma=sigma, absolute_sigma=True)
        two = curve_fit(decay, T, Y, sigma=sigma, absolute_sigma=True, jac=slopes)
        np.testing.assert_allclose(one[0], two[0], rtol=1e-8)
        np.testing.assert_allclose(one[1], two[1], rtol=1e-6)


def test_a_compiled_model_with_bounds() -> None:
    model = models.Exponential()
    popt, pcov = curve_fit(model, T, Y, bounds={"rate": (0, 1)}, fixed={"offset": 0.4})
    expected = curve_fit(decay, T, Y, bounds={"b": (0, 1)}, fixed={"c": 0.4}, jac=slopes)
    np.testing.assert_allclose(popt, expected[0], rtol=1e-8)
    np.testing.assert_allclose(pcov, expected[1], rtol=1e-6)
    check(curve_fit(model, T, Y, bounds=(0, 10)))


def test_a_compiled_model_of_two_variables() -> None:
    u, v = (part.ravel() for part in np.meshgrid(np.arange(7.0), np.arange(7.0)))
    model = models.Gaussian2D()
    y = model((u, v), 10.0, 2.8, 3.1, 1.2, 0.5)
    for xdata in ((u, v), np.stack([u, v])):
        popt, _ = curve_fit(model, xdata, y, sigma=None)
        np.testing.assert_allclose(popt, [10, 2.8, 3.1, 1.2, 0.5], rtol=1e-7)


def test_a_compiled_model_with_missing_points() -> None:
    t, y, keep = holes()
    found = curve_fit(models.Exponential(), t, y, nan_policy="omit")
    expected = curve_fit(models.Exponential(), T[keep], Y[keep])
    np.testing.assert_array_equal(found[1], expected[1])
