"""Units: a solve in other units, powers of two, is the same solve, with its evaluations."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from drivers import DRIVERS, Array, fit, quiet

import lmoo
from lmoo.datasets import nist, nist_names


class Run(NamedTuple):
    status: str
    nfev: int
    njev: int
    x: Array
    errors: Array
    cost: float


def run(
    data: Any,
    start: Array,
    exact: bool,
    of_f: float,
    of_x: Array,
    bounds: Any = None,
    **options: Any,
) -> Run:
    """Solve for x * of_x with residuals f * of_f; what comes back is in the units of the data."""

    def residual(x: Array) -> Array:
        with quiet():
            return np.asarray(of_f * data.residual(x / of_x))

    def jacobian(x: Array) -> Array:
        with quiet():
            return np.asarray(of_f * data.jacobian(x / of_x) / of_x)

    if bounds is not None:
        bounds = (bounds[0] * of_x, bounds[1] * of_x)
    problem = lmoo.FunctionProblem(residual, jacobian if exact else None)
    with quiet():
        result = lmoo.Solver(bounds=bounds, **options).solve(problem, start * of_x)
        errors = result.standard_errors
    return Run(
        result.status.name,
        result.nfev,
        result.njev,
        result.x / of_x,
        errors / of_x,
        result.cost / of_f**2,
    )


def same(found: Run, expected: Run, rtol: float = 0.0) -> None:
    assert found[:3] == expected[:3]
    if rtol > 0.0:
        np.testing.assert_allclose(found.x, expected.x, rtol=rtol)
        return
    np.testing.assert_array_equal(found.x, expected.x)
    np.testing.assert_array_equal(found.errors, expected.errors)
    assert found.cost == expected.cost


def units(n: int, seed: int, largest: int = 40) -> Array:
    powers = np.random.default_rng(seed).integers(-largest, largest + 1, n)
    return np.asarray(2.0 ** powers.astype(float))


NAMES = nist_names()


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_units_of_parameters(name: str, exact: bool) -> None:
    data = nist(name)
    start, n = data.starts[1], data.certified.size
    expected = run(data, start, exact, 1.0, np.ones(n))
    same(run(data, start, exact, 1.0, units(n, 1)), expected)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_units_of_the_residual(name: str, exact: bool) -> None:
    data = nist(name)
    start, n = data.starts[1], data.certified.size
    expected = run(data, start, exact, 1.0, np.ones(n))
    for of_f in (2.0**-60, 2.0**60):
        same(run(data, start, exact, of_f, np.ones(n)), expected)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_within_bounds(name: str, exact: bool) -> None:
    data = nist(name)
    start, best = data.starts[1], data.certified
    n = best.size
    # Half of them hold the solution, a bound beside it.
    lower = np.minimum(start, best) - 0.5 * np.abs(best)
    upper = np.maximum(start, best) + 0.5 * np.abs(best)
    lower[::3] = np.minimum(start, 1.001 * best)[::3]
    upper[1::3] = np.maximum(start, 0.999 * best)[1::3]
    bounds = (lower, upper)
    expected = run(data, start, exact, 1.0, np.ones(n), bounds)
    same(run(data, start, exact, 2.0**31, np.ones(n), bounds), expected)
    same(run(data, start, exact, 2.0**31, units(n, 2), bounds), expected)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {"step": lmoo.More(accelerate=False)},
        {"step": lmoo.Nielsen()},
        {"step": lmoo.GeodesicAcceleration()},
    ],
    ids=lambda o: repr(o["step"]),
)
def test_every_step_strategy(options: dict[str, Any], exact: bool) -> None:
    for name in ("Misra1a", "MGH09", "Eckerle4", "Hahn1"):
        data = nist(name)
        start, n = data.starts[1], data.certified.size
        expected = run(data, start, exact, 1.0, np.ones(n), **options)
        same(run(data, start, exact, 2.0**-31, units(n, 3), **options), expected)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("name", ["Misra1a", "Chwirut2", "Gauss1", "Rat43", "Thurber", "ENSO"])
def test_powers_of_ten_change_rounding_alone(name: str, exact: bool) -> None:
    data = nist(name)
    start, n = data.starts[1], data.certified.size
    powers = np.random.default_rng(4).integers(-9, 10, n)
    found = run(data, start, exact, 1e-6, 10.0**powers)
    assert found.status in ("FTOL", "XTOL")
    np.testing.assert_allclose(found.x, data.certified, rtol=1e-7)
    np.testing.assert_allclose(found.errors, data.standard_errors, rtol=1e-4)


def test_stacks_in_other_units() -> None:
    def decay(t: Array, a: float, b: float, c: float) -> Array:
        return a * np.exp(-b * t) + c

    t = np.linspace(0, 4, 25)
    random = np.random.default_rng(5)
    y = decay(t, 3.0, 1.2, 0.5) + 0.05 * random.standard_normal((20, 25))
    starts = np.array([1.0, 1.0, 0.2]) * random.uniform(0.5, 2.0, (20, 3))
    expected = lmoo.curve_fit_many(decay, t, y, starts)
    for of_t, of_y in ((2.0**-40, 2.0**50), (2.0**33, 2.0**-66)):
        of_x = np.array([of_y, 1.0 / of_t, of_y])
        found = lmoo.curve_fit_many(decay, t * of_t, y * of_y, starts * of_x)
        np.testing.assert_array_equal(found.status, expected.status)
        np.testing.assert_array_equal(found.nfev, expected.nfev)
        np.testing.assert_array_equal(found.x / of_x, expected.x)
        np.testing.assert_array_equal(found.stderr / of_x, expected.stderr)


@pytest.mark.parametrize("model", [lmoo.models.Gaussian(), lmoo.models.Lorentzian()], ids=repr)
def test_compiled_models_in_other_units(model: lmoo.models.CompiledModel) -> None:
    t = np.linspace(0, 4, 30)
    y = model(t, 2.0, 1.7, 0.6, 0.3) + 0.02 * np.random.default_rng(6).standard_normal(30)
    start = np.array([1.0, 1.2, 1.0, 0.0])
    expected = lmoo.Solver().solve(model.problem(t, y), start)
    for of_t, of_y in ((2.0**-40, 2.0**50), (2.0**33, 2.0**-66)):
        of_x = np.array([of_y, of_t, of_t, of_y])
        found = lmoo.Solver().solve(model.problem(t * of_t, y * of_y), start * of_x)
        assert (found.status, found.nfev) == (expected.status, expected.nfev)
        np.testing.assert_array_equal(found.x / of_x, expected.x)


@pytest.mark.parametrize("unit", [1.0, 1e9, 1e12, 1e25])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_parameter_that_starts_at_0_may_have_any_unit(driver: str, unit: float) -> None:
    """Nothing tells the size of a background at 0: intervals grow until f shows it."""
    t = np.linspace(0.0, 4.0, 30)

    def decay(t: Array, a: Any, k: Any, c: Any) -> Any:
        return a * np.exp(-k * t) + c

    y = unit * (decay(t, 2.5, 1.3, 5.0) + 0.01 * np.cos(9 * t))
    found = fit(driver, decay, t, y, [unit, 1.0, 0.0], trace=False)
    assert found.success, found.status
    expected = [2.50394728, 1.30263577, 5.00002591]
    assert found.x / [unit, 1.0, unit] == pytest.approx(expected, rel=1e-6)
