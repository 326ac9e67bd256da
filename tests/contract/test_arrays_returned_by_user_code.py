"""The arrays that user code returns stay its own, at every entry point."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from entry_points import EVERY_ENTRY_POINT, EVERY_WAY, WAYS, Function, Way, assert_same
from samples import START, T, Y, decay, decay_jacobian

import lmoo


@pytest.mark.parametrize("order", ["C", "F"])
@EVERY_WAY
def test_output_buffers_may_be_used_again_at_every_call(way: Way, order: Any) -> None:
    buffers: list[np.ndarray] = []

    def into(function: Function) -> Function:
        shape = np.shape(function(np.array(START)))
        buffer = np.full(shape, np.nan, order=order)
        buffers.append(buffer)

        def call(x: np.ndarray) -> Any:
            if x.dtype.kind == "c":
                return function(x)
            buffer[...] = function(x)
            return buffer

        return call

    # scipy's leastsq compares the buffer with itself, and reports success at x0.
    answer = way.solve(wrap=into)
    assert_same(answer, way.solve())
    assert answer.success
    assert np.abs(answer.x - START).max() > 0.1
    arrays = [answer.x, answer.residual, *answer.more]
    assert not any(np.shares_memory(buffer, array) for buffer in buffers for array in arrays)
    # Changes after the solve do not reach its answer.
    for buffer in buffers:
        buffer.fill(np.nan)
    assert_same(answer, way.solve())


@EVERY_WAY
def test_what_user_code_returned_is_left_alone(way: Way) -> None:
    returned: list[tuple[np.ndarray, np.ndarray]] = []

    def keeping(function: Function) -> Function:
        def call(x: np.ndarray) -> Any:
            value = function(x)
            returned.append((value, value.copy()))
            return value

        return call

    answer = way.solve(wrap=keeping)
    assert answer.success
    assert len(returned) > 5
    for value, then in returned:
        np.testing.assert_array_equal(value, then)
        for array in (answer.x, answer.residual, *answer.more):
            assert not np.shares_memory(value, array)


@pytest.mark.parametrize("view", [slice(None), slice(None, None, -1)], ids=["x", "x reversed"])
@EVERY_ENTRY_POINT
def test_a_residual_may_return_x_itself(entry: Any, view: slice) -> None:
    kept: list[np.ndarray] = []

    def residual(x: np.ndarray) -> np.ndarray:
        return x[view] if view.step else x

    def keeping(x: np.ndarray) -> np.ndarray:
        kept.append(x)
        return residual(x)

    for function in (residual, keeping):
        answer = entry(function, None, [3.0, -2.0], None)
        assert answer.success
        np.testing.assert_allclose(answer.x, [0.0, 0.0], atol=1e-7)
        if answer.residual.size:
            np.testing.assert_array_equal(answer.residual, answer.x[view])
            assert not np.shares_memory(answer.residual, answer.x)
    assert len(kept) > 3


@EVERY_ENTRY_POINT
def test_a_residual_may_return_x_changed_in_place(entry: Any) -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        x *= 2.0
        x -= [3.0, 4.0]
        return x

    answer = entry(residual, None, [10.0, -10.0], None)
    assert answer.success
    np.testing.assert_allclose(answer.x, [1.5, 2.0], rtol=1e-12)


@EVERY_ENTRY_POINT
def test_a_constant_jacobian_is_not_factored_in_the_users_place(entry: Any) -> None:
    J = np.ascontiguousarray(np.vander(np.linspace(-1.0, 1.0, 9), 3).T)
    before = J.copy()
    answer = entry(lambda x: x @ J - Y, lambda x: J, np.ones(3), lmoo.ColumnMajor())
    assert answer.success
    np.testing.assert_array_equal(J, before)


@pytest.mark.parametrize("name", ["Solver-analytic", "leastsq-analytic", "iterate-analytic"])
def test_residual_and_jacobian_may_share_one_workspace(name: str) -> None:
    room = np.empty(9 * 3)

    def residual(x: np.ndarray) -> np.ndarray:
        room[:] = np.nan
        room[:9] = decay(x)
        return room[:9]

    def jacobian(x: np.ndarray) -> np.ndarray:
        room[:] = np.nan
        J = room[:18].reshape(9, 2)  # over the residual
        J[:] = decay_jacobian(x)
        return J

    way = WAYS[name]
    assert_same(way.entry(residual, jacobian, START, way.strategy), way.solve())


@EVERY_WAY
def test_a_view_that_the_next_call_writes_over_may_be_returned(way: Way) -> None:
    state = np.zeros((T.size, 4))

    def residual(x: np.ndarray) -> np.ndarray:
        if x.dtype.kind == "c":
            return decay(x)
        state[:] = np.nan
        state[:, 2] = decay(x)
        return state[:, 2]

    assert_same(way.solve(residual), way.solve())
