"""The kernels against numpy, scipy, exact sums, and the properties that define them.

Sizes are odd on purpose (one column, square, one row more, primes, blocks not quite full): this
file is also what runs under AddressSanitizer and valgrind.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lmoo._core import kernels

Array = NDArray[np.float64]

EPS = 2.0**-52
TINY = 5e-324  # the smallest number there is
HUGE = sys.float_info.max

# Sanitizers and valgrind slow everything down: no deadlines.
EXAMPLES = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SHAPES = [
    (1, 1), (2, 1), (7, 1), (64, 1), (2, 2), (3, 2), (11, 2), (3, 3), (4, 3), (5, 5), (6, 5),
    (13, 5), (7, 7), (8, 7), (31, 11), (17, 17), (18, 17), (53, 19), (97, 23), (101, 41),
]  # fmt: skip

each_shape = pytest.mark.parametrize(("m", "n"), SHAPES)


def random(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def norm(x: Array) -> float:
    """|x| where numpy's own overflows or underflows."""
    largest = float(np.abs(x).max(initial=0.0))
    if largest == 0.0 or not math.isfinite(largest):
        return largest
    return largest * float(np.linalg.norm(x / largest))


def norms(a: Array) -> Array:
    return np.array([norm(column) for column in a.T])


def orthogonal(n: int, seed: int = 0) -> Array:
    return np.linalg.qr(random(n, n, seed=seed))[0]


def with_singular_values(m: int, values: Any, seed: int = 0) -> Array:
    n = len(values)
    return orthogonal(m, seed)[:, :n] @ np.diag(values) @ orthogonal(n, seed + 1)


def triangle(fjac: Array) -> Array:
    return np.triu(fjac[: fjac.shape[1]])


def factor(a: Array, f: Array | None = None) -> tuple[Array, Array, Array, Array]:
    """R, ipvt, acnorm, qtf."""
    fjac, ipvt, acnorm, qtf = kernels.qrfac(a, f)
    return triangle(fjac), ipvt, acnorm, qtf


# --------------------------------------------------------------------------------------- enorm


def exact_norm(x: Array) -> float:
    """The norm to the last digit or two: a sum of squares without rounding, scaled exactly."""
    largest = float(np.abs(x).max(initial=0.0))
    if largest == 0.0:
        return 0.0
    _, exponent = math.frexp(largest)
    scaled = [math.ldexp(v, -exponent) for v in x.tolist()]
    return math.ldexp(math.sqrt(math.fsum(v * v for v in scaled)), exponent)


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([], 0.0),
        ([0.0], 0.0),
        ([-0.0, 0.0], 0.0),
        ([-3.0], 3.0),
        ([3.0, -4.0], 5.0),
        ([3e170, -4e170], 5e170),
        ([3e-170, 4e-170], 5e-170),
        ([3e-320, 4e-320], 5e-320),
        ([TINY], TINY),
        ([TINY] * 4, 2 * TINY),
        ([1.0, 1e-200], 1.0),
        ([1e200, 1.0, 1e-200], 1e200),
        ([HUGE], HUGE),
        ([-HUGE, 1.0], HUGE),
        ([3e307, 4e307], 5e307),
        ([HUGE, HUGE], math.inf),
        ([math.inf], math.inf),
        ([1.0, -math.inf, 1e300], math.inf),
        ([math.nan], math.nan),
        ([1.0, math.nan], math.nan),
        ([math.nan, math.inf], math.nan),
        ([math.inf, math.nan], math.nan),
        ([1e200, math.nan], math.nan),
        ([0.0, math.nan], math.nan),
    ],
)
def test_enorm(x: list[float], expected: float) -> None:
    value = kernels.enorm(np.array(x))
    assert isinstance(value, float)
    assert value == pytest.approx(expected, rel=4 * EPS, abs=TINY, nan_ok=True)


@pytest.mark.parametrize("scale", [1e-320, 1e-310, 1e-170, 1e-140, 1.0, 1e149, 1e151, 1e170, 1e306])
@pytest.mark.parametrize("n", [1, 2, 7, 64, 101])
def test_enorm_has_all_digits_at_every_scale(n: int, scale: float) -> None:
    x = np.clip(random(n), -2.0, 2.0) * scale
    # Entries that are subnormal have lost digits already, not the norm of what is left.
    assert kernels.enorm(x) == pytest.approx(exact_norm(x), rel=2 * n * EPS, abs=2 * TINY)


@EXAMPLES
@given(
    st.lists(st.floats(-1e300, 1e300), max_size=12),
    st.lists(st.floats(-1.0, 1.0), max_size=12),
    st.floats(0.0, 1e-150),
)
@example([1e-140, 1e-170], [], 0.0)
@example([1e150], [1.0], 1e-160)
def test_enorm_of_anything_finite(large: list[float], unit: list[float], scale: float) -> None:
    x = np.array([*large, *(scale * v for v in unit)])
    assert kernels.enorm(x) == pytest.approx(exact_norm(x), rel=30 * EPS, abs=2 * TINY)


@pytest.mark.parametrize("n", [1, 3, 8, 1000])
def test_enorm_agrees_with_numpy(n: int) -> None:
    x = random(n)
    assert kernels.enorm(x) == pytest.approx(float(np.linalg.norm(x)), rel=n * EPS)


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


# ------------------------------------------------------------------------------------- qrsolv


def damped(r: Array, ipvt: Array, diag: Array) -> Array:
    """The stacked matrix [A; D], A with A P = R (its Q is the identity)."""
    n = len(ipvt)
    a = np.zeros((n, n))
    a[:, ipvt] = r
    return np.vstack([a, np.diag(diag)])


def assert_solves(stacked: Array, rhs: Array, x: Array) -> None:
    """The residual is orthogonal to the columns, as far as a stable method goes."""
    assert np.isfinite(x).all()
    lengths = norms(stacked)
    unit = stacked / np.where(lengths > 0.0, lengths, 1.0)
    size = norm(rhs) + (lengths * np.abs(x)).sum()
    n = len(x)
    assert np.abs(unit.T @ (stacked @ x - rhs)).max() <= 20.0 * n * n * EPS * size


@each_shape
def test_qrsolv_against_lstsq(m: int, n: int) -> None:
    a, b, diag = random(m, n), random(m), np.abs(random(n, seed=1)) + 0.1
    r, ipvt, _, qtb = factor(a, b)
    before = r.copy()
    x = kernels.qrsolv(r, ipvt, diag, qtb)
    np.testing.assert_array_equal(r, before)
    expected = np.linalg.lstsq(np.vstack([a, np.diag(diag)]), np.r_[b, np.zeros(n)])[0]
    np.testing.assert_allclose(x, expected, rtol=1e-11, atol=1e-12 * np.abs(expected).max())


@each_shape
def test_qrsolv_without_damping_is_least_squares(m: int, n: int) -> None:
    a, b = random(m, n), random(m)
    r, ipvt, _, qtb = factor(a, b)
    x = kernels.qrsolv(r, ipvt, np.zeros(n), qtb)
    expected = np.linalg.lstsq(a, b)[0]
    np.testing.assert_allclose(x, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("n", [2, 3, 5, 7, 13])
def test_qrsolv_where_only_the_damping_makes_it_regular(n: int) -> None:
    r, ipvt, _, qtb = factor(random(n + 1, 1) @ random(1, n), random(n + 1))
    r[1:] = 0.0
    diag = 10.0 ** np.linspace(-3.0, 3.0, n)
    x = kernels.qrsolv(r, ipvt, diag, qtb)
    stacked = damped(r, ipvt, diag)
    np.testing.assert_allclose(
        x, np.linalg.lstsq(stacked, np.r_[qtb, np.zeros(n)])[0], rtol=1e-7, atol=1e-12
    )


def test_qrsolv_with_some_parameters_not_damped() -> None:
    a, b = random(11, 5), random(11)
    r, ipvt, _, qtb = factor(a, b)
    for mask in range(32):
        diag = np.array([1.0 + j if mask >> j & 1 else 0.0 for j in range(5)])
        x = kernels.qrsolv(r, ipvt, diag, qtb)
        expected = np.linalg.lstsq(np.vstack([a, np.diag(diag)]), np.r_[b, np.zeros(5)])[0]
        np.testing.assert_allclose(x, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("rank", [0, 1, 2, 4])
def test_qrsolv_of_a_singular_system_is_a_basic_solution(rank: int) -> None:
    n = 5
    r, ipvt, _, qtb = factor(random(7, n), random(7))
    r[rank:] = 0.0
    x = kernels.qrsolv(r, ipvt, np.zeros(n), qtb)
    np.testing.assert_array_equal(x[ipvt[rank:]], 0.0)
    np.testing.assert_allclose(r[:rank] @ x[ipvt], qtb[:rank], atol=1e-13)


@EXAMPLES
@given(
    st.integers(1, 9),
    st.integers(0, 2**32 - 1),
    st.lists(st.floats(-8.0, 8.0), min_size=9, max_size=9),
    st.lists(st.floats(-8.0, 8.0), min_size=9, max_size=9),
    st.integers(0, 9),
)
def test_qrsolv_solves_the_damped_problem(
    n: int, seed: int, scales: list[float], damping: list[float], rank: int
) -> None:
    a = random(n + 2, n, seed=seed) * 10.0 ** np.array(scales[:n])
    r, ipvt, _, qtb = factor(a, random(n + 2, seed=seed + 1))
    r[min(rank, n) :] = 0.0
    diag = 10.0 ** np.array(damping[:n])
    x = kernels.qrsolv(r, ipvt, diag, qtb)
    assert_solves(damped(r, ipvt, diag), np.r_[qtb, np.zeros(n)], x)


# -------------------------------------------------------------------------------------- lmpar


def assert_lmpar(
    r: Array, ipvt: Array, diag: Array, qtb: Array, delta: float, guess: float = 0.0
) -> tuple[float, Array]:
    """Its postcondition: x is optimal for par, and par brings |D x| near delta or is 0."""
    n = len(ipvt)
    before = r.copy()
    par, x = kernels.lmpar(r, ipvt, diag, qtb, delta, guess)
    np.testing.assert_array_equal(r, before)
    assert 0.0 <= par < math.inf
    assert_solves(damped(r, ipvt, math.sqrt(par) * diag), np.r_[qtb, np.zeros(n)], x)
    length = norm(diag * x)
    rounding = 1.0 + 10.0 * n * EPS
    assert length <= 1.1 * delta * rounding
    if par > 0.0 and length < 0.9 * delta / rounding:
        # Allowed only where no par > 0 brings more: the shortest of all Gauss-Newton steps
        # is within the region.
        assert (np.diag(r) == 0.0).any()
        shortest = np.linalg.lstsq(damped(r, ipvt, diag)[:n] / diag, qtb)[0]
        assert norm(shortest) <= delta * 1.1
    return par, x


@each_shape
def test_lmpar_takes_the_gauss_newton_step_where_it_fits(m: int, n: int) -> None:
    a, b, diag = random(m, n), random(m), np.linspace(0.5, 2.0, n)
    r, ipvt, _, qtb = factor(a, b)
    newton = np.linalg.lstsq(a, b)[0]
    for delta in (norm(diag * newton) / 1.099, 1e6, 1e300, math.inf):
        par, x = kernels.lmpar(r, ipvt, diag, qtb, delta, 7.0)
        assert par == 0.0
        np.testing.assert_allclose(x, newton, rtol=1e-9, atol=1e-9 * np.abs(newton).max())
    par, _ = assert_lmpar(r, ipvt, diag, qtb, norm(diag * newton) / 1.101)
    assert par > 0.0


@each_shape
def test_lmpar_shortens_the_step(m: int, n: int) -> None:
    a, b, diag = random(m, n), random(m), np.linspace(0.5, 2.0, n)
    r, ipvt, _, qtb = factor(a, b)
    newton = norm(diag * kernels.lmpar(r, ipvt, diag, qtb, math.inf)[1])
    last = 0.0
    for shorter in (0.5, 1e-1, 1e-3, 1e-6, 1e-12):
        for guess in (0.0, 1e-10, 1.0, 1e10):
            par, x = assert_lmpar(r, ipvt, diag, qtb, shorter * newton, guess)
            assert par > last
            expected = np.linalg.lstsq(
                np.vstack([a, math.sqrt(par) * np.diag(diag)]), np.r_[b, np.zeros(n)]
            )[0]
            np.testing.assert_allclose(x, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())
        last = par
    # In the end it is the direction of steepest descent, in the scaled parameters.
    gradient = a.T @ b / diag
    assert x * diag @ gradient == pytest.approx(norm(diag * x) * norm(gradient), rel=1e-6)


def test_lmpar_without_a_gradient_does_not_move() -> None:
    r, ipvt, _, _ = factor(random(7, 3))
    par, x = kernels.lmpar(r, ipvt, np.ones(3), np.zeros(3), 0.5, 1.0)
    assert par == 0.0
    np.testing.assert_array_equal(x, 0.0)


def test_lmpar_of_the_zero_matrix_does_not_move() -> None:
    par, x = kernels.lmpar(np.zeros((3, 3)), [2, 0, 1], np.ones(3), np.ones(3), 0.5, 1.0)
    assert par == 0.0
    np.testing.assert_array_equal(x, 0.0)


@EXAMPLES
@given(
    st.integers(1, 8),
    st.integers(0, 5),
    st.integers(0, 2**32 - 1),
    st.lists(st.floats(-5.0, 5.0), min_size=8, max_size=8),
    st.lists(st.floats(-3.0, 3.0), min_size=8, max_size=8),
    st.floats(-8.0, 1.0),
    st.sampled_from([0.0, 1e-6, 1.0, 1e6]),
    st.integers(1, 8),
)
def test_lmpar_keeps_its_postcondition(
    n: int,
    more: int,
    seed: int,
    scales: list[float],
    weights: list[float],
    radius: float,
    guess: float,
    rank: int,
) -> None:
    m = n + more
    a = random(m, n, seed=seed) * 10.0 ** np.array(scales[:n])
    r, ipvt, acnorm, qtb = factor(a, random(m, seed=seed + 1))
    # Below the rank R is exactly zero, as where columns of J are multiples of each other.
    r[min(rank, n) :] = 0.0
    diag = acnorm * 10.0 ** np.array(weights[:n])
    newton = norm(diag * kernels.lmpar(r, ipvt, diag, qtb, math.inf)[1])
    assert_lmpar(r, ipvt, diag, qtb, newton * 10.0**radius, guess)


@pytest.mark.parametrize("n", [2, 3, 5, 11])
@pytest.mark.parametrize("scale", [1e-120, 1.0, 1e120])
def test_lmpar_at_all_scales(n: int, scale: float) -> None:
    r, ipvt, acnorm, qtb = factor(scale * random(n + 1, n), random(n + 1))
    newton = norm(acnorm * kernels.lmpar(r, ipvt, acnorm, qtb, math.inf)[1])
    assert_lmpar(r, ipvt, acnorm, qtb, 0.01 * newton)


def test_lmpar_where_the_shortest_gauss_newton_step_is_inside() -> None:
    # The basic solution (2, 0) is too long, the least-norm one (1, 1) is not: no par > 0 makes the
    # step as long as delta, and it must still come to an end.
    r = np.array([[1.0, 1.0], [0.0, 0.0]])
    par, x = assert_lmpar(r, np.array([0, 1]), np.ones(2), np.array([2.0, 0.0]), 1.7)
    assert par < 0.2
    np.testing.assert_allclose(x, x[0], rtol=1e-12)


# --------------------------------------------------------------------------------------- fold


def fold_shapes() -> Iterator[tuple[int, int]]:
    for n in (1, 2, 3, 4, 5, 7, 8, 13, 31, 50, 67):
        b = kernels.block_rows(n)
        rows = {n, n + 1, n + 2, 61, 67, b - 9, b - 1, b, b + 1, b + 3, b + 8, 2 * b - 1, 3 * b + 5}
        yield from ((m, n) for m in sorted(rows) if m >= n)


each_fold_shape = pytest.mark.parametrize(("m", "n"), list(fold_shapes()))


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


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", [0, 7, 511, 512, 1023, 1029])
@pytest.mark.parametrize("column", [0, 1, 2])
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
        assert rows == 72 or rows * (n + 1) * 8 <= 262144


# --------------------------------------------------------------------------------- covariance


def covariance_of(a: Array) -> Array | None:
    r, ipvt, _, _ = factor(a)
    before = r.copy()
    out = kernels.covariance(r, ipvt)
    np.testing.assert_array_equal(r, before)
    return out


@each_shape
def test_covariance_against_numpy(m: int, n: int) -> None:
    a = with_singular_values(m, np.linspace(1.0, 5.0, n))
    out = covariance_of(a)
    assert out is not None
    np.testing.assert_array_equal(out, out.T)
    expected = np.linalg.inv(a.T @ a)
    np.testing.assert_allclose(out, expected, rtol=1e-11, atol=1e-12)


@each_shape
@pytest.mark.parametrize("spread", [6.0, 60.0, 140.0])
def test_covariance_of_parameters_in_other_units(m: int, n: int, spread: float) -> None:
    a = with_singular_values(m, np.linspace(1.0, 5.0, n))
    units = 10.0 ** np.linspace(-spread, spread, n)
    out = covariance_of(a * units)
    assert out is not None
    np.testing.assert_array_equal(out, out.T)
    expected = np.linalg.inv(a.T @ a)
    np.testing.assert_allclose(out * units * units[:, None], expected, rtol=1e-11, atol=1e-12)


def test_covariance_does_not_square_the_condition() -> None:
    # J^T J has the condition 1e20: inverting it would leave no digit.
    values = np.array([1.0, 1e-3, 1e-5, 1e-10])
    a = with_singular_values(9, values)
    out = covariance_of(a)
    assert out is not None
    _, s, vt = np.linalg.svd(a, full_matrices=False)
    expected = vt.T @ np.diag(s**-2.0) @ vt
    np.testing.assert_allclose(out, expected, rtol=1e-4)


@EXAMPLES
@given(st.integers(1, 10), st.integers(0, 9), st.integers(0, 2**32 - 1), st.floats(0.0, 4.0))
def test_covariance_is_the_inverse(n: int, more: int, seed: int, decades: float) -> None:
    a = with_singular_values(n + more, 10.0 ** np.linspace(0.0, -decades, n), seed)
    out = covariance_of(a)
    assert out is not None
    np.testing.assert_array_equal(out, out.T)
    product = a @ out @ a.T @ a
    np.testing.assert_allclose(product, a, atol=100.0 * n * EPS * 10.0**decades)


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_no_covariance_where_r_is_singular(n: int) -> None:
    for j in range(n):
        r, ipvt, _, _ = factor(random(n + 1, n))
        r[j, j] = 0.0
        assert kernels.covariance(r, ipvt) is None


@pytest.mark.parametrize("bad", [1e-170, 0.0, -0.0, np.nan, np.inf])
def test_no_covariance_that_is_not_finite(bad: float) -> None:
    r = np.triu(np.ones((3, 3)))
    r[1, 1] = bad
    out = kernels.covariance(r, [2, 0, 1])
    if bad == np.inf:  # A parameter without any error; the rest is finite and stands.
        assert out is None or np.isfinite(out).all()
    else:
        assert out is None


# --------------------------------------------------------------------------------- arguments

GOOD: dict[str, dict[str, Any]] = {
    "qrfac": {"a": np.ones((3, 2)), "f": np.ones(3)},
    "fold": {"a": np.ones((3, 2)), "f": np.ones(3)},
    "qrsolv": {"r": np.eye(2), "ipvt": [0, 1], "diag": np.ones(2), "qtb": np.ones(2)},
    "lmpar": {
        "r": np.eye(2), "ipvt": [0, 1], "diag": np.ones(2), "qtb": np.ones(2),
        "delta": 1.0, "par": 0.0,
    },
    "covariance": {"r": np.eye(2), "ipvt": [0, 1]},
}  # fmt: skip

FACTORS = ("qrsolv", "lmpar", "covariance")
BAD: list[tuple[str, str, Any]] = [
    *(
        (function, "a", value)
        for function in ("qrfac", "fold")
        for value in (np.ones((3, 4)), np.ones((3, 0)), np.ones(3), 1.0, np.ones((3, 2, 1)))
    ),
    *(
        (function, "f", value)
        for function in ("qrfac", "fold")
        for value in (np.ones(2), np.ones(4), [], np.ones((3, 1)))
    ),
    *(
        (function, "r", value)
        for function in FACTORS
        for value in (np.eye(3), np.ones((2, 3)), np.ones(2))
    ),
    *(
        (function, "ipvt", value)
        for function in FACTORS
        for value in ([0, 0], [1, 2], [-1, 0], [0], [0, 1, 2], [0.5, 1.5])
    ),
    *(
        (function, name, value)
        for function in ("qrsolv", "lmpar")
        for name in ("diag", "qtb")
        for value in (np.ones(1), np.ones(3), [])
    ),
    *(("lmpar", "delta", value) for value in (0.0, -1.0, math.nan)),
    *(("lmpar", "par", value) for value in (-1.0, math.nan)),
]


def test_the_good_arguments_are_good() -> None:
    for function, arguments in GOOD.items():
        assert getattr(kernels, function)(**arguments) is not None


@pytest.mark.parametrize(
    ("function", "name", "value"),
    BAD,
    ids=[f"{function}-{name}-{k}" for k, (function, name, _) in enumerate(BAD)],
)
def test_bad_arguments_are_named(function: str, name: str, value: Any) -> None:
    # One letter is found in any message: it has to begin with that.
    pattern = rf"\b{name}\b" if len(name) > 1 else f"^{name} must "
    with pytest.raises(ValueError, match=pattern):
        getattr(kernels, function)(**(GOOD[function] | {name: value}))


@pytest.mark.parametrize(
    "x", [np.ones((2, 2)), np.arange(3), np.ones(6)[::2], [1.0], None], ids=repr
)
def test_enorm_takes_contiguous_float64_vectors_only(x: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        kernels.enorm(x)


@pytest.mark.parametrize("n", [0, -1, -5])
def test_block_rows_of_no_columns(n: int) -> None:
    # In a process of its own, as a division by zero in C ends the process.
    code = (
        f"from lmoo._core.kernels import block_rows\ntry: block_rows({n})\nexcept ValueError: pass"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
