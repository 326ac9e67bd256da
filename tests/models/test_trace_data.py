"""Traced models of arrays, several variables, blocks and stacks; pickled solves."""

from __future__ import annotations

import concurrent.futures
import pickle
from typing import Any

import numpy as np
import pytest
from trace_fit_cases import T, Y, decay

import lmoo
from lmoo import CurveBlocks, CurveProblem, Solver
from lmoo.models.tracing.cache import Kind, traced


def decay_with_offset(t, a, b, c):
    return a * np.exp(-b * t) + c


def test_arrays_of_the_functions_own_are_variables() -> None:
    weights = np.linspace(1.0, 2.0, T.size)

    def f(t, a, b):
        return a * weights * np.exp(-b * T) + np.ones(len(t))

    result = Solver().solve(CurveProblem(f, T, f(T, 2.0, 1.3)), [1.0, 1.0])
    assert result.evaluation.startswith("compiled from")
    np.testing.assert_allclose(result.x, [2.0, 1.3], rtol=1e-9)
    weights[:] = 1.0
    result = Solver().solve(CurveProblem(f, T, f(T, 2.0, 1.3)), [1.0, 1.0])
    assert result.evaluation.startswith("compiled from")
    np.testing.assert_allclose(result.x, [2.0, 1.3], rtol=1e-9)


def test_sums_in_an_array_of_zeros_are_compiled() -> None:
    def peaks(t, *p):
        out = np.zeros(len(t))
        for height, place in zip(p[::2], p[1::2], strict=True):
            out += height * np.exp(-((t - place) ** 2))
        return out

    true = np.array([2.0, 1.0, 1.0, 3.0])
    result = Solver().solve(CurveProblem(peaks, T, peaks(T, *true)), true + 0.1)
    assert result.evaluation == "compiled from peaks"
    np.testing.assert_allclose(result.x, true, rtol=1e-9)


def test_values_that_are_not_one_after_the_other_in_memory() -> None:
    def f(t, a, b):
        return (a * np.exp((2j - b) * t)).real

    y = f(T, 2.0, 1.3).copy()
    for problem in (
        CurveProblem(f, T, y),
        CurveBlocks(f, T, y, 7),
        lmoo.JointProblem([CurveProblem(f, T, y)], shared=["a", "b"]),
    ):
        result = Solver().solve(problem, [1.5, 1.0])
        assert result.evaluation.startswith("compiled from f")
        np.testing.assert_allclose(result.x, [2.0, 1.3], rtol=1e-9)
    fits = lmoo.curve_fit_many(f, T, [y, y], [1.5, 1.0])
    assert fits.evaluation.startswith("compiled from")
    np.testing.assert_allclose(fits.x, [[2.0, 1.3]] * 2, rtol=1e-9)


def test_several_variables_in_an_array_or_a_tuple() -> None:
    def plane(point, a, b, c):
        u, v = point
        return a * u + b * v * point[0] + c

    u, v = np.random.default_rng(3).normal(size=(2, 50))
    y = plane((u, v), 1.0, 2.0, 3.0)
    for t in (np.array([u, v]), (u, v)):
        result = Solver().solve(CurveProblem(plane, t, y), [0.0, 0.0, 0.0])
        assert result.evaluation == "compiled from plane"
        np.testing.assert_allclose(result.x, [1.0, 2.0, 3.0], rtol=1e-9)
    result = Solver().solve(CurveBlocks(plane, np.array([u, v]), y, 20), [0.0, 0.0, 0.0])
    assert result.evaluation == "compiled from plane"
    np.testing.assert_allclose(result.x, [1.0, 2.0, 3.0], rtol=1e-9)


def test_blocks_are_the_same_compiled_and_called() -> None:
    t = np.linspace(0, 4, 5000)
    y = decay_with_offset(t, 2.0, 1.3, 0.5) + 0.01 * np.cos(50 * t)
    for sigma in (None, 0.1, np.linspace(0.1, 0.2, t.size)):
        one, two = (
            Solver().solve(CurveBlocks(decay_with_offset, t, y, 700, sigma, trace=trace), [1, 1, 0])
            for trace in (True, False)
        )
        np.testing.assert_allclose(one.x, two.x, rtol=1e-7)
        np.testing.assert_allclose(one.standard_errors, two.standard_errors, rtol=1e-5)
        assert one.nfev < two.nfev
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        problem = CurveBlocks(decay_with_offset, t, y, 700, executor=pool)
        assert Solver().solve(problem, [1, 1, 0]).evaluation == "compiled from decay_with_offset"
        assert problem.f is decay_with_offset
    compiled = problem.compiled_from(traced(decay_with_offset, Kind(3, points=9)).model)
    again = pickle.loads(pickle.dumps(compiled))
    np.testing.assert_array_equal(again.f(t, 1.0, 1.0, 0.0), compiled.f(t, 1.0, 1.0, 0.0))


def test_a_stack_is_the_same_compiled_and_called() -> None:
    rng = np.random.default_rng(2)
    truth = rng.uniform(0.5, 2.0, (300, 3))
    y = decay_with_offset(T, *truth.T[:, :, None]) + 0.01 * rng.normal(size=(300, T.size))
    y[3, 4:9] = np.nan
    options: Any = {"p0": [1, 1, 0], "nan_policy": "omit"}
    compiled = lmoo.curve_fit_many(decay_with_offset, T, y, **options)
    called = lmoo.curve_fit_many(decay_with_offset, T, y, trace=False, **options)
    assert compiled.evaluation == "compiled from decay_with_offset"
    assert called.evaluation == "called, because trace is False"
    np.testing.assert_allclose(compiled.x, called.x, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(compiled.stderr, called.stderr, rtol=1e-4)
    one = compiled[3]
    np.testing.assert_array_equal(one.x, compiled.x[3])
    assert one.evaluation == "compiled from decay_with_offset"
    np.testing.assert_array_equal(one.residual, one.problem.residual(one.x))
    alone = lmoo.curve_fit_many(decay_with_offset, T, y, vectorized=False, **options)
    assert alone.evaluation == "compiled from decay_with_offset"
    many = lmoo.curve_fit_many(
        lambda t, a, b: a * t[0] + b * t[1], (T, T**2), np.array([T, T**2]), [1.0, 1.0]
    )
    np.testing.assert_allclose(many.x, [[1, 0], [0, 1]], atol=1e-9)
    assert many.evaluation.startswith("compiled")
    each = lmoo.curve_fit_many(decay, np.stack([T, 2 * T]), np.stack([Y, Y]), [1.0, 1.0])
    np.testing.assert_allclose(each.x[0, 1], 2 * each.x[1, 1], rtol=1e-8)
    assert lmoo.curve_fit_many(lmoo.models.Exponential(), T, y[:2]).evaluation == "compiled"


def test_a_solve_in_the_middle_is_pickled_and_goes_on() -> None:
    steps = Solver().iterate(CurveProblem(decay, T, Y), [1.0, 1.0])
    next(steps)
    again = pickle.loads(pickle.dumps(steps))
    assert [step.cost for step in steps] == [step.cost for step in again]
    assert again.result.evaluation == steps.result.evaluation == "compiled from decay"
    np.testing.assert_array_equal(again.result.residual, steps.result.residual)


def test_leastsq_never_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> Any:
        raise AssertionError("traced")

    monkeypatch.setattr("lmoo.models.tracing.evaluation.traced", refuse)
    x, _ = lmoo.leastsq(lambda x: decay(T, *x) - Y, [1.0, 1.0])
    np.testing.assert_allclose(x, [2.0, 1.3], rtol=0.01)


def function_of_the_points() -> Any:
    def by_the_points(t, a, b):
        shifted = (t - t.mean()) / np.ptp(t) + t[0] - t[np.argmax(t)] + t[t > 1.0].min()
        table = np.interp(t, [0.0, 2.0, 4.0], [0.0, 1.0, 0.5]) + np.cumsum(t) / np.sum(t)
        if np.all(t >= 0.0) and not (t > 1e3).any():
            return a * np.exp(-b * shifted) + a * table
        return a * t

    return by_the_points


def test_numbers_of_the_points_are_constants() -> None:
    by_the_points = function_of_the_points()
    for t in (T, T + 0.5, T[::2].copy()):
        y = by_the_points(t, 2.0, 1.3)
        result = Solver().solve(CurveProblem(by_the_points, t, y), [1.0, 1.0])
        assert result.evaluation == "compiled from by_the_points"
        np.testing.assert_allclose(result.x, [2.0, 1.3], rtol=1e-9)
        assert result.njev < result.nfev < 12
    # A trace for each of many curves would take longer than calls.
    y = by_the_points(T + 1.0, 2.0, 1.3)
    result = Solver().solve(CurveProblem(by_the_points, T + 1.0, y), [1.0, 1.0])
    assert "combines points" in result.evaluation


def test_points_that_are_changed_in_place_are_other_points() -> None:
    def shifted(t, a, b):
        return a * np.exp(-b * (t - t[0]))

    t = T.copy()
    for _ in range(2):
        t *= 1.1
        t += 0.5
        y = shifted(t, 2.0, 1.3)
        np.testing.assert_allclose(
            lmoo.curve_fit(shifted, t, y, [1.0, 1.0], trace=True)[0], [2.0, 1.3], rtol=1e-9
        )


def test_points_of_several_curves_are_not_constants() -> None:
    by_the_points = function_of_the_points()
    y = by_the_points(T, 2.0, 1.3)
    problem = CurveProblem(by_the_points, T, y)
    joint = lmoo.JointProblem([problem, problem], shared=["a", "b"])
    for many in (CurveBlocks(by_the_points, T, y, 40), joint):
        result = Solver().solve(many, [1.5, 1.0])
        assert result.evaluation.startswith("called, because") or many is joint
        np.testing.assert_allclose(result.x, [2.0, 1.3], rtol=1e-6)
    fits = lmoo.curve_fit_many(by_the_points, [T, T + 0.5], [y, y], [1.5, 1.0], vectorized=False)
    assert fits.evaluation.startswith("called, because")
    np.testing.assert_allclose(fits.x[0], [2.0, 1.3], rtol=1e-6)
    # In the other order: what is known of one fit is no answer for others.
    result = Solver().solve(problem, [1.5, 1.0])
    assert result.evaluation == "compiled from by_the_points"


@pytest.mark.parametrize(
    "f",
    [
        lambda t, a, b: a * np.exp(-b * (t - np.exp(-b * t).mean())),
        lambda t, a, b: a**2 * np.exp(-b * t) / (a * t).max(),
        lambda t, a, b: (a * np.exp(-b * t))[0] * t + b,
        lambda t, a, b: a * np.exp(-b * t[:20]).repeat(2),
        lambda t, a, b: a * np.sort(np.exp(-b * t)),
    ],
)
def test_reductions_of_values(f: Any) -> None:
    found = lmoo.curve_fit(f, T, f(T, 2.0, 1.3), [1.5, 1.0], full_output=True)
    expected = lmoo.curve_fit(f, T, f(T, 2.0, 1.3), [1.5, 1.0], trace=False)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-12)


def test_steps_and_kinks_are_solved_by_differences_where_derivatives_fail() -> None:
    """The derivatives of a step between two points are 0 there."""

    def step(t, a, b):
        with np.errstate(over="ignore"):
            return a / (1.0 + np.exp(800.0 * b * (t - 1.0)))

    t = np.linspace(0.1, 4.0, 40)
    y = decay(t, 2.0, 1.3) + 0.01 * np.random.default_rng(0).standard_normal(40)
    solved = Solver().solve(CurveProblem(step, t, y), [1.0, 1.0])
    assert solved.evaluation == "called, because no minimum was found with the compiled model"
    found = lmoo.curve_fit(step, t, y, [1.0, 1.0])[0]
    np.testing.assert_array_equal(found, lmoo.curve_fit(step, t, y, [1.0, 1.0], trace=False)[0])
