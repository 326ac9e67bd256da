"""`leastsq`: exceptions, warnings and solves within the user's functions."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from case_tables import each
from leastsq_cases import line_after_this
from samples import (
    START,
    T,
    Y,
    decay,
    decay_jacobian,
    rosenbrock,
)


class MineError(Exception):
    """An exception only the caller knows."""


@each(
    "kind",
    [MineError, TypeError, ValueError, KeyboardInterrupt, StopIteration, SystemExit, GeneratorExit],
)
@each("at", [1, 3, 5])
@pytest.mark.parametrize("where", ["func", "func with Dfun", "Dfun"])
def test_exceptions_of_callbacks_come_out_unchanged(
    leastsq: Callable[..., Any], kind: type[BaseException], at: int, where: str
) -> None:
    error = kind("as it was")
    calls: list[int] = []

    def failing(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(p: np.ndarray) -> Any:
            calls.append(1)
            if len(calls) == at:
                raise error
            return function(p)

        return call

    func = decay if where == "Dfun" else failing(decay)
    jacobian = None if where == "func" else decay_jacobian
    if where == "Dfun":
        jacobian = failing(decay_jacobian)
    with pytest.raises(kind) as caught:
        leastsq(func, START, Dfun=jacobian)
    assert caught.value is error
    assert error.args == ("as it was",)
    assert (error.__cause__, error.__context__) == (None, None)
    assert caught.traceback[-1].name == "call"  # the line of the user's code that raised
    assert len(calls) == at


def test_func_may_call_leastsq(leastsq: Callable[..., Any]) -> None:
    # The inner solve finds the amplitude for a given rate (variable projection); it is another
    # size, has its own Dfun and its own end.
    def amplitude(rate: float) -> float:
        e = np.exp(-rate * T)
        return float(leastsq(lambda a: a[0] * e - Y, 1.0, Dfun=lambda a: e[:, None])[0][0])

    (found,), ier = leastsq(lambda p: amplitude(p[0]) * np.exp(-p[0] * T) - Y, 1.0)
    assert ier in (1, 2, 3)
    np.testing.assert_allclose([amplitude(found), found], leastsq(decay, START)[0], rtol=1e-6)


def test_dfun_may_call_leastsq(leastsq: Callable[..., Any]) -> None:
    def jacobian(p: np.ndarray) -> np.ndarray:
        leastsq(rosenbrock, [-1.2, 1.0])
        return decay_jacobian(p)

    x, _, info, _, ier = leastsq(decay, START, Dfun=jacobian, full_output=True)
    expected, _, expected_info, _, expected_ier = leastsq(
        decay, START, Dfun=decay_jacobian, full_output=True
    )
    np.testing.assert_array_equal(x, expected)
    np.testing.assert_array_equal(info["fjac"], expected_info["fjac"])
    assert ier == expected_ier


def test_warnings_of_user_code_pass(leastsq: Callable[..., Any]) -> None:
    line = 0

    def func(p: np.ndarray) -> np.ndarray:
        nonlocal line
        line = line_after_this()
        warnings.warn("from the model", UserWarning, stacklevel=1)
        return decay(p)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nfev = leastsq(func, START, full_output=True)[2]["nfev"]
    assert len(caught) >= nfev
    assert {w.category for w in caught} == {UserWarning}
    assert {(w.filename, w.lineno) for w in caught} == {(__file__, line)}


def test_warning_of_user_code_made_an_error_comes_out(leastsq: Callable[..., Any]) -> None:
    def func(p: np.ndarray) -> np.ndarray:
        warnings.warn("from the model", UserWarning, stacklevel=1)
        return decay(p)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="from the model"):
            leastsq(func, START)
