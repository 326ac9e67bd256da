"""Functions that keep state in objects, closures and caches."""

from __future__ import annotations

import functools
import math
import operator
import types
from collections import deque
from typing import Any

from adversarial.registry import Made, adversarial, model


@adversarial
def counts_in_an_object() -> Made:
    class State:
        calls = 0

        def bump(self):
            self.calls += 1
            return 0.0

    state = State()
    return lambda t, a, b: model(t, a, b) + state.bump(), vars(state)


@adversarial
def counts_by_a_property() -> Made:
    class State:
        calls = 0

        @property
        def bump(self):
            self.calls += 1
            return 0.0

    state = State()
    return lambda t, a, b: model(t, a, b) + state.bump, vars(state)


@adversarial
def counts_by_getattr() -> Made:
    class State:
        def __init__(self) -> None:
            self.seen: list[str] = []

        def __getattr__(self, name):
            self.seen.append(name)
            return 0.0

    state = State()
    return lambda t, a, b: model(t, a, b) + state.anything, state.seen


@adversarial
def counts_by_arithmetic() -> Made:
    class Number:
        calls = 0

        def __radd__(self, other):
            type(self).calls += 1
            return other

    number = Number()
    return lambda t, a, b: model(t, a, b) + number, None


@adversarial
def counts_in_a_method() -> Made:
    class Model:
        calls = 0

        def f(self, t, a, b):
            self.calls += 1
            return model(t, a, b)

    m = Model()
    return m.f, vars(m)


@adversarial
def counts_when_called() -> Made:
    class Model:
        def __init__(self) -> None:
            self.seen: deque[float] = deque(maxlen=3)

        def __call__(self, t, a, b):
            self.seen.append(1.0)
            return model(t, a, b)

    m = Model()
    return m, m.seen


@adversarial
def counts_by_setattr() -> Made:
    state = types.SimpleNamespace(calls=0)

    def f(t, a, b):
        setattr(state, "calls", state.calls + 1)  # noqa: B010
        return model(t, a, b)

    return f, vars(state)


@adversarial
def counts_by_operator() -> Made:
    seen = [0]

    def f(t, a, b):
        operator.setitem(seen, 0, seen[0] + 1)
        return model(t, a, b)

    return f, seen


@adversarial
def counts_by_a_bound_method() -> Made:
    seen: list[int] = []
    note = seen.append

    def f(t, a, b):
        note(1)
        return model(t, a, b)

    return f, seen


@adversarial
def counts_by_a_decorator() -> Made:
    seen: list[int] = []

    def counted(function):
        @functools.wraps(function)
        def wrapper(*args):
            seen.append(1)
            return function(*args)

        return wrapper

    return counted(model), seen


@adversarial
def counts_in_a_comprehension() -> Made:
    seen: list[int] = []

    def f(t, a, b):
        [seen.append(k) for k in range(2)]
        return model(t, a, b)

    return f, seen


@adversarial
def counts_by_map() -> Made:
    seen: list[int] = []

    def f(t, a, b):
        list(map(seen.append, [1]))
        return model(t, a, b)

    return f, seen


@adversarial
def counts_in_a_context() -> Made:
    seen: list[int] = []

    class Context:
        def __enter__(self):
            seen.append(1)

        def __exit__(self, *args):
            return False

    context = Context()

    def f(t, a, b):
        with context:
            return model(t, a, b)

    return f, seen


@adversarial
def memory_of_the_last_point() -> Made:
    last = [1.0]

    def f(t, a, b):
        out = model(t, a, b) * (1 + 1e-10 * last[0])
        last[0] = 0.0
        return out

    return f, None


@adversarial
def a_cache() -> Made:
    cache: dict[Any, Any] = {}

    def f(t, a, b):
        key = (a, b)
        if key not in cache:
            cache[key] = model(t, a, b)
        return cache[key]

    return f, None


@adversarial
def an_lru_cache() -> Made:
    @functools.lru_cache
    def factor(b):
        return math.exp(-b)

    return lambda t, a, b: a * factor(b) ** t, None
