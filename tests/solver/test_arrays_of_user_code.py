"""Memory of the arrays that user code gets and returns."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from samples import START, decay, decay_jacobian
from solver_problems import EVERY_STRATEGY, STRATEGIES, assert_same_bits, solve_decay

from lmoo import FunctionProblem, Solver

# ===================================================================== what x is to user code


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.float32], ids=lambda d: d.__name__)
@pytest.mark.parametrize(
    ("dfun", "strategy"),
    [value for name, value in STRATEGIES.items() if name != "complex"],
    ids=[name for name in STRATEGIES if name != "complex"],
)
def test_user_code_gets_float64_and_nothing_else(dtype: Any, dfun: Any, strategy: Any) -> None:
    kinds: set[Any] = set()

    def spying(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(x: np.ndarray) -> Any:
            kinds.add((type(x), x.dtype.str, x.shape))
            return function(x)

        return call

    problem = FunctionProblem(spying(decay), spying(dfun) if dfun else None)
    assert Solver(jacobian=strategy).solve(problem, np.ones(2, dtype=dtype)).success
    assert kinds == {(np.ndarray, np.dtype(np.float64).str, (2,))}


def spoiling(function: Callable[..., Any], spoil: Callable[[np.ndarray], Any]) -> Any:
    """Compute first, then do to x what must do no harm."""

    def call(x: np.ndarray) -> Any:
        value = function(x)
        spoil(x)
        return value

    return call


def reshape(x: np.ndarray) -> None:
    x.shape = (1, x.size)


def retype(x: np.ndarray) -> None:
    x.dtype = np.dtype(np.int64)


def swap(x: np.ndarray) -> None:
    x.dtype = x.dtype.newbyteorder()


SPOILERS: dict[str, Callable[[np.ndarray], Any]] = {
    "fill": lambda x: x.fill(np.nan),
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
@EVERY_STRATEGY
def test_user_code_may_do_anything_to_its_x(spoil: Any, dfun: Any, strategy: Any) -> None:
    function = spoiling(decay, spoil)
    result = solve_decay(function, dfun and spoiling(dfun, spoil), strategy)
    assert_same_bits(result, solve_decay(decay, dfun, strategy))


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
@EVERY_STRATEGY
def test_what_user_code_keeps_of_x_never_changes(keep: Any, dfun: Any, strategy: Any) -> None:
    kept: list[tuple[Any, Any]] = []

    def keeping(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(x: np.ndarray) -> Any:
            value = function(x)
            if x.dtype == np.float64:
                held = keep(x)
                kept.append((held, numbers(held)))
            return value

        return call

    result = solve_decay(keeping(decay), dfun and keeping(dfun), strategy)
    assert len(kept) > 5
    assert_same_bits(result, solve_decay(decay, dfun, strategy))
    for held, then in kept:
        np.testing.assert_array_equal(numbers(held), then)


def test_a_weak_reference_to_x_never_shows_another_point() -> None:
    watched: list[tuple[weakref.ref[np.ndarray], list[float]]] = []

    def residual(x: np.ndarray) -> np.ndarray:
        for reference, then in watched:
            array = reference()
            assert array is None or array.tolist() == then
        watched.append((weakref.ref(x), x.tolist()))
        return decay(x)

    assert solve_decay(residual).success
    assert len(watched) > 5


def test_changing_a_kept_x_does_not_change_the_solve() -> None:
    kept: list[np.ndarray] = []

    def residual(x: np.ndarray) -> np.ndarray:
        for array in kept:
            array.fill(np.nan)
        kept.append(x)
        return decay(x)

    assert_same_bits(solve_decay(residual), solve_decay())


def test_the_caller_may_change_x0_from_within() -> None:
    x0 = np.array(START)

    def residual(x: np.ndarray) -> np.ndarray:
        x0[:] = np.nan
        return decay(x)

    assert_same_bits(Solver().solve(FunctionProblem(residual), x0), solve_decay())


def test_the_users_x0_is_not_what_user_code_gets() -> None:
    x0 = np.array(START)
    seen: list[bool] = []

    def residual(x: np.ndarray) -> np.ndarray:
        seen.append(np.shares_memory(x, x0))
        return decay(x)

    result = Solver().solve(FunctionProblem(residual), x0)
    assert not any(seen)
    assert not np.shares_memory(result.x, x0)
    np.testing.assert_array_equal(x0, START)


# What it returns -------------------------------------------------------------------------------


def into(buffer: np.ndarray, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the one buffer at every call."""

    def call(x: np.ndarray) -> np.ndarray:
        if x.dtype.kind == "c":
            return function(x)
        buffer[...] = function(x)
        return buffer

    return call


@EVERY_STRATEGY
def test_an_output_buffer_may_be_used_again_at_every_call(dfun: Any, strategy: Any) -> None:
    function = into(np.empty(9), decay)
    jacobian = dfun and into(np.empty(dfun(np.array(START)).shape), dfun)
    result = solve_decay(function, jacobian, strategy)
    assert_same_bits(result, solve_decay(decay, dfun, strategy))


@pytest.mark.parametrize("view", [slice(None), slice(None, None, -1)], ids=["x", "x reversed"])
def test_a_residual_may_return_x_itself(view: slice) -> None:
    kept: list[np.ndarray] = []

    def residual(x: np.ndarray) -> np.ndarray:
        return x[view] if view.step else x

    def keeping(x: np.ndarray) -> np.ndarray:
        kept.append(x)
        return x

    for function in (residual, keeping):
        result = Solver().solve(FunctionProblem(function), [3.0, -2.0])
        assert result.success
        np.testing.assert_allclose(result.x, [0.0, 0.0], atol=1e-9)
        np.testing.assert_array_equal(np.sort(result.residual), np.sort(result.x))


def test_a_residual_may_return_x_changed_in_place() -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        x -= [3.0, 4.0]
        return x

    np.testing.assert_allclose(
        Solver().solve(FunctionProblem(residual), [1.0, 1.0]).x, [3.0, 4.0], rtol=1e-12
    )


def test_what_user_code_returned_is_left_alone() -> None:
    returned: list[tuple[np.ndarray, np.ndarray]] = []

    def keeping(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(x: np.ndarray) -> np.ndarray:
            value = function(x)
            returned.append((value, value.copy()))
            return value

        return call

    result = solve_decay(keeping(decay), keeping(decay_jacobian))
    assert result.success
    for value, then in returned:
        np.testing.assert_array_equal(value, then)
        assert not np.shares_memory(value, result.residual)


def test_result_shares_no_memory_with_what_user_code_holds() -> None:
    held: list[np.ndarray] = []
    buffer = np.empty(9)

    def residual(x: np.ndarray) -> np.ndarray:
        held.append(x)
        buffer[:] = decay(x)
        return buffer

    result = solve_decay(residual)
    x, f = result.x.copy(), result.residual.copy()
    buffer.fill(np.nan)
    for array in held:
        array.fill(np.nan)
    np.testing.assert_array_equal(result.x, x)
    np.testing.assert_array_equal(result.residual, f)
