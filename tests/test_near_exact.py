"""Data that the model fits (almost) exactly, and parameters that end at 0: they have no size.

Standard errors are compared with those of the exact Jacobian at the true parameters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from case_tables import each
from drivers import DRIVERS, Array, Model, by_complex_step, fit

import lmoo


def line(x: Array, a: float, b: float) -> Array:
    return a + b * x


def quadratic(x: Array, a: float, b: float, c: float) -> Array:
    return a + b * x + c * x * x


def exponential(x: Array, a: float, b: float, c: float) -> Array:
    return a * np.exp(-b * x) + c


def gauss(x: Array, a: float, m: float, s: float) -> Array:
    return a * np.exp(-0.5 * ((x - m) / s) ** 2)


def sine(x: Array, a: float, w: float, p: float) -> Array:
    return a * np.sin(w * x + p)


class Case(NamedTuple):
    f: Model
    x: Array
    true: list[float]
    start: list[float]


CASES = {
    "line": Case(line, np.linspace(0, 10, 11), [0, 2], [1, 1]),
    "gnuplot's line": Case(line, np.arange(1, 5.0), [0, 1], [1, 1]),
    "no slope": Case(line, np.linspace(0, 10, 11), [3, 0], [1, 1]),
    "quadratic": Case(quadratic, np.linspace(0, 5, 20), [1, 0, 2], [1, 1, 1]),
    "exponential": Case(exponential, np.linspace(0, 4, 20), [2.5, 1.3, 0], [1, 1, 1]),
    "Gaussian": Case(gauss, np.linspace(-3, 3, 41), [1, 0, 0.7], [0.8, 0.2, 1]),
    "sine": Case(sine, np.linspace(0, 6, 40), [1, 2, 0], [0.8, 1.9, 0.3]),
    "nothing at 0": Case(gauss, np.linspace(1, 7, 41), [1, 4, 0.7], [0.8, 4.2, 1]),
}
NOISE = [0.0, 1e-16, 1e-14, 1e-12, 1e-10, 1e-8, 1e-4]


def unscaled_errors(case: Case) -> Array:
    jacobian = by_complex_step(case.f)(case.x, *np.array(case.true, float))
    return np.sqrt(np.diag(np.linalg.inv(jacobian.T @ jacobian)))


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("name", CASES)
def test_errors_where_sigma_is_known(name: str, noise: float) -> None:
    case = CASES[name]
    expected = unscaled_errors(case)
    for seed in range(3):
        random = np.random.default_rng(seed)
        y = case.f(case.x, *case.true) + noise * random.standard_normal(case.x.size)
        sigma = np.ones(case.x.size)
        p, covariance = lmoo.curve_fit(
            case.f, case.x, y, p0=case.start, sigma=sigma, absolute_sigma=True
        )
        np.testing.assert_allclose(np.sqrt(np.diag(covariance)), expected, rtol=0.01)
        # Within what noise, or rounding of numbers of the size of y, leaves open.
        scale = max(noise, 2.0**-52 * float(np.max(np.abs(y))))
        assert (np.abs(p - case.true) <= 10.0 * scale * expected).all()


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("name", CASES)
@each("noise", [0.0, 1e-15, 1e-12, 1e-7])
def test_by_every_driver(driver: str, name: str, noise: float) -> None:
    case = CASES[name]
    random = np.random.default_rng(3)
    y = case.f(case.x, *case.true) + noise * random.standard_normal(case.x.size)
    unscaled = unscaled_errors(case)
    scale = max(noise, 2.0**-52 * float(np.max(np.abs(y))))
    for jac in (None, by_complex_step(case.f)):
        found = fit(driver, case.f, case.x, y, case.start, jac=jac)
        assert found.success, found
        assert (np.abs(found.x - case.true) <= 10.0 * scale * unscaled).all()
        if noise >= 1e-12:
            # Deviations that are not rounding: those of the linear problem at the true parameters.
            jacobian = by_complex_step(case.f)(case.x, *np.array(case.true, float))
            step = np.linalg.lstsq(jacobian, y - case.f(case.x, *case.true), rcond=None)[0]
            rest = y - case.f(case.x, *case.true) - jacobian @ step
            deviation = np.sqrt(rest @ rest / (case.x.size - len(case.true)))
            tolerance = 0.01 if noise > 1e-12 else 0.02
            np.testing.assert_allclose(found.stderr, deviation * unscaled, rtol=tolerance)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("factor", [2.0**-70, 1e-9, 1e9, 2.0**70])
def test_in_other_units(driver: str, factor: float) -> None:
    # y and x in other units: a and m change with them.
    case = CASES["Gaussian"]
    noise = 1e-6 * np.random.default_rng(4).standard_normal(case.x.size)
    y = case.f(case.x, *case.true) + noise
    expected = fit("CurveProblem", gauss, case.x, y, case.start, jac=by_complex_step(gauss))
    units = np.array([factor, 1.0 / factor, 1.0 / factor])
    found = fit(driver, gauss, case.x / factor, factor * y, case.start * units)
    assert found.success, found
    assert (np.abs(found.x / units - case.true) <= 1e-5).all()
    assert (np.abs(found.x / units - expected.x) <= 1e-3 * expected.stderr).all()
    np.testing.assert_allclose(found.stderr / units, expected.stderr, rtol=0.01)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("side", ["both", "lower"])
def test_within_bounds_around_the_zero(driver: str, side: str) -> None:
    # With a bound at the zero itself the parameter ends there, or beside it.
    case = CASES["exponential"]
    lower = [0.0, 0.0, -1.0 if side == "both" else 0.0]
    y = case.f(case.x, *case.true)
    for jac in (None, by_complex_step(exponential)):
        bounds = (lower, [10.0, 10.0, 10.0])
        found = fit(driver, case.f, case.x, y, [1.0, 1.0, 0.5], jac=jac, bounds=bounds)
        assert found.success, found
        np.testing.assert_allclose(found.x, case.true, atol=1e-13)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_start_at_the_zero_and_at_the_solution(driver: str) -> None:
    for name in ("line", "Gaussian", "sine"):
        case = CASES[name]
        y = case.f(case.x, *case.true)
        start = np.where(np.array(case.true) == 0.0, 0.0, case.start)
        for p0 in (start, case.true):
            found = fit(driver, case.f, case.x, y, p0)
            assert found.success, (name, p0, found)
            np.testing.assert_allclose(found.x, case.true, atol=1e-13)


@pytest.mark.parametrize("model", [lmoo.models.Exponential(), lmoo.models.Gaussian()], ids=repr)
@pytest.mark.parametrize("noise", [0.0, 1e-14, 1e-9])
def test_compiled_models(model: lmoo.models.CompiledModel, noise: float) -> None:
    x = np.linspace(-2, 3, 40)
    true = np.array([2.0, 0.0, 0.8, 0.0] if model.n == 4 else [2.0, 0.7, 0.0])
    y = model(x, *true) + noise * np.random.default_rng(5).standard_normal(40)
    start = true + 0.2
    for strategy in (None, lmoo.ForwardDifference()):
        solver = lmoo.Solver(jacobian=strategy)
        result = solver.solve(model.problem(x, y), start)
        assert result.success
        np.testing.assert_allclose(result.x, true, atol=3.0 * noise + 1e-13)
        many = lmoo.curve_fit_many(model, x, np.stack([y, 2 * y]), start, solver=solver)
        assert many.success.all()
