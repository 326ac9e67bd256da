"""The comparison of a traced model with its function at the start and at the solution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from trace_fit_cases import T, Y, decay

import lmoo
from lmoo import CurveProblem, Solver, TraceError, TraceWarning, curve_fit
from lmoo.models.tracing.cache import Kind, traced
from lmoo.models.tracing.differences import mismatch


def deceive(monkeypatch: pytest.MonkeyPatch, other: Any, after: int) -> Any:
    """Make `decay` the trace of a function that computes something else from some call on."""
    calls = 0

    def f(t: Any, a: Any, b: Any) -> Any:
        nonlocal calls
        calls += 1
        return decay(t, a, b) if calls <= after else other(t, a, b)

    kind = Kind(2, points=T.size)
    found = traced(decay, kind)
    found.moved = True  # Not compared next to the start.
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
        return a * t + np.sqrt(b - 1.0)

    result = Solver().solve(CurveProblem(root, T, 3 * T + 1), [1.0, 1.0])
    assert result.evaluation == "called, because at the start a derivative is not finite"
    infinite = np.append(T, np.inf)
    result = Solver().solve(CurveProblem(decay, infinite, decay(infinite, 2, 1)), [1.0, 1.0])
    assert result.evaluation == "called, because at the start a derivative is not finite"
    np.testing.assert_allclose(result.x, [2.0, 1.0], rtol=1e-8)


def test_a_stack_whose_function_differs_at_a_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    found = traced(decay, Kind(2, points=T.size))
    monkeypatch.setattr("lmoo.batch.tracing.traced", lambda *args: found)

    def f(t: Any, a: Any, b: Any) -> Any:
        return a * np.exp(-b * t) * np.where(b > 1.2, 0.5, 1.0)

    y = np.stack([decay(T, 2.0, 1.1), decay(T, 2.0, 1.4)])
    with pytest.warns(TraceWarning, match=r"f differs from it at the solution of curve 1"):
        fits = lmoo.curve_fit_many(f, T, y, [1.0, 1.0])
    np.testing.assert_allclose(fits.x[0], [2.0, 1.1], rtol=1e-7)
    assert fits.evaluation.startswith("called, because at the solution of curve 1 the")
    with pytest.raises(TraceError, match="at the solution of curve 1"):
        lmoo.curve_fit_many(f, T, y, [1.0, 1.0], trace=True)
    fits = lmoo.curve_fit_many(f, T, y, [1.0, 1.3])
    assert fits.evaluation.startswith("called, because at the start of curve 0 the function has")


@pytest.mark.parametrize("threads", [1, 2])
def test_solutions_are_compared_while_others_are_solved(
    monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    """A difference in the first chunk ends the batch; one in a later chunk is found too."""
    found = traced(decay, Kind(2, points=T.size))
    monkeypatch.setattr("lmoo.batch.tracing.traced", lambda *args: found)
    monkeypatch.setattr("lmoo.batch.tasks._MOST_COMPILED", 512)
    rates = np.full(4096, 1.1)
    done: list[int] = []

    def f(t: Any, a: Any, b: Any) -> Any:
        return a * np.exp(-b * t) * np.where(b > 1.2, 0.5, 1.0)

    def fit() -> lmoo.Fits:
        y = decay(T, 2.0, rates[:, None])
        done.clear()
        return lmoo.curve_fit_many(
            f, T, y, [1.0, 1.0], threads=threads, progress=lambda k, total: done.append(k)
        )

    assert fit().evaluation.startswith("compiled")
    assert done == list(range(512, 4097, 512))
    rates[[3, 4000]] = 1.4
    with pytest.warns(TraceWarning, match=r"from it at the solution of curve 3 "):
        fits = fit()
    assert 512 not in done[:1]
    np.testing.assert_allclose(fits.x[5], [2.0, 1.1], rtol=1e-7)
    rates[3] = 1.1
    with pytest.warns(TraceWarning, match=r"from it at the solution of curve 4000"):
        fits = fit()
    assert done[0] == 512
    assert fits.evaluation.startswith("called, because at the solution of curve 4000")
