"""The arrays that user code gets are its own, at every entry point."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from entry_points import EVERY_WAY, WAYS, Function, Way, assert_same
from samples import START


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.float32], ids=lambda d: d.__name__)
@pytest.mark.parametrize(
    "way",
    [way for name, way in WAYS.items() if name != "Solver-complex"],
    ids=[name for name in WAYS if name != "Solver-complex"],
)
def test_user_code_gets_writable_vectors_of_float64(dtype: Any, way: Way) -> None:
    kinds: set[Any] = set()

    def spying(function: Function) -> Function:
        def call(x: np.ndarray) -> Any:
            kinds.add((type(x), x.dtype.str, x.shape, x.flags.writeable, x.flags.c_contiguous))
            return function(x)

        return call

    assert way.solve(x0=np.ones(2, dtype=dtype), wrap=spying).success
    assert kinds == {(np.ndarray, np.dtype(np.float64).str, (2,), True, True)}


def reshape(x: np.ndarray) -> None:
    x.shape = (1, x.size)


def retype(x: np.ndarray) -> None:
    x.dtype = np.dtype(np.int64)


def swap(x: np.ndarray) -> None:
    x.dtype = x.dtype.newbyteorder()


SPOILERS: dict[str, Callable[[np.ndarray], Any]] = {
    "fill": lambda x: x.fill(np.nan),
    "zeros": lambda x: x.fill(0.0),
    "huge": lambda x: x.fill(1e300),
    "resize": lambda x: x.resize(100, refcheck=False),
    "shrink": lambda x: x.resize(1, refcheck=False),
    "empty": lambda x: x.resize(0, refcheck=False),
    "shape": reshape,
    "dtype": retype,
    "byte order": swap,
    "read-only": lambda x: x.setflags(write=False),
    "sort": lambda x: x.sort(),
}
# NumPy has begun to deprecate in-place changes of shape and dtype; what they do is still there.
DEPRECATED = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@DEPRECATED
@pytest.mark.parametrize("spoil", SPOILERS.values(), ids=SPOILERS)
@EVERY_WAY
def test_user_code_may_do_anything_to_its_x(spoil: Any, way: Way) -> None:
    def spoiling(function: Function) -> Function:
        def call(x: np.ndarray) -> Any:
            value = function(x)
            spoil(x)
            return value

        return call

    assert_same(way.solve(wrap=spoiling), way.solve())


KEEPERS: dict[str, Callable[[np.ndarray], Any]] = {
    "itself": lambda x: x,
    "view": lambda x: x[:],
    "part": lambda x: x[1:],
    "reversed": lambda x: x[::-1],
    "bytes view": lambda x: x.view(np.uint8),
    "memoryview": memoryview,
    "cast memoryview": lambda x: memoryview(x).cast("B"),
    "ctypes": lambda x: np.ctypeslib.as_array((ctypes.c_double * 2).from_buffer(x)),
    "dlpack": np.from_dlpack,
    "flat": lambda x: x.flat,
    "nditer": lambda x: np.nditer(x, order="C"),
    "in a tuple": lambda x: (x,),
    "method": lambda x: x.copy,
    "closure": lambda x: lambda: x,
}


def numbers(kept: Any) -> list[float]:
    """What somebody who kept this sees in it."""
    if isinstance(kept, tuple):
        return numbers(kept[0])
    if isinstance(kept, np.nditer):
        kept.reset()
        return [float(entry) for entry in kept]
    if isinstance(kept, np.flatiter):
        return kept[:].tolist()
    if callable(kept):
        return numbers(kept())
    return np.array(kept).view(np.float64).tolist()


@pytest.mark.parametrize("keep", KEEPERS.values(), ids=KEEPERS)
@EVERY_WAY
def test_what_user_code_keeps_of_x_never_changes(keep: Any, way: Way) -> None:
    kept: list[tuple[Any, Any]] = []

    def keeping(function: Function) -> Function:
        def call(x: np.ndarray) -> Any:
            value = function(x)
            if x.dtype == np.float64:
                held = keep(x)
                kept.append((held, numbers(held)))
            return value

        return call

    answer = way.solve(wrap=keeping)
    assert len(kept) > 5
    assert_same(answer, way.solve())
    for held, then in kept:
        np.testing.assert_array_equal(numbers(held), then)


@EVERY_WAY
def test_each_x_has_its_own_memory(way: Way) -> None:
    kept: list[np.ndarray] = []

    def keeping(function: Function) -> Function:
        def call(x: np.ndarray) -> Any:
            kept.append(x)
            return function(x)

        return call

    x0 = np.array(START)
    answer = way.solve(x0=x0, wrap=keeping)
    way.solve(x0=(5.0, 0.3), wrap=keeping)  # the memory is not used again
    assert len(kept) > 10
    assert len({x.ctypes.data for x in kept}) == len(kept)
    arrays = [x0, answer.x, answer.residual, *answer.more]
    assert not any(np.shares_memory(x, array) for x in kept for array in arrays)
    assert not any(np.shares_memory(x0, array) for array in arrays[1:])
    np.testing.assert_array_equal(x0, START)
    # Changes after the solve do not reach its answer.
    for x in kept:
        x.fill(np.nan)
    assert_same(answer, way.solve())


@EVERY_WAY
def test_a_weak_reference_to_x_never_shows_another_point(way: Way) -> None:
    watched: list[tuple[weakref.ref[np.ndarray], list[float]]] = []

    def watching(function: Function) -> Function:
        def call(x: np.ndarray) -> Any:
            for reference, then in watched:
                array = reference()
                if array is not None:
                    assert array.tolist() == then
            watched.append((weakref.ref(x), x.tolist()))
            return function(x)

        return call

    assert way.solve(wrap=watching).success
    assert len(watched) > 5


@EVERY_WAY
def test_changing_a_kept_x_does_not_change_the_solve(way: Way) -> None:
    kept: list[np.ndarray] = []

    def spoiling(function: Function) -> Function:
        def call(x: np.ndarray) -> Any:
            for array in kept:
                array.fill(np.nan)
            kept.append(x)
            return function(x)

        return call

    assert_same(way.solve(wrap=spoiling), way.solve())
    assert len(kept) > 5


@EVERY_WAY
def test_user_code_may_change_the_callers_x0(way: Way) -> None:
    x0 = np.array(START)

    def spoiling(function: Function) -> Function:
        def call(x: np.ndarray) -> Any:
            x0.fill(np.nan)
            return function(x)

        return call

    answer = way.solve(x0=x0, wrap=spoiling)
    assert np.isnan(x0).all()
    assert_same(answer, way.solve())
