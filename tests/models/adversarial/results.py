"""Functions whose results change between calls, or are no plain arrays."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from adversarial.registry import Made, adversarial, model


@adversarial
def points_changed_in_place() -> Made:
    def f(t, a, b):
        t = t + 0.0
        t *= b
        return a * np.exp(-t)

    return f, None


@adversarial
def result_in_a_buffer() -> Made:
    buffer = np.empty(40)

    def f(t, a, b):
        np.multiply(a, np.exp(-b * t), out=buffer)
        return buffer

    return f, None


@adversarial
def result_kept_and_changed() -> Made:
    kept: list[Any] = []

    def f(t, a, b):
        for old in kept:
            old[:] = 1e9
        kept.append(model(t, a, b))
        return kept[-1]

    return f, None


@adversarial
def single_precision() -> Made:
    return lambda t, a, b: model(t, a, b).astype(np.float32), None


@adversarial
def integers_in_the_result() -> Made:
    return lambda t, a, b: np.where(t < 100, model(t, a, b), 0), None


@adversarial
def a_list_as_result() -> Made:
    return lambda t, a, b: list(model(t, a, b)), None


@adversarial
def reductions() -> Made:
    return lambda t, a, b: model(t, a, b) / np.sum(model(t, a, b)) * 10.0 * a, None


@adversarial
def convolution() -> Made:
    return lambda t, a, b: np.convolve(model(t, a, b), [0.25, 0.5, 0.25], mode="same"), None


@adversarial
def cumulative() -> Made:
    return lambda t, a, b: a * np.cumsum(np.exp(-b * t)) / t.size, None


@adversarial
def neighbours() -> Made:
    return lambda t, a, b: np.roll(model(t, a, b), 1), None


@adversarial
def evaluated_text() -> Made:
    return lambda t, a, b: eval("a*np.exp(-b*t)", {"np": np, "a": a, "b": b, "t": t}), None


@adversarial
def through_globals() -> Made:
    return lambda t, a, b: globals()["model"](t, a, b), None


@adversarial
def recursion() -> Made:
    def f(t, a, b, k=3):
        return model(t, a, b) if k == 0 else f(t, a, b, k - 1)

    return functools.partial(f, k=3), None


@adversarial
def bad_points_are_refused() -> Made:
    import lmoo

    def f(t, a, b):
        if b < 0:
            raise lmoo.EvaluationError("b must be positive")
        return model(t, a, b)

    return f, None


@adversarial
def exact_rounding_matters() -> Made:
    return lambda t, a, b: model(t, a, b) + (a * 1e17 - (a * 1e17 + 1)) * 1e-9, None


@adversarial
def cancellation() -> Made:
    return lambda t, a, b: (model(t, a, b) + 1e8) - 1e8, None


@adversarial
def derivative_without_a_value() -> Made:
    return lambda t, a, b: a * np.exp(-b * t) + np.sqrt(a * (t - t)), None


@adversarial
def masked_result() -> Made:
    return lambda t, a, b: np.ma.array(model(t, a, b)), None
