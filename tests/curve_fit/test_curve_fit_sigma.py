"""`curve_fit`: sigma and absolute_sigma."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from curve_fit_cases import COVARIANCE, SIGMA, T, Y, check, decay, slopes

from lmoo import curve_fit, models


def test_relative_sigma_is_scaled() -> None:
    one = curve_fit(decay, T, Y, sigma=SIGMA)
    ten = curve_fit(decay, T, Y, sigma=10 * SIGMA)
    np.testing.assert_allclose(one[0], ten[0], rtol=1e-9)
    np.testing.assert_allclose(one[1], ten[1], rtol=1e-6)


def test_absolute_sigma_is_not() -> None:
    one = curve_fit(decay, T, Y, sigma=SIGMA, absolute_sigma=True)
    ten = curve_fit(decay, T, Y, sigma=10 * SIGMA, absolute_sigma=True)
    np.testing.assert_allclose(100 * one[1], ten[1], rtol=1e-6)
    J = slopes(T, *one[0]) / SIGMA[:, None]
    np.testing.assert_allclose(one[1], np.linalg.inv(J.T @ J), rtol=1e-6)


def test_the_documented_relation_of_the_two() -> None:
    popt, relative = curve_fit(decay, T, Y, sigma=SIGMA)
    _, absolute = curve_fit(decay, T, Y, sigma=SIGMA, absolute_sigma=True)
    chi_square = float(np.sum(((decay(T, *popt) - Y) / SIGMA) ** 2))
    np.testing.assert_allclose(relative, absolute * chi_square / 17, rtol=1e-6)


def test_a_number_for_sigma() -> None:
    for absolute in (False, True):
        one = curve_fit(decay, T, Y, sigma=0.02, absolute_sigma=absolute)
        all_of_them = curve_fit(decay, T, Y, sigma=np.full(20, 0.02), absolute_sigma=absolute)
        np.testing.assert_array_equal(one[0], all_of_them[0])
        np.testing.assert_array_equal(one[1], all_of_them[1])
    check(curve_fit(decay, T, Y, sigma=5.0))


@pytest.mark.parametrize("absolute", [False, True])
def test_a_diagonal_covariance_matrix_is_that_of_sigma(absolute: bool) -> None:
    one = curve_fit(decay, T, Y, sigma=SIGMA, absolute_sigma=absolute)
    two = curve_fit(decay, T, Y, sigma=np.diag(SIGMA**2), absolute_sigma=absolute)
    np.testing.assert_allclose(one[0], two[0], rtol=1e-8)
    np.testing.assert_allclose(one[1], two[1], rtol=1e-6)


def test_a_covariance_matrix() -> None:
    popt, pcov = curve_fit(decay, T, Y, sigma=COVARIANCE, absolute_sigma=True, jac=slopes)
    J = slopes(T, *popt)
    weighted = np.linalg.solve(COVARIANCE, J)
    np.testing.assert_allclose(pcov, np.linalg.inv(J.T @ weighted), rtol=1e-6)
    np.testing.assert_allclose(weighted.T @ (decay(T, *popt) - Y), 0.0, atol=1e-6)


@pytest.mark.parametrize(
    ("sigma", "match"),
    [
        (np.ones(3), r"^sigma must be a number, or have shape .* as ydata has 20 points"),
        (np.ones((20, 3)), r"^sigma must be a number"),
        (np.ones((2, 2, 2)), r"^sigma must be a number"),
        (-np.eye(20), r"^`sigma` must be positive definite\.$"),
        (np.ones((20, 20)), r"^`sigma` must be positive definite\.$"),
        (np.zeros(20), r"^sigma must be positive and finite"),
        (-SIGMA, r"^sigma must be positive and finite"),
        (np.where(T[7] == T, 0.0, SIGMA), r"^sigma must be .*; it is 0\.0 at index 7$"),
        (np.where(T[3] == T, -2.0, SIGMA), r"^sigma must be .*; it is -2\.0 at index 3$"),
        (np.where(T[3] == T, np.nan, SIGMA), r"^sigma must be .*; it is nan at index 3$"),
        (
            np.where(T[2] == T, np.inf, np.eye(20)),
            r"^sigma must be finite; it is inf at index \(0, 2\)$",
        ),
    ],
)
def test_sigma_that_is_refused(sigma: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        curve_fit(decay, T, Y, sigma=sigma)


@pytest.mark.parametrize("f", [decay, models.Exponential()], ids=["function", "compiled"])
def test_absolute_sigma_without_sigma_warns_at_the_callers_line(f: Any) -> None:
    with pytest.warns(UserWarning, match="the errors of ydata are assumed to be 1") as caught:
        _, pcov = curve_fit(f, T, Y, absolute_sigma=True)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    expected = curve_fit(f, T, Y, sigma=1.0, absolute_sigma=True)[1]
    np.testing.assert_allclose(pcov, expected, rtol=1e-12)
    for options in ({"sigma": 1.0, "absolute_sigma": True}, {"absolute_sigma": False}):
        curve_fit(f, T, Y, **options)
