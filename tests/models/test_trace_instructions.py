"""The reading of code objects: the instructions of dis, what they change and refer to."""

from __future__ import annotations

import argparse
import dis
import inspect
import random
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from lmoo.errors import TraceError
from lmoo.models.tracing.effects import examined
from lmoo.models.tracing.instructions import effect, instructions_of, jump_targets, value_of

# Instructions for two, by the instructions that they are read as.
PAIRS = {
    "LOAD_FAST_LOAD_FAST": ("LOAD_FAST", "LOAD_FAST"),
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW": ("LOAD_FAST", "LOAD_FAST"),
    "STORE_FAST_LOAD_FAST": ("STORE_FAST", "LOAD_FAST"),
    "STORE_FAST_STORE_FAST": ("STORE_FAST", "STORE_FAST"),
}


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield a code object and those inside."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


def expected(code: types.CodeType) -> list[tuple[str, Any, int]]:
    """Return names, values and offsets of the instructions of a code object, from dis."""
    found: list[tuple[str, Any, int]] = []
    begin: int | None = None
    for i in dis.get_instructions(code):
        if i.opname in ("CACHE", "EXTENDED_ARG"):
            begin = i.offset if begin is None and i.opname == "EXTENDED_ARG" else begin
            continue
        place, begin = i.offset if begin is None else begin, None
        if i.opname in PAIRS:
            found += zip(PAIRS[i.opname], i.argval, (place, place), strict=True)
        else:
            named = i.opcode in (*dis.hasname, *dis.haslocal, *dis.hasfree)
            name = "LOAD_FAST" if i.opname == "LOAD_FAST_BORROW" else i.opname
            found.append((name, i.argval if named else "", place))
    return found


@pytest.mark.parametrize("module", [argparse, inspect, random], ids=lambda m: m.__name__)
def test_instructions_are_those_of_dis(module: types.ModuleType) -> None:
    count = 0
    for code in codes(compile(inspect.getsource(module), "module", "exec")):
        found = [
            (dis.opname[opcode], value_of(code, opcode, arg), offset)
            for opcode, arg, offset in instructions_of(code)
        ]
        assert found == expected(code), code
        assert sum(effect(opcode, arg) for opcode, arg, _ in instructions_of(code)) == sum(
            dis.stack_effect(i.opcode, i.arg) for i in dis.get_instructions(code)
        )
        assert jump_targets(code) <= {offset for _, _, offset in found}
        count += len(found)
    assert count > 2000


def test_arguments_of_several_bytes() -> None:
    lines = "".join(f"    v{i} = np.a{i}\n" for i in range(300))
    space: dict[str, Any] = {}
    exec(f"def f(t):\n{lines}    return np.random.normal() * v299", {"np": np}, space)
    code = space["f"].__code__
    assert [part[:2] for part in expected(code)] == [
        (dis.opname[opcode], value_of(code, opcode, arg))
        for opcode, arg, _ in instructions_of(code)
    ]
    with pytest.raises(TraceError, match=r"np\.random\.normal is used"):
        examined(types.FunctionType(code, {"np": np}))


def test_an_assignment_to_a_slice_of_an_outside_object_is_a_change() -> None:
    kept = [0.0, 0.0, 0.0]

    def f(t: Any, a: Any) -> Any:
        kept[0:2] = [1.0, 2.0]
        return a * t + kept[0]

    with pytest.raises(TraceError, match="an entry of an object is set"):
        examined(f)

    def g(t: Any, a: Any) -> Any:
        out = np.zeros_like(t)
        out[0:2] = kept[0]
        return a * t + out

    assert examined(g).changing is None


def test_attributes_of_the_object_of_a_method_are_dependencies() -> None:
    class Curve:
        def __init__(self) -> None:
            self.k = 2.0

        def values(self, t: Any, a: Any) -> Any:
            return a * self.k * t

    curve = Curve()
    assert (curve, "k", 2.0) in examined(curve.values).objects


def test_the_line_of_a_refusal() -> None:
    def f(t: Any, a: Any) -> Any:
        b = 2.0 * a
        return (
            b * t
            + random.random()
        )  # fmt: skip

    with pytest.raises(TraceError) as caught:
        examined(f)
    line = f.__code__.co_firstlineno + 4
    assert f"test_trace_instructions.py:{line}" in str(caught.value)


def test_an_array_that_a_function_has_created_is_changed_by_a_call() -> None:
    def f(t: Any, a: Any, b: Any) -> Any:
        y = np.zeros_like(t)
        for d in (0.0, 1.0):
            y += np.where(t > d, a * (np.exp(-b * (t - d)) - np.exp(-a * t)), 0.0)
        return y

    assert examined(f).changing is None
