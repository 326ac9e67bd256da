"""Functions that join arrays, apply functions to each point, examine types, or read tables."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np

import lmoo
from adversarial.registry import Made, adversarial, model


@adversarial
def joined_halves() -> Made:
    def f(t, a, b):
        return np.concatenate([model(t[:20], a, b), model(t[20:], a, b)])

    return f, None


@adversarial
def joined_in_an_order_by_a_parameter() -> Made:
    def f(t, a, b):
        parts = [model(t[:20], a, b), model(t[20:], a, b)]
        return np.hstack(parts if b > 1.1 else [0.9 * part for part in parts])

    return f, None


@adversarial
def joined_in_other_sizes_by_a_parameter() -> Made:
    def f(t, a, b):
        k = 10 if b > 1.1 else 20
        return np.append(model(t[:k], a, b), 1.1 * model(t[k:], a, b))

    return f, None


@adversarial
def joined_and_divided_by_the_first() -> Made:
    """The first array is 1 where the fit starts."""

    def f(t, a, b):
        y = np.concatenate([np.exp((1.0 - b) * t[:20]), model(t[20:], a, b)])
        return a * y / y[0]

    return f, None


@adversarial
def joined_and_reduced() -> Made:
    def f(t, a, b):
        y = np.r_[model(t[:20], a, b), model(t[20:], a, b)]
        return a * y / y.max()

    return f, None


@adversarial
def joined_reversed() -> Made:
    def f(t, a, b):
        return np.concatenate([model(t[20:], a, b), model(t[:20], a, b)])[::-1]

    return f, None


@adversarial
def every_second_point() -> Made:
    def f(t, a, b):
        return np.stack([model(t[::2], a, b), model(t[1::2], a, b)], axis=1).ravel()

    return f, None


@adversarial
def slice_that_is_changed() -> Made:
    def f(t, a, b):
        y = model(t, a, b)
        part = y[:20]
        part += 0.1 * (a - 1.0)
        return y

    return f, None


@adversarial
def slice_of_an_array_that_is_changed() -> Made:
    def f(t, a, b):
        y = model(t, a, b)
        part = y[:20]
        y += 0.1 * (a - 1.0)
        return np.concatenate([part, y[20:]])

    return f, None


@adversarial
def slice_of_the_points_that_is_changed() -> Made:
    def f(t, a, b):
        start = t[:20]
        start += 0.0 * a
        return model(t, a, b)

    return f, None


@adversarial
def each_point_with_a_branch() -> Made:
    def f(t, a, b):
        return np.vectorize(lambda u: a * math.exp(-b * u) if u > 1.0 else a * (1.0 - b * u))(t)

    return f, None


@adversarial
def each_point_with_integers() -> Made:
    def f(t, a, b):
        return np.vectorize(lambda u: 2 if u < 1.2 - b else a * math.exp(-b * u))(t)

    return f, None


@adversarial
def each_point_with_equality_of_a_parameter() -> Made:
    def f(t, a, b):
        return np.vectorize(lambda u: 0.5 if b == 1.0 else a * math.exp(-b * u))(t)

    return f, None


@adversarial
def each_point_with_a_count() -> Made:
    calls: list[float] = []

    def f(t, a, b):
        def one(u):
            calls.append(u)
            return a * math.exp(-b * u) + 1e-3 * (len(calls) % 2)

        return np.vectorize(one, otypes=[float])(t)

    return f, calls


@adversarial
def each_point_at_random() -> Made:
    generator = random.Random(1)

    def f(t, a, b):
        return np.vectorize(lambda u: a * math.exp(-b * u) + 1e-9 * generator.random())(t)

    return f, None


@adversarial
def each_point_by_the_one_before() -> Made:
    def f(t, a, b):
        last = [0.0]

        def one(u):
            last[0] = max(0.9 * last[0], a * math.exp(-b * u))
            return last[0]

        return np.vectorize(one)(t)

    return f, None


@adversarial
def each_point_by_another_function_each_call() -> Made:
    vectorized: Any = np.vectorize(lambda u, a, b: a * math.exp(-b * u))

    def f(t, a, b):
        y = vectorized(t, a, b)
        vectorized.pyfunc = lambda u, a, b: a * math.exp(-b * u)
        return y

    return f, None


@adversarial
def each_point_that_raises() -> Made:
    def f(t, a, b):
        def one(u):
            if b * u > 8.0:
                raise ValueError("too large")
            return a * math.exp(-b * u)

        return np.vectorize(one)(t)

    return f, None


@adversarial
def by_isinstance_of_an_integer() -> Made:
    return lambda t, a, b: a * t if isinstance(b, int) else model(t, a, b), None


class _Kind(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return type(instance).__module__ != "numpy"


class _Other(metaclass=_Kind):
    pass


@adversarial
def by_isinstance_of_a_class_of_its_own() -> Made:
    return lambda t, a, b: a * t if isinstance(b, _Other) else model(t, a, b), None


@adversarial
def by_the_class_of_a_parameter() -> Made:
    return lambda t, a, b: a * t if b.__class__ is not np.float64 else model(t, a, b), None


@adversarial
def table_at_moved_places() -> Made:
    places = np.linspace(0.0, 9.0, 40)
    return lambda t, a, b: a * np.interp(b * t, places, np.exp(-places)), None


@adversarial
def table_that_changes() -> Made:
    places, values = np.linspace(0.0, 9.0, 40), np.exp(-np.linspace(0.0, 9.0, 40))

    def f(t, a, b):
        y = a * np.interp(b * t, places, values)
        values[-1] += 1e-3
        return y

    return f, None


@adversarial
def table_with_places_of_parameters() -> Made:
    return lambda t, a, b: np.interp(t, [0.0, b, 5.0], [a, 0.5, 0.0]), None


@adversarial
def table_with_values_of_parameters() -> Made:
    return lambda t, a, b: np.interp(t, [0.0, 1.0, 4.0], [a, b - 0.8, 0.0]), None


@adversarial
def rejected_by_the_function() -> Made:
    def f(t, a, b):
        if b > 1.2:
            raise lmoo.EvaluationError("b is too large")
        return model(t, a, b)

    return f, None


@adversarial
def failing_in_the_function() -> Made:
    def f(t, a, b):
        if b > 1.2:
            raise ValueError("b is too large")
        return model(t, a, b)

    return f, None
