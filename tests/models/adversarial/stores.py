"""Views and copies of arrays whose points are stored, and loops with hidden differences."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from adversarial.registry import Made, adversarial, model


@adversarial
def stored_in_a_reversed_view() -> Made:
    def f(t, a, b):
        y = model(t, a, b)
        view = y[::-1]
        view[0] = 0.3 * b
        return y

    return f, None


@adversarial
def stored_in_a_reversed_view_and_hidden() -> Made:
    def f(t, a, b):
        y = model(t, a, b)
        view = y[::-1]
        view[0] = view[0] + (a - 1.0)
        return y

    return f, None


@adversarial
def stored_in_a_flipped_view() -> Made:
    def f(t, a, b):
        y = model(t, a, b)
        np.flip(y)[3] = 0.5 * b
        return y

    return f, None


@adversarial
def a_view_of_what_is_stored_later() -> Made:
    def f(t, a, b):
        y = model(t, a, b)
        view = y[::-1]
        y[0] = 0.5 * b
        return view[::-1] + 0.0 * y

    return f, None


@adversarial
def stored_through_a_transpose() -> Made:
    def f(t, a, b):
        y = model(t, a, b)
        y.T[2] = 0.5 * b
        return y

    return f, None


@adversarial
def stored_through_a_reshape() -> Made:
    def f(t, a, b):
        y = model(t, a, b)
        y.reshape(-1)[2] = 0.5 * b
        y.ravel()[4] = 0.6 * b
        y.flatten()[6] = 9.0
        return y

    return f, None


@adversarial
def stored_in_a_copy_by_numpy() -> Made:
    def f(t, a, b):
        y = model(t, a, b)
        z = np.array(y)
        z[3] = 9.0
        w = np.asarray(y)
        w[5] = 0.5 * b
        return y

    return f, None


@adversarial
def stored_by_a_list_of_places() -> Made:
    def f(t, a, b):
        y = model(t, a, b)
        y[[1, 2, 2]] = np.array([a, b, a]) * 0.3
        y[np.arange(5, 8)] = 0.2 * b
        return y

    return f, None


@adversarial
def stored_by_negative_places() -> Made:
    def f(t, a, b):
        y = model(t, a, b)
        y[-1] = y[-2] * b
        y[-3:] = y[-3:][::-1]
        return y

    return f, None


@adversarial
def stored_in_steps() -> Made:
    def f(t, a, b):
        y = model(t, a, b)
        y[1::2] = y[::2] * b
        return y

    return f, None


@adversarial
def added_point_by_point() -> Made:
    def f(t, a, b):
        y = np.zeros_like(t)
        for k in range(t.size):
            y[k] += a * np.exp(-b * t[k])
            y[k] *= 1.0 + 0.01 * b
        return y

    return f, None


@adversarial
def stored_and_reduced() -> Made:
    def f(t, a, b):
        y = model(t, a, b)
        y[0] = 2.0 * a
        return 4.0 * y / y.max() + 0.1 * a

    return f, None


@adversarial
def stored_in_a_helper() -> Made:
    def put(y, k, value):
        y[k] = value

    def f(t, a, b):
        y = model(t, a, b)
        put(y, 0, 0.5 * a * b)
        return y

    return f, None


@adversarial
def swapped_points() -> Made:
    def f(t, a, b):
        y = model(t, a, b)
        y[0], y[1] = y[1], y[0]
        return y

    return f, None


@adversarial
def a_loop_with_other_numbers_later() -> Made:
    weights = np.ones(40)
    weights[20:] = 1.5

    def f(t, a, b):
        pairs = zip(t, weights, strict=True)
        return np.array([w * a * u if u < b else w * a * b * np.exp(b - u) for u, w in pairs])

    return f, None


@adversarial
def a_loop_with_hidden_numbers_later() -> Made:
    weights = np.zeros(40)
    weights[20:] = 1.0

    def f(t, a, b):
        return np.array(
            [
                b * np.exp(-u) + (w * (a - 1.0) if u < 9.0 * b else 0.0)
                for u, w in zip(t, weights, strict=True)
            ]
        )

    return f, None


@adversarial
def a_loop_over_pairs() -> Made:
    def f(t, a, b):
        out = [a]
        for u, v in itertools.pairwise(t):
            out.append(out[-1] - b * out[-1] * (v - u))
        return np.array(out)

    return f, None


@adversarial
def a_loop_with_an_iterator() -> Made:
    def f(t, a, b):
        values: Any = iter(t)
        first = next(values)
        return np.array([a * math.cos(first), *[a * np.exp(-b * u) for u in values]])

    return f, None


@adversarial
def a_loop_in_reverse() -> Made:
    def f(t, a, b):
        out: list[Any] = []
        for u in reversed(t):
            out.insert(0, a * np.exp(-b * u))
        return np.array(out)

    return f, None


@adversarial
def a_loop_with_an_end() -> Made:
    def f(t, a, b):
        out = []
        for u in t:
            if u > b:
                break
            out.append(a * u)
        return np.array(out + [a * b] * (len(t) - len(out)))

    return f, None


@adversarial
def values_of_both_ends() -> Made:
    def f(t, a, b):
        y = model(t, a, b)
        return np.linspace(y[0], y[-1], t.size)

    return f, None


@adversarial
def a_mean_of_a_part() -> Made:
    return lambda t, a, b: model(t, a, b) - model(t, 1.0, b)[t > 2.0].mean(), None


@adversarial
def a_greatest_that_jumps() -> Made:
    return lambda t, a, b: model(t, a, b) + 0.01 * np.max([a * t, b * (4.0 - t)], axis=0), None


@adversarial
def rows_of_a_table() -> Made:
    def f(t, a, b):
        table = np.array([np.exp(-b * t), np.cos(t)])
        return (np.array([a, 0.01])[:, None] * table).sum(axis=0)

    return f, None


@adversarial
def points_of_rows_of_a_table() -> Made:
    def f(t, a, b):
        table = np.array([a * np.exp(-b * t), np.cos(t)])
        table[0][0] = 0.5 * b
        table[1, 0] = 0.0
        return table[0] + 0.01 * table[1]

    return f, None


@adversarial
def a_sum_over_the_points_of_a_table() -> Made:
    def f(t, a, b):
        table = np.array([a * np.exp(-b * t), (a - 1.0) * t])
        return b * np.exp(-t) + table.sum() * 1e-3

    return f, None


@adversarial
def a_sum_over_the_rows_of_columns() -> Made:
    def f(t, a, b):
        columns = np.stack([a * np.exp(-b * t), (a - 1.0) * t], axis=1)
        return b * np.exp(-t) + 1e-3 * columns.sum(axis=0)[1]

    return f, None


@adversarial
def the_length_of_a_table() -> Made:
    def f(t, a, b):
        columns = np.stack([a * np.exp(-b * t), t], axis=1)
        return columns[:, 0] * len(columns) / 40 + 0.0 * columns.shape[0]

    return f, None


@adversarial
def the_number_of_values_of_a_column() -> Made:
    def f(t, a, b):
        column = a * np.exp(-b * t)[:, None]
        return column[:, 0] * column.size / 40

    return f, None


@adversarial
def the_length_of_joined_values() -> Made:
    def f(t, a, b):
        joined = np.concatenate([a * t[:20], a * np.exp(-b * t[20:])])
        return joined * len(joined) / 40

    return f, None


@adversarial
def a_sum_of_joined_values() -> Made:
    def f(t, a, b):
        joined = np.append(a * np.exp(-b * t), a)
        return model(t, a, b) + 1e-3 * joined.sum()

    return f, None


@adversarial
def a_sum_of_an_array_of_the_points() -> Made:
    def f(t, a, b):
        u = np.asarray(t)
        return b * np.exp(-u) + (a - 1.0) * 1e-3 * np.sum(b * np.asarray(a * u))

    return f, None


@adversarial
def the_length_of_an_array_of_the_points() -> Made:
    return lambda t, a, b: model(t, a, b) * len(np.asarray(t)) / 40, None


@adversarial
def a_point_of_an_array_of_the_points() -> Made:
    def f(t, a, b):
        u = np.asarray(t)
        return b * np.exp(-u) + (a - 1.0) * np.asarray(b * u)[3]

    return f, None


@adversarial
def repeated_points_of_an_array() -> Made:
    def f(t, a, b):
        y = np.asarray(a * np.exp(-b * t[:20]))
        return np.repeat(y, 2) + 0.0 * np.tile(y, 2)

    return f, None


@adversarial
def a_greatest_of_an_array_of_the_points() -> Made:
    return lambda t, a, b: a * np.exp(-b * t) / np.asarray(np.exp(-b * t)).max(), None
