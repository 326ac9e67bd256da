"""Starting values that the command line finds: in any units, and no frequency above the limit."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmoo
from lmoo.cli import main
from lmoo.models.starts.features import Features, fastest, frequencies, remaining, spacing
from lmoo.models.starts.given import GivenParameters
from lmoo.models.starts.oscillation import oscillation
from lmoo.models.starts.points import starting_points

Array = Any
Fit = Callable[..., dict[str, Any]]


@pytest.fixture
def fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Fit:
    """Fit an expression to a curve from the command line, with no starting values."""
    monkeypatch.chdir(tmp_path)

    def run(expression: str, x: Array, y: Array, *options: str) -> dict[str, Any]:
        rows = [f"{a!r},{b!r}" for a, b in zip(x.tolist(), y.tolist(), strict=True)]
        Path("d.csv").write_text("\n".join(["x,y", *rows]) + "\n")
        code = main(["fit", "d.csv", expression, "--json", "-", *options])
        captured = capsys.readouterr()
        assert captured.err == ""
        found: dict[str, Any] = json.loads(captured.out)
        found["code"] = code
        found |= dict(zip(found["parameter_names"], found["x"], strict=True))
        return found

    return run


def peak(x: Array, m: float, s: float) -> Array:
    return np.exp(-0.5 * ((x - m) / s) ** 2)


def line(x: Array, m: float, w: float) -> Array:
    return 1 / (1 + ((x - m) / w) ** 2)


LONG = np.linspace(0.05, 10.0, 100)
FINE = np.linspace(0.0, 10.0, 200)
DECADES = np.geomspace(0.01, 100.0, 50)

# An expression, points in units of their own, and the curve that is fitted.
CASES: dict[str, tuple[str, Array, Callable[[Array], Array]]] = {
    "decay by rate": ("a*exp(-k*x) + c", LONG, lambda x: 3 * np.exp(-1.3 * x) + 1),
    "decay by lifetime": ("a*exp(-x/tau) + c", LONG, lambda x: 3 * np.exp(-1.3 * x) + 1),
    "logarithm of a rate": ("a + b*exp(-exp(k)*x)", LONG, lambda x: 3 - np.exp(-0.6 * x)),
    "two decays": (
        "a*exp(-x/p) + b*exp(-x/q) + c",
        FINE,
        lambda x: 3 * np.exp(-x / 0.4) + 2 * np.exp(-x / 3) + 0.5,
    ),
    "rise and fall": (
        "a*(exp(-x/p) - exp(-x/q))",
        LONG,
        lambda x: 3 * (np.exp(-x / 3) - np.exp(-2 * x)),
    ),
    "stretched": ("a*exp(-(x/tau)^b) + c", LONG, lambda x: 3 * np.exp(-((x / 1.5) ** 0.6)) + 0.3),
    "Gauss": ("h*exp(-(x-m)^2/(2*s^2)) + c", FINE, lambda x: 3 * peak(x, 6.3, 0.4) + 1),
    "Gauss by area": ("a/(s*sqrt(2*pi))*exp(-0.5*((x-m)/s)^2)", FINE, lambda x: peak(x, 2, 0.3)),
    "Lorentz": ("h*w^2/((x-m)^2 + w^2) + c", FINE, lambda x: 3 * line(x, 2, 0.2) + 1),
    "dip": ("c - h/(1 + 4*((x-m)/w)^2)", FINE, lambda x: 3 - 2 * line(x, 7, 0.1)),
    "two peaks": (
        "a*exp(-((x-m)/w)^2) + b*exp(-((x-n)/v)^2) + c",
        FINE,
        lambda x: 3 * peak(x, 3, 0.3) + 2 * peak(x, 6, 0.5) + 0.5,
    ),
    "three peaks": (
        "a/(1+((x-m)/w)^2) + b/(1+((x-n)/v)^2) + c/(1+((x-o)/u)^2)",
        FINE,
        lambda x: 3 * line(x, 2, 0.3) + 2 * line(x, 5, 0.3) + line(x, 8, 0.4),
    ),
    "peak far from zero": (
        "h*exp(-((x-m)/w)^2) + c",
        FINE + 500.0,
        lambda x: 3 * peak(x, 503, 0.2) + 1,
    ),
    "resonance": (
        "a/(1 + (2*q*(x-f)/f)^2) + c",
        np.linspace(998.0, 1002.0, 200),
        lambda x: line(x, 1000.2, 0.1) + 0.05,
    ),
    "resonator": (
        "a/sqrt((x^2-f^2)^2 + (g*x)^2)",
        LONG,
        lambda x: 3 / np.hypot(x**2 - 16, 0.9 * x),
    ),
    "sigmoid": (
        "a/(1 + exp(-(x-m)/w)) + c",
        LONG,
        lambda x: 4 / (1 + np.exp(-(x - 4) / 0.6)) + 1,
    ),
    "logistic growth": (
        "k/(1 + exp(-r*(x-m)))",
        np.arange(1990.0, 2021.0),
        lambda x: 5 / (1 + np.exp(-0.4 * (x - 2006))),
    ),
    "step": ("a*tanh((x-m)/w) + c", LONG, lambda x: 2 * np.tanh((x - 3) / 0.7)),
    "Gompertz": ("a*exp(-b*exp(-k*x))", LONG, lambda x: 5 * np.exp(-4 * np.exp(-0.7 * x))),
    "Michaelis-Menten": ("v*x/(k + x)", LONG, lambda x: 5 * x / (1.3 + x)),
    "Hill": ("v*x^n/(k^n + x^n)", LONG, lambda x: 5 * x**2.3 / (2.1**2.3 + x**2.3)),
    "dose and response": ("d + (a-d)/(1 + (x/c)^b)", DECADES, lambda x: 1 + 4 / (1 + x / 2.5)),
    "saturation": ("a*(1 - exp(-x/tau))", LONG, lambda x: 3 * (1 - np.exp(-x / 1.7))),
    "power law": ("a*x^n + c", LONG, lambda x: 2 * x**1.7 + 3),
    "shifted power": ("a*(x + b)^n", LONG, lambda x: 2 * (x + 1.5) ** 0.6),
    "Arrhenius": (
        "a*exp(-q/(8.314*x))",
        np.linspace(280.0, 360.0, 25),
        lambda x: 1e6 * np.exp(-5e4 / 8.314 / x),
    ),
    "Planck": ("a/(x^5*(exp(b/x) - 1))", LONG[2:], lambda x: 5 / x**5 / np.expm1(2.4 / x)),
    "rational": (
        "(a + b*x)/(1 + c*x + d*x^2)",
        LONG,
        lambda x: (1 + 0.5 * x) / (1 + 0.2 * x + 0.1 * x * x),
    ),
    "low pass": ("a/sqrt(1 + (x/f)^2)", DECADES, lambda x: 3 / np.hypot(1, x / 2)),
    "kink": ("a + b*x + c*max(0, x-m)", LONG, lambda x: 1 + 0.3 * x + np.maximum(0, x - 4)),
    "Morse": (
        "d*(1 - exp(-a*(x-r)))^2 + c",
        LONG[7:40],
        lambda x: 5 * np.expm1(1.8 - 1.5 * x) ** 2,
    ),
    "sine": ("a*sin(2*pi*f*x + p) + c", FINE, lambda x: 2 * np.sin(4 * x + 1) + 0.5),
    "sine by period": ("a*sin(2*pi*(x-x0)/T) + c", FINE, lambda x: 2 * np.sin(4 * x + 1) + 0.5),
    "damped": (
        "a*exp(-g*x)*cos(sqrt(w^2 - g^2)*x + p)",
        FINE,
        lambda x: 2 * np.exp(-0.3 * x) * np.sin(7.3 * x + 2),
    ),
    "two sines": (
        "a*sin(w*x+p) + b*sin(2*pi*x/T+q)",
        FINE,
        lambda x: 2 * np.sin(4 * x + 1) + np.sin(7.3 * x + 2),
    ),
    "four peaks of one width": (
        "a*exp(-((x-m)/w)^2) + b*exp(-((x-n)/w)^2) + c*exp(-((x-o)/w)^2) + d*exp(-((x-q)/w)^2)",
        FINE,
        lambda x: (
            3 * peak(x, 1.5, 0.2) + 2 * peak(x, 4, 0.2) + peak(x, 6, 0.2) + 2.5 * peak(x, 8.5, 0.2)
        ),
    ),
    "three sines": (
        "a*sin(w*x+p) + b*sin(v*x+q) + c*sin(u*x+r)",
        FINE,
        lambda x: 2 * np.sin(4 * x + 1) + np.sin(7.3 * x + 2) + 1.5 * np.sin(15 * x),
    ),
    "Lennard-Jones": (
        "4*a*((s/x)^12 - (s/x)^6)",
        np.linspace(0.95, 3.0, 40),
        lambda x: 8 * (x**-12 - x**-6),
    ),
    "hyperbola": ("hypot(a, b*x)", LONG, lambda x: np.hypot(3, 0.8 * x)),
    "triangle": (
        "a*max(0, 1 - abs(x-m)/w)",
        FINE,
        lambda x: 2 * np.maximum(0, 1 - abs(x - 7) / 1.5),
    ),
    "diffusion": (
        "a*erfc(d/sqrt(x))",
        LONG,
        lambda x: 5 * np.array([math.erfc(0.8 / math.sqrt(value)) for value in x]),
    ),
    "decimal logarithm of a place": (
        "b + (d-b)/(1 + (x/10^c)^h)",
        DECADES,
        lambda x: 1 + 4 / (1 + (x / 2.5) ** 1.2),
    ),
    "chirp": (
        "a*sin(w*x + k*x^2 + p)",
        FINE,
        lambda x: 2 * np.sin(3 * x + 0.8 * x**2 + 1),
    ),
}


def noisy(y: Array) -> tuple[Array, float]:
    """The curve with noise of a hundredth of its range, and the sum of squares of the noise."""
    noise = 0.01 * np.ptp(y) * np.random.default_rng(5).standard_normal(y.size)
    return y + noise, float(np.sum(noise**2))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.slow
def test_starts_in_any_units(fit: Fit, name: str) -> None:
    # One of the pairs for each case, to save time.
    scales = [(1e-12, 1e12), (1e9, 1e-12), (1e12, 1e3)][list(CASES).index(name) % 3]
    expression, x, curve = CASES[name]
    y, least = noisy(curve(x))
    found = fit(expression, x * scales[0], y * scales[1])
    # No less than the noise can be left over, but for what the parameters take of it.
    assert 2 * found["cost"] / scales[1] ** 2 <= least * 1.001


@pytest.mark.parametrize("name", ["decay by rate", "Lorentz", "sine", "Hill", "two peaks"])
@pytest.mark.slow
def test_scaled_data_have_scaled_starts(name: str) -> None:
    expression, x, curve = CASES[name]
    y, _ = noisy(curve(x))
    model = lmoo.Expression(expression, ("x",))
    n = len(model.parameter_names)
    given = GivenParameters(
        np.full(n, np.nan), np.full(n, -np.inf), np.full(n, np.inf), np.zeros(n, dtype=bool)
    )
    units = {"a": 0, "h": 0, "c": 0, "b": 0, "v": 0, "k": 1, "m": 1, "w": 1, "f": -1, "n": 1}
    units |= {"p": None, "s": 1, "tau": 1}
    if name == "decay by rate":
        units["k"] = -1
    if name == "Hill":
        units["n"] = None
    if name == "two peaks":
        units["v"] = 1
    plain = starting_points(model, x, y, None, given)
    scaled = starting_points(model, x * 2.0**40, y * 2.0**-30, None, given)
    factors = []
    for parameter in model.parameter_names:
        power = units[parameter]
        factors.append(1.0 if power is None else 2.0 ** (40 * power) if power else 2.0**-30)
    assert len(plain) == len(scaled)
    np.testing.assert_allclose(scaled[0], plain[0] * factors, rtol=1e-6)


@pytest.mark.parametrize("unit", [2.0**-1000, 2.0**1000])
def test_squares_of_the_data_may_overflow(unit: float) -> None:
    t = np.linspace(0.0, 4.0, 30)
    y, _ = noisy(3.0 * np.exp(-0.7 * t) + 0.5)
    expected = lmoo.fit("a*exp(-b*t) + c", t, y).x
    found = lmoo.fit("a*exp(-b*t) + c", t, unit * y)
    assert found.success
    np.testing.assert_allclose(found.x / [unit, 1.0, unit], expected, rtol=1e-8)


# ============================================================================ frequencies

SAMPLINGS: dict[str, Callable[[int], Array]] = {
    "even": lambda n: np.linspace(0.0, 1.0, n),
    "random": lambda n: np.sort(np.random.default_rng(2).uniform(0.0, 1.0, n)),
    "gaps": lambda n: np.linspace(0.0, 1.0, 2 * n)[np.linspace(0.0, 7.0, 2 * n) % 1 < 0.5],
    "replicates": lambda n: np.repeat(np.linspace(0.0, 1.0, n // 2), 2),
    "in no order": lambda n: np.random.default_rng(3).permutation(np.linspace(0.0, 1.0, n)),
}

# The expression, and the frequency as a function of the parameters.
WRITTEN: dict[str, Callable[[dict[str, float]], float]] = {
    "a*sin(w*x + p) + c": lambda v: v["w"] / (2 * np.pi),
    "a*sin(2*pi*f*x + p) + c": lambda v: v["f"],
    "a*sin(2*pi*x/T + p) + c": lambda v: 1 / v["T"],
    "a*cos(2*pi*(x - s)/T) + c": lambda v: 1 / v["T"],
    "a*cos(w*x) + b*sin(w*x) + c": lambda v: v["w"] / (2 * np.pi),
    "a*sin(exp(l)*x + p) + c": lambda v: math.exp(v["l"]) / (2 * np.pi),
    "a*exp(-g*x)*sin(w*x + p) + c": lambda v: v["w"] / (2 * np.pi),
    "2*sin(w*x + p) + 1": lambda v: v["w"] / (2 * np.pi),
    "c - a*sin(w*x + p)*3": lambda v: v["w"] / (2 * np.pi),
}


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("expression", WRITTEN)
@pytest.mark.slow
def test_the_frequency_is_the_lowest(fit: Fit, expression: str, sampling: str) -> None:
    x = 5000.0 * SAMPLINGS[sampling](60)
    y = 2 * np.sin(2 * np.pi * 1.2e-3 * x + 0.4) + 1
    y += 0.05 * np.random.default_rng(1).standard_normal(x.size)
    found = fit(expression, x, y)
    assert found["code"] == 0
    assert abs(WRITTEN[expression](found)) == pytest.approx(1.2e-3, rel=0.01)


@pytest.mark.slow
def test_uneven_points_tell_faster_oscillations(fit: Fit) -> None:
    # As of radial velocities, a few nights in a year: above the limit of the median distance.
    x = 2_450_000 + np.sort(np.random.default_rng(0).uniform(0, 300, 45))
    y = 12 + 55 * np.cos(2 * np.pi * (x - 2_450_003) / 4.23)
    y += np.random.default_rng(1).standard_normal(45)
    assert np.pi / spacing(x) < 2 * np.pi / 4.23 < fastest(x)
    found = fit("g + a*cos(2*pi*(x - s)/T)", x, y)
    assert abs(found["T"]) == pytest.approx(4.23, rel=1e-3)
    # Noise alone is no reason for a fast one.
    y = (
        12
        + 55 * np.cos(2 * np.pi * (x - 2_450_003) / 60)
        + np.random.default_rng(1).normal(0, 20, 45)
    )
    assert abs(fit("g + a*cos(2*pi*(x - s)/T)", x, y)["T"]) == pytest.approx(60, rel=0.02)


@pytest.mark.slow
def test_bounds_say_which_frequency(fit: Fit) -> None:
    x = np.arange(60.0)
    y = np.sin(0.7 * x + 5.5)
    bounds = "--bounds", "a=0:,w=0:,p=0:6.2832"
    assert fit("a*sin(w*x + p)", x, y, *bounds)["w"] == pytest.approx(0.7)
    negative = "--bounds", "a=:0,w=:0"
    assert fit("a*sin(w*x + p)", x, y, *negative)["w"] == pytest.approx(-0.7)
    # Above the limit of the sampling, where that is what is asked for.
    above = fit("a*sin(w*x + p)", x, y, "--bounds", "w=4:6")
    assert above["w"] == pytest.approx(2 * np.pi - 0.7)
    above = fit("a*sin(w*x + p)", x, y, "--start", "w=7")
    assert above["w"] == pytest.approx(2 * np.pi + 0.7)


@pytest.mark.slow
def test_a_long_record_is_not_thinned_to_an_alias(fit: Fit) -> None:
    x = np.arange(6000.0)
    y = np.sin(2 * np.pi * 0.231 * x) + 0.3 * np.random.default_rng(1).standard_normal(x.size)
    assert fit("a*sin(2*pi*f*x + p)", x, y)["f"] == pytest.approx(0.231, rel=1e-4)
    y = peak(x, 4321.0, 3.0) + 0.03 * np.random.default_rng(1).standard_normal(x.size)
    assert fit("a*exp(-((x-m)/w)^2) + c", x, y)["m"] == pytest.approx(4321, abs=1)


def test_the_limit_of_a_sampling() -> None:
    assert spacing(np.array([0.0, 0.0, 1.0, 1.0 + 1e-12, 2.0])) == pytest.approx(1.0)
    assert spacing(np.array([3.0, 3.0])) == 0.0
    assert fastest(np.array([3.0])) == 0.0
    assert fastest(np.arange(9.0) * 1e-9) == pytest.approx(np.pi * 1e9)
    assert frequencies(np.zeros(9), np.ones(9), np.ones(9)).size == 0
    assert np.isnan(remaining(np.zeros(9), np.zeros((1, 9)), np.ones(9), np.ones(9))).all()
    found = frequencies(np.arange(90.0), np.sin(np.arange(90.0)), np.ones(90))
    assert found.max() <= np.pi * (1 + 1e-9)


def test_oscillation_of_models() -> None:
    t = np.arange(10.0)
    for text, point, expected in [
        ("a*sin(w*t + p)", [1.0, 0.5, 9.0], 0.5 / np.pi),
        ("cos(2*pi*t/T) + sin(w*t)", [3.0, 4.0], 4.0 / np.pi),
        ("a*t", [1.0], 0.0),
        ("sin(a)*t", [1.0], 0.0),
    ]:
        assert oscillation(lmoo.Expression(text), t, np.array(point)) == pytest.approx(expected)
    model = lmoo.Expression("sin(a*u)*v", ("u", "v"))
    assert oscillation(model, np.ones((2, 5)), np.ones(1)) == 0.0


def test_features_do_not_depend_on_the_order_of_rows() -> None:
    chance = np.random.default_rng(4)
    t, y = chance.uniform(size=50).round(1), chance.uniform(size=50)
    order = chance.permutation(50)
    one, other = Features.of(t, y, y), Features.of(t[order], y[order], y[order])
    np.testing.assert_array_equal(one.t, other.t)
    np.testing.assert_array_equal(one.y, other.y)
    np.testing.assert_array_equal(one.weight, other.weight)
