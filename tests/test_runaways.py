"""Rates that run away, and radii that overflow."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from drivers import Array, fit, quiet, relative_offset
from minima import ALL

import lmoo

GONE = np.array([100, 19.4, 20.6, 18.8, 20.7, 19.9, 18.2, 20.3, 19.9, 20.0])


def decay(t: Array, a: float, b: float, c: float) -> Array:
    return a * np.exp(-b * t) + c


def decay_jacobian(t: Array, a: Any, b: Any, c: Any) -> Array:
    e = np.exp(-b * t)
    return np.stack(np.broadcast_arrays(e, -a * t * e, np.ones_like(e)), axis=-1)


@pytest.mark.parametrize(("driver", "exact"), [*ALL, ("RowBlockProblem", False)])
@pytest.mark.parametrize("highest", [None, 1e4])
def test_a_decay_that_is_over_by_the_second_point(
    driver: str, exact: bool, highest: float | None
) -> None:
    t = np.arange(10.0)
    bounds = None if highest is None else ([-np.inf, 0.0, -np.inf], [np.inf, highest, np.inf])
    jac = decay_jacobian if exact else None
    found = fit(driver, decay, t, GONE, [1, 1, 1], jac=jac, bounds=bounds)
    assert found.success, found
    # The second point lies below the mean of the others: the best is a rate without end.
    level = GONE[1:].mean()
    least = np.sum((GONE[1:] - level) ** 2)
    np.testing.assert_allclose(np.sum((decay(t, *found.x) - GONE) ** 2), least, rtol=1e-6)
    np.testing.assert_allclose(found.x[2], level, rtol=1e-4)
    assert found.x[1] > 5.0


@pytest.mark.parametrize("exact", [False, True])
def test_a_rate_that_runs_away_is_named(exact: bool) -> None:
    problem = lmoo.CurveProblem(decay, np.arange(10.0), GONE, jac=decay_jacobian if exact else None)
    result = lmoo.Solver().solve(problem, [1, 1, 1])
    assert result.success
    assert result.undetermined == ("b",)
    assert np.isinf(result.standard_errors[1])
    # Of an amplitude and a level alone.
    deviation = np.sqrt(np.sum((GONE[1:] - GONE[1:].mean()) ** 2) / 8)
    assert result.standard_errors[2] == pytest.approx(deviation / 3, rel=0.1)


def test_every_random_decay_that_is_over_is_fitted() -> None:
    t = np.arange(10.0)
    determined = 0
    for seed in range(30):
        random = np.random.default_rng(seed)
        y = 20 + 80 * np.exp(-8 * t) + random.standard_normal(10)
        y[1] -= 1
        for jac in (None, decay_jacobian):
            with quiet():
                result = lmoo.Solver().solve(lmoo.CurveProblem(decay, t, y, jac=jac), [1, 1, 1])
            assert result.success
            if not result.undetermined:
                determined += 1
                assert relative_offset(decay, decay_jacobian, t, y, result.x) < 1e-9
    assert 10 <= determined < 30


OVERFLOWS = """
import numpy as np, lmoo, warnings
warnings.simplefilter("ignore")
np.seterr(all="ignore")
H = np.array([[1.0, 0], [0, 1e-300], [0, 0]])
G = np.array([[1e160, 0], [0, 1e-300], [0, 0]])
def h(x): return np.array([x[0] - 1, 1e-300 * x[1] + 1e10, 1.0])
def g(x): return np.array([1e160 * (x[0] - 1e160), 1e-300 * x[1] + 1e10, 1.0])
class Rows(lmoo.RowBlockProblem):
    def residual(self, x, block): return h(x)
    def jacobian(self, x, block): return H
class Batch(lmoo.BatchProblem):
    def residual(self, x, which): return np.array([h(p) for p in x])
    def jacobian(self, x, which): return np.array([H] * len(x))
lmoo.leastsq(h, [1.0, 1.0], Dfun=lambda x: H, factor=np.inf)
lmoo.leastsq(h, [10.0, 1.0], Dfun=lambda x: H, factor=1e308)
lmoo.leastsq(g, [1e160, 1.0], Dfun=lambda x: G)
lmoo.leastsq(g, [1e160, 1e300])
for step in (lmoo.More(), lmoo.More(accelerate=False), lmoo.Nielsen(), lmoo.GeodesicAcceleration()):
    for bounds in (None, ([0, -np.inf], np.inf)):
        solver = lmoo.Solver(factor=1e308, bounds=bounds, step=step, maxfev=500)
        solver.solve(lmoo.FunctionProblem(h, lambda x: H), [10.0, 1.0])
        solver.solve(lmoo.FunctionProblem(h), [10.0, 1.0])
        lmoo.Solver(bounds=bounds, step=step, maxfev=500).solve(
            lmoo.FunctionProblem(g, lambda x: G), [1e160, 1.0])
huge = lmoo.Solver(factor=1e308)
huge.solve(Rows([0]), [10.0, 1.0])
lmoo.solve_many(Batch(), [[10.0, 1.0]] * 3, solver=huge)
t = np.linspace(0, 3, 12)
def model(t, a, b): return a * 1e-300 * t + b * 1e-300
lmoo.curve_fit_many(model, t, 1e10 * np.cos(t)[None], [1e300, 1e300], solver=huge)
try:
    lmoo.curve_fit(model, t, 1e10 * np.cos(t), p0=[1e10, 1e10], factor=1e300, diag=[1e300, 1e300])
except RuntimeError:
    pass
print("all have ended")
"""


def test_a_radius_that_overflows_ends_the_solve() -> None:
    # In another process: without an end, compiled code would not hear a signal either.
    done = subprocess.run(
        [sys.executable, "-c", OVERFLOWS], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "all have ended\n", done.stderr
