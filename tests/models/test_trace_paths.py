"""Functions that branch on their parameters, and arrays with further axes: traces are exact."""

from __future__ import annotations

import collections
import functools
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.interpolate
import scipy.special
import scipy.stats
from trace_cases import T

import lmoo
from lmoo.errors import TraceError

X = np.linspace(-2.0, 2.0, 17)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(5)
SPLINE = scipy.interpolate.CubicSpline(np.linspace(-1.0, 4.0, 9), np.cos(np.arange(9.0)))
Peak = collections.namedtuple("Peak", "a b")


def signs(t, a, b):
    if b > 0.0 and a > 0.0:
        return a * np.exp(-b * t)
    return b * t if a < b else a * t**2


def limits(t, a, b):
    b = max(b, 0.1)
    if a < b:
        a, b = b, a
    return min(a, 3.0) * np.exp(-b * t)


def nested(t, a, b):
    y = a * t
    for k in range(3):
        if b > k:
            y = y + k * b
    return y


def complex_paths(t, a, b):
    z = a * t + 1j * b if a > b else b * np.exp(1j * a * t)
    return z.real + 2 * z.imag


@pytest.mark.parametrize("f", [signs, limits, nested, complex_paths])
def test_all_paths_have_the_values_of_the_function(f: Any) -> None:
    model = lmoo.trace(f)
    for a in (-1.5, 0.05, 0.7, 2.5, 4.0, np.inf, np.nan):
        for b in (-1.0, 0.02, 0.6, 1.5, 2.2, np.nan):
            with np.errstate(all="ignore"):
                np.testing.assert_allclose(model(T, a, b), f(T, a, b), rtol=1e-13)


def test_conditions_are_known_on_the_paths_that_follow() -> None:
    def f(t, a):
        first = 1.0 if a > 0 else 2.0
        return first * t + (a if a > 0 else -a)

    assert str(lmoo.trace(f)) == "where(a > 0, t + a, 2*t - a)"


def test_a_branch_that_hides_a_parameter_is_not_taken_at_the_start() -> None:
    def f(t, a, b):
        return a * t if abs(b) < 1e-9 else a * np.expm1(b * t) / b

    y = f(T, 2.0, 0.7)
    near, there = (lmoo.Solver().solve(lmoo.CurveProblem(f, T, y), [1.0, b]) for b in (0.1, 0.0))
    assert near.evaluation == "compiled from f"
    assert "the branch that is taken does not depend on" in there.evaluation
    np.testing.assert_allclose([near.x, there.x], [[2.0, 0.7]] * 2, rtol=1e-6)


def test_refused_paths() -> None:
    def number_on_one(t, a):
        return a * t if a > 0 else 0.0

    def raising(t, a):
        if a < 0:
            raise ValueError(a)
        return a * t

    def of_points(t, a):
        return a * t if t > 0 else t

    for f, reason in (
        (number_on_one, "does not depend on its arguments"),
        (raising, "raised ValueError"),
        (of_points, "a branch depends on a value"),
    ):
        with pytest.raises(TraceError, match=reason):
            lmoo.trace(f)


def sums(x, a, b):
    shifts = np.array([a, b])
    one = np.sum(shifts * np.exp(-((x[:, None] - shifts) ** 2)), axis=1)
    two = (shifts[:, np.newaxis] * np.exp(-((x - shifts[:, None]) ** 2))).sum(axis=0)
    return one + 2 * two + np.cos(x.reshape(-1, 1) - shifts).mean(axis=1)


def products(x, a, b):
    ones = np.ones_like(x)
    one = np.vstack([ones, x]).T @ [a, b] + np.dot([a, b], np.stack([x, ones]))
    two = np.column_stack((ones, x)) @ np.array([a, b]) + np.vander(x, 3) @ [a, b, 1.0]
    return one + two + np.subtract.outer(x, [a, b]).sum(axis=1) + np.outer(x, [a, b])[..., 0]


def integrals(x, a, b):
    u = np.linspace(0, 1, 7)
    one = np.sum(WEIGHTS * np.exp(-a * x[:, None] * NODES), axis=1)
    inner = np.exp(-b * x[:, None] * u)
    return one + ((inner[:, 1:] + inner[:, :-1]) / 2 * np.diff(u)).sum(axis=1)


def selections(x, a, b):
    y, z = np.zeros(x.size), np.full(x.shape, b)
    y[x > 0.5] = a * x[x > 0.5]
    z[np.where(x < 0)] = a
    z[np.nonzero(x > 1)] *= 2.0
    return y + z + np.ones(len(x))


def tables(x, a, b):
    peak = Peak(a, b)
    y = functools.reduce(lambda s, c: s * x + c, peak)
    return y + peak.a * SPLINE(x) + np.poly1d([a, b])(x)


def densities(x, a, b):
    s = scipy.stats
    y = s.norm.pdf(x, a, b) + s.norm.cdf(x, loc=a, scale=b) + s.norm.logpdf(x, a, b)
    y = (
        y
        + s.cauchy.pdf(x, a, b)
        + s.cauchy.cdf(x, a)
        + s.logistic.pdf(x, a, b)
        + s.logistic.cdf(x, a)
    )
    y = y + s.laplace.pdf(x, a, b) + s.expon.pdf(x, a, b) + s.expon.cdf(x, scale=b)
    y = (
        y
        + s.rayleigh.pdf(x, scale=a)
        + s.lognorm.pdf(x, a, scale=b)
        + s.gamma.pdf(x, a + 1, scale=b)
    )
    y = y + s.weibull_min.pdf(x, a, loc=-3.0, scale=b)
    return (
        y + scipy.special.factorial(x + 3 * b) + scipy.special.jv(0, a * x) + scipy.special.jv(1, x)
    )


@pytest.mark.parametrize("f", [sums, products, integrals, selections, tables, densities])
def test_fits_with_further_axes_and_tables(f: Any) -> None:
    y = f(X, 0.8, 0.6) + 0.01 * np.cos(50 * X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        traced, called = (
            lmoo.Solver().solve(lmoo.CurveProblem(f, X, y, trace=trace), [0.85, 0.55])
            for trace in (True, False)
        )
    np.testing.assert_allclose(traced.x, called.x, rtol=1e-6)
    np.testing.assert_allclose(traced.cost, called.cost, rtol=1e-9)


def test_densities_outside_of_their_parameters() -> None:
    model = lmoo.CurveProblem(lambda t, a, b: scipy.stats.gamma.pdf(t, a, scale=b), T, T)
    for x in ([-1.0, 1.0], [1.0, -1.0]):
        with pytest.raises(lmoo.EvaluationError):
            lmoo.Solver().solve(model, x)


def test_indices_are_used_to_select_points_only() -> None:
    with pytest.raises(TraceError, match="Indices in arithmetic"):
        lmoo.trace(lambda t, a: a * t + np.where(t > 1)[0])
    with pytest.raises(TraceError, match="indices of points are used other than"):
        lmoo.trace(lambda t, a: a * t + np.where(t > 1)[0][0])
    with pytest.raises(TraceError, match="indices of points are used other than"):
        lmoo.trace(lambda t, a: a * t + len(np.flatnonzero(t > 1)))
    with pytest.raises(TraceError, match="is not a function that models support"):
        lmoo.trace(lambda t, a: scipy.special.jve(2, a * t))


class Settings:
    offset = 0.5

    @classmethod
    def model(cls, t, a):
        return a * t + cls.offset


def test_attributes_of_classes() -> None:
    assert str(lmoo.trace(Settings.model)) == "a*t + 0.5"
    y = Settings.model(T, 2.0)
    problem = lmoo.CurveProblem(Settings.model, T, y)
    np.testing.assert_allclose(lmoo.Solver().solve(problem, [1.0]).x, [2.0])
    Settings.offset = 1.0
    try:
        found = lmoo.Solver().solve(lmoo.CurveProblem(Settings.model, T, y + 0.5), [1.0])
        assert found.evaluation.startswith("compiled")
        np.testing.assert_allclose(found.x, [2.0])
    finally:
        Settings.offset = 0.5
