"""`leastsq`: the argument epsfcn, and the steps of the differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leastsq_cases import EPS, Recorder
from samples import (
    START,
    decay,
    decay_jacobian,
)

ROOT = math.sqrt(EPS)


def difference_steps(leastsq: Callable[..., Any], x0: Any, kind: Any, **options: Any) -> np.ndarray:
    """Return the step of the first forward difference for each component."""
    x0 = np.asarray(x0, float)
    func = Recorder(lambda p: np.concatenate([p - 0.5, p * p]).astype(kind))
    leastsq(func, x0, full_output=True, maxfev=1, **options)
    moved = [p for p in func.points if not np.array_equal(p, x0)][: x0.size]
    steps = np.array([p[j] - x0[j] for j, p in enumerate(moved)])
    for j, p in enumerate(moved):  # one component at a time, in order
        np.testing.assert_array_equal(np.delete(p, j), np.delete(x0, j))
    return steps


# Powers of two, so that x + h - x is h.
@pytest.mark.parametrize(
    ("kind", "eps"),
    [
        (np.float64, EPS),
        (np.float32, float(np.finfo(np.float32).eps)),
        (np.float16, float(np.finfo(np.float16).eps)),
        (np.int64, EPS),
    ],
)
def test_epsfcn_none_is_the_epsilon_of_what_func_returns(
    leastsq: Callable[..., Any], kind: Any, eps: float
) -> None:
    steps = difference_steps(leastsq, [2.0, -4.0, 0.0], kind)
    np.testing.assert_allclose(steps, math.sqrt(eps) * np.array([2.0, 4.0, 1.0]), rtol=1e-7)


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("epsfcn", [0.0, 0, -1.0, -1e-30])
def test_epsfcn_not_positive_is_the_epsilon_of_float64(
    leastsq: Callable[..., Any], kind: Any, epsfcn: float
) -> None:
    steps = difference_steps(leastsq, [2.0, -4.0, 0.0], kind, epsfcn=epsfcn)
    np.testing.assert_allclose(steps, ROOT * np.array([2.0, 4.0, 1.0]), rtol=1e-7)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_epsfcn_below_epsilon_is_epsilon(leastsq: Callable[..., Any], kind: Any) -> None:
    steps = difference_steps(leastsq, [2.0, 0.0], kind, epsfcn=1e-20)
    np.testing.assert_allclose(steps, [2.0 * ROOT, ROOT], rtol=1e-7)


@settings(max_examples=50, deadline=None)
@given(
    x=st.lists(st.floats(1e-80, 1e80) | st.floats(-1e80, -1e-80), min_size=1, max_size=3),
    epsfcn=st.floats(1e-12, 0.25),
)
def test_difference_step_is_root_epsfcn_times_x(
    leastsq: Callable[..., Any], x: list[float], epsfcn: float
) -> None:
    size = np.abs(x)
    steps = difference_steps(leastsq, x, float, epsfcn=epsfcn)
    assert (np.abs(steps - math.sqrt(epsfcn) * size) <= 2.0 * EPS * size).all()


def test_difference_step_is_the_root_itself_at_0(leastsq: Callable[..., Any]) -> None:
    steps = difference_steps(leastsq, [0.0, -0.0], float, epsfcn=1e-4)
    np.testing.assert_allclose(steps, [1e-2, 1e-2], rtol=1e-15)


def test_epsfcn_is_not_used_with_dfun(leastsq: Callable[..., Any]) -> None:
    default, coarse = Recorder(decay), Recorder(decay)
    leastsq(default, START, Dfun=decay_jacobian)
    leastsq(coarse, START, Dfun=decay_jacobian, epsfcn=1e-2)
    np.testing.assert_array_equal(default.points, coarse.points)
