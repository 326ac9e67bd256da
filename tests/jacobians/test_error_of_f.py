"""Differences measure the error of f: amplified rounding, features that are missed, jumps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lmoo

Array = np.ndarray


def decay(t: Array, a: float, b: float, c: float) -> Array:
    return np.asarray(a * np.exp(-b * t) + c)


def slopes(t: Array, a: float, b: float, c: float) -> Array:
    e = np.exp(-b * t)
    return np.stack([e, -a * t * e, np.ones_like(t)], axis=1)


@pytest.mark.parametrize("seed", range(60))
def test_weights_by_a_covariance_amplify_rounding(seed: int) -> None:
    random = np.random.default_rng(seed)
    t = np.linspace(0, 4, int(random.integers(8, 40)))
    unit = 10.0 ** random.uniform(-6, 6)
    distance = np.abs(t[:, np.newaxis] - t)
    covariance = np.exp(-distance / 10 ** random.uniform(-1.5, 1.0))
    covariance += 10 ** random.uniform(-6, -1) * np.eye(t.size)
    covariance *= (0.01 * unit) ** 2
    true = random.uniform([1, 0.5, -1], [5, 2, 1]) * [unit, 1.0, unit]
    y = decay(t, *true) + np.linalg.cholesky(covariance) @ random.standard_normal(t.size)
    start = true * random.uniform(0.7, 1.4, 3)

    def solve(jac: Any, x0: Array) -> lmoo.Result:
        problem = lmoo.CurveProblem(decay, t, y, sigma=covariance, jac=jac)
        problem.trace, problem.absolute_sigma = False, True
        return lmoo.Solver().solve(problem, x0)

    found = solve(None, start)
    exact = solve(slopes, found.x)
    assert found.success
    assert not found.undetermined
    np.testing.assert_allclose(found.stderr, exact.stderr, rtol=1e-6)


def edge(t: Array, a: float, m: float, s: float, b: float) -> Array:
    return np.asarray(a * np.tanh((t - m) / s) + b)


def wave(t: Array, a: float, m: float, s: float, b: float) -> Array:
    return np.asarray(a * np.sin((t - m) / s) + b)


def dispersion(t: Array, a: float, m: float, s: float, b: float) -> Array:
    u = (t - m) / s
    return np.asarray(a * u / (1 + u * u) + b)


@pytest.mark.parametrize("f", [edge, wave, dispersion])
@pytest.mark.parametrize("place", [0.0, 1e6, 1.7e9])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("trace", [False, "auto"])
def test_intervals_longer_than_the_features_of_f(
    f: Any, place: float, seed: int, trace: Any
) -> None:
    random = np.random.default_rng(seed)
    u = np.linspace(-6, 7, 60)
    y = f(u, 5.0, 0.0, 1.0, 1.0) + 0.05 * random.standard_normal(60)
    start = np.array([4.8, 0.2, 1.1, 1.0])
    near = lmoo.Solver().solve(lmoo.CurveProblem(f, u, y), start)
    width = 20.0
    problem = lmoo.CurveProblem(f, place + width * u, y)
    problem.trace = trace
    units = np.array([1.0, width, width, 1.0])
    found = lmoo.Solver().solve(problem, start * units + [0.0, place, 0.0, 0.0])
    assert found.success
    assert found.cost <= near.cost * (1 + 1e-6)
    np.testing.assert_allclose(found.stderr, near.stderr * units, rtol=0.01)


JUMPS = {
    "power": (lambda t, a, n: a * (t + 1) ** int(n), [3.0, 2.0], [1.5, 2.0]),
    "cosine": (lambda t, a, b, n: a * np.cos(int(n) * t) + b, [2.0, 0.5, 3.0], [1.0, 0.0, 3.0]),
}


@pytest.mark.parametrize("name", JUMPS)
@pytest.mark.parametrize("seed", range(5))
def test_a_jump_at_the_start_is_that_of_one_parameter(name: str, seed: int) -> None:
    f, true, start = JUMPS[name]
    t = np.linspace(0, 4, 41)
    y = f(t, *true) + 0.05 * np.random.default_rng(seed).standard_normal(41)
    problem = lmoo.FunctionProblem(lambda x: f(t, *x) - y)
    found = lmoo.Solver().solve(problem, start)
    # The others are fitted, and the last one is named.
    linear = np.eye(len(true) - 1)
    columns = np.stack([f(t, *unit, start[-1]) for unit in linear], axis=1)
    best = np.linalg.lstsq(columns, y, rcond=None)[1][0] / 2
    assert found.success
    assert found.cost <= best * (1 + 1e-6)
    assert found.undetermined == (f"x[{len(true) - 1}]",)
