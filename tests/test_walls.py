"""A minimum beyond a wall, where the residual is not finite: few evaluations to the best point."""

from __future__ import annotations

import numpy as np
import pytest
from case_tables import each
from drivers import DRIVERS, Array, fit

import lmoo

T = np.linspace(0.0, 1.0, 9)


def wall(position: float) -> tuple[object, object]:
    """A constant with a slight slope, and its Jacobian, for values below the position."""

    def f(t: Array, a: float) -> Array:
        return np.where(np.asarray(a) < position, a * (1.0 + 0.1 * t), np.nan)

    def jac(t: Array, a: float) -> Array:
        return (1.0 + 0.1 * t + 0.0 * np.asarray(a))[..., None]

    return f, jac


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e12])
@each("seed", range(6))
def test_the_point_at_the_wall_is_found_with_few_evaluations(
    driver: str, exact: bool, unit: float, seed: int
) -> None:
    r = np.random.default_rng(seed)
    position = unit * r.uniform(-1.0, 1.0)
    minimum = position + unit * 10 ** r.uniform(-3.0, 1.0)
    start = position - unit * 10 ** r.uniform(-2.0, 1.0)
    f, jac = wall(position)
    y = minimum * (1.0 + 0.1 * T) + 0.1 * unit * (-1.0) ** np.arange(T.size)
    found = fit(driver, f, T, y, [start], jac=jac if exact else None, trace=False)  # type: ignore[arg-type]
    assert not found.success
    if driver == "curve_fit":
        assert "not finite" in found.status
        return
    assert found.status == "DOMAIN"
    assert position - 1e-5 * (position - start) <= found.x[0] < position
    assert found.nfev <= (80 if exact else 160)


@pytest.mark.parametrize("seed", range(40))
def test_a_wall_in_several_dimensions_is_no_fault_of_the_jacobian(seed: int) -> None:
    r = np.random.default_rng(seed)
    n = int(r.integers(1, 4))
    a = r.standard_normal((n + 2, n))
    minimum = r.uniform(0.5, 3.0, n)
    start = minimum + r.uniform(-3.0, 3.0, n)
    normal = r.standard_normal(n)
    normal *= np.sign(normal @ (minimum - start)) / np.linalg.norm(normal)
    offset = 0.1 * abs(normal @ (minimum - start))

    def residual(x: Array) -> Array:
        value = a @ (x - minimum) + 0.3 * np.sin(a @ (x - minimum))
        return value if normal @ (x - minimum) < -offset else np.full(n + 2, np.nan)

    def jacobian(x: Array) -> Array:
        return a * (1.0 + 0.3 * np.cos(a @ (x - minimum)))[:, None]

    result = lmoo.Solver().solve(lmoo.FunctionProblem(residual, jacobian), start)
    assert result.status == lmoo.Status.DOMAIN
    assert result.nfev <= 250


def test_a_wall_is_left_where_the_minimum_is_inside() -> None:
    # The domain of the logarithm ends beyond the minimum, and the first steps meet its end.
    t = np.linspace(0.0, 3.0, 12)

    def residual(p: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(p[0] * np.log(t - p[1]) - np.where(t > 0, np.log(t + 1e-9), -8.0))

    result = lmoo.Solver().solve(lmoo.FunctionProblem(residual), [1.0, -1.0])
    assert result.success
    np.testing.assert_allclose(result.x, [1.00018934, -3.35970337e-04], rtol=1e-6)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e9])
@pytest.mark.parametrize("seed", range(4))
def test_a_column_whose_difference_leads_beyond_a_wall_stops_no_step(
    driver: str, unit: float, seed: int
) -> None:
    # Far from the data the slope has no effect, so that its differences become long: they overflow.
    # All steps were refused, and x0 was reported as a minimum.
    r = np.random.default_rng(seed)
    t = np.logspace(-9.0, -4.0, 12) * unit

    def hill(t: Array, top: float, half: float, slope: float) -> Array:
        power = t ** np.asarray(slope)
        return top * power / (power + np.asarray(half) ** np.asarray(slope))

    y = hill(t, 100.0, 10 ** r.uniform(-8.0, -5.0) * unit, r.uniform(0.7, 2.0)) + r.normal(
        0.0, 2.0, t.size
    )
    start = [1.0, 1e-12 * unit, 5.0]
    bounds = (np.zeros(3), np.full(3, np.inf))
    found = fit(driver, hill, t, y, start, bounds=bounds, trace=False)
    # The best top without the other two is at least 25.
    assert not (found.success and found.x[0] < 20.0)
