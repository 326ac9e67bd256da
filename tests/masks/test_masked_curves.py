"""Masked points of one curve are left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mask_cases import BAD, GOOD, SIGMA, START, M, T, U, Y, both, decay, garbled, masked

import lmoo

COVARIANCE = np.diag(SIGMA**2) + 1e-5


KINDS: dict[str, Callable[[Any], Any]] = {
    "array": lambda values: values,
    "nan below": lambda values: np.ma.array(
        np.where(values.mask, np.nan, values), mask=values.mask
    ),
    "list": lambda values: list(values),
}


@pytest.mark.parametrize("policy", ["raise", "omit"])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize(
    ("t", "y", "sigma"),
    [
        (T, masked(Y), SIGMA),
        (masked(T), garbled(Y), SIGMA),
        (T, garbled(Y), masked(SIGMA, 0.0)),
        (masked(T, np.nan), masked(Y, np.inf), masked(SIGMA, -1.0)),
        (masked(T), masked(Y, mask=np.arange(M) == 2), masked(SIGMA, mask=np.arange(M) == 9)),
    ],
    ids=["y", "t", "sigma", "all", "each another"],
)
def test_masked_points_of_a_curve_are_left_out(
    t: Any, y: Any, sigma: Any, kind: Callable[[Any], Any], policy: str
) -> None:
    t, y, sigma = (kind(v) if isinstance(v, np.ma.MaskedArray) else v for v in (t, y, sigma))
    problem = lmoo.CurveProblem(decay, t, y, sigma, nan_policy=policy)
    assert type(problem.t) is np.ndarray
    for found, expected in ((problem.t, T), (problem.y, Y), (problem.sigma, SIGMA)):
        np.testing.assert_array_equal(found, expected[GOOD])
    expected = lmoo.curve_fit(decay, T[GOOD], Y[GOOD], START, SIGMA[GOOD])
    found = lmoo.curve_fit(decay, t, y, START, sigma, nan_policy=policy)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    compiled = lmoo.models.Exponential().problem(t, y, sigma)
    np.testing.assert_array_equal(compiled.t, T[GOOD])
    np.testing.assert_array_equal(compiled.sigma, SIGMA[GOOD])
    found = lmoo.curve_fit(lmoo.models.Exponential(), t, y, START, sigma)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)


def test_points_that_a_covariance_masks_are_left_out() -> None:
    expected = lmoo.curve_fit(decay, T[GOOD], Y[GOOD], START, COVARIANCE[np.ix_(GOOD, GOOD)])
    rows = np.ma.array(COVARIANCE, mask=BAD[:, None] | BAD)
    diagonal = np.ma.array(np.where(np.diag(BAD), np.nan, COVARIANCE), mask=np.diag(BAD))
    for sigma in (rows, diagonal):
        found = lmoo.curve_fit(decay, T, garbled(Y), START, sigma)
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
    found = lmoo.curve_fit(decay, T, masked(Y), START, COVARIANCE)
    np.testing.assert_array_equal(found[0], expected[0])


def test_a_masked_covariance_of_points_in_use_is_refused() -> None:
    mask = np.zeros((M, M), dtype=bool)
    mask[3, 5] = mask[5, 3] = True
    with pytest.raises(ValueError, match=r"sigma\[3, 5\] is masked: mask the diagonal, .*\[3, 3\]"):
        lmoo.CurveProblem(decay, T, Y, np.ma.array(COVARIANCE, mask=mask))
    # Not where the point is left out anyway.
    y = np.ma.array(Y, mask=np.arange(M) == 5)
    assert lmoo.CurveProblem(decay, T, y, np.ma.array(COVARIANCE, mask=mask)).y.size == M - 1


@pytest.mark.parametrize(
    "t",
    [
        (masked(T), U),
        (T, masked(U)),
        (masked(T, mask=np.arange(M) == 2), masked(U, mask=np.arange(M) == 9)),
        np.ma.array([T, U], mask=[BAD, BAD & (np.arange(M) == 2)]),
        [masked(T), U],
    ],
    ids=["first", "second", "both", "2-D", "list"],
)
def test_a_point_is_left_out_where_any_variable_is_masked(t: Any) -> None:
    expected = lmoo.curve_fit(both, np.array([T, U])[:, GOOD], Y[GOOD], START)
    found = lmoo.curve_fit(both, t, Y, START)
    np.testing.assert_array_equal(found[0], expected[0])
    problem = lmoo.CurveProblem(both, t, Y)
    assert isinstance(problem.t, tuple) == isinstance(t, tuple)
    np.testing.assert_array_equal(problem.t, np.array([T, U])[:, GOOD])


def test_several_variables_of_a_compiled_model() -> None:
    model = lmoo.models.Gaussian2D()
    u, v = (part.ravel() for part in np.meshgrid(np.arange(7.0), np.arange(6.0)))
    parameters = (2.0, 3.0, 2.5, 1.5, 1.2, 0.3, 0.1)[: model.n]
    y = model((u, v), *parameters)
    bad = np.arange(42) % 9 == 4
    dirty = np.ma.array(np.where(bad, 99.0, u), mask=bad)
    found, _ = lmoo.curve_fit(model, (dirty, v), y, parameters)
    expected, _ = lmoo.curve_fit(model, (u[~bad], v[~bad]), y[~bad], parameters)
    np.testing.assert_array_equal(found, expected)
    assert model.problem((u, dirty), y).y.size == np.count_nonzero(~bad)


def test_a_table_loses_rows() -> None:
    frame = pd.DataFrame({"u": T, "v": U})
    problem = lmoo.CurveProblem(lambda t, a: a * t["u"], frame, masked(Y))
    np.testing.assert_array_equal(problem.t["u"], T[GOOD])


@pytest.mark.parametrize("t", [T[:5], {"t": T}, 3.0, object()], ids=["short", "dict", "0", "any"])
def test_points_that_cannot_be_left_out_of_t_are_refused(t: Any) -> None:
    with pytest.raises(ValueError, match="t must have its 14 points along its last axis"):
        lmoo.CurveProblem(decay, t, masked(Y))


def test_masks_that_fit_no_points_are_refused() -> None:
    with pytest.raises(ValueError, match="t must have its 14 points along its last axis where"):
        lmoo.CurveProblem(decay, np.ma.array(T[:5], mask=[1, 0, 0, 0, 0]), Y)
    with pytest.raises(ValueError, match="y must not be empty; all of its 14 points are masked"):
        lmoo.CurveProblem(decay, T, np.ma.masked_all(M))
    with pytest.raises(ValueError, match="sigma must be a number; it is masked"):
        lmoo.CurveProblem(decay, T, Y, np.ma.masked)
    with pytest.raises(TypeError, match=r"func parameters=3 must not exceed .* data points=2"):
        lmoo.curve_fit(decay, T, np.ma.array(Y, mask=np.arange(M) > 1), START)


def test_nan_that_is_not_masked_is_still_refused() -> None:
    y = masked(Y)
    y[4] = np.nan
    with pytest.raises(ValueError, match="y must be finite, or nan_policy 'omit'"):
        lmoo.CurveProblem(decay, T, y)
    assert lmoo.CurveProblem(decay, T, y, nan_policy="omit").y.size == M - 3


def test_an_array_without_masked_entries_is_an_array() -> None:
    for values in (np.ma.array(T), np.ma.array(T, mask=np.zeros(M, bool))):
        problem = lmoo.CurveProblem(decay, values, np.ma.array(Y))
        assert type(problem.t) is np.ndarray
        np.testing.assert_array_equal(problem.t, T)


NULLABLE: dict[str, Callable[[Any], Any]] = {
    "array": lambda v: pd.array(v, dtype="Float64"),
    "series": lambda v: pd.Series(v, dtype="Float64"),
}


@pytest.mark.parametrize("made", NULLABLE.values(), ids=NULLABLE.keys())
def test_missing_entries_of_nullable_columns_are_left_out(made: Callable[[Any], Any]) -> None:
    """pandas.NA is to a nullable column what a mask is to an array."""
    t, y, sigma = (
        made([None if bad else value for value, bad in zip(values, BAD, strict=True)])
        for values in (T, Y, SIGMA)
    )
    expected = lmoo.curve_fit(decay, T[GOOD], Y[GOOD], START, SIGMA[GOOD])
    for data in ((T, y, SIGMA), (t, Y, SIGMA), (T, Y, sigma), (t, y, sigma)):
        problem = lmoo.CurveProblem(decay, *data)
        np.testing.assert_array_equal(problem.t, T[GOOD])
        np.testing.assert_array_equal(problem.y, Y[GOOD])
        np.testing.assert_array_equal(problem.sigma, SIGMA[GOOD])
        found = lmoo.curve_fit(decay, *data[:2], START, data[2])
        np.testing.assert_array_equal(found[0], expected[0])
        compiled = lmoo.models.Exponential().problem(*data)
        np.testing.assert_array_equal(compiled.y, Y[GOOD])
        blocks = lmoo.CurveBlocks(decay, *data[:2], sigma=data[2], block_size=5)
        x = lmoo.Solver().solve(blocks, START).x
        np.testing.assert_allclose(x, expected[0], rtol=1e-6)
        fits = lmoo.curve_fit_many(decay, data[0], Y[None], START, sigma=data[2])
        if data[1] is Y:
            np.testing.assert_allclose(fits.x[0], expected[0], rtol=1e-6)


def test_missing_numbers_of_other_columns_are_nan() -> None:
    y = pd.Series([None if bad else value for value, bad in zip(Y, BAD, strict=True)])
    with pytest.raises(ValueError, match=r"^y must be finite, or nan_policy 'omit'; y\[2\] is nan"):
        lmoo.CurveProblem(decay, T, y)
    problem = lmoo.CurveProblem(decay, T, y, nan_policy="omit")
    np.testing.assert_array_equal(problem.y, Y[GOOD])
    found = lmoo.curve_fit(decay, T, y, START, nan_policy="omit")
    expected = lmoo.curve_fit(decay, T[GOOD], Y[GOOD], START)
    np.testing.assert_array_equal(found[0], expected[0])
