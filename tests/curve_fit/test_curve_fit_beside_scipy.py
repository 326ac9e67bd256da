"""`curve_fit` gives scipy's answers, and those of linear algebra."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from curve_fit_cases import COVARIANCE, SIGMA, T, Y, decay, slopes
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lmoo import curve_fit


@pytest.mark.parametrize("sigma", [None, 0.1, SIGMA, COVARIANCE], ids=["none", "1", "1-D", "2-D"])
@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("jac", [None, slopes])
def test_the_answers_are_scipys(sigma: Any, absolute: bool, jac: Any) -> None:
    options = {"sigma": sigma, "absolute_sigma": absolute, "jac": jac}
    silent = (
        nullcontext()
        if sigma is not None or not absolute
        else pytest.warns(UserWarning, match="are assumed to be 1")
    )
    with silent:
        ours = curve_fit(decay, T, Y, **options)
    if np.ndim(sigma) == 0 and sigma is not None:
        # Which scipy 1.17 does not take with a callable jac.
        options["sigma"] = np.full(20, 0.1)
    theirs = scipy.optimize.curve_fit(decay, T, Y, **options)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-4)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(6, 40),
    st.sampled_from(["none", "1-D", "2-D"]),
    st.booleans(),
)
def test_random_problems_have_the_answers_of_linear_algebra(
    seed: int, m: int, kind: str, absolute: bool
) -> None:
    random = np.random.default_rng(seed)
    A = random.normal(size=(m, 4))
    assume(np.linalg.cond(A) < 1e3)
    root = np.diag(random.uniform(0.5, 2.0, m))
    if kind == "2-D":
        root = root + 0.1 * random.normal(size=(m, m))
    assume(np.linalg.cond(root) < 1e3)
    y = A @ random.normal(size=4) + root @ random.normal(size=m)
    sigma = {"none": 1.0, "1-D": np.diag(root), "2-D": root @ root.T}[kind]

    popt, pcov = curve_fit(
        lambda t, *p: t @ p, A, y, np.ones(4), sigma, absolute_sigma=absolute, check_finite=True
    )
    W = np.eye(m) if kind == "none" else np.linalg.inv(root)
    x, *_ = np.linalg.lstsq(W @ A, W @ y, rcond=None)
    inverse = np.linalg.inv((W @ A).T @ (W @ A))
    variance = 1.0 if absolute else float(np.sum((W @ (A @ x - y)) ** 2)) / (m - 4)
    np.testing.assert_allclose(popt, x, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(pcov, inverse * variance, rtol=1e-5, atol=1e-9)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.integers(50, 500),
    st.integers(30, 300),
    st.integers(-200, 200),
    st.integers(0, 2**32 - 1),
)
def test_random_curves_have_scipys_answers(a: float, b: float, c: float, seed: int) -> None:
    a, b, c = 0.01 * a, 0.01 * b, 0.01 * c
    y = decay(T, a, b, c) + 0.01 * np.random.default_rng(seed).standard_normal(20)
    ours = curve_fit(decay, T, y, [a, b, c])
    theirs = scipy.optimize.curve_fit(decay, T, y, [a, b, c], ftol=1e-14, xtol=1e-14, jac=slopes)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-4, atol=1e-10)
