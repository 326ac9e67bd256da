"""Steps that the radius limits, computed for several fits at once, have the bits of single fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lmoo

T = np.linspace(0.0, 5.0, 33)


def rate(t: Any, b: Any) -> Any:
    return np.exp(-b * t)


def decay(t: Any, a: Any, b: Any) -> Any:
    return a * np.exp(-b * t)


def offset(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


def peak(t: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    return a * np.exp(-0.5 * ((t - b) / c) ** 2) + d


def pair(t: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
    return a * np.exp(-b * t) + c * np.exp(-d * t) + e


def expect_single_fits(model: Callable[..., Any], y: Any, starts: Any, solver: lmoo.Solver) -> Any:
    """Compare a stack with its fits one by one; return the stack's results."""
    fits = lmoo.curve_fit_many(model, T, y, starts, solver=solver)
    assert fits.evaluation.startswith("compiled")
    for k, start in enumerate(starts):
        one = solver.solve(lmoo.CurveProblem(model, T, y[k]), start)
        np.testing.assert_array_equal(fits.x[k], one.x)
        assert (fits.nfev[k], fits.nit[k], fits.status[k]) == (one.nfev, one.nit, one.status)
    return fits


@pytest.mark.parametrize(
    ("model", "x"),
    [
        (rate, [1.0]),
        (decay, [2.0, 0.7]),
        (offset, [2.0, 0.7, 0.5]),
        (peak, [3.0, 2.5, 0.8, 0.4]),
        (pair, [3.0, 0.5, 2.0, 3.0, 0.5]),
    ],
)
@pytest.mark.parametrize("factor", [0.3, 0.01])
def test_the_steps_are_those_of_single_fits(
    model: Callable[..., Any], x: list[float], factor: float
) -> None:
    # 21 fits: two full vectors, and one that is not.
    rng = np.random.default_rng(len(x))
    starts = x * rng.uniform(0.1, 3.0, (21, len(x)))
    y = model(T, *x) + 0.03 * rng.standard_normal((21, T.size))
    if model is peak and factor == 0.01:
        # Without those that reach a valley: single fits have second derivatives there.
        some = [k for k in range(21) if k not in (4, 17)]
        starts, y = starts[some], y[some]
    fits = expect_single_fits(model, y, starts, lmoo.Solver(factor=factor))
    assert fits.nfev.max() > 6


def test_gauss_newton_steps_that_overflow() -> None:
    """A peak beyond the data, whose columns underflow, and whose Jacobian is refused."""
    rng = np.random.default_rng(0)
    starts = np.tile([2.7205, 6.28877, 0.034, 1.8966], (64, 1))
    starts[:, 2] = np.linspace(0.034075, 0.03413, 64)
    y = 1.7 + 0.03 * rng.standard_normal((64, T.size))
    # Without those that reach a valley: single fits have second derivatives there.
    some = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22]
    expect_single_fits(peak, y[some], starts[some], lmoo.Solver())


def test_bounds_leave_out_columns() -> None:
    rng = np.random.default_rng(1)
    x = np.array([2.0, 0.7, 0.5])
    y = offset(T, *x) + 0.03 * rng.standard_normal((20, T.size))
    starts = x * rng.uniform(0.3, 1.0, (20, 3))
    bounds = ([0.0, 0.0, 0.0], [2.0, 0.72, 0.5])
    expect_single_fits(offset, y, starts, lmoo.Solver(bounds=bounds))


def test_stacks_of_every_size() -> None:
    """The last vectors are full, or have a lane, some lanes or all but one of them."""
    rng = np.random.default_rng(2)
    x = np.array([2.0, 0.7, 0.5])
    starts = x * rng.uniform(0.3, 2.0, (19, 3))
    y = offset(T, *x) + 0.03 * rng.standard_normal((19, T.size))
    for count in range(1, 20):
        expect_single_fits(offset, y[:count], starts[:count], lmoo.Solver(factor=0.01))
