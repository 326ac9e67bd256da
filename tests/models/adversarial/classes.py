"""Classes with properties, descriptors, operators and methods that keep state or examine types."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any

import numpy as np

from adversarial.registry import Made, adversarial, model


@adversarial
def counts_in_a_new_object() -> Made:
    seen: list[int] = []

    class Decay:
        def __init__(self, b):
            seen.append(1)
            self.b = b

        def at(self, t):
            return np.exp(-self.b * t)

    return lambda t, a, b: a * Decay(b).at(t), seen


@adversarial
def counts_in_the_class() -> Made:
    class Decay:
        made = 0

        def __init__(self, b):
            type(self).made += 1
            self.b = b

    return lambda t, a, b: model(t, a, Decay(b).b) * (1.0 + 1e-9 * Decay.made), None


@adversarial
def counts_by_a_named_class() -> Made:
    class Decay:
        made = 0

        def __init__(self, b):
            Decay.made += 1
            self.b = b

    return lambda t, a, b: model(t, a, Decay(b).b) * (1.0 + 1e-9 * Decay.made), None


@adversarial
def counts_in_a_list_of_the_class() -> Made:
    class Decay:
        made: list[int] = []  # noqa: RUF012

        def __init__(self, b):
            self.made.append(1)
            self.b = b

    return lambda t, a, b: model(t, a, Decay(b).b) * (1.0 + 1e-9 * len(Decay.made)), Decay.made


@adversarial
def a_setter_that_counts() -> Made:
    class Decay:
        calls = 0

        @property
        def b(self):
            return self._b

        @b.setter
        def b(self, value):
            Decay.calls += 1
            self._b = value + 1e-9 * Decay.calls

        def __init__(self, b):
            self.b = b

    return lambda t, a, b: model(t, a, Decay(b).b), None


@adversarial
def a_setattr_that_counts() -> Made:
    seen: list[str] = []

    class Decay:
        def __setattr__(self, name, value):
            seen.append(name)
            object.__setattr__(self, name, value)

        def __init__(self, b):
            self.b = b

    return lambda t, a, b: model(t, a, Decay(b).b), seen


@adversarial
def a_descriptor() -> Made:
    class Growing:
        calls = 0

        def __get__(self, owner, kind=None):
            Growing.calls += 1
            return 1e-9 * Growing.calls

    class Settings:
        offset = Growing()

    settings = Settings()
    return lambda t, a, b: model(t, a, b) + settings.offset, None


@adversarial
def a_descriptor_of_the_class() -> Made:
    class Growing:
        calls = 0

        def __get__(self, owner, kind=None):
            Growing.calls += 1
            return 1e-9 * Growing.calls

    class Settings:
        offset = Growing()

    return lambda t, a, b: model(t, a, b) + Settings.offset, None


@adversarial
def a_metaclass_that_counts() -> Made:
    class Counting(type):
        made = 0

        def __call__(cls, *args):
            Counting.made += 1
            return super().__call__(*args)

    class Decay(metaclass=Counting):
        def __init__(self, b):
            self.b = b

    return lambda t, a, b: model(t, a, Decay(b).b) + 1e-9 * Counting.made, None


@adversarial
def a_getattribute_that_counts() -> Made:
    seen: list[str] = []

    class Decay:
        def __init__(self, b):
            self.b = b

        def __getattribute__(self, name):
            seen.append(name)
            return object.__getattribute__(self, name)

    return lambda t, a, b: model(t, a, Decay(b).b), seen


@adversarial
def operators_with_other_rules() -> Made:
    class Tropical:
        def __init__(self, value):
            self.value = value

        def __add__(self, other):
            return Tropical(np.maximum(self.value, other.value))

        def __mul__(self, other):
            return Tropical(self.value + other.value)

    def f(t, a, b):
        return model(t, (Tropical(a) + Tropical(0.5)).value, (Tropical(b) * Tropical(0.0)).value)

    return f, None


@adversarial
def equality_with_other_rules() -> Made:
    @dataclasses.dataclass
    class Rate:
        value: Any

        def __eq__(self, other):
            return bool(abs(self.value - other.value) < 0.2)

    def f(t, a, b):
        return model(t, a, b) if Rate(b) == Rate(1.3) else model(t, a, b) * 1.5

    return f, None


@adversarial
def a_data_class_with_a_counting_default() -> Made:
    seen: list[int] = []

    def number():
        seen.append(1)
        return 1e-9 * len(seen)

    @dataclasses.dataclass
    class Rate:
        value: Any
        offset: float = dataclasses.field(default_factory=number)

    def f(t, a, b):
        rate = Rate(b)
        return model(t, a, rate.value) + rate.offset

    return f, seen


@adversarial
def a_cached_property() -> Made:
    class Decay:
        def __init__(self) -> None:
            self.calls = 0

        @functools.cached_property
        def scale(self):
            return 1.0

        def __call__(self, t, a, b):
            return model(t, a, b) * self.scale

    return Decay(), None


@adversarial
def an_object_that_is_its_own_default() -> Made:
    class Decay:
        def __init__(self) -> None:
            self.other = self

        def __call__(self, t, a, b):
            return model(t, a, math.sqrt(b) ** 2) if self.other is self else a * t

    return Decay(), None


@adversarial
def an_object_that_compares_itself() -> Made:
    class Decay:
        def __eq__(self, other):
            return True

        def __call__(self, t, a, b):
            return model(t, a, math.sqrt(b) ** 2) if self == 3 else a * t

    return Decay(), None


@adversarial
def a_method_that_is_replaced() -> Made:
    class Decay:
        def rate(self, b):
            return b

        def __call__(self, t, a, b):
            return model(t, a, self.rate(math.sqrt(b) ** 2))

    decay = Decay()
    decay.rate = lambda b: 2.0 * b  # type: ignore[method-assign]
    return decay, None


@adversarial
def an_inherited_method_that_counts() -> Made:
    seen: list[int] = []

    class Base:
        def f(self, t, a, b):
            seen.append(1)
            return model(t, a, b)

    class Derived(Base):
        def f(self, t, a, b):
            return super().f(t, a, b)

    return Derived().f, seen


@adversarial
def an_inherited_method_of_another_base() -> Made:
    class Left:
        def f(self, t, a, b):
            return model(t, a, b)

    class Right(Left):
        def f(self, t, a, b):
            return 2.0 * super().f(t, a, b)

    class Middle(Left):
        def f(self, t, a, b):
            return 1.0 + super().f(t, a, b)

    class Both(Right, Middle):
        def f(self, t, a, b):
            return super().f(t, a, math.sqrt(b) ** 2)

    return Both().f, None


@adversarial
def a_subclass_of_arrays() -> Made:
    class Noted(np.ndarray):
        def __array_finalize__(self, other):
            self.note = getattr(other, "note", 0) + 1

    def f(t, a, b):
        u = t.view(Noted)
        return np.asarray(model(u, a, b)) * (1.0 + 1e-9 * u.note)

    return f, None


@adversarial
def a_single_dispatch() -> Made:
    @functools.singledispatch
    def rate(b):
        return 2.0 * b

    @rate.register
    def _(b: float):
        return b

    return lambda t, a, b: model(t, a, rate(b)), None


@adversarial
def attributes_of_a_module_that_change() -> Made:
    import types

    module = types.ModuleType("settings")
    module.scale = 1.0  # type: ignore[attr-defined]

    def f(t, a, b):
        out = model(t, a, b) * module.scale
        vars(module)["scale"] = module.scale * (1.0 + 1e-9)
        return out

    return f, None
