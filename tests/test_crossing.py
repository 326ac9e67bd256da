"""Steps across infinity: starts with the wrong sign of an amplitude."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lmoo
from tests.drivers import DRIVERS, Array, by_complex_step, fit, quiet

T = np.linspace(0.0, 10.0, 40)


def saturation(t: Array, a: Any, b: Any) -> Array:
    return a * (1.0 - np.exp(-b * t))


def logarithm(t: Array, a: Any, b: Any) -> Array:
    return a * np.log(1.0 + b * t)


def measured(model: Callable[..., Array], seed: int, unit: float = 1.0) -> tuple[Array, Array]:
    """Data with a negative amplitude, and the least-squares solution, found from the truth."""
    random = np.random.default_rng(seed)
    true = np.array([-3.0 * np.exp(random.normal()), 0.7 * np.exp(random.normal())])
    y = model(T, *true) + 0.02 * abs(true[0]) * random.normal(size=T.size)
    y *= unit
    best = lmoo.Solver().solve(lmoo.CurveProblem(model, T, y), true * [unit, 1.0])
    assert best.success
    return y, best.x


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("model", [saturation, logarithm])
def test_an_amplitude_changes_its_sign(model: Any, given: bool, driver: str) -> None:
    jac = by_complex_step(model) if given else None
    found = 0
    for seed in range(8):
        y, best = measured(model, seed)
        with quiet():
            result = fit(driver, model, T, y, [1.0, 1.0], jac=jac, trace=False)
        found += bool(np.allclose(result.x, best, rtol=1e-4))
    assert found == 8


@pytest.mark.parametrize("unit", [1e-9, 1e6])
def test_in_any_unit(unit: float) -> None:
    y, best = measured(saturation, 0)
    same = lmoo.Solver().solve(lmoo.CurveProblem(saturation, T, y), [1.0, 1.0])
    scaled = lmoo.Solver().solve(lmoo.CurveProblem(saturation, T, unit * y), [unit, 1.0])
    np.testing.assert_allclose(same.x, best, rtol=1e-6)
    np.testing.assert_allclose(scaled.x, best * [unit, 1.0], rtol=1e-6)
    assert abs(scaled.nfev - same.nfev) <= 1
    assert same.nfev < 600


def test_bounds_are_kept() -> None:
    y, best = measured(saturation, 0)
    inside: list[bool] = []

    def residual(x: Array) -> Array:
        inside.append(bool(x[1] >= -0.5))
        return saturation(T, *x) - y

    bounds = ([-1e4, -0.5], [1e4, 10.0])
    result = lmoo.Solver(bounds=bounds).solve(lmoo.FunctionProblem(residual), [1.0, 1.0])
    assert all(inside)
    np.testing.assert_allclose(result.x, best, rtol=1e-6)


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("model", [saturation, logarithm])
@pytest.mark.parametrize("ends", [3.0, 40.0, 1e3])
def test_the_way_may_end_at_a_bound(ends: float, model: Any, given: bool) -> None:
    # The minimum is beyond infinity; the bound of the amplitude cuts off the way there.  At 3 this
    # is so far from infinity that the direction of the way is not that at infinity.
    bounds = ([-100.0, -0.09], [ends, 20.0])
    found = 0
    for seed in range(8):
        y, best = measured(model, seed)
        inside: list[bool] = []

        def residual(x: Array, y: Array = y, inside: list[bool] = inside) -> Array:
            inside.append(bool((x >= bounds[0]).all() and (x <= bounds[1]).all()))
            return model(T, *x) - y

        jac = by_complex_step(model) if given else None
        problem = lmoo.FunctionProblem(residual, None if jac is None else lambda x, j=jac: j(T, *x))
        with quiet():
            result = lmoo.Solver(bounds=bounds).solve(problem, [1.0, 1.0])
        assert all(inside)
        found += bool(np.allclose(result.x, best, rtol=1e-4))
    assert found >= (6 if ends == 3.0 else 7)


def test_the_other_side_may_be_bad() -> None:
    # f is not finite for a negative amplitude: the solve ends on the side on which it began.
    y, _ = measured(saturation, 0)

    def residual(x: Array) -> Array:
        return saturation(T, *x) - y if x[0] > 0.0 else np.full(T.size, np.nan)

    with quiet():
        result = lmoo.Solver().solve(lmoo.FunctionProblem(residual), [1.0, 1.0])
    assert result.x[0] > 0.0
    assert np.isfinite(result.cost)


@pytest.mark.parametrize("limit", [5, 12, 20, 24, 25, 26, 30])
def test_trials_count(limit: int) -> None:
    y, _ = measured(saturation, 0)
    calls = 0

    def residual(x: Array) -> Array:
        nonlocal calls
        calls += 1
        return saturation(T, *x) - y

    derivatives = by_complex_step(saturation)
    problem = lmoo.FunctionProblem(residual, lambda x: derivatives(T, *x))
    result = lmoo.Solver(maxfev=limit).solve(problem, [1.0, 1.0])
    assert result.nfev == calls <= limit + 2
