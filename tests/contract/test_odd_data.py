"""Data as a new user may have them: read right, or refused with what to do."""

from __future__ import annotations

import array
from typing import Any

import numpy as np
import pytest

import lmoo

pandas = pytest.importorskip("pandas")
xarray = pytest.importorskip("xarray")
T = np.linspace(0.0, 4.0, 24)
START = [2.0, 1.0, 0.4]
MODEL = "a*exp(-b*t) + c"


def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


Y = decay(T, 3.0, 0.7, 0.5)
TABLE = pandas.DataFrame({"t": T, "y": Y})


def test_an_index_with_a_name_is_a_column() -> None:
    for model in (MODEL, decay, lmoo.models.Exponential()):
        result = lmoo.fit(model, data=TABLE.set_index("t"), y="y", p0=START)
        np.testing.assert_allclose(result.x, [3.0, 0.7, 0.5], rtol=1e-6)
        assert result.problem.labels == ("t", "y")
        several = TABLE.assign(k=range(24)).set_index(["k", "t"])
        found = lmoo.fit(model, data=several, y="y", p0=START)
        np.testing.assert_array_equal(found.x, result.x)
    for model in (MODEL, lmoo.models.Exponential()):
        alone = lmoo.fit(model, TABLE.set_index("t")[[]], Y, START)
        np.testing.assert_array_equal(alone.x, lmoo.fit(model, TABLE[["t"]], Y, START).x)
    new = pandas.DataFrame({"z": [1.0]}, index=pandas.Index([2.0], name="t"))
    assert result.predict(new) == pytest.approx(decay(2.0, 3.0, 0.7, 0.5))
    with pytest.raises(ValueError, match="'x' is none: these are y, t"):
        lmoo.fit(MODEL, data=TABLE.set_index("t"), y="y", sigma="x")


def test_numbers_in_memory() -> None:
    for t in (array.array("d", T), memoryview(T.copy())):
        for fit in (lmoo.fit, lmoo.curve_fit):
            found = fit(decay, t, array.array("d", Y), START)
            x = found[0] if isinstance(found, tuple) else found.x
            np.testing.assert_allclose(x, [3.0, 0.7, 0.5], rtol=1e-6)


LEVELS = TABLE.set_axis(pandas.MultiIndex.from_product([["x"], ["t", "y"]]), axis=1)
CURVES = xarray.DataArray(np.stack([Y, Y]), dims=("p", "t"), coords={"t": T})
U, V = np.meshgrid(np.arange(4.0), np.arange(3.0))
REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "no t": (lambda: lmoo.fit(decay, None, Y, START), TypeError, "^t must be given"),
    "no t of a text": (lambda: lmoo.fit(MODEL, None, CURVES[0]), TypeError, "^t must be given"),
    "column numbers": (
        lambda: lmoo.fit(decay, data=pandas.DataFrame(np.stack([T, Y], 1)), t=0, y=1, p0=START),
        TypeError, "^t must be the name of a column, .* it is 0: columns are 0, 1",
    ),
    "levels": (
        lambda: lmoo.fit(decay, data=LEVELS, t="t", y="y", p0=START),
        ValueError, r"Columns of several levels: give a table of one, data\['x'\]",
    ),
    "no columns": (
        lambda: lmoo.fit(MODEL, data={"y": Y}, y="y"),
        ValueError, r"has none: columns are y$",
    ),
    "one point": (
        lambda: lmoo.fit(MODEL, T[:1], Y[:1]),
        ValueError, "no starting values can be found from 1 point for 3 parameters; give p0",
    ),
    "t as a column": (
        lambda: lmoo.fit(MODEL, T[:, None], Y),
        ValueError, r"t must have its points along its last axis; .* \(24, 1\): give t\.T",
    ),
    "y as a column": (
        lambda: lmoo.fit(decay, T, Y[:, None], START),
        ValueError, r"y must be 1-D; its shape is \(24, 1\): take its row or column",
    ),
    "axes of an image": (
        lambda: lmoo.fit(lambda t, a: a * t[0], (U[0], V[:, 0]), U, [1.0]),
        ValueError, r"y must be 1-D; its shape is \(3, 4\): for an image .*meshgrid",
    ),
    "curves in columns": (
        lambda: lmoo.curve_fit_many(decay, CURVES["t"], CURVES.T, START),
        ValueError, r"its last dimension, 'p', and t has 't': give y\.transpose\(\.\.\., 't'\)",
    ),
    "blocks without points": (
        lambda: lmoo.Solver().solve(
            lmoo.CurveBlocks(decay, T, np.ma.array(Y, mask=True), block_size=7), START
        ),
        ValueError, "ydata must not be empty; all of its 24 points are masked or missing",
    ),
    "None in a list": (
        lambda: lmoo.fit(decay, T, [*Y[:-1], None], START),
        TypeError, "y must be real numbers.*: nan stands for a missing number",
    ),
    "NA in a series": (
        lambda: lmoo.fit(decay, T, pandas.Series([*Y[:-1], pandas.NA], dtype=object), START),
        TypeError, "y must be real numbers.*: nan stands for a missing number",
    ),
    "a text as a start": (
        lambda: lmoo.fit(decay, T, Y, {"a": "2", "b": 1.0, "c": 0.4}),
        TypeError, r"^p0\['a'\] must be real numbers; it is '2'",
    ),
    "two numbers as a start": (
        lambda: lmoo.fit(decay, T, Y, {"a": [2.0, 3.0], "b": 1.0, "c": 0.4}),
        ValueError, r"^p0\['a'\] must be a number; it is \[2\.0, 3\.0\]",
    ),
    "no start": (
        lambda: lmoo.curve_fit_many(decay, T, [Y]),
        TypeError, "^p0 must be given; only models of lmoo.models",
    ),
    "dates of curve_fit": (
        lambda: lmoo.curve_fit(decay, [d.to_pydatetime() for d in DATES], Y, START),
        TypeError, "xdata must be real numbers.*seconds since the first",
    ),
}  # fmt: skip
DATES = pandas.date_range("2020-01-01", periods=24, freq="h")


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_what_to_do(name: str) -> None:
    call, kind, match = REFUSED[name]
    with pytest.raises(kind, match=match):
        call()


def test_a_variable_of_each_curve_in_a_labelled_stack() -> None:
    k = xarray.DataArray([1.0, 2.0], dims="p")
    fits = lmoo.curve_fit_many(
        lambda t, a, b, c: t[1] * decay(t[0], a, b, c), (CURVES["t"], k), k * CURVES, START
    )
    np.testing.assert_allclose(fits.x, [[3.0, 0.7, 0.5]] * 2, rtol=1e-6)


@pytest.mark.parametrize("t", [DATES.to_numpy(), DATES, DATES[0], "1.0", TABLE, [None]], ids=repr)
def test_predictions_at_what_is_no_number(t: Any) -> None:
    with pytest.raises(TypeError, match=r"^t must be real numbers"):
        lmoo.fit(decay, T, Y, START).predict(t)


def test_a_function_of_dates() -> None:
    """It gets them as they are, and its error says what the data were."""

    def hours(t: Any, a: Any, b: Any, c: Any) -> Any:
        return decay((t - t[0]) / np.timedelta64(1, "h"), a, b, c)

    y = hours(DATES.to_numpy(), 3.0, 0.1, 0.5)
    result = lmoo.Solver().solve(lmoo.CurveProblem(hours, DATES.to_numpy(), y), START)
    np.testing.assert_allclose(result.x, [3.0, 0.1, 0.5], rtol=1e-6)
    assert result.predict(DATES.to_numpy()[:2]) == pytest.approx(y[:2])
    with pytest.raises(TypeError) as caught:
        lmoo.Solver().solve(lmoo.CurveProblem(decay, DATES.to_numpy(), y), START)
    assert any("t is of dtype datetime64" in note for note in caught.value.__notes__)
