"""`curve_fit`: xdata and ydata, and data that are missing."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.optimize
from curve_fit_cases import COVARIANCE, SIGMA, T, Y, check, decay, holes, line, slopes
from ids import stable

from lmoo import curve_fit


def test_data_of_any_kind() -> None:
    check(curve_fit(decay, list(T), list(Y)))
    check(curve_fit(decay, tuple(T), tuple(Y)))
    check(curve_fit(decay, pd.Series(T), pd.Series(Y)))
    check(curve_fit(decay, np.ma.masked_array(T), np.ma.masked_array(Y)))
    check(curve_fit(decay, T.astype(object), Y.astype(object)))
    check(curve_fit(decay, T.astype(np.longdouble), Y.astype(np.longdouble)))


def test_numbers_that_convert_to_float() -> None:
    popt, _ = curve_fit(line, [Decimal(1), Decimal(2), Decimal(4)], [Decimal(v) for v in (3, 5, 9)])
    np.testing.assert_allclose(popt, [2.0, 1.0])


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.int8, np.bool_], ids=stable)
def test_arrays_reach_the_model_in_double_precision(dtype: Any) -> None:
    seen: list[Any] = []

    def watched(t: Any, a: float) -> Any:
        seen.append(t.dtype)
        return a * t

    curve_fit(watched, np.array([0, 1, 1], dtype=dtype), [0, 1, 2])
    assert set(seen) == {np.dtype(np.float64)}


def test_several_variables() -> None:
    u, v = T, np.cos(T)

    def plane(t: Any, a: float, b: float) -> Any:
        first, second = t
        return a * first + b * second

    for xdata in ((u, v), [u, v], np.stack([u, v])):
        popt, _ = curve_fit(plane, xdata, 2 * u + 3 * v)
        np.testing.assert_allclose(popt, [2.0, 3.0])


def test_xdata_may_be_anything_else() -> None:
    popt, _ = curve_fit(lambda t, a, b: line(T, a, b), None, line(T, 2, 3))
    np.testing.assert_allclose(popt, [2.0, 3.0])
    frame = pd.DataFrame({"u": T, "v": np.cos(T)})
    popt, _ = curve_fit(
        lambda t, a, b: a * t["u"] + b * t["v"], frame, 2 * frame["u"] + 3 * frame["v"]
    )
    np.testing.assert_allclose(popt, [2.0, 3.0])


def test_a_model_that_returns_a_number() -> None:
    popt, pcov = curve_fit(lambda t, a: a, T, Y)
    np.testing.assert_allclose(popt, [Y.mean()])
    np.testing.assert_allclose(pcov, [[Y.var(ddof=1) / 20]], rtol=1e-9)


@pytest.mark.parametrize("ydata", [0, 0.0, [0.0], np.zeros(1)], ids=stable)
def test_a_number_for_ydata(ydata: Any) -> None:
    # The data may be in the model.
    def difference(t: Any, a: float, b: float, c: float) -> Any:
        return decay(t, a, b, c) - Y

    check(curve_fit(difference, T, ydata))
    both = np.stack([T, T])
    check(curve_fit(lambda t, a, b, c: difference(t[0], a, b, c), both, ydata))


def test_a_single_point() -> None:
    popt, _ = curve_fit(lambda t, a: a * t, [2.0], [3.0], sigma=1.0, absolute_sigma=True)
    np.testing.assert_allclose(popt, [1.5])


def test_no_point_is_evaluated_twice_in_a_row() -> None:
    points: list[Any] = []
    derivatives: list[Any] = []

    def watched(t: Any, *p: float) -> Any:
        points.append(p)
        return line(t, *p)

    def jac(t: Any, *p: float) -> Any:
        derivatives.append(p)
        return np.column_stack([t, np.ones_like(t)])

    curve_fit(watched, T, Y, [1.0, 5.0], jac=jac)
    for calls in (points, derivatives):
        assert all(a != b for a, b in itertools.pairwise(calls))


def test_the_data_are_not_changed() -> None:
    t, y, sigma, p0 = T.copy(), Y.copy(), SIGMA.copy(), np.array([1.0, 1.0, 0.0])
    curve_fit(decay, t, y, p0, sigma)
    np.testing.assert_array_equal(t, T)
    np.testing.assert_array_equal(y, Y)
    np.testing.assert_array_equal(sigma, SIGMA)
    np.testing.assert_array_equal(p0, [1, 1, 0])


@pytest.mark.parametrize(
    ("xdata", "ydata"), [([], []), (np.empty(0), np.empty(0)), (T, []), ([], Y)]
)
def test_empty_data_are_refused(xdata: Any, ydata: Any) -> None:
    with pytest.raises(ValueError, match="must"):
        curve_fit(decay, xdata, ydata)


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"xdata": T + 1j}, TypeError, r"^xdata must be real numbers"),
        ({"ydata": ["a"] * 20}, TypeError, r"^ydata must be real numbers"),
        (
            {"xdata": [1.0, [2.0]]},
            TypeError,
            r"^xdata must be real numbers; it is \[1\.0, \[2\.0\]\] .*inhomogeneous",
        ),
        (
            {"ydata": [{}] * 20},
            TypeError,
            r"^ydata must be real numbers; .*array\.astype.* not 'dict'",
        ),
        ({"ydata": Y.reshape(4, 5)}, ValueError, r"^ydata must be 1-D"),
        ({"xdata": None, "ydata": 1.0}, ValueError, r"^ydata must be 1-D"),
        ({"xdata": T[:10]}, ValueError, r"^xdata and ydata must have the same number of points"),
        ({"f": 5}, TypeError, r"^f must be callable; it is 5"),
        ({"p0": "abc"}, TypeError, r"^p0 must be real numbers"),
        ({"p0": [1, [2]]}, TypeError, r"^p0 must be an array of real numbers"),
        ({"p0": [1, 1j, 0]}, TypeError, r"^p0 must be real numbers"),
        ({"p0": []}, ValueError, r"^p0 must not be empty"),
        ({"p0": [1, np.nan, 0]}, ValueError, r"^p0 must be finite; its entry 1 is nan"),
        ({"p0": [1, 1]}, TypeError, r"missing 1 required positional argument"),
        ({"p0": [1, 1, 0, 0]}, TypeError, r"takes 4 positional arguments but 5 were given"),
        ({"method": "newton"}, ValueError, r"^`method` must be 'trf', 'dogbox' or 'lm'"),
        ({"jac": "forward"}, ValueError, r"^`jac` must be '2-point', '3-point', 'cs' or callable"),
        ({"jac": 5}, ValueError, r"^`jac` must be"),
        ({"jac": lambda t, *p: slopes(t, *p).T}, ValueError, r"^jac must return 3 derivatives"),
    ],
    ids=stable,
)
def test_what_is_refused(changes: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        curve_fit(**{"f": decay, "xdata": T, "ydata": Y, **changes})


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_data_must_be_finite(bad: float) -> None:
    for options in ({}, {"check_finite": True}):
        y = np.where(T[7] == T, bad, Y)
        with pytest.raises(ValueError, match=r"^ydata must be finite.* ydata\[7\] is"):
            curve_fit(decay, T, y, **options)
        t = np.where(T[7] == T, bad, T)
        with pytest.raises(ValueError, match=r"^xdata must be finite.* at index 7$"):
            curve_fit(decay, t, Y, **options)


def test_without_check_finite_points_may_be_infinite() -> None:
    t = np.append(T, np.inf)
    popt, _ = curve_fit(decay, t, decay(t, 2.5, 1.3, 0.5), check_finite=False)
    np.testing.assert_allclose(popt, [2.5, 1.3, 0.5])
    popt, _ = curve_fit(decay, t, decay(t, 2.5, 1.3, 0.5), nan_policy="raise")
    np.testing.assert_allclose(popt, [2.5, 1.3, 0.5])


def test_check_finite_holds_beside_a_policy() -> None:
    t, y, _ = holes()
    t[7] = np.inf
    with pytest.raises(
        ValueError, match=r"^xdata must be finite, or check_finite False; it is inf"
    ):
        curve_fit(decay, t, y, check_finite=True, nan_policy="omit")


def test_nan_policy_raise() -> None:
    t, y, _ = holes()
    with pytest.raises(ValueError, match=r"^ydata must be finite"):
        curve_fit(decay, T, y, nan_policy="raise")
    with pytest.raises(ValueError, match=r"^xdata must not be nan, .* index 5"):
        curve_fit(decay, t, Y, nan_policy="raise")


@pytest.mark.parametrize("method", ["lm", "trf", "dogbox"])
def test_nan_policy_omit(method: str) -> None:
    t, y, keep = holes()
    for sigma in (None, SIGMA, COVARIANCE):
        kept = sigma
        if sigma is not None:
            kept = sigma[keep] if sigma.ndim == 1 else sigma[np.ix_(keep, keep)]
        found = curve_fit(decay, t, y, sigma=sigma, nan_policy="omit", method=method)
        expected = curve_fit(decay, T[keep], Y[keep], sigma=kept)
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])


def test_nan_policy_omit_with_several_variables() -> None:
    t, y, keep = holes()

    def plane(t: Any, a: float, b: float) -> Any:
        return a * t[0] + b * t[1]

    both = np.stack([t, np.cos(T)])
    found = curve_fit(plane, both, y, nan_policy="omit")
    expected = curve_fit(plane, both[:, keep], y[keep])
    np.testing.assert_array_equal(found[0], expected[0])


@pytest.mark.parametrize("policy", ["propagate", "ignore", 5])
def test_other_nan_policies_are_refused(policy: Any) -> None:
    with pytest.raises(ValueError, match=r"^`nan_policy` must be 'raise', 'omit' or None"):
        curve_fit(decay, T, Y, nan_policy=policy)


def test_without_check_finite_nan_reaches_the_model() -> None:
    t = np.linspace(0.0, 4.0, 20)
    y = 2.5 * np.exp(-1.3 * t)
    t[0] = np.nan

    def model(t: Any, a: float, b: float) -> Any:
        return a * np.exp(-b * np.nan_to_num(t))

    theirs, _ = scipy.optimize.curve_fit(model, t, y, [1.0, 1.0], check_finite=False)
    popt, _ = curve_fit(model, t, y, [1.0, 1.0], check_finite=False)
    np.testing.assert_allclose(popt, theirs, rtol=1e-6)
    for options in ({}, {"check_finite": True}, {"check_finite": False, "nan_policy": "raise"}):
        with pytest.raises(ValueError, match="nan_policy 'omit'; it is nan at index 0"):
            curve_fit(model, t, y, [1.0, 1.0], **options)
