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


TABLE = pandas.DataFrame({"lower": LOWER, "upper": UPPER})


@pytest.mark.parametrize(
    "table",
    [
        TABLE,
        TABLE[["upper", "lower"]],
        TABLE.rename(columns={"lower": "min", "upper": "max"}),
        TABLE.rename(columns={"lower": "lb", "upper": "ub"}).iloc[::-1],
        TABLE.T,
    ],
    ids=["lower", "columns", "min", "lb", "transposed"],
)
def test_bounds_in_a_table(call: Any, table: Any) -> None:
    np.testing.assert_array_equal(call(bounds=table), call(bounds=PAIRS))


@pytest.mark.parametrize(
    ("table", "match"),
    [
        (TABLE.rename(columns={"upper": "top"}), "lower.*or.*'min'.*; its columns are"),
        (TABLE.assign(value=1.0), r"take these, as table\[\['lower', 'upper'\]\]"),
        (TABLE.reset_index(drop=True), "must have the names of the parameters; it has"),
        (pandas.DataFrame({"lower": [0, 1], "upper": [1, 2]}, ["min", "max"]), "its rows"),
        (TABLE.rename(index={"b": "c"}), "must name one of .*'c'"),
        (TABLE.replace(0.0, np.nan), r"bounds\['a'\] must not be nan"),
    ],
    ids=["top", "value", "names", "two ways", "unknown", "nan"],
)
def test_tables_that_are_not_clear(call: Any, table: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call(bounds=table)


SCALES = {"b": 3.0, "a": 0.25}


@pytest.mark.parametrize("make", [pandas.Series, array, dict])
def test_scale_factors_by_name(make: Any) -> None:
    def points(run: Any, **options: Any) -> Any:
        seen: list[Any] = []

        def watched(t: Any, a: Any, b: Any) -> Any:
            seen.append((float(a), float(b)))
            return f(t, a, b)

        run(watched, **options)
        return seen

    def by_solver(g: Any, **options: Any) -> None:
        lmoo.Solver(**options).solve(lmoo.CurveProblem(g, T, Y, trace=False), [1.0, 1.0])

    def by_curve_fit(g: Any, **options: Any) -> None:
        lmoo.curve_fit(g, T, Y, [1.0, 1.0], trace=False, **options)

    order = [SCALES["a"], SCALES["b"]]
    for run in (by_solver, by_curve_fit):
        assert points(run, diag=make(SCALES)) == points(run, diag=order)
        assert points(run, diag=make(SCALES)) != points(run, diag=order[::-1])
    assert points(by_curve_fit, x_scale=make(SCALES)) == points(by_curve_fit, x_scale=order)
    with pytest.raises(ValueError, match=r"diag must have a value for each .* none for b"):
        by_solver(f, diag=make({"a": 1.0}))
    with pytest.raises(ValueError, match=r"diag\['a'\] must be positive"):
        lmoo.Solver(diag=make({"a": -1.0, "b": 1.0}))
    with pytest.raises(TypeError, match="typical must be numbers in the order of the parameters"):
        lmoo.ForwardDifference(typical=make(SCALES))


def test_functions_of_scipy_go_by_the_labels_of_x0() -> None:
    x0, other = pandas.Series({"a": 1.0, "b": 1.0}), pandas.Series(SCALES)
    seen: list[list[float]] = []

    def residual(x: Any) -> Any:
        seen.append(list(x))
        return f(T, *x) - Y

    def points(call: Any, **options: Any) -> list[list[float]]:
        seen.clear()
        call(residual, x0, **options)
        return list(seen)

    order = [SCALES["a"], SCALES["b"]]
    assert points(lmoo.leastsq, diag=other) == points(lmoo.leastsq, diag=order)
    assert points(lmoo.least_squares, x_scale=other) == points(lmoo.least_squares, x_scale=order)
    bounds = (pandas.Series(LOWER), pandas.Series(UPPER))
    found = lmoo.least_squares(residual, x0, bounds=bounds)
    assert found.x[0] == pytest.approx(1.4)
    with pytest.raises(ValueError, match="`x_scale` must have the labels of x0, a, b; it has a, c"):
        lmoo.least_squares(residual, x0, x_scale=pandas.Series({"a": 1.0, "c": 1.0}))
