"""A point with a weight far above the others: the errors of its row are no errors of other rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from drivers import DRIVERS, Array, Model, by_complex_step, fit

import lmoo

T = np.linspace(0.0, 4.0, 24)


def saturation(t: Array, a: Any, b: Any) -> Array:
    return np.asarray(a * (t + 0.1) / (b + t + 0.1))


def decay(t: Array, a: Any, b: Any, c: Any) -> Array:
    return np.asarray(a * np.exp(-b * t) + c)


def weighted(model: Model, sigma: Array) -> Model:
    """The model over sigma, for any selection of the points."""

    def f(t: Array, *parameters: Any) -> Array:
        weights = 1.0 / sigma[np.searchsorted(T, np.asarray(t))]
        return np.asarray(model(t, *parameters) * weights)

    return f


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("bounded", [False, True])
@pytest.mark.parametrize("size", [1e-6, 1e-7, 1e-8])
@pytest.mark.parametrize(
    ("model", "true"),
    [(saturation, [3.0, 1.0]), (decay, [2.5, 1.3, 0.5])],
    ids=["saturation", "decay"],
)
def test_one_point_with_a_small_sigma(
    driver: str, bounded: bool, size: float, model: Model, true: list[float]
) -> None:
    for seed in range(6):
        r = np.random.default_rng(seed)
        sigma = np.ones(T.size)
        sigma[r.integers(3, T.size)] = size
        parameters = np.array(true) * r.uniform(0.85, 1.2, len(true))
        f = weighted(model, sigma)
        y = f(T, *parameters) + 0.05 * r.standard_normal(T.size)
        start = parameters * r.uniform(0.8, 1.25, len(true))
        bounds = (np.full(len(true), -50.0), np.full(len(true), 50.0)) if bounded else None
        found = fit(driver, f, T, y, start, bounds=bounds, trace=False)
        best = lmoo.Solver().solve(
            lmoo.FunctionProblem(
                lambda x, f=f, y=y: f(T, *x) - y, lambda x, f=f: by_complex_step(f)(T, *x)
            ),
            start,
        )
        assert best.success
        assert found.success, (seed, found)
        assert 0.5 * np.sum((f(T, *found.x) - y) ** 2) <= best.cost * (1.0 + 1e-6), seed
        assert found.nfev <= 60
        # The residuals are tiny beside the heavy point's values: their rounding is 1e-16 / size.
        np.testing.assert_allclose(found.stderr, best.standard_errors, rtol=1e-3)


def test_dependent_columns_are_still_found_beside_a_heavy_point() -> None:
    r = np.random.default_rng(0)
    sigma = np.ones(T.size)
    sigma[7] = 1e-8

    def residual(p: Array) -> Array:
        return np.asarray(((p[0] + p[1]) * np.exp(-p[2] * T) - y) / sigma)

    y = 2.0 * np.exp(-T) + 0.05 * sigma * r.standard_normal(T.size)
    result = lmoo.Solver().solve(lmoo.FunctionProblem(residual), [0.7, 0.9, 1.2])
    assert result.success
    assert result.rank == 2


def test_a_heavy_row_among_many() -> None:
    # Jacobians of this size are folded.
    t = np.linspace(0.0, 4.0, 30_000)
    true = np.array([2.5, 1.3, 0.5, 1.0, 4.0, 0.3])
    sigma = np.ones(t.size)
    sigma[777] = 1e-8

    def residual(x: Array) -> Array:
        model = x[0] * np.exp(-x[1] * t) + x[2] + x[3] * np.exp(-x[4] * t) + x[5] * t
        return np.asarray((model - y) / sigma)

    y = np.zeros(t.size)
    y = residual(true) * sigma + 0.05 * sigma * np.random.default_rng(1).standard_normal(t.size)
    result = lmoo.Solver().solve(lmoo.FunctionProblem(residual), 1.1 * true)
    assert result.success
    assert result.rank == 6
    assert result.nfev <= 120
