"""The fold of many rows to a triangle."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from case_tables import each
from hypothesis import given
from hypothesis import strategies as st
from kernel_cases import EPS, EXAMPLES, Array, factor, norm, norms, random

from lmoo._core import kernels


def fold_shapes() -> Iterator[tuple[int, int]]:
    for n in (1, 2, 3, 4, 5, 7, 8, 13, 31, 50, 67):
        b = kernels.block_rows(n)
        rows = {n, n + 1, n + 2, 61, 67, b - 9, b - 1, b, b + 1, b + 3, b + 8, 2 * b - 1, 3 * b + 5}
        yield from ((m, n) for m in sorted(rows) if m >= n)


each_fold_shape = each(("m", "n"), list(fold_shapes()))


def assert_folds(a: Array, f: Array) -> None:
    """The fold is qrfac but for the signs of the rows."""
    m, n = a.shape
    before = a.copy(), f.copy()
    r, ipvt, acnorm, qtf = kernels.fold(a, f)
    np.testing.assert_array_equal(a, before[0])
    np.testing.assert_array_equal(f, before[1])
    assert (r.shape, ipvt.dtype) == ((n, n), np.int32)
    np.testing.assert_array_equal(r, np.triu(r))
    expected_r, expected_ipvt, expected_acnorm, expected_qtf = factor(a, f)
    np.testing.assert_allclose(acnorm, expected_acnorm, rtol=4.0 * m * EPS)
    np.testing.assert_array_equal(ipvt, expected_ipvt)
    # Column by column, and as exact as R is determined at all: qrfac's R of A in another basis
    # differs as much as R does with A's columns scaled to 1.
    unit = np.where(acnorm > 0.0, acnorm, 1.0)
    condition = np.linalg.cond(a / unit) if (acnorm > 0.0).all() else 1.0
    tolerance = 100.0 * math.sqrt(m) * n * EPS * condition
    np.testing.assert_allclose(
        np.abs(r) / unit[ipvt], np.abs(expected_r) / unit[ipvt], rtol=0.0, atol=tolerance
    )
    assert np.abs(np.abs(qtf) - np.abs(expected_qtf)).max() <= tolerance * norm(f)


def assert_same_normal_equations(a: Array, f: Array) -> None:
    """R^T R = P^T A^T A P and R^T Q^T f = P^T A^T f: all that is determined of a deficient A."""
    m, n = a.shape
    r, ipvt, acnorm, qtf = kernels.fold(a, f)
    lengths = norms(a)
    np.testing.assert_allclose(acnorm, lengths, rtol=4.0 * m * EPS, atol=0.0)
    unit = np.where(lengths > 0.0, lengths, 1.0)
    a, r = (a / unit)[:, ipvt], r / unit[ipvt]
    scale = norm(f) if norm(f) > 0.0 else 1.0
    tolerance = 10.0 * n * math.sqrt(m) * EPS
    np.testing.assert_allclose(r.T @ r, a.T @ a, rtol=0.0, atol=tolerance)
    np.testing.assert_allclose(r.T @ (qtf / scale), a.T @ (f / scale), rtol=0.0, atol=tolerance)


@each_fold_shape
def test_fold_is_qrfac(m: int, n: int) -> None:
    if m > n:  # A square random matrix is too badly conditioned to compare entry by entry.
        assert_folds(random(m, n), random(m))
    assert_same_normal_equations(random(m, n), random(m))


@each_fold_shape
def test_fold_with_columns_over_twelve_orders(m: int, n: int) -> None:
    scales = 10.0 ** np.linspace(6.0, -6.0, n)
    if m > n:
        assert_folds(random(m, n) * scales, random(m))
    assert_same_normal_equations(random(m, n) * scales, random(m))
    # And with the rows, the largest last: a running triangle of next to nothing.
    rows = 10.0 ** np.linspace(-12.0, 0.0, m)[:, None]
    assert_same_normal_equations(random(m, n) * rows, random(m))


@each_fold_shape
def test_fold_at_the_ends_of_the_exponents(m: int, n: int) -> None:
    a, f = random(m, n), random(m)
    assert_same_normal_equations(a * 1e160, f)
    assert_same_normal_equations(a * 1e-160, f)
    assert_same_normal_equations(a * 10.0 ** np.linspace(160.0, -160.0, n), f * 1e160)
    assert_same_normal_equations(a * 1e-295, f * 1e-295)
    assert_same_normal_equations(a * 1e300, f * 1e300)


@each_fold_shape
def test_fold_of_deficient_matrices(m: int, n: int) -> None:
    f = random(m)
    assert_same_normal_equations(np.zeros((m, n)), f)
    assert_same_normal_equations(np.ones((m, n)), f)
    a = random(m, n)
    a[:, n // 2] = 0.0
    assert_same_normal_equations(a, f)
    a[:, n // 2] = 2.0 * a[:, 0]
    assert_same_normal_equations(a, f)
    a[n:] = 0.0
    assert_same_normal_equations(a, f)
    assert_same_normal_equations(a[::-1].copy(), f)
    if n > 1:
        r, *_ = kernels.fold(random(m, n - 1) @ random(n - 1, n), f)
        assert abs(r[-1, -1]) <= 100.0 * n * math.sqrt(m) * EPS * abs(r[0, 0])


@EXAMPLES
@given(
    st.integers(1, 12),
    st.integers(0, 1200),
    st.integers(0, 2**32 - 1),
    st.lists(st.floats(-12.0, 12.0), min_size=12, max_size=12),
)
def test_fold_of_anything(n: int, more: int, seed: int, scales: list[float]) -> None:
    a = random(n + more, n, seed=seed) * 10.0 ** np.array(scales[:n])
    assert_same_normal_equations(a, random(n + more, seed=seed))


@pytest.mark.parametrize(("m", "n"), [(7, 7), (61, 4), (521, 3), (1030, 5), (192, 67)])
@pytest.mark.parametrize(
    "layout",
    [
        lambda a: np.asfortranarray(a),
        lambda a: np.repeat(a, 2, axis=0)[::2],
        lambda a: np.repeat(a, 3, axis=1)[:, ::3],
        lambda a: a[::-1].copy()[::-1],
        lambda a: a[:, ::-1].copy()[:, ::-1],
        lambda a: np.stack([a, a], axis=-1)[..., 0],
    ],
    ids=["columns", "every other row", "every third column", "upwards", "leftwards", "interleaved"],
)
def test_fold_reads_any_layout(m: int, n: int, layout: Callable[[Array], Array]) -> None:
    a, f = random(m, n), random(m)
    other = layout(a)
    np.testing.assert_array_equal(other, a)
    assert other.strides != a.strides
    for value, expected in zip(kernels.fold(other, f), kernels.fold(a, f), strict=True):
        np.testing.assert_array_equal(value, expected)


def test_fold_reads_rows_that_are_no_whole_number_of_doubles_apart() -> None:
    records = np.zeros(24, dtype=[("value", np.float64), ("flag", np.int32)])
    records["value"] = random(24)
    a = records["value"][:, None]
    assert a.strides[0] == 12
    for value, expected in zip(
        kernels.fold(a, random(24)), kernels.fold(a.copy(), random(24)), strict=True
    ):
        np.testing.assert_array_equal(value, expected)


@each("bad", [np.nan, np.inf, -np.inf])
@each("where", [0, 7, 511, 512, 1023, 1029])
@each("column", [0, 1, 2])
def test_what_is_not_finite_does_not_get_lost_in_the_fold(
    where: int, column: int, bad: float
) -> None:
    a, f = random(1030, 3), random(1030)
    # Where the rest of the column is zero there is nothing to reflect with.
    a[:, 1] = 0.0
    a[where, column] = bad
    r, _, acnorm, _ = kernels.fold(a, f)
    assert not np.isfinite(acnorm[column])
    assert not np.isfinite(r).all()


@pytest.mark.parametrize("where", [0, 7, 511, 512, 1023, 1029])
def test_nan_in_f_reaches_qtf_and_nothing_else(where: int) -> None:
    a, f = random(1030, 3), random(1030)
    expected = kernels.fold(a, f)
    f[where] = np.nan
    r, ipvt, acnorm, qtf = kernels.fold(a, f)
    assert np.isnan(qtf).all()
    for value, good in zip((r, ipvt, acnorm), expected, strict=False):
        np.testing.assert_array_equal(value, good)


def test_block_rows() -> None:
    for n in (*range(1, 130), 1000, 10**6):
        rows = kernels.block_rows(n)
        assert 64 <= rows <= 264
        # An odd number of cache lines, so that columns do not compete for the same ones.
        assert rows % 16 == 8
        # What is to stay in the second-level cache, unless that is too little to be worth it.
        if n < 130:
            assert rows * (n + 1) * 8 <= 262144
        else:
            assert rows == 72
