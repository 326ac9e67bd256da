"""Functions that branch by values, types or names."""

from __future__ import annotations

import sys

import numpy as np

from adversarial.registry import Made, adversarial, model


@adversarial
def branch_by_parameter() -> Made:
    return lambda t, a, b: model(t, a, b) if b > 1.1 else model(t, a, b) * (1 + (1.1 - b)), None


@adversarial
def branch_by_points() -> Made:
    return lambda t, a, b: model(t, a, b) if np.all(t >= 0) else t, None


@adversarial
def conditional_chain() -> Made:
    return lambda t, a, b: model(t, a, (b > 0 and b) or -b), None


@adversarial
def builtin_max() -> Made:
    return lambda t, a, b: model(t, a, max(b, 0.1)), None


@adversarial
def by_isinstance() -> Made:
    return lambda t, a, b: model(t, a, b) if isinstance(t, np.ndarray) else 2 * t, None


@adversarial
def by_isinstance_of_a_parameter() -> Made:
    return lambda t, a, b: model(t, a, b) if isinstance(b, float) else a * t, None


@adversarial
def by_type() -> Made:
    return lambda t, a, b: model(t, a, b) if type(b) is np.float64 else a * t, None


@adversarial
def by_hasattr() -> Made:
    return lambda t, a, b: model(t, a, b) if hasattr(b, "hex") else a * t, None


@adversarial
def by_class_name() -> Made:
    return lambda t, a, b: a * t if "Place" in b.__class__.__name__ else model(t, a, b), None


@adversarial
def by_module_of_the_class() -> Made:
    return lambda t, a, b: a * t if b.__class__.__module__[:4] == "lmoo" else model(t, a, b), None


@adversarial
def by_callability_of_an_attribute() -> Made:
    return lambda t, a, b: model(t, a, b) if callable(t.tolist) else a * t, None


@adversarial
def try_float() -> Made:
    def f(t, a, b):
        try:
            b = float(b)
        except Exception:
            return a * t
        return model(t, a, b)

    return f, None


@adversarial
def try_indexing() -> Made:
    def f(t, a, b):
        try:
            return model(t, a, b) + 0.0 * t[0]
        except BaseException:
            return a * t

    return f, None


@adversarial
def try_finally() -> Made:
    def f(t, a, b):
        out = a * t
        try:
            out = model(t, a, float(b))
        finally:
            return out  # noqa: B012

    return f, None


@adversarial
def suppressed() -> Made:
    import contextlib

    def f(t, a, b):
        out = a * t
        with contextlib.suppress(Exception):
            out = model(t, a, float(b))
        return out

    return f, None


@adversarial
def by_match() -> Made:
    def f(t, a, b):
        match b:
            case float():
                return model(t, a, b)
            case _:
                return a * t

    return f, None


@adversarial
def by_the_text_of_a_number() -> Made:
    return lambda t, a, b: a * t if "lmoo" in repr(b) else model(t, a, b), None


@adversarial
def by_formatting() -> Made:
    return lambda t, a, b: a * t if f"{b!r}".startswith("<") else model(t, a, b), None


@adversarial
def by_identity() -> Made:
    one = np.float64(1.0)
    return lambda t, a, b: a * t if b is one else model(t, a, b), None


@adversarial
def by_equality() -> Made:
    return lambda t, a, b: model(t, a, b) * (1 if b == 1.0 else 1.0 + 1e-9), None


@adversarial
def by_membership() -> Made:
    return lambda t, a, b: model(t, a, b) * (2 if b in (7.0, 8.0) else 1), None


@adversarial
def by_hash() -> Made:
    return lambda t, a, b: model(t, a, b) * {1.0: 1.0}.get(float(b), 1.0), None


@adversarial
def by_the_callers_frame() -> Made:
    return lambda t, a, b: a * t if "recorded" in _callers() else model(t, a, b), None


def _callers() -> set[str]:
    frame, names = sys._getframe(), set()
    while frame is not None:
        names.add(frame.f_code.co_name)
        frame = frame.f_back  # type: ignore[assignment]
    return names
