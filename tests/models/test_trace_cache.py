"""Traces are reused until the function or its dependencies change."""

from __future__ import annotations

import concurrent.futures
import copy
import functools
import gc
import threading
import types
import warnings
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
    scale = 2.0

    def f(t, a):
        return scale * a * t

    gone, key = weakref.ref(f), id(f)
    traced(f, Kind(1, points=5))
    assert key in cache._entries
    del f
    gc.collect()
    assert gone() is None
    assert key not in cache._entries


def test_functions_of_the_same_code_share_a_trace() -> None:
    def made(scale: float = 2.0) -> Any:
        return lambda t, a, b=scale: a * t + b

    def closed(scale: float) -> Any:
        return lambda t, a: a * t * scale

    kind = Kind(1, points=5)
    plain = [lambda t, a: a * np.exp(t) for _ in range(2)]
    assert plain[0] is not plain[1]
    assert traced(plain[0], kind) is traced(plain[1], kind)
    # Defaults, closures and global names are those of each.
    assert traced(made(1.0), kind).model(1.0, 1.0) == 2.0
    assert traced(made(5.0), kind).model(1.0, 1.0) == 6.0
    assert traced(closed(2.0), kind).model(1.0, 1.0) == 2.0
    assert traced(closed(3.0), kind).model(1.0, 1.0) == 3.0
    f = eval("lambda t, a: a * t * CHANGING", {"CHANGING": 2.0})
    g = types.FunctionType(f.__code__, {"CHANGING": 7.0})
    assert [traced(h, kind).model(1.0, 1.0) for h in (f, g, f)] == [2.0, 7.0, 2.0]


def test_refusals_are_kept_too() -> None:
    calls: list[int] = []

    def f(t, a):
        return a * t if a > 0 else t

    for _ in range(2):
        with pytest.raises(TraceError, match="a branch depends"):
            traced(f, Kind(1, points=5))
    assert len(cache._entries[id(f.__code__)][1]) == 1
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


ZEROS = np.zeros(5)


def array_default(t, a, k=ZEROS):
    return a * t + k


def array_keyword(t, a, *, k=ZEROS):
    return a * t + k


def nested_default(t, a, k=((1.0, [ZEROS]),)):
    return a * t + k[0][1][0]


def replaced_defaults(f: Any) -> None:
    f.__defaults__ = (np.ones(5),)


def replaced_keyword(f: Any) -> None:
    f.__kwdefaults__["k"] = np.ones(5)


def replaced_list(f: Any) -> None:
    f.__defaults__[0][0][1][0] = np.ones(5)


def replaced_nested(f: Any) -> None:
    f.__defaults__ = (((1.0, [np.ones(5)]),),)


def changed_nested(f: Any) -> None:
    f.__defaults__[0][0][1][0][:] = 1.0


def changed_default(f: Any) -> None:
    f.__defaults__[0][:] = 1.0


def changed_keyword(f: Any) -> None:
    f.__kwdefaults__["k"][:] = 1.0


def replaced_code(f: Any) -> None:
    f.__code__ = (lambda t, a, k=None: a * t + 1.0).__code__


DEFAULTS: list[tuple[Any, Any]] = [
    (array_default, replaced_defaults),
    (array_default, changed_default),
    (array_default, replaced_code),
    (array_keyword, replaced_keyword),
    (array_keyword, changed_keyword),
    (nested_default, replaced_nested),
    (nested_default, replaced_list),
    (nested_default, changed_nested),
]


def copied(f: Any) -> Any:
    """Return a function with its own default arguments."""
    twin = types.FunctionType(f.__code__, f.__globals__, f.__name__, copy.deepcopy(f.__defaults__))
    twin.__kwdefaults__ = copy.deepcopy(f.__kwdefaults__)
    return twin


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(("f", "change"), DEFAULTS)
def test_default_arguments_that_change(f: Any, change: Any, inside: bool) -> None:
    g = copied(f)

    def calling(t, a):
        return g(t, a)

    model = calling if inside else g
    t = np.linspace(0.0, 1.0, 5)
    before = curve_fit(model, t, 2.0 * t, [1.0])
    assert traced(model, Kind(1, points=5)) is traced(model, Kind(1, points=5))
    change(g)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        after = curve_fit(model, t, 2.0 * t + 1.0, [1.0])
    np.testing.assert_allclose([before[0], after[0]], 2.0, rtol=1e-8)
    found = traced(model, Kind(1, points=5))
    points = (t, *found.arrays)
    value = found.model(points if found.arrays else t, 2.0)
    np.testing.assert_allclose(value, 2.0 * t + 1.0, rtol=1e-14)


def test_arguments_of_a_partial_that_change() -> None:
    kind = Kind(1, points=5)
    for change in (
        lambda f: f.keywords.update(k=np.arange(5.0)),
        lambda f: f.keywords["k"].__setitem__(slice(None), np.arange(5.0)),
    ):
        f = functools.partial(array_default, k=np.zeros(5))
        first = traced(f, kind)
        assert traced(f, kind) is first
        change(f)
        second = traced(f, kind)
        assert second is not first
        np.testing.assert_array_equal(second.arrays[0], np.arange(5.0))


class Incomparable:
    """A default argument whose comparison raises."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("this cannot be compared")


@pytest.mark.parametrize("value", [Incomparable, lambda: pytest.importorskip("pandas").Series([1])])
def test_default_arguments_are_not_compared(value: Any) -> None:
    def f(t, a, k=None):
        return a * t

    t = np.linspace(0.0, 1.0, 5)
    for _ in range(3):
        f.__defaults__ = (value(),)
        np.testing.assert_allclose(curve_fit(f, t, 2.0 * t, [1.0])[0], 2.0, rtol=1e-8)


def test_long_lists_of_arrays_are_compared_in_full() -> None:
    tables = [np.zeros(5), np.arange(2000.0)]

    def f(t, a):
        return a * t + tables[1][1000]

    first = traced(f, Kind(1, points=5))
    # What repr leaves out.
    tables[1][1000] = 7.0
    second = traced(f, Kind(1, points=5))
    assert second is not first
    np.testing.assert_array_equal(second.model(T, 2.0), 2.0 * T + 7.0)


def test_functions_with_one_graph_are_compiled_once() -> None:
    def made(size: float) -> Any:
        return lambda t, a, b: size * a * np.exp(-b * t)

    kind = Kind(2, points=5)
    assert traced(made(2.0), kind).model is traced(made(2.0), kind).model
    assert traced(made(2.0), kind).model is not traced(made(3.0), kind).model


# Functions with namespaces of their own, as those of sympy.lambdify and of cells that run again.
ALONE = {
    "plain": "def f(t, a, b): return a * np.exp(-b * t)",
    "helper": "def g(t): return np.exp(-t)\ndef f(t, a, b): return a * g(b * t)",
    "default": "def f(t, a, b, c=2.0): return a * np.exp(-b * t) + c",
    "closure": "def made(c):\n def f(t, a, b): return c * a * np.exp(-b * t)\n return f\n"
    "f = made(2)",
    "local helper": "def made():\n def g(t): return np.exp(-t)\n"
    " def f(t, a, b): return a * g(b * t)\n return f\nf = made()",
    "lambda": "f = lambda t, a, b: a * np.exp(-b * t)",
    "class": "class C:\n k = 2.0\n def g(self, t): return self.k * t\nc = C()\n"
    "def f(t, a, b): return a * np.exp(-c.g(b * t))",
    "array": "table = np.arange(3.0)\ndef f(t, a, b): return a * np.exp(-b * t) + table[1]",
    "built-in": "def f(t, a, b): return a * np.exp(-abs(b) * t)",
    "method": "class C:\n def g(self, t, a, b): return a * np.exp(-b * t)\nc = C()\nf = c.g",
    "refused": "def f(t, a, b):\n print(a)\n return a * t + b",
}


@pytest.mark.parametrize("text", ALONE.values(), ids=ALONE)
def test_traces_do_not_keep_functions(text: str) -> None:
    names: dict[str, Any] = {"np": np}
    exec(text, names)
    f = names["f"]
    key = id(cache.holder_of(f))
    for _ in range(2):
        curve_fit(f, T, 2.0 * np.exp(-0.5 * T) + 0.01 * T, [1.0, 1.0])
    assert len(cache._entries[key][1]) == 1
    gone = weakref.ref(getattr(f, "__func__", f))
    names.clear()
    del f
    gc.collect()
    assert gone() is None
    assert key not in cache._entries


def test_a_name_that_hides_a_built_in_function() -> None:
    names: dict[str, Any] = {"np": np}
    exec("def f(t, a): return abs(a) * t", names)
    first = traced(names["f"], Kind(1, points=5))
    assert traced(names["f"], Kind(1, points=5)) is first
    names["abs"] = lambda x: 2.0 * x
    np.testing.assert_array_equal(traced(names["f"], Kind(1, points=5)).model(T, 3.0), 6.0 * T)


def test_equal_code_in_other_namespaces() -> None:
    code = compile("def f(t, a): return a * k * t", "a cell", "exec")
    for k in (2.0, 3.0, 2.0):
        names: dict[str, Any] = {"k": k}
        exec(code, names)
        np.testing.assert_array_equal(traced(names["f"], Kind(1, points=5)).model(T, 1.0), k * T)
