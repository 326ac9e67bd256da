"""Minima at infinity: parameters that run away, and what lies on the other side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lmoo
from tests.drivers import DRIVERS, Array, by_complex_step, fit, quiet, relative_offset

TRACED = ("CurveProblem", "curve_fit", "curve_fit_many")
# A driver, and whether its derivatives are given; where they are not, they are traced.
EXACT = [*((driver, True) for driver in DRIVERS), *((driver, False) for driver in TRACED)]


def exponential(t: Array, a: Any, b: Any, c: Any) -> Array:
    return a * np.exp(-b * t) + c


def power(t: Array, a: Any, b: Any, c: Any) -> Array:
    return a * t**b + c


def gaussian(t: Array, a: Any, m: Any, s: Any, c: Any) -> Array:
    return a * np.exp(-0.5 * ((t - m) / s) ** 2) + c


def lorentzian(t: Array, a: Any, m: Any, s: Any, c: Any) -> Array:
    return a / (1 + ((t - m) / s) ** 2) + c


def logistic(t: Array, a: Any, b: Any, c: Any, d: Any) -> Array:
    return d + a / (1 + np.exp(-b * (t - c)))


def jacobian(f: Any, given: bool) -> Any:
    return by_complex_step(f) if given else None


def sum_of_squares(f: Any, t: Array, y: Array, x: Array) -> float:
    with quiet():
        return float(np.sum((f(t, *x) - y) ** 2))


@pytest.mark.parametrize(("driver", "given"), EXACT)
@pytest.mark.parametrize("f", [exponential, power])
def test_a_curve_for_constant_data(driver: str, given: bool, f: Any) -> None:
    t = np.linspace(0.1, 5, 20)
    for seed in (2, 4, 7, 15):
        y = 2 + 0.05 * np.random.default_rng(seed).standard_normal(20)
        found = fit(driver, f, t, y, [1, 1, 1], jac=jacobian(f, given))
        assert found.success, (seed, found)
        assert sum_of_squares(f, t, y, found.x) < np.sum((y - y.mean()) ** 2)
        if np.isfinite(found.stderr).all():
            assert relative_offset(f, by_complex_step(f), t, y, found.x) < 1e-8


@pytest.mark.parametrize(("driver", "given"), EXACT)
@pytest.mark.parametrize("unit", [1.0, 2.0**30, 1e-9])
@pytest.mark.parametrize("rate", [-0.03, -0.1])
def test_the_minimum_is_on_the_other_side_of_infinity(
    driver: str, given: bool, unit: float, rate: float
) -> None:
    # From a positive rate the way leads to a line, with a rate of 0 and an infinite amplitude.
    t = np.linspace(0, 5, 20)
    y = exponential(t, -8.0, rate, 9.0) + 0.01 * np.random.default_rng(1).standard_normal(20)
    found = fit(
        driver, exponential, t * unit, y, [1, 0.5 / unit, 0], jac=jacobian(exponential, given)
    )
    best = fit("CurveProblem", exponential, t, y, [-8.0, rate, 9.0])
    assert found.success
    np.testing.assert_allclose(found.x * [1, unit, 1], best.x, rtol=1e-4)


@pytest.mark.parametrize(("driver", "given"), EXACT)
@pytest.mark.parametrize("f", [gaussian, lorentzian])
def test_a_peak_for_a_parabola(driver: str, given: bool, f: Any) -> None:
    # The term in t^4 has the sign that no peak has: the best is the parabola, of infinite width.
    t = np.linspace(-2, 2, 20)
    y = 3 - 0.3 * t**2 - 0.01 * t**4 + 0.02 * np.random.default_rng(3).standard_normal(20)
    parabola = np.polynomial.Polynomial.fit(t, y, 2)
    found = fit(driver, f, t, y, [3, 0.1, 1.5, 0.5], jac=jacobian(f, given))
    assert found.success, found
    least = np.sum((parabola(t) - y) ** 2)
    np.testing.assert_allclose(sum_of_squares(f, t, y, found.x), least, rtol=1e-4)
    assert not np.isfinite(found.stderr[[0, 3]]).any()


def test_the_parameters_that_run_away_are_named() -> None:
    t = np.linspace(-2, 2, 20)
    y = 3 - 0.3 * t**2 - 0.01 * t**4 + 0.02 * np.random.default_rng(3).standard_normal(20)
    result = lmoo.Solver().solve(lmoo.CurveProblem(gaussian, t, y), [3, 0.1, 1.5, 0.5])
    assert result.success
    assert {"a", "c"} <= set(result.undetermined)
    assert "m" not in result.undetermined


@pytest.mark.parametrize(("driver", "given"), EXACT)
def test_a_step_between_two_points(driver: str, given: bool) -> None:
    t = np.linspace(-3, 3, 12)
    y = 2.0 * (t > 0) + 0.05 * np.random.default_rng(6).standard_normal(12)
    found = fit(driver, logistic, t, y, [1, 1, 0, 0], jac=jacobian(logistic, given))
    assert found.success, found
    least = sum(np.sum((part - part.mean()) ** 2) for part in (y[:6], y[6:]))
    assert sum_of_squares(logistic, t, y, found.x) <= least * (1 + 1e-6)
    assert not np.isfinite(found.stderr[1])


GONE = {
    "exponential": lambda t, a, b, c: a * np.exp(-b * t) + c,
    "time constant": lambda t, a, b, c: a * np.exp(-t / b) + c,
    "half-Gaussian": lambda t, a, b, c: a * np.exp(-((b * t) ** 2)) + c,
    "sech": lambda t, a, b, c: a / np.cosh(b * t) + c,
    "power": lambda t, a, b, c: a * (1 + t) ** -b + c,
    "Lorentzian": lambda t, a, b, c: a / (1 + (b * t) ** 2) + c,
}


@pytest.mark.parametrize("trace", [False, True])
@pytest.mark.parametrize("name", GONE)
def test_a_decay_that_is_over_by_the_second_point(name: str, trace: bool) -> None:
    # A decay that is over by the second point, in data that are exact or nearly so.
    for seed in range(20):
        rng = np.random.default_rng(seed)
        m = int(rng.choice([6, 8, 12, 30]))
        t = np.arange(m) * 1.0
        y = 20 + 80.0 * (t == 0) + rng.choice([0, 0, 1e-12, 1e-9, 1e-6]) * rng.standard_normal(m)
        start = np.array([50, 1, 10.0]) * rng.uniform(0.6, 1.6, 3)
        problem = lmoo.CurveProblem(GONE[name], t, y, trace=trace)
        with quiet():
            result = lmoo.Solver().solve(problem, start)
        assert result.status is not lmoo.Status.DOMAIN, (seed, result)
        np.testing.assert_allclose(result.x[[0, 2]], [80, 20], rtol=1e-6)


@pytest.mark.parametrize("column", [0, 1, 2])
@pytest.mark.parametrize("wrong", [-1.0, 0.1, 3.0])
def test_a_wrong_derivative_is_no_minimum_at_infinity(column: int, wrong: float) -> None:
    t = np.linspace(0.1, 5, 20)
    right = by_complex_step(exponential)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        y = exponential(t, 2.0, rng.uniform(0.3, 2), 1.0) + 0.05 * rng.standard_normal(20)

        def jac(t: Array, *x: Any) -> Array:
            out = right(t, *x).copy()
            out[:, column] *= wrong
            return out

        problem = lmoo.CurveProblem(exponential, t, y, jac=jac)
        with quiet():
            result = lmoo.Solver().solve(problem, [1, 1, 0])
        if result.success:
            assert relative_offset(exponential, right, t, y, result.x) < 1e-6


# ---- decay times that are too large by orders of magnitude ---------------------------------------


def relaxation(t: Array, a: Any, tau: Any, c: Any) -> Array:
    return a * np.exp(-t / tau) + c


def check_relaxation(found: Any, t: Array, y: Array, unit: float) -> None:
    best = np.sum((relaxation(t, *found.x) - y) ** 2)
    assert found.success
    assert np.isfinite(found.stderr).all()
    assert best < np.sum((relaxation(t, 30.0, 3.0 * unit, 2.0) - y) ** 2), found
    np.testing.assert_allclose(found.x[1], 3.0 * unit, rtol=0.1)


def measured(unit: float, seed: int) -> tuple[Array, Array]:
    t = np.linspace(0.0, 10.0, 50) * unit
    noise = 0.3 * np.random.default_rng(seed).standard_normal(50)
    return t, relaxation(t, 30.0, 3.0 * unit, 2.0) + noise


@pytest.mark.parametrize("given", [False, True], ids=["differences", "Jacobian"])
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("unit", [1e-2, 1e-3, 1e-4])
def test_a_decay_time_from_one(unit: float, driver: str, given: bool) -> None:
    # t in short units, and p0 of ones: a straight line on the way to infinity.
    for seed in range(3):
        t, y = measured(unit, seed)
        found = fit(
            driver, relaxation, t, y, [1, 1, 1], jac=jacobian(relaxation, given), trace=False
        )
        check_relaxation(found, t, y, unit)


def test_decay_times_in_picoseconds_from_one() -> None:
    # f is constant there; for some data the Gauss-Newton step for 1 / tau leads to the decay.
    found = 0
    for seed in range(20):
        t, y = measured(1e-12, seed)
        x = fit("FunctionProblem", relaxation, t, y, [1, 1, 1], jac=by_complex_step(relaxation)).x
        found += bool(0.9 < x[1] / 3e-12 < 1.1)
    assert found > 0
