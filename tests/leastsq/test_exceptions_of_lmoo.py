"""`leastsq`: exceptions at each call, warnings, and solves within solves."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from better_cases import EqualError, raising_at
from edges import EDGES
from leastsq_cases import line_after_this, slow
from samples import (
    START,
    decay,
    decay_jacobian,
    rosenbrock,
)

import lmoo


def assert_comes_out(error: BaseException, solve: Callable[[], Any]) -> None:
    with pytest.raises(type(error)) as caught:
        solve()
    assert caught.value is error
    assert error.args == ("as it was", 1)
    assert error.__cause__ is None
    assert error.__context__ is None
    assert not hasattr(error, "__notes__")
    assert caught.traceback[-1].name == "call"


def test_another_exception_at_a_bad_point_comes_out() -> None:
    # Python's own math raises where numpy returns nan: that is not ours to interpret.
    with pytest.raises(ValueError, match=r"math domain|positive"):
        lmoo.leastsq(lambda p: [math.log(p[0]) + 3.0], 5.0)


def test_a_solve_after_an_exception_starts_afresh(leastsq: Callable[..., Any]) -> None:
    expected = leastsq(decay, START, full_output=True)
    for at in (1, 4, 9):
        with pytest.raises(EqualError):
            leastsq(raising_at(at, EqualError("as it was", 1), decay), START)
        answer = leastsq(decay, START, full_output=True)
        np.testing.assert_array_equal(answer[0], expected[0])
        assert answer[2]["nfev"] == expected[2]["nfev"]


def test_exception_of_a_nested_solve_comes_through_both(leastsq: Callable[..., Any]) -> None:
    error = EqualError("as it was", 1)

    def outer(p: np.ndarray) -> np.ndarray:
        leastsq(raising_at(3, error, decay), START)
        return decay(p)

    assert_comes_out(error, functools.partial(leastsq, outer, START))


def test_nested_solves_do_not_disturb_each_other(leastsq: Callable[..., Any]) -> None:
    def nested(depth: int) -> Callable[[np.ndarray], np.ndarray]:
        def func(p: np.ndarray) -> np.ndarray:
            if depth:
                leastsq(nested(depth - 1), [0.9, 1.1], Dfun=decay_jacobian)
                leastsq(rosenbrock, [-1.2, 1.0], maxfev=7, full_output=True)
            return decay(p)

        return func

    expected = leastsq(decay, START, full_output=True)
    answer = leastsq(nested(2), START, full_output=True)
    np.testing.assert_array_equal(answer[0], expected[0])
    np.testing.assert_array_equal(answer[2]["fjac"], expected[2]["fjac"])
    assert (answer[2]["nfev"], answer[4]) == (expected[2]["nfev"], expected[4])


def test_warning_of_leastsq_is_at_the_callers_line_through_a_nested_call(
    leastsq: Callable[..., Any],
) -> None:
    line = 0

    def func(p: np.ndarray) -> np.ndarray:
        nonlocal line
        line = line_after_this()
        leastsq(slow, [0.0], maxfev=3)
        return decay(p)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        leastsq(func, START)
    assert {w.category for w in caught} == {RuntimeWarning}
    assert {(w.filename, w.lineno) for w in caught} == {(__file__, line)}


def test_warning_of_leastsq_made_an_error_is_raised(leastsq: Callable[..., Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        with pytest.raises(RuntimeWarning):
            leastsq(slow, [0.0], maxfev=3)


def test_warnings_of_dfun_pass(leastsq: Callable[..., Any]) -> None:
    def jacobian(p: np.ndarray) -> np.ndarray:
        warnings.warn("from the Jacobian", DeprecationWarning, stacklevel=1)
        return decay_jacobian(p)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        njev = leastsq(decay, START, Dfun=jacobian, full_output=True)[2]["njev"]
    assert len(caught) >= njev
    assert {(w.category, w.filename) for w in caught} == {(DeprecationWarning, __file__)}


def test_numpys_floating_point_warnings_of_user_code_pass() -> None:
    # They are the user's to see or to silence; leastsq neither hides them nor adds its own.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        lmoo.leastsq(EDGES["log"].function, EDGES["log"].x0, Dfun=EDGES["log"].jacobian)
    where = EDGES["log"].function.__code__.co_filename
    assert {(w.category, w.filename) for w in caught} == {(RuntimeWarning, where)}


def test_errstate_of_the_caller_holds_in_callbacks(leastsq: Callable[..., Any]) -> None:
    seen = set()

    def func(p: np.ndarray) -> np.ndarray:
        seen.add(tuple(sorted(np.geterr().items())))
        return decay(p)

    with np.errstate(all="ignore", over="raise"):
        leastsq(func, START)
        assert seen == {tuple(sorted(np.geterr().items()))}
