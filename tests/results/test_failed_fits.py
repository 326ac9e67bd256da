"""Fits that have not converged have no errors: in results, stacks, tables and files."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

import lmoo

T = np.linspace(0.0, 4.0, 12)


def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


Y = np.array([decay(T, 2, 0.7, 1), decay(T, 3, 0.5, 1)]) + 0.01 * np.cos(7 * T)
START = [1.0, 5.0, 1.0]
FEW = lmoo.Solver(maxfev=4)
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "bounds": {"bounds": ([0, 0, 0], [9, 9, 9])},
    "tie": {"ties": {"c": "a/2"}, "derived": {"area": "a*b"}},
    "prior": {"priors": {"a": (2.0, 0.5)}},
    "fixed": {"fixed": {"c": 1.0}},
}


def all_nan(values: Any) -> bool:
    return bool(np.isnan(np.asarray(values, dtype=np.float64)).all())


@pytest.mark.parametrize("trace", [True, False])
@pytest.mark.parametrize("name", OPTIONS)
def test_a_result(name: str, trace: bool) -> None:
    solver = lmoo.Solver(maxfev=4, **OPTIONS[name])
    result = solver.solve(lmoo.CurveProblem(decay, T, Y[0], trace=trace), START)
    assert result.status is lmoo.Status.MAXFEV
    check_one(result)
    again = lmoo.Result.from_dict(json.loads(result.to_json()))
    assert all_nan(again.stderr)
    assert np.isfinite(result.x).all()
    assert result.residual.size == T.size
    with pytest.raises(ValueError, match="a profile needs a fit that has converged"):
        result.profile("a")


def check_one(result: Any) -> None:
    for values in (
        result.stderr,
        result.covariance(),
        result.covariance(scaled=False),
        result.confidence_interval(),
        result.covariance_of(["a"]),
        result.correlation,
        result["b"].stderr,
        [row.stderr for row in result.params],
        result.predict(interval="confidence")[1],
        result.predict(interval="prediction", sigma=1.0)[2],
        [value.stderr for value in result.derived.values()],
        [result.interval(name) for name in result.derived],
    ):
        assert all_nan(values)
    if isinstance(result, lmoo.Result) and not result.is_part:
        stored = result.to_dict()
        written = json.loads(result.to_json())
        for key in ("standard_errors", "covariance", "correlation", "confidence_interval"):
            assert all_nan(stored[key])
            assert written[key] is None
        assert {row["stderr"] for row in written["params"]} == {None}
        assert all_nan(dataclasses.astuple(result.nonlinearity()))
        assert all_nan([value["stderr"] for value in stored["derived"].values()])
        assert all_nan(result.confidence_interval(method="profile"))


@pytest.mark.parametrize("trace", [True, False])
@pytest.mark.parametrize("shared", [None, ["b"]])
@pytest.mark.parametrize("name", OPTIONS)
def test_a_stack(name: str, shared: Any, trace: bool) -> None:
    fits = lmoo.curve_fit_many(
        decay, T, Y, START, solver=FEW, trace=trace, shared=shared, **OPTIONS[name]
    )
    assert not fits.success.any()
    assert np.isfinite(fits.x).all()
    assert all_nan(fits.stderr)
    assert all_nan(fits.covariance)
    assert all_nan(fits["a"].stderr)
    if name == "tie":
        assert all_nan(fits["area"].stderr)
    check_one(fits[1])
    pytest.importorskip("pandas")
    kept = fits.to_dataframe(failed="keep")
    assert all_nan(kept["a_stderr"])
    assert kept["a"].notna().all()


def test_a_table_of_xarray() -> None:
    pytest.importorskip("xarray")
    fits = lmoo.curve_fit_many(decay, T, Y, START, solver=FEW)
    found = fits.to_xarray(failed="keep")
    assert all_nan(found["stderr"])
    assert all_nan(found["covariance"])
    assert found["value"].notnull().all()


def test_the_others_keep_theirs() -> None:
    y = np.array([Y[0], np.full(T.size, np.nan), Y[1]])
    fits = lmoo.curve_fit_many(decay, T, y, START, nan_policy="omit")
    np.testing.assert_array_equal(fits.success, [True, False, True])
    assert np.isfinite(fits.stderr[[0, 2]]).all()
    assert all_nan(fits.stderr[1])


@pytest.mark.parametrize("name", OPTIONS)
def test_a_curve_without_points_can_be_stored(name: str) -> None:
    import pickle

    y = np.array([Y[0], np.full(T.size, np.nan)])
    result = lmoo.curve_fit_many(decay, T, y, START, nan_policy="omit", **OPTIONS[name])[1]
    assert result.status is lmoo.Status.IMPROPER_INPUT
    for again in (
        lmoo.Result.from_dict(json.loads(result.to_json())),
        lmoo.Result.from_dict(result.to_dict()),
        pickle.loads(pickle.dumps(result)),
    ):
        assert all_nan(again.x)
        assert again.report() == result.report()


def raising(t: Any, a: Any, b: Any) -> Any:
    if np.any(np.asarray(a) > 2.5):
        raise RuntimeError("too large")
    return a * np.exp(-b * t)


@pytest.mark.parametrize("start", [2.49, 3.0])
def test_a_curve_whose_model_raises(start: float) -> None:
    """The starting values may be such that the model raises there, or next to them."""
    pytest.importorskip("matplotlib")
    y = np.array([raising(T, 2.0, 0.7), 3 * np.exp(-0.5 * T)])
    p0 = [[1.0, 1.0], [start, 1.0]]
    fits = lmoo.curve_fit_many(raising, T, y, p0, errors="record", trace=False)
    np.testing.assert_array_equal(fits.success, [True, False])
    assert fits.status[1] == lmoo.Status.RAISED
    assert isinstance(fits.errors[1], RuntimeError)
    result = fits[1]
    assert all_nan(result.stderr)
    assert "the model raised an exception" in result.report()
    if start < 2.5:
        _, below = result.plot()
        assert len(below.lines) > 0
    with pytest.raises(RuntimeError, match="too large"):
        lmoo.curve_fit_many(raising, T, y, p0, trace=False)
