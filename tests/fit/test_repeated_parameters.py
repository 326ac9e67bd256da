"""Starting values of models in which a parameter occurs more than once, in any units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lmoo

Array = Any
X = np.linspace(0.1, 9.0, 60)
PEAK = 3.0 * np.exp(-((X - 3.4) ** 2) / (2 * 0.6**2))
LINE = 3.0 / (1 + ((X - 3.4) / 0.6) ** 2)

# A text, what its values are where x has the unit 1, and the text in which nothing is repeated.
CASES: dict[str, tuple[str, Array, str]] = {
    "width": ("a*exp(-(x-m)**2/(2*s*s))", PEAK, "a*exp(-(x-m)**2/(2*s**2))"),
    "location": ("a*exp(-(x-m)*(x-m)/(2*s*s))", PEAK, "a*exp(-(x-m)**2/(2*s**2))"),
    "quotients": ("a*exp(-(x-m)/s*(x-m)/s/2)", PEAK, "a*exp(-(x-m)**2/(2*s**2))"),
    "Lorentz": ("a*s*s/((x-m)**2 + s*s)", LINE, "a*s**2/((x-m)**2 + s**2)"),
    "half width": ("a/(1 + (x-m)**2/(s*s))", LINE, "a/(1 + (x-m)**2/s**2)"),
    "Hill": ("a*x*x/(k*k + x*x)", 5 * X**2 / (4 + X**2), "a*x**2/(k**2 + x**2)"),
    "cube": ("a/(1 + b*b*b*x*x*x)", 3 / (1 + 0.1 * X**3), "a/(1 + b**3*x**3)"),
}


def noisy(y: Array) -> Array:
    return y + 0.01 * np.ptp(y) * np.random.default_rng(8).standard_normal(y.size)


@pytest.mark.parametrize("scales", [(1.0, 1.0), (1e-9, 1e12), (1e6, 1e-12)])
@pytest.mark.parametrize("name", CASES)
@pytest.mark.slow
def test_a_repeated_factor_is_a_power(name: str, scales: tuple[float, float]) -> None:
    text, curve, once = CASES[name]
    x, y = X * scales[0], noisy(curve) * scales[1]
    result, expected = lmoo.fit(text, x, y), lmoo.fit(once, x, y)
    assert result.success
    assert result.cost == pytest.approx(expected.cost, rel=1e-9)
    order = [expected.parameter_names.index(one) for one in result.parameter_names]
    np.testing.assert_allclose(np.abs(result.x), np.abs(expected.x[order]), rtol=1e-5)


@pytest.mark.parametrize("offset", [0.0, 6555.0, 1e5])
@pytest.mark.slow
def test_two_peaks_far_from_zero(offset: float) -> None:
    def peaks(x: Any, a: Any, m: Any, s: Any, A: Any, M: Any, S: Any) -> Any:
        return a * np.exp(-((x - m) ** 2) / (2 * s * s)) + A * np.exp(-((x - M) ** 2) / (2 * S * S))

    x = np.linspace(0.0, 9.0, 91) + offset
    true = (0.024, 3.4 + offset, 0.39, 0.01, 5.2 + offset, 0.37)
    y = peaks(x, *true) + 1e-4 * np.random.default_rng(4).standard_normal(x.size)
    found = np.sort(np.abs(lmoo.fit(peaks, x, y).x.reshape(2, 3)), axis=0)
    np.testing.assert_allclose(found, np.sort(np.reshape(true, (2, 3)), axis=0), rtol=0.05)


@pytest.mark.parametrize("scales", [(1.0, 1.0), (1e-6, 1e9)])
def test_a_place_that_determines_no_magnitude(scales: tuple[float, float]) -> None:
    # Development of insects at a temperature (Logan 1976): the highest one is in two terms.
    t = np.array([12.0, 15.0, 18.0, 20.0, 22.0, 24.0, 26.0, 28.0, 30.0, 31.0])
    model = lmoo.Expression("h*(exp(r*t) - exp(r*u - (u - t)/d)) + c")
    y = model(t, 1.0, 0.144, 31.95, 6.94, -0.013)
    y += 0.01 * np.random.default_rng(0).standard_normal(t.size)
    result = lmoo.fit(model, t * scales[0], y * scales[1])
    least = lmoo.fit(model, t, y, p0=[1.0, 0.144, 31.95, 6.94, -0.013]).cost
    assert result.success
    assert result.cost <= 1.01 * least * scales[1] ** 2


def test_parameters_that_are_one_have_a_fit_and_no_errors() -> None:
    t = np.linspace(0.0, 4.0, 20)
    y = 2.5 * np.exp(-1.3 * t) + 0.5 + 0.01 * np.cos(9 * t)
    for text, free in (("a*x*b + c*t", "c"), ("a*exp(b)*exp(-c*t) + d", "cd")):
        result = lmoo.fit(text, t, y)
        known = np.isfinite(result.stderr)
        assert result.success
        assert [
            n for n, is_known in zip(result.parameter_names, known, strict=True) if is_known
        ] == [*free]
