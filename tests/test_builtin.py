"""Built-in models: formulas, derivatives, starting values, derived quantities, arithmetic."""

from __future__ import annotations

import pickle
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special
from numpy.typing import NDArray

import lmoo
from lmoo import models
from lmoo.models import builtin
from lmoo.models.builtin import classic

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from guesses import CASES, curves

Array = NDArray[Any]


def gauss(t: Any, center: Any, sigma: Any) -> Any:
    return np.exp(-((t - center) ** 2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))


def wofz(t: Any, center: Any, sigma: Any, gamma: Any) -> Any:
    z = (t - center + 1j * gamma) / (sigma * np.sqrt(2))
    return scipy.special.wofz(z).real / (sigma * np.sqrt(2 * np.pi))


# What each case is compared with, where it is not with lmfit alone.
FORMULAS: dict[str, Any] = {
    "Voigt": lambda t, a, c, s, g: a * wofz(t, c, s, g),
    "SkewedVoigt": lambda t, a, c, s, g, k: (
        a * wofz(t, c, s, g) * (1 + scipy.special.erf(k * (t - c) / (s * np.sqrt(2))))
    ),
    "SkewedGaussian": lambda t, a, c, s, g: (
        a * gauss(t, c, s) * (1 + scipy.special.erf(g * (t - c) / (s * np.sqrt(2))))
    ),
    "Step linear": lambda t, a, c, s: a * np.clip((t - c) / s + 0.5, 0, 1),
    "Gompertz": lambda t, h, r, m: h * np.exp(-np.exp(-r * (t - m))),
    "Logistic": lambda t, h, r, m: h / (1 + np.exp(-r * (t - m))),
    "MichaelisMenten": lambda t, v, k: v * t / (k + t),
    "Hill": lambda t, v, k, n: v * t**n / (k**n + t**n),
    "Arrhenius": lambda t, a, e: a * np.exp(-e / (8.314462618 * t)),
    "Weibull": lambda t, a, s, k: a * k / s * (t / s) ** (k - 1) * np.exp(-((t / s) ** k)),
    "Sine": lambda t, a, f, p: a * np.sin(f * t + p),
    "Polynomial": lambda t, *c: sum(ck * t**k for k, ck in enumerate(c)),
    "Quadratic": lambda t, a, b, c: a * t**2 + b * t + c,
    "Linear": lambda t, a, b: a * t + b,
    "Constant": lambda t, c: c + 0 * t,
    "Lorentzian2D": lambda t, a, x, y, w, o: (
        a / (1 + ((t[0] - x) ** 2 + (t[1] - y) ** 2) / w**2) + o
    ),
    "EllipticalGaussian2D": lambda t, a, x, y, p, q, w, o: (
        a
        * np.exp(
            -(((t[0] - x) * np.cos(w) + (t[1] - y) * np.sin(w)) ** 2) / (2 * p**2)
            - ((t[1] - y) * np.cos(w) - (t[0] - x) * np.sin(w)) ** 2 / (2 * q**2)
        )
        + o
    ),
}


def lmfit_function(name: str) -> Any:
    """Return lmfit's function for a case, with our parameters in our order."""
    shapes = pytest.importorskip("lmfit").lineshapes
    plain = {
        "SplitLorentzian": shapes.split_lorentzian, "Moffat": shapes.moffat,
        "Pearson7": shapes.pearson7, "StudentsT": shapes.students_t,
        "BreitWigner": shapes.breit_wigner, "LogNormal": shapes.lognormal,
        "Doniach": shapes.doniach,
        "ExponentialGaussian": shapes.expgaussian, "SkewedGaussian": shapes.skewed_gaussian,
        "Voigt": shapes.voigt, "SkewedVoigt": shapes.skewed_voigt, "DampedOscillator":
        shapes.damped_oscillator, "DampedHarmonicOscillator": shapes.dho, "Sine": shapes.sine,
    }  # fmt: skip
    if name in plain:
        return plain[name]
    kind, form = name.split()
    if kind == "ThermalDistribution":
        return lambda t, *x: shapes.thermal_distribution(t, *x, form=form)
    shape = shapes.step if kind == "Step" else shapes.rectangle
    return lambda t, *x: shape(t, *x, form=form)


LMFIT = [
    "SplitLorentzian", "Moffat", "Pearson7", "StudentsT", "BreitWigner", "LogNormal", "Doniach",
    "ExponentialGaussian", "SkewedGaussian", "Voigt", "SkewedVoigt", "DampedOscillator",
    "DampedHarmonicOscillator", "Sine",
    *[f"ThermalDistribution {form}" for form in ("bose", "maxwell", "fermi")],
    *[f"{kind} {form}" for kind in ("Step", "Rectangle")
      for form in ("linear", "arctan", "erf", "logistic")],
]  # fmt: skip


def test_every_model_has_a_case() -> None:
    here = {type(case.model).__name__ for case in CASES.values()}
    assert here == set(builtin.__all__) - {"BuiltIn"}
    # The formulas of the others are in test_models.py.
    compared = {name.split()[0] for name in {*LMFIT, *FORMULAS}} | {"Pearson4", *classic.__all__}
    assert compared >= here
    assert set(builtin.__all__) - {"BuiltIn"} <= set(models.__all__)


@pytest.mark.parametrize("name", LMFIT)
def test_values_are_those_of_lmfit(name: str) -> None:
    case, function = CASES[name], lmfit_function(name)
    x, _ = curves(case, 8)
    for row in x:
        expected = function(case.t, *row)
        np.testing.assert_allclose(
            case.model(case.t, *row), expected, rtol=1e-10, atol=1e-13 * np.abs(expected).max()
        )


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_values_are_those_of_the_formula(name: str) -> None:
    case = CASES[name]
    x, _ = curves(case, 8)
    for row in x:
        expected = FORMULAS[name](case.t, *row)
        np.testing.assert_allclose(
            case.model(case.t, *row), expected, rtol=1e-11, atol=1e-13 * np.abs(expected).max()
        )


def test_pearson4_is_lmfit_s_up_to_its_height() -> None:
    shapes = pytest.importorskip("lmfit").lineshapes
    case = CASES["Pearson4"]
    x, _ = curves(case, 8)
    for row in x:
        ours, theirs = case.model(case.t, *row), shapes.pearson4(case.t, *row)
        ratio = ours / theirs
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-10)
        np.testing.assert_allclose(case.model([row[1]], *row), row[0], rtol=1e-14)


MP = mpmath.mp.clone()
MP.dps = 60
OPERATIONS: dict[str, Callable[..., Any]] = {
    "negative": lambda a: -a, "add": lambda a, b: a + b, "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b, "divide": lambda a, b: a / b, "power": lambda a, b: a**b,
    "square": lambda a: a * a, "reciprocal": lambda a: 1 / a, "absolute": abs, "sqrt": MP.sqrt,
    "exp": MP.exp, "expm1": MP.expm1, "log": MP.log, "sin": MP.sin, "cos": MP.cos,
    "arctan": MP.atan, "erf": MP.erf, "erfc": MP.erfc,
    "erfcx": lambda a: MP.exp(a * a) * MP.erfc(a), "expit": lambda a: 1 / (1 + MP.exp(-a)),
    "gammaln": lambda a: MP.log(MP.gamma(a)), "minimum": min, "maximum": max,
    "less": lambda a, b: a < b, "greater": lambda a, b: a > b, "equal": lambda a, b: a == b,
    "where": lambda c, a, b: a if c else b, "arctan2": MP.atan2,
    "wofz_real": lambda a, b: (MP.exp(-(MP.mpc(a, b) ** 2)) * MP.erfc(MP.mpc(b, -a))).real,
}  # fmt: skip


def by_mpmath(model: Any, t: Any, x: Any) -> Any:
    """Return the value of a model's graph in 60 digits."""
    values: list[Any] = []
    for name, arguments, value in model.model.steps:
        if name == "constant":
            values.append(MP.mpf(value))
        elif name in ("parameter", "variable"):
            values.append(x[value] if name == "parameter" else t[value])
        else:
            values.append(OPERATIONS[name](*(values[a] for a in arguments)))
    return values[-1]


@pytest.mark.parametrize("name", sorted(CASES))
def test_values_and_derivatives_in_sixty_digits(name: str) -> None:
    case = CASES[name]
    x, _ = curves(case, 2)
    points = np.atleast_2d(case.t)
    chosen = np.arange(3, points.shape[1], points.shape[1] // 7)
    step = MP.mpf(10) ** -25
    for row in x:
        t: Any = tuple(points[:, chosen]) if len(points) > 1 else points[0, chosen]
        values, jacobian = case.model(t, *row), case.model.jacobian(t, *row)
        scale = np.abs(case.model.jacobian(case.t, *row)).max(axis=0)
        for i, place in enumerate(chosen):
            at = [MP.mpf(float(v)) for v in points[:, place]]
            exact = [MP.mpf(float(v)) for v in row]
            np.testing.assert_allclose(
                values[i], float(by_mpmath(case.model, at, exact)), rtol=1e-11, atol=1e-14
            )
            for j in range(len(row)):
                up, down = list(exact), list(exact)
                up[j] += step
                down[j] -= step
                slope = by_mpmath(case.model, at, up) - by_mpmath(case.model, at, down)
                expected = float(slope / (2 * step))
                assert abs(jacobian[i, j] - expected) <= 1e-10 * abs(expected) + 1e-12 * scale[j]


@pytest.mark.parametrize("name", sorted(CASES))
def test_fits_from_its_own_starting_values(name: str) -> None:
    case = CASES[name]
    x, y = curves(case, 25)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        best = lmoo.curve_fit_many(case.model, case.t, y, p0=x)
        found = lmoo.curve_fit_many(case.model, case.t, y, p0=case.model.guess(case.t, y))
    allowed = 1.01 if name.endswith("linear") else 1 + 1e-6
    assert np.mean(found.cost <= allowed * best.cost) >= 0.96


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_guess_for_one_curve_is_that_of_a_stack(name: str) -> None:
    case = CASES[name]
    _, y = curves(case, 3)
    together = case.model.guess(case.t, y)
    assert together.shape == (3, case.model.n)
    for row, guess in zip(y, together, strict=True):
        np.testing.assert_allclose(case.model.guess(case.t, row), guess, rtol=1e-9)


def test_prefixes_and_sums() -> None:
    total = models.Voigt(prefix="v_") + models.Linear()
    assert isinstance(total, models.Model)
    assert total.parameter_names == (
        "v_amplitude", "v_center", "v_sigma", "v_gamma", "slope", "intercept"
    )  # fmt: skip
    assert list(total.components) == ["v", "Linear"]
    t = np.linspace(-3, 3, 11)
    expected = models.Voigt()(t, 2.0, 0.1, 0.5, 0.3) + models.Linear()(t, 0.5, 1.0)
    np.testing.assert_allclose(total(t, 2.0, 0.1, 0.5, 0.3, 0.5, 1.0), expected, rtol=1e-12)
    scaled = 2 * models.Linear() - 1
    np.testing.assert_allclose(scaled(t, 0.5, 1.0), 2 * (0.5 * t + 1) - 1, rtol=1e-14)
    for made, value in (
        (1 - models.Linear(), 1 - (0.5 * t + 1)),
        (models.Linear() / 2, (0.5 * t + 1) / 2),
        (models.Linear() ** 2, (0.5 * t + 1) ** 2),
        (-models.Linear(), -(0.5 * t + 1)),
        (models.Linear() * models.Constant(), 3 * (0.5 * t + 1)),
    ):
        arguments = (0.5, 1.0, 3.0)[: len(made.parameter_names)]
        np.testing.assert_allclose(made(t, *arguments), value, rtol=1e-14)


def test_derived_quantities() -> None:
    voigt, x = models.Voigt(), np.array([3.0, 0.2, 0.7, 0.5])
    found = voigt.derive(x)
    t = np.linspace(-3000, 3000, 2_000_001)
    values = voigt(t, *x)
    np.testing.assert_allclose(found["area"], 3.0)
    np.testing.assert_allclose(found["height"], voigt([0.2], *x)[0], rtol=1e-13)
    above = t[values > values.max() / 2]
    np.testing.assert_allclose(found["fwhm"], np.ptp(above), rtol=3e-3)
    covariance = np.diag([0.01, 0.0, 0.0, 0.0])
    value, error = voigt.derive(x, covariance)["area"]
    assert (value, error) == (3.0, pytest.approx(0.1))
    with pytest.raises(ValueError, match=r"parameters must have shape \(4,\)"):
        voigt.derive(x[:2])
    with pytest.raises(ValueError, match=r"covariance must have shape \(4, 4\)"):
        voigt.derive(x, np.eye(3))


@pytest.mark.parametrize("name", sorted(CASES))
def test_derived_quantities_are_finite(name: str) -> None:
    case = CASES[name]
    x, _ = curves(case, 4)
    for row in x:
        assert all(np.isfinite(value) for value in case.model.derive(row).values())


@pytest.mark.parametrize("name", ["Moffat", "Pearson7", "StudentsT", "BreitWigner", "Lorentzian2D"])
def test_heights_and_widths(name: str) -> None:
    case = CASES[name]
    row = curves(case, 1)[0][0]
    found = case.model.derive(row)
    if name == "Lorentzian2D":
        z = np.linspace(-30, 30, 600001)
        t: Any = (row[1] + z, np.full_like(z, row[2]))
        values = case.model(t, *row) - row[-1]
    else:
        z = t = row[1] + np.linspace(-30, 30, 600001)
        values = case.model(t, *row)
    np.testing.assert_allclose(found["height"], values.max(), rtol=1e-6)
    if name != "BreitWigner":
        np.testing.assert_allclose(found["fwhm"], np.ptp(z[values > values.max() / 2]), rtol=1e-3)


def test_pickles_and_text() -> None:
    for case in CASES.values():
        again = pickle.loads(pickle.dumps(case.model))
        assert repr(again) == repr(case.model)
        assert again.model == case.model.model
    named = pickle.loads(pickle.dumps(models.Step(form="erf", prefix="s_")))
    assert repr(named) == "Step(form='erf', prefix='s_')"
    assert named.parameter_names == ("s_amplitude", "s_center", "s_sigma")
    assert models.Linear().text == "slope*t + intercept"
    assert "slope" in models.Linear().latex()


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="form must be one of linear, arctan, erf, logistic"):
        models.Step(form="cubic")
    with pytest.raises(ValueError, match="form must be one of bose, maxwell, fermi"):
        models.ThermalDistribution(form="cubic")
    with pytest.raises(ValueError, match="degree must be from 0 to 20; it is 21"):
        models.Polynomial(degree=21)
    with pytest.raises(ValueError, match=r"y must have shape \(m,\) or \(k, m\)"):
        models.Linear().guess([1.0], [])
    with pytest.raises(ValueError, match="t must be 2 arrays for Lorentzian2D; it has 1"):
        models.Lorentzian2D().guess(np.zeros(3), np.zeros(3))
    with pytest.raises(ValueError, match=r"t must have shape \(3,\)"):
        models.Linear().guess(np.zeros(4), np.zeros(3))


@pytest.mark.parametrize("name", sorted(CASES))
def test_guesses_have_the_unit_of_the_curves(name: str) -> None:
    case = CASES[name]
    _, y = curves(case, 5)
    linear = [case.model.parameter_names.index(one) for one in case.model.linear]
    if not linear:
        assert isinstance(case.model, models.ThermalDistribution)
        return
    expected = case.model.guess(case.t, y)
    for exponent in (-1000, -40, 600):
        unit = 2.0**exponent
        found = case.model.guess(case.t, unit * y)
        found[:, linear] /= unit
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("gamma", [50.0, 1e3, 1e8])
def test_a_short_tail_is_none(gamma: float) -> None:
    t, model = np.linspace(-8.0, 8.0, 81), models.ExponentialGaussian()
    found, jacobian = model(t, 3.0, 0.5, 1.5, gamma), model.jacobian(t, 3.0, 0.5, 1.5, gamma)
    expected = 3.0 * gauss(t, 0.5 + 1 / gamma, np.hypot(1.5, 1 / gamma))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 + 1 / gamma**3)
    assert np.isfinite(jacobian).all()
    long = model(np.array([0.0, 100.0, 1e5]), 3.0, 0.0, 1e-3, 0.01)
    np.testing.assert_allclose(long[1:], 0.03 * np.exp([-1.0, -1e3]), rtol=1e-9)


def test_any_data_have_a_guess() -> None:
    rng = np.random.default_rng(0)
    for case in CASES.values():
        m = np.shape(case.t)[-1]
        y = np.stack([np.zeros(m), np.ones(m), rng.standard_normal(m), 1e200 * np.ones(m)])
        y[2, 3] = np.nan
        assert np.isfinite(case.model.guess(case.t, y)).all()
