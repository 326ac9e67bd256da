"""Signals during a solve."""

from __future__ import annotations

import _thread
import functools
import itertools
import operator
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from samples import decay
from solver_problems import EVERY_STRATEGY, assert_same_bits, solve_decay

from lmoo import FunctionProblem, Solver


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("at", [1, 2, 4])
@EVERY_STRATEGY
def test_ctrl_c_inside_a_residual(at: int, dfun: Any, strategy: Any) -> None:
    calls = itertools.count(1)

    def residual(x: np.ndarray) -> np.ndarray:
        if next(calls) == at:
            signal.raise_signal(signal.SIGINT)
        return decay(x)

    with pytest.raises(KeyboardInterrupt):
        solve_decay(residual, dfun, strategy)
    # Clean: the next solve knows nothing of it.
    assert_same_bits(solve_decay(residual, dfun, strategy), solve_decay(decay, dfun, strategy))


@contextmanager
def ctrl_c_after(seconds: float) -> Iterator[list[float]]:
    """Interrupt the main thread once, from a timer; the list gets the moment."""
    moment: list[float] = []

    def interrupt() -> None:
        moment.append(time.perf_counter())
        _thread.interrupt_main()

    timer = threading.Timer(seconds, interrupt)
    timer.start()
    try:
        yield moment
    finally:
        timer.cancel()
        timer.join()


def endless() -> FunctionProblem:
    """A solve of hundreds of thousands of iterations without a line of Python.

    Each residual and each Jacobian is the next item of an iterator written in C, whatever x is.
    Each residual is shorter than the last one by half of what the model promises.
    """
    shrinking = itertools.accumulate(itertools.repeat(0.9997), operator.mul, initial=1.0)
    residuals = map(np.array([0.03, 1.0]).__mul__, shrinking)
    jacobians = itertools.repeat(np.array([[1.0], [0.0]]))
    return FunctionProblem(functools.partial(next, residuals), functools.partial(next, jacobians))


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("watched", [False, True])
def test_ctrl_c_in_a_long_solve_without_python_bytecode(watched: bool) -> None:
    # min(0, record, key=bool) is a callback in C, whose answer is 0.
    callback = functools.partial(min, 0, key=bool) if watched else None
    with ctrl_c_after(0.05) as moment, pytest.raises(KeyboardInterrupt):
        Solver(xtol=0.0, ftol=0.0, maxfev=10**9).solve(endless(), [1.0], callback=callback)
    assert time.perf_counter() - moment[0] < 0.5


@pytest.mark.usefixtures("interruptible")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers here")
def test_an_alarm_in_a_long_solve_without_python_bytecode() -> None:
    class AlarmError(Exception):
        pass

    def ring(number: int, frame: Any) -> None:
        raise AlarmError

    before = signal.signal(signal.SIGALRM, ring)
    try:
        began = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(AlarmError):
            Solver(xtol=0.0, ftol=0.0, maxfev=10**9).solve(endless(), [1.0])
        assert time.perf_counter() - began < 0.5
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_in_one_long_jacobian_without_python_bytecode() -> None:
    # Each evaluation sleeps for 5 ms in C, the Jacobian for 200 parameters for 1 s in all.
    n = 200
    pause = map(time.sleep, itertools.repeat(0.005))
    residual = map(operator.itemgetter(0), zip(itertools.repeat(np.ones(n)), pause, strict=False))
    with ctrl_c_after(0.1) as moment, pytest.raises(KeyboardInterrupt):
        Solver().solve(FunctionProblem(functools.partial(next, residual)), np.ones(n))
    assert time.perf_counter() - moment[0] < 0.5
