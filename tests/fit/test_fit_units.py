"""Quantities of astropy and pint: data, starting values, bounds and priors with units."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fit_cases import SIGMA, T, Y
from units_cases import TAU, TEXT, A, C, astropy, model, untraced

import lmoo
from lmoo.problems.units import package_of


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
