"""`curve_fit_many`: a fit that fails does not change the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from many_cases import P0, Array, T, curves, decay

import lmoo
from lmoo.models.tracing.cache import Kind, traced


def test_one_bad_fit_spoils_no_other() -> None:
    y = curves(200)
    expected = lmoo.curve_fit_many(decay, T, y, P0)
    y[[3, 77]] = 1e200
    y[50] = np.where(np.arange(20) == 0, 1.0, 0.0)
    fits = lmoo.curve_fit_many(decay, T, y, P0)
    others = np.setdiff1d(np.arange(200), [3, 50, 77])
    np.testing.assert_array_equal(fits.x[others], expected.x[others])


def picky(t: Array, a: Any, b: Any, c: Any) -> Any:
    if np.any(b > 1.6):
        raise FloatingPointError("b is too large for me")
    return decay(t, a, b, c)


def test_what_a_model_raises_is_tracked_down() -> None:
    y = curves(400, seed=5)
    with pytest.raises(lmoo.EvaluationError, match=r"f raised FloatingPoint.* for curve \d+"):
        lmoo.curve_fit_many(picky, T, y, P0)
    fits = lmoo.curve_fit_many(picky, T, y.reshape(2, 200, 20), P0, errors="record")
    status = fits.status.ravel()
    raised = status == lmoo.Status.RAISED
    assert 0 < raised.sum() < 400
    assert sorted(200 * i + j for i, j in fits.errors) == np.flatnonzero(raised).tolist()
    assert all(isinstance(error, FloatingPointError) for error in fits.errors.values())
    expected = lmoo.curve_fit_many(decay, T, y, P0, trace=False)
    np.testing.assert_array_equal(fits.x.reshape(400, 3)[~raised], expected.x[~raised])
    assert fits.success.ravel()[~raised].all()


def test_an_evaluation_error_is_a_bad_point() -> None:
    def model(t: Array, a: Any, b: Any, c: Any) -> Any:
        if np.any(b > 2.2):
            raise lmoo.EvaluationError("out of range")
        return decay(t, a, b, c)

    y = curves(60, seed=6)
    fits = lmoo.curve_fit_many(model, T, y, [1.0, 2.1, 0.0])
    assert fits.success.all()
    assert not fits.errors


def test_a_start_that_is_not_finite() -> None:
    p0 = np.tile(P0, (40, 1))
    p0[7] = [1.0, -1e5, 0.0]
    fits = lmoo.curve_fit_many(decay, T, curves(40), p0)
    assert fits.status[7] == lmoo.Status.NOT_FINITE
    assert np.isnan(fits.cost[7])
    assert np.isnan(fits.stderr[7]).all()
    assert fits.success.sum() == 39


def test_a_parameter_that_means_nothing() -> None:
    fits = lmoo.curve_fit_many(lambda t, a, b: a * t + 0 * b, T, T + curves(5), [1.0, 1.0])
    assert np.isinf(fits.stderr[:, 1]).all()
    assert np.isinf(fits.covariance[:, 1, 1]).all()
    assert [fit.undetermined for fit in fits] == [("b",)] * 5


BAD: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "f": ({"f": 3}, TypeError, "f must be callable"),
    "jac": ({"jac": 3}, TypeError, "jac must be callable"),
    "progress": ({"progress": 3}, TypeError, "progress must be True or callable"),
    "complex model": ({"f": lambda t, a, b, c: 1j * t * a}, TypeError, "f must return real"),
    "shape of the model": (
        {"f": lambda t, a, b, c: np.ones(7), "vectorized": False},
        lmoo.EvaluationError,
        "broadcasts to",
    ),
    "length of jac": (
        {"jac": lambda t, a, b, c: (t, t), "vectorized": False},
        lmoo.EvaluationError,
        "must return 3 arrays",
    ),
    "1-D y": ({"y": T}, ValueError, r"y must have a row of points"),
    "t": ({"t": T[:5]}, ValueError, r"t must have shape \(20,\)"),
    "t not finite": ({"t": T * np.nan}, ValueError, "t must be finite"),
    "sigma": ({"sigma": [1.0]}, ValueError, "sigma must have shape"),
    "sigma zero": ({"sigma": np.zeros(20)}, ValueError, r"sigma must be .*; it is 0.0 at index 0"),
    "sigma of one": (
        {"sigma": np.where(np.arange(80).reshape(4, 20) == 43, -1.0, 1.0)},
        ValueError,
        r"sigma must be positive and finite; it is -1\.0 at index \(2, 3\)",
    ),
    "p0 scalar": ({"p0": 1.0}, ValueError, "p0 must have shape"),
    "p0 of others": ({"p0": np.ones((2, 3))}, ValueError, "p0 must have shape"),
    "p0 nan": ({"p0": [1.0, np.nan, 0.0]}, ValueError, "p0 must be finite"),
    "p0 long": ({"p0": np.ones(21)}, ValueError, "p0 must have one value for each of the 3 .* 21"),
    "nan_policy": ({"nan_policy": "x"}, ValueError, "nan_policy must be"),
    "errors": ({"errors": "x"}, ValueError, "errors must be"),
    "threads": ({"threads": 0}, ValueError, "threads must be at least 1"),
    "threads type": ({"threads": 1.5}, TypeError, "threads must be an integer"),
    "solver": ({"solver": 3}, TypeError, "solver must be a Solver"),
    "solver's step": ({"solver": lmoo.Solver(step=lmoo.Nielsen())}, ValueError, "step=None"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments_are_named(name: str) -> None:
    changed, kind, message = BAD[name]
    arguments: dict[str, Any] = {"f": decay, "t": T, "y": curves(4), "p0": P0} | changed
    with pytest.raises(kind, match=message) as caught:
        lmoo.curve_fit_many(**arguments)
    assert caught.type is kind


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(3, 30), st.integers(0, 2**31))
def test_any_number_of_curves_and_points(count: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    t = np.sort(rng.uniform(0.0, 4.0, m))
    y = decay(t, rng.uniform(1, 3, (count, 1)), rng.uniform(0.5, 2, (count, 1)), 0.3)
    y = y + 0.01 * rng.standard_normal(y.shape)
    fits = lmoo.curve_fit_many(decay, t, y, P0, trace=False)
    i = int(rng.integers(count))
    # As in the stack: a trial may lie where the exponential overflows.
    with np.errstate(over="ignore"):
        one = lmoo.Solver().solve(lmoo.FunctionProblem(lambda x: decay(t, *x) - y[i]), P0)
    # The model may round differently where rows of another length meet the vectors' ends.
    assert fits.status[i] == one.status or not np.isfinite(one.standard_errors).all()
    if one.success and np.isfinite(one.standard_errors).all():
        assert np.all(np.abs(fits.x[i] - one.x) <= 1e-4 * one.standard_errors + 1e-9)


def shifted(t: Array, a: Any, b: Any, c: Any) -> Any:
    return a * np.log(t - b) + c


@pytest.mark.parametrize("trace", ["auto", True])
@pytest.mark.parametrize("f", [shifted, "a*log(t-b)+c"])
@pytest.mark.parametrize("bad", [[0], [3], [4], [8], [0, 1, 2, 4, 5, 8], range(1, 9)])
def test_bad_starts_leave_the_others_compiled(f: Any, bad: Any, trace: Any) -> None:
    t = np.linspace(0.05, 4.0, 20)
    phase = np.arange(9.0)[:, None]
    y = shifted(t, 2.0, -0.5, 0.3) + 0.02 * np.cos(9.0 * t + phase)
    p0 = np.tile([1.8, -0.4, 0.4], (9, 1))
    expected = lmoo.curve_fit_many(f, t, y, p0)
    p0[bad, 1] = 1.0
    fits = lmoo.curve_fit_many(f, t, y, p0, trace=trace)
    assert fits.evaluation.startswith("compiled from")
    others = np.setdiff1d(np.arange(9), bad)
    np.testing.assert_array_equal(fits.x[others], expected.x[others])
    assert not fits.success[bad].any()


def test_a_trace_that_no_start_can_check_is_not_used() -> None:
    t = np.linspace(0.05, 4.0, 20)
    y, p0 = np.tile(np.log(t + 0.5), (9, 1)), [1.0, 1.0, 0.0]
    fits = lmoo.curve_fit_many(shifted, t, y, p0)
    assert fits.evaluation == ("called, because at the start of every curve a value is not finite")
    with pytest.raises(lmoo.TraceError, match="at the start of every curve"):
        lmoo.curve_fit_many(shifted, t, y, p0, trace=True)
    # Of a formula, trace and function are the same.
    fits = lmoo.curve_fit_many("a*log(t-b)+c", t, y, p0, trace=True)
    assert fits.evaluation.startswith("compiled from")
    assert not fits.success.any()


def test_a_trace_is_checked_near_bad_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    t = np.linspace(0.05, 4.0, 20)
    found = traced(shifted, Kind(3, points=t.size))
    monkeypatch.setattr("lmoo.batch.tracing.traced", lambda *args: found)
    p0 = np.tile([1.8, -0.4, 0.4], (9, 1))
    p0[[0, 1, 4, 8], 1] = 1.0
    y = np.tile(shifted(t, 2.0, -0.5, 0.3), (9, 1))
    fits = lmoo.curve_fit_many(lambda t, a, b, c: 2.0 * shifted(t, a, b, c), t, y, p0)
    assert fits.evaluation.startswith("called, because at the start of curve 2 the function has")
