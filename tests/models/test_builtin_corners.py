"""Built-in models in arithmetic, as pickles, and where a plain formula cancels or overflows."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import mpmath
import numpy as np
import pytest

import lmoo
from lmoo import Expression, models

MP = mpmath.mp.clone()
MP.dps = 60
T = np.linspace(0.2, 6.0, 40)


def slopes(function: Any, t: float, x: Any) -> list[float]:
    """Return the derivatives of a function by x, by central differences in 60 digits."""
    out = []
    for j, value in enumerate(x):
        h = MP.mpf(10) ** -22 * max(abs(MP.mpf(value)), MP.mpf(10) ** -3)
        up, down = ([MP.mpf(v) + (k == j) * s * h for k, v in enumerate(x)] for s in (1, -1))
        out.append(float((function(MP.mpf(t), *up) - function(MP.mpf(t), *down)) / (2 * h)))
    return out


# ---- arithmetic and identity ------------------------------------------------------------------


def test_functions_and_powers_of_built_in_models() -> None:
    line, a = models.Linear(), Expression("a")
    values = line(T, 2.0, 1.0)
    for model, expected in {
        models.exp(line): np.exp(values),
        models.hypot(line, 3.0): np.hypot(values, 3.0),
        models.where(line, line.prefixed("q_") * 0 + 1.0, 0.0).substitute(q_slope=0, q_intercept=0):
            values**0,
        2.0**line: 2.0**values,
        line**2: values**2,
        abs(line): values,
        +line: values,
        1 - line: 1 - values,
    }.items():  # fmt: skip
        np.testing.assert_allclose(model(T, 2.0, 1.0), expected, rtol=1e-14)
    both = a**line
    assert both.parameter_names == ("a", "slope", "intercept")
    assert (a + line).components["Linear"] == line.model
    assert Expression("k*t + c").substitute(k=line).parameter_names == ("slope", "intercept", "c")


def test_built_in_models_are_equal_if_their_arguments_are() -> None:
    one, same = models.Step(form="erf", prefix="s_"), models.Step(form="erf", prefix="s_")
    assert one == same
    assert len({one, same, copy.deepcopy(one), pickle.loads(pickle.dumps(one))}) == 1
    assert one != models.Step(form="erf")
    assert one != models.Step(prefix="s_")
    assert models.Linear() != models.Polynomial(degree=1)
    assert models.Linear() != models.Linear().model


def test_built_in_models_have_the_methods_of_models() -> None:
    peak = models.Gaussian(prefix="g_")
    flat = peak.substitute({"g_sigma": 0.5}, g_offset="g_amplitude/10")
    np.testing.assert_allclose(flat(T, 2.0, 3.0), peak(T, 2.0, 3.0, 0.5, 0.2), rtol=1e-14)
    assert peak.prefixed("h_").label == "h"
    assert list(peak.components) == list(peak.evaluate_components(T, 2, 3, 0.5, 0)) == ["g"]
    curves = np.stack([peak(T, 2.0, 3.0, 0.5, 0.2), peak(T, 3.0, 2.0, 0.5, 0.2)])
    fits = lmoo.curve_fit_many(peak, T, curves)
    np.testing.assert_allclose(fits.components()["g"], curves, atol=1e-9)


def test_sums_of_lists_have_no_part_for_their_start() -> None:
    total = sum([models.Gaussian(prefix="g_"), models.Linear(prefix="l_")])
    assert isinstance(total, models.Model)
    assert list(total.components) == ["g", "l"]
    assert list((1 + total).components) == ["1", "g", "l"]


@pytest.mark.parametrize("value", [np.ones(3), np.array(2.0)])
def test_arrays_are_no_operands(value: Any) -> None:
    for model in (Expression("a*t"), models.Linear()):
        for operate in (
            lambda m: m + value, lambda m: value + m, lambda m: m * value, lambda m: value / m,
            lambda m: m**value, lambda m: value**m,
        ):  # fmt: skip
            with pytest.raises(TypeError, match="an operand must be a number or a model; it is ar"):
                operate(model)


def test_numbers_and_names_that_models_cannot_have() -> None:
    with pytest.raises(ValueError, match="b is a number too large for double precision"):
        Expression("a*exp(-b*t)").substitute(b=10**400)
    with pytest.raises(ValueError, match="an operand is a number too large"):
        models.Linear() + 10**400
    with pytest.raises(ValueError, match=r"prefix must make names .* 'i' makes 'is'"):
        Expression("s*t").prefixed("i")


def test_pickles_of_problems_with_options_and_of_their_results() -> None:
    model = models.Gaussian(prefix="g_")
    y = model(T, 2.0, 3.0, 0.5, 0.1) + 0.01 * np.cos(50 * T)
    options: dict[str, Any] = {
        "priors": {"g_center": (3.0, 0.1)}, "ties": {"g_offset": "g_amplitude/20"},
        "absolute_sigma": False,
    }  # fmt: skip
    problem = model.problem(T, y, 0.01, **options)
    start = [1.5, 3.1, 0.6, 0.1]
    expected = lmoo.Solver().solve(problem, start)
    for twin in (pickle.loads(pickle.dumps(problem)), copy.copy(problem), copy.deepcopy(problem)):
        assert {name: getattr(twin, name) for name in options} == options
        np.testing.assert_array_equal(lmoo.Solver().solve(twin, start).x, expected.x)
    result = lmoo.fit(model, T, y)
    again = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(again.predict(T), result.predict(T))
    np.testing.assert_array_equal(again.components()["g"], result.components()["g"])


# ---- values and derivatives far out ------------------------------------------------------------


def voigt(t: Any, a: Any, c: Any, s: Any, g: Any) -> Any:
    z = MP.mpc(t - c, g) / (s * MP.sqrt(2))
    if abs(z) < 12:
        w = MP.exp(-z * z) * MP.erfc(MP.mpc(z.imag, -z.real))
    else:
        term, w = MP.mpc(1), MP.mpc(0)
        for k in range(60 if abs(z) < 1e4 else 14):
            w, term = w + term, term * (2 * k + 1) / (2 * z * z)
        w = MP.mpc(0, 1) / (MP.sqrt(MP.pi) * z) * w
    return a * w.real / (s * MP.sqrt(2 * MP.pi))


@pytest.mark.parametrize("sigma", [1.0, 1e-2, 1e-4, 1e-6])
@pytest.mark.parametrize("z", [0.0, 0.5, 3.0, 30.0, 200.0, 1e3, 1e6])
def test_derivatives_of_voigt_far_from_the_centre_and_of_narrow_gaussians(
    sigma: float, z: float
) -> None:
    x = [2.0, 0.7, sigma, 1.0]
    t = 0.7 + z
    model = models.Voigt()
    for found in (model.jacobian([t], *x)[0], model.model.jacobian([t], *x)[0]):
        expected = slopes(voigt, t, x)
        tight = [0, 1, 3]
        np.testing.assert_allclose(found[tight], np.array(expected)[tight], rtol=1e-9)
        # Value and slope cancel in that by sigma: to the value's rounding error.
        value = float(voigt(MP.mpf(t), *[MP.mpf(v) for v in x]))
        assert abs(found[2] - expected[2]) < 1e-9 * abs(expected[2]) + 1e-9 * value / sigma


def test_second_derivative_of_voigt_far_from_the_centre() -> None:
    from lmoo.models.compiled import second_of

    compiled = second_of(models.Voigt().model)
    assert compiled is not None
    x, v = [2.0, 0.7, 0.01, 1.0], [0.0, 1.0, 0.0, 0.0]
    for t in (1.0, 100.0, 1e5):
        found = compiled.evaluate(np.array([[[t]]]), np.array([[*x, *v]]), False)[0][0, 0]
        h = MP.mpf(10) ** -15
        at = [voigt(MP.mpf(t), 2, MP.mpf(0.7) + k * h, MP.mpf(0.01), 1) for k in (-1, 0, 1)]
        np.testing.assert_allclose(found, float((at[0] - 2 * at[1] + at[2]) / h**2), rtol=1e-6)


@pytest.mark.parametrize("x", [5.0, 20.0, 300.0, 999.0, 1001.0, 1e4, 1e6, 1e12])
def test_derivative_of_erfcx(x: float) -> None:
    expected = float(2 * MP.mpf(x) * scaled_erfc(MP.mpf(x)) - 2 / MP.sqrt(MP.pi))
    found = Expression("erfcx(a) + 0*t").jacobian([0.0], x)[0, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def scaled_erfc(x: Any) -> Any:
    if x < 50:
        return MP.exp(x * x) * MP.erfc(x)
    term, sum_ = MP.mpf(1), MP.mpf(0)
    for k in range(30 if x < 1e5 else 4):
        sum_, term = sum_ + term, -term * (2 * k + 1) / (2 * x * x)
    return sum_ / (x * MP.sqrt(MP.pi))


def tailed(t: Any, a: Any, c: Any, s: Any, g: Any) -> Any:
    u = (g * s - (t - c) / s) / MP.sqrt(2)
    if u > 50:
        return a * g / 2 * MP.exp(-(((t - c) / s) ** 2) / 2) * scaled_erfc(u)
    return a * g / 2 * MP.exp(g * (c - t + g * s * s / 2)) * MP.erfc(u)


@pytest.mark.parametrize("sigma", [1e-3, 0.5, 30.0, 1e4])
@pytest.mark.parametrize("gamma", [1e-6, 0.4, 10.0, 1e3, 1e6])
def test_gaussians_with_any_tail(sigma: float, gamma: float) -> None:
    model, x = models.ExponentialGaussian(), [2.0, 0.7, sigma, gamma]
    for t in 0.7 + sigma * np.array([-1e6, -30.0, -3.0, 0.0, 1.0, 7.0, 30.0, 1e4]):
        value = float(tailed(MP.mpf(t), *[MP.mpf(v) for v in x]))
        np.testing.assert_allclose(model([t], *x)[0], value, rtol=2e-11, atol=1e-290)
        expected = np.array(slopes(tailed, t, x))
        size = np.abs(expected) + value / np.abs(x)
        assert (np.abs(model.jacobian([t], *x)[0] - expected) <= 1e-9 * size + 1e-280).all()


def test_a_gaussian_without_a_tail_is_fitted() -> None:
    t = np.linspace(-5, 5, 101)
    y = models.Gaussian()(t, 2.0, 0.3, 0.7, 0.0)
    result = lmoo.fit(models.ExponentialGaussian(), t, y)
    assert result.cost < 1e-8
    np.testing.assert_allclose(result.x[0], 2.0 * 0.7 * np.sqrt(2 * np.pi), rtol=1e-4)


def test_skewed_peaks_and_steps_where_1_plus_erf_cancels() -> None:
    t = np.array([-0.1, 0.1, 0.3])
    found = models.SkewedGaussian()(t, 2.0, 0.7, 0.5, 10.0)
    z = [(MP.mpf(v) - MP.mpf(0.7)) / MP.mpf(0.5) for v in t]
    gauss = [2 / (MP.mpf(0.5) * MP.sqrt(2 * MP.pi)) * MP.exp(-u * u / 2) for u in z]
    expected = [float(g * MP.erfc(-10 * u / MP.sqrt(2))) for g, u in zip(gauss, z, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-11)
    step = models.Step(form="erf")([-8.0], 1.0, 0.0, 1.0)
    np.testing.assert_allclose(step, [float(MP.erfc(MP.mpf(8)) / 2)], rtol=1e-14)


# ---- values at t = 0 ---------------------------------------------------------------------------


def test_damped_harmonic_oscillator_at_zero() -> None:
    model, x = models.DampedHarmonicOscillator(), (2.0, 0.7, 0.5, 0.4)
    limit = 4 * 2.0 * 0.5 * 0.7 * 0.4 / np.pi / (0.7**2 + 0.5**2) ** 2
    np.testing.assert_allclose(model([-1e-13, 0.0, 1e-13], *x), limit, rtol=1e-12)
    columns = model.jacobian([0.0, 1e-9], *x)
    np.testing.assert_allclose(columns[0], columns[1], rtol=1e-7)


@pytest.mark.parametrize(
    ("model", "x"), [(models.Hill(), [2.0, 0.9, 1.4]), (models.Logistic4(), [2.0, 1.4, 0.9, 0.1])]
)
def test_doses_of_zero(model: Any, x: list[float]) -> None:
    t = np.linspace(0.0, 5.0, 21)
    y = model(t, *x)
    assert np.isfinite(model.jacobian(t, *x)).all()
    np.testing.assert_allclose(lmoo.fit(model, t, y).x, x, rtol=1e-6)
    graph = model.model
    assert np.isnan(model([-1.0], *x)).all()
    assert np.isnan(graph([-1.0], *x)).all()
    np.testing.assert_allclose(graph(t, *x), y, rtol=1e-12)


# ---- derived quantities ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "x", "signs"),
    [
        (models.Voigt(), [2.0, 0.3, 0.5, 0.4], [-1, 1, -1, -1]),
        (models.SkewedVoigt(), [2.0, 0.3, 0.5, 0.4, 0.8], [-1, 1, -1, -1, -1]),
        (models.SplitLorentzian(), [2.0, 0.3, 0.5, 0.9], [-1, 1, -1, -1]),
        (models.Pearson7(), [2.0, 0.3, 0.5, 1.8], [-1, 1, -1, 1]),
        (models.SkewedGaussian(), [2.0, 0.3, 0.5, 0.8], [-1, 1, -1, -1]),
        (models.LogNormal(), [2.0, 0.3, 0.5], [-1, 1, -1]),
        (models.Sine(), [2.0, 3.0, 0.2], [-1, -1, -1]),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "derive") else "",
)
def test_derived_quantities_of_solutions_with_negative_widths(
    model: Any, x: list[float], signs: list[int]
) -> None:
    other = [value * sign for value, sign in zip(x, signs, strict=True)]
    np.testing.assert_allclose(model(T, *x), model(T, *other), rtol=1e-13)
    covariance = np.diag([0.1, 0.02, 0.03, 0.02, 0.05][: len(x)]) ** 2
    one, two = model.derive(x, covariance), model.derive(other, covariance)
    for name, pair in one.items():
        np.testing.assert_allclose(pair, two[name], rtol=1e-12)


def test_height_of_a_damped_oscillator_is_its_largest_value() -> None:
    t = np.linspace(0.0, 3.0, 300_001)
    for sigma in (-0.4, 0.1, 0.6, 0.9):
        model, x = models.DampedOscillator(), (2.0, 1.3, sigma)
        np.testing.assert_allclose(model.derive(x)["height"], model(t, *x).max(), rtol=1e-8)
