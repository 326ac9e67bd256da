"""Data as people have them: each kind is right at every entry point, or refused with what to do."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from fit_cases import SIGMA, TRUE, T, Y, decay

import lmoo

pd = pytest.importorskip("pandas")
START = [2.0, 1.0, 0.4]
GONE = 3
HOLE = np.arange(T.size) == GONE
MODEL = lmoo.models.Exponential()


def solved(problem: Any) -> Any:
    result = lmoo.Solver().solve(problem, START)
    return result.x, result.observations


def by_fit(t: Any, y: Any, sigma: Any) -> Any:
    result = lmoo.fit(decay, t, y, START, sigma)
    return result.x, result.observations


def by_curve_fit(t: Any, y: Any, sigma: Any) -> Any:
    popt, _, info, _, _ = lmoo.curve_fit(decay, t, y, START, sigma, full_output=True)
    return popt, info["fvec"].size


def by_stack(t: Any, y: Any, sigma: Any) -> Any:
    fits = lmoo.curve_fit_many(decay, t, [y, y], START, sigma=sigma)
    return fits.x[1], fits.observations[1]


ENTRIES: dict[str, Callable[..., Any]] = {
    "fit": by_fit,
    "curve_fit": by_curve_fit,
    "CurveProblem": lambda t, y, s: solved(lmoo.CurveProblem(decay, t, y, s)),
    "model": lambda t, y, s: solved(MODEL.problem(t, y, s)),
    "curve_fit_many": by_stack,
    "CurveBlocks": lambda t, y, s: solved(lmoo.CurveBlocks(decay, t, y, 7, s)),
}
EVERY_ENTRY = pytest.mark.parametrize("call", ENTRIES.values(), ids=ENTRIES)


def arrow(values: Any) -> Any:
    pytest.importorskip("pyarrow")
    return pd.Series(values, dtype="float64[pyarrow]")


def dask_array(values: Any) -> Any:
    array = pytest.importorskip("xarray").DataArray(values, dims="t")
    pytest.importorskip("dask")
    return array.chunk({"t": 10})


def dask_series(values: Any) -> Any:
    frames = pytest.importorskip("dask.dataframe")
    return frames.from_pandas(pd.Series(values), npartitions=2)


def grouped(values: Any) -> Any:
    return pd.Series(values, index=pd.MultiIndex.from_product([[0, 1], range(T.size // 2)]))


KINDS: dict[str, Callable[[Any], Any]] = {
    "series": pd.Series,
    "index of several levels": grouped,
    "nullable": lambda v: pd.Series(v, dtype="Float64"),
    "nullable array": lambda v: pd.array(v, dtype="Float64"),
    "pyarrow": arrow,
    "sparse": lambda v: pd.Series(pd.arrays.SparseArray(v)),
    "index": pd.Index,
    "big endian": lambda v: np.asarray(v, dtype=">f8"),
    "strided": lambda v: np.repeat(v, 2)[::2],
    "not masked": np.ma.array,
    "dask in xarray": dask_array,
    "dask series": dask_series,
}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
@EVERY_ENTRY
def test_kinds_of_arrays(call: Callable[..., Any], make: Callable[[Any], Any]) -> None:
    x, count = call(make(T), make(Y), make(SIGMA))
    right, _ = call(T, Y, SIGMA)
    np.testing.assert_allclose(x, right, rtol=1e-7)
    assert count == T.size


def nullable(dtype: str) -> Callable[[Any], Any]:
    def make(values: Any) -> Any:
        if "pyarrow" in dtype:
            pytest.importorskip("pyarrow")
        series = pd.Series(values, dtype=dtype)
        series[GONE] = pd.NA
        return series

    return make


HOLES: dict[str, Callable[[Any], Any]] = {
    "nullable": nullable("Float64"),
    "nullable array": lambda v: nullable("Float64")(v).array,
    "pyarrow": nullable("float64[pyarrow]"),
    "masked": lambda v: np.ma.array(v, mask=HOLE),
    "hard mask": lambda v: np.ma.array(v, mask=HOLE, hard_mask=True),
}


@pytest.mark.parametrize("make", HOLES.values(), ids=HOLES)
@EVERY_ENTRY
def test_missing_entries(call: Callable[..., Any], make: Callable[[Any], Any]) -> None:
    right, _ = call(T[~HOLE], Y[~HOLE], SIGMA[~HOLE])
    for data in ((make(T), Y, SIGMA), (T, make(Y), SIGMA), (T, Y, make(SIGMA))):
        x, count = call(*data)
        assert count == T.size - 1
        np.testing.assert_allclose(x, right, rtol=1e-6)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "categories": (lambda: pd.Series(Y).astype("category"), r"column\.astype\(float\)"),
    "texts": (lambda: pd.Series(list(map(str, Y)), dtype="string"), r"pandas\.to_numeric"),
    "time zone": (
        lambda: pd.Series(pd.date_range("2020", periods=T.size, tz="Europe/Berlin")),
        "give numbers, such as the seconds since",
    ),
    "durations": (lambda: pd.Series(pd.to_timedelta(T, unit="s")), r"such as t / numpy"),
    "decimals": (
        lambda: pd.Series([Decimal(str(v)) for v in Y]),
        r"array\.astype\(float\) of other objects",
    ),
}


@pytest.mark.parametrize(("make", "match"), REFUSED.values(), ids=REFUSED)
@EVERY_ENTRY
def test_refused(call: Callable[..., Any], make: Callable[[], Any], match: str) -> None:
    with pytest.raises(TypeError, match=rf"^y(data)? must be real numbers; it is .*{match}"):
        call(T, make(), None)
    with pytest.raises(TypeError, match=rf"^sigma must be real numbers; it is .*{match}"):
        call(T, Y, make())


@pytest.mark.parametrize("call", [by_fit, ENTRIES["model"], by_stack, ENTRIES["CurveBlocks"]])
def test_categories_are_no_times(call: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=r"must be real numbers; it is .*categor"):
        call(pd.Series(T).astype("category"), Y, None)


TABLES: dict[str, Callable[[], Any]] = {
    "records": lambda: np.rec.fromarrays([T, Y], names="time,counts"),
    "fields": lambda: np.array(
        list(zip(T, Y, strict=True)), dtype=[("time", "f8"), ("counts", "f8")]
    ),
    "pyarrow": lambda: pytest.importorskip("pyarrow").table({"time": T, "counts": Y}),
    "dask": lambda: pytest.importorskip("dask.dataframe").from_pandas(
        pd.DataFrame({"time": T, "counts": Y}), npartitions=2
    ),
    "dask in a Dataset": lambda: (
        pytest.importorskip("xarray")
        .Dataset({"counts": ("t", Y), "time": ("t", T)})
        .chunk({"t": 10} if pytest.importorskip("dask") else None)
    ),
}


@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
def test_tables(make: Callable[[], Any]) -> None:
    found = lmoo.fit("a*exp(-b*time) + c", data=make(), y="counts")
    np.testing.assert_allclose(found.x, lmoo.fit("a*exp(-b*t) + c", T, Y).x, rtol=1e-6)


def test_a_masked_record_is_left_out() -> None:
    table = TABLES["fields"]()
    masked = np.ma.array(table, mask=[(False, bool(k == GONE)) for k in range(T.size)])
    assert lmoo.fit("a*exp(-b*time) + c", data=masked, y="counts").observations == T.size - 1


def test_coordinates_that_differ() -> None:
    xr = pytest.importorskip("xarray")
    y = xr.DataArray(Y, dims="t", coords={"t": T})
    for name in ("t", "sigma"):
        given = {"t": y["t"], "sigma": None}
        given[name] = xr.DataArray(SIGMA, dims="t", coords={"t": T[::-1]})
        for data, entry in ((y, lmoo.CurveProblem), (xr.concat([y, y], "p"), lmoo.curve_fit_many)):
            more = {} if entry is lmoo.CurveProblem else {"p0": TRUE}
            with pytest.raises(ValueError, match=f"^{name} and y must have the same coordinates"):
                entry(decay, given["t"], data, sigma=given["sigma"], **more)


@pytest.mark.parametrize("sigma", [SIGMA * (1 - 2j), SIGMA + 0j])
def test_a_complex_sigma_has_two_positive_parts(sigma: Any) -> None:
    for y in (Y * (1 + 0.5j), list(Y * (1 + 0.5j))):
        with pytest.raises(ValueError, match=r"^sigma must be .* index 0 of its imaginary"):
            lmoo.CurveProblem(decay, T, y, sigma)


def test_a_covariance_is_no_sigma_of_a_stack() -> None:
    for call in (by_stack, ENTRIES["model"]):
        with pytest.raises(ValueError, match=r"have shape \(30,\).* \(30, 30\)"):
            call(T, Y, np.diag(SIGMA**2))


def test_errors_of_points_that_are_missing_in_curvefit() -> None:
    """xarray's curvefit with sigma among its options."""
    xr = pytest.importorskip("xarray")
    from lmoo.integrations.xarray import curvefit

    y = xr.DataArray(np.stack([Y, np.where(HOLE, np.nan, Y)]), dims=("p", "t"), coords={"t": T})
    start = {"a": 2.0, "b": 1.0, "c": 0.4}

    def function(t: Any, a: Any, b: Any, c: Any) -> Any:
        return decay(t, a, b, c)

    found = curvefit(y, "t", function, p0=start, kwargs={"sigma": SIGMA}).curvefit_coefficients
    for curve, kept in zip(found, (~np.zeros(T.size, bool), ~HOLE), strict=True):
        right = lmoo.curve_fit(decay, T[kept], Y[kept], START, SIGMA[kept])[0]
        np.testing.assert_allclose(curve, right, rtol=1e-6)
    # NaN in sigma is missing too.
    gone = curvefit(
        y[:1], "t", function, p0=start, kwargs={"sigma": np.where(HOLE, np.nan, SIGMA)}
    ).curvefit_coefficients
    np.testing.assert_allclose(gone[0], found[1], rtol=1e-6)
