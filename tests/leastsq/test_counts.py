"""`leastsq`: nfev and njev, and the calls that they count."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from better_cases import EVERY_JACOBIAN, QuietRecorder
from edges import EDGES
from leastsq_cases import Recorder, slow, slow_jacobian
from samples import (
    START,
    T,
    Y,
    decay,
    decay_jacobian,
    decay_jacobian_t,
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


COUNTED = {
    "success": (decay, START, {}),
    "success-Dfun": (decay, START, {"Dfun": decay_jacobian}),
    "columns": (decay, START, {"Dfun": decay_jacobian_t, "col_deriv": True}),
    "refused-trials": (rosenbrock, [-1.2, 1.0], {}),
    "refused-trials-Dfun": (rosenbrock, [-1.2, 1.0], {"Dfun": rosenbrock_jacobian}),
    "n=1": (lambda p: p * p - 2.0, 1.0, {}),
    "exact-start": (lambda p: p - 3.0, [3.0], {}),
    "maxfev": (slow, [0.0, 0.0], {"maxfev": 11}),
    "maxfev-Dfun": (slow, [0.0], {"maxfev": 11, "Dfun": lambda p: -np.exp(-p)}),
    "float32": (lambda p: decay(p).astype(np.float32), START, {}),
    "int-x0": (decay, np.array([1, 1]), {}),
    "ftol<0": (decay, START, {"ftol": -1.0}),
    "factor=0": (decay, START, {"factor": 0.0, "Dfun": decay_jacobian}),
    "diag=0": (decay, START, {"diag": [0.0, 1.0]}),
    "n=0": (lambda p: T - Y, [], {}),
    "edge": (EDGES["log"].function, EDGES["log"].x0, {}),
    "edge-Dfun": (EDGES["log"].function, EDGES["log"].x0, {"Dfun": EDGES["log"].jacobian}),
    "refused-start": (lambda p: T * math.nan, [1.0], {}),
}


@pytest.mark.parametrize(("func", "x0", "options"), COUNTED.values(), ids=COUNTED)
def test_calls_are_exactly_nfev_and_njev(func: Any, x0: Any, options: dict[str, Any]) -> None:
    counted, more = QuietRecorder(func), dict(options)
    if "Dfun" in options:
        more["Dfun"] = QuietRecorder(options["Dfun"])
    info, _, ier = lmoo.leastsq(counted, x0, full_output=True, **more)[2:]
    # With ier 0, `fvec` is the residual at x0, and nfev is 0 as scipy has it.
    assert len(counted.points) == info["nfev"] + (ier == 0)
    if "Dfun" in options:
        assert len(more["Dfun"].points) == info.get("njev", 0)


@pytest.mark.parametrize(("func", "x0", "options"), list(COUNTED.values())[:3])
def test_the_short_form_makes_the_same_calls(func: Any, x0: Any, options: dict[str, Any]) -> None:
    short, full = QuietRecorder(func), QuietRecorder(func)
    lmoo.leastsq(short, x0, **options)
    lmoo.leastsq(full, x0, full_output=True, **options)
    np.testing.assert_array_equal(short.points, full.points)


@EVERY_JACOBIAN
def test_no_point_is_evaluated_twice(options: dict[str, Any]) -> None:
    func = QuietRecorder(decay)
    lmoo.leastsq(func, START, **options)
    assert len({p.tobytes() for p in func.points}) == len(func.points)


def test_the_jacobian_is_asked_for_at_accepted_points_only() -> None:
    func, jacobian = QuietRecorder(rosenbrock), QuietRecorder(rosenbrock_jacobian)
    lmoo.leastsq(func, [-1.2, 1.0], Dfun=jacobian)
    sizes = [np.linalg.norm(rosenbrock(p)) for p in jacobian.points]
    assert sizes == sorted(sizes, reverse=True)
    visited = {p.tobytes() for p in func.points}
    assert all(p.tobytes() in visited for p in jacobian.points)
    assert len(jacobian.points) < len(func.points)
