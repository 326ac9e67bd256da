"""Roots at which the Jacobian is singular, by differences: steps get shorter than their intervals.

The forward difference of (x - 1)^2 is 2(x - 1) + h.  Where h is longer than x - 1 the steps are too
short, each is taken, and none reaches the root.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lmoo
from tests.drivers import DRIVERS, fit

Array = Any
T = np.linspace(0.0, 4.0, 20)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12])
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e9])
@pytest.mark.parametrize(("power", "start"), [(2, 3.3), (2, 0.0), (3, 3.3), (2, -40.0)])
def test_a_multiple_root(power: int, start: float, unit: float, scale: float) -> None:
    problem = lmoo.FunctionProblem(lambda x: scale * (x / unit - 1.0) ** power)
    result = lmoo.Solver().solve(problem, [start * unit])
    assert result.success
    assert result.x[0] == pytest.approx(unit, rel=1e-7)
    assert result.nfev < 300


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12])
@pytest.mark.parametrize("driver", DRIVERS)
def test_squares_of_differences_from_exact_data(driver: str, scale: float) -> None:
    def squares(t: Any, a: Any, b: Any) -> Any:
        return scale * (a * np.exp(-b * t) - 3.4 * np.exp(-0.9 * t)) ** 2

    found = fit(driver, squares, T, np.zeros(T.size), [1.0, 1.0], trace=False)
    assert found.success
    np.testing.assert_allclose(found.x, [3.4, 0.9], rtol=1e-6)
    assert found.nfev < 600


@pytest.mark.slow
def test_random_systems() -> None:
    # Powers of linear forms in units of 1e-3 to 1e3.  At the root f is rounding alone.
    failures = 0
    for seed in range(120):
        rng = np.random.default_rng(1000 + seed)
        n = int(rng.integers(1, 4))
        unit = 10.0 ** rng.integers(-3, 4)
        x = rng.normal(size=n) * unit
        rows = rng.normal(size=(n + int(rng.integers(0, 3)), n)) / np.abs(x)
        power, scale = int(rng.integers(2, 4)), 10.0 ** rng.integers(-6, 7)

        def residual(
            p: Array, rows: Array = rows, x: Array = x, power: int = power, scale: float = scale
        ) -> Array:
            form = rows @ p - rows @ x
            return scale * form**power * (1.0 + 0.1 * np.sin(form))

        start = x + np.abs(x) * rng.normal(size=n)
        result = lmoo.Solver().solve(lmoo.FunctionProblem(residual), start)
        failures += not result.success
        np.testing.assert_allclose(result.x, x, rtol=1e-6, err_msg=str(seed))
        assert result.nfev < 1000, seed
    assert failures <= 1
