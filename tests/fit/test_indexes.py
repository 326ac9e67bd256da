"""Series of pandas: points are matched by their position, so their indexes must be the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fit_cases import SIGMA, TRUE, T, Y, decay

import lmoo

pd = pytest.importorskip("pandas")
LABELS = np.arange(T.size)
STACK = np.stack([Y, Y + 0.1])


def series(values: Any, order: Any = LABELS) -> Any:
    return pd.Series(values, index=order)


def other(values: Any) -> Any:
    return series(values, LABELS[::-1])


def plane(t: Any, a: Any, b: Any) -> Any:
    return a * t[0] + b * t[1]


def many(t: Any, y: Any, sigma: Any = None) -> Any:
    return lmoo.curve_fit_many(decay, t, y, TRUE, sigma=sigma)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "t and y": (lambda: lmoo.CurveProblem(decay, series(T), other(Y)), "t and y must"),
    "blocks": (lambda: lmoo.CurveBlocks(decay, series(T), other(Y)), "xdata and ydata must"),
    "model": (
        lambda: lmoo.models.Exponential().problem(T, series(Y), other(SIGMA)),
        "y and sigma must",
    ),
    "sigma_x": (
        lambda: lmoo.fit(decay, T, series(Y), sigma_x=other(SIGMA)),
        "y and sigma_x must",
    ),
    "tuple of sigma_x": (
        lambda: lmoo.CurveProblem(plane, (T, T**2), series(Y), sigma_x=(SIGMA, other(SIGMA))),
        r"y and sigma_x\[1\] must",
    ),
    "list of variables": (
        lambda: lmoo.curve_fit(plane, [series(T), other(T**2)], Y),
        r"xdata\[0\] and xdata\[1\] must",
    ),
    "stack, t and sigma": (lambda: many(series(T), STACK, other(SIGMA)), "t and sigma must"),
    "stack, t and the columns": (
        lambda: many(other(T), pd.DataFrame(STACK)),
        "t and the columns of y must",
    ),
    "stack, rows": (
        lambda: many(T, pd.DataFrame(STACK), pd.DataFrame(STACK, index=[1, 0])),
        "y and sigma must",
    ),
    "stack, columns": (
        lambda: many(T, pd.DataFrame(STACK), pd.DataFrame(STACK, columns=LABELS[::-1])),
        "the columns of y and the columns of sigma must",
    ),
    "stack of series": (lambda: many(T, [series(Y), other(Y)]), r"y\[0\] and y\[1\] must"),
}


@pytest.mark.parametrize(("call", "match"), REFUSED.values(), ids=REFUSED)
def test_different_indexes_are_refused(call: Callable[[], Any], match: str) -> None:
    with pytest.raises(ValueError, match=f"^{match} have the same index, as points are matched"):
        call()


def test_equal_indexes() -> None:
    found = many(series(T), pd.DataFrame(STACK), series(SIGMA))
    expected = many(T, STACK, SIGMA)
    np.testing.assert_array_equal(found.x, expected.x)
    # One row for each curve, whatever its label.
    table = pd.DataFrame(STACK, index=["a", "b"])
    np.testing.assert_array_equal(many(T, table, SIGMA).x, expected.x)


def test_dimensions_of_a_labelled_stack() -> None:
    """Labels, not places, tell what belongs together."""
    xr = pytest.importorskip("xarray")
    square = np.linspace(0.0, 3.0, 12)
    y = decay(square, *TRUE) * np.linspace(1.0, 2.0, 12)[:, None]
    sigma = 0.01 + 0.001 * np.add.outer(np.arange(12.0), np.arange(12.0) ** 2)
    expected = many(square, y, sigma)
    coords = {"pixel": np.arange(12), "time": square}
    of_y = xr.DataArray(y, dims=("pixel", "time"), coords=coords)
    of_sigma = xr.DataArray(sigma, dims=("pixel", "time"), coords=coords)
    for given in (of_sigma, of_sigma.transpose()):
        np.testing.assert_allclose(many(of_y["time"], of_y, given).stderr, expected.stderr)
    each = xr.DataArray(0.01 * np.arange(1.0, 13.0), dims="pixel", coords={"pixel": np.arange(12)})
    found = lmoo.curve_fit_many(decay, square, of_y, TRUE, sigma=each, absolute_sigma=True)
    known = lmoo.curve_fit_many(decay, square, of_y, TRUE, sigma=0.01, absolute_sigma=True)
    np.testing.assert_allclose(found.stderr, known.stderr * np.arange(1.0, 13.0)[:, None])


START = pd.Series({"c": 0.4, "b": 0.9, "a": 2.0})
STARTS: dict[str, Callable[[Any], Any]] = {
    "fit": lambda p0: lmoo.fit(decay, T, Y, p0, fixed=["c"]).x,
    "curve_fit": lambda p0: lmoo.curve_fit(decay, T, Y, p0, fixed=["c"])[0],
    "Solver": lambda p0: lmoo.Solver(fixed=["c"]).solve(lmoo.CurveProblem(decay, T, Y), p0).x,
    "curve_fit_many": lambda p0: lmoo.curve_fit_many(decay, T, [Y], p0, fixed=["c"]).x[0],
}


@pytest.mark.parametrize("solve", STARTS.values(), ids=STARTS)
def test_starting_values_in_a_series_have_their_names(solve: Callable[[Any], Any]) -> None:
    expected = lmoo.fit(decay, T, Y, fixed={"c": 0.4}).x
    np.testing.assert_allclose(solve(START), expected, rtol=1e-5)
    # Numbers in the index are no names.
    np.testing.assert_allclose(solve(pd.Series([2.0, 0.9, 0.4])), expected, rtol=1e-5)
    with pytest.raises(ValueError, match="'d'"):
        solve(START.rename({"b": "d"}))


def test_a_table_of_starting_values() -> None:
    table = pd.DataFrame([START, START])
    found = lmoo.curve_fit_many(decay, T, STACK, table)
    np.testing.assert_allclose(found.x, many(T, STACK).x, rtol=1e-5)
    # The parameters of other functions have no names.
    problem = lmoo.FunctionProblem(lambda x: x - np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(lmoo.Solver().solve(problem, START).x, [1.0, 2.0, 3.0])
