"""`curve_fit`: pcov, where parameters are determined and where they are not."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from curve_fit_cases import T, Y, decay, line, slopes
from ids import stable

import lmoo
from lmoo import curve_fit


def test_a_parameter_that_ends_at_zero_has_its_variance() -> None:
    # Exactly zero: the data are symmetric.
    t = np.array([-2.0, -1.0, 1.0, 2.0])
    y = np.array([1.0, -1.0, -1.0, 1.0])
    for p0 in (None, [0.0, 0.0], [1.0, 0.0]):
        popt, pcov = curve_fit(line, t, y, p0)
        np.testing.assert_allclose(popt, 0.0, atol=1e-11)
        np.testing.assert_allclose(pcov, np.diag([0.2, 0.5]), rtol=1e-9, atol=1e-9)


def test_a_parameter_that_ends_at_zero_of_a_nonlinear_model() -> None:
    # An offset of zero, and a start there.
    def shifted(t: Any, a: float, b: float) -> Any:
        return np.exp(-a * t) + b * t * t

    noise = 0.01 * np.cos(9 * T)
    J = np.column_stack([-T * np.exp(-T), T * T])
    noise = noise - J @ np.linalg.lstsq(J, noise, rcond=None)[0]
    for p0 in ([1.0, 0.0], [1.5, 0.0], None):
        popt, pcov = curve_fit(shifted, T, np.exp(-T) + noise, p0)
        np.testing.assert_allclose(popt, [1.0, 0.0], atol=1e-10)
        expected = np.linalg.inv(J.T @ J) * (noise @ noise) / 18
        np.testing.assert_allclose(pcov, expected, rtol=1e-6)


def test_as_many_points_as_parameters() -> None:
    y = decay(T[:3], 2.5, 1.3, 0.5)
    with pytest.warns(
        lmoo.OptimizeWarning, match=r"^Covariance of the parameters could not be est"
    ):
        popt, pcov = curve_fit(decay, T[:3], y)
    np.testing.assert_allclose(popt, [2.5, 1.3, 0.5], rtol=1e-7)
    np.testing.assert_array_equal(pcov, np.full((3, 3), np.inf))
    # Known errors of the data tell those of the parameters.
    _, pcov = curve_fit(decay, T[:3], y, sigma=np.full(3, 0.1), absolute_sigma=True)
    J = slopes(T[:3], 2.5, 1.3, 0.5) / 0.1
    np.testing.assert_allclose(pcov, np.linalg.inv(J.T @ J), rtol=1e-5)


@pytest.mark.parametrize(
    "f",
    [
        lambda t, a, b: a * t,
        lambda t, a, b: a * b * t,
        lambda t, a, b: (a + b) * t,
        lambda t, a, b: np.exp(a - b) * t,
    ],
)
@pytest.mark.parametrize("absolute", [False, True])
def test_parameters_that_are_not_determined(f: Any, absolute: bool) -> None:
    with pytest.warns(lmoo.OptimizeWarning) as caught:
        popt, pcov = curve_fit(f, T, Y, sigma=1.0, absolute_sigma=absolute)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(pcov, np.full((2, 2), np.inf))
    np.testing.assert_allclose(f(T, *popt), T * (T @ Y) / (T @ T), rtol=1e-6)


def test_nearly_parallel_columns_are_determined() -> None:
    # Far beyond where J.T @ J would be singular.
    def model(t: Any, a: float, b: float) -> Any:
        return a * t + b * (t + 1e-5 * np.cos(t))

    def jac(t: Any, a: float, b: float) -> Any:
        return np.column_stack([t, t + 1e-5 * np.cos(t)])

    y = model(T, 2, 3) + 0.01 * np.cos(9 * T)
    _, pcov = curve_fit(model, T, y, jac=jac)
    inverse = np.linalg.pinv(jac(T, 0, 0))
    chi = y - jac(T, 0, 0) @ (inverse @ y)
    np.testing.assert_allclose(pcov, inverse @ inverse.T * (chi @ chi) / 18, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-200, 1e-60, 1e60, 1e130], ids=stable)
def test_units_do_not_matter(scale: float) -> None:
    _, expected = curve_fit(line, T, Y)
    popt, pcov = curve_fit(line, T, scale * Y, scale * np.ones(2))
    with np.errstate(under="ignore"):
        np.testing.assert_allclose(pcov, expected * scale * scale, rtol=1e-6)
    np.testing.assert_allclose(popt / scale, curve_fit(line, T, Y)[0], rtol=1e-8)


def test_a_perfect_fit_has_no_variance() -> None:
    popt, pcov = curve_fit(line, T, np.zeros(20))
    # What underflows is as good as 0.
    np.testing.assert_allclose(popt, 0.0, atol=1e-300)
    np.testing.assert_array_equal(pcov, 0.0)


def test_filters_by_scipys_warning_apply() -> None:
    def undetermined(t: Any, a: float, b: float) -> Any:
        return (a + b) * t

    for category in (scipy.optimize.OptimizeWarning, lmoo.OptimizeWarning):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", category)
            curve_fit(undetermined, T, Y)
    with pytest.warns(scipy.optimize.OptimizeWarning):
        curve_fit(undetermined, T, Y)


def test_scipy_is_not_imported() -> None:
    program = """
import sys, warnings, numpy as np, lmoo
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    lmoo.curve_fit(lambda t, a, b: (a + b) * t, np.arange(5.0), np.arange(5.0) ** 2)
assert [w.category for w in caught] == [lmoo.OptimizeWarning]
assert not any(name.split(".")[0] == "scipy" for name in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
