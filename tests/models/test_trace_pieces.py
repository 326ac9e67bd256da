"""Functions that join arrays, apply functions to each point, ask for types, or read tables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import lmoo
from lmoo import CurveBlocks, CurveProblem, EvaluationError, Solver, TraceError
from lmoo.models.tracing.evaluation import evaluation_of

interpolate = pytest.importorskip("scipy.interpolate")

T = np.linspace(0.1, 3.0, 24)
EVEN = np.arange(24) % 2 == 0
PLACES = np.linspace(0.0, 7.0, 30)
CUBIC = interpolate.CubicSpline(PLACES, np.cos(PLACES))
B_SPLINE = interpolate.make_interp_spline(PLACES, np.cos(PLACES))
WITHIN = interpolate.PchipInterpolator(PLACES, np.cos(PLACES), extrapolate=False)


def circuit(w, r, s, c):
    return r + s / (1 + 1j * w * s * c)


def concatenated(w, r, s, c):
    z = circuit(w, r, s, c)
    return np.concatenate([z.real, z.imag])


def stacked(w, r, s, c):
    z = circuit(w, r, s, c)
    return np.hstack((np.real(z), np.imag(z)))


def by_r(w, r, s, c):
    z = circuit(w, r, s, c)
    return np.r_[abs(z), np.angle(z)]


def flattened(w, r, s, c):
    z = circuit(w, r, s, c)
    return 2.0 * np.stack([z.real, z.imag, abs(z)]).ravel()


def with_a_penalty(t, a, b, c):
    return np.append(a * np.exp(-b * t) + c, 0.1 * c)


def of_two_sets(t, a, b, c):
    return np.concatenate([a * np.exp(-b * t[:10]), c * np.exp(-b * t[10:])])


def of_split_sets(t, a, b, c):
    first, second = np.split(t, 2)
    return np.hstack([a * np.exp(-b * first), c * second + first.size])


def filled_by_slices(t, a, b, c):
    y = np.zeros(len(t))
    y[:7] = a * np.exp(-b * t[:7])
    y[7:] = c * t[7:]
    return y


def filled_by_masks(t, a, b, c):
    y = np.empty(t.size)
    y[EVEN], y[~EVEN] = a * np.exp(-b * t[EVEN]), c * t[~EVEN]
    return y


def each_inline(t, a, b, c):
    return c + np.vectorize(lambda u: a * math.exp(-b * u) if u > 1 else a * u)(t)


@np.vectorize
def special(u, a, b, c):
    if u == 0.1:
        return c
    return a * math.exp(-b * u) if u > c else b * u


def each_with_options(t, a, b, c):
    f = np.vectorize(lambda u, c: 0 if u < 0.5 else a * math.exp(-b * u) + c, otypes=[float])
    return f(t, c=c)


def each_of_a_table(t, a, b, c):
    f = np.vectorize(lambda u, p: sum(k * u**j for j, k in enumerate(p)), excluded={1})
    return f(t, [a, b, c])


def by_type(t, a, b, c):
    if isinstance(t, (list, tuple)):
        t = np.array(t)
    if not isinstance(t, np.ndarray) or isinstance(a, (int, np.ndarray)):
        return t
    return a * np.exp(-b * t) + c if isinstance(a, float) else t


def by_table(t, a, b, c):
    return a * np.interp(b * t, PLACES, np.cos(PLACES)) + c


def beyond_a_table(t, a, b, c):
    return a * np.interp(3.3 * b * t, PLACES, np.cos(PLACES), left=2.0, right=c)


def with_free_values(t, a, b, c):
    return np.interp(t, [0.0, 1.0, 2.0, 4.0], [a, b, c, 1.0])


def by_spline(t, a, b, c):
    return a * CUBIC(b * t) + c


def by_b_spline(t, a, b, c):
    return a * B_SPLINE(b * t) + c


def within_a_spline(t, a, b, c):
    return a * WITHIN(b * t) + c


def rejecting(t, a, b, c):
    if b <= 0:
        raise EvaluationError("b must be positive")
    return a * np.exp(-t / b) + c


@pytest.mark.parametrize(
    "f",
    [
        concatenated, stacked, by_r, flattened, with_a_penalty, of_two_sets, of_split_sets,
        filled_by_slices, filled_by_masks, each_inline, special, each_with_options,
        each_of_a_table, by_type, by_table, beyond_a_table, with_free_values, by_spline,
        by_b_spline, within_a_spline, rejecting,
    ],
)  # fmt: skip
def test_the_fit_is_that_of_the_function(f: Any) -> None:
    x = np.array([2.0, 0.93, 0.7])
    y = f(T, *x)
    y = y + 0.01 * np.std(y) * np.random.default_rng(3).standard_normal(y.size)
    found, expected = (
        Solver().solve(CurveProblem(f, T, y, trace=trace), 1.07 * x) for trace in (True, False)
    )
    assert found.evaluation.startswith("compiled from")
    assert found.cost == pytest.approx(expected.cost, rel=1e-10)
    errors = expected.stderr
    np.testing.assert_allclose((found.x - expected.x) / errors, 0.0, atol=1e-5)
    np.testing.assert_allclose(found.stderr, errors, rtol=1e-4)
    np.testing.assert_allclose(found.residual, f(T, *found.x) - y, rtol=1e-12)
    popt, pcov = lmoo.curve_fit(f, T, y, 1.07 * x, sigma=np.linspace(1, 2, y.size), trace=True)
    other, cov = lmoo.curve_fit(f, T, y, 1.07 * x, sigma=np.linspace(1, 2, y.size), trace=False)
    np.testing.assert_allclose((popt - other) / np.sqrt(np.diag(cov)), 0.0, atol=1e-5)
    np.testing.assert_allclose(pcov, cov, rtol=1e-4, atol=1e-4 * cov.max())


def reason(f: Any, y: Any = None, x: Any = (2.0, 0.93, 0.7), t: Any = T) -> str:
    y = f(t, *x) if y is None else y
    found: Any = evaluation_of(CurveProblem(f, t, y), np.array(x))
    return str(found.reason)


def test_what_is_refused() -> None:
    def integers(t, a, b, c):
        return np.vectorize(lambda u: 0 if u < -c else a * math.exp(-b * u))(t)

    def singles(t, a, b, c):
        return np.vectorize(lambda u: a * u, otypes=["f"])(t)

    def of_moved_places(t, a, b, c):
        return np.interp(t, [0.0, b, 5.0], [a, c, 1.0])

    def of_a_period(t, a, b, c):
        return a * np.interp(b * t, PLACES, np.cos(PLACES), period=2.0)

    def of_a_large_table(t, a, b, c):
        return a * np.interp(b * t, np.linspace(0, 7, 1000), np.linspace(0, 7, 1000) ** 2)

    def of_many(t, a, b, c):
        return np.concatenate([a * t[k : k + 1] for k in range(t.size)])

    def overlapping(t, a, b, c):
        return a * t[1:] * np.exp(-b * t[:-1])

    def split(t, a, b, c):
        return np.concatenate([a * t[..., :10], b * t[..., 10:] + c], axis=-1)

    def always_rejecting(t, a, b, c):
        raise EvaluationError("nowhere")

    def complex_parts(t, a, b, c):
        return np.concatenate([a * np.exp(1j * b * t), c * np.exp(1j * b * t)])

    assert "give it otypes=[float]" in reason(integers)
    assert "np.vectorize with a signature" in reason(singles)
    assert "places that depend on parameters" in reason(of_moved_places)
    assert "np.interp with a period" in reason(of_a_period)
    assert "has 1000 places; models have tables of up to 128" in reason(of_a_large_table)
    assert "more than 16 arrays" in reason(of_many)
    assert "has not one value for each point" in reason(overlapping, t=T)
    assert "arrays of complex numbers are joined" in reason(complex_parts, np.zeros(48))
    assert "a call with placeholders raised EvaluationError" in reason(always_rejecting, T)
    assert "there are 47 data for 48 points" in reason(concatenated, np.zeros(47))
    with pytest.raises(TraceError, match="arrays are joined; a model has one value for each"):
        lmoo.trace(concatenated)
    with pytest.raises(TraceError, match="points are selected by index"):
        lmoo.curve_fit_many(split, T, np.zeros((2, 24)), [[1.0, 1.0, 1.0]] * 2, trace=True)


def test_in_stacks_and_blocks() -> None:
    for f in (each_inline, by_type, by_table, by_spline):
        y = np.stack([f(T, *x) for x in ((2.0, 0.93, 0.7), (1.5, 0.91, 0.2))])
        problem = CurveBlocks(f, T, y[0], block_size=9)
        assert Solver().solve(problem, [2.1, 0.94, 0.6]).evaluation.startswith("compiled")
        start = [[2.1, 0.94, 0.6], [1.6, 0.92, 0.1]]
        fits = lmoo.curve_fit_many(f, T, y, start, trace=True, vectorized=False)
        np.testing.assert_allclose(fits.x, [(2.0, 0.93, 0.7), (1.5, 0.91, 0.2)], rtol=1e-6)


def test_a_trace_of_joined_arrays_is_that_of_all_numbers_of_points() -> None:
    for m in (10, 17):
        t = np.linspace(0.1, 2.0, m)
        y = concatenated(t, 2.0, 1.0, 0.5)
        result = Solver().solve(CurveProblem(concatenated, t, y, trace=True), [1.8, 1.1, 0.4])
        np.testing.assert_allclose(result.x, [2.0, 1.0, 0.5], rtol=1e-9)
        assert result.predict(t).shape == (2 * m,)


def test_tables_of_more_places_for_fewer_points() -> None:
    def f(t, a, b, c):
        return a * np.interp(b * t, np.linspace(0, 7, 100), np.cos(np.linspace(0, 7, 100))) + c

    for m, how in ((40, "compiled"), (2000, "called, because"), (40, "compiled")):
        t = np.linspace(0.1, 6.0, m)
        result = Solver().solve(CurveProblem(f, t, f(t, 2.0, 0.93, 0.7)), [2.1, 0.94, 0.6])
        assert result.evaluation.startswith(how)
        np.testing.assert_allclose(result.x, [2.0, 0.93, 0.7], rtol=1e-6)
