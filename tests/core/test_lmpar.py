"""`lmpar` against its defining equation."""

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
    assert_solves,
    damped,
    each_shape,
    factor,
    norm,
    random,
)

from lmoo._core import kernels


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
