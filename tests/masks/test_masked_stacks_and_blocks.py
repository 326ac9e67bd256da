"""Masked points of many curves and of blocks are left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mask_cases import (
    BAD,
    CURVES,
    GOOD,
    RATES,
    SIGMA,
    START,
    K,
    M,
    T,
    U,
    Y,
    both,
    decay,
    garbled,
    masked,
)

import lmoo

HOLES = np.random.default_rng(5).uniform(size=(K, M)) < 0.2
STACK_SIGMA = SIGMA * RATES[:, None]


def alone(k: int, hole: np.ndarray, sigma: np.ndarray | None = None) -> Any:
    weights = None if sigma is None else sigma[~hole]
    problem = lmoo.CurveProblem(decay, T[~hole], CURVES[k][~hole], weights)
    return lmoo.Solver().solve(problem, START)


MODELS = {"function": decay, "compiled": lmoo.models.Exponential()}


@pytest.mark.parametrize("policy", ["raise", "omit"])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_each_curve_of_a_stack_has_its_own_mask(model: Any, policy: str) -> None:
    dirty = np.ma.array(np.where(HOLES, 1e9, CURVES), mask=HOLES)
    for y in (dirty, list(dirty), dirty.reshape(2, 3, M)):
        fits = lmoo.curve_fit_many(model, T, y, START, nan_policy=policy)
        x, errors = fits.x.reshape(K, 3), fits.stderr.reshape(K, 3)
        for k in range(K):
            expected = alone(k, HOLES[k])
            np.testing.assert_allclose(x[k], expected.x, rtol=1e-6)
            np.testing.assert_allclose(errors[k], expected.stderr, rtol=1e-5)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
@pytest.mark.parametrize("each", [False, True], ids=["one t", "a t a curve"])
def test_masked_points_and_deviations_of_a_stack(model: Any, each: bool) -> None:
    t = masked(np.tile(T, (K, 1)) if each else T, np.nan, np.tile(BAD, (K, 1)) if each else BAD)
    y = np.where(BAD, np.nan, CURVES)
    sigma = np.ma.array(np.where(HOLES, 0.0, STACK_SIGMA), mask=HOLES)
    fits = lmoo.curve_fit_many(model, t, y, START, sigma=sigma)
    for k in range(K):
        expected = alone(k, HOLES[k] | BAD, STACK_SIGMA[k])
        np.testing.assert_allclose(fits.x[k], expected.x, rtol=1e-6)
        assert fits[k].observations == expected.observations


def test_a_slice_of_a_data_set_may_be_masked() -> None:
    class Variable:
        """As netCDF4's: what it returns is masked, the variable is not."""

        shape, dtype = CURVES.shape, CURVES.dtype

        def __getitem__(self, which: Any) -> Any:
            return np.ma.array(np.where(HOLES, 1e9, CURVES), mask=HOLES)[which]

    fits = lmoo.curve_fit_many(decay, T, Variable(), START)
    for k in range(K):
        np.testing.assert_allclose(fits.x[k], alone(k, HOLES[k]).x, rtol=1e-6)


def test_nan_of_a_stack_that_is_not_masked_is_still_refused() -> None:
    dirty = np.ma.array(CURVES.copy(), mask=HOLES)
    k, i = np.argwhere(~HOLES)[4]
    dirty.data[k, i] = np.nan
    with pytest.raises(ValueError, match=f"curve {k} is nan at {i}"):
        lmoo.curve_fit_many(decay, T, dirty, START)


def test_starting_values_see_no_masked_point() -> None:
    seen: list[np.ndarray] = []

    def start(t: Any, y: np.ndarray) -> np.ndarray:
        seen.append(y.copy())
        return np.tile(START, (len(y), 1))

    dirty = np.ma.array(np.where(HOLES, 1e9, CURVES), mask=HOLES)
    lmoo.curve_fit_many(decay, masked(T, np.nan), dirty, start)
    assert max(float(np.abs(y).max()) for y in seen) < 10.0
    fits = lmoo.curve_fit_many(lmoo.models.Exponential(), T, dirty)
    assert fits.success.all()


@pytest.mark.parametrize("size", [3, 5, 100])
def test_rows_of_blocks_are_left_out(size: int) -> None:
    expected = lmoo.Solver().solve(lmoo.CurveBlocks(decay, T[GOOD], Y[GOOD]), START)
    for t, y, sigma in (
        (T, masked(Y), None),
        (masked(T, np.nan), masked(Y, np.nan), None),
        (T, garbled(Y), masked(np.ones(M), 0.0)),
        (list(T), list(masked(Y)), 1.0),
    ):
        problem = lmoo.CurveBlocks(decay, t, y, block_size=size, sigma=sigma)
        result = lmoo.Solver().solve(problem, START)
        assert result.observations == M - 2
        np.testing.assert_allclose(result.x, expected.x, rtol=1e-9)


def test_a_block_without_rows_and_with_derivatives() -> None:
    def slopes(t: Any, a: float, b: float, c: float) -> Any:
        assert t.size
        e = np.exp(-b * t)
        return np.column_stack([e, -a * t * e, np.ones_like(t)])

    bad = np.arange(M) // 4 == 1
    problem = lmoo.CurveBlocks(decay, T, masked(Y, mask=bad), block_size=4, jac=slopes)
    expected = lmoo.Solver().solve(lmoo.CurveProblem(decay, T[~bad], Y[~bad]), START)
    np.testing.assert_allclose(lmoo.Solver().solve(problem, START).x, expected.x, rtol=1e-6)
    two = lmoo.CurveBlocks(both, np.ma.array([T, U], mask=[bad, BAD]), Y, block_size=4)
    assert lmoo.Solver().solve(two, START).observations == np.count_nonzero(~bad & GOOD)
