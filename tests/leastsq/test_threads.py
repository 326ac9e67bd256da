"""`leastsq` in several threads."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from better_cases import EqualError, assert_same_solve, raising_at
from samples import (
    START,
)

import lmoo


@dataclass(frozen=True)
class Job:
    """One of many fits: another amplitude, another number of points, and a Jacobian or none."""

    number: int

    def arguments(self) -> tuple[Callable[..., Any], tuple[float, float], dict[str, Any]]:
        t = np.linspace(0.0, 2.0, 9 + self.number % 5)
        y = (1.0 + 0.1 * self.number) * np.exp(-1.3 * t) + 0.01 * np.cos(7.0 * t)

        def jacobian(p: np.ndarray) -> np.ndarray:
            e = np.exp(-p[1] * t)
            return np.column_stack([e, -p[0] * t * e])

        options = {"Dfun": jacobian} if self.number % 2 else {}
        return lambda p: p[0] * np.exp(-p[1] * t) - y, START, options


@pytest.fixture
def switching() -> Any:
    """Let threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


THREADS = 8


@pytest.mark.usefixtures("switching")
def test_threads_solve_at_the_same_time_with_the_same_answers(
    leastsq: Callable[..., Any],
) -> None:
    jobs = [Job(number) for number in range(5 * THREADS)]

    def solve(job: Job) -> tuple[Any, ...]:
        func, x0, options = job.arguments()
        return leastsq(func, x0, full_output=True, **options)

    expected = [solve(job) for job in jobs]
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(solve, jobs))
    for answer, right in zip(answers, expected, strict=True):
        np.testing.assert_allclose(answer[0], right[0], rtol=1e-7)
        assert answer[4] == right[4]
        if leastsq is lmoo.leastsq:
            assert_same_solve(answer, right)


def test_all_threads_are_inside_one_solve_each_at_once(leastsq: Callable[..., Any]) -> None:
    # Everybody waits for everybody, at several calls: the solves overlap for certain.
    barrier = threading.Barrier(THREADS, timeout=60.0)

    def solve(number: int, meet: bool) -> tuple[Any, ...]:
        func, x0, options = Job(number).arguments()
        calls: list[int] = []

        def meeting(p: np.ndarray) -> np.ndarray:
            calls.append(1)
            if meet and len(calls) in (1, 3, 4):
                barrier.wait()
            return func(p)

        return leastsq(meeting, x0, full_output=True, **options)

    expected = [solve(number, False) for number in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(functools.partial(solve, meet=True), range(THREADS)))
    for answer, right in zip(answers, expected, strict=True):
        np.testing.assert_allclose(answer[0], right[0], rtol=1e-7)
        assert answer[4] == right[4]
        if leastsq is lmoo.leastsq:
            assert_same_solve(answer, right)


@pytest.mark.usefixtures("switching")
def test_an_exception_in_one_thread_leaves_the_others_alone() -> None:
    errors = {number: EqualError("as it was", 1) for number in range(0, 4 * THREADS, 3)}

    def solve(number: int) -> Any:
        func, x0, options = Job(number).arguments()
        if number not in errors:
            return lmoo.leastsq(func, x0, full_output=True, **options)
        try:
            return lmoo.leastsq(raising_at(4, errors[number], func), x0, **options)
        except EqualError as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(solve, range(4 * THREADS)))
    for number, answer in enumerate(answers):
        if number in errors:
            assert answer is errors[number]
        else:
            assert_same_solve(answer, solve(number))
