"""`curve_fit`: what scipy documents, where it agrees with it, and where it does better."""

from __future__ import annotations

import functools
import inspect
import itertools
import subprocess
import sys
import warnings
from contextlib import nullcontext
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.optimize
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ids import stable

import lmoo
from lmoo import curve_fit, models
from lmoo.datasets import nist, nist_names
from lmoo.scipy_api.options import curve_solver

T = np.linspace(0.0, 4.0, 20)


def decay(t: Any, a: float, b: float, c: float) -> Any:
    return a * np.exp(-b * t) + c


def slopes(t: Any, a: float, b: float, c: float) -> Any:
    e = np.exp(-b * t)
    return np.stack([e, -a * t * e, np.ones_like(t)], axis=1)


def line(t: Any, a: float, b: float) -> Any:
    return a * t + b


Y = decay(T, 2.5, 1.3, 0.5) + 0.01 * np.random.default_rng(1).standard_normal(20)
SIGMA = np.linspace(0.01, 0.03, 20)
COVARIANCE = 1e-4 * np.exp(-np.abs(T[:, None] - T))


@functools.cache
def solution() -> tuple[np.ndarray, np.ndarray]:
    result = lmoo.Solver().solve(lmoo.CurveProblem(decay, T, Y, jac=slopes), [1, 1, 0])
    return result.x, result.covariance()


def check(answer: tuple[Any, ...]) -> None:
    """The tuple is that of the plain fit of `decay`."""
    x, covariance = solution()
    np.testing.assert_allclose(answer[0], x, rtol=1e-8)
    np.testing.assert_allclose(answer[1], covariance, rtol=1e-5)


# ------------------------------------------------------------------------ signature and tuple


def test_the_signature_is_scipys_and_two_keywords_more() -> None:
    ours = inspect.signature(curve_fit).parameters
    theirs = inspect.signature(scipy.optimize.curve_fit).parameters
    assert [name for name in ours if name not in ("fixed", "trace")] == list(theirs)
    for name, parameter in theirs.items():
        assert ours[name].kind is parameter.kind
        assert ours[name].default == parameter.default


def test_popt_and_pcov() -> None:
    answer = curve_fit(decay, T, Y)
    assert len(answer) == 2
    popt, pcov = answer
    assert popt.shape == (3,)
    assert pcov.shape == (3, 3)
    assert popt.dtype == pcov.dtype == np.float64
    np.testing.assert_array_equal(pcov, pcov.T)
    check(answer)


def test_full_output() -> None:
    popt, pcov, infodict, mesg, ier = curve_fit(decay, T, Y, full_output=True)
    check((popt, pcov))
    assert ier in (1, 2, 3, 4)
    assert type(ier) is int
    assert isinstance(mesg, str)
    assert set(infodict) == {"fvec", "nfev", "fjac", "ipvt", "qtf"}
    np.testing.assert_allclose(infodict["fvec"], decay(T, *popt) - Y, atol=1e-12)
    assert infodict["fjac"].shape == (3, 20)
    assert infodict["ipvt"].shape == infodict["qtf"].shape == (3,)
    R = np.triu(infodict["fjac"].T[:3])
    inverse = np.linalg.inv(R.T @ R)
    order = np.argsort(infodict["ipvt"])
    variance = infodict["fvec"] @ infodict["fvec"] / 17
    np.testing.assert_allclose(inverse[np.ix_(order, order)] * variance, pcov, rtol=1e-6)


def test_fvec_is_divided_by_sigma() -> None:
    popt, _, infodict, _, _ = curve_fit(decay, T, Y, sigma=SIGMA, full_output=True)
    np.testing.assert_allclose(infodict["fvec"], (decay(T, *popt) - Y) / SIGMA, atol=1e-10)


def test_nfev_counts_the_calls() -> None:
    calls = []

    def counting(t: Any, a: float, b: float, c: float) -> Any:
        calls.append((a, b, c))
        return decay(t, a, b, c)

    *_, infodict, _, _ = curve_fit(counting, T, Y, full_output=True)
    assert infodict["nfev"] == len(calls)


def test_a_single_parameter() -> None:
    popt, pcov = curve_fit(lambda t, a: a * t, T, 2 * T + np.cos(9 * T))
    assert popt.shape == (1,)
    assert pcov.shape == (1, 1)


# ------------------------------------------------------------------------------------ callables


class Instance:
    def __call__(self, t: Any, a: float, b: float, c: float) -> Any:
        return decay(t, a, b, c)

    def method(self, t: Any, a: float, b: float, c: float) -> Any:
        return decay(t, a, b, c)

    @classmethod
    def of_the_class(cls, t: Any, a: float, b: float, c: float) -> Any:
        return decay(t, a, b, c)

    @staticmethod
    def static(t: Any, a: float, b: float, c: float) -> Any:
        return decay(t, a, b, c)


@pytest.mark.parametrize(
    "f",
    [
        decay,
        lambda t, a, b, c: decay(t, a, b, c),
        Instance(),
        Instance().method,
        Instance.of_the_class,
        Instance.static,
        functools.partial(decay),
        functools.partial(lambda t, a, b, c, k: decay(t, a, b, k * c), k=1.0),
    ],
)
def test_the_number_of_parameters_comes_from_the_signature(f: Any) -> None:
    check(curve_fit(f, T, Y))


@pytest.mark.parametrize("f", [lambda t, *p: decay(t, *p), np.arctan2, lambda t: t])
def test_without_a_signature_p0_must_be_given(f: Any) -> None:
    with pytest.raises(ValueError, match=r"^Unable to determine number of fit parameters"):
        curve_fit(f, T, Y)


def test_p0_stands_in_for_a_signature() -> None:
    check(curve_fit(lambda t, *p: decay(t, *p), T, Y, p0=[1, 1, 0]))
    popt, _ = curve_fit(np.arctan2, T, np.arctan2(T, 2.0), [1.0])
    np.testing.assert_allclose(popt, [2.0])


def test_parameters_start_at_one() -> None:
    first: list[Any] = []

    def watched(t: Any, a: float, b: float, c: float) -> Any:
        first.append((a, b, c))
        return decay(t, a, b, c)

    curve_fit(watched, T, Y)
    assert first[0] == (1.0, 1.0, 1.0)


def test_parameters_with_a_default_may_be_left_out() -> None:
    def scaled(t: Any, a: float, b: float, unit: float = 2.0) -> Any:
        return unit * (a * t + b)

    y = line(T, 4.0, 6.0)
    popt, _ = curve_fit(scaled, T, y, p0=[1, 1])
    np.testing.assert_allclose(popt, [2.0, 3.0])


@pytest.mark.parametrize(
    "p0",
    [[1, 1, 0], (1, 1, 0), np.array([1, 1, 0]), [[1.0, 1, 0]], pd.Series([1, 1, 0])],
    ids=stable,
)
def test_p0_of_any_kind(p0: Any) -> None:
    check(curve_fit(decay, T, Y, p0))


def test_p0_may_be_a_number() -> None:
    popt, _ = curve_fit(lambda t, a: a * t, T, 2 * T, 5)
    np.testing.assert_allclose(popt, [2.0])


# ----------------------------------------------------------------------------------------- data


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
        ({"ydata": Y + 1j}, TypeError, r"^ydata must be real numbers"),
        ({"xdata": T + 1j}, TypeError, r"^xdata must be real numbers"),
        ({"ydata": ["a"] * 20}, TypeError, r"^ydata must be real numbers"),
        ({"xdata": [1.0, [2.0]]}, TypeError, r"^xdata must be an array of real numbers"),
        ({"ydata": [{}] * 20}, TypeError, r"^ydata must be an array of real numbers"),
        ({"ydata": Y.reshape(4, 5)}, ValueError, r"^ydata must be 1-D"),
        ({"xdata": None, "ydata": 1.0}, ValueError, r"^ydata must be 1-D"),
        ({"xdata": T[:10]}, ValueError, r"^f must return 20 real numbers"),
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


# ---------------------------------------------------------------------------------- missing data


def holes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    t, y = T.copy(), Y.copy()
    y[3] = t[5] = np.nan
    return t, y, np.delete(np.arange(20), [3, 5])


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


# ----------------------------------------------------------------------------------------- sigma


def test_relative_sigma_is_scaled() -> None:
    one = curve_fit(decay, T, Y, sigma=SIGMA)
    ten = curve_fit(decay, T, Y, sigma=10 * SIGMA)
    np.testing.assert_allclose(one[0], ten[0], rtol=1e-9)
    np.testing.assert_allclose(one[1], ten[1], rtol=1e-6)


def test_absolute_sigma_is_not() -> None:
    one = curve_fit(decay, T, Y, sigma=SIGMA, absolute_sigma=True)
    ten = curve_fit(decay, T, Y, sigma=10 * SIGMA, absolute_sigma=True)
    np.testing.assert_allclose(100 * one[1], ten[1], rtol=1e-6)
    J = slopes(T, *one[0]) / SIGMA[:, None]
    np.testing.assert_allclose(one[1], np.linalg.inv(J.T @ J), rtol=1e-6)


def test_the_documented_relation_of_the_two() -> None:
    popt, relative = curve_fit(decay, T, Y, sigma=SIGMA)
    _, absolute = curve_fit(decay, T, Y, sigma=SIGMA, absolute_sigma=True)
    chi_square = float(np.sum(((decay(T, *popt) - Y) / SIGMA) ** 2))
    np.testing.assert_allclose(relative, absolute * chi_square / 17, rtol=1e-6)


def test_a_number_for_sigma() -> None:
    for absolute in (False, True):
        one = curve_fit(decay, T, Y, sigma=0.02, absolute_sigma=absolute)
        all_of_them = curve_fit(decay, T, Y, sigma=np.full(20, 0.02), absolute_sigma=absolute)
        np.testing.assert_array_equal(one[0], all_of_them[0])
        np.testing.assert_array_equal(one[1], all_of_them[1])
    check(curve_fit(decay, T, Y, sigma=5.0))


@pytest.mark.parametrize("absolute", [False, True])
def test_a_diagonal_covariance_matrix_is_that_of_sigma(absolute: bool) -> None:
    one = curve_fit(decay, T, Y, sigma=SIGMA, absolute_sigma=absolute)
    two = curve_fit(decay, T, Y, sigma=np.diag(SIGMA**2), absolute_sigma=absolute)
    np.testing.assert_allclose(one[0], two[0], rtol=1e-8)
    np.testing.assert_allclose(one[1], two[1], rtol=1e-6)


def test_a_covariance_matrix() -> None:
    popt, pcov = curve_fit(decay, T, Y, sigma=COVARIANCE, absolute_sigma=True, jac=slopes)
    J = slopes(T, *popt)
    weighted = np.linalg.solve(COVARIANCE, J)
    np.testing.assert_allclose(pcov, np.linalg.inv(J.T @ weighted), rtol=1e-6)
    np.testing.assert_allclose(weighted.T @ (decay(T, *popt) - Y), 0.0, atol=1e-6)


@pytest.mark.parametrize(
    ("sigma", "match"),
    [
        (np.ones(3), r"^sigma must be a number, or have shape .* as ydata has 20 points"),
        (np.ones((20, 3)), r"^sigma must be a number"),
        (np.ones((2, 2, 2)), r"^sigma must be a number"),
        (-np.eye(20), r"^`sigma` must be positive definite\.$"),
        (np.ones((20, 20)), r"^`sigma` must be positive definite\.$"),
        (np.zeros(20), r"^sigma must be positive and finite"),
        (-SIGMA, r"^sigma must be positive and finite"),
        (np.where(T[7] == T, 0.0, SIGMA), r"^sigma must be .*; it is 0\.0 at index 7$"),
        (np.where(T[3] == T, -2.0, SIGMA), r"^sigma must be .*; it is -2\.0 at index 3$"),
        (np.where(T[3] == T, np.nan, SIGMA), r"^sigma must be .*; it is nan at index 3$"),
        (
            np.where(T[2] == T, np.inf, np.eye(20)),
            r"^sigma must be finite; it is inf at index \(0, 2\)$",
        ),
    ],
)
def test_sigma_that_is_refused(sigma: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        curve_fit(decay, T, Y, sigma=sigma)


@pytest.mark.parametrize("f", [decay, models.Exponential()], ids=["function", "compiled"])
def test_absolute_sigma_without_sigma_warns_at_the_callers_line(f: Any) -> None:
    with pytest.warns(UserWarning, match="the errors of ydata are assumed to be 1") as caught:
        _, pcov = curve_fit(f, T, Y, absolute_sigma=True)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    expected = curve_fit(f, T, Y, sigma=1.0, absolute_sigma=True)[1]
    np.testing.assert_allclose(pcov, expected, rtol=1e-12)
    for options in ({"sigma": 1.0, "absolute_sigma": True}, {"absolute_sigma": False}):
        curve_fit(f, T, Y, **options)


# ------------------------------------------------------------------------------------ covariance


def test_a_parameter_that_ends_at_zero_has_its_variance() -> None:
    # Exactly zero: the data are symmetric.
    t = np.array([-2.0, -1.0, 1.0, 2.0])
    y = np.array([1.0, -1.0, -1.0, 1.0])
    for p0 in (None, [0.0, 0.0], [1.0, 0.0]):
        popt, pcov = curve_fit(line, t, y, p0)
        np.testing.assert_allclose(popt, 0.0, atol=1e-11)
        np.testing.assert_allclose(pcov, np.diag([0.2, 0.5]), rtol=1e-9, atol=1e-9)


def test_a_parameter_that_ends_at_zero_of_a_nonlinear_model() -> None:
    # An offset of zero, and a start there.
    def shifted(t: Any, a: float, b: float) -> Any:
        return np.exp(-a * t) + b * t * t

    noise = 0.01 * np.cos(9 * T)
    J = np.column_stack([-T * np.exp(-T), T * T])
    noise = noise - J @ np.linalg.lstsq(J, noise, rcond=None)[0]
    for p0 in ([1.0, 0.0], [1.5, 0.0], None):
        popt, pcov = curve_fit(shifted, T, np.exp(-T) + noise, p0)
        np.testing.assert_allclose(popt, [1.0, 0.0], atol=1e-10)
        expected = np.linalg.inv(J.T @ J) * (noise @ noise) / 18
        np.testing.assert_allclose(pcov, expected, rtol=1e-6)


def test_as_many_points_as_parameters() -> None:
    y = decay(T[:3], 2.5, 1.3, 0.5)
    with pytest.warns(
        lmoo.OptimizeWarning, match=r"^Covariance of the parameters could not be est"
    ):
        popt, pcov = curve_fit(decay, T[:3], y)
    np.testing.assert_allclose(popt, [2.5, 1.3, 0.5], rtol=1e-7)
    np.testing.assert_array_equal(pcov, np.full((3, 3), np.inf))
    # Known errors of the data tell those of the parameters.
    _, pcov = curve_fit(decay, T[:3], y, sigma=np.full(3, 0.1), absolute_sigma=True)
    J = slopes(T[:3], 2.5, 1.3, 0.5) / 0.1
    np.testing.assert_allclose(pcov, np.linalg.inv(J.T @ J), rtol=1e-5)


@pytest.mark.parametrize(
    "f",
    [
        lambda t, a, b: a * t,
        lambda t, a, b: a * b * t,
        lambda t, a, b: (a + b) * t,
        lambda t, a, b: np.exp(a - b) * t,
    ],
)
@pytest.mark.parametrize("absolute", [False, True])
def test_parameters_that_are_not_determined(f: Any, absolute: bool) -> None:
    with pytest.warns(lmoo.OptimizeWarning) as caught:
        popt, pcov = curve_fit(f, T, Y, sigma=1.0, absolute_sigma=absolute)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(pcov, np.full((2, 2), np.inf))
    np.testing.assert_allclose(f(T, *popt), T * (T @ Y) / (T @ T), rtol=1e-6)


def test_nearly_parallel_columns_are_determined() -> None:
    # Far beyond where J.T @ J would be singular.
    def model(t: Any, a: float, b: float) -> Any:
        return a * t + b * (t + 1e-5 * np.cos(t))

    def jac(t: Any, a: float, b: float) -> Any:
        return np.column_stack([t, t + 1e-5 * np.cos(t)])

    y = model(T, 2, 3) + 0.01 * np.cos(9 * T)
    _, pcov = curve_fit(model, T, y, jac=jac)
    inverse = np.linalg.pinv(jac(T, 0, 0))
    chi = y - jac(T, 0, 0) @ (inverse @ y)
    np.testing.assert_allclose(pcov, inverse @ inverse.T * (chi @ chi) / 18, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-200, 1e-60, 1e60, 1e130], ids=stable)
def test_units_do_not_matter(scale: float) -> None:
    _, expected = curve_fit(line, T, Y)
    popt, pcov = curve_fit(line, T, scale * Y, scale * np.ones(2))
    with np.errstate(under="ignore"):
        np.testing.assert_allclose(pcov, expected * scale * scale, rtol=1e-6)
    np.testing.assert_allclose(popt / scale, curve_fit(line, T, Y)[0], rtol=1e-8)


def test_a_perfect_fit_has_no_variance() -> None:
    popt, pcov = curve_fit(line, T, np.zeros(20))
    # What underflows is as good as 0.
    np.testing.assert_allclose(popt, 0.0, atol=1e-300)
    np.testing.assert_array_equal(pcov, 0.0)


def test_filters_by_scipys_warning_apply() -> None:
    def undetermined(t: Any, a: float, b: float) -> Any:
        return (a + b) * t

    for category in (scipy.optimize.OptimizeWarning, lmoo.OptimizeWarning):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", category)
            curve_fit(undetermined, T, Y)
    with pytest.warns(scipy.optimize.OptimizeWarning):
        curve_fit(undetermined, T, Y)


def test_scipy_is_not_imported() -> None:
    program = """
import sys, warnings, numpy as np, lmoo
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    lmoo.curve_fit(lambda t, a, b: (a + b) * t, np.arange(5.0), np.arange(5.0) ** 2)
assert [w.category for w in caught] == [lmoo.OptimizeWarning]
assert not any(name.split(".")[0] == "scipy" for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


# --------------------------------------------------------------------------- failures and limits


def test_fewer_points_than_parameters() -> None:
    with pytest.raises(TypeError, match=r"func parameters=3 must not exceed .* points=2$"):
        curve_fit(decay, T[:2], Y[:2])


@pytest.mark.parametrize("limit", [{"maxfev": 5}, {"max_nfev": 5}])
def test_the_limit_of_evaluations(limit: Any) -> None:
    with pytest.raises(RuntimeError, match=r"^Optimal parameters not found: .*maxfev"):
        curve_fit(decay, T, Y, **limit)
    with pytest.raises(RuntimeError, match=r"^Optimal parameters not found: "):
        curve_fit(decay, T, Y, bounds=(0, 10), **limit)


@pytest.mark.parametrize("maxfev", [0, None, 10_000])
def test_a_limit_that_is_none(maxfev: Any) -> None:
    check(curve_fit(decay, T, Y, maxfev=maxfev))


def test_a_start_that_is_not_finite() -> None:
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(ValueError, match=r"^Residuals are not finite in the initial point: ") as e,
    ):
        curve_fit(lambda t, a: np.log(-a) * t, T, Y)
    assert isinstance(e.value.__cause__, lmoo.EvaluationError)


def test_a_start_that_is_refused() -> None:
    def refusing(t: Any, a: float) -> Any:
        raise lmoo.EvaluationError("not here")

    with pytest.raises(ValueError, match=r"^Residuals are not finite in the initial point: not h"):
        curve_fit(refusing, T, Y)


def test_a_plateau_is_no_minimum() -> None:
    with pytest.raises(
        RuntimeError, match=r"^Optimal parameters not found: no parameter has an effect"
    ):
        curve_fit(lambda t, a: 0.0 * t, T, Y)


def test_wrong_derivatives_are_no_minimum() -> None:
    with pytest.raises(RuntimeError, match=r"^Optimal parameters not found: "):
        curve_fit(decay, T, Y, jac=lambda t, *p: -slopes(t, *p))


def test_exceptions_of_the_model_come_out() -> None:
    def broken(t: Any, a: float) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        curve_fit(broken, T, Y)


def test_a_nan_on_the_way_is_no_end() -> None:
    def bounded(t: Any, a: float, b: float, c: float) -> Any:
        return decay(t, a, b, c) if b < 2.0 else np.full_like(t, np.nan)

    check(curve_fit(bounded, T, Y, [1, 1, 0], factor=100))


# ---------------------------------------------------------------------------------- derivatives


@pytest.mark.parametrize("jac", [slopes, "2-point", "3-point", "cs", None])
@pytest.mark.parametrize("method", [None, "lm", "trf", "dogbox"])
def test_derivatives(jac: Any, method: Any) -> None:
    check(curve_fit(decay, T, Y, jac=jac, method=method))


@pytest.mark.parametrize("sigma", [None, 0.1, SIGMA, COVARIANCE], ids=["none", "1", "1-D", "2-D"])
def test_jac_is_divided_by_sigma(sigma: Any) -> None:
    one = curve_fit(decay, T, Y, sigma=sigma, jac=slopes)
    two = curve_fit(decay, T, Y, sigma=sigma)
    np.testing.assert_allclose(one[0], two[0], rtol=1e-8)
    np.testing.assert_allclose(one[1], two[1], rtol=1e-5)


def test_jac_gets_the_points_and_the_parameters() -> None:
    calls: list[Any] = []

    def watched(t: Any, a: float, b: float, c: float) -> Any:
        calls.append((t, a, b, c))
        return slopes(t, a, b, c)

    *_, infodict, _, _ = curve_fit(decay, list(T), Y, jac=watched, full_output=True)
    assert infodict["njev"] == len(calls)
    np.testing.assert_array_equal(calls[0][0], T)
    assert calls[0][1:] == (1.0, 1.0, 1.0)


def test_jac_may_return_a_list() -> None:
    check(curve_fit(decay, T, Y, jac=lambda t, *p: slopes(t, *p).tolist()))


# --------------------------------------------------------------------------------------- options


def solver(**options: Any) -> lmoo.Solver:
    jac = options.pop("jac", None)
    return curve_solver(3, None, jac, callable(jac), options)


def test_without_options_it_is_the_solver() -> None:
    assert solver() == lmoo.Solver(jacobian=lmoo.ForwardDifference())
    assert solver(jac=slopes) == lmoo.Solver()
    assert solver() is solver()


def test_options_reach_the_solver() -> None:
    found = solver(ftol=1e-3, xtol=1e-4, gtol=1e-5, maxfev=77, factor=5, diag=[1, 2, 3])
    assert (found.ftol, found.xtol, found.gtol) == (1e-3, 1e-4, 1e-5)
    assert (found.maxfev, found.factor, found.diag) == (77, 5, (1.0, 2.0, 3.0))
    assert solver(x_scale=[1, 2, 4]).diag == (1.0, 0.5, 0.25)
    assert solver(x_scale=2).diag == (0.5, 0.5, 0.5)
    assert solver(x_scale="jac").diag is None
    assert solver(max_nfev=12).maxfev == 12
    assert solver(ftol=None, xtol=None).ftol == 0.0


def test_options_of_the_differences() -> None:
    def step(**options: Any) -> Any:
        return solver(**options).jacobian

    assert step(epsfcn=1e-6) == lmoo.ForwardDifference(1e-6)
    assert step(epsfcn=0.0) == lmoo.ForwardDifference(2.0**-52)
    assert step(jac="3-point", epsfcn=1e-6) == lmoo.CentralDifference(1e-6)
    assert step(jac="3-point") == lmoo.CentralDifference()
    assert step(jac="cs") == lmoo.ComplexStep()
    assert step(diff_step=1e-3).epsfcn == pytest.approx(1e-6)
    assert step(jac="3-point", diff_step=1e-3).epsfcn == pytest.approx(1e-9)
    assert step(jac=slopes, epsfcn=1e-6) is None


def test_forward_differences_are_enough_for_coarse_tolerances() -> None:
    assert not solver(ftol=1e-8, xtol=1e-8).jacobian.refine
    assert solver(ftol=1e-8).jacobian.refine
    assert solver(ftol=1e-8, xtol=1e-12).jacobian.refine
    assert solver(ftol=None, xtol=1e-8).jacobian.refine


@pytest.mark.parametrize("options", [{"ftol": 1e-8, "xtol": 1e-8}, {"gtol": 1e-6}, {"xtol": 1e-3}])
def test_given_tolerances_stop_sooner(options: Any) -> None:
    exact = curve_fit(decay, T, Y, full_output=True, trace=False)
    soon = curve_fit(decay, T, Y, full_output=True, trace=False, **options)
    assert soon[2]["nfev"] < exact[2]["nfev"]
    traced = curve_fit(decay, T, Y, full_output=True, **options)
    assert traced[2]["nfev"] < soon[2]["nfev"]
    np.testing.assert_allclose(soon[0], exact[0], rtol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"loss": "linear"},
        {"verbose": 0},
        {"f_scale": 2.0},
        {"tr_solver": None},
        {"tr_options": {}},
        {"col_deriv": False},
        {"x_scale": "jac"},
        {"factor": 100},
        {"diag": np.array([1.0, 2.0, 3.0])},
        {"epsfcn": 1e-15},
    ],
    ids=stable,
)
def test_options_that_change_nothing_in_the_result(options: Any) -> None:
    check(curve_fit(decay, T, Y, **options))


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"foo": 1}, TypeError, r"^curve_fit\(\) got an unexpected keyword argument 'foo'$"),
        ({"Dfun": slopes}, TypeError, r"unexpected keyword argument 'Dfun'$"),
        ({"args": (1,)}, ValueError, r"^'args' is not a supported keyword argument"),
        ({"kwargs": {}}, ValueError, r"^'kwargs' is not a supported keyword argument"),
        ({"loss": "soft_l1"}, ValueError, r"^loss must be 'linear'; it is 'soft_l1'"),
        ({"verbose": 2}, ValueError, r"^verbose must be 0; it is 2"),
        ({"col_deriv": True}, ValueError, r"^col_deriv must be False"),
        ({"tr_solver": "lsmr"}, ValueError, r"^tr_solver must be None"),
        ({"jac_sparsity": 1}, ValueError, r"^jac_sparsity must be None"),
        ({"callback": print}, ValueError, r"^callback must be None"),
        ({"workers": 2}, ValueError, r"^workers must be None"),
        ({"maxfev": 9, "max_nfev": 9}, TypeError, r"^curve_fit\(\) takes one of maxfev and max_nf"),
        ({"diag": [1, 1, 1], "x_scale": 1}, TypeError, r"takes one of diag and x_scale"),
        ({"epsfcn": 1e-9, "diff_step": 1e-3}, TypeError, r"takes one of epsfcn and diff_step"),
        ({"maxfev": 1.5}, TypeError, r"^maxfev must be an integer"),
        ({"max_nfev": 0}, ValueError, r"^maxfev must be at least 1"),
        ({"ftol": -1.0}, ValueError, r"^ftol must not be negative"),
        ({"xtol": "small"}, TypeError, r"^xtol must be a real number"),
        ({"factor": 0.0}, ValueError, r"^factor must be positive"),
        ({"diag": [1, 1]}, ValueError, r"^diag must have one entry per parameter, 3"),
        ({"x_scale": [1, 0, 1]}, ValueError, r"^x_scale must be positive"),
        ({"x_scale": "big"}, TypeError, r"^x_scale must be real numbers"),
        ({"diff_step": [1e-3] * 3}, TypeError, r"^diff_step must be a real number"),
        ({"diff_step": 2.0}, ValueError, r"^diff_step must be between"),
        ({"epsfcn": 2.0}, ValueError, r"^epsfcn must be between 0 and 1"),
    ],
    ids=stable,
)
def test_options_that_are_refused(options: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        curve_fit(decay, T, Y, **options)


# ------------------------------------------------------------------------------ bounds and fixed

OPEN = [(-np.inf, np.inf), None, ([-np.inf] * 3, [np.inf] * 3), scipy.optimize.Bounds(), {}]


@pytest.mark.parametrize("bounds", OPEN, ids=stable)
@pytest.mark.parametrize("method", [None, "lm", "trf", "dogbox"])
def test_open_bounds(bounds: Any, method: Any) -> None:
    popt, pcov = curve_fit(decay, T, Y, bounds=bounds, method=method)
    expected = curve_fit(decay, T, Y)
    np.testing.assert_array_equal(popt, expected[0])
    np.testing.assert_array_equal(pcov, expected[1])


@pytest.mark.parametrize("method", [None, "trf", "dogbox"])
def test_bounds_around_the_solution(method: Any) -> None:
    for bounds in ((0, 10), scipy.optimize.Bounds([0, 0, 0], [9, 9, 9]), {"b": (1, 2)}):
        check(curve_fit(decay, T, Y, bounds=bounds, method=method))


def test_bounds_with_lm_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^method must be 'trf', 'dogbox' or None with bounds"):
        curve_fit(decay, T, Y, bounds=(0, 10), method="lm")


def test_a_bound_that_cuts_the_solution_off() -> None:
    for bounds in ((-np.inf, [np.inf, 1.0, np.inf]), {"b": (None, 1.0)}, {1: (0, 1.0)}):
        popt, pcov = curve_fit(decay, T, Y, bounds=bounds)
        assert popt[1] == 1.0
        rest = curve_fit(lambda t, a, c: decay(t, a, 1.0, c), T, Y)
        np.testing.assert_allclose(popt[[0, 2]], rest[0], rtol=1e-8)
        # One more parameter leaves one degree of freedom less.
        np.testing.assert_allclose(pcov[np.ix_([0, 2], [0, 2])], rest[1] * 18 / 17, rtol=1e-5)
        np.testing.assert_array_equal(pcov[1], 0.0)
        np.testing.assert_array_equal(pcov[:, 1], 0.0)


def test_the_model_is_never_called_outside() -> None:
    points: list[Any] = []

    def watched(t: Any, a: float, b: float, c: float) -> Any:
        points.append((a, b, c))
        return decay(t, a, b, c)

    popt, _ = curve_fit(watched, T, Y, bounds=([0, 0, 0.6], [2.6, 3, 1]))
    assert popt[2] == 0.6
    assert (np.array(points) >= [0, 0, 0.6]).all()
    assert (np.array(points) <= [2.6, 3, 1]).all()


def test_where_bounded_parameters_start() -> None:
    first: list[Any] = []

    def watched(t: Any, a: float, b: float, c: float) -> Any:
        first.append((a, b, c))
        return decay(t, a, b, c)

    curve_fit(watched, T, Y, bounds=([0, 0.1, -np.inf], [3, np.inf, 4]))
    assert first[0] == (1.5, 1.1, 3.0)
    first.clear()
    curve_fit(watched, T, Y, bounds={"a": (2, 4)})
    assert first[0] == (3.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"bounds": (3, 0)}, r"^bounds must have the lower one below .* those of a are 3"),
        ({"bounds": ([0, 2, 0], [3, 1, 1])}, r"those of b are 2\.0 and 1\.0"),
        ({"bounds": (1, 1)}, r"^fixed must leave a parameter to be fitted"),
        ({"bounds": ([0, 1], [3, 1, 1])}, r"^bounds must have one lower bound per parameter, 3"),
        ({"bounds": (0, np.nan)}, r"^bounds must not be nan"),
        ({"bounds": {"d": (0, 1)}}, r"^bounds must name one of \('a', 'b', 'c'\)"),
        ({"bounds": (0, 2), "p0": [1, 5, 1]}, r"^Initial guess is outside .* p0\[1\] is 5"),
        ({"fixed": ["a", "b", "c"]}, r"^fixed must leave a parameter to be fitted"),
        ({"fixed": ["d"]}, r"^fixed must name one of \('a', 'b', 'c'\)"),
        ({"fixed": {"a": 5}, "bounds": (0, 2)}, r"^fixed must hold a parameter within its bounds"),
    ],
    ids=stable,
)
def test_bounds_that_are_refused(options: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        curve_fit(decay, T, Y, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"fixed": {"c": 0.4}},
        {"fixed": {2: 0.4}},
        {"bounds": {"c": (0.4, 0.4)}},
        {"bounds": ([-9, -9, 0.4], [9, 9, 0.4]), "p0": [1, 1, 1]},
    ],
    ids=stable,
)
def test_a_parameter_that_is_held_at_a_value(options: Any) -> None:
    popt, pcov = curve_fit(decay, T, Y, **options)
    expected = curve_fit(lambda t, a, b: decay(t, a, b, 0.4), T, Y)
    assert popt[2] == 0.4
    np.testing.assert_allclose(popt[:2], expected[0], rtol=1e-8)
    np.testing.assert_allclose(pcov[:2, :2], expected[1], rtol=1e-5)
    np.testing.assert_array_equal(pcov[2], 0.0)


@pytest.mark.parametrize("fixed", [["c"], (2,), {"c"}], ids=stable)
@pytest.mark.parametrize("method", [None, "lm"])
def test_a_parameter_that_stays_where_it_starts(fixed: Any, method: Any) -> None:
    popt, _ = curve_fit(decay, T, Y, [1, 1, 0.4], fixed=fixed, method=method)
    expected = curve_fit(decay, T, Y, fixed={"c": 0.4})
    np.testing.assert_array_equal(popt, expected[0])


def test_a_value_comes_before_the_start() -> None:
    popt, _ = curve_fit(decay, T, Y, [1, 1, 7], fixed={"c": 0.4}, bounds={"c": (0, 1)})
    assert popt[2] == 0.4


@pytest.mark.parametrize(
    "f", [lambda t, a, b, c: a * t + c, lambda t, a, b, c: (a + b) * t + c], ids=["unused", "sum"]
)
@pytest.mark.parametrize(
    "options", [{"bounds": {"c": (2, 3)}}, {"fixed": {"c": 0.5}}, {"bounds": (-9, 9)}], ids=stable
)
def test_parameters_that_are_not_determined_beside_held_ones(f: Any, options: Any) -> None:
    with pytest.warns(lmoo.OptimizeWarning):
        _, pcov = curve_fit(f, T, Y, **options)
    np.testing.assert_array_equal(pcov, np.full((3, 3), np.inf))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.sets(st.integers(0, 3), max_size=3), st.booleans())
def test_random_problems_with_held_parameters(seed: int, held: set[int], absolute: bool) -> None:
    random = np.random.default_rng(seed)
    A, y = random.normal(size=(12, 4)), random.normal(size=12)
    assume(np.linalg.cond(A) < 1e2)
    values = random.normal(size=4)
    free = [j for j in range(4) if j not in held]
    popt, pcov = curve_fit(
        lambda t, *p: t @ p,
        A,
        y,
        np.ones(4),
        sigma=1.0,
        absolute_sigma=absolute,
        fixed={j: values[j] for j in held},
    )
    rest = y - A[:, sorted(held)] @ values[sorted(held)]
    x, *_ = np.linalg.lstsq(A[:, free], rest, rcond=None)
    expected = np.zeros((4, 4))
    inverse = np.linalg.inv(A[:, free].T @ A[:, free])
    variance = float(np.sum((A[:, free] @ x - rest) ** 2)) / (12 - len(free))
    expected[np.ix_(free, free)] = inverse * (1.0 if absolute else variance)
    np.testing.assert_allclose(popt[free], x, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(pcov, expected, rtol=1e-5, atol=1e-9)


def test_bounded_fits_have_scipys_cost() -> None:
    for bounds in (([0, 0, 0.6], [2.6, 3, 1]), (0, [3, 1, 1]), ([2.6, 0, 0], 5)):
        ours, _ = curve_fit(decay, T, Y, bounds=bounds)
        theirs, _ = scipy.optimize.curve_fit(decay, T, Y, bounds=bounds)
        costs = [float(np.sum((decay(T, *p) - Y) ** 2)) for p in (ours, theirs)]
        assert costs[0] <= costs[1] * (1 + 1e-8)


# ------------------------------------------------------------------------------- compiled models


def test_a_compiled_model_starts_from_its_guess_and_knows_its_derivatives() -> None:
    answer = curve_fit(models.Exponential(), T, Y, full_output=True)
    check(answer)
    assert answer[2]["njev"] >= 1
    # No evaluation went into differences.
    assert answer[2]["nfev"] <= 2 * answer[2]["njev"] + 3
    check(curve_fit(models.Exponential(), T, Y, [1, 1, 0]))
    check(curve_fit(models.Exponential(), T, Y, jac="3-point"))


def test_a_compiled_model_without_a_guess_starts_at_one() -> None:
    class Plain(models.Exponential):
        def guess(self, t: Any, y: np.ndarray) -> np.ndarray:
            raise NotImplementedError

    found = curve_fit(Plain(), T, Y)
    expected = curve_fit(models.Exponential(), T, Y, [1, 1, 1])
    np.testing.assert_array_equal(found[0], expected[0])


def test_a_compiled_model_with_fewer_points_than_parameters() -> None:
    for p0 in (None, [1, 1, 0]):
        with pytest.raises(TypeError, match=r"func parameters=3 must not exceed .* points=2$"):
            curve_fit(models.Exponential(), T[:2], Y[:2], p0)


def test_a_compiled_model_with_sigma() -> None:
    for sigma in (0.1, SIGMA, COVARIANCE):
        one = curve_fit(models.Exponential(), T, Y, sigma=sigma, absolute_sigma=True)
        two = curve_fit(decay, T, Y, sigma=sigma, absolute_sigma=True, jac=slopes)
        np.testing.assert_allclose(one[0], two[0], rtol=1e-8)
        np.testing.assert_allclose(one[1], two[1], rtol=1e-6)


def test_a_compiled_model_with_bounds() -> None:
    model = models.Exponential()
    popt, pcov = curve_fit(model, T, Y, bounds={"rate": (0, 1)}, fixed={"offset": 0.4})
    expected = curve_fit(decay, T, Y, bounds={"b": (0, 1)}, fixed={"c": 0.4}, jac=slopes)
    np.testing.assert_allclose(popt, expected[0], rtol=1e-8)
    np.testing.assert_allclose(pcov, expected[1], rtol=1e-6)
    check(curve_fit(model, T, Y, bounds=(0, 10)))


def test_a_compiled_model_of_two_variables() -> None:
    u, v = (part.ravel() for part in np.meshgrid(np.arange(7.0), np.arange(7.0)))
    model = models.Gaussian2D()
    y = model((u, v), 10.0, 2.8, 3.1, 1.2, 0.5)
    for xdata in ((u, v), np.stack([u, v])):
        popt, _ = curve_fit(model, xdata, y, sigma=None)
        np.testing.assert_allclose(popt, [10, 2.8, 3.1, 1.2, 0.5], rtol=1e-7)


def test_a_compiled_model_with_missing_points() -> None:
    t, y, keep = holes()
    found = curve_fit(models.Exponential(), t, y, nan_policy="omit")
    expected = curve_fit(models.Exponential(), T[keep], Y[keep])
    np.testing.assert_array_equal(found[1], expected[1])


# ------------------------------------------------------------------------------- beside scipy


@pytest.mark.parametrize("sigma", [None, 0.1, SIGMA, COVARIANCE], ids=["none", "1", "1-D", "2-D"])
@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("jac", [None, slopes])
def test_the_answers_are_scipys(sigma: Any, absolute: bool, jac: Any) -> None:
    options = {"sigma": sigma, "absolute_sigma": absolute, "jac": jac}
    silent = (
        nullcontext()
        if sigma is not None or not absolute
        else pytest.warns(UserWarning, match="are assumed to be 1")
    )
    with silent:
        ours = curve_fit(decay, T, Y, **options)
    if np.ndim(sigma) == 0 and sigma is not None:
        # Which scipy 1.17 does not take with a callable jac.
        options["sigma"] = np.full(20, 0.1)
    theirs = scipy.optimize.curve_fit(decay, T, Y, **options)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-4)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(6, 40),
    st.sampled_from(["none", "1-D", "2-D"]),
    st.booleans(),
)
def test_random_problems_have_the_answers_of_linear_algebra(
    seed: int, m: int, kind: str, absolute: bool
) -> None:
    random = np.random.default_rng(seed)
    A = random.normal(size=(m, 4))
    assume(np.linalg.cond(A) < 1e3)
    root = np.diag(random.uniform(0.5, 2.0, m))
    if kind == "2-D":
        root = root + 0.1 * random.normal(size=(m, m))
    assume(np.linalg.cond(root) < 1e3)
    y = A @ random.normal(size=4) + root @ random.normal(size=m)
    sigma = {"none": 1.0, "1-D": np.diag(root), "2-D": root @ root.T}[kind]

    popt, pcov = curve_fit(
        lambda t, *p: t @ p, A, y, np.ones(4), sigma, absolute_sigma=absolute, check_finite=True
    )
    W = np.eye(m) if kind == "none" else np.linalg.inv(root)
    x, *_ = np.linalg.lstsq(W @ A, W @ y, rcond=None)
    inverse = np.linalg.inv((W @ A).T @ (W @ A))
    variance = 1.0 if absolute else float(np.sum((W @ (A @ x - y)) ** 2)) / (m - 4)
    np.testing.assert_allclose(popt, x, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(pcov, inverse * variance, rtol=1e-5, atol=1e-9)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.integers(50, 500),
    st.integers(30, 300),
    st.integers(-200, 200),
    st.integers(0, 2**32 - 1),
)
def test_random_curves_have_scipys_answers(a: float, b: float, c: float, seed: int) -> None:
    a, b, c = 0.01 * a, 0.01 * b, 0.01 * c
    y = decay(T, a, b, c) + 0.01 * np.random.default_rng(seed).standard_normal(20)
    ours = curve_fit(decay, T, y, [a, b, c])
    theirs = scipy.optimize.curve_fit(decay, T, y, [a, b, c], ftol=1e-14, xtol=1e-14, jac=slopes)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-4, atol=1e-10)


# ------------------------------------------------------------------------------------------ NIST


def digits(value: np.ndarray, certified: np.ndarray) -> float:
    error = float(np.max(np.abs(value - certified) / np.abs(certified)))
    return 11.0 if error == 0.0 else min(11.0, -float(np.log10(error)))


def nist_fit(name: str, analytic: bool) -> tuple[float, float]:
    """Return the digits of parameters and of their standard errors, from the near start."""
    data = nist(name)

    def f(x: Any, *p: float) -> Any:
        return data.residual(np.array(p)) + data.y

    def jac(x: Any, *p: float) -> Any:
        return data.jacobian(np.array(p))

    popt, pcov = curve_fit(f, data.x, data.y, data.starts[1], jac=jac if analytic else None)
    return digits(popt, data.certified), digits(np.sqrt(np.diag(pcov)), data.standard_errors)


@pytest.mark.parametrize("analytic", [False, True], ids=["differences", "jac"])
def test_nist(analytic: bool) -> None:
    found = {name: nist_fit(name, analytic) for name in nist_names()}
    assert len(found) == 27
    assert not [name for name, (parameters, _) in found.items() if parameters < 6.0], found
    # The residual of Lanczos1, an exact fit, is the rounding of its data, and so are its errors.
    short = {name: errors for name, (_, errors) in found.items() if errors < 6.0}
    assert len(short) <= 2, short


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


@pytest.mark.parametrize("value", [np.eye(3), np.zeros(1), [[1.0], [2.0, 3.0]]], ids=stable)
def test_a_pattern_of_the_jacobian_is_refused_by_name(value: Any) -> None:
    t = np.linspace(0.0, 4.0, 20)
    with pytest.raises(ValueError, match=r"^jac_sparsity must be None; it is "):
        curve_fit(decay, t, decay(t, 2.5, 1.3, 0.5), jac_sparsity=value)
