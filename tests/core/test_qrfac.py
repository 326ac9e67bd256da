"""`qrfac` and Q^T f against the properties that define them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_cases import (
    EPS,
    EXAMPLES,
    Array,
    each_shape,
    factor,
    norm,
    norms,
    orthogonal,
    random,
    triangle,
    with_singular_values,
)

from lmoo._core import kernels

# --------------------------------------------------------------------------------------- qrfac


def thin_q(a: Array) -> Array:
    """The first n columns of Q, which the kernel applies to one unit vector after the other."""
    return np.array([kernels.qrfac(a, e)[3] for e in np.eye(len(a))])


def assert_factors(a: Array, slack: float = 1e-9) -> None:
    """A P = Q R with Q orthogonal, R's diagonal not growing, column norms."""
    m, n = a.shape
    before = a.copy()
    fjac, ipvt, acnorm, _ = kernels.qrfac(a)
    np.testing.assert_array_equal(a, before)
    assert (fjac.shape, fjac.flags.f_contiguous, fjac.dtype) == ((m, n), True, np.float64)
    assert ipvt.dtype == np.int32
    assert sorted(ipvt) == list(range(n))
    # Householder's method is stable column by column (Higham 2002, theorem 19.4).
    tolerance = 4.0 * n * math.sqrt(m) * EPS
    np.testing.assert_allclose(acnorm, norms(a), rtol=m * EPS)
    q, r = thin_q(a), triangle(fjac)
    # What rounding leaves of a column may be rounded again and again, down to subnormal numbers;
    # of those no unit vector can be made, nor does it matter.
    normal = np.abs(np.diag(r)) > 1e-290
    gram = (q.T @ q)[normal][:, normal]
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=tolerance)
    error = norms(a[:, ipvt] - q @ r)
    assert (error <= tolerance * acnorm[ipvt]).all(), error
    diagonal = np.abs(np.diag(r))
    for j in range(n - 1):
        # No column that is left is longer than the pivot.
        left = norms(r[j:, j + 1 :])
        assert (left <= diagonal[j] * (1.0 + slack) + tolerance * acnorm[ipvt[j + 1 :]]).all()


@each_shape
def test_the_householder_vectors_are_those_of_q(m: int, n: int) -> None:
    a = random(m, n)
    fjac, ipvt, _, _ = kernels.qrfac(a)
    work, q = a[:, ipvt].copy(), np.eye(m)
    for j in range(n):
        u = fjac[j:, j].copy()
        # Its first entry made room for R's diagonal; it is 1 + |a_jj| / |a_j| of the column as it
        # stood when its turn came, so A is reflected along.
        u[0] = 1.0 + abs(work[j, j]) / norm(work[j:, j])
        for target in (work[j:, j:], q.T[j:, :]):
            target -= np.outer(u, (u @ target) / u[0])
    np.testing.assert_allclose(work[:n], triangle(fjac), atol=100.0 * n * EPS * math.sqrt(m))
    np.testing.assert_allclose(work[n:], 0.0, atol=100.0 * n * EPS * math.sqrt(m))
    np.testing.assert_allclose(q[:, :n], thin_q(a), atol=100.0 * n * EPS * math.sqrt(m))


@each_shape
def test_qrfac(m: int, n: int) -> None:
    assert_factors(random(m, n))


@each_shape
def test_qrfac_at_all_scales(m: int, n: int) -> None:
    a = random(m, n)
    for scale in (1e-290, 1e-170, 1e170, 1e290):
        assert_factors(scale * a)
    assert_factors(a * 10.0 ** np.linspace(-160.0, 160.0, n))


@each_shape
def test_qrfac_of_deficient_matrices(m: int, n: int) -> None:
    a = random(m, n)
    assert_factors(np.zeros((m, n)))
    assert_factors(np.ones((m, n)))
    zero = a.copy()
    zero[:, n // 2] = 0.0
    assert_factors(zero)
    if n > 1:
        twice = a.copy()
        twice[:, 0] = -3.0 * twice[:, -1]
        assert_factors(twice)
        r, *_ = factor(twice)
        assert abs(r[-1, -1]) <= 10.0 * m * EPS * abs(r[0, 0])
    rank = max(1, n // 3)
    r, *_ = factor(random(m, rank) @ random(rank, n))
    assert np.abs(r[rank:]).max(initial=0.0) <= 10.0 * m * n * EPS * abs(r[0, 0])


def test_a_column_of_zeros_stays_zero() -> None:
    a = random(7, 3)
    a[:, 1] = 0.0
    fjac, ipvt, acnorm, _ = kernels.qrfac(a)
    assert ipvt[2] == 1
    assert acnorm[1] == 0.0
    np.testing.assert_array_equal(fjac[:, 2], 0.0)


@EXAMPLES
@given(
    st.integers(1, 9),
    st.integers(0, 12),
    st.integers(0, 2**32 - 1),
    st.lists(st.floats(-12.0, 12.0), min_size=9, max_size=9),
    st.lists(st.floats(-10.0, 0.0), min_size=9, max_size=9),
)
def test_qrfac_of_anything(
    n: int, more: int, seed: int, scales: list[float], values: list[float]
) -> None:
    # Singular values over ten orders of magnitude, then columns over twenty-four.
    a = with_singular_values(n + more, 10.0 ** np.array(values[:n]), seed)
    # Downdating keeps the pivots' norms to 5 % where it does not compute them anew.
    assert_factors(a * 10.0 ** np.array(scales[:n]), slack=0.1)


@each_shape
def test_qrfac_agrees_with_numpy(m: int, n: int) -> None:
    a, f = random(m, n), random(m)
    r, ipvt, _, qtf = factor(a, f)
    q, expected = np.linalg.qr(a[:, ipvt])
    signs = np.sign(np.diag(r)) * np.sign(np.diag(expected))
    atol = 1e3 * n * EPS * math.sqrt(m)
    np.testing.assert_allclose(r, signs[:, None] * expected, atol=atol)
    np.testing.assert_allclose(qtf, signs * (q.T @ f), atol=atol)


@each_shape
def test_qrfac_pivots_like_lapack(m: int, n: int) -> None:
    linalg = pytest.importorskip("scipy.linalg")
    a = random(m, n, seed=1)
    r, ipvt, _, _ = factor(a)
    expected, pivots = linalg.qr(a, mode="r", pivoting=True)
    np.testing.assert_array_equal(ipvt, pivots)
    # The reflections are the same, so even the signs are; but for LAPACK's last row if square,
    # which it leaves alone.
    np.testing.assert_allclose(np.abs(r), np.abs(expected[:n]), atol=1e3 * n * EPS * math.sqrt(m))


def test_the_longest_column_comes_first_and_the_first_of_equals() -> None:
    a = np.diag([1.0, 3.0, 2.0, 3.0])
    _, ipvt, acnorm, _ = factor(a)
    # The first pivot trades places with column 0.
    np.testing.assert_array_equal(ipvt, [1, 3, 2, 0])
    np.testing.assert_array_equal(acnorm, [1.0, 3.0, 2.0, 3.0])


@pytest.mark.parametrize("turned", [False, True])
def test_norms_are_computed_anew_where_downdating_loses_them(turned: bool) -> None:
    # sqrt(1 - 1^2) is 0 or noise of size 1e-8; what is left of the columns is 1e-9 and 2e-9.
    a = np.array([[2.0, 1.0, 1.0], [0.0, 1e-9, 0.0], [0.0, 0.0, 2e-9], [0.0, 0.0, 0.0]])
    if turned:
        a = orthogonal(4) @ a
    r, ipvt, _, _ = factor(a)
    np.testing.assert_array_equal(ipvt, [0, 2, 1])
    np.testing.assert_allclose(np.abs(np.diag(r)), [2.0, 2e-9, 1e-9], rtol=1e-6)


def test_norms_survive_many_steps_of_downdating() -> None:
    # Each step takes nine tenths off the square of what is left, none of them enough to be seen
    # as a loss by itself: digits go a little at a time.
    n = 24
    kahan = np.diag(0.3 ** np.arange(n)) @ (
        np.eye(n) - math.sqrt(0.91) * np.triu(np.ones((n, n)), 1)
    )
    a = orthogonal(40, seed=3)[:, :n] @ kahan
    assert_factors(a, slack=0.1)


def test_nan_does_not_hide() -> None:
    a = random(7, 3)
    for i in range(7):
        for j in range(3):
            bad = a.copy()
            bad[i, j] = np.nan
            r, _, acnorm, _ = factor(bad)
            np.testing.assert_array_equal(np.isnan(acnorm), np.arange(3) == j)
            assert np.isnan(r).any()


# ---------------------------------------------------------------------------------- Q^T f


@each_shape
def test_qtf_is_what_least_squares_needs(m: int, n: int) -> None:
    a, f = random(m, n), random(m)
    r, ipvt, _, qtf = factor(a, f)
    x = np.zeros(n)
    x[ipvt] = np.linalg.solve(r, qtf)
    expected = np.linalg.lstsq(a, f)[0]
    np.testing.assert_allclose(x, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())
    # What it takes off |f|^2.
    rest = f @ f - qtf @ qtf
    assert rest == pytest.approx(norm(a @ expected - f) ** 2, abs=1e-11 * m)


def test_qtf_is_zero_without_f() -> None:
    np.testing.assert_array_equal(kernels.qrfac(random(7, 3))[3], np.zeros(3))


def test_the_kernels_take_what_numpy_takes() -> None:
    fjac, ipvt, acnorm, qtf = kernels.qrfac([[3, 0], [4, 0]], [1, 2])
    assert (abs(fjac[0, 0]), list(ipvt), list(acnorm)) == (5.0, [0, 1], [5.0, 0.0])
    assert abs(qtf[0]) == pytest.approx(11.0 / 5.0)
    np.testing.assert_allclose(kernels.qrsolv([[2, 0], [0, 4]], [0, 1], [0, 0], [2, 4]), [1, 1])
