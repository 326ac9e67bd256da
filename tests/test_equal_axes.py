"""Columns of exact Jacobians that are rounding errors at the start, as that of an angle."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import lmoo
from tests.drivers import DRIVERS, Array, by_complex_step, fit, quiet

# Points of a grid of 15 x 15, in one number each.
T = np.arange(225.0)
TRUE = np.array([3.0, 0.3, -0.4, 0.9, 1.7, 0.6])
START = [1.0, 0.0, 0.1, 1.0, 1.0]


def ellipse(t: Array, a: Any, x0: Any, y0: Any, sx: Any, sy: Any, angle: Any) -> Array:
    row = np.floor(t / 15.0)
    x, y = 0.6 * (t - 15.0 * row) - 4.2 - x0, 0.6 * row - 4.2 - y0
    u = x * np.cos(angle) + y * np.sin(angle)
    v = y * np.cos(angle) - x * np.sin(angle)
    return a * np.exp(-0.5 * ((u / sx) ** 2 + (v / sy) ** 2))


def degrees(t: Array, a: Any, x0: Any, y0: Any, sx: Any, sy: Any, angle: Any) -> Array:
    return ellipse(t, a, x0, y0, sx, sy, angle * (np.pi / 180.0))


def measured(seed: int, level: float = 0.0) -> Array:
    random = np.random.default_rng(seed)
    true = TRUE * np.exp(0.1 * random.normal(size=6))
    return ellipse(T, *true) + level + 0.03 * random.normal(size=T.size)


def cost(p: Any, y: Array) -> float:
    return float(np.sum((ellipse(T, *p) - y) ** 2))


def least(y: Array) -> float:
    return cost(lmoo.Solver().solve(lmoo.CurveProblem(ellipse, T, y), TRUE).x, y)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("angle", [1.0, 0.3, 0.0, -2.0])
def test_an_angle_between_equal_axes(driver: str, angle: float) -> None:
    y = measured(1)
    with quiet():
        result = fit(driver, ellipse, T, y, [*START, angle], jac=by_complex_step(ellipse))
    assert result.success
    assert abs(result.x[5]) < 10.0
    np.testing.assert_allclose(cost(result.x, y), least(y), rtol=1e-6)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("bounded", [False, True])
def test_traced(seed: int, bounded: bool) -> None:
    y = measured(seed)
    lower, upper = [0.0, -4.0, -4.0, 0.05, 0.05, -10.0], [9.0, 4.0, 4.0, 9.0, 9.0, 10.0]
    bounds = (lower, upper) if bounded else (-np.inf, np.inf)
    p, _ = lmoo.curve_fit(ellipse, T, y, [*START, 1.0], bounds=bounds)
    assert abs(p[5]) < 10.0
    np.testing.assert_allclose(cost(p, y), least(y), rtol=1e-6)


def test_stacks() -> None:
    y = np.array([measured(seed) for seed in range(8)])
    fits = lmoo.curve_fit_many(ellipse, T, y, [*START, 1.0])
    assert fits.success.all()
    for x, row in zip(fits.x, y, strict=True):
        np.testing.assert_allclose(cost(x, row), least(row), rtol=1e-6)


def test_in_degrees() -> None:
    y = measured(2)
    p, _ = lmoo.curve_fit(degrees, T, y, [*START, 40.0])
    assert abs(p[5]) < 600.0
    np.testing.assert_allclose(cost([*p[:5], np.deg2rad(p[5])], y), least(y), rtol=1e-6)


@pytest.mark.parametrize("start", [1e-14, 1e-20, 1e-300, -1e-16])
def test_a_term_that_starts_near_zero_is_no_error(start: float) -> None:
    t = np.linspace(0.0, 4.0, 30)
    y = 1e3 + 2.0 * np.exp(-t)
    p, _ = lmoo.curve_fit(lambda t, a, b: a + b * np.exp(-t), t, y, [1.0, start])
    np.testing.assert_allclose(p, [1e3, 2.0], rtol=1e-9)


def test_one_evaluation_decides() -> None:
    t = np.linspace(0.0, 4.0, 30)
    y = 1e3 + 2.0 * np.exp(-t)
    problem = lmoo.CurveProblem(lambda t, a, b: a + b * np.exp(-t), t, y)
    counts = [lmoo.Solver().solve(problem, [1.0, start]).nfev for start in (1e-3, 1e-20)]
    assert counts[1] <= counts[0] + 1


def test_the_iteration_can_be_stored_at_this_point() -> None:
    solver, problem = lmoo.Solver(), lmoo.CurveProblem(ellipse, T, measured(1))
    whole = solver.solve(problem, [*START, 1.0])
    steps = solver.iterate(problem, [*START, 1.0])
    next(steps)
    steps = pickle.loads(pickle.dumps(steps))
    for _ in steps:
        pass
    assert steps.result is not None
    np.testing.assert_array_equal(steps.result.x, whole.x)
