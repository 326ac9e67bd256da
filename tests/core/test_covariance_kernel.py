"""The covariance from the triangle."""

from __future__ import annotations

import numpy as np
import pytest
from case_tables import each
from hypothesis import given
from hypothesis import strategies as st
from kernel_cases import EPS, EXAMPLES, Array, each_shape, factor, random, with_singular_values

from lmoo._core import kernels


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
@each("decades", [6.0, 60.0, 140.0])
def test_covariance_of_parameters_in_other_units(m: int, n: int, decades: float) -> None:
    a = with_singular_values(m, np.linspace(1.0, 5.0, n))
    units = 10.0 ** np.linspace(-decades, decades, n)
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
        np.testing.assert_array_equal(out, [[0, 0, 0], [0, 1, -1], [0, -1, 2]])
    else:
        assert out is None
