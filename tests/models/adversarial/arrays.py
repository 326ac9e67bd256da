"""Functions that fill arrays, or compute with numbers of other types than double precision."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from adversarial.registry import Made, adversarial, model


@adversarial
def sums_in_an_array_of_zeros() -> Made:
    def f(t, a, b):
        out = np.zeros(t.size)
        out += model(t, a, b)
        return out

    return f, None


@adversarial
def sums_under_another_name() -> Made:
    def f(t, a, b):
        out = kept = np.zeros(t.size)
        out += model(t, a, b)
        return kept + 0.0 * t

    return f, None


@adversarial
def hidden_changes_under_another_name() -> Made:
    """At the start, and at the end of a fit of the trace, the missing term is 0."""

    def f(t, a, b):
        out = kept = np.zeros(t.size)
        out += (a - 1.0) * np.exp(-b * t)
        return kept + b * np.exp(-t)

    return f, None


@adversarial
def sums_in_a_view() -> Made:
    def f(t, a, b):
        base = np.zeros((2, t.size))
        first = base[0]
        first += model(t, a, b)
        return base[0] + base[1]

    return f, None


@adversarial
def sums_by_a_function() -> Made:
    def add(out, x):
        out += x

    def f(t, a, b):
        out = np.zeros(t.size)
        add(out, model(t, a, b))
        return out + 0.0 * t

    return f, None


@adversarial
def sums_by_out() -> Made:
    def f(t, a, b):
        out = np.zeros(t.size)
        np.add(out, model(t, a, b), out=out)
        return out

    return f, None


@adversarial
def sums_in_single_precision() -> Made:
    def f(t, a, b):
        out = np.zeros(t.size, dtype=np.float32)
        out += model(t, a, b)
        return out.astype(float)

    return f, None


@adversarial
def sums_in_integers() -> Made:
    def f(t, a, b):
        out = np.zeros(t.size, dtype=int)
        out += model(t, a, b)
        return out

    return f, None


@adversarial
def an_array_of_the_closure_that_grows() -> Made:
    grown = np.zeros(40)

    def f(t, a, b):
        out = grown
        out += 1e-9
        return model(t, a, b) + out

    return f, grown


@adversarial
def a_part_of_complex_numbers() -> Made:
    return lambda t, a, b: (a * np.exp((-b + 0.5j) * t)).real, None


@adversarial
def every_other_number() -> Made:
    return lambda t, a, b: np.repeat(model(t, a, b), 2)[::2], None


@adversarial
def a_column() -> Made:
    return lambda t, a, b: model(t, a, b)[:, None], None


@adversarial
def integers_that_overflow() -> Made:
    big = np.int32(100_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return lambda t, a, b: model(t, a, b) + 1e-12 * (big * big), None


@adversarial
def small_integers_that_overflow() -> Made:
    steps = 6 * np.arange(40, dtype=np.uint8)
    return lambda t, a, b: model(t, a, b) + 1e-5 * (steps + steps) * a, None


@adversarial
def powers_of_integers() -> Made:
    steps = np.arange(1, 41)
    return lambda t, a, b: model(t, a, b) + 1e-22 * a * steps**15, None


@adversarial
def extended_precision() -> Made:
    return lambda t, a, b: np.asarray(model(t.astype(np.longdouble), a, b), dtype=float), None


@adversarial
def by_the_precision_of_a_number() -> Made:
    return lambda t, a, b: model(t, a, b) if np.asarray(b).dtype == float else a * t, None


@adversarial
def a_number_with_other_rules() -> Made:
    class Odd(float):
        def __mul__(self, other: Any) -> Any:
            return other * 7.0

        __rmul__ = __mul__

    odd = Odd(2.0)
    return lambda t, a, b: (odd * model(t, a, b)) / 7.0, None


@adversarial
def an_array_with_other_rules() -> Made:
    class Odd(np.ndarray):
        def __mul__(self, other: Any) -> Any:
            return np.asarray(self) * np.asarray(other) * 3.0

        __rmul__ = __mul__

    odd = np.ones(40).view(Odd)
    return lambda t, a, b: (odd * model(t, a, b)) / 3.0, None


@adversarial
def masked_points() -> Made:
    return lambda t, a, b: model(np.ma.masked_less(t, 0.5), a, b).filled(0.0), None


@adversarial
def an_error_of_rounding_that_raises() -> Made:
    def f(t, a, b):
        with np.errstate(all="raise"):
            return model(t, a, b) + 0.0 * np.exp(-700.0 * t)

    return f, None


@adversarial
def a_vectorized_function() -> Made:
    return np.vectorize(lambda t, a, b: model(t, a, b) if t > 1.0 else a * (1.0 - b * t)), None


@adversarial
def a_cache_by_identity() -> Made:
    class Squares:
        def __init__(self) -> None:
            self.known: dict[int, Any] = {}

        def __call__(self, t, a, b):
            if id(t) not in self.known:
                self.known[id(t)] = t**2
            return model(np.sqrt(self.known[id(t)]), a, b)

    return Squares(), None


@adversarial
def warnings_of_each_call() -> Made:
    seen: list[str] = []

    def f(t, a, b):
        seen.append("called")
        warnings.warn("called", CalledWarning, stacklevel=1)
        return model(t, a, b)

    return f, seen


@adversarial
def roots_of_parameters() -> Made:
    return lambda t, a, b: model(t, a, math.sqrt(b) * float(np.float64(b) ** 0.5)), None


@adversarial
def roots_by_a_function_of_the_closure() -> Made:
    def root(b, depth):
        return math.sqrt(b) if depth == 0 else root(b, depth - 1)

    return lambda t, a, b: model(t, a, root(b, 2) ** 2), None


@adversarial
def a_number_of_the_points() -> Made:
    return lambda t, a, b: model(t, a, b) * math.exp(float(np.sum(model(t, a, b))) * 1e-3), None


@adversarial
def integers_of_parameters() -> Made:
    return lambda t, a, b: model(t, a, b) * (1.0 + 1e-9 * int(b + 5.5)), None


@adversarial
def converted_points_changed_in_place() -> Made:
    """np.asarray returns the points themselves, np.array a copy."""

    def f(t, a, b):
        u = np.array(t, dtype=float)
        u *= b
        v = np.asarray(t, dtype=float)
        v *= 1.0
        return a * np.exp(-u) + 0.0 * v

    return f, None


@adversarial
def points_as_integers() -> Made:
    return lambda t, a, b: model(np.asarray(10.0 * t, dtype=int) / 10.0, a, b), None


@adversarial
def a_function_that_reads_its_name() -> Made:
    def f(t, a, b):
        return model(t, a, math.sqrt(b) ** 2) if f.__name__ == "f" else t

    return f, None


class CalledWarning(RuntimeWarning):
    """A warning of a user's function."""
