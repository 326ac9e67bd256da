"""Functions with errors: noise, float32 inside, tables, kinks, wrong derivatives.

The best cost is found without derivatives, by Nelder and Mead's simplex, without the noise.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from drivers import DRIVERS, Array, Fit, Model, by_complex_step, fit

optimize = pytest.importorskip("scipy.optimize")

T = np.linspace(0.05, 4, 25)
TABLE = np.linspace(0, 20, 60)


def decay(t: Array, a: float, b: float, c: float) -> Array:
    return a * np.exp(-b * t) + c


def deterministic(noise: float) -> Model:
    def f(t: Array, a: float, b: float, c: float) -> Array:
        return decay(t, a, b, c) * (1 + noise * np.sin(1e9 * (a + b + c) + 1e5 * t))

    return f


def random(noise: float) -> Model:
    generator = np.random.default_rng(11)

    def f(t: Array, a: float, b: float, c: float) -> Array:
        value = decay(t, a, b, c)
        return value + noise * generator.standard_normal(value.shape)

    return f


def single(t: Array, a: float, b: float, c: float) -> Array:
    parts = (np.float32(t), np.float32(a), np.float32(b), np.float32(c))
    return decay(*parts).astype(np.float32).astype(float)  # type: ignore[arg-type]


def to_decimals(decimals: int) -> Model:
    def f(t: Array, a: float, b: float, c: float) -> Array:
        return np.round(decay(t, a, b, c), decimals)

    return f


rounded = to_decimals(6)


def half(t: Array, a: float, b: float, c: float) -> Array:
    return decay(t, a, b, c).astype(np.float16).astype(float)


def table(t: Array, a: float, b: float, c: float) -> Array:
    return a * np.interp(b * t, TABLE, np.exp(-TABLE)) + c


def kink(t: Array, a: float, b: float, c: float) -> Array:
    return a * np.abs(t - b) + c


def hinge(t: Array, a: float, b: float, c: float) -> Array:
    return a + b * np.maximum(t - c, 0)


class Kind(NamedTuple):
    f: Callable[[], Model]  # a new one with the same noise
    smooth: Model  # without its noise


KINDS = {
    **{
        f"random {e:g}": Kind(functools.partial(random, e), decay) for e in (1e-9, 1e-7, 1e-6, 1e-4)
    },
    **{
        f"deterministic {e:g}": Kind(functools.partial(deterministic, e), decay)
        for e in (1e-9, 1e-7, 1e-6, 1e-4)
    },
    "float32": Kind(lambda: single, single),
    "rounded": Kind(lambda: rounded, decay),
    **{f"{k} decimals": Kind(functools.partial(to_decimals, k), decay) for k in (3, 4, 5)},
    "half precision": Kind(lambda: half, decay),
    "table": Kind(lambda: table, table),
    "kink": Kind(lambda: kink, kink),
    "hinge": Kind(lambda: hinge, hinge),
}


class Case(NamedTuple):
    y: Array
    start: Array
    best: float  # sum of squares


@functools.cache
def case(name: str, seed: int) -> Case:
    smooth = KINDS[name].smooth
    generator = np.random.default_rng(seed)
    true = generator.uniform([0.5, 0.5, -1], [5, 2.5, 1])
    start = true * generator.uniform(0.7, 1.3, 3)
    y = smooth(T, *true) + 0.02 * generator.standard_normal(T.size)

    def sum_of_squares(p: Array) -> float:
        return float(np.sum((smooth(T, *p) - y) ** 2))

    options: dict[str, Any] = {"xatol": 1e-8, "fatol": 1e-10, "maxiter": 2000}
    found = optimize.minimize(sum_of_squares, start, method="Nelder-Mead", options=options).x
    return Case(y, start, min(sum_of_squares(found), sum_of_squares(true)))


def cost(name: str, of: Case, x: Array) -> float:
    return float(np.sum((KINDS[name].smooth(T, *x) - of.y) ** 2))


SEEDS = range(3)
# In blocks of rows larger errors than these can hide at the start that f depends on x at all.
IN_BLOCKS = [n for n in KINDS if not n.endswith(("1e-06", "0.0001", "decimals", "half precision"))]
# Errors that are alike for a fit alone and in company: what a stack asks of a model.
REPEATABLE = [n for n in KINDS if not n.startswith("random")]
EACH = [
    (driver, name)
    for driver in DRIVERS
    for name in {"RowBlockProblem": IN_BLOCKS, "curve_fit_many": REPEATABLE}.get(
        driver, list(KINDS)
    )
]


def is_found(name: str, of: Case, found: Fit) -> bool:
    return found.success and cost(name, of, found.x) <= 1.01 * of.best


@pytest.mark.parametrize(("driver", "name"), EACH)
def test_the_fit_is_found(driver: str, name: str) -> None:
    for seed in SEEDS:
        of = case(name, seed)
        found = fit(driver, KINDS[name].f(), T, of.y, of.start)
        assert is_found(name, of, found), (seed, found)


@pytest.mark.parametrize(("driver", "name"), [(d, n) for d, n in EACH if "0.0001" not in n])
def test_the_fit_is_found_within_bounds(driver: str, name: str) -> None:
    bounds = ([0.0, 0.0, -5.0], [20.0, 20.0, 20.0])
    for seed in SEEDS:
        of = case(name, seed)
        found = fit(driver, KINDS[name].f(), T, of.y, of.start, bounds=bounds)
        assert is_found(name, of, found), (seed, found)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("name", ["deterministic 1e-09", "deterministic 1e-07", "float32", "hinge"])
@pytest.mark.parametrize("factor", [2.0**-100, 1e-6, 1e9])
def test_the_fit_is_found_in_other_units_of_y(driver: str, name: str, factor: float) -> None:
    of = case(name, 5)
    f = KINDS[name].f()

    def scaled(t: Array, a: float, b: float, c: float) -> Array:
        return np.asarray(factor * f(t, a, b, c))

    found = fit(driver, scaled, T, factor * of.y, of.start)
    assert is_found(name, of, found), found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["deterministic 1e-09", "deterministic 1e-07", "float32"])
def test_standard_errors(name: str, seed: int) -> None:
    # Noise of 1e-7 beside errors of the data of 0.02 changes no standard error by a per cent.
    of = case(name, seed)
    found = fit("CurveProblem", KINDS[name].f(), T, of.y, of.start)
    assert found.success
    jacobian = by_complex_step(decay)(T, *found.x)
    inverse = np.linalg.inv(jacobian.T @ jacobian)
    expected = np.sqrt(np.diag(inverse) * of.best / (T.size - 3))
    np.testing.assert_allclose(found.stderr, expected, rtol=0.02)


# ------------------------------------------------------------------------------- nothing but noise


@pytest.mark.parametrize("driver", [d for d in DRIVERS if d != "curve_fit_many"])
@pytest.mark.parametrize("noise", [1.0, 10.0])
def test_nothing_but_noise_is_no_success(driver: str, noise: float) -> None:
    for seed in range(8):
        of = case("rounded", seed)
        found = fit(driver, random(noise), T, of.y, of.start)
        assert not found.success, (seed, found)


@pytest.mark.parametrize("driver", DRIVERS)
def test_nothing_but_repeatable_noise_is_no_success(driver: str) -> None:
    for seed in range(8):
        of = case("rounded", seed)
        found = fit(driver, deterministic(10.0), T, of.y, of.start)
        assert not found.success, (seed, found)


# ------------------------------------------------------------------------------ wrong derivatives


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("bounds", [None, ([0.0, 0.0, -5.0], [20.0, 20.0, 20.0])])
def test_derivatives_of_the_wrong_sign_fail(driver: str, bounds: Any) -> None:
    right = by_complex_step(decay)
    for seed in range(6):
        of = case("rounded", seed)
        found = fit(
            driver, decay, T, of.y, of.start, jac=lambda t, *p: -right(t, *p), bounds=bounds
        )
        assert not found.success, (seed, found)


@pytest.mark.parametrize("driver", DRIVERS)
def test_derivatives_that_are_too_small_are_no_false_success(driver: str) -> None:
    # Steps are too long by the factor; a short enough one leads down all the same.
    right = by_complex_step(decay)
    for seed in range(6):
        of = case("rounded", seed)
        found = fit(driver, decay, T, of.y, of.start, jac=lambda t, *p: 0.1 * right(t, *p))
        assert found.success, (seed, found)
        assert cost("rounded", of, found.x) <= 1.01 * of.best, (seed, found)


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_added_constant_that_another_parameter_takes_up_does_no_harm(driver: str) -> None:
    # The same span of columns: the same stationary points.
    right = by_complex_step(decay)
    for seed in range(4):
        of = case("rounded", seed)
        found = fit(driver, decay, T, of.y, of.start, jac=lambda t, *p: right(t, *p) + 0.1)
        assert found.success
        assert cost("rounded", of, found.x) <= 1.0001 * of.best


# ---- the end of a plateau is no rounding --------------------------------------------------------


@pytest.mark.parametrize("driver", [d for d in DRIVERS if d != "RowBlockProblem"])
def test_the_larger_of_two_lines(driver: str) -> None:
    # At the start one line is larger everywhere: the slope of the other one has no effect nearby.
    def larger(t: Array, a: Any, b: Any, c: Any) -> Array:
        return np.maximum(a * t, b + c * t)

    t = np.linspace(0.0, 10.0, 30)
    y = larger(t, 0.8, 3.0, 0.2)
    for b in (0.9, 1.0, 1.1):
        found = fit(driver, larger, t, y, [1.22, b, 1.15], trace=False)
        assert found.success, found
        # It is fitted, or has no effect at the best line.
        assert np.isinf(found.stderr[0]) or abs(larger(t, *found.x) - y).max() < 1e-6
