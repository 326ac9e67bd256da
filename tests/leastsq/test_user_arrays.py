"""`leastsq`: the memory of x and of what the user's functions return."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from better_cases import EVERY_JACOBIAN, JACOBIANS, SUCCESS, assert_same_solve
from samples import (
    START,
    T,
    Y,
    decay,
    decay_jacobian,
)

import lmoo

# ============================================================= 1. x is theirs to change and keep


def scribbling(function: Callable[..., Any], value: float) -> Callable[..., Any]:
    def call(x: np.ndarray) -> Any:
        answer = function(x)
        x[:] = value
        return answer

    return call


@pytest.mark.parametrize("value", [math.nan, 0.0, 1e300])
@EVERY_JACOBIAN
def test_callbacks_may_change_x(options: dict[str, Any], value: float) -> None:
    changed = dict(options)
    if "Dfun" in options:
        changed["Dfun"] = scribbling(options["Dfun"], value)
    answer = lmoo.leastsq(scribbling(decay, value), START, full_output=True, **changed)
    assert_same_solve(answer, lmoo.leastsq(decay, START, full_output=True, **options))


@EVERY_JACOBIAN
def test_callbacks_may_keep_x_and_it_stays(options: dict[str, Any]) -> None:
    kept: list[tuple[np.ndarray, np.ndarray]] = []

    def keeping(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(x: np.ndarray) -> Any:
            kept.append((x, x.copy()))
            return function(x)

        return call

    keeper = dict(options)
    if "Dfun" in options:
        keeper["Dfun"] = keeping(options["Dfun"])
    func = keeping(decay)
    answer = lmoo.leastsq(func, START, full_output=True, **keeper)
    lmoo.leastsq(func, (5.0, 0.3), full_output=True, **keeper)  # the memory is not used again
    assert len(kept) > 10
    for x, copy in kept:
        np.testing.assert_array_equal(x, copy)
    assert len({x.ctypes.data for x, _ in kept}) == len(kept)
    arrays = [answer[0], answer[1], *(v for v in answer[2].values() if isinstance(v, np.ndarray))]
    assert not any(np.shares_memory(x, array) for x, _ in kept for array in arrays)


@EVERY_JACOBIAN
def test_callbacks_may_change_an_x_they_kept_from_an_earlier_call(
    options: dict[str, Any],
) -> None:
    kept: list[np.ndarray] = []

    def spoiling(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(x: np.ndarray) -> Any:
            for earlier in kept:
                earlier[:] = math.nan
            kept.append(x)
            return function(x)

        return call

    spoiler = dict(options)
    if "Dfun" in options:
        spoiler["Dfun"] = spoiling(options["Dfun"])
    answer = lmoo.leastsq(spoiling(decay), START, full_output=True, **spoiler)
    assert_same_solve(answer, lmoo.leastsq(decay, START, full_output=True, **options))


def test_changing_x_after_the_solve_does_not_change_the_answer() -> None:
    kept: list[np.ndarray] = []

    def func(x: np.ndarray) -> np.ndarray:
        kept.append(x)
        return decay(x)

    answer = lmoo.leastsq(func, START, full_output=True)
    for x in kept:
        x[:] = math.nan
    assert_same_solve(answer, lmoo.leastsq(decay, START, full_output=True))


def test_x_is_writable_float64_of_one_dimension() -> None:
    seen = set()

    def func(x: np.ndarray) -> np.ndarray:
        seen.add((type(x), x.dtype, x.shape, x.flags.writeable, x.flags.c_contiguous))
        return decay(x)

    def jacobian(x: np.ndarray) -> np.ndarray:
        func(x)
        return decay_jacobian(x)

    lmoo.leastsq(func, START)
    lmoo.leastsq(func, START, Dfun=jacobian)
    assert seen == {(np.ndarray, np.dtype(float), (2,), True, True)}


def test_func_may_return_x_itself() -> None:
    x, _, info, _, ier = lmoo.leastsq(lambda x: x, [3.0, -4.0], full_output=True)
    assert ier in SUCCESS
    np.testing.assert_allclose(x, [0.0, 0.0], atol=1e-7)
    np.testing.assert_array_equal(info["fvec"], x)
    assert not np.shares_memory(info["fvec"], x)


def test_func_may_return_x_changed_in_place() -> None:
    def func(x: np.ndarray) -> np.ndarray:
        x *= 2.0
        x -= 3.0
        return x

    x, ier = lmoo.leastsq(func, [10.0, -10.0])
    assert ier in SUCCESS
    np.testing.assert_allclose(x, [1.5, 1.5], rtol=1e-12)


def test_func_may_change_the_callers_x0() -> None:
    x0 = np.array(START)

    def func(x: np.ndarray) -> np.ndarray:
        x0[:] = math.nan
        return decay(x)

    answer = lmoo.leastsq(func, x0, full_output=True)
    assert_same_solve(answer, lmoo.leastsq(decay, START, full_output=True))


def test_func_may_change_the_callers_diag() -> None:
    diag = np.array([3.0, 0.1])

    def func(x: np.ndarray) -> np.ndarray:
        diag[:] = math.nan
        return decay(x)

    answer = lmoo.leastsq(func, START, diag=diag, factor=0.1, full_output=True)
    expected = lmoo.leastsq(decay, START, diag=[3.0, 0.1], factor=0.1, full_output=True)
    assert_same_solve(answer, expected)


# ===================================================================== 2. A reused output buffer


def into(buffer: np.ndarray, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the callback that writes its answer into one buffer, call after call."""

    def call(x: np.ndarray) -> np.ndarray:
        buffer[...] = function(x)
        return buffer

    return call


def test_func_may_reuse_its_output_buffer() -> None:
    # scipy compares the buffer with itself, finds that nothing changes, and reports success at x0.
    buffer = np.empty(T.size)
    answer = lmoo.leastsq(into(buffer, decay), START, full_output=True)
    assert_same_solve(answer, lmoo.leastsq(decay, START, full_output=True))
    assert answer[4] in SUCCESS
    assert np.abs(answer[0] - START).max() > 0.1
    assert not np.shares_memory(answer[2]["fvec"], buffer)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["rows", "columns"])
def test_dfun_may_reuse_its_output_buffer(kind: str, order: Any) -> None:
    options = dict(JACOBIANS[kind])
    expected = lmoo.leastsq(decay, START, full_output=True, **options)
    buffer = np.empty((9, 2) if kind == "rows" else (2, 9), order=order)
    options["Dfun"] = into(buffer, options["Dfun"])
    answer = lmoo.leastsq(into(np.empty(9), decay), START, full_output=True, **options)
    assert_same_solve(answer, expected)
    assert not np.shares_memory(answer[2]["fjac"], buffer)


def test_what_dfun_returned_is_not_modified() -> None:
    # Factoring happens in place; not in the caller's place.
    J = np.ascontiguousarray(np.vander(np.linspace(-1.0, 1.0, 9), 3).T)
    before = J.copy()
    lmoo.leastsq(lambda x: x @ J - Y, np.ones(3), Dfun=lambda x: J, col_deriv=True)
    np.testing.assert_array_equal(J, before)


def test_what_func_returned_is_not_modified() -> None:
    returned: list[tuple[np.ndarray, np.ndarray]] = []

    def func(x: np.ndarray) -> np.ndarray:
        f = decay(x)
        returned.append((f, f.copy()))
        return f

    lmoo.leastsq(func, START)
    for f, copy in returned:
        np.testing.assert_array_equal(f, copy)


def test_func_and_dfun_may_share_one_workspace() -> None:
    room = np.empty(9 * 3)

    def func(x: np.ndarray) -> np.ndarray:
        room[:] = math.nan
        room[:9] = decay(x)
        return room[:9]

    def jacobian(x: np.ndarray) -> np.ndarray:
        room[:] = math.nan
        J = room[:18].reshape(9, 2)  # over the residual
        J[:] = decay_jacobian(x)
        return J

    answer = lmoo.leastsq(func, START, Dfun=jacobian, full_output=True)
    assert_same_solve(answer, lmoo.leastsq(decay, START, Dfun=decay_jacobian, full_output=True))


def test_a_view_that_the_next_call_writes_over_works() -> None:
    state = np.zeros((9, 4))

    def func(x: np.ndarray) -> np.ndarray:
        state[:] = math.nan
        state[:, 2] = decay(x)
        return state[:, 2]

    answer = lmoo.leastsq(func, START, full_output=True)
    assert_same_solve(answer, lmoo.leastsq(decay, START, full_output=True))
