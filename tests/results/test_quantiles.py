"""Quantiles of Student's t and of Fisher's F."""

from __future__ import annotations

import numpy as np
import scipy.special
import scipy.stats
from case_tables import each
from hypothesis import given, settings
from hypothesis import strategies as st

from lmoo.results.distributions import f_exceeded, t_factor


@each("dof", [1, 2, 2.5, 3, 4, 7, 12, 30, 100, 1000, 1e5])
@each("level", [0.01, 0.5, 0.6827, 0.9, 0.95, 0.99, 0.9999])
def test_student_s_t(level: float, dof: float) -> None:
    t = t_factor(level, dof)
    np.testing.assert_allclose(t, scipy.stats.t.ppf(0.5 + 0.5 * level, dof), rtol=1e-11)
    # The other way round, which loses nothing.
    tail = scipy.special.betainc(0.5 * dof, 0.5, dof / (dof + t * t))
    np.testing.assert_allclose(tail, 1.0 - level, rtol=2e-10 if dof > 1e2 else 1e-13)


def test_student_s_t_where_it_is_elementary() -> None:
    for level in (0.3, 0.6, 0.95, 1.0 - 1e-9):
        q = 1.0 - level
        np.testing.assert_allclose(t_factor(level, 1), 1 / np.tan(0.5 * np.pi * q), rtol=4e-15)
        p = 0.5 + 0.5 * level
        right = (2 * p - 1) / np.sqrt(2 * p * 0.5 * q)
        np.testing.assert_allclose(t_factor(level, 2), right, rtol=4e-13)


def test_student_s_t_becomes_normal() -> None:
    for level in (0.5, 0.95, 0.999):
        normal = scipy.stats.norm.ppf(0.5 + 0.5 * level)
        np.testing.assert_allclose(t_factor(level, np.inf), normal, rtol=1e-13)
        np.testing.assert_allclose(t_factor(level, 1e9), normal, rtol=1e-8)


def test_a_million_degrees_of_freedom_cost_no_digits() -> None:
    # Computed with 40 digits.
    np.testing.assert_allclose(t_factor(0.95, 10**6), 1.9599663568141066, rtol=1e-15)


@each("d1", [1, 2, 3, 8, 100])
@each("d2", [1, 2, 5, 12, 100, 1e4])
@each("q", [1e-3, 0.05, 0.3, 0.9, 0.999])
def test_fisher_s_f(q: float, d1: float, d2: float) -> None:
    np.testing.assert_allclose(f_exceeded(q, d1, d2), scipy.stats.f.isf(q, d1, d2), rtol=1e-11)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.floats(1e-12, 1 - 1e-12), st.floats(0.5, 500.0), st.floats(0.5, 5e4))
def test_what_f_exceeds_is_what_was_asked(q: float, d1: float, d2: float) -> None:
    f = f_exceeded(q, d1, d2)
    x = d2 / (d2 + d1 * f)
    back = scipy.special.betainc(0.5 * d2, 0.5 * d1, x)
    # An x close to 1 has not all of the digits.
    np.testing.assert_allclose(back, q, rtol=1e-10 + 1e-15 * (d1 + d2) / max(1 - x, 1e-5))
