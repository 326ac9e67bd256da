"""Temperatures, whose units have different zeros, and logarithmic units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fit_cases import SIGMA, T, Y
from units_cases import TEXT, assert_known, astropy, model, registry

import lmoo


def test_errors_of_temperatures_are_differences() -> None:
    quantity = registry().Quantity
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
    quantity = registry().Quantity
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


@pytest.mark.parametrize("package", ["pint", "astropy"])
def test_a_temperature_may_be_given_on_another_scale(package: str) -> None:
    pytest.importorskip(package)
    of = astropy.Quantity if package == "astropy" else registry().Quantity
    celsius, kelvin, rate = (
        ("deg_C", "K", "1/s") if package == "astropy" else ("degC", "kelvin", "1/s")
    )
    t = of(np.linspace(0, 10, 20), "s")
    y = of(20.0 + 80.0 * np.exp(-0.3 * np.linspace(0, 10, 20)), celsius)
    given = {"T0": of(294.0, kelvin), "dT": of(70.0, kelvin), "k": of(0.2, rate)}
    found = lmoo.fit(
        "T0 + dT*exp(-k*t)",
        t,
        y,
        given,
        bounds={"T0": (of(290.0, kelvin), of(25.0, celsius))},
        priors={"T0": (of(293.15, kelvin), of(1.0, kelvin))},
    )
    np.testing.assert_allclose(found.x, [20.0, 80.0, 0.3], rtol=1e-7)
    assert found.x0 is not None
    np.testing.assert_allclose(found.x0[:2], [20.85, 70.0])
    fixed = lmoo.fit("T0 + dT*exp(-k*t)", t, y, fixed={"T0": of(293.15, kelvin)})
    np.testing.assert_allclose(fixed.x, [20.0, 80.0, 0.3], rtol=1e-7)
    with pytest.raises(ValueError, match=r"T0 is given in .*, but the model needs"):
        lmoo.fit("T0 + dT*exp(-k*t)", t, y, {"T0": of(3.0, "m")})


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
