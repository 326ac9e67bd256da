"""Temperatures, whose units have different zeros, and logarithmic units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fit_cases import SIGMA, T, Y
from units_cases import TEXT, assert_known, astropy, model, registry

import lmoo


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
    with pytest.raises(ValueError, match=r"p0\['a'\] is in K, and the parameter in °C, whose zero"):
        lmoo.fit(TEXT, T, celsius, {"a": quantity(3.0, "kelvin")})
    assert lmoo.fit(TEXT, T, celsius, {"a": quantity(3.0, "degC")}).success


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
