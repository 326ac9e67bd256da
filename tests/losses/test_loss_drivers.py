"""Losses in all entry points: `curve_fit`, stacks, blocks, `solve_many`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from drivers import Blocks, BlocksWithJacobian
from loss_cases import (
    NAMES,
    SCALE,
    START,
    Array,
    T,
    Y,
    decay,
    derivatives,
    geman_mcclure,
    with_outliers,
)

import lmoo


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("known", [True, False])
def test_drivers_agree(name: str, known: bool) -> None:
    jac: Any = derivatives if known else None
    solver = lmoo.Solver(loss=name, f_scale=SCALE)
    expected = solver.solve(lmoo.CurveProblem(decay, T, Y, jac=jac), START)
    blocks = BlocksWithJacobian(decay, T, Y, jac) if known else Blocks(decay, T, Y)
    tall = solver.solve(blocks, START)
    with ThreadPoolExecutor(2) as executor:
        blocks.executor = executor
        threads = solver.solve(blocks, START)
    np.testing.assert_array_equal(tall.x, threads.x)
    many = lmoo.curve_fit_many(decay, T, np.stack([Y, 2 * Y]), START, jac=jac, solver=solver)
    popt, pcov = lmoo.curve_fit(decay, T, Y, START, jac=jac, loss=name, f_scale=SCALE)
    for x, errors in (
        (tall.x, tall.standard_errors),
        (many.x[0], many.stderr[0]),
        (many[0].x, many[0].standard_errors),
        (popt, np.sqrt(np.diag(pcov))),
    ):
        np.testing.assert_allclose(x, expected.x, rtol=1e-8)
        np.testing.assert_allclose(errors, expected.standard_errors, rtol=1e-5)
    assert tall.cost == pytest.approx(expected.cost, rel=1e-12)
    assert tall.loss_weights.size == 0
    np.testing.assert_allclose(many[0].loss_weights, expected.loss_weights, rtol=1e-7)


@pytest.mark.parametrize("scale", [SCALE, "mad"])
@pytest.mark.parametrize("name", NAMES)
def test_stacks_give_what_single_fits_do(name: str, scale: Any) -> None:
    """Functions, compiled models and compiled problems; with points that are missing."""
    stack = np.stack([with_outliers(k) for k in range(12)])
    stack[3, ::9] = np.nan
    solver = lmoo.Solver(loss=name, f_scale=scale)
    model = lmoo.models.Exponential()
    by_function = lmoo.curve_fit_many(decay, T, stack, START, solver=solver, nan_policy="omit")
    compiled = lmoo.curve_fit_many(model, T, stack, START, solver=solver, nan_policy="omit")
    for k, y in enumerate(stack):
        there = np.isfinite(y)
        alone = solver.solve(lmoo.CurveProblem(decay, T[there], y[there]), START)
        for fits in (by_function, compiled):
            assert bool(fits.success[k]) == alone.success
            np.testing.assert_allclose(fits.x[k], alone.x, rtol=1e-7)
            np.testing.assert_allclose(fits.stderr[k], alone.standard_errors, rtol=1e-5)
            assert fits.cost[k] == pytest.approx(alone.cost, rel=1e-9)
        one = compiled[k]
        assert one.f_scale == pytest.approx(alone.f_scale, rel=1e-8)
        np.testing.assert_allclose(one.standard_errors, compiled.stderr[k], rtol=1e-9)
        # Missing points have neither a residual nor a weight.
        assert one.loss_weights.shape == one.residual.shape == (np.count_nonzero(there),)
        np.testing.assert_allclose(one.loss_weights, alone.loss_weights, rtol=1e-5, atol=1e-6)


def test_solve_many() -> None:
    class Decays(lmoo.BatchProblem):
        def residual(self, x: Array, which: Array) -> Array:
            return np.asarray(decay(T, *x.T[:, :, None]) - stack[which])

    stack = np.stack([with_outliers(k) for k in range(5)])
    # The last derivatives are then central differences.
    solver = lmoo.Solver(loss="cauchy", f_scale=SCALE, xtol=1e-12)
    fits = lmoo.solve_many(Decays(), np.tile(START, (5, 1)), solver=solver)
    for k, y in enumerate(stack):
        alone = solver.solve(lmoo.CurveProblem(decay, T, y), START)
        np.testing.assert_allclose(fits.x[k], alone.x, rtol=1e-9)
        np.testing.assert_allclose(fits.stderr[k], alone.stderr, rtol=1e-6)


def test_what_does_not_go_together_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="f_scale must be a number for a RowBlockProblem"):
        lmoo.Solver(loss="huber", f_scale="mad").solve(Blocks(decay, T, Y), START)
    own = lmoo.Solver(loss=geman_mcclure)
    with pytest.raises(ValueError, match=r"solver must have a loss of lmoo\.losses for many fits"):
        lmoo.curve_fit_many(decay, T, Y[None], START, solver=own)
    with pytest.raises(ValueError, match="method='lm' supports only the loss 'linear'"):
        lmoo.curve_fit(decay, T, Y, START, method="lm", loss="huber")


def test_curve_fit_takes_known_errors_into_account() -> None:
    """With sigma, f_scale is in units of it; the covariance is the sandwich in either case."""
    sigma = np.full(T.size, 0.02)
    popt, pcov = lmoo.curve_fit(
        decay, T, Y, START, sigma, absolute_sigma=True, loss="huber", f_scale=5.0
    )
    expected, covariance = lmoo.curve_fit(decay, T, Y, START, loss="huber", f_scale=0.1)
    np.testing.assert_allclose(popt, expected, rtol=1e-8)
    np.testing.assert_allclose(pcov, covariance, rtol=1e-5)
