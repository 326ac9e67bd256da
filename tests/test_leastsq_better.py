"""Where `lmoo.leastsq` is better than scipy's on purpose: the contract's last section, by number.

Most of it scipy cannot do; what it can runs on both, so that scipy vouches for the test.
"""

from __future__ import annotations

import functools
import math
import operator
import re
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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

SUCCESS = (1, 2, 3, 4)


@pytest.fixture(params=["lmoo", "scipy"])
def leastsq(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Whoever claims to be leastsq: ours, and the one we are measured by."""
    if request.param == "scipy":
        return pytest.importorskip("scipy.optimize").leastsq
    return lmoo.leastsq


# ------------------------------------------------------------------------------------ problems


JACOBIANS: dict[str, dict[str, Any]] = {
    "differences": {},
    "rows": {"Dfun": decay_jacobian},
    "columns": {"Dfun": decay_jacobian_t, "col_deriv": True},
}
EVERY_JACOBIAN = pytest.mark.parametrize("options", JACOBIANS.values(), ids=JACOBIANS)


@dataclass
class Recorder:
    """Calls what it wraps and keeps a copy of every x, and whether the answer was finite."""

    function: Callable[..., Any]
    points: list[np.ndarray] = field(default_factory=list)
    finite: list[bool] = field(default_factory=list)

    def __call__(self, x: np.ndarray, *args: Any) -> Any:
        self.points.append(np.array(x, copy=True))
        self.finite.append(False)  # unless it returns
        with np.errstate(all="ignore"):
            answer = self.function(x, *args)
        self.finite[-1] = bool(np.isfinite(answer).all())
        return answer


def assert_same_solve(ours: tuple[Any, ...], expected: tuple[Any, ...]) -> None:
    """Compare two full outputs of lmoo to the last bit."""
    np.testing.assert_array_equal(ours[0], expected[0])
    np.testing.assert_array_equal(ours[1], expected[1])
    assert list(ours[2]) == list(expected[2])
    for key in expected[2]:
        np.testing.assert_array_equal(ours[2][key], expected[2][key])
    assert ours[3:] == expected[3:]


def line_after_this() -> int:
    return sys._getframe(1).f_lineno + 1


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


# ====================================================== 3. Not finite: at the start, at a trial

BAD = pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])


def integers_in(mesg: str) -> set[int]:
    return {int(number) for number in re.findall(r"\d+", mesg)}


def assert_refused_start(answer: tuple[Any, ...], x0: np.ndarray) -> str:
    """Check all of the full output but the message, which is returned."""
    assert type(answer) is tuple
    x, cov_x, info, mesg, ier = answer
    assert (type(ier), ier) == (int, -1)
    assert cov_x is None
    assert type(info) is dict
    assert type(info["nfev"]) is int
    assert x is not x0
    assert not np.shares_memory(x, x0)
    np.testing.assert_array_equal(x, x0)
    assert (x.dtype, x.shape) == (np.dtype(float), x0.shape)
    return mesg


def wide(x: np.ndarray) -> np.ndarray:
    """Leave 17 residuals for 4 unknowns: indices no other number in a message would be."""
    return np.cos(np.arange(17.0)) - np.vander(np.linspace(-1.0, 1.0, 17), 4) @ x


def wide_jacobian(x: np.ndarray) -> np.ndarray:
    return -np.vander(np.linspace(-1.0, 1.0, 17), 4)


def with_entry(array: np.ndarray, index: Any, value: float) -> np.ndarray:
    array = np.array(array)
    array[index] = value
    return array


WIDE_START = np.array([0.25, 0.25, 0.25, 0.25])


@BAD
@pytest.mark.parametrize("Dfun", [None, wide_jacobian], ids=["differences", "Dfun"])
def test_residual_not_finite_at_the_start(bad: float, Dfun: Any) -> None:
    func = Recorder(lambda x: with_entry(wide(x), 13, bad))
    answer = lmoo.leastsq(func, WIDE_START, Dfun=Dfun, full_output=True)
    mesg = assert_refused_start(answer, WIDE_START)
    assert 13 in integers_in(mesg)
    assert re.search(r"(?i)func|residual|fvec", mesg)
    assert len(func.points) == answer[2]["nfev"] == 1


@BAD
@pytest.mark.parametrize("col_deriv", [False, True])
def test_jacobian_not_finite_at_the_start(bad: float, col_deriv: bool) -> None:
    def jacobian(x: np.ndarray) -> np.ndarray:
        J = with_entry(wide_jacobian(x), (13, 2), bad)
        return J.T if col_deriv else J

    answer = lmoo.leastsq(wide, WIDE_START, Dfun=jacobian, col_deriv=col_deriv, full_output=True)
    mesg = assert_refused_start(answer, WIDE_START)
    assert {13, 2} <= integers_in(mesg)
    assert re.search(r"(?i)dfun|jacobian", mesg)
    assert (answer[2]["nfev"], answer[2]["njev"]) == (1, 1)


@BAD
def test_difference_not_finite_at_the_start(bad: float) -> None:
    # Finite at x0 itself, but not a step beside it in the third unknown.
    def func(x: np.ndarray) -> np.ndarray:
        return wide(x) if x[2] == 0.25 else with_entry(wide(x), 13, bad)

    recorder = Recorder(func)
    answer = lmoo.leastsq(recorder, WIDE_START, full_output=True)
    mesg = assert_refused_start(answer, WIDE_START)
    assert {13, 2} <= integers_in(mesg)
    assert len(recorder.points) == answer[2]["nfev"]
    np.testing.assert_array_equal(answer[2]["fvec"], wide(WIDE_START))


@BAD
@pytest.mark.parametrize("Dfun", [None, wide_jacobian], ids=["differences", "Dfun"])
def test_x0_not_finite(bad: float, Dfun: Any) -> None:
    x0 = with_entry(WIDE_START, 3, bad)
    func = Recorder(lambda x: np.cos(np.arange(17.0)) - 0.1 * np.sum(x[:3]))  # never looks at x[3]
    answer = lmoo.leastsq(func, x0, Dfun=Dfun, full_output=True)
    mesg = assert_refused_start(answer, x0)
    assert 3 in integers_in(mesg)
    assert "x0" in mesg
    assert len(func.points) == answer[2]["nfev"]


def test_float32_residual_not_finite_at_the_start() -> None:
    answer = lmoo.leastsq(
        lambda x: with_entry(wide(x).astype(np.float32), 13, math.inf), WIDE_START, full_output=True
    )
    assert 13 in integers_in(assert_refused_start(answer, WIDE_START))


def refuse(x: np.ndarray) -> np.ndarray:
    raise lmoo.EvaluationError("the model has no value here")


@pytest.mark.parametrize("Dfun", [None, wide_jacobian], ids=["differences", "Dfun"])
def test_evaluation_error_of_func_at_the_start_is_a_start_not_finite(Dfun: Any) -> None:
    answer = lmoo.leastsq(refuse, WIDE_START, Dfun=Dfun, full_output=True)
    assert assert_refused_start(answer, WIDE_START).strip()
    assert answer[2]["nfev"] == 1


def test_evaluation_error_of_dfun_at_the_start_is_a_start_not_finite() -> None:
    answer = lmoo.leastsq(wide, WIDE_START, Dfun=refuse, full_output=True)
    assert assert_refused_start(answer, WIDE_START).strip()
    assert (answer[2]["nfev"], answer[2]["njev"]) == (1, 1)


BAD_STARTS = [
    pytest.param(lambda x: with_entry(wide(x), 13, math.nan), WIDE_START, {}, id="residual"),
    pytest.param(wide, WIDE_START, {"Dfun": lambda x: np.full((17, 4), math.inf)}, id="Jacobian"),
    pytest.param(wide, np.array([0.0, 1.0, math.nan, 2.0]), {}, id="x0"),
    pytest.param(refuse, WIDE_START, {}, id="EvaluationError"),
    pytest.param(wide, WIDE_START, {"Dfun": refuse}, id="EvaluationError in Dfun"),
]


@pytest.mark.parametrize(("func", "x0", "options"), BAD_STARTS)
def test_start_not_finite_in_short_form_warns_at_the_callers_line(
    func: Any, x0: np.ndarray, options: dict[str, Any]
) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        line = line_after_this()
        answer = lmoo.leastsq(func, x0, **options)
    assert type(answer) is tuple
    x, ier = answer
    assert (type(ier), ier) == (int, -1)
    np.testing.assert_array_equal(x, x0)
    assert not np.shares_memory(x, x0)
    assert [w.category for w in caught] == [RuntimeWarning]
    assert (caught[0].filename, caught[0].lineno) == (__file__, line)
    assert str(caught[0].message) == lmoo.leastsq(func, x0, full_output=True, **options)[3]


@pytest.mark.parametrize(("func", "x0", "options"), BAD_STARTS)
def test_start_not_finite_with_full_output_neither_warns_nor_raises(
    func: Any, x0: np.ndarray, options: dict[str, Any]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert lmoo.leastsq(func, x0, full_output=True, **options)[4] == -1


@dataclass(frozen=True)
class Edge:
    """A fit whose first full step leaves the domain of the model."""

    func: Callable[..., Any]
    Dfun: Callable[..., Any]
    x0: tuple[float, ...]
    solution: tuple[float, ...]


S = np.linspace(0.0, 3.0, 12)
Y_LOG = 1.5 * np.log(0.05 + S)
Y_ROOT = 2.0 * np.sqrt(0.01 + S)


def log_model(p: np.ndarray) -> np.ndarray:
    return p[0] * np.log(p[1] + S) - Y_LOG


def log_jacobian(p: np.ndarray) -> np.ndarray:
    return np.column_stack([np.log(p[1] + S), p[0] / (p[1] + S)])


def root_model(p: np.ndarray) -> np.ndarray:
    return p[0] * np.sqrt(p[1] + S) - Y_ROOT


def root_jacobian(p: np.ndarray) -> np.ndarray:
    root = np.sqrt(p[1] + S)
    return np.column_stack([root, 0.5 * p[0] / root])


EDGES = {
    "log": Edge(lambda p: np.log(p) + 3.0, lambda p: np.diag(1.0 / p), (5.0,), (math.exp(-3.0),)),
    "sqrt": Edge(lambda p: np.sqrt(p) - 0.1, lambda p: np.diag(0.5 / np.sqrt(p)), (4.0,), (0.01,)),
    "log-model": Edge(log_model, log_jacobian, (1.0, 2.0), (1.5, 0.05)),
    "sqrt-model": Edge(root_model, root_jacobian, (1.0, 3.0), (2.0, 0.01)),
    "overflow": Edge(
        lambda p: np.exp(np.exp(p)) - 20.0,
        lambda p: np.diag(np.exp(np.exp(p) + p)),
        (-8.0,),
        (math.log(math.log(20.0)),),
    ),
}
EVERY_EDGE = pytest.mark.parametrize("edge", EDGES.values(), ids=EDGES)


@pytest.mark.parametrize("analytic", [False, True], ids=["differences", "Dfun"])
@EVERY_EDGE
def test_trial_not_finite_is_refused_and_shortened(edge: Edge, analytic: bool) -> None:
    func = Recorder(edge.func)
    x, cov_x, info, _, ier = lmoo.leastsq(
        func, edge.x0, Dfun=edge.Dfun if analytic else None, full_output=True
    )
    assert not all(func.finite)  # the step did leave the domain
    assert ier in SUCCESS
    np.testing.assert_allclose(x, edge.solution, rtol=1e-5)
    assert np.isfinite(info["fvec"]).all()
    assert np.isfinite(info["fjac"]).all()
    assert cov_x is not None
    assert np.isfinite(cov_x).all()
    assert info["nfev"] == len(func.points)  # a refused trial is an evaluation like any other


@EVERY_EDGE
def test_the_trial_after_a_refused_one_is_nearer(edge: Edge) -> None:
    func = Recorder(edge.func)
    lmoo.leastsq(func, edge.x0, Dfun=edge.Dfun, full_output=True)
    # With Dfun every call but the first is a trial.
    last_good = func.points[0]
    refused = 0
    for point, finite, following in zip(func.points[1:], func.finite[1:], func.points[2:]):  # noqa: B905
        if not finite:
            refused += 1
            far, near = (np.linalg.norm(p - last_good) for p in (point, following))
            assert near < far
        elif np.linalg.norm(edge.func(point)) < np.linalg.norm(edge.func(last_good)):
            last_good = point
    assert refused


@pytest.mark.parametrize("analytic", [False, True], ids=["differences", "Dfun"])
@EVERY_EDGE
def test_nan_inf_and_evaluation_error_mean_the_same(edge: Edge, analytic: bool) -> None:
    runs = []
    for answer in (math.nan, math.inf, -math.inf, None):

        def func(x: np.ndarray, answer: float | None = answer) -> np.ndarray:
            f = edge.func(x)
            if np.isfinite(f).all():
                return f
            if answer is None:
                raise lmoo.EvaluationError("outside the domain")
            return np.full_like(f, answer)

        recorder = Recorder(func)
        result = lmoo.leastsq(
            recorder, edge.x0, Dfun=edge.Dfun if analytic else None, full_output=True
        )
        runs.append((recorder.points, result))
    for points, result in runs[1:]:
        np.testing.assert_array_equal(points, runs[0][0])
        assert_same_solve(result, runs[0][1])


@BAD
def test_one_entry_not_finite_is_enough(bad: float) -> None:
    # The other residuals of a refused trial would be better than those of the start.
    def func(p: np.ndarray) -> np.ndarray:
        outside = p[1] < 0.5
        return with_entry(0.0 * decay(p), 4, bad) if outside else decay(p)

    x, _, info, _, ier = lmoo.leastsq(func, (1.0, 0.6), Dfun=decay_jacobian, full_output=True)
    assert ier in SUCCESS
    np.testing.assert_allclose(x, lmoo.leastsq(decay, START)[0], rtol=1e-6)
    assert np.isfinite(info["fvec"]).all()


@BAD
def test_dfun_not_finite_later_leaves_only_finite_numbers(bad: float) -> None:
    # The minimum of f lies where Dfun fails; on the way there Dfun is fine.
    def jacobian(p: np.ndarray) -> np.ndarray:
        J = decay_jacobian(p)
        return J if np.linalg.norm(decay(p)) > 0.05 else with_entry(J, (4, 1), bad)

    jacobian_ = Recorder(jacobian)
    x, cov_x, info, _, ier = lmoo.leastsq(decay, START, Dfun=jacobian_, full_output=True)
    assert not all(jacobian_.finite)
    np.testing.assert_array_equal(info["fvec"], decay(x))
    arrays = [x, info["fvec"], info["fjac"], info["qtf"], *([] if cov_x is None else [cov_x])]
    assert all(np.isfinite(array).all() for array in arrays)
    assert info["njev"] == len(jacobian_.points)
    assert ier != 0


def test_dfun_not_finite_round_a_bad_trial_does_not_stop_the_fit() -> None:
    # Below 0 the residual is finite, and smaller than at the start; only Dfun is not.
    def func(p: np.ndarray) -> np.ndarray:
        return np.where(p > 0.0, np.sqrt(np.abs(p)) - 0.1, 0.5)

    def jacobian(p: np.ndarray) -> np.ndarray:
        return np.diag(0.5 / np.sqrt(np.abs(p)) if p[0] > 0.0 else [math.nan])

    func_ = Recorder(func)
    x, ier = lmoo.leastsq(func_, 4.0, Dfun=jacobian)
    assert min(p[0] for p in func_.points) < 0.0
    assert ier in SUCCESS
    np.testing.assert_allclose(x, [0.01], rtol=1e-6)


def test_evaluation_error_of_dfun_later_is_the_same() -> None:
    def func(p: np.ndarray) -> np.ndarray:
        return np.where(p > 0.0, np.sqrt(np.abs(p)) - 0.1, 0.5)

    def jacobian(p: np.ndarray) -> np.ndarray:
        if p[0] <= 0.0:
            raise lmoo.EvaluationError("outside the domain")
        return np.diag(0.5 / np.sqrt(p))

    x, ier = lmoo.leastsq(func, 4.0, Dfun=jacobian)
    assert ier in SUCCESS
    np.testing.assert_allclose(x, [0.01], rtol=1e-6)


@pytest.mark.parametrize("xtol", [1.49012e-8, 0.0])
@pytest.mark.parametrize("x0", [[3.0], [3.0, -2.0], [0.0, 0.0]], ids=repr)
@pytest.mark.parametrize("bad", [math.nan, math.inf, None], ids=["nan", "inf", "EvaluationError"])
def test_region_that_shrank_round_x0_alone_is_no_success(
    bad: float | None, x0: list[float], xtol: float
) -> None:
    def func(x: np.ndarray) -> np.ndarray:
        if np.array_equal(x, x0):
            return np.append(x, 1.0)
        if bad is None:
            raise lmoo.EvaluationError("nowhere but at x0")
        return np.full(len(x0) + 1, bad)

    n = len(x0)
    slope = np.vstack([np.eye(n), np.ones(n)])  # a gradient that is not 0, at the origin neither
    for Dfun in (lambda x: slope, None):
        x, cov_x, info, mesg, ier = lmoo.leastsq(func, x0, Dfun=Dfun, xtol=xtol, full_output=True)
        assert ier not in SUCCESS
        assert mesg.strip()
        assert cov_x is None
        np.testing.assert_array_equal(x, x0)
        np.testing.assert_array_equal(info["fvec"], np.append(x0, 1.0))


def test_region_that_shrank_for_want_of_finite_points_warns_in_short_form() -> None:
    def func(x: np.ndarray) -> list[float]:
        return [1.0] if x[0] == 3.0 else [math.nan]

    with pytest.warns(RuntimeWarning) as caught:
        x, ier = lmoo.leastsq(func, 3.0, Dfun=lambda x: [[1.0]])
    assert ier not in SUCCESS
    assert x[0] == 3.0
    assert [w.filename for w in caught] == [__file__]


MGH17_T = 10.0 * np.arange(33)
MGH17_Y = np.array([
    0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751,
    0.718, 0.685, 0.658, 0.628, 0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490,
    0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420, 0.414, 0.411, 0.406,
])  # fmt: skip


def mgh17(b: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        model = b[0] + b[1] * np.exp(-MGH17_T * b[3]) + b[2] * np.exp(-MGH17_T * b[4])
    return model - MGH17_Y


def test_mgh17_from_its_far_start_is_no_success_at_the_start() -> None:
    # NIST's first start; the first step takes a rate below 0 and exp overflows. scipy: ier 2.
    x0 = [50.0, 150.0, -100.0, 1.0, 2.0]
    func = Recorder(mgh17)
    x, _, info, _, ier = lmoo.leastsq(func, x0, full_output=True)
    assert not all(func.finite)
    assert np.isfinite(x).all()
    assert np.isfinite(info["fvec"]).all()
    if ier in SUCCESS:
        assert info["fvec"] @ info["fvec"] < 1.0  # 87849 at the start
    else:
        assert ier != 0


def test_mgh17_from_its_near_start_is_as_certified() -> None:
    x, ier = lmoo.leastsq(mgh17, [0.5, 1.5, -1.0, 0.01, 0.02])
    assert ier in SUCCESS
    certified = [3.7541005211e-1, 1.9358469127, -1.4646871366, 1.2867534640e-2, 2.2122699662e-2]
    np.testing.assert_allclose(x, certified, rtol=1e-5)


@settings(max_examples=100, deadline=None)
@given(
    start=st.floats(0.3, 30.0),
    goal=st.floats(0.01, 10.0),
    edge=st.floats(0.0, 0.9),
    factor=st.sampled_from([0.1, 1.0, 100.0]),
)
def test_success_is_only_reported_on_finite_numbers(
    start: float, goal: float, edge: float, factor: float
) -> None:
    # sqrt(x - edge * goal) meets sqrt(goal (1 - edge)) at x = goal; nothing below edge * goal.
    wall, root = edge * goal, math.sqrt(goal * (1.0 - edge))
    start += wall

    def func(p: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return np.append(np.sqrt(p - wall) - root, 0.01)

    x, cov_x, info, _, ier = lmoo.leastsq(func, start, factor=factor, full_output=True)
    assert ier in SUCCESS
    np.testing.assert_allclose(x, [goal], rtol=1e-4)
    for array in (x, cov_x, info["fvec"], info["fjac"], info["qtf"]):
        assert np.isfinite(array).all()


# ================================================ 4. diag of a wrong length; transposed Jacobian


@pytest.mark.parametrize("full_output", [False, True])
@pytest.mark.parametrize("diag", [[1.0], [], [1.0, 1.0, 1.0], 1.0, np.ones((3, 2))], ids=repr)
@EVERY_JACOBIAN
def test_diag_of_a_wrong_length_is_not_read(
    options: dict[str, Any], diag: Any, full_output: bool
) -> None:
    func = Recorder(decay)
    with pytest.raises(ValueError, match="diag"):
        lmoo.leastsq(func, START, diag=diag, full_output=full_output, **options)
    assert func.points == []  # known before anything is evaluated


def test_diag_is_read_within_its_bounds() -> None:
    # A view with negative numbers on both sides: reading beyond it would be ier 0.
    room = np.array([-1.0, 3.0, 0.1, -1.0])
    answer = lmoo.leastsq(decay, START, diag=room[1:3], factor=0.1, full_output=True)
    expected = lmoo.leastsq(decay, START, diag=[3.0, 0.1], factor=0.1, full_output=True)
    assert_same_solve(answer, expected)
    strided = np.array([3.0, -1.0, 0.1, -1.0])[::2]
    answer = lmoo.leastsq(decay, START, diag=strided, factor=0.1, full_output=True)
    assert_same_solve(answer, expected)


def transposed(p: np.ndarray) -> np.ndarray:
    return rosenbrock_jacobian(p).T


def test_a_transposed_square_jacobian_is_looked_for_on_request_only() -> None:
    func, jacobian = Recorder(rosenbrock), Recorder(transposed)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        info = lmoo.leastsq(func, [-1.2, 1.0], Dfun=jacobian, full_output=True)[2]
    assert (len(func.points), len(jacobian.points)) == (info["nfev"], info["njev"])


def test_check_jacobian_tells_of_a_transposed_square_jacobian() -> None:
    wrong = lmoo.FunctionProblem(rosenbrock, transposed)
    check = lmoo.check_jacobian(wrong, [-1.2, 1.0])
    assert not check
    assert check.transposed
    assert "transposed" in str(check)
    right = lmoo.FunctionProblem(rosenbrock, rosenbrock_jacobian)
    assert lmoo.check_jacobian(right, [-1.2, 1.0])


# ==================================================================== 5. No evaluation beyond


def slow(p: np.ndarray) -> np.ndarray:
    return np.exp(-p)


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
    "edge": (EDGES["log"].func, EDGES["log"].x0, {}),
    "edge-Dfun": (EDGES["log"].func, EDGES["log"].x0, {"Dfun": EDGES["log"].Dfun}),
    "refused-start": (lambda p: T * math.nan, [1.0], {}),
}


@pytest.mark.parametrize(("func", "x0", "options"), COUNTED.values(), ids=COUNTED)
def test_calls_are_exactly_nfev_and_njev(func: Any, x0: Any, options: dict[str, Any]) -> None:
    counted, more = Recorder(func), dict(options)
    if "Dfun" in options:
        more["Dfun"] = Recorder(options["Dfun"])
    info, _, ier = lmoo.leastsq(counted, x0, full_output=True, **more)[2:]
    # With ier 0, `fvec` is the residual at x0, and nfev is 0 as scipy has it.
    assert len(counted.points) == info["nfev"] + (ier == 0)
    if "Dfun" in options:
        assert len(more["Dfun"].points) == info.get("njev", 0)


@pytest.mark.parametrize(("func", "x0", "options"), list(COUNTED.values())[:3])
def test_the_short_form_makes_the_same_calls(func: Any, x0: Any, options: dict[str, Any]) -> None:
    short, full = Recorder(func), Recorder(func)
    lmoo.leastsq(short, x0, **options)
    lmoo.leastsq(full, x0, full_output=True, **options)
    np.testing.assert_array_equal(short.points, full.points)


@EVERY_JACOBIAN
def test_no_point_is_evaluated_twice(options: dict[str, Any]) -> None:
    func = Recorder(decay)
    lmoo.leastsq(func, START, **options)
    assert len({p.tobytes() for p in func.points}) == len(func.points)


def test_the_jacobian_is_asked_for_at_accepted_points_only() -> None:
    func, jacobian = Recorder(rosenbrock), Recorder(rosenbrock_jacobian)
    lmoo.leastsq(func, [-1.2, 1.0], Dfun=jacobian)
    sizes = [np.linalg.norm(rosenbrock(p)) for p in jacobian.points]
    assert sizes == sorted(sizes, reverse=True)
    visited = {p.tobytes() for p in func.points}
    assert all(p.tobytes() in visited for p in jacobian.points)
    assert len(jacobian.points) < len(func.points)


# ================================================================== 6. Any compiled residual
# What the compiled table of a third party may be is the extension's own contract and its tests';
# here: leastsq asks no more of a callable than that it can be called.


class Model:
    """A callable object without __name__, without a signature, that is not hashable."""

    __hash__ = None  # type: ignore[assignment]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return decay(x)

    def method(self, x: np.ndarray) -> np.ndarray:
        return decay(x)

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        return decay_jacobian(x)


@pytest.mark.parametrize(
    "func",
    [Model(), Model().method, functools.partial(Model.method, Model()), np.vectorize(decay,
     signature="(n)->(m)")],
    ids=["object", "method", "partial", "vectorize"],
)  # fmt: skip
def test_func_may_be_any_callable(leastsq: Callable[..., Any], func: Any) -> None:
    x, ier = leastsq(func, START, Dfun=Model().jacobian)
    np.testing.assert_array_equal(x, leastsq(decay, START, Dfun=decay_jacobian)[0])
    assert ier in SUCCESS


@pytest.mark.parametrize(
    ("func", "solution"),
    [
        (np.sin, 0.0),
        (np.log, 1.0),
        (operator.neg, 0.0),
        (operator.methodcaller("dot", np.array([2.0])), 0.0),
        (operator.itemgetter(0), 0.0),
    ],
    ids=["ufunc sin", "ufunc log", "neg", "method dot", "item"],
)
def test_func_may_be_compiled(leastsq: Callable[..., Any], func: Any, solution: float) -> None:
    x, ier = leastsq(func, 0.75)
    assert ier in SUCCESS
    np.testing.assert_allclose(x, [solution], atol=1e-7)


# ======================================================== Exceptions, warnings, nesting, threads


class MineError(Exception):
    """An exception only the caller knows, with an equality that lies."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = Exception.__hash__


KINDS: list[type[BaseException]] = [
    MineError,
    TypeError,  # leastsq raises these two itself
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
]


def raising_at(at: int, error: BaseException, function: Callable[..., Any]) -> Recorder:
    def call(x: np.ndarray) -> Any:
        if len(recorder.points) == at:
            raise error
        return function(x)

    recorder = Recorder(call)
    return recorder


def assert_comes_out(error: BaseException, solve: Callable[[], Any]) -> None:
    with pytest.raises(type(error)) as caught:
        solve()
    assert caught.value is error
    assert error.args == ("as it was", 1)
    assert error.__cause__ is None
    assert error.__context__ is None
    assert not hasattr(error, "__notes__")
    assert caught.traceback[-1].name == "call"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("full_output", [False, True])
def test_exceptions_of_func_come_out_unchanged_at_every_call(
    kind: type[BaseException], full_output: bool
) -> None:
    nfev = lmoo.leastsq(decay, START, full_output=True)[2]["nfev"]
    for at in range(1, nfev + 1):
        error = kind("as it was", 1)
        func = raising_at(at, error, decay)
        assert_comes_out(
            error, functools.partial(lmoo.leastsq, func, START, full_output=full_output)
        )
        assert len(func.points) == at  # nothing is called after it


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("col_deriv", [False, True])
def test_exceptions_of_dfun_come_out_unchanged_at_every_call(
    kind: type[BaseException], col_deriv: bool
) -> None:
    right = decay_jacobian_t if col_deriv else decay_jacobian
    njev = lmoo.leastsq(decay, START, Dfun=decay_jacobian, full_output=True)[2]["njev"]
    for at in range(1, njev + 1):
        error = kind("as it was", 1)
        jacobian = raising_at(at, error, right)
        solve = functools.partial(lmoo.leastsq, decay, START, Dfun=jacobian, col_deriv=col_deriv)
        assert_comes_out(error, solve)
        assert len(jacobian.points) == at


@pytest.mark.parametrize("kind", [MineError, KeyboardInterrupt])
def test_exceptions_of_func_with_dfun_come_out_unchanged_at_every_call(
    kind: type[BaseException],
) -> None:
    options = {"Dfun": decay_jacobian, "full_output": True}
    nfev = lmoo.leastsq(decay, START, **options)[2]["nfev"]
    for at in range(1, nfev + 1):
        error = kind("as it was", 1)
        solve = functools.partial(lmoo.leastsq, raising_at(at, error, decay), START, **options)
        assert_comes_out(error, solve)


def test_subclass_of_evaluation_error_is_a_bad_point_too() -> None:
    class OutsideError(lmoo.EvaluationError):
        pass

    def func(p: np.ndarray) -> np.ndarray:
        if p[0] <= 0.0:
            raise OutsideError("outside the domain")
        return np.log(p) + 3.0

    x, ier = lmoo.leastsq(func, 5.0)
    assert ier in SUCCESS
    np.testing.assert_allclose(x, [math.exp(-3.0)], rtol=1e-6)


def test_another_exception_at_a_bad_point_comes_out() -> None:
    # Python's own math raises where numpy returns nan: that is not ours to interpret.
    with pytest.raises(ValueError, match=r"math domain|positive"):
        lmoo.leastsq(lambda p: [math.log(p[0]) + 3.0], 5.0)


def test_a_solve_after_an_exception_starts_afresh(leastsq: Callable[..., Any]) -> None:
    expected = leastsq(decay, START, full_output=True)
    for at in (1, 4, 9):
        with pytest.raises(MineError):
            leastsq(raising_at(at, MineError("as it was", 1), decay), START)
        answer = leastsq(decay, START, full_output=True)
        np.testing.assert_array_equal(answer[0], expected[0])
        assert answer[2]["nfev"] == expected[2]["nfev"]


def test_exception_of_a_nested_solve_comes_through_both(leastsq: Callable[..., Any]) -> None:
    error = MineError("as it was", 1)

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
        lmoo.leastsq(EDGES["log"].func, EDGES["log"].x0, Dfun=EDGES["log"].Dfun)
    assert caught
    assert {(w.category, w.filename) for w in caught} == {(RuntimeWarning, __file__)}


def test_errstate_of_the_caller_holds_in_callbacks(leastsq: Callable[..., Any]) -> None:
    seen = set()

    def func(p: np.ndarray) -> np.ndarray:
        seen.add(tuple(sorted(np.geterr().items())))
        return decay(p)

    with np.errstate(all="ignore", over="raise"):
        leastsq(func, START)
        assert seen == {tuple(sorted(np.geterr().items()))}


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
    errors = {number: MineError("as it was", 1) for number in range(0, 4 * THREADS, 3)}

    def solve(number: int) -> Any:
        func, x0, options = Job(number).arguments()
        if number not in errors:
            return lmoo.leastsq(func, x0, full_output=True, **options)
        try:
            return lmoo.leastsq(raising_at(4, errors[number], func), x0, **options)
        except MineError as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(solve, range(4 * THREADS)))
    for number, answer in enumerate(answers):
        if number in errors:
            assert answer is errors[number]
        else:
            assert_same_solve(answer, solve(number))


# ============================================================ The docs: "differences from scipy"


DOCS = Path(__file__).parent.parent / "docs"
SOURCES = {".rst", ".md", ".txt"}
HEADING = re.compile(r"differences from scipy", re.IGNORECASE)


@pytest.mark.skipif(not DOCS.is_dir(), reason="installed without the docs")
@pytest.mark.parametrize(
    "subject", ["keep", "buffer", "finite", "diag", "check_jacobian", "evaluation", "compiled"]
)
def test_the_docs_have_a_line_on_each_difference(subject: str) -> None:
    texts = [p.read_text(encoding="utf-8") for p in sorted(DOCS.rglob("*")) if p.suffix in SOURCES]
    sections = [text[m.start() :] for text in texts for m in HEADING.finditer(text)]
    assert any(subject in section for section in sections)


# ======================================================================================= Plateaus


@pytest.mark.parametrize("dfun", [None, lambda x: np.zeros((3, 1))])
def test_an_all_zero_jacobian_stays_ier_4_and_the_message_says_so(dfun: Any) -> None:
    def plateau(x: np.ndarray) -> np.ndarray:
        return np.floor(x[0]) - np.array([3.0, 4.0, 5.0])

    x, _, _, message, ier = lmoo.leastsq(plateau, [7.5], Dfun=dfun, full_output=True)
    assert (x.tolist(), ier) == ([7.5], 4)
    assert message.startswith("No residual depends on a parameter at this point: all columns")
    assert lmoo.leastsq(plateau, [7.5], Dfun=dfun)[1] == 4
    # A residual of zero is a minimum, whatever the Jacobian.
    message = lmoo.leastsq(lambda x: np.zeros(3), [7.5], Dfun=dfun, full_output=True)[3]
    assert "orthogonal" in message


# =============================================================================== Objects of pandas

SINGLE: dict[str, Callable[[np.ndarray], Any]] = {
    "series": lambda f: pd.Series(f.astype(np.float32)),
    "column": lambda f: pd.DataFrame({"f": f.astype(np.float32)})["f"],
    "nullable series": lambda f: pd.Series(f, dtype="Float32"),
    "nullable array": lambda f: pd.array(f, dtype="Float32"),
}


@pytest.mark.parametrize("made", SINGLE.values(), ids=SINGLE.keys())
def test_single_precision_of_pandas_is_recognised(made: Callable[[np.ndarray], Any]) -> None:
    points: list[np.ndarray] = []

    def func(x: np.ndarray) -> Any:
        points.append(x.copy())
        return made(np.array([x[0] - 1.0, x[0] ** 2, 1.0]))

    lmoo.leastsq(func, [2.0], maxfev=2, full_output=True)
    step = math.sqrt(float(np.finfo(np.float32).eps)) * 2.0
    np.testing.assert_allclose(points[1] - points[0], step, rtol=1e-6)


@pytest.mark.parametrize("made", SINGLE.values(), ids=SINGLE.keys())
def test_a_model_in_single_precision_of_pandas(made: Callable[[np.ndarray], Any]) -> None:
    t = np.linspace(0.0, 3.0, 30)
    y = 2.0 * np.exp(-1.3 * t) + 0.02 * np.cos(9.0 * t)

    def model(t: np.ndarray, a: float, b: float) -> Any:
        return made(a * np.exp(-b * t))

    expected, _ = lmoo.curve_fit(lambda t, a, b: a * np.exp(-b * t), t, y)
    found, _ = lmoo.curve_fit(model, t, y, ftol=1e-6, xtol=1e-4)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    for problem in (lmoo.CurveProblem(model, t, y), lmoo.CurveBlocks(model, t, y)):
        block = () if isinstance(problem, lmoo.CurveProblem) else ((t, y, 1.0),)
        residual = problem.residual(np.ones(2), *block)
        assert np.asarray(residual).dtype == np.float32


def test_a_missing_number_of_pandas_is_not_finite() -> None:
    def func(x: np.ndarray) -> Any:
        return pd.array([x[0], None, 1.0], dtype="Float64")

    message, ier = lmoo.leastsq(func, [2.0], full_output=True)[3:]
    assert ier == -1
    assert "its entry 1 is nan" in message
