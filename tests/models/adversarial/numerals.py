"""Numbers that are converted, rounded, hashed or compared, and iterations that they control."""

from __future__ import annotations

import decimal
import fractions
import functools
import json
import math
import os
import struct
import warnings
from typing import Any

import numpy as np

from adversarial.registry import Made, adversarial, model


@adversarial
def rounded_parameters() -> Made:
    return lambda t, a, b: model(t, a, b) + 1e-6 * round(b), None


@adversarial
def parameters_with_digits() -> Made:
    return lambda t, a, b: model(t, a, round(b, 9)), None


@adversarial
def a_loop_of_a_parameter() -> Made:
    return lambda t, a, b: sum(model(t, a, b) for _ in range(int(a) + 1)) / (int(a) + 1), None


@adversarial
def repeated_until_it_converges() -> Made:
    def f(t, a, b):
        root = 1.0
        while abs(root * root - b) > 1e-12:
            root = 0.5 * (root + b / root)
        return model(t, a, root * root)

    return f, None


@adversarial
def repeated_until_all_converge() -> Made:
    def f(t, a, b):
        y = np.ones_like(t)
        for _ in range(60):
            change = (y - a * np.exp(-b * t)) * 0.5
            y = y - change
            if np.max(np.abs(change)) < 1e-13:
                break
        return y

    return f, None


@adversarial
def by_the_text_of_a_parameter() -> Made:
    return lambda t, a, b: model(t, a, float(f"{b:.17g}")), None


@adversarial
def by_the_percent_sign() -> Made:
    return lambda t, a, b: model(t, a, float("%.17g" % b)), None  # noqa: UP031


@adversarial
def by_json() -> Made:
    return lambda t, a, b: model(t, *json.loads(json.dumps([float(a), float(b)]))), None


@adversarial
def by_decimal() -> Made:
    return lambda t, a, b: model(t, a, float(decimal.Decimal(float(b)))), None


@adversarial
def by_fractions() -> Made:
    return lambda t, a, b: model(t, a, float(fractions.Fraction(float(b)))), None


@adversarial
def by_the_bits_of_a_number() -> Made:
    return lambda t, a, b: model(t, a, struct.unpack("d", struct.pack("d", b))[0]), None


@adversarial
def by_is_integer() -> Made:
    return lambda t, a, b: model(t, a, b) * (1.0 + 1e-9 * b.is_integer()), None


@adversarial
def by_as_integer_ratio() -> Made:
    def f(t, a, b):
        p, q = b.as_integer_ratio()
        return model(t, a, p / q)

    return f, None


@adversarial
def by_the_hash_of_a_number() -> Made:
    return lambda t, a, b: model(t, a, b) + 1e-20 * (hash(b) % 7), None


@adversarial
def by_a_dictionary_of_numbers() -> Made:
    known = {1.0: 1.0}
    return lambda t, a, b: model(t, a, b) * known.get(b, 1.0 + 1e-9), None


@adversarial
def by_a_set_of_numbers() -> Made:
    return lambda t, a, b: model(t, a, b) * len({a, b}), None


@adversarial
def by_a_cache_of_numbers() -> Made:
    @functools.cache
    def rate(b):
        return b * 1.0

    return lambda t, a, b: model(t, a, rate(b)), None


@adversarial
def by_equal_parameters() -> Made:
    """At the start both parameters are 1."""
    return lambda t, a, b: np.where(a == b, 1.0, a) * np.exp(-b * t), None


@adversarial
def by_equal_points() -> Made:
    return lambda t, a, b: np.where(
        t * b == t, np.exp(-t) * a, model(t, a, b) + 0.1 * (b - 1.0)
    ), None


@adversarial
def by_near_parameters() -> Made:
    def f(t, a, b):
        if abs(a - b) < 1e-3:
            return a * np.exp(-t)
        return a * np.exp(-b * t)

    return f, None


@adversarial
def by_signs() -> Made:
    return lambda t, a, b: math.copysign(1.0, b) * model(t, abs(a), abs(b)), None


@adversarial
def by_a_comparison_of_tuples() -> Made:
    return lambda t, a, b: model(t, a, b) if (b, a) > (0.5, 0.0) else a * t, None


@adversarial
def by_a_comparison_of_lists() -> Made:
    return lambda t, a, b: model(t, a, b) if [a, b] != [1.0, 1.0] else model(t, a, b) * 1.1, None


@adversarial
def by_sorting_parameters() -> Made:
    def f(t, a, b):
        low, high = sorted((a, b + 0.1))
        return high * np.exp(-(low - 0.1) * t)

    return f, None


@adversarial
def by_the_index_of_a_parameter() -> Made:
    return lambda t, a, b: model(t, a, b) * (1 + [a, b].index(b)), None


@adversarial
def by_nan() -> Made:
    return lambda t, a, b: model(t, a, b) if b == b else a * t, None


@adversarial
def by_any_of_the_values() -> Made:
    return lambda t, a, b: model(t, a, b) if (a * t < 9.0).all() else 0.0 * t, None


@adversarial
def by_finite_values() -> Made:
    def f(t, a, b):
        y = a * np.exp(-b * t)
        if not np.isfinite(y).all():
            return np.zeros_like(t)
        return y

    return f, None


@adversarial
def by_warnings() -> Made:
    def f(t, a, b):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            y = np.log(np.exp(a) * np.exp(-b * t) * (b > 0.9))
        return y if not seen else a * np.exp(-b * t)

    return f, None


@adversarial
def by_raised_errors_of_numpy() -> Made:
    def f(t, a, b):
        try:
            with np.errstate(divide="raise"):
                return model(t, a, b) + 0.0 / (b - 1.0)
        except FloatingPointError:
            return model(t, a, b)

    return f, None


@adversarial
def by_errors_of_math() -> Made:
    def f(t, a, b):
        try:
            return model(t, a, b) + 0.1 * math.log(b - 1.2)
        except ValueError:
            return model(t, a, b)

    return f, None


@adversarial
def by_an_error_of_division() -> Made:
    def f(t, a, b):
        try:
            return model(t, a, b) * (float(b) - 1.0) / (float(b) - 1.0)
        except ZeroDivisionError:
            return model(t, a, b) * 1.01

    return f, None


@adversarial
def by_the_lengths_of_parameters() -> Made:
    def f(t, a, b):
        try:
            n = len(b)
        except TypeError:
            n = 1
        return model(t, a, b) * n

    return f, None


@adversarial
def by_the_length_of_the_points() -> Made:
    def f(t, a, b):
        try:
            n = len(t)
        except TypeError:
            return a * t
        return model(t, a, b) * n / 40

    return f, None


@adversarial
def by_an_error_of_another_line() -> Made:
    def f(t, a, b):
        try:
            n = len(t)
            b = b.real_part
        except AttributeError:
            n = 40
        return model(t, a, b) * n / 40

    return f, None


@adversarial
def by_a_type_of_points() -> Made:
    return lambda t, a, b: model(t, a, b) if t.dtype.kind == "f" else a * t, None


@adversarial
def by_flags_of_points() -> Made:
    return lambda t, a, b: model(t, a, b) if t.flags.c_contiguous else a * t, None


@adversarial
def by_the_error_state() -> Made:
    return lambda t, a, b: model(t, a, b) * (2 if np.geterr()["over"] == "raise" else 1), None


@adversarial
def by_a_variable_of_the_environment() -> Made:
    return lambda t, a, b: model(t, a, b) * float(os.environ.get("LMOO_SCALE", "1")), None


@adversarial
def by_locals() -> Made:
    return lambda t, a, b: model(t, locals()["a"], b), None


@adversarial
def by_a_patched_function_of_numpy() -> Made:
    def twice(x: Any) -> Any:
        return 2.0 * np.abs(x)

    kept = np.abs

    def f(t, a, b):
        try:
            np.abs = lambda x: 2.0 * kept(x)  # type: ignore[assignment]
            return model(t, np.abs(a), b)
        finally:
            np.abs = kept  # type: ignore[assignment]

    return f, None


@adversarial
def by_a_match_of_values() -> Made:
    def f(t, a, b):
        match (a > 0.5, b > 0.5):
            case (True, True):
                return model(t, a, b)
            case _:
                return a * t

    return f, None


@adversarial
def by_a_match_of_a_number() -> Made:
    def f(t, a, b):
        match b:
            case 1.0:
                return model(t, a, b) * 1.01
            case _:
                return model(t, a, b)

    return f, None


@adversarial
def by_an_early_return() -> Made:
    def f(t, a, b):
        y = a * np.exp(-b * t)
        if b < 1.1:
            return y * (1.0 + 0.1 * (1.1 - b))
        if a > 1.9:
            return y + 0.01 * (a - 1.9)
        return y

    return f, None


@adversarial
def by_a_mask_of_values() -> Made:
    def f(t, a, b):
        y = a * np.exp(-b * t)
        y[y < 0.5] = 0.5 * y[y < 0.5] + 0.25
        return y

    return f, None


@adversarial
def by_a_mask_of_other_values() -> Made:
    def f(t, a, b):
        y = a * np.exp(-b * t)
        low = y < 0.5
        y[low] = 0.5
        y[y < 0.6] = y[y < 0.6] * b
        return y

    return f, None
