"""Traces are reused until the function or its dependencies change."""

from __future__ import annotations

import concurrent.futures
import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest
from trace_fit_cases import T, Y

from lmoo import CurveProblem, Solver, TraceError, curve_fit
from lmoo.models.tracing import cache
from lmoo.models.tracing.cache import Kind, traced


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
        with pytest.raises(TraceError, match="a branch depends"):
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
