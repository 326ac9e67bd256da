"""`qrsolv` against numpy and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_cases import EXAMPLES, assert_solves, damped, each_shape, factor, random

from lmoo._core import kernels


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
