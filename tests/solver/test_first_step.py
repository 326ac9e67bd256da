"""The first trial is that of the Gauss-Newton step, which is kept if f is nearly linear so far."""

from __future__ import annotations

import numpy as np
import pytest

import lmoo

START = np.array([1.0, 1.0])
FAR = np.array([5e5, 2.0])
BOUNDS = {"free": None, "wide": ([-1e9, -1e9], [1e9, 1e9])}


def points(function, start, **options):
    """Return the points at which f is evaluated, without those for differences, and the result."""
    seen = []

    def residual(x):
        seen.append(x.copy())
        return function(x)

    def jacobian(x):
        steps = 1e-6 * np.maximum(np.abs(x), 1.0)
        columns = [
            (function(x + step) - function(x - step)) / (2 * step.max()) for step in np.diag(steps)
        ]
        return np.stack(columns, axis=1)

    result = lmoo.Solver(**options).solve(lmoo.FunctionProblem(residual, jacobian), start)
    return np.array(seen), result


def linear(x):
    return np.array([x[0] - FAR[0], x[1] - FAR[1], 1e-3 * (x[0] + x[1])])


@pytest.mark.parametrize("bounds", BOUNDS.values(), ids=BOUNDS)
@pytest.mark.parametrize("unit", [1.0, 2.0**40])
def test_a_linear_problem_takes_one_long_step(bounds, unit):
    seen, result = points(lambda x: unit * linear(x), START, bounds=bounds)
    assert result.success
    np.testing.assert_allclose(seen[1], result.x, rtol=1e-5)
    assert len(seen) <= 3


def bent(x):
    return np.array([np.exp(x[0]) - 1e3, 10.0 * (x[1] - x[0]), x[0] * x[1]])


def test_a_step_beyond_which_f_is_bent_is_followed_by_one_within_the_radius():
    seen, result = points(bent, START)
    assert result.success
    first, second = (np.abs(x - START).max() for x in seen[1:3])
    assert first > 10.0 > second


def test_a_point_that_cannot_be_evaluated_ends_nothing():
    def walled(x):
        return bent(x) if x[0] < 20.0 else np.full(3, np.nan)

    seen, result = points(walled, START)
    _, free = points(bent, START)
    assert seen[1][0] >= 20.0
    assert result.success
    np.testing.assert_allclose(result.x, free.x, rtol=1e-9)
    assert result.nfev == free.nfev


def test_a_step_out_of_the_bounds_is_not_tried():
    bounds = ([-10.0, -10.0], [20.0, 10.0])
    seen, result = points(bent, START, bounds=bounds)
    assert result.success
    assert np.abs(seen[1] - START).max() < 10.0


@pytest.mark.parametrize("maxfev", [1, 2, 3])
def test_the_limit_of_evaluations_counts_it(maxfev):
    seen, result = points(bent, START, maxfev=maxfev)
    assert result.status is lmoo.Status.MAXFEV
    assert len(seen) == result.nfev == max(maxfev, 2)
    if maxfev < 3:
        np.testing.assert_array_equal(result.x, START)


def test_stacks_take_the_steps_of_single_fits():
    t = np.linspace(0.0, 4.0, 20)
    y = np.array([a * np.exp(-b * t) + c for a, b, c in ([3, 1, 1], [50, 0.3, 9], [2, 4, 0.1])])
    model = lmoo.models.Exponential()
    fits = lmoo.curve_fit_many(model, t, y, [1.0, 1.0, 1.0])
    for i in range(len(y)):
        one = lmoo.curve_fit_many(model, t, y[i : i + 1], [1.0, 1.0, 1.0])
        np.testing.assert_array_equal(fits.x[i], one.x[0])
        assert fits.nfev[i] == one.nfev[0]
