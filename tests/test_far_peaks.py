"""Peaks far from zero: the size of a place says nothing about the interval that differences need.

Expected values are of a fit in the peak's own coordinates, u = (x - place) / width: nothing is far.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from drivers import DRIVERS, Array, Fit, Model, by_complex_step, fit

import lmoo

EPS = 2.0**-52
PEAKS = ["gauss", "lorentz"]


def gauss(x: Array, a: float, m: float, s: float, b: float) -> Array:
    return a * np.exp(-0.5 * ((x - m) / s) ** 2) + b


def lorentz(x: Array, a: float, m: float, s: float, b: float) -> Array:
    return a / (1.0 + ((x - m) / s) ** 2) + b


MODELS = {"gauss": gauss, "lorentz": lorentz}


class Peak(NamedTuple):
    x: Array
    y: Array
    start: Array
    expected: Array
    errors: Array
    width: float


def peak(kind: str, ratio: float, width: float, seed: int, scale: float = 1.0) -> Peak:
    """Data of a peak at ratio * width, and its fit."""
    f, random = MODELS[kind], np.random.default_rng(seed)
    place = ratio * width
    x = place + width * np.linspace(-6, 6, 60)
    # As x is rounded so is u.
    u = (x - place) / width
    y = f(u, 10.0, 0.0, 1.0, 1.0) + 0.3 * random.standard_normal(60)
    p = gauss_newton(f, u, y, np.array([10.0, 0.0, 1.0, 1.0]))
    jacobian = by_complex_step(f)(u, *p)
    residual = f(u, *p) - y
    inverse = np.linalg.inv(jacobian.T @ jacobian)
    errors = np.sqrt(np.diag(inverse) * (residual @ residual) / 56)
    units = np.array([scale, width, width, scale])
    shift = np.array([0.0, place, 0.0, 0.0])
    start = np.array([8.0, random.uniform(-0.8, 0.8), 1.5, 0.5])
    return Peak(x, scale * y, start * units + shift, p * units + shift, errors * units, width)


def gauss_newton(f: Model, t: Array, y: Array, p: Array) -> Array:
    jac = by_complex_step(f)
    for _ in range(30):
        p = p - np.linalg.lstsq(jac(t, *p), f(t, *p) - y, rcond=None)[0]
    return p


def check(found: Fit, of: Peak, ratio: float) -> None:
    # Places between two numbers are EPS * ratio widths away, some 30 to 100 standard errors each.
    tolerance = 3e-3 + 200 * EPS * ratio
    assert found.success, found
    assert (np.abs(found.x - of.expected) <= tolerance * of.errors).all(), (found, of)
    np.testing.assert_allclose(found.stderr, of.errors, rtol=0.01)


RATIOS = [1.0, 1e2, 1e4, 1e5, 1e6, 1e7]


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("kind", PEAKS)
def test_by_differences(driver: str, ratio: float, kind: str) -> None:
    for seed in range(2):
        of = peak(kind, ratio, 0.5, seed)
        check(fit(driver, MODELS[kind], of.x, of.y, of.start), of, ratio)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("ratio", [1.0, 1e5, 1e9])
def test_by_the_exact_jacobian(driver: str, ratio: float) -> None:
    of = peak("gauss", ratio, 0.5, 3)
    check(fit(driver, gauss, of.x, of.y, of.start, jac=by_complex_step(gauss)), of, ratio)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("ratio", [1e2, 1e4])
def test_within_bounds(driver: str, ratio: float) -> None:
    of = peak("gauss", ratio, 0.5, 4)
    lower = np.array([0.0, of.x[0], 0.01, -np.inf])
    upper = np.array([100.0, of.x[-1], 4.0, np.inf])
    check(fit(driver, gauss, of.x, of.y, of.start, bounds=(lower, upper)), of, ratio)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("width", [2.0**-40, 1e-9, 1e3, 2.0**50])
def test_in_other_units(driver: str, width: float) -> None:
    for scale in (2.0**-60, 1e-6, 1e12):
        of = peak("gauss", 13125.6, width, 5, scale)
        check(fit(driver, gauss, of.x, of.y, of.start), of, 13125.6)


@pytest.mark.parametrize("driver", [d for d in DRIVERS if d != "RowBlockProblem"])
@pytest.mark.parametrize("ratio", [1e6, 1e7])
def test_within_bounds_far_away(driver: str, ratio: float) -> None:
    of = peak("gauss", ratio, 0.5, 4)
    lower, upper = np.array([0.0, of.x[0], 0.01, -5.0]), np.array([100.0, of.x[-1], 4.0, 5.0])
    check(fit(driver, gauss, of.x, of.y, of.start, bounds=(lower, upper)), of, ratio)


@pytest.mark.parametrize("strategy", [lmoo.CentralDifference(), lmoo.ForwardDifference()], ids=repr)
@pytest.mark.parametrize("ratio", [1e4, 1e6])
def test_by_each_kind_of_differences(strategy: lmoo.Jacobian, ratio: float) -> None:
    for seed in range(4):
        of = peak("gauss", ratio, 2.0, seed)
        check(fit("CurveProblem", gauss, of.x, of.y, of.start, jacobian=strategy), of, ratio)


@pytest.mark.parametrize("place", [0.0, 1e3, 1e6])
def test_two_peaks_and_a_slope(place: float) -> None:
    # Parameters of several kinds side by side: places far away, slopes that are small.
    def f(x: Array, a: float, m: float, b: float, n: float, s: float, c: float, d: float) -> Array:
        first, second = np.exp(-0.5 * ((x - m) / s) ** 2), np.exp(-0.5 * ((x - n) / s) ** 2)
        return a * first + b * second + c + d * (x - place)

    u = np.linspace(-6, 6, 80)
    x = place + u
    noise = 0.05 * np.random.default_rng(6).standard_normal(80)
    y = f(x, 3.0, place - 1.5, 2.0, place + 2.0, 0.8, 0.5, 0.02) + noise
    start = [2.0, place - 1.0, 1.0, place + 1.5, 1.0, 0.0, 0.0]
    exact = fit("CurveProblem", f, x, y, start, jac=by_complex_step(f))
    found = fit("CurveProblem", f, x, y, start)
    assert exact.success
    assert found.success
    assert (np.abs(found.x - exact.x) <= 1e-3 * exact.stderr).all()
    np.testing.assert_allclose(found.stderr, exact.stderr, rtol=0.01)


@pytest.mark.parametrize(
    ("model", "kind"), [(lmoo.models.Gaussian(), "gauss"), (lmoo.models.Lorentzian(), "lorentz")]
)
@pytest.mark.parametrize("ratio", [1e2, 1e5, 1e7])
def test_compiled_models_by_differences(
    model: lmoo.models.CompiledModel, kind: str, ratio: float
) -> None:
    of = peak(kind, ratio, 0.5, 7)
    solver = lmoo.Solver(jacobian=lmoo.ForwardDifference())
    result = solver.solve(model.problem(of.x, of.y), of.start)
    assert result.success
    away = np.abs(result.x - of.expected) / of.errors
    assert (away <= 3e-3).all()
    np.testing.assert_allclose(result.standard_errors, of.errors, rtol=0.01)
    many = lmoo.curve_fit_many(model, of.x, of.y[None], of.start, solver=solver)
    assert many.success.all()
    np.testing.assert_allclose(many.stderr[0], of.errors, rtol=0.01)
