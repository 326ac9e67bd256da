"""`leastsq`: nfev and njev, and the calls that they count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from leastsq_cases import Recorder, slow, slow_jacobian
from samples import (
    START,
    decay,
    rosenbrock,
    rosenbrock_jacobian,
)

import lmoo


def test_nfev_counts_the_solvers_evaluations_and_the_differences(
    leastsq: Callable[..., Any],
) -> None:
    # From x0 each iteration is n differences and one trial: 1 + k (n + 1), nothing refused.
    for n in (1, 2, 5):
        info = leastsq(slow, np.zeros(n), full_output=True, maxfev=1 + 3 * (n + 1))[2]
        assert info["nfev"] == 1 + 3 * (n + 1)


def test_with_dfun_nfev_counts_no_differences_and_njev_the_jacobians(
    leastsq: Callable[..., Any],
) -> None:
    info = leastsq(slow, np.zeros(3), Dfun=slow_jacobian, full_output=True, maxfev=8)[2]
    assert (info["nfev"], info["njev"]) == (8, 7)


def test_njev_counts_calls_of_dfun(scipy_leastsq: Callable[..., Any]) -> None:
    for leastsq, hidden in ((lmoo.leastsq, 0), (scipy_leastsq, 1)):
        jacobian = Recorder(rosenbrock_jacobian)
        info = leastsq(rosenbrock, [-1.2, 1.0], Dfun=jacobian, full_output=True)[2]
        assert info["nfev"] > info["njev"]  # some trial was refused
        assert len(jacobian.points) == info["njev"] + hidden


def test_func_is_called_exactly_nfev_times(scipy_leastsq: Callable[..., Any]) -> None:
    for leastsq, hidden in ((lmoo.leastsq, 0), (scipy_leastsq, 2)):
        func = Recorder(decay)
        info = leastsq(func, START, full_output=True)[2]
        assert len(func.points) == info["nfev"] + hidden
