"""`lmoo.fit` with tables: data frames, mappings, arrays with fields, datasets, series."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fit_cases import SIGMA, TEXT, TRUE, T, Y, decay

import lmoo

pd = pytest.importorskip("pandas")
FRAME = pd.DataFrame({"time": T, "counts": Y, "err": SIGMA, "flag": "ok"})
EXPECTED = lmoo.fit(decay, T, Y, TRUE, SIGMA)


def dataset() -> Any:
    xarray = pytest.importorskip("xarray")
    columns = {"counts": ("time", Y), "err": ("time", SIGMA)}
    return xarray.Dataset(columns, coords={"time": T})


def astropy_table() -> Any:
    table = pytest.importorskip("astropy.table")
    return table.Table({"time": T, "counts": Y, "err": SIGMA})


TABLES: dict[str, Callable[[], Any]] = {
    "DataFrame": lambda: FRAME,
    "other index": lambda: FRAME.set_index(np.arange(100, 100 + T.size)),
    "dict": lambda: {"time": T, "counts": Y, "err": SIGMA},
    "dict of lists": lambda: {"time": T.tolist(), "counts": Y.tolist(), "err": SIGMA.tolist()},
    "fields": lambda: FRAME[["time", "counts", "err"]].to_records(index=False),
    "Dataset": dataset,
    "astropy": astropy_table,
}

MODELS: dict[str, Callable[[], tuple[Any, dict[str, Any]]]] = {
    "text": lambda: (TEXT, {}),
    "text, t": lambda: (TEXT, {"t": "time"}),
    "Expression": lambda: (lmoo.Expression(TEXT, variables="time"), {}),
    "function": lambda: (decay, {}),
    "lambda": lambda: (lambda t, a, b, c: decay(t, a, b, c), {"t": "time"}),
    "built-in": lambda: (lmoo.models.Exponential(), {"t": ["time"]}),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_columns_by_name(
    model: Callable[[], tuple[Any, dict[str, Any]]], table: Callable[[], Any]
) -> None:
    f, options = model()
    result = lmoo.fit(f, data=table(), y="counts", sigma="err", **options)
    np.testing.assert_allclose(result.x, EXPECTED.x, rtol=1e-6)
    np.testing.assert_allclose(result.stderr, EXPECTED.stderr, rtol=1e-6)
    assert result.problem.labels == ("time", "counts")
    assert "because" not in result.evaluation
    np.testing.assert_array_equal(
        result.predict({"time": [1.0, 2.0], "other": 3}), result.predict([1.0, 2.0])
    )


def test_several_variables() -> None:
    frame = pd.DataFrame({"x1": T, "x2": np.cos(T), "z": 2.0 * T + 3.0 * np.cos(T)})
    by_name = lmoo.fit("b*x2 + a*x1", data=frame, y="z")
    assert by_name.parameter_names == ("b", "a")
    np.testing.assert_allclose(by_name.x, [3.0, 2.0])
    assert by_name.problem.labels == ("x2, x1", "z")
    np.testing.assert_allclose(by_name.predict(frame), frame["z"])
    by_order = lmoo.fit(lambda t, a, b: a * t[0] + b * t[1], data=frame, t=["x1", "x2"], y="z")
    np.testing.assert_allclose(by_order.x, [2.0, 3.0])
    whole = lmoo.fit("a*x1 + b*x2", frame[["x1", "x2"]], frame["z"])
    np.testing.assert_allclose(whole.x, [2.0, 3.0])
    # A function gets the table as it is.
    table = lmoo.fit(lambda t, a, b: a * t["x1"] + b * t["x2"], frame, frame["z"], [1.0, 1.0])
    np.testing.assert_allclose(table.x, [2.0, 3.0])


def test_names_of_series_are_variables() -> None:
    result = lmoo.fit(TEXT, FRAME["time"], FRAME["counts"], sigma=FRAME["err"])
    np.testing.assert_allclose(result.x, EXPECTED.x, rtol=1e-6)
    assert result.problem.labels == ("time", "counts")
    # Without its name in the text the variable is t.
    result = lmoo.fit("a*exp(-b*t) + c", FRAME["time"], Y, sigma=SIGMA)
    np.testing.assert_allclose(result.x, EXPECTED.x, rtol=1e-6)
    assert result.problem.labels == ("time", None)


def test_a_column_is_not_also_a_parameter() -> None:
    """Columns of y and sigma may have the names of parameters."""
    frame = pd.DataFrame({"t": T, "a": Y, "b": SIGMA})
    result = lmoo.fit("a*exp(-b*t) + c", data=frame, y="a", sigma="b")
    assert result.parameter_names == ("a", "b", "c")
    np.testing.assert_allclose(result.x, EXPECTED.x, rtol=1e-6)


def test_errors_in_x_of_a_column() -> None:
    frame = FRAME.assign(dt=0.001)
    found = lmoo.fit(TEXT, data=frame, y="counts", sigma="err", sigma_x="dt")
    expected = lmoo.fit("a*exp(-b*t) + c", T, Y, sigma=SIGMA, sigma_x=0.001)
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-9)
    assert found.estimated_t is not None


def test_missing_entries_are_left_out() -> None:
    frame = FRAME.drop(columns="flag").convert_dtypes()
    frame.loc[2, "counts"] = pd.NA
    frame.loc[5, "time"] = pd.NA
    frame.loc[7, "err"] = pd.NA
    kept = FRAME.drop(index=[2, 5, 7])
    expected = lmoo.fit(TEXT, data=kept, y="counts", sigma="err")
    result = lmoo.fit(TEXT, data=frame, y="counts", sigma="err")
    assert result.observations == T.size - 3
    np.testing.assert_array_equal(result.x, expected.x)
    stack = pd.DataFrame([frame["counts"], frame["counts"]]).reset_index(drop=True)
    fits = lmoo.curve_fit_many(decay, T, stack.astype("Float64"), TRUE)
    alone = lmoo.curve_fit(decay, np.delete(T, 2), np.delete(Y, 2), TRUE)[0]
    np.testing.assert_allclose(fits.x, [alone, alone], rtol=1e-6)


REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: lmoo.fit(TEXT, data=FRAME, y="count"),
        ValueError,
        "y must be a column of data; 'count' is none: these are time, counts, err, flag",
    ),
    (
        lambda: lmoo.fit(TEXT, data=FRAME, y="counts", sigma="error"),
        ValueError,
        "sigma must be a column of data; 'error' is none",
    ),
    (
        lambda: lmoo.fit(TEXT, data=FRAME, t="seconds", y="counts"),
        ValueError,
        "t must be a column of data; 'seconds' is none",
    ),
    (
        lambda: lmoo.fit("a*exp(-b*tim)", data=FRAME, y="counts"),
        ValueError,
        r"the model must have a column of data as its variable; 'a\*exp\(-b\*tim\)' has none: ",
    ),
    (
        lambda: lmoo.fit(lambda x, a: a * x, data=FRAME, y="counts"),
        ValueError,
        "t must name the columns of the independent variables, as 'x' is none: columns are time,",
    ),
    (
        lambda: lmoo.fit(TEXT, "time", Y),
        TypeError,
        "t must be numbers; it is 'time': names of columns need data=",
    ),
    (lambda: lmoo.fit(TEXT, T), TypeError, "y must be given: the data, or with data= the name"),
    (
        lambda: lmoo.fit(TEXT, data=7, y="counts"),
        TypeError,
        "data must be a table: a DataFrame, .*; it is int",
    ),
    (
        lambda: lmoo.fit(TEXT, data=FRAME, y="flag"),
        TypeError,
        r"y must be real numbers; it is of dtype .*: pandas.to_numeric\(column\)",
    ),
    (
        lambda: lmoo.fit(TEXT, FRAME["time"], FRAME["counts"].iloc[::-1]),
        ValueError,
        r"t and y must have the same index, .* \[0, 1, 2, ...\] of 30 and \[29, 28, 27, ...\] of "
        r"30: take them from one table, or give y.loc\[t.index\]",
    ),
    (
        lambda: lmoo.CurveProblem(decay, FRAME["time"], Y, FRAME["err"].iloc[1:]),
        ValueError,
        "t and sigma must have the same index",
    ),
    (
        lambda: lmoo.curve_fit(decay, FRAME["time"], FRAME["counts"].iloc[::-1], TRUE),
        ValueError,
        "xdata and ydata must have the same index",
    ),
    (
        lambda: lmoo.fit("a*t", pd.Series(pd.date_range("2020-01-01", periods=30)), Y),
        TypeError,
        r"t must be real numbers; it is of dtype datetime64.*: give numbers, such as the seconds",
    ),
    (
        lambda: lmoo.fit("a*t", pd.Series(pd.to_timedelta(T, unit="s")), Y),
        TypeError,
        r"t must be real numbers; it is of dtype timedelta64.*: give numbers, such as t / numpy",
    ),
    (
        lambda: lmoo.CurveProblem(decay, T, pd.Series(Y).astype("category")),
        TypeError,
        r"y must be real numbers; it is of dtype category: column.astype\(float\), or the codes",
    ),
    (
        lambda: lmoo.CurveProblem(decay, T, np.full(30, np.datetime64("2020-01-01"))),
        TypeError,
        r"y must be real numbers; it is of dtype datetime64",
    ),
    (
        lambda: lmoo.CurveProblem(decay, T, pd.Series(Y, dtype=object)),
        TypeError,
        r"y must be real numbers; it is of dtype object",
    ),
]


@pytest.mark.parametrize(("call", "error", "match"), REFUSED)
def test_refused(call: Callable[[], Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()


def test_a_failed_fit_is_false() -> None:
    found = lmoo.fit(TEXT, data=FRAME, y="counts", p0=TRUE)
    assert found
    stopped = lmoo.fit(decay, T, Y, [100.0, 9.0, -8.0], solver=lmoo.Solver(maxfev=2))
    assert not stopped.success
    assert not stopped


def test_a_column_that_is_there_twice_is_refused() -> None:
    table = pd.DataFrame({"t": [0.0, 1.0, 2.0], "y": [1.0, 2.0, 3.5]})
    twice = pd.concat([table, table["y"]], axis=1)
    with pytest.raises(ValueError, match="'y' is there more than once"):
        lmoo.fit("a*t + b", data=twice, y="y")
