"""Parameters at which f jumps: the fit of the others, and no error of what the data leave open."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize
from drivers import DRIVERS, Array, by_complex_step, fit, quiet

import lmoo

T = np.linspace(0.0, 10.0, 60)


def onset(t: Array, a: Any, t0: Any, tau: Any) -> Array:
    """A decay that begins at t0: the cost jumps where t0 passes a point of t."""
    after = np.asarray(t) > np.real(t0)
    return np.where(after, a * np.exp(-np.where(after, t - t0, 0.0) / tau), 0.0)


def cost(x: Any, y: Array) -> float:
    return 0.5 * float(np.sum((onset(T, *x) - y) ** 2))


def drawn(seed: int) -> tuple[Array, Array]:
    r = np.random.default_rng(seed)
    true = np.array([3.0, 3.05, 2.0]) * r.uniform([0.7, 0.99, 0.7], [1.3, 1.01, 1.4])
    y = onset(T, *true) + 0.05 * r.standard_normal(T.size)
    return y, true * [0.8, 1.0, 0.8] + [0.0, 0.12 * r.uniform(-1.0, 1.0), 0.0]


@pytest.mark.parametrize("given", [False, True], ids=["differences", "Jacobian"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_an_onset_between_two_points(driver: str, given: bool) -> None:
    for seed in range(30):
        y, start = drawn(seed)
        found = fit(
            driver, onset, T, y, start, jac=by_complex_step(onset) if given else None, trace=False
        )
        assert found.success, (seed, found)
        assert found.nfev < 500
        # In a gap between two points the cost does not tell a later t0 from a smaller amplitude.
        assert np.isinf(found.stderr[1])
        # What remains is a minimum of the other parameters.
        rest = scipy.optimize.least_squares(
            lambda p, t0=found.x[1], y=y: onset(T, p[0], t0, p[1]) - y, found.x[[0, 2]], method="lm"
        )
        assert cost(found.x, y) <= rest.cost * (1.0 + 1e-8) + 1e-14


@pytest.mark.parametrize("given", [False, True], ids=["differences", "Jacobian"])
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("seed", [16, 19])
def test_an_onset_a_few_points_away(seed: int, driver: str, given: bool) -> None:
    """Points beyond the jump lead there, and each is the start of a fit of the other parameters."""
    r = np.random.default_rng(seed)
    true = np.array([3.0, 3.0, 2.0]) * r.uniform(0.8, 1.2, 3)
    y = onset(T, *true) + 0.05 * r.standard_normal(T.size)
    start = true * r.uniform([0.8, 0.9, 0.8], [1.2, 1.1, 1.2])
    jac = by_complex_step(onset) if given else None
    found = fit(driver, onset, T, y, start, jac=jac, trace=False)
    assert found.success
    assert cost(found.x, y) <= 1.2 * cost(true, y)


def test_no_higher_cost_than_scipy() -> None:
    better = 0
    for seed in range(30):
        y, start = drawn(seed)
        with quiet():
            theirs, _ = scipy.optimize.curve_fit(onset, T, y, start)
        ours = fit("curve_fit", onset, T, y, start).x
        better += cost(ours, y) <= cost(theirs, y) * (1.0 + 1e-6)
    assert better >= 28


def test_steep_functions_do_not_jump() -> None:
    # A width that goes to 0, beyond which the sign of tanh changes.
    t = np.linspace(0.0, 10.0, 40)
    r = np.random.default_rng(14)
    y = np.where(t > 5.0, 2.0, -2.0) + 0.05 * r.standard_normal(t.size)
    with quiet():
        result = lmoo.Solver().solve(
            lmoo.FunctionProblem(lambda x: x[0] * np.tanh((t - x[2]) / x[1]) - y), [1.0, 1.0, 4.5]
        )
    assert result.success
    assert result.cost <= 0.5 * np.sum((2.0 * np.sign(t - 5.0) - y) ** 2)


def test_rounded_counts() -> None:
    # The first differences see no change at all, and the next ones mostly the rounding.
    t = np.linspace(-4.75, 6.75, 24)

    def counts(t: Array, a: float, place: float, width: float) -> Array:
        return np.asarray(np.floor(a * np.exp(-0.5 * ((t - place) / width) ** 2)))

    gained = []
    for seed in range(20):
        r = np.random.default_rng(seed)
        y = np.histogram(r.normal(1.0, 2.0, 400), np.linspace(-5.0, 7.0, 25))[0].astype(float)
        start = np.array(
            [50.0 * r.uniform(0.7, 1.3), 1.0 + r.uniform(-0.5, 0.5), 2.0 * r.uniform(0.7, 1.3)]
        )

        def residual(x: Array, y: Array = y) -> Array:
            return counts(t, *x) - y

        found = lmoo.Solver().solve(lmoo.FunctionProblem(residual), start)
        smooth = lmoo.curve_fit(
            lambda t, a, b, c: a * np.exp(-0.5 * ((t - b) / c) ** 2) - 0.5, t, y, start
        )[0]
        first, last, best = (np.sum(residual(x) ** 2) for x in (start, found.x, smooth))
        gained.append((first - last) / (first - best))
    assert np.median(gained) > 0.8


@pytest.mark.parametrize("scale", [1.0, 1e-294, 1e-300])
def test_rounded_values_of_any_size(scale: float) -> None:
    # The error of f is found from differences, however small f is.
    t = np.linspace(0.0, 4.0, 40)
    y = 2.0 * np.exp(-0.7 * t) + 0.5

    def residual(x: Array) -> Array:
        return np.asarray(scale * (np.round(x[0] * np.exp(-x[1] * t) + x[2], 3) - y))

    result = lmoo.Solver().solve(lmoo.FunctionProblem(residual), [1.0, 1.0, 1.0])
    np.testing.assert_allclose(result.x, [2.0, 0.7, 0.5], rtol=0.01)


def test_errors_of_an_exact_fit_are_those_at_the_solution() -> None:
    # A residual in half precision is 0 long before the steps are short.
    for seed in range(20):
        r = np.random.default_rng(seed)
        c = r.uniform(0.5, 2.0, 2)

        def residual(x: Array, c: Array = c) -> Array:
            values = [x[0] * np.exp(-x[1]) - c[0], x[2] ** 3 + x[2] - c[1]]
            with quiet():
                return np.array(values).astype(np.float16)

        def jacobian(x: Array) -> Array:
            decay = np.exp(-x[1])
            return np.array([[decay, -x[0] * decay, 0.0], [0.0, 0.0, 3.0 * x[2] ** 2 + 1.0]])

        start = np.array([0.6, 0.9, 1.3]) * r.uniform(0.5, 1.5, 3)
        result = lmoo.Solver().solve(lmoo.FunctionProblem(residual, jacobian), start)
        if result.cost == 0.0:
            error = np.sqrt(result.covariance(scaled=False)[2, 2])
            np.testing.assert_allclose(error, 1.0 / (3.0 * result.x[2] ** 2 + 1.0), rtol=1e-7)
