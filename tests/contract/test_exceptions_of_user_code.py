"""Exceptions of user code come out of every entry point unchanged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from entry_points import EVERY_ENTRY_POINT, EVERY_WAY, Way, assert_same, by_iterate, by_leastsq
from samples import START, decay, decay_jacobian, decay_jacobian_t

import lmoo


class EqualError(Exception):
    """An exception only the caller knows, with an equality that lies."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = Exception.__hash__


KINDS = pytest.mark.parametrize(
    "kind",
    [
        EqualError,
        TypeError,  # lmoo raises these two itself
        ValueError,
        np.linalg.LinAlgError,
        ArithmeticError,
        FloatingPointError,
        OverflowError,
        ZeroDivisionError,
        MemoryError,
        RecursionError,
        AttributeError,
        RuntimeWarning,
        StopIteration,
        GeneratorExit,
        KeyboardInterrupt,
        SystemExit,
    ],
)


class Raising:
    """Calls a function, but raises an error at one of the calls."""

    def __init__(self, function: Callable[..., Any], at: int, error: BaseException) -> None:
        self.function, self.at, self.error = function, at, error
        self.calls = 0

    def call(self, x: np.ndarray) -> Any:
        self.calls += 1
        if self.calls == self.at:
            raise self.error
        return self.function(x)


def assert_comes_out(error: BaseException, entry: Any, *arguments: Any) -> None:
    if entry is by_iterate and isinstance(error, StopIteration):
        # It would end the loop over the steps like a solve that is done.
        with pytest.raises(RuntimeError, match=r"^the problem raised StopIteration$") as caught:
            entry(*arguments)
        assert caught.value.__cause__ is error
        return
    with pytest.raises(type(error)) as caught:
        entry(*arguments)
    assert caught.value is error
    assert error.args == ("as it was", 1)
    assert (error.__cause__, error.__context__) == (None, None)
    assert not hasattr(error, "__notes__")
    assert caught.traceback[-1].name == "call"  # the line of the user's code that raised


def calls_of(entry: Any, jacobian: Any, strategy: Any) -> tuple[int, int]:
    """Evaluations and Jacobians of the solve without an exception."""
    residuals = Raising(decay, 0, ValueError())
    jacobians = Raising(jacobian, 0, ValueError())
    entry(residuals.call, jacobian and jacobians.call, START, strategy)
    return residuals.calls, jacobians.calls


@KINDS
@pytest.mark.parametrize("jacobian", [None, decay_jacobian], ids=["differences", "Jacobian"])
@EVERY_ENTRY_POINT
def test_exceptions_of_the_residual_come_out_of_every_call(
    entry: Any, jacobian: Any, kind: type[BaseException]
) -> None:
    calls, _ = calls_of(entry, jacobian, None)
    assert calls > 5
    for at in range(1, calls + 1):
        error = kind("as it was", 1)
        residual = Raising(decay, at, error)
        assert_comes_out(error, entry, residual.call, jacobian, START, None)
        assert residual.calls == at  # nothing is called after it


@KINDS
@pytest.mark.parametrize("columns", [False, True], ids=["rows", "columns"])
@EVERY_ENTRY_POINT
def test_exceptions_of_the_jacobian_come_out_of_every_call(
    entry: Any, columns: bool, kind: type[BaseException]
) -> None:
    right = decay_jacobian_t if columns else decay_jacobian
    strategy = lmoo.ColumnMajor() if columns else None
    _, calls = calls_of(entry, right, strategy)
    assert calls > 3
    for at in range(1, calls + 1):
        error = kind("as it was", 1)
        jacobian = Raising(right, at, error)
        assert_comes_out(error, entry, decay, jacobian.call, START, strategy)
        assert jacobian.calls == at


@EVERY_WAY
def test_a_solve_after_an_exception_starts_afresh(way: Way) -> None:
    expected = way.solve()
    for at in (1, 4, 6):
        with pytest.raises(EqualError):
            way.solve(Raising(decay, at, EqualError("as it was", 1)).call)
        assert_same(way.solve(), expected)


@EVERY_ENTRY_POINT
def test_an_exception_of_a_nested_solve_comes_through_both(entry: Any) -> None:
    error = EqualError("as it was", 1)

    def outer(x: np.ndarray) -> np.ndarray:
        by_leastsq(Raising(decay, 3, error).call, None, START, None)
        return decay(x)

    assert_comes_out(error, entry, outer, None, START, None)
