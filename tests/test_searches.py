"""Points that are tried before a success: what is found, how many there are, and their limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lmoo
from tests.drivers import DRIVERS, Array, by_complex_step, fit, quiet

# Blocks of rows, with derivatives, reach maxfev on their way.
GIVEN = [(d, given) for d in DRIVERS if d != "RowBlockProblem" for given in (False, True)]


def exponential(t: Array, a: Any, b: Any, c: Any) -> Array:
    return a * np.exp(-b * t) + c


def hill(t: Array, a: Any, c: Any, h: Any) -> Array:
    return a * t**h / (c**h + t**h)


def boundary_values(x: Array) -> Array:
    """The residual of scipy's test of a discrete boundary value problem, on a square grid."""
    n = round(x.size**0.5)
    u = np.pad(x.reshape(n, n), 1)
    inner = u[1:-1, 1:-1]
    y = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4 * inner + inner**3
    return y.ravel()


def boundary_jacobian(x: Array) -> Array:
    n = round(x.size**0.5)
    line = np.eye(n, k=1) + np.eye(n, k=-1)
    return np.kron(line, np.eye(n)) + np.kron(np.eye(n), line) + np.diag(3 * x**2 - 4)


@pytest.mark.parametrize("n", [5, 8, 10])
@pytest.mark.parametrize("given", [False, True])
def test_a_singular_minimum_of_many_parameters_is_not_at_infinity(n: int, given: bool) -> None:
    values: list[float] = []

    def residual(x: Array) -> Array:
        f = boundary_values(x)
        values.append(float(f @ f))
        return f

    result = lmoo.least_squares(
        residual, np.ones(n * n), boundary_jacobian if given else "2-point", ftol=1e-2
    )
    assert result.success
    if given:
        first = next(i for i, value in enumerate(values) if value <= 2 * result.cost * (1 + 1e-6))
        assert result.nfev - first < 60
    assert result.nfev < 110


@pytest.mark.parametrize(("driver", "given"), GIVEN)
def test_an_exponential_that_starts_on_a_plateau_with_the_wrong_sign(
    driver: str, given: bool
) -> None:
    t = np.linspace(100, 150, 15)
    true = np.array([0.009, -0.05, -3.0])
    y = exponential(t, *true)
    with quiet():
        found = fit(
            driver,
            exponential,
            t,
            y,
            [1, 1, 1],
            jac=by_complex_step(exponential) if given else None,
        )
    assert found.success
    np.testing.assert_allclose(found.x, true, rtol=1e-6)


@pytest.mark.parametrize("seed", [0, 4, 8, 12])
def test_a_hill_curve_whose_start_is_far_below_the_data(seed: int) -> None:
    random = np.random.default_rng(seed)
    t = np.logspace(2, 5, 12)
    true = np.array([10 ** random.uniform(-1, 2), 10 ** random.uniform(2.5, 4.5), 1.5])
    y = hill(t, *true)
    problem = lmoo.CurveProblem(hill, t, y)
    with quiet():
        result = lmoo.Solver().solve(problem, [y.max(), 1.0, 2.0])
    assert result.success
    np.testing.assert_allclose(result.x, true, rtol=1e-6)


@pytest.mark.parametrize("given", [False, True])
def test_points_of_a_search_count(given: bool) -> None:
    t = np.linspace(100, 150, 15)
    y = exponential(t, 0.009, -0.05, -3.0)
    derivatives = by_complex_step(exponential)
    calls = 0

    def residual(x: Array) -> Array:
        nonlocal calls
        calls += 1
        return exponential(t, *x) - y

    def jacobian(x: Array) -> Array:
        return derivatives(t, *x)

    with quiet():
        for limit in [*range(2, 60), 139, 140, 145, 146, 150]:
            calls = 0
            result = lmoo.least_squares(
                residual, [1.0, 1.0, 1.0], jacobian if given else "2-point", max_nfev=limit
            )
            # A step that has been begun is finished: with its curvature it has two evaluations.
            assert result.nfev <= limit + 2, limit
            if given:
                assert calls == result.nfev
                problem = lmoo.FunctionProblem(residual, jacobian)
                assert lmoo.Solver(maxfev=limit).solve(problem, [1, 1, 1]).nfev <= limit + 2


@pytest.mark.parametrize("n", [6, 40, 200])
def test_few_points_if_many_parameters_are_undetermined(n: int) -> None:
    # Only the sums of pairs are determined, and the residual is not 0.
    t = np.linspace(0, 1, n)

    def residual(x: Array) -> Array:
        sums = x[0::2] + x[1::2]
        return np.concatenate([sums - 1.0, sums**2 + 1.0 + t[: n // 2]])

    def jacobian(x: Array) -> Array:
        sums = x[0::2] + x[1::2]
        pairs = np.repeat(np.eye(n // 2), 2, axis=1)
        return np.vstack([pairs, 2 * sums[:, None] * pairs])

    problem = lmoo.FunctionProblem(residual, jacobian)
    result = lmoo.Solver().solve(problem, np.linspace(0.5, 2, n))
    assert result.success
    assert len(result.undetermined) == n
    assert result.nfev < 140


@pytest.mark.parametrize(("driver", "given"), GIVEN)
@pytest.mark.parametrize("unit", [1.0, 2.0**-20, 1e9])
def test_a_growth_that_passes_a_plateau_with_the_wrong_sign(
    driver: str, given: bool, unit: float
) -> None:
    # On the plateau the rate is so large that no point sees the amplitude, and for a smaller rate
    # the amplitude is much too large.
    t = np.linspace(10, 110, 15)
    true = np.array([6.28 * unit, -0.00775, 3.74 * unit])
    with quiet():
        found = fit(
            driver,
            exponential,
            t,
            exponential(t, *true),
            [unit, 1, unit],
            jac=by_complex_step(exponential) if given else None,
        )
    assert found.success
    np.testing.assert_allclose(found.x, true, rtol=1e-5)


@pytest.mark.parametrize(("driver", "given"), GIVEN)
@pytest.mark.parametrize("true", [(6.85, -7.82, 6.25), (7.67, -5.44, 6.04)])
def test_an_amplitude_whose_step_runs_away(
    driver: str, given: bool, true: tuple[float, ...]
) -> None:
    # The data reach 1e11, and the amplitude must change by as much, though the model is linear in
    # it: a step of all parameters is never as long.
    t = np.linspace(0.1, 3, 5)
    y = exponential(t, *true)
    with quiet():
        found = fit(
            driver,
            exponential,
            t,
            y,
            [-0.7034, -4.0412, 3.4731],
            jac=by_complex_step(exponential) if given else None,
        )
    rest = np.sum((exponential(t, *found.x) - y) ** 2)
    assert not found.success or rest < 0.1 * np.sum((y - y.mean()) ** 2)


@pytest.mark.parametrize("seed", [11, 19, 22, 58])
def test_a_dip_that_hides_between_two_points(seed: int) -> None:
    # The bounds force a dip where the data have a peak.  Between two points it is without effect,
    # and as good as none; beyond the data its tail is better.
    random = np.random.default_rng(seed)

    def dip(t: Array, a: Any, c: Any, w: Any, d: Any) -> Array:
        return a / (1 + ((t - c) / w) ** 2) + d

    t = np.linspace(-5, 5, 40)
    y = dip(t, 3, 0.5 * random.uniform(-2, 2), 1, 0) + 0.3 * random.standard_normal(40)
    problem = lmoo.CurveProblem(dip, t, y)
    bounds = ([-10, -1.7, -0.5, -np.inf], [-6.3, np.inf, 6.6, 4])
    with quiet():
        result = lmoo.Solver(bounds=bounds).solve(problem, [-6.3, -1.2, 2.2, -0.1])
    assert result.success
    assert result.cost < 0.99 * 0.5 * np.sum((y - y.mean()) ** 2)
