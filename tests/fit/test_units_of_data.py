"""Units of columns, of labelled arrays and of covariances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fit_cases import SIGMA, T, Y
from units_cases import TEXT, assert_known, astropy, model

import lmoo


def test_curves_of_a_stack_have_labels() -> None:
    pandas = pytest.importorskip("pandas")
    fits = lmoo.curve_fit_many(
        model, pandas.Series(T, name="time"), astropy.Quantity([Y, Y], "V"), [2.0, 1.0, 0.4]
    )
    assert fits[1].problem.labels == ("time", "y (V)")


@pytest.mark.parametrize("kind", ["Table", "QTable"])
def test_units_of_columns_of_astropy(kind: str) -> None:
    table = pytest.importorskip("astropy.table")
    columns = {
        "t": table.Column(T, unit="s"),
        "y": table.Column(Y, unit="V"),
        "err": table.MaskedColumn(1e3 * SIGMA, unit="mV"),
    }
    data = getattr(table, kind)(table.Table(columns))
    start = {"tau": astropy.Quantity(900.0, "ms")}
    result = lmoo.fit(TEXT, data=data, y="y", sigma="err", absolute_sigma=True)
    assert_known(result)
    assert result.problem.labels == ("t (s)", "y (V)")
    assert set(result.units) == {"a", "tau", "c"}
    assert_known(lmoo.fit(TEXT, data["t"], data["y"], start, data["err"], absolute_sigma=True))
    hidden = table.MaskedColumn(1e3 * SIGMA, unit="mV", mask=np.arange(T.size) == 3)
    found = lmoo.CurveProblem(model, data["t"], data["y"], hidden)
    np.testing.assert_allclose(found.sigma, np.delete(SIGMA, 3))


def labelled(values: Any, unit: str, **more: Any) -> Any:
    xarray = pytest.importorskip("xarray")
    return xarray.DataArray(values, dims="t", attrs={"units": unit}, **more)


def of_series(values: Any, unit: str, **more: Any) -> Any:
    series = pytest.importorskip("pandas").Series(values, **more)
    series.attrs["units"] = unit
    return series


@pytest.mark.parametrize("make", [labelled, of_series])
def test_units_that_are_texts(make: Callable[..., Any]) -> None:
    """Those of labelled arrays and of series: sigma is converted to the unit of y."""
    t, y, err = make(T, "s"), make(Y, "V", name="volts"), make(1e3 * SIGMA, "mV")
    result = lmoo.fit(TEXT, t, y, sigma=err, absolute_sigma=True)
    assert_known(result)
    assert result.problem.labels == ("t (s)", "volts (V)")
    assert_known(
        lmoo.fit(TEXT, t, y, sigma=astropy.Quantity(1e3 * SIGMA, "mV"), absolute_sigma=True)
    )
    assert_known(lmoo.fit(TEXT, t, astropy.Quantity(Y, "V"), sigma=err, absolute_sigma=True))
    stack = lmoo.curve_fit_many(model, t, [y, y], [2, 1, 0], sigma=err, absolute_sigma=True)
    known = lmoo.fit(TEXT, T, Y, sigma=SIGMA, absolute_sigma=True)
    np.testing.assert_allclose(stack.stderr, [known.stderr] * 2, rtol=1e-5)
    # Starting values are quantities: the parameters have units.
    found = lmoo.fit(TEXT, t, y, {"tau": astropy.Quantity(900.0, "ms")})
    assert found.quantities["tau"].value.to_value("ms") == pytest.approx(1e3 * found["tau"].value)
    # Equal texts are one unit, whatever they say.
    found = lmoo.CurveProblem(model, t, make(Y, "adu per tick"), make(SIGMA, "adu per tick"))
    np.testing.assert_array_equal(found.sigma, SIGMA)
    for unit, match in (
        ("s", "sigma is in s, which cannot be converted to V, the unit of y"),
        ("adu per tick", "adu per tick, which cannot be converted to V, .*: texts are units where"),
    ):
        with pytest.raises(ValueError, match=match):
            lmoo.CurveProblem(model, t, y, make(SIGMA, unit))


def test_quantities_among_objects(q: Any) -> None:
    pandas = pytest.importorskip("pandas")
    t, y = ([q(v, unit) for v in values] for values, unit in ((T, "s"), (Y, "V")))
    err = [q(v, "mV") for v in 1e3 * SIGMA]
    for make in (pandas.Series, lambda v: np.fromiter(v, dtype=object), list):
        result = lmoo.fit(TEXT, make(t), make(y), sigma=make(err), absolute_sigma=True)
        assert_known(result)
        assert set(result.units) == {"a", "tau", "c"}


def test_covariances_with_units(q: Any) -> None:
    t, y, m = q(T, "s"), q(Y, "V"), T.size
    own = np.tile([[[0.25]]], (m, 1, 1))
    found = lmoo.CurveProblem(model, t, y, sigma_x=q(1e6 * own, "ms**2"))
    np.testing.assert_allclose(found.errors_in_x.roots.ravel(), np.full(m, 0.5))
    both = np.tile([[0.25, 0.1], [0.1, 0.5]], (m, 1, 1))
    same = lmoo.CurveProblem(model, q(T, "V"), y, sigma_x=q(1e6 * both, "mV**2"))
    expected = lmoo.CurveProblem(model, T, Y, sigma_x=both)
    for one, other in zip(same.errors_in_x, expected.errors_in_x, strict=True):
        np.testing.assert_allclose(one, other)
    with pytest.raises(ValueError, match="its covariances are of variables in different units"):
        lmoo.CurveProblem(model, t, y, sigma_x=q(both, "s**2"))
    parts = np.diag(np.concatenate([SIGMA, 2 * SIGMA]) ** 2)
    found = lmoo.CurveProblem(model, t, q(Y * (1 + 1j), "V"), q(1e6 * parts, "mV**2"))
    np.testing.assert_allclose(found.sigma, parts)

    def plane(t: Any, a: float, b: float) -> Any:
        return a * t[0] + b * t[1]

    two = np.stack([np.full(m, 0.5), np.full(m, 0.25)])
    u, v = q(T, "s"), q(T**2, "min")
    for sigma_x in (
        q(1e3 * two, "ms"),
        (q(500.0, "ms"), q(250.0 * np.ones(m), "ms")),
    ):
        found = lmoo.CurveProblem(plane, (u, v), y, sigma_x=sigma_x)
        roots = np.diagonal(found.errors_in_x.roots, axis1=1, axis2=2).T
        np.testing.assert_allclose(roots, [two[0], two[1] / 60])
    found = lmoo.CurveProblem(plane, (u, v), y, sigma_x=q(500.0, "ms"))
    np.testing.assert_allclose(found.errors_in_x.roots[3], np.diag([0.5, 0.5 / 60]))


@pytest.mark.parametrize("unit", [None, "V"])
def test_a_mask_of_astropy_is_kept(unit: str | None) -> None:
    masked = pytest.importorskip("astropy.utils.masked").Masked
    hidden = np.arange(T.size) == 3
    bad = masked(np.where(hidden, 1e3, Y), mask=hidden)
    result = lmoo.fit(TEXT, T, bad if unit is None else bad << astropy.Unit(unit))
    expected = lmoo.fit(TEXT, T, np.ma.array(Y, mask=hidden))
    assert result.observations == T.size - 1
    np.testing.assert_allclose(result.x, expected.x, rtol=1e-9)
