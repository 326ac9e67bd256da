"""Functions that cannot be traced, with the line and the reason of the error."""

from __future__ import annotations

import cmath
import functools
import math
import pickle
import threading
import time
from typing import Any

import numpy as np
import pytest
import scipy.special
from trace_cases import T, default, name_of

import lmoo
from lmoo import TraceError

COUNT = {"calls": 0}


def branch(t, a):
    if a == 0:
        return t
    return a * t


def loop(t, a):
    while a < 1e9:
        a = 2 * a
    return a * t


def paths(t, a):
    return sum(a * t if a > k else t for k in range(20))


def boolean(t, a):
    return a * t and t


def to_float(t, a):
    return math.fsum([a, 1.0]) * t


def to_int(t, a):
    return a * t * int(a)


def repeated(t, a):
    return sum(a * t for _ in range(a))


def indexed(t, a):
    return a * (t - t[0])


def assigned(t, a):
    y = a * t
    y[0] = 0.0
    return y


def argument_changed(t, a):
    t -= a
    return t


def reduced(t, a):
    return a * t / np.max(t)


def reduced_by_method(t, a):
    return a * t / t.sum()


def reduced_by_ufunc(t, a):
    return a * np.add.accumulate(t)


def converted(t, a):
    return a * np.asarray(t, dtype=np.float32)


def looped(t, a):
    return [a * u for u in t]


def interpolated(t, a):
    return np.interp(t, [0, a], [2, 3])


def counted(t, a):
    return a * t / len(t)


def into_buffer(t, a):
    return np.multiply(a, t, out=BUFFER)


BUFFER = np.zeros(T.size)


def random(t, a):
    return a * t + np.random.normal(size=t.size)  # noqa: NPY002


def random_generator(t, a):
    return a * t + RNG.normal()


RNG = np.random.default_rng(1)


def timed(t, a):
    return a * t + time.time()


def printing(t, a):
    print(a)
    return a * t


def counting(t, a):
    COUNT["calls"] += 1
    return a * t


def global_state(t, a):
    global STATE
    STATE = a
    return a * t


STATE = None


def typed(t, a):
    return a * t if type(t) is np.ndarray else a


def catching(t, a):
    try:
        return a * float(t)
    except TypeError:
        return a * t


def array_constant(t, a):
    return a * t * np.arange(3.0)


def constant_result(t, a):
    return np.ones(3)


def unknown_function(t, a):
    return scipy.special.zetac(a * t)


def solved(t, a):
    import scipy.integrate

    return scipy.integrate.odeint(lambda y, s: -a * y, 1.0, t)[:, 0]


def caught_inside(t, a):
    return hidden(t, a)


@functools.lru_cache
def hidden(t, a):
    return a * t


def selected(t, a):
    return a * t[t > 1]


def default_list(t, a, seen=[]):  # noqa: B006
    seen.append(1)
    return a * t


def closure_state():
    calls = 0

    def f(t, a):
        nonlocal calls
        calls += 1
        return a * t

    return f


class Stateful:
    def __init__(self):
        self.calls = 0

    def f(self, t, a):
        self.calls += 1
        return a * t


def generator(t, a):
    yield a * t


REFUSED = [
    (branch, "a branch depends on a value", "if a == 0:"),
    (loop, "a branch depends on a value", "while a < 1e9:"),
    (paths, "the function has more than|a branch depends on a value", "return sum("),
    (boolean, "a branch depends on a value", "return a * t and t"),
    (to_float, "a number is made .* from a value", "return math.fsum([a, 1.0]) * t"),
    (to_int, "an integer is made from a value", "return a * t * int(a)"),
    (repeated, "an integer is made from a value", "return sum("),
    (indexed, "points are selected by index", "return a * (t - t[0])"),
    (assigned, "points of an array selected by index are changed", "y[0] = 0.0"),
    (argument_changed, "an argument of the function is changed in place", "t -= a"),
    (reduced, "np.max is not a function of single points", "return a * t / np.max(t)"),
    (reduced_by_method, r"\.sum\(\) combines points", "return a * t / t.sum()"),
    (reduced_by_ufunc, "np.add.accumulate combines points", "return a * np.add.accumulate(t)"),
    (
        converted,
        "changes the numbers; float64 does not",
        "return a * np.asarray(t, dtype=np.float32)",
    ),
    (looped, "a loop over the points", "return [a * u for u in t]"),
    (interpolated, "np.interp has places that depend on parameters", "return np.interp"),
    (counted, "the number of points is unknown", "return a * t / len(t)"),
    (into_buffer, r"a function of numpy writes into an array \(out=\)", "return np.multiply"),
    (random, "np.random.normal is used", "return a * t + np.random.normal(size=t.size)"),
    (random_generator, "RNG is used, and its effects are unknown", "return a * t + RNG"),
    (timed, "time.time is used, and its effects are unknown", "return a * t + time.time()"),
    (printing, r"print\(\) is called", "print(a)"),
    (counting, "an object is changed in place", 'COUNT["calls"] += 1'),
    (global_state, "the global variable STATE is set", "STATE = a"),
    (typed, r"type\(\) is called", "return a * t if type"),
    (catching, "an exception is caught", "except TypeError:"),
    (
        array_constant,
        r"an array of shape \(3,\) is not a single number",
        "return a * t * np.arange",
    ),
    (constant_result, "the function returns ndarray that does not depend", None),
    (unknown_function, "scipy.special.zetac is not a function", "return scipy.special.zetac"),
    (solved, "scipy.integrate is imported", "import scipy.integrate"),
    (caught_inside, "hidden is used, and its effects are unknown", "return hidden(t, a)"),
    (selected, "only the points that a condition selects", None),
    (default_list, r"append\(\) changes an object", "seen.append(1)"),
    (closure_state(), "the variable calls of the enclosing function is set", "calls += 1"),
    (Stateful().f, "the attribute calls of an object is set", "self.calls += 1"),
    (generator, "a generator or a coroutine cannot be traced", None),
    (threading.Lock().acquire, "has no code that could be read", None),
    (functools.lru_cache(default), "has no code that could be read", None),
]  # fmt: skip


@pytest.mark.parametrize(("f", "reason", "line"), REFUSED, ids=[name_of(f) for f, _, _ in REFUSED])
def test_refused_with_line_and_reason(f: Any, reason: str, line: str | None) -> None:
    with pytest.raises(TraceError, match=reason) as caught:
        lmoo.trace(f, 1)
    error = caught.value
    if line is not None:
        assert error.source is not None
        assert error.source.startswith(line)
        assert error.where is not None
        assert error.where.startswith("test_trace_refusals.py:")
        assert str(error) == f"{error.where}: {error.reason}\n  {error.source}"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_no_effect_of_a_refused_function_takes_place(capsys: pytest.CaptureFixture[str]) -> None:
    for f in (printing, counting, global_state, default_list):
        with pytest.raises(TraceError):
            lmoo.trace(f, 1)
    assert capsys.readouterr().out == ""
    assert COUNT == {"calls": 0}
    assert STATE is None
    assert default_list.__defaults__ == ([],)


def test_an_exception_of_the_function_is_the_cause() -> None:
    def failing(t, a):
        return t.missing + cmath.pi if False else {}["key"]

    with pytest.raises(TraceError, match=r"a call with placeholders raised KeyError\('key'\)"):
        lmoo.trace(failing)
