"""Fits whose models are traced: the same answers as with trace=False, and the checks of that."""

from __future__ import annotations

import concurrent.futures
import copy
import gc
import pickle
import threading
import warnings
import weakref
from typing import Any

import adversarial
import numpy as np
import pytest
import scipy.optimize

import lmoo
from lmoo import CurveBlocks, CurveProblem, Solver, TraceError, TraceWarning, curve_fit
from lmoo.models.tracing import cache
from lmoo.models.tracing.cache import Kind, traced
from lmoo.models.tracing.evaluation import mismatch

T = np.linspace(0.0, 4.0, 40)
Y = 2.0 * np.exp(-1.3 * T) + 0.01 * np.cos(7 * T)


def decay(t, a, b):
    return a * np.exp(-b * t)


def decay_with_offset(t, a, b, c):
    return a * np.exp(-b * t) + c


# ============================================================================ adversarial functions


def fitted(name: str, trace: Any) -> tuple[Any, Any]:
    """The fit of a fresh function, and its effects."""
    f, effects = adversarial.MAKERS[name]()
    with warnings.catch_warnings():
        # Fits that are hampered by what the function does may warn of their covariance.
        warnings.simplefilter("ignore", lmoo.OptimizeWarning)
        try:
            found: Any = curve_fit(f, T, Y, [1.0, 1.0], trace=trace, maxfev=200)[0]
        except Exception as error:
            found = type(error)
    return found, copy.deepcopy(effects) if type(effects) is not object else effects


@pytest.mark.parametrize("name", adversarial.MAKERS)
def test_no_function_gets_another_answer_than_without_a_trace(name: str) -> None:
    expected, before = fitted(name, False)
    found, after = fitted(name, "auto")
    if isinstance(expected, type):
        assert found is expected
        return
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)
    # What has effects is called each time, so that it has as many.
    if isinstance(before, np.ndarray):
        np.testing.assert_array_equal(after, before)
    elif before is not None:
        assert after == before


def test_there_are_at_least_fifty_of_them() -> None:
    assert len(adversarial.MAKERS) >= 50


def test_effects_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    f, _ = adversarial.MAKERS["printing"]()
    _, _, info, _, _ = curve_fit(f, T, Y, [1.0, 1.0], full_output=True)
    assert capsys.readouterr().err.count("called") >= info["nfev"]


# ============================================================================ what the result says


def test_a_fit_says_how_its_model_was_evaluated() -> None:
    def branching(t, a, b):
        return a * t if b > 5 else a * np.exp(-b * t)

    solve = Solver().solve
    for problem, said in {
        CurveProblem(decay, T, Y): "compiled from decay",
        CurveProblem(decay, T, Y, trace=False): "called, because trace is False",
        CurveProblem(
            decay, T, Y, jac=lmoo.trace(decay).jacobian
        ): "called, because its derivatives",
        CurveProblem(branching, T, Y): "called, because test_trace_fits.py:",
        CurveProblem(lmoo.trace(decay), T, Y): "compiled from Model('a*exp(-b*t)')",
        CurveProblem(decay, T, Y, np.eye(T.size)): "called, because sigma is a covariance matrix",
        CurveProblem(lambda t, a, b: decay(t[0], a, b), (T,), Y): "called, because t is a tuple",
        CurveBlocks(decay, T, Y, block_size=7): "compiled from decay",
        CurveBlocks(decay, T, Y, trace=False): "called, because trace is False",
        lmoo.FunctionProblem(lambda x: decay(T, *x) - Y): "called",
    }.items():
        result = solve(problem, [1.0, 1.0])
        assert result.evaluation.startswith(said)
        np.testing.assert_allclose(result.x, [2.0, 1.3], rtol=0.01)
    reason = solve(CurveProblem(branching, T, Y), [1.0, 1.0]).evaluation
    assert "a branch is taken by a value" in reason
    assert reason.endswith("return a * t if b > 5 else a * np.exp(-b * t)")
    given = Solver(jacobian=lmoo.ForwardDifference()).solve(CurveProblem(decay, T, Y), [1.0, 1.0])
    assert given.evaluation.startswith(
        "called, because the solver has the Jacobian strategy Forward"
    )


def test_the_residual_is_that_of_the_function() -> None:
    for sigma in (None, 0.2, np.linspace(0.1, 0.3, T.size)):
        problem = CurveProblem(decay, T, Y, sigma)
        result = Solver().solve(problem, [1.0, 1.0])
        np.testing.assert_array_equal(result.residual, problem.residual(result.x))
    popt, _, info, _, ier = curve_fit(decay, T, Y, full_output=True)
    np.testing.assert_array_equal(info["fvec"], decay(T, *popt) - Y)
    assert sorted(info) == ["fjac", "fvec", "ipvt", "nfev", "qtf"]
    assert ier in (1, 2, 3, 4)


def test_counts_are_those_of_what_was_done() -> None:
    calls = 0

    class Model(lmoo.models.Model):
        def __call__(self, *args: Any) -> Any:
            nonlocal calls
            calls += 1
            return super().__call__(*args)

    source = lmoo.trace(decay)
    model = Model(source.steps, source.variables, source.parameter_names)
    result = Solver().solve(CurveProblem(model, T, Y), [1.0, 1.0])
    assert result.nfev > 2
    assert result.njev > 0
    assert calls == 2


def test_answers_are_those_of_scipy() -> None:
    for p0, options in {
        None: {},
        (2.0, 1.0): {"sigma": np.linspace(0.1, 0.3, T.size), "absolute_sigma": True},
        (1.5, 0.5): {"bounds": ([0, 0], [1.9, 5])},
    }.items():
        ours, theirs = (
            f(decay, T, Y, p0, **options) for f in (curve_fit, scipy.optimize.curve_fit)
        )
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
        if "bounds" not in options:
            np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5)


# ============================================================================ the option


@pytest.mark.parametrize("trace", [None, "never", 1, "True"])
def test_the_option_is_checked(trace: Any) -> None:
    match = 'trace must be True, False or "auto"'
    with pytest.raises(ValueError, match=match):
        curve_fit(decay, T, Y, trace=trace)
    with pytest.raises(ValueError, match=match):
        CurveProblem(decay, T, Y, trace=trace)
    with pytest.raises(ValueError, match=match):
        CurveBlocks(decay, T, Y, trace=trace)
    with pytest.raises(ValueError, match=match):
        lmoo.curve_fit_many(decay, T, np.array([Y, Y]), [1.0, 1.0], trace=trace)


def test_a_trace_that_must_be_there() -> None:
    def branching(t, a, b):
        return a * t if b > 5 else a * np.exp(-b * t)

    np.testing.assert_allclose(curve_fit(decay, T, Y, trace=True)[0], [2.0, 1.3], rtol=0.01)
    stack = np.array([Y, Y])
    for call in (
        lambda: curve_fit(branching, T, Y, trace=True),
        lambda: Solver().solve(CurveProblem(branching, T, Y, trace=True), [1.0, 1.0]),
        lambda: Solver().solve(CurveBlocks(branching, T, Y, trace=True), [1.0, 1.0]),
        lambda: lmoo.curve_fit_many(branching, T, stack, [1.0, 1.0], vectorized=False, trace=True),
    ):
        with pytest.raises(TraceError, match="a branch is taken by a value"):
            call()
    with pytest.raises(TraceError, match="jac is '3-point'"):
        curve_fit(decay, T, Y, jac="3-point", trace=True)
    with pytest.raises(TraceError, match="steps of differences are given"):
        curve_fit(decay, T, Y, epsfcn=1e-8, trace=True)


# ============================================================================ the checks


class Deceiving:
    """A function that cannot be told from `decay` while it is traced, and is another later."""

    calls = 0

    def __init__(self, other: Any, after: int) -> None:
        self.other, self.after = other, after


def deceive(monkeypatch: pytest.MonkeyPatch, other: Any, after: int) -> Any:
    """Make `decay` the trace of a function that computes something else from some call on."""
    calls = 0

    def f(t: Any, a: Any, b: Any) -> Any:
        nonlocal calls
        calls += 1
        return decay(t, a, b) if calls <= after else other(t, a, b)

    kind = Kind(2, points=T.size)
    found = traced(decay, kind)
    for module in ("evaluation",):
        monkeypatch.setattr(f"lmoo.models.tracing.{module}.traced", lambda *args: found)
    return f


def test_values_that_differ_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    f = deceive(monkeypatch, lambda t, a, b: 0.5 * a * np.exp(-b * t), 0)
    result = Solver().solve(CurveProblem(f, T, Y), [1.0, 1.0])
    np.testing.assert_allclose(result.x, [4.0, 1.3], rtol=0.01)
    assert result.evaluation.startswith(
        "called, because at the start the function has the value 0.5 for t = 0, and its trace 1"
    )
    with pytest.raises(TraceError, match="at the start the function has the value"):
        Solver().solve(CurveProblem(f, T, Y, trace=True), [1.0, 1.0])


def test_values_that_differ_at_the_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    f = deceive(monkeypatch, lambda t, a, b: 0.5 * a * np.exp(-b * t), 1)
    match = r"traced from .*f differs from it at the solution: the function has the value 1\.0\d* "
    with pytest.warns(TraceWarning, match=match):
        result = Solver().solve(CurveProblem(f, T, Y), [1.0, 1.0], history=True)
    np.testing.assert_allclose(result.x, [4.0, 1.3], rtol=0.01)
    assert result.evaluation.startswith("called, because at the solution the function has")
    assert len(result.history) == result.nit
    f = deceive(monkeypatch, lambda t, a, b: 0.5 * a * np.exp(-b * t), 1)
    with pytest.warns(TraceWarning, match="trace=False makes it so at once"):
        popt = curve_fit(f, T, Y)[0]
    np.testing.assert_allclose(popt, [4.0, 1.3], rtol=0.01)
    f = deceive(monkeypatch, lambda t, a, b: 0.5 * a * np.exp(-b * t), 1)
    with pytest.warns(TraceWarning), np.errstate(all="ignore"):
        records = list(Solver().iterate(CurveProblem(f, T, Y), [1.0, 1.0]))
    np.testing.assert_allclose(records[-1].x, [4.0, 1.3], rtol=0.01)
    f = deceive(monkeypatch, lambda t, a, b: 0.5 * a * np.exp(-b * t), 1)
    with pytest.raises(TraceError, match="at the solution the function has the value"):
        Solver().solve(CurveProblem(f, T, Y, trace=True), [1.0, 1.0])


def test_an_exception_at_the_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(t: Any, a: Any, b: Any) -> Any:
        raise KeyError("mine")

    f = deceive(monkeypatch, broken, 1)
    with (
        pytest.warns(TraceWarning, match=r"the function raised KeyError\('mine'\)"),
        pytest.raises(KeyError, match="mine"),
    ):
        Solver().solve(CurveProblem(f, T, Y), [1.0, 1.0])


def test_rounding_is_no_difference() -> None:
    """Cancelling terms, and phases that a rounding of the period changes."""

    def orbit(t, a, period):
        return a * np.sin(2 * np.pi * t / period)

    days = 2.45e6 + np.linspace(0.0, 20.0, 60)
    y = orbit(days, 1.5, 3.7) + 0.01 * np.cos(days)
    result = Solver().solve(CurveProblem(orbit, days, y), [1.0, 3.7])
    assert result.evaluation == "compiled from orbit"

    def cancelling(t, a, b):
        return (a * t + 1e9) - 1e9 + b

    result = Solver().solve(CurveProblem(cancelling, T, 2 * T + 1), [1.0, 1.0])
    assert result.evaluation == "compiled from cancelling"
    model = traced(cancelling, Kind(2, points=T.size)).model
    x = np.array([1.0, 1.0])
    value = cancelling(T, *x)
    assert mismatch(model, T[None], x, value) is None
    value[3] += 1e-2
    assert "for t = 0.3076923077" in str(mismatch(model, T[None], x, value))
    value[3] = np.nan
    assert "the value nan" in str(mismatch(model, T[None], x, value))


def test_where_a_derivative_has_no_value_the_function_is_called() -> None:
    def root(t, a, b):
        return a * np.sqrt(b * t)

    result = Solver().solve(CurveProblem(root, T, np.sqrt(3 * T)), [1.0, 1.0])
    assert result.evaluation == "called, because at the start a derivative is not finite"
    infinite = np.append(T, np.inf)
    result = Solver().solve(CurveProblem(decay, infinite, decay(infinite, 2, 1)), [1.0, 1.0])
    assert result.evaluation == "called, because at the start a derivative is not finite"
    np.testing.assert_allclose(result.x, [2.0, 1.0], rtol=1e-8)


# ============================================================================ the cache


def test_a_trace_is_kept_until_something_changes() -> None:
    scale, table = 2.0, np.array([1.0, 2.0])

    def f(t, a):
        return a * scale * t + table[0]

    kind = Kind(1, points=5)
    first = traced(f, kind)
    assert traced(f, kind) is first
    assert traced(f, Kind(1, points=6)) is first
    scale = 3.0
    second = traced(f, kind)
    assert second is not first
    np.testing.assert_array_equal(second.model(T, 2.0), 6.0 * T + 1)
    table[0] = 5.0
    np.testing.assert_array_equal(traced(f, kind).model(T, 2.0), 6.0 * T + 5)
    f.__defaults__ = (4.0,)
    assert traced(f, kind) is not second


def test_globals_and_attributes_are_looked_at() -> None:
    class Line:
        slope = 2.0

        def f(self, t, a):
            return a * t * self.slope

    line, other = Line(), Line()
    other.slope = 3.0
    kind = Kind(1, points=5)
    assert traced(line.f, kind) is traced(line.f, kind)
    np.testing.assert_array_equal(traced(other.f, kind).model(T, 1.0), 3 * T)
    np.testing.assert_array_equal(traced(line.f, kind).model(T, 1.0), 2 * T)
    line.slope = 5.0
    np.testing.assert_array_equal(traced(line.f, kind).model(T, 1.0), 5 * T)
    globals()["CHANGING"] = 2.0
    f = eval("lambda t, a: a * t * CHANGING", globals())
    assert traced(f, kind).model(1.0, 1.0) == 2.0
    globals()["CHANGING"] = 4.0
    assert traced(f, kind).model(1.0, 1.0) == 4.0


def test_closures_that_change_between_fits() -> None:
    power = 1.0

    def f(t, a, b):
        return a * np.exp(-b * t**power)

    for other in (1.0, 1.5, 0.5):
        power = other
        y = f(T, 2.0, 1.3)
        result = Solver().solve(CurveProblem(f, T, y), [1.0, 1.0])
        np.testing.assert_allclose(result.x, [2.0, 1.3], rtol=1e-8)
        # At t = 0 the derivative by b has a value for these powers.
        assert result.evaluation.startswith("compiled")


def test_functions_are_not_kept_alive() -> None:
    def f(t, a):
        return a * t

    gone, key = weakref.ref(f), id(f)
    traced(f, Kind(1, points=5))
    assert key in cache._entries
    del f
    gc.collect()
    assert gone() is None
    assert key not in cache._entries


def test_refusals_are_kept_too() -> None:
    calls: list[int] = []

    def f(t, a):
        return a * t if a > 0 else t

    for _ in range(2):
        with pytest.raises(TraceError, match="a branch is taken"):
            traced(f, Kind(1, points=5))
    assert len(cache._entries[id(f)][1]) == 1
    assert not calls


def test_threads_share_traces() -> None:
    def f(t, a, b):
        return a * np.exp(-b * t)

    barrier = threading.Barrier(8)

    def solve(k: int) -> Any:
        barrier.wait()
        return [curve_fit(f, T, (1 + k) * Y)[0] for _ in range(5)]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(solve, range(8)))
    for k, points in enumerate(found):
        for point in points:
            np.testing.assert_allclose(point[0], (1 + k) * found[0][0][0], rtol=1e-7)


# ============================================================================ other drivers


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


def test_a_stack_whose_function_differs_at_a_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    found = traced(decay, Kind(2, points=T.size))
    monkeypatch.setattr("lmoo.batch.tracing.traced", lambda *args: found)

    def f(t: Any, a: Any, b: Any) -> Any:
        return a * np.exp(-b * t) * np.where(b > 1.2, 0.5, 1.0)

    y = np.stack([decay(T, 2.0, 1.1), decay(T, 2.0, 1.4)])
    with pytest.warns(TraceWarning, match=r"f differs from it at the solution of a curve from 0"):
        fits = lmoo.curve_fit_many(f, T, y, [1.0, 1.0])
    np.testing.assert_allclose(fits.x[0], [2.0, 1.1], rtol=1e-7)
    assert fits.evaluation.startswith("called, because at the solution of a curve")
    with pytest.raises(TraceError, match="at the solution of a curve"):
        lmoo.curve_fit_many(f, T, y, [1.0, 1.0], trace=True)
    fits = lmoo.curve_fit_many(f, T, y, [1.0, 1.3])
    assert fits.evaluation.startswith("called, because at the start of curve 0 the function has")


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
