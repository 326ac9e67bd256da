"""Functions that are fitted again after something that they read has changed."""

from __future__ import annotations

import dataclasses
import functools
import gc
import math
import types
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from trace_fit_cases import T, Y, decay

import lmoo

Case = tuple[Callable[..., Any], Callable[[], Any]]
CASES: dict[str, Callable[[], Case]] = {}


def case(make: Callable[[], Case]) -> Callable[[], Case]:
    CASES[make.__name__] = make
    return make


@case
def an_attribute_of_an_attribute() -> Case:
    class Settings:
        def __init__(self) -> None:
            self.scale = 1.0

    class Decay:
        def __init__(self) -> None:
            self.settings = Settings()

        def f(self, t, a, b):
            return decay(t, a, b * self.settings.scale)

    found = Decay()
    return found.f, lambda: setattr(found.settings, "scale", 1.5)


@case
def an_attribute_of_a_class_that_is_hidden() -> Case:
    class Decay:
        scale = 1.0

        def f(self, t, a, b):
            return decay(t, a, b * self.scale)

    found = Decay()
    return found.f, lambda: setattr(found, "scale", 1.5)


@case
def a_method() -> Case:
    class Decay:
        def rate(self, b):
            return b

        def f(self, t, a, b):
            return decay(t, a, self.rate(b))

    return Decay().f, lambda: setattr(Decay, "rate", lambda self, b: 1.5 * b)


@case
def an_inherited_method() -> Case:
    class Base:
        def f(self, t, a, b):
            return decay(t, a, b)

    class Decay(Base):
        def f(self, t, a, b):
            return super().f(t, a, b)

    return Decay().f, lambda: setattr(Base, "f", lambda self, t, a, b: decay(t, a, 1.5 * b))


@case
def a_method_of_a_new_object() -> Case:
    class Decay:
        def __init__(self, b):
            self.b = b

        def value(self, t):
            return np.exp(-self.b * t)

    faster = lambda self, t: np.exp(-1.5 * self.b * t)  # noqa: E731
    return lambda t, a, b: a * Decay(b).value(t), lambda: setattr(Decay, "value", faster)


@case
def an_attribute_of_the_class_of_a_new_object() -> Case:
    class Decay:
        scale = 1.0

        def __init__(self, b):
            self.b = b

        def value(self, t):
            return np.exp(-self.b * self.scale * t)

    return lambda t, a, b: a * Decay(b).value(t), lambda: setattr(Decay, "scale", 1.5)


@case
def a_field_of_a_data_class() -> Case:
    @dataclasses.dataclass
    class Settings:
        scale: float = 1.0

    settings = Settings()
    change = lambda: setattr(settings, "scale", 1.5)  # noqa: E731
    return lambda t, a, b: decay(t, a, b * settings.scale), change


@case
def a_property_of_substituted_methods() -> Case:
    class Decay:
        def __init__(self) -> None:
            self._scale = 1.0

        @property
        def scale(self):
            return self._scale

        def rate(self, b):
            return math.sqrt(b * b) * self.scale

        def f(self, t, a, b):
            return decay(t, a, self.rate(b))

    found = Decay()
    return found.f, lambda: setattr(found, "_scale", 1.5)


@case
def an_attribute_that_a_static_method_reads() -> Case:
    class Decay:
        scale = 1.0

        @staticmethod
        def rate(b):
            return math.sqrt(b * b) * Decay.scale

        def f(self, t, a, b):
            return decay(t, a, self.rate(b))

    return Decay().f, lambda: setattr(Decay, "scale", 1.5)


@case
def an_attribute_of_the_function() -> Case:
    def f(t, a, b):
        return decay(t, a, b * f.scale)

    f.scale = 1.0  # type: ignore[attr-defined]
    return f, lambda: setattr(f, "scale", 1.5)


@case
def an_attribute_of_a_module() -> Case:
    module: Any = types.ModuleType("settings")
    module.inner = types.ModuleType("inner")
    module.inner.scale = 1.0
    change = lambda: setattr(module.inner, "scale", 1.5)  # noqa: E731
    return lambda t, a, b: decay(t, a, b * module.inner.scale), change


@case
def an_attribute_of_an_object_that_is_called() -> Case:
    class Decay:
        def __init__(self) -> None:
            self.scale = 1.0

        def __call__(self, t, a, b):
            return decay(t, a, b * self.scale)

    found = Decay()
    return found, lambda: setattr(found, "scale", 1.5)


@case
def what_an_object_does_if_it_is_called() -> Case:
    class Decay:
        def __call__(self, t, a, b):
            return decay(t, a, b)

    faster = lambda self, t, a, b: decay(t, a, 1.5 * b)  # noqa: E731
    return Decay(), lambda: setattr(Decay, "__call__", faster)


@case
def a_number_in_a_wrapped_function() -> Case:
    scale = [1.0]

    def wrapped(g):
        @functools.wraps(g)
        def wrapper(*args):
            return g(*args)

        return wrapper

    f = wrapped(lambda t, a, b: decay(t, a, b * scale[0]))
    return f, lambda: scale.__setitem__(0, 1.5)


@pytest.mark.parametrize("name", CASES)
def test_a_changed_function_is_traced_again(name: str) -> None:
    f, change = CASES[name]()
    for _ in range(2):
        result = lmoo.Solver().solve(lmoo.CurveProblem(f, T, Y), [1.0, 1.0])
        assert result.evaluation.startswith("compiled from")
        expected = lmoo.curve_fit(f, T, Y, [1.0, 1.0], trace=False)[0]
        np.testing.assert_allclose(result.x, expected, rtol=1e-6)
        change()


def test_a_trace_does_not_keep_an_object_that_is_called() -> None:
    class Decay:
        def __init__(self) -> None:
            self.scale = 1.0

        def __call__(self, t, a, b):
            return decay(t, a, b * self.scale)

    found = Decay()
    assert np.isfinite(lmoo.curve_fit(found, T, Y, [1.0, 1.0], trace=True)[0]).all()
    reference = weakref.ref(found)
    del found
    gc.collect()
    assert reference() is None


def test_a_large_array_that_changes_is_seen_by_its_values() -> None:
    table = np.ones(10_000)
    f = lambda t, a, b: decay(t, a, b * table[1])  # noqa: E731
    for _ in range(2):
        found, expected = (lmoo.curve_fit(f, T, Y, [1, 1], trace=w)[0] for w in ("auto", False))
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        table[1] = 1.5
