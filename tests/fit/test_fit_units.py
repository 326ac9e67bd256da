"""Quantities of astropy and pint: data, starting values, bounds and priors with units."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from fit_cases import SIGMA, T, Y

import lmoo
from lmoo.problems.units import package_of

astropy = pytest.importorskip("astropy.units")
A, TAU, C = lmoo.fit("a*exp(-t/tau) + c", T, Y, sigma=SIGMA).x
TEXT = "a*exp(-t/tau) + c"


class Astropy:
    """Quantities of astropy."""

    def __call__(self, value: Any, unit: str) -> Any:
        return astropy.Quantity(value, unit)

    def numbers(self, value: Any, unit: str) -> Any:
        return value.to_value(unit)


@cache
def registry() -> Any:
    return pytest.importorskip("pint").UnitRegistry()


class Pint:
    """Quantities of pint."""

    def __call__(self, value: Any, unit: str) -> Any:
        return registry().Quantity(value, unit)

    def numbers(self, value: Any, unit: str) -> Any:
        return value.m_as(unit)


@pytest.fixture(params=[Astropy, Pint])
def q(request: pytest.FixtureRequest) -> Any:
    if request.param is Pint:
        registry()
    return request.param()


def model(t: Any, a: Any, tau: Any, c: Any) -> Any:
    return a * np.exp(-t / tau) + c


def untraced(t: Any, a: Any, tau: Any, c: Any) -> Any:
    """A function that cannot be traced, but can be called with quantities."""
    return np.flip(np.flip(a * np.exp(-t / tau) + c))


@pytest.mark.parametrize("f", [TEXT, model, lmoo.Expression(TEXT)], ids=["text", "def", "model"])
def test_parameters_get_the_units_of_the_model(q: Any, f: Any) -> None:
    result = lmoo.fit(f, q(T, "ms"), q(Y, "V"), sigma=q(1e3 * SIGMA, "mV"))
    np.testing.assert_allclose(result.x, [A, TAU, C], rtol=1e-6)
    found = result.quantities
    assert q.numbers(found["tau"].value, "s") == pytest.approx(1e-3 * TAU)
    assert q.numbers(found["a"].value, "mV") == pytest.approx(1e3 * A)
    assert q.numbers(found["tau"].stderr, "ms") == pytest.approx(result.stderr[1])
    assert str(found["tau"]) == f"({result['tau']}) ms"
    assert result.problem.labels == ("t (ms)", "y (V)")
    # The result itself has numbers.
    assert isinstance(result["tau"].value, float)
    at = result.predict(q([1000.0, 2000.0], "us"), interval="prediction", sigma=q(5.0, "mV"))
    for found_part, part in zip(
        at, result.predict([1.0, 2.0], interval="prediction", sigma=0.005), strict=True
    ):
        np.testing.assert_allclose(found_part, part)


def test_starting_values_bounds_and_priors_are_converted(q: Any) -> None:
    expected = lmoo.fit(
        TEXT, T, Y, {"tau": 1.0}, bounds={"tau": (0.1, 1.2)}, fixed={"c": 0.45},
        priors={"a": (2.9, 0.01)},
    )  # fmt: skip
    found = lmoo.fit(
        TEXT, q(T, "s"), q(Y, "V"), {"tau": q(1000.0, "ms")},
        bounds={"tau": (q(100.0, "ms"), q(0.02, "min"))}, fixed={"c": q(450.0, "mV")},
        priors={"a": (q(2900.0, "mV"), q(10.0, "mV"))},
    )  # fmt: skip
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-9)
    np.testing.assert_allclose(found.upper, expected.upper)
    # Numbers are in the units of the result.
    found = lmoo.fit(TEXT, q(T, "s"), q(Y, "V"), {"tau": 1.0}, bounds={"tau": (0.1, 1.2)})
    assert found["tau"].value == 1.2
    sides = ([q(0.0, "V"), 0.1, None], [q(9e3, "mV"), q(1200.0, "ms"), None])
    p0 = [q(3.0, "V"), q(1.0, "s"), 0.4]
    found = lmoo.fit(TEXT, q(T, "s"), q(Y, "V"), p0, bounds=sides)
    assert found["tau"].value == pytest.approx(1.2)
    assert found.upper.tolist() == pytest.approx([9.0, 1.2, np.inf])


def test_parameters_that_the_data_leave_open_have_the_given_units(q: Any) -> None:
    result = lmoo.fit("a*b*t", q(T, "s"), q(3.0 * T, "V"), {"a": q(2.0, "mV"), "b": 1.0},
                      fixed=["a"])  # fmt: skip
    found = result.quantities
    assert q.numbers(found["a"].value, "V") == pytest.approx(2e-3)
    assert q.numbers(found["b"].value, "1/s") == pytest.approx(1500.0)
    # Without a unit they are numbers.
    result = lmoo.fit("a*b*t", q(T, "s"), q(3.0 * T, "V"), {"a": 2.0, "b": 1.0}, fixed=["a"])
    assert result.units == {}


def test_units_that_are_products(q: Any) -> None:
    """J is N m, and 3 a number, as is an angle."""
    h = np.linspace(1.0, 2.0, 9)
    result = lmoo.fit("f*t*(1 + 0.1*sin(p))", q(h, "m"), q(3.0 * h, "J"), fixed={"p": 0.0})
    assert q.numbers(result.quantities["f"].value, "N") == pytest.approx(3.0)
    assert result.quantities["p"].value == 0.0
    result = lmoo.fit("a*t**2 + b", q(h, "m/s"), q(h**2, "m**2/s**2"))
    assert set(result.units) == {"b"}
    angle = lmoo.fit("a*sin(t + p)", q(T, "rad"), q(np.sin(T + 1.0), "V"))
    assert set(angle.units) == {"a"}


def test_several_variables_with_units(q: Any) -> None:
    u, v = T, np.cos(T)
    table = {"u": q(u, "m"), "v": q(v, "s"), "z": q(2.0 * u + 3.0 * v, "V")}
    result = lmoo.fit("a*u + b*v", data=table, y="z")
    assert q.numbers(result.quantities["a"].value, "V/m") == pytest.approx(2.0)
    assert q.numbers(result.quantities["b"].value, "V/s") == pytest.approx(3.0)
    assert result.problem.labels == ("u (m), v (s)", "z (V)")
    found = result.predict((q([100.0], "cm"), q([0.0], "s")))
    np.testing.assert_allclose(found, [2.0])


def test_built_in_models(q: Any) -> None:
    """The formula of each model has units that agree, of those that have such a formula."""
    t = np.linspace(0.1, 5.0, 40)
    numbers = {"Doniach", "LogNormal", "PowerLaw", "StudentsT", "ThermalDistribution"}
    for name in ("Gaussian", "Lorentzian", "Voigt", "Exponential", "Logistic4", "Sine", "Moffat"):
        f = getattr(lmoo.models, name)()
        y = f(t, *np.linspace(1.0, 1.5, f.n))
        start = np.linspace(1.0, 1.5, f.n)
        assert lmoo.fit(f, q(t, "s"), q(y, "V"), start).units, name
    for name in numbers:
        f = getattr(lmoo.models, name)()
        with pytest.raises(ValueError, match="the model is incompatible with t in s and y in V"):
            lmoo.fit(f, q(t, "s"), q(t, "V"), np.linspace(1.0, 1.5, f.n))


def test_functions_that_cannot_be_traced(q: Any) -> None:
    start = [q(2.0, "V"), q(1.0, "s"), q(0.4, "V")]
    result = lmoo.fit(untraced, q(T, "s"), q(Y, "V"), start, q(SIGMA, "V"))
    assert "called, because" in result.evaluation
    np.testing.assert_allclose(result.x, [A, TAU, C], rtol=1e-6)
    assert q.numbers(result.quantities["tau"].value, "ms") == pytest.approx(1e3 * TAU)
    # Without units of parameters nothing is known, and nothing is checked.
    plain = lmoo.fit(untraced, q(T, "s"), q(Y, "V"), [2.0, 1.0, 0.4])
    assert plain.units == {}
    for name, value, match in (
        (
            1,
            q(1000.0, "ms"),
            "are incompatible with t in s and y in V: f returns other numbers without",
        ),
        (1, q(1.0, "V"), "cannot be checked, as f can neither be traced nor be called"),
    ):
        wrong = list(start)
        wrong[name] = value
        with pytest.raises(ValueError, match=match):
            lmoo.fit(untraced, q(T, "s"), q(Y, "V"), wrong)
    with pytest.raises(
        ValueError, match="what f returns is a number, which cannot be converted to V"
    ):
        lmoo.fit(untraced, q(T, "s"), q(Y, "V"), [2.0, q(1.0, "s"), 0.4])
    with pytest.raises(ValueError, match="what f returns is in m, which cannot be converted to V"):
        lmoo.fit(untraced, q(T, "s"), q(Y, "V"), [q(2.0, "m"), q(1.0, "s"), q(0.4, "m")])
    with pytest.raises(ValueError, match="p0 must have all starting values where one has a unit"):
        lmoo.fit(untraced, q(T, "s"), q(Y, "V"), {"tau": q(1.0, "s")})


def test_problems_take_quantities(q: Any) -> None:
    """sigma is converted wherever data are given; t and y keep their units."""
    t, y, sigma = q(T, "s"), q(Y, "V"), q(1e3 * SIGMA, "mV")
    start = [2.0, 1.0, 0.4]
    expected = lmoo.curve_fit(model, T, Y, start, SIGMA, absolute_sigma=True)
    found = lmoo.curve_fit(model, t, y, start, sigma, absolute_sigma=True)
    np.testing.assert_allclose(found[1], expected[1])
    for problem in (
        lmoo.CurveProblem(model, t, y, sigma),
        lmoo.CurveBlocks(model, t, y, sigma=sigma),
        lmoo.Expression(TEXT) and lmoo.CurveProblem(lmoo.Expression(TEXT), t, y, sigma),
        lmoo.models.Exponential().problem(t, y, sigma),
    ):
        assert [label.split()[1] for label in problem.labels] == ["(s)", "(V)"]
        result = lmoo.Solver().solve(problem, start)
        np.testing.assert_allclose(result.covariance(scaled=False), result.covariance(False))
    covariance = lmoo.CurveProblem(model, t, y, q(np.diag(1e6 * SIGMA**2), "mV**2"))
    np.testing.assert_allclose(covariance.sigma, np.diag(SIGMA**2))
    fits = lmoo.curve_fit_many(
        model, t, q(np.stack([Y, Y]), "V"), start, sigma=sigma, absolute_sigma=True
    )
    np.testing.assert_allclose(fits.covariance[1], expected[1], rtol=1e-5)
    moved = lmoo.CurveProblem(model, t, y, sigma, sigma_x=q(2.0, "ms"))
    np.testing.assert_allclose(moved.errors_in_x.roots.ravel(), np.full(T.size, 0.002))
    many = lmoo.fit(TEXT, [q(v, "s") for v in T], [q(v, "V") for v in Y])
    assert set(many.units) == {"a", "tau", "c"}


REFUSED: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (
        lambda q: lmoo.fit(TEXT, q(T, "s"), q(Y, "V"), sigma=q(0.1, "s")),
        ValueError,
        "sigma is in s, which cannot be converted to V, the unit of y",
    ),
    (
        lambda q: lmoo.CurveProblem(model, T, Y, q(0.1, "V")),
        ValueError,
        "sigma is in V, but y has no unit",
    ),
    (
        lambda q: lmoo.fit(TEXT, q(T, "s"), q(Y, "V"), {"tau": q(1.0, "m")}),
        ValueError,
        "tau is given in m, but the model needs s, with t in s and y in V",
    ),
    (
        lambda q: lmoo.fit("a*exp(-t) + c", q(T, "s"), q(Y, "V")),
        ValueError,
        r"the model is incompatible with t in s and y in V: in exp\(-t\), s would have to be 1",
    ),
    (
        lambda q: lmoo.fit("a + t", q(T, "ms"), q(Y, "s")),
        ValueError,
        "incompatible with t in ms and y in s: in its value, ms / s would have to be 1",
    ),
    (
        lambda q: lmoo.fit("a*t + 2", q(T, "s"), q(Y, "V")),
        ValueError,
        "the model is incompatible with t in s and y in V",
    ),
    (
        lambda q: lmoo.fit(TEXT, q(T, "s"), q(Y, "V"), bounds={"a": (q(1.0, "s"), None)}),
        ValueError,
        "a is given in s, but the model needs V",
    ),
    (
        lambda q: lmoo.fit(TEXT, T, Y, {"tau": q(1.0, "s")}),
        ValueError,
        "tau is given in s, but the model needs a number, with t in numbers and y in numbers",
    ),
    (
        lambda q: lmoo.curve_fit(model, q(T, "s"), q(Y, "V"), [q(1.0, "V"), 1.0, 1.0]),
        TypeError,
        "p0 must be numbers without units; it is in V: lmoo.fit takes quantities",
    ),
    (
        lambda q: lmoo.Solver().solve(lmoo.CurveProblem(model, T, Y), q([1.0, 1.0, 1.0], "V")),
        TypeError,
        "x0 must be numbers without units; it is in V",
    ),
    (
        lambda q: lmoo.fit(TEXT, q(T, "s"), q(Y, "V")).predict(q([1.0], "m")),
        ValueError,
        "t is in m, which cannot be converted to s, the unit of t of the data",
    ),
]


@pytest.mark.parametrize(("call", "error", "match"), REFUSED)
def test_refused(q: Any, call: Callable[[Any], Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call(q)


def test_units_of_two_packages() -> None:
    pint = pytest.importorskip("pint")
    with pytest.raises(ValueError, match="sigma is in V, which cannot be converted to V, the unit"):
        lmoo.fit(TEXT, T, astropy.Quantity(Y, "V"), sigma=pint.UnitRegistry().Quantity(0.1, "V"))


@pytest.mark.parametrize("f", [TEXT, lambda t, a, tau, c: a * np.exp(-t / tau) + c])
def test_stored_results_keep_units_and_r_squared(q: Any, f: Any) -> None:
    result = lmoo.fit(f, q(T, "s"), q(Y, "V"), p0=[1.0, 1.0, 1.0])
    shown = {name: str(value) for name, value in result.quantities.items()}
    assert "V" in shown["a"]
    again = [
        pickle.loads(pickle.dumps(result)),
        pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(result)))),
        lmoo.Result.from_dict(result.to_dict()),
        lmoo.Result.from_dict(json.loads(result.to_json())),
    ]
    for other in again:
        assert {name: str(value) for name, value in other.quantities.items()} == shown
        assert package_of(other.units["a"]) == package_of(result.units["a"]) is not None
        assert other.report() == result.report()
        assert other.r_squared == result.r_squared
        assert other.to_json() == result.to_json()
    assert "R squared" in result.report()


def test_units_whose_package_is_not_known_are_texts() -> None:
    result = lmoo.fit(TEXT, astropy.Quantity(T, "s"), astropy.Quantity(Y, "V"))
    stored = {**result.to_dict(), "units_of": "another"}
    found = lmoo.Result.from_dict(stored)
    assert found.units == {"a": "V", "tau": "s", "c": "V"}
    assert found.report() == result.report()
    for wrong in ({"units": 3}, {"units": {"a": 3}}, {"units_of": 3}, {"r_squared": "high"}):
        with pytest.raises(ValueError, match="stored must be"):
            lmoo.Result.from_dict({**stored, **wrong})


def test_nothing_is_imported() -> None:
    code = (
        "import sys, lmoo; lmoo.fit('a*t', [1.0, 2.0, 3.0], [2.0, 4.0, 6.1]); "
        "print(sorted({'astropy', 'pint', 'pandas', 'xarray'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout.strip() == "[]", found.stderr


def test_curves_of_a_stack_have_labels() -> None:
    pandas = pytest.importorskip("pandas")
    fits = lmoo.curve_fit_many(
        model, pandas.Series(T, name="time"), astropy.Quantity([Y, Y], "V"), [2.0, 1.0, 0.4]
    )
    assert fits[1].problem.labels == ("time", "y (V)")


def assert_known(result: lmoo.Result) -> None:
    """Compare with the fit of numbers, whose errors depend on the unit of sigma."""
    expected = lmoo.fit(TEXT, T, Y, sigma=SIGMA, absolute_sigma=True)
    np.testing.assert_allclose(result.x, expected.x, rtol=1e-6)
    np.testing.assert_allclose(result.stderr, expected.stderr, rtol=1e-6)


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


def test_errors_of_temperatures_are_differences() -> None:
    quantity = pytest.importorskip("pint").UnitRegistry().Quantity
    celsius = quantity(Y, "degC")
    for sigma in (
        quantity(SIGMA, "degC"),
        quantity(SIGMA, "kelvin"),
        quantity(1e3 * SIGMA, "millikelvin"),
        quantity(1.8 * SIGMA, "delta_degF"),
        quantity(np.diag(SIGMA**2), "kelvin**2"),
    ):
        assert_known(lmoo.fit(TEXT, T, celsius, sigma=sigma, absolute_sigma=True))
    for sigma in (astropy.Quantity(SIGMA, "deg_C"), astropy.Quantity(SIGMA, "K")):
        found = lmoo.fit(TEXT, T, astropy.Quantity(Y, "deg_C"), sigma=sigma, absolute_sigma=True)
        assert_known(found)
    moved = lmoo.CurveProblem(model, celsius, Y, sigma_x=quantity(0.5, "kelvin"))
    np.testing.assert_allclose(moved.errors_in_x.roots.ravel(), np.full(T.size, 0.5))
    with pytest.raises(ValueError, match="different zeros: give it in Δ°C"):
        lmoo.fit(TEXT, T, celsius, sigma=quantity(SIGMA, "degF"))
    # Whether a parameter is a temperature or a difference of two is not known.
    with pytest.raises(ValueError, match=r"p0\['p'\] is in K, and the parameter in °C, whose zero"):
        lmoo.fit("p + c + b*t", T, celsius, {"p": quantity(3.0, "kelvin")})
    assert lmoo.fit(TEXT, T, celsius, {"a": quantity(3.0, "degC")}).success


DIFFERENCES: dict[str, tuple[str, str, str, dict[str, int]]] = {
    # Text, units of t and y, and the weights of the parameters in these.
    "decay": ("a*exp(-t/u) + c", "s", "degC", {"a": 0, "c": 1}),
    "peak": ("h*exp(-((t - m)/w)**2) + b", "degC", "V", {"m": 1, "w": 0}),
    "step": ("low + (top - low)/(1 + exp(-(t - m)/w))", "s", "degC", {"low": 1, "top": 1}),
    "two kinds": ("c + h*exp(-((t - m)/w)**2)", "degC", "degC", {"c": 1, "h": 0, "m": 1, "w": 0}),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_differences_of_temperatures_are_told_from_temperatures(name: str) -> None:
    """Amplitudes and widths are differences, offsets and places are temperatures."""
    text, of_t, of_y, weights = DIFFERENCES[name]
    model = lmoo.Expression(text)
    true = dict(zip(model.parameter_names, [3.0, 1.1, 0.5, 0.8], strict=False))
    t = np.linspace(0.0, 4.0, 30)
    y = model(t, *true.values())
    quantity = registry().Quantity
    pint_units = {0: "delta_degC", 1: "degC"}
    found = lmoo.fit(model, quantity(t, of_t), quantity(y, of_y), p0=true)
    np.testing.assert_allclose(found.x, list(true.values()), rtol=1e-6)
    for parameter, weight in weights.items():
        assert found.units[parameter] == registry().Unit(pint_units[weight])
        label = "Δ°C" if weight == 0 else "°C"
        assert f" {label} " in next(
            line for line in found.report().splitlines() if line.startswith(f"  {parameter} ")
        )
    differences = [parameter for parameter, weight in weights.items() if weight == 0]
    for unit in ("kelvin", "degC"):
        start = {parameter: quantity(true[parameter], unit) for parameter in differences}
        again = lmoo.fit(model, quantity(t, of_t), quantity(y, of_y), p0={**true, **start})
        np.testing.assert_allclose(again.x, found.x, rtol=1e-9)
    celsius = {"degC": "deg_C"}
    of_astropy = (
        astropy.Quantity(t, celsius.get(of_t, of_t)),
        astropy.Quantity(y, celsius.get(of_y, of_y)),
    )
    other = lmoo.fit(model, *of_astropy, p0=true)
    for parameter, weight in weights.items():
        assert other.units[parameter] == (astropy.K if weight == 0 else astropy.deg_C)
    stored = lmoo.Result.from_dict(found.to_dict())
    assert stored.report() == found.report()


def test_the_sigma_of_a_prior_is_a_difference() -> None:
    quantity = registry().Quantity
    y = quantity(3.0 * np.exp(-T) + 20.0, "degC")
    sigma = quantity(0.1, "kelvin")
    found = lmoo.fit(
        "a*exp(-b*t) + c", T, y, sigma=sigma, priors={"c": (quantity(21.0, "degC"), sigma)}
    )
    plain = lmoo.fit("a*exp(-b*t) + c", T, y.m, sigma=0.1, priors={"c": (21.0, 0.1)})
    np.testing.assert_allclose(found.x, plain.x, rtol=1e-9)


def test_a_model_of_the_numbers_of_temperatures_keeps_their_unit() -> None:
    """Where it would matter what the zero is, no parameter is called a difference."""
    y = registry().Quantity(3.0 * np.exp(-T), "degC")
    assert lmoo.fit("a*exp(-b*t)", T, y).units["a"] == registry().Unit("degC")


def test_logarithmic_units_are_refused() -> None:
    for call in (
        lambda: lmoo.fit(TEXT, T, astropy.Magnitude(Y)),
        lambda: lmoo.CurveProblem(model, astropy.Magnitude(T), Y),
    ):
        with pytest.raises(TypeError, match=r"mag has a scale of its own.*: give the numbers"):
            call()


def test_a_sigma_in_a_unit_with_another_zero_is_refused() -> None:
    quantity = pytest.importorskip("pint").UnitRegistry().Quantity
    kelvin, celsius = quantity(Y, "kelvin"), quantity(np.full(T.size, 0.1), "degC")
    with pytest.raises(ValueError, match="different zeros"):
        lmoo.fit(TEXT, T, kelvin, sigma=celsius)


@pytest.mark.parametrize("rate", ["delta_degC/s", "delta_degC/min", "K/s", "K/min", "degC/s"])
def test_a_rate_of_temperatures_is_one_of_differences(rate: str) -> None:
    """With y in degrees Celsius an offset is in these, and a rate in their differences."""
    t = np.linspace(0.0, 5.0, 9)
    of = registry().Quantity
    slope = 60.0 if rate.endswith("min") else 1.0
    low, start, high = (of(slope * value, rate) for value in (0.0, 0.4, 9.0))

    def fit(**options: Any) -> lmoo.Result:
        y = of(20.0 + 0.5 * t, "degC")
        return lmoo.fit(lambda t, a, b: a + b * t, of(t, "s"), y, **options)

    p0 = {"a": of(19.0, "degC"), "b": start}
    found = fit(p0=p0, bounds={"b": (low, high)}, priors={"b": (start, high)})
    np.testing.assert_allclose(found.x, [20.0, 0.5], rtol=1e-2)
    np.testing.assert_allclose(found.upper[1], 9.0)
    assert found.units["a"] == registry().Unit("degC")
    assert found.units["b"] == registry().Unit("delta_degC/s")
    np.testing.assert_allclose(fit(fixed={"b": start}).x[1], 0.4)
    again = lmoo.Result.from_dict(found.to_dict())
    assert again.report() == found.report()
    with pytest.raises(ValueError, match="b is given in m / s, but the model needs"):
        fit(p0={"b": of(1.0, "m/s")})


def test_a_rate_of_temperatures_of_astropy_is_in_kelvin() -> None:
    t = np.linspace(0.0, 5.0, 9)
    y = astropy.Quantity(20.0 + 0.5 * t, "deg_C")
    start = {"a": astropy.Quantity(19.0, "deg_C"), "b": astropy.Quantity(24.0, "K/min")}
    found = lmoo.fit("a + b*t", astropy.Quantity(t, "s"), y, p0=start)
    np.testing.assert_allclose(found.x, [20.0, 0.5])
    assert found.units == {"a": astropy.deg_C, "b": astropy.K / astropy.s}


def test_conversions_that_pint_refuses_name_the_argument() -> None:
    of = registry().Quantity
    y = of(np.arange(4.0), registry().Unit("degC") / registry().Unit("s"))
    with pytest.raises(ValueError, match=r"sigma is in K / s, which cannot be converted to °C / s"):
        lmoo.fit("a*t", np.arange(4.0), y, sigma=of(1.0, "K/s"))
