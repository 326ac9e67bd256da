"""No success where there is no minimum: exponentials from p0 = 1, huge first Jacobians.

At a minimum the relative offset is 0: the part of |f|^2 that the linear model at x
predicts as reduction, from exact derivatives and an orthogonal basis of their span.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from drivers import Array, Model, fit, quiet, relative_offset
from minima import ALL, check

import lmoo


def exponential(t: Array, a: float, b: float, c: float) -> Array:
    return a * np.exp(b * t) + c


def exponential_jacobian(t: Array, a: Any, b: Any, c: Any) -> Array:
    e = np.exp(b * t)
    return np.stack(np.broadcast_arrays(e, a * t * e, np.ones_like(e)), axis=-1)


def growth(t: Array, a: float, b: float) -> Array:
    return a * np.exp(b * t)


def growth_jacobian(t: Array, a: Any, b: Any) -> Array:
    e = np.exp(b * t)
    return np.stack(np.broadcast_arrays(e, a * t * e), axis=-1)


@pytest.mark.parametrize(("driver", "exact"), ALL)
@pytest.mark.parametrize("start", [[1, 1, 0], [1, 1, 100], [1, 0.8, 1]])
def test_a_growth_from_one(driver: str, exact: bool, start: list[float]) -> None:
    # stats.stackexchange.com 160552; the least cost is 1122.
    t = np.arange(50, 100, 5.0)
    y = np.array([45, 55, 62, 70, 80, 90, 100, 200, 375, 600.0])
    jac = exponential_jacobian if exact else None
    found = fit(driver, exponential, t, y, start, jac=jac, trace=False)
    check(found, exponential, exponential_jacobian, t, y)
    assert found.success
    cost = 0.5 * np.sum((exponential(t, *found.x) - y) ** 2)
    np.testing.assert_allclose(cost, 1121.58, rtol=1e-4)


@pytest.mark.parametrize(("driver", "exact"), ALL)
@pytest.mark.parametrize("length", [10, 30, 60, 100])
def test_growths_over_long_ranges(driver: str, exact: bool, length: float) -> None:
    t = np.linspace(0, length, 30)
    y = 2.0 * np.exp(3.0 / length * t) + 0.01 * np.sin(37.0 * t)
    found = fit(driver, growth, t, y, [1, 1], jac=growth_jacobian if exact else None)
    assert found.success
    check(found, growth, growth_jacobian, t, y)
    np.testing.assert_allclose(found.x, [2.0, 3.0 / length], rtol=0.01)


@pytest.mark.parametrize("factor", [2.0**-80, 1e-9, 1e9, 2.0**80])
@pytest.mark.parametrize(("driver", "exact"), ALL)
def test_growths_in_other_units(driver: str, exact: bool, factor: float) -> None:
    t = np.linspace(0, 40, 30)
    y = 2.0 * np.exp(0.075 * t) + 0.01 * np.sin(37.0 * t)
    jac = growth_jacobian if exact else None
    found = fit(driver, growth, t, factor * y, [factor, 1], jac=jac)
    assert found.success
    np.testing.assert_allclose(found.x, [2.0 * factor, 0.075], rtol=0.01)
    check(found, growth, growth_jacobian, t, factor * y)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("bounded", [False, True])
def test_random_exponentials_from_one(exact: bool, bounded: bool) -> None:
    random = np.random.default_rng(0)
    for _ in range(40):
        first, length = random.choice([0, 10, 50, 100]), random.choice([5, 20, 50])
        t = np.linspace(first, first + length, 15)
        rate = random.choice([-1, 1]) * random.uniform(0.5, 5) / length
        y = exponential(t, 10 * np.exp(-rate * t.mean()), rate, random.uniform(-5, 5))
        y = y + 0.1 * random.standard_normal(15)
        found = fit(
            "CurveProblem",
            exponential,
            t,
            y,
            [1, 1, 1],
            jac=exponential_jacobian if exact else None,
            bounds=([-np.inf, -20, -10], [np.inf, 20, 10]) if bounded else None,
            maxfev=150,
        )
        inside = np.abs(found.x[1]) < 20 and np.abs(found.x[2]) < 10
        if inside:
            check(found, exponential, exponential_jacobian, t, y)


@pytest.mark.parametrize(("driver", "exact"), ALL)
@pytest.mark.parametrize("level", [1e3, 1e4, 2.0**30, 1e9])
def test_one_parameter_is_far_larger_than_the_others(
    driver: str, exact: bool, level: float
) -> None:
    # |D x| is that of the level alone: no measure of what is left in the others.
    t = np.linspace(0, 4, 30)
    true = np.array([0.02, 1.3])
    noise = 1e-3 * np.random.default_rng(1).standard_normal(30)

    def f(t: Array, a: float, b: float, c: float) -> Array:
        return a * np.exp(-b * t) + (c - level)

    def jac(t: Array, a: Any, b: Any, c: Any) -> Array:
        e = np.exp(-b * t)
        return np.stack(np.broadcast_arrays(e, -a * t * e, np.ones_like(e)), axis=-1)

    y = f(t, *true, level) + noise
    found = fit(driver, f, t, y, [0.05, 0.5, 0.9 * level], jac=jac if exact else None)
    near = fit("CurveProblem", f, t, y, [0.02, 1.3, level], jac=jac)
    assert found.success
    # c is rounded to eps level, by as much as 1e-4 of its error for the largest.
    assert (np.abs(found.x - near.x) <= 1e-3 * near.stderr).all()
    assert relative_offset(f, jac, t, y, found.x) < 1e-8


@pytest.mark.parametrize("options", [{}, {"factor": 1.0}, {"factor": 10.0}, {"diag": np.ones(10)}])
def test_a_boundary_layer_is_no_success_before_its_root(options: dict[str, Any]) -> None:
    # CUTEst's SCOND1LS: parameters of 1e-2 beside one of 700; at the root |f| = 0.
    n, last, rate, end = 10, 9, 40.0, 700.0
    square = (1e-4 / (n + 1)) ** 2
    a, b = 1e12 * square, 1e13 * square
    constant = np.where(np.arange(1, n + 1) <= last, a, -b)

    def f(u: Array) -> Array:
        v = np.concatenate([[0.0], u, [end]])
        with quiet():
            ends = a * np.exp(-rate * u) - b * np.exp(rate * (u - end))
            return np.asarray(v[:-2] - 2 * v[1:-1] + v[2:] - constant + ends)

    def jac(u: Array) -> Array:
        band = np.diag(np.ones(n - 1), -1) + np.diag(np.ones(n - 1), 1) - 2 * np.eye(n)
        with quiet():
            ends = -rate * a * np.exp(-rate * u) - rate * b * np.exp(rate * (u - end))
        return np.asarray(band + np.diag(ends))

    solver = lmoo.Solver(bounds=(-5, 705), **options)
    result = solver.solve(lmoo.FunctionProblem(f, jac), np.zeros(n))
    assert result.success
    assert np.sqrt(2 * result.cost) < 1e-8


@pytest.mark.parametrize("driver", ["CurveProblem", "curve_fit", "curve_fit_many"])
@pytest.mark.parametrize("start", [[1, 1, 0], [1, 1, 100], [1, 0.8, 1]])
def test_a_traced_growth_from_one(driver: str, start: list[float]) -> None:
    t = np.arange(50, 100, 5.0)
    y = np.array([45, 55, 62, 70, 80, 90, 100, 200, 375, 600.0])
    found = fit(driver, exponential, t, y, start, trace=True)
    assert found.success
    check(found, exponential, exponential_jacobian, t, y)
    cost = 0.5 * np.sum((exponential(t, *found.x) - y) ** 2)
    np.testing.assert_allclose(cost, 1121.58, rtol=1e-4)


@pytest.mark.parametrize("jac", [None, exponential_jacobian], ids=["traced", "given"])
def test_exponentials_from_one(jac: Model | None) -> None:
    # From [1, 1, 1] many end on the line that a exp(b t) + c tends to as b goes to 0, or where the
    # exponential is so large that the first radius limits all steps; where it is below the
    # rounding of c, c alone can be fitted at first.
    rng = np.random.default_rng(0)
    reached = 0
    for _ in range(60):
        low, width = rng.choice([0, 10, 50, 100, 300]), rng.choice([5, 20, 50, 100])
        t = np.linspace(low, low + width, 15)
        b = rng.choice([-1, 1]) * rng.uniform(0.5, 5) / width
        true = 10 * np.exp(-b * t.mean()), b, rng.uniform(-5, 5)
        y = exponential(t, *true) + 0.1 * rng.standard_normal(15)
        problem = lmoo.CurveProblem(exponential, t, y, jac=jac)
        with quiet():
            result = lmoo.Solver().solve(problem, [1, 1, 1])
            best = lmoo.Solver().solve(problem, true)
        assert result.success or result.status.name in ("NO_PROGRESS", "MAXFEV", "DOMAIN", "FLAT")
        reached += result.success and result.cost <= best.cost * (1 + 1e-9)
        if result.success and result.rank == 3:
            assert relative_offset(exponential, exponential_jacobian, t, y, result.x) < 1e-2
        elif result.success:
            # The parameters that are determined have their best values.
            determined = [j for j in range(3) if "abc"[j] not in result.undetermined]
            columns = exponential_jacobian(t, *result.x)[:, determined]
            cosines = columns.T @ result.residual / np.linalg.norm(columns, axis=0)
            assert (np.abs(cosines) <= 1e-6 * np.linalg.norm(result.residual)).all()
    assert reached >= 25, reached


def test_a_trace_that_finds_no_minimum_is_not_followed_by_differences_that_do() -> None:
    # On the way to b = 0 derivatives by differences no longer tell a and c apart.
    rng = np.random.default_rng(3)
    t = np.linspace(0, 20, 20)
    raised = 0
    for _ in range(20):
        rate = rng.choice([-0.1, 0.1]) * rng.uniform(0.5, 2)
        y = exponential(t, 10.0, rate, 0) + 0.1 * rng.standard_normal(20)
        best = lmoo.Solver().solve(lmoo.CurveProblem(exponential, t, y), [10, rate, 0])
        try:
            with quiet():
                x = lmoo.curve_fit(exponential, t, y)[0]
        except RuntimeError:
            raised += 1
            continue
        assert np.sum((exponential(t, *x) - y) ** 2) <= 2 * best.cost * (1 + 1e-6)
    assert raised < 20
