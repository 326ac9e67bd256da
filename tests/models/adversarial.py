"""Functions that a tracer could get wrong: impure, stateful, random, branching, looking at types.

Each entry makes a fresh function ``f(t, a, b)`` and, where it has effects, a list of them.
"""

from __future__ import annotations

import functools
import io
import itertools
import logging
import math
import operator
import os
import random
import sys
import time
import types
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Made = tuple[Callable[..., Any], Any]

MAKERS: dict[str, Callable[[], Made]] = {}


def adversarial(make: Callable[[], Made]) -> Callable[[], Made]:
    MAKERS[make.__name__] = make
    return make


def model(t, a, b):
    return a * np.exp(-b * t)


# ---- randomness ------------------------------------------------------------------------------


@adversarial
def legacy_random() -> Made:
    np.random.seed(3)  # noqa: NPY002

    def f(t, a, b):
        return model(t, a, b) + 1e-9 * np.random.rand(t.size)  # noqa: NPY002

    return f, None


@adversarial
def random_of_python() -> Made:
    random.seed(4)
    return lambda t, a, b: model(t, a, b) + 1e-9 * random.random(), None


@adversarial
def generator_of_the_closure() -> Made:
    rng = np.random.default_rng(1)
    return lambda t, a, b: model(t, a, b) + 1e-9 * rng.normal(), None


@adversarial
def generator_as_default() -> Made:
    def f(t, a, b, *, rng=np.random.default_rng(2)):  # noqa: B008
        return model(t, a, b) + 1e-9 * rng.normal()

    return functools.partial(f, rng=np.random.default_rng(2)), None


@adversarial
def bound_random_method() -> Made:
    normal = np.random.default_rng(5).normal

    def f(t, a, b):
        return model(t, a, b) + 1e-9 * normal()

    return f, None


@adversarial
def random_state_in_a_list() -> Made:
    tools = [np.random.default_rng(6)]
    return lambda t, a, b: model(t, a, b) + 1e-9 * tools[0].normal(), None


@adversarial
def random_in_a_helper() -> Made:
    rng = np.random.default_rng(7)

    def noise():
        return 1e-9 * rng.normal()

    return lambda t, a, b: model(t, a, b) + noise(), None


@adversarial
def random_attribute_of_an_alias() -> Made:
    np.random.seed(8)  # noqa: NPY002

    def f(t, a, b):
        numpy = np
        return model(t, a, b) + 1e-9 * numpy.random.rand()

    return f, None


# ---- state -----------------------------------------------------------------------------------


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


@adversarial
def counts_in_an_object() -> Made:
    class State:
        calls = 0

        def bump(self):
            self.calls += 1
            return 0.0

    state = State()
    return lambda t, a, b: model(t, a, b) + state.bump(), vars(state)


@adversarial
def counts_by_a_property() -> Made:
    class State:
        calls = 0

        @property
        def bump(self):
            self.calls += 1
            return 0.0

    state = State()
    return lambda t, a, b: model(t, a, b) + state.bump, vars(state)


@adversarial
def counts_by_getattr() -> Made:
    class State:
        def __init__(self) -> None:
            self.seen: list[str] = []

        def __getattr__(self, name):
            self.seen.append(name)
            return 0.0

    state = State()
    return lambda t, a, b: model(t, a, b) + state.anything, state.seen


@adversarial
def counts_by_arithmetic() -> Made:
    class Number:
        calls = 0

        def __radd__(self, other):
            type(self).calls += 1
            return other

    number = Number()
    return lambda t, a, b: model(t, a, b) + number, None


@adversarial
def counts_in_a_method() -> Made:
    class Model:
        calls = 0

        def f(self, t, a, b):
            self.calls += 1
            return model(t, a, b)

    m = Model()
    return m.f, vars(m)


@adversarial
def counts_when_called() -> Made:
    class Model:
        def __init__(self) -> None:
            self.seen: deque[float] = deque(maxlen=3)

        def __call__(self, t, a, b):
            self.seen.append(1.0)
            return model(t, a, b)

    m = Model()
    return m, m.seen


@adversarial
def counts_by_setattr() -> Made:
    state = types.SimpleNamespace(calls=0)

    def f(t, a, b):
        setattr(state, "calls", state.calls + 1)  # noqa: B010
        return model(t, a, b)

    return f, vars(state)


@adversarial
def counts_by_operator() -> Made:
    seen = [0]

    def f(t, a, b):
        operator.setitem(seen, 0, seen[0] + 1)
        return model(t, a, b)

    return f, seen


@adversarial
def counts_by_a_bound_method() -> Made:
    seen: list[int] = []
    note = seen.append

    def f(t, a, b):
        note(1)
        return model(t, a, b)

    return f, seen


@adversarial
def counts_by_a_decorator() -> Made:
    seen: list[int] = []

    def counted(function):
        @functools.wraps(function)
        def wrapper(*args):
            seen.append(1)
            return function(*args)

        return wrapper

    return counted(model), seen


@adversarial
def counts_in_a_comprehension() -> Made:
    seen: list[int] = []

    def f(t, a, b):
        [seen.append(k) for k in range(2)]
        return model(t, a, b)

    return f, seen


@adversarial
def counts_by_map() -> Made:
    seen: list[int] = []

    def f(t, a, b):
        list(map(seen.append, [1]))
        return model(t, a, b)

    return f, seen


@adversarial
def counts_in_a_context() -> Made:
    seen: list[int] = []

    class Context:
        def __enter__(self):
            seen.append(1)

        def __exit__(self, *args):
            return False

    context = Context()

    def f(t, a, b):
        with context:
            return model(t, a, b)

    return f, seen


@adversarial
def memory_of_the_last_point() -> Made:
    last = [1.0]

    def f(t, a, b):
        out = model(t, a, b) * (1 + 1e-10 * last[0])
        last[0] = 0.0
        return out

    return f, None


@adversarial
def a_cache() -> Made:
    cache: dict[Any, Any] = {}

    def f(t, a, b):
        key = (a, b)
        if key not in cache:
            cache[key] = model(t, a, b)
        return cache[key]

    return f, None


@adversarial
def an_lru_cache() -> Made:
    @functools.lru_cache
    def factor(b):
        return math.exp(-b)

    return lambda t, a, b: a * factor(b) ** t, None


# ---- effects outside -------------------------------------------------------------------------


@adversarial
def printing() -> Made:
    def f(t, a, b):
        print("called", file=sys.stderr)
        return model(t, a, b)

    return f, None


@adversarial
def writing_to_a_stream() -> Made:
    stream = io.StringIO()

    def f(t, a, b):
        stream.write("x")
        return model(t, a, b)

    class Written:
        def __len__(self) -> int:
            return len(stream.getvalue())

        def __eq__(self, other: object) -> bool:
            return len(other) == len(self)  # type: ignore[arg-type]

        __hash__ = None  # type: ignore[assignment]

    return f, Written()


@adversarial
def logging_calls() -> Made:
    records: list[str] = []
    logger = logging.Logger("adversarial")
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)

    def f(t, a, b):
        logger.warning("called")
        return model(t, a, b)

    return f, records


@adversarial
def environment() -> Made:
    os.environ["ADVERSARIAL"] = "0"

    def f(t, a, b):
        os.environ["ADVERSARIAL"] = "1"
        return model(t, a, b)

    return f, None


@adversarial
def the_clock() -> Made:
    return lambda t, a, b: model(t, a, b) + 0.0 * time.perf_counter(), None


# ---- branches and types ----------------------------------------------------------------------


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


# ---- what changes between calls --------------------------------------------------------------


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
