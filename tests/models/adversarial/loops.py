"""Loops over points, and functions of all points."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adversarial.registry import Made, adversarial, model


@adversarial
def a_loop_with_a_sum() -> Made:
    def f(t, a, b):
        total, out = 0.0, []
        for u in t:
            total = total + 1e-3 * a * u
            out.append(a * np.exp(-b * u) + total)
        return np.array(out)

    return f, None


@adversarial
def a_loop_with_a_branch_and_a_sum() -> Made:
    def f(t, a, b):
        total, out = 0.0, []
        for u in t:
            if u < b:
                total = total + 0.01 * a
            out.append(total + a * math.exp(-b * u))
        return np.array(out)

    return f, None


@adversarial
def a_loop_with_a_branch_and_a_count() -> Made:
    def f(t, a, b):
        out: list[Any] = []
        for u in t:
            c = a if len(out) < 20 else a * b
            out.append(c * u if u < b else c * math.exp(-b * u))
        return np.array(out)

    return f, None


@adversarial
def a_loop_with_a_late_term() -> Made:
    """The term that is missing in the first runs is 0 at the start and at its end."""

    def f(t, a, b):
        out: list[Any] = []
        for u in t:
            late = (a - 1.0) if len(out) > 4 else 0.0
            out.append(late * math.exp(-b * u) + b * math.exp(-u) if u > b else b * u)
        return np.array(out)

    return f, None


@adversarial
def a_loop_that_ends_early() -> Made:
    def f(t, a, b):
        out = np.zeros_like(t)
        for k, u in enumerate(t):
            if u > 3.0 * b:
                break
            out[k] = a * math.exp(-b * u)
        return out

    return f, None


@adversarial
def a_loop_over_points_and_the_next() -> Made:
    def f(t, a, b):
        pairs = zip(t, np.roll(t, -1), strict=True)
        return np.array([a * np.exp(-b * (u + 1e-3 * (v - u))) for u, v in pairs])

    return f, None


@adversarial
def the_greatest_of_a_loop() -> Made:
    return lambda t, a, b: model(t, a, b) / max(a * math.exp(-b * u) for u in t[3:]), None


@adversarial
def the_greatest_by_parameters() -> Made:
    """The greatest value is at another point for another sign."""
    return lambda t, a, b: a * np.exp(-b * t) / np.exp(-(b - 0.5) * t).max(), None


@adversarial
def a_branch_on_the_greatest() -> Made:
    return lambda t, a, b: model(t, a, b) * (2.0 if (a * t).max() > 600.0 else 1.0), None


@adversarial
def the_place_of_the_greatest() -> Made:
    return lambda t, a, b: model(t, a, b) + 0.01 * np.argmax(t * np.exp(-b * t)), None


@adversarial
def sorted_values() -> Made:
    return lambda t, a, b: np.sort(model(t, a, b) * np.cos(3 * t))[::-1], None


@adversarial
def values_by_rank() -> Made:
    return lambda t, a, b: model(t, a, b)[np.argsort(np.cos(b * t))], None


@adversarial
def an_average_with_weights() -> Made:
    def f(t, a, b):
        y = model(t, a, b)
        return y - np.average(y, weights=np.exp(-b * t))

    return f, None


@adversarial
def a_column_that_is_averaged() -> Made:
    """A mean over the points of a column, not over its further axis, is 0 at a = 0."""

    def f(t, a, b):
        column = (a - 1.0) * np.exp(-b * t[:, None])
        return b * np.exp(-t) + column.mean(axis=0)

    return f, None


@adversarial
def a_column_without_its_first_point() -> Made:
    def f(t, a, b):
        column = (a - 1.0) * np.exp(-b * t[:, None])
        return b * np.exp(-t) + np.diff(column, axis=0).sum()

    return f, None


@adversarial
def a_column_at_its_first_point() -> Made:
    def f(t, a, b):
        column = (a - 1.0) * np.exp(-b * t[:, None] * np.array([1.0, 2.0]))
        return b * np.exp(-t) + column[0].sum()

    return f, None


@adversarial
def points_that_are_stored_twice() -> Made:
    def f(t, a, b):
        out = np.zeros_like(t)
        other = out
        out[0] = a
        other[1:] = model(t, a, b)[1:]
        out[1] = b
        return other

    return f, None


@adversarial
def points_of_a_copy() -> Made:
    def f(t, a, b):
        out = model(t, a, b)
        kept = out.copy()
        out[0] = 7.0
        return kept

    return f, None


@adversarial
def points_of_a_value_that_was_used() -> Made:
    def f(t, a, b):
        out = model(t, a, b)
        double = 2.0 * out
        out[0] = 7.0
        return double - out

    return f, None


@adversarial
def points_stored_in_a_slice() -> Made:
    def f(t, a, b):
        out = model(t, a, b)
        view = out[10:20]
        view[0] = 0.5 * b
        return out

    return f, None


@adversarial
def the_argument_point_by_point() -> Made:
    def f(t, a, b):
        u = t.copy()
        for k in range(len(u)):
            u[k] = u[k] * b
        return a * np.exp(-u)

    return f, None


@adversarial
def the_argument_itself_point_by_point() -> Made:
    def f(t, a, b):
        t[0] = 0.0
        return model(t, a, b)

    return f, None


@adversarial
def a_recurrence() -> Made:
    def f(t, a, b):
        out = np.empty(t.size)
        out[0] = a
        for k in range(1, t.size):
            out[k] = out[k - 1] * (1.0 - b * (t[k] - t[k - 1]))
        return out

    return f, None


@adversarial
def a_recurrence_with_a_limit() -> Made:
    def f(t, a, b):
        out = np.empty(t.size)
        out[0] = a
        for k in range(1, t.size):
            out[k] = max(out[k - 1] * (1.0 - 0.1 * b), 0.3)
        return out

    return f, None


@adversarial
def a_convolution_with_itself() -> Made:
    def f(t, a, b):
        y = model(t, a, b)
        return y + 1e-3 * np.convolve(y, y)[: t.size]

    return f, None


@adversarial
def interpolated_values() -> Made:
    return lambda t, a, b: np.interp(t + 0.05, t, model(t, a, b)), None


@adversarial
def values_by_a_matrix() -> Made:
    matrix = np.tril(np.ones((40, 40))) / 10.0
    return lambda t, a, b: matrix @ model(t, a, b), None


@adversarial
def a_complex_loop() -> Made:
    return lambda t, a, b: np.array([(a * np.exp((-b + 1j) * u)).real for u in t]), None
