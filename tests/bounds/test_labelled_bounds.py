"""Starting values, bounds and fixed values in series and labelled arrays go by their names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lmoo

pandas = pytest.importorskip("pandas")
xarray = pytest.importorskip("xarray")
T = np.linspace(0.0, 5.0, 20)
Y = 1.5 * np.exp(-0.7 * T) + 0.01 * np.cos(9.0 * T)
LOWER, UPPER = {"b": 0.1, "a": 0.0}, {"b": 9.0, "a": 1.4}


def f(t: Any, a: Any, b: Any) -> Any:
    return a * np.exp(-b * t)


def array(values: dict[str, float]) -> Any:
    return xarray.DataArray(list(values.values()), coords={"param": list(values)}, dims="param")


@pytest.fixture(params=[pandas.Series, array])
def of(request: pytest.FixtureRequest) -> Any:
    return request.param


def fit(**options: Any) -> Any:
    return lmoo.fit(f, T, Y, **{"p0": {"a": 1.0, "b": 1.0}, **options})


def solver(p0: Any = (1.0, 1.0), **options: Any) -> Any:
    return lmoo.Solver(**options).solve(lmoo.CurveProblem(f, T, Y), p0)


def problem(p0: Any = (1.0, 1.0), **options: Any) -> Any:
    return lmoo.Solver().solve(lmoo.CurveProblem(f, T, Y, **options), p0)


def curve_fit(**options: Any) -> Any:
    return lmoo.curve_fit(f, T, Y, full_output=True, **options)


def many(p0: Any = (1.0, 1.0), **options: Any) -> Any:
    return lmoo.curve_fit_many(f, T, Y[None], p0, **options)[0]


@pytest.fixture(params=[fit, solver, problem, curve_fit, many])
def call(request: pytest.FixtureRequest) -> Any:
    def values(**options: Any) -> Any:
        found = request.param(**options)
        return np.asarray(getattr(found, "x", None) if hasattr(found, "x") else found[0])

    return values


PAIRS = {name: (LOWER[name], UPPER[name]) for name in LOWER}


def test_bounds(call: Any, of: Any) -> None:
    expected = call(bounds=PAIRS)
    assert expected[0] == 1.4
    np.testing.assert_array_equal(call(bounds=(of(LOWER), of(UPPER))), expected)
    np.testing.assert_array_equal(
        call(bounds=(-np.inf, of({"a": 1.4}))), call(bounds={"a": (None, 1.4)})
    )


def test_fixed(call: Any, of: Any) -> None:
    np.testing.assert_array_equal(call(fixed=of({"b": 0.4})), call(fixed={"b": 0.4}))


def test_starting_values(call: Any, of: Any) -> None:
    fixed = call(p0=of({"b": 0.9, "a": 0.5}), fixed=["b"])
    np.testing.assert_array_equal(fixed, call(p0=[0.5, 0.9], fixed=["b"]))
    assert fixed[1] == 0.9


def test_names_that_are_not_known(call: Any, of: Any) -> None:
    with pytest.raises(ValueError, match=r"bounds must name one of .*'c'"):
        call(bounds=(of({"a": 0.0, "c": 0.0}), np.inf))
    with pytest.raises(ValueError, match=r"fixed must name one of .*'c'"):
        call(fixed=of({"c": 1.0}))


def test_a_position_where_parameters_have_no_names(of: Any) -> None:
    problem = lmoo.FunctionProblem(lambda x: x - [3.0, 4.0])
    found = lmoo.Solver(bounds=(of(LOWER), of(UPPER))).solve(problem, [1.0, 1.0])
    np.testing.assert_allclose(found.x, [3.0, 1.4])


def test_a_bound_that_is_nan_is_refused(of: Any) -> None:
    with pytest.raises(ValueError, match=r"bounds\['a'\] must not be nan"):
        lmoo.Solver(bounds=(of({"a": np.nan}), 9.0))


def test_starting_values_of_a_stack_in_a_labelled_array() -> None:
    p0 = np.array([[0.9, 0.5], [0.8, 0.6]])
    coords = {"param": ["b", "a"]}
    given = xarray.DataArray(p0, coords=coords, dims=("curve", "param"))
    found = lmoo.curve_fit_many(f, T, np.stack([Y, Y]), given, fixed=["b"])
    np.testing.assert_array_equal(found.x[:, 1], [0.9, 0.8])


def test_bounds_with_units() -> None:
    u = pytest.importorskip("astropy.units")
    sides = [
        pandas.Series({"b": b / (60 * u.min), "a": a * 1000 * u.mV}, dtype=object)
        for b, a in ((3600 * 0.1, 0.0), (3600 * 9.0, 1.4))
    ]
    found = lmoo.fit(f, T * u.s, Y * u.V, p0={"a": 1.0, "b": 1.0}, bounds=tuple(sides))
    np.testing.assert_allclose(found.upper, [1.4, 9.0])
    np.testing.assert_allclose(found.lower, [0.0, 0.1])
