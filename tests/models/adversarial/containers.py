"""Functions that keep state in containers, arrays and iterators."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np

from adversarial.registry import Made, adversarial, model


@adversarial
def counts_in_a_list() -> Made:
    calls: list[int] = []

    def f(t, a, b):
        calls.append(1)
        return model(t, a, b)

    return f, calls


@adversarial
def counts_through_an_alias() -> Made:
    calls: list[int] = []

    def f(t, a, b):
        mine = calls
        mine.append(1)
        return model(t, a, b)

    return f, calls


@adversarial
def counts_in_a_dictionary() -> Made:
    state = {"calls": 0}

    def f(t, a, b):
        state["calls"] += 1
        return model(t, a, b)

    return f, state


@adversarial
def counts_in_a_counter() -> Made:
    state: Counter[str] = Counter()

    def f(t, a, b):
        state.update(["f"])
        return model(t, a, b)

    return f, state


@adversarial
def counts_by_defaultdict() -> Made:
    state: defaultdict[str, int] = defaultdict(int)

    def f(t, a, b):
        state["f"]
        return model(t, a, b) + 0.0 * state["g"]

    return f, state


@adversarial
def counts_by_nonlocal() -> Made:
    calls = 0
    seen: list[int] = []

    def f(t, a, b):
        nonlocal calls
        calls += 1
        seen[:] = [calls]
        return model(t, a, b)

    return f, seen


@adversarial
def counts_in_an_attribute() -> Made:
    def f(t, a, b):
        f.calls += 1
        return model(t, a, b)

    f.calls = 0
    return f, f.__dict__


@adversarial
def counts_in_a_default() -> Made:
    def f(t, a, b, *, seen=[]):  # noqa: B006
        seen.append(1)
        return model(t, a, b)

    f.__kwdefaults__ = {"seen": []}
    return f, f.__kwdefaults__["seen"]


@adversarial
def counts_in_an_array() -> Made:
    seen = np.zeros(1)

    def f(t, a, b):
        seen[0] += 1
        return model(t, a, b)

    return f, seen


@adversarial
def counts_by_in_place_arithmetic() -> Made:
    seen = np.zeros(1)

    def f(t, a, b):
        s = seen
        s += 1
        return model(t, a, b)

    return f, seen


@adversarial
def counts_by_out() -> Made:
    seen = np.zeros(1)

    def f(t, a, b):
        np.add(seen, 1, out=seen)
        return model(t, a, b)

    return f, seen


@adversarial
def counts_by_out_of_another_name() -> Made:
    seen = np.zeros(1)

    def f(t, a, b):
        np.subtract(seen, -1, out=seen)
        return model(t, a, b)

    return f, seen


@adversarial
def counts_by_ufunc_at() -> Made:
    seen = np.zeros(1)

    def f(t, a, b):
        np.add.at(seen, [0], 1)
        return model(t, a, b)

    return f, seen


@adversarial
def counts_by_copyto() -> Made:
    seen = np.zeros(1)

    def f(t, a, b):
        np.copyto(seen, seen + 1)
        return model(t, a, b)

    return f, seen


@adversarial
def counts_by_itertools() -> Made:
    counter = itertools.count()
    return lambda t, a, b: model(t, a, b) + 1e-12 * next(counter), None


@adversarial
def counts_by_an_iterator() -> Made:
    numbers = iter(range(10_000))

    def f(t, a, b):
        for k in numbers:
            return model(t, a, b) + 1e-12 * k
        return t

    return f, None


@adversarial
def counts_by_a_generator() -> Made:
    def numbers() -> Iterator[float]:
        yield from itertools.count(0.0, 1e-12)

    found = numbers()
    return lambda t, a, b: model(t, a, b) + found.send(None), None
