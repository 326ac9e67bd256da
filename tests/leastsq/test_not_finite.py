"""`leastsq`: residuals and Jacobians that are not finite, or all zero."""

from __future__ import annotations

import math
import re
import warnings
from typing import Any

import numpy as np
import pytest
from better_cases import SUCCESS, QuietRecorder
from edges import EDGES, Edge
from hypothesis import given, settings
from hypothesis import strategies as st
from leastsq_cases import line_after_this
from samples import (
    START,
    decay,
    decay_jacobian,
)

import lmoo

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
    func = QuietRecorder(lambda x: with_entry(wide(x), 13, bad))
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

    recorder = QuietRecorder(func)
    answer = lmoo.leastsq(recorder, WIDE_START, full_output=True)
    mesg = assert_refused_start(answer, WIDE_START)
    assert {13, 2} <= integers_in(mesg)
    assert len(recorder.points) == answer[2]["nfev"]
    np.testing.assert_array_equal(answer[2]["fvec"], wide(WIDE_START))


@BAD
@pytest.mark.parametrize("Dfun", [None, wide_jacobian], ids=["differences", "Dfun"])
def test_x0_not_finite(bad: float, Dfun: Any) -> None:
    x0 = with_entry(WIDE_START, 3, bad)
    func = QuietRecorder(
        lambda x: np.cos(np.arange(17.0)) - 0.1 * np.sum(x[:3])
    )  # never looks at x[3]
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


EVERY_EDGE = pytest.mark.parametrize("edge", EDGES.values(), ids=EDGES)


@EVERY_EDGE
def test_the_trial_after_a_refused_one_is_nearer(edge: Edge) -> None:
    func = QuietRecorder(edge.function)
    lmoo.leastsq(func, edge.x0, Dfun=edge.jacobian, full_output=True)
    # With Dfun every call but the first is a trial.
    last_good = func.points[0]
    refused = 0
    for point, finite, following in zip(func.points[1:], func.finite[1:], func.points[2:]):  # noqa: B905
        if not finite:
            refused += 1
            far, near = (np.linalg.norm(p - last_good) for p in (point, following))
            assert near < far
        elif np.linalg.norm(edge.function(point)) < np.linalg.norm(edge.function(last_good)):
            last_good = point
    assert refused


@BAD
def test_dfun_not_finite_later_leaves_only_finite_numbers(bad: float) -> None:
    # The minimum of f lies where Dfun fails; on the way there Dfun is fine.
    def jacobian(p: np.ndarray) -> np.ndarray:
        J = decay_jacobian(p)
        return J if np.linalg.norm(decay(p)) > 0.05 else with_entry(J, (4, 1), bad)

    jacobian_ = QuietRecorder(jacobian)
    x, cov_x, info, _, ier = lmoo.leastsq(decay, START, Dfun=jacobian_, full_output=True)
    assert not all(jacobian_.finite)
    np.testing.assert_array_equal(info["fvec"], decay(x))
    arrays = [x, info["fvec"], info["fjac"], info["qtf"], *([] if cov_x is None else [cov_x])]
    assert all(np.isfinite(array).all() for array in arrays)
    assert info["njev"] == len(jacobian_.points)
    assert ier != 0


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
    func = QuietRecorder(mgh17)
    x, _, info, _, ier = lmoo.leastsq(func, x0, full_output=True)
    assert not all(func.finite)
    assert np.isfinite(x).all()
    assert np.isfinite(info["fvec"]).all()
    # Each step that reduces the residual leads to points without a value.
    assert ier == -2
    assert info["fvec"] @ info["fvec"] <= np.sum(mgh17(np.array(x0)) ** 2)


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


def test_a_minimum_is_found_though_bad_points_were_met_on_the_way() -> None:
    # log(b t) is NaN for b < 0, where the first steps lead; a log(b) + c is one parameter too many.
    t = np.linspace(1.0, 100.0, 40)
    random = np.random.default_rng(0)
    y = 3 * np.log(2 * t) + 1
    y = y + 0.02 * np.std(y) * random.standard_normal(40)
    bad = []

    def f(x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            value = x[0] * np.log(x[1] * t) + x[2] - y
        bad.append(not np.isfinite(value).all())
        return np.asarray(value)

    x, _, _, _, ier = lmoo.leastsq(f, [1, 1, 1], full_output=True)
    assert any(bad)
    assert ier in SUCCESS
    slope, level = np.polyfit(np.log(t), y, 1)
    least = np.sum((slope * np.log(t) + level - y) ** 2)
    assert np.sum(f(x) ** 2) == pytest.approx(least, rel=1e-8)
