"""lmoo.models: values, derivatives and starting values, of one fit and of many."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from processes import processes
from scipy.special import erf

import lmoo
from lmoo import models
from lmoo._core.models import exp
from lmoo.models.builtin import classic

Array = NDArray[np.float64]

T = np.linspace(0.0, 4.0, 40)
SIDE = np.linspace(-5.0, 5.0, 50)
DOSE = np.concatenate([[0.0], np.geomspace(0.01, 100.0, 30)])
U, V = (part.ravel() for part in np.meshgrid(np.arange(7.0), np.arange(6.0)))


def pixel(z: Any, s: Any) -> Any:
    return s * np.sqrt(np.pi / 2) * (erf((z + 0.5) / s / 2**0.5) - erf((z - 0.5) / s / 2**0.5))


def voigt(t: Any, a: Any, b: Any, w: Any, e: Any, c: Any) -> Any:
    z = (t - b) / w
    return a * (e / (1 + z**2) + (1 - e) * np.exp(-np.log(2) * z**2)) + c


# For each model: where it is measured, its formula, and from where to where its parameters are.
CASES: dict[str, tuple[Any, Any, Any, Array, Array]] = {
    "Exponential": (
        models.Exponential(), T, lambda t, a, b, c: a * np.exp(-b * t) + c,
        np.array([2.0, 0.8, 0.3]), np.array([3.0, 2.0, 0.6]),
    ),
    "BiExponential": (
        models.BiExponential(), 3 * T,
        lambda t, a, b, c, d, e: a * np.exp(-b * t) + c * np.exp(-d * t) + e,
        np.array([2.0, 2.0, 2.0, 0.2, 0.3]), np.array([3.0, 3.0, 3.0, 0.3, 0.6]),
    ),
    "Gaussian": (
        models.Gaussian(), SIDE, lambda t, a, b, s, c: a * np.exp(-((t - b) ** 2) / 2 / s**2) + c,
        np.array([2.0, -1.0, 0.5, 0.3]), np.array([3.0, 1.0, 1.0, 0.6]),
    ),
    "Lorentzian": (
        models.Lorentzian(), SIDE, lambda t, a, b, w, c: a / (1 + ((t - b) / w) ** 2) + c,
        np.array([2.0, -1.0, 0.5, 0.3]), np.array([3.0, 1.0, 1.0, 0.6]),
    ),
    "PseudoVoigt": (
        models.PseudoVoigt(), SIDE, voigt,
        np.array([2.0, -1.0, 0.5, 0.2, 0.3]), np.array([3.0, 1.0, 1.0, 0.8, 0.6]),
    ),
    "Gaussian2D": (
        models.Gaussian2D(), (U, V),
        lambda t, a, x, y, s, c: a * np.exp(-((t[0] - x) ** 2 + (t[1] - y) ** 2) / 2 / s**2) + c,
        np.array([2.0, 2.7, 2.2, 0.8, 0.3]), np.array([3.0, 3.3, 2.8, 1.2, 0.6]),
    ),
    "Gaussian2D integrated": (
        models.Gaussian2D(integrated=True), (U, V),
        lambda t, a, x, y, s, c: a * pixel(t[0] - x, s) * pixel(t[1] - y, s) + c,
        np.array([2.0, 2.7, 2.2, 0.8, 0.3]), np.array([3.0, 3.3, 2.8, 1.2, 0.6]),
    ),
    "Logistic4": (
        models.Logistic4(), DOSE, lambda t, a, b, c, d: d + (a - d) / (1 + (t / c) ** b),
        np.array([2.0, 0.8, 0.5, 0.3]), np.array([3.0, 2.0, 3.0, 0.6]),
    ),
    "PowerLaw": (
        models.PowerLaw(), T, lambda t, a, b, c: a * t**b + c,
        np.array([2.0, 0.8, 0.3]), np.array([3.0, 2.0, 0.6]),
    ),
    "StretchedExponential": (
        models.StretchedExponential(), T, lambda t, a, s, b, c: a * np.exp(-((t / s) ** b)) + c,
        np.array([2.0, 0.5, 0.7, 0.3]), np.array([3.0, 1.0, 1.4, 0.6]),
    ),
    "DampedSine": (
        models.DampedSine(), T,
        lambda t, a, k, w, p, c: a * np.exp(-k * t) * np.sin(w * t + p) + c,
        np.array([2.0, 0.1, 3.0, -1.0, 0.3]), np.array([3.0, 0.5, 8.0, 1.0, 0.6]),
    ),
}  # fmt: skip
each = pytest.mark.parametrize("name", CASES)


def sample(name: str, count: int, noise: float = 0.0) -> tuple[Any, Any, Array, Array]:
    """Return model, t, parameters (count, n) and curves (count, m)."""
    model, t, _, low, high = CASES[name]
    rng = np.random.default_rng(count)
    x = rng.uniform(low, high, (count, len(low)))
    y = model(t, *x.T[:, :, None])
    return model, t, x, y + noise * rng.standard_normal(y.shape)


def test_all_of_them_are_here() -> None:
    built_in = {type(case[0]).__name__ for case in CASES.values()}
    assert built_in == set(classic.__all__)


def test_the_exponential_of_the_models() -> None:
    rng = np.random.default_rng(9)
    x = np.concatenate([rng.uniform(-708, 709, 20_000), rng.uniform(-1, 1, 20_000)])
    found = x.copy()
    exp(found)
    assert np.max(np.abs(found - np.exp(x)) / np.spacing(np.exp(x))) <= 2.0
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 710.0, 1e300, -746.0, -1e300, -740.0])
    expected = np.array([1.0, 1.0, np.inf, 0.0, np.nan, np.inf, np.inf, 0.0, 0.0, np.exp(-740.0)])
    exp(special)
    np.testing.assert_array_equal(special, expected)
    # The same bits wherever in an array a number stands.
    for size in range(1, 20):
        part = x[:size].copy()
        exp(part)
        np.testing.assert_array_equal(part, found[:size])


@each
def test_values_and_derivatives(name: str) -> None:
    model, t, x, y = sample(name, 20)
    formula = CASES[name][2]
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(y, formula(t, *x.T[:, :, None]), rtol=1e-12, atol=1e-13)
    found = model.jacobian(t, *x.T[:, :, None])
    assert found.shape == (*y.shape, model.n)
    for j in range(model.n):
        h = 1e-5
        up, down = x.copy(), x.copy()
        up[:, j] += h
        down[:, j] -= h
        expected = (model(t, *up.T[:, :, None]) - model(t, *down.T[:, :, None])) / (2 * h)
        np.testing.assert_allclose(found[:, :, j], expected, rtol=1e-5, atol=2e-7)
    np.testing.assert_array_equal(model(t, *x[3]), y[3])
    np.testing.assert_array_equal(model.jacobian(t, *x[3]), found[3])


@each
def test_from_its_own_starting_values(name: str) -> None:
    model, t, x, y = sample(name, 200, 0.01)
    fits = lmoo.curve_fit_many(model, t, y)
    assert np.mean(fits.success) > 0.99
    z = (fits.x - x)[fits.success] / fits.stderr[fits.success]
    # Within what the noise explains, and no nearer.
    assert np.mean(np.abs(z) < 4) > 0.97
    assert 0.8 < np.median(np.abs(z)) / 0.6745 < 1.25
    assert len(model.parameter_names) == model.n
    assert fits[0].parameter_names == model.parameter_names


@each
@pytest.mark.parametrize("jacobian", [None, lmoo.ForwardDifference()])
def test_the_same_bits_alone_and_in_a_stack(name: str, jacobian: Any) -> None:
    model, t, _, y = sample(name, 150, 0.05)
    start = model.guess(t, y)
    solver = lmoo.Solver(jacobian=jacobian)
    fits = lmoo.curve_fit_many(model, t, y, start, solver=solver)
    again = lmoo.curve_fit_many(model, t, y, start, solver=solver, threads=1)
    np.testing.assert_array_equal(fits.x, again.x)
    np.testing.assert_array_equal(fits.covariance, again.covariance)
    for k in range(0, 150, 3):
        one = solver.solve(model.problem(t, y[k]), start[k])
        np.testing.assert_array_equal(one.x, fits.x[k])
        assert (one.status, one.nfev, one.njev, one.nit) == (
            fits.status[k], fits.nfev[k], fits.njev[k], fits.nit[k],
        )  # fmt: skip
        if np.isfinite(fits.stderr[k]).all():
            np.testing.assert_allclose(one.standard_errors, fits.stderr[k], rtol=1e-6)


def test_a_sine_that_is_zero_at_all_points() -> None:
    # Its amplitude would be the reciprocal of rounding errors.
    t, y = np.repeat([1.0, 2.0], 9), np.arange(18.0)
    means = np.repeat([4.0, 13.0], 9)
    found = lmoo.fit(models.DampedSine(), t, y)
    np.testing.assert_allclose(2 * found.cost, np.sum((y - means) ** 2), rtol=1e-9)


def test_weights_and_missing_points() -> None:
    model, t, x, y = sample("Gaussian", 60, 0.02)
    rng = np.random.default_rng(0)
    sigma = rng.uniform(0.5, 2.0, y.shape)
    y[rng.random(y.shape) < 0.1] = np.nan
    y[7] = np.nan
    compiled = lmoo.curve_fit_many(model, t, y, x, sigma=sigma, nan_policy="omit")
    formula = CASES["Gaussian"][2]
    plain = lmoo.curve_fit_many(formula, t, y, x, sigma=sigma, nan_policy="omit")
    assert compiled.status[7] == plain.status[7] == lmoo.Status.IMPROPER_INPUT
    assert np.isnan(compiled.x[7]).all()
    others = np.arange(60) != 7
    difference = (compiled.x - plain.x)[others] / plain.stderr[others]
    assert np.abs(difference).max() < 1e-4
    np.testing.assert_array_equal(compiled.success, plain.success)
    np.testing.assert_allclose(compiled.stderr[others], plain.stderr[others], rtol=1e-5)


@each
def test_starting_values_of_curves_with_missing_points(name: str) -> None:
    model, t, x, y = sample(name, 100, 0.01)
    y[np.random.default_rng(4).random(y.shape) < 0.05] = np.nan
    y[3] = np.nan
    y[4, :-1] = np.nan
    fits = lmoo.curve_fit_many(model, t, y, nan_policy="omit")
    assert fits.status[3] == lmoo.Status.IMPROPER_INPUT
    assert np.isinf(fits.stderr[4]).all() or not fits.success[4]
    assert np.mean(fits.success) > 0.9
    z = ((fits.x - x) / fits.stderr)[fits.success]
    assert np.mean(np.abs(z) < 5) > 0.95


def test_t_of_each_curve() -> None:
    model, t, x, _ = sample("Exponential", 30)
    times = t * np.random.default_rng(2).uniform(0.8, 1.2, (30, 1))
    y = model(times, *x.T[:, :, None])
    np.testing.assert_allclose(lmoo.curve_fit_many(model, times, y).x, x, rtol=1e-7)


def test_bad_fits_spoil_no_other() -> None:
    model, t, x, y = sample("StretchedExponential", 100, 0.01)
    start = x.copy()
    start[17, 1] = -1.0  # the logarithm of a negative number
    y[40] = 3.0  # no parameter but the offset means anything, and no noise is left
    fits = lmoo.curve_fit_many(model, t, y, start)
    assert fits.status[17] == lmoo.Status.NOT_FINITE
    assert np.isfinite(fits.x[40]).all()
    others = np.setdiff1d(np.arange(100), [17, 40])
    assert fits.success[others].all()
    np.testing.assert_array_equal(
        fits.x[others], lmoo.curve_fit_many(model, t, y[others], x[others]).x
    )


def test_a_subclass_and_an_executor() -> None:
    model, t, x, y = sample("Exponential", 500, 0.01)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again(t, 1.0, 2.0, 3.0), model(t, 1.0, 2.0, 3.0))
    assert pickle.loads(pickle.dumps(models.Gaussian2D(True))).integrated
    with processes(1) as executor:
        there = lmoo.curve_fit_many(model, t, y, x, executor=executor)
    np.testing.assert_array_equal(there.x, lmoo.curve_fit_many(model, t, y, x).x)

    class Decay(models.Exponential):
        parameter_names = ("a", "k", "c")

        def guess(self, t: Any, y: Array) -> Array:
            return np.tile([2.0, 1.0, 0.0], (len(y), 1))

    fits = lmoo.curve_fit_many(Decay(), t, y)
    assert fits.success.all()
    assert fits[4].parameter_names == ("a", "k", "c")


def test_bad_arguments_are_named() -> None:
    model, t, x, y = sample("Gaussian2D", 5)
    with pytest.raises(ValueError, match="t must be 2 arrays for Gaussian2D; it has 1"):
        lmoo.curve_fit_many(model, U, y)
    with pytest.raises(ValueError, match=r"p0 must have one value for each of the 5 .* has 3"):
        lmoo.curve_fit_many(model, t, y, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="jac must be None for a compiled model"):
        lmoo.curve_fit_many(model, t, y, x, jac=lambda *p: None)
    with pytest.raises(TypeError, match="p0 must be given; only models of lmoo"):
        lmoo.curve_fit_many(lambda t, a: a * t, U, y)
    with pytest.raises(TypeError, match="Gaussian2D takes 5 parameters; 2 were given"):
        model(t, 1.0, 2.0)
    with pytest.raises(ValueError, match="y must have one value for each of t"):
        model.problem(t, y[0][:-1])
    with pytest.raises(ValueError, match="t must be 2 arrays"):
        model.problem(U, y[0])
    with pytest.raises(TypeError, match="PyCapsule"):
        models.CompiledModel(3)


def test_as_many_names_as_parameters() -> None:
    class Short(models.Exponential):
        parameter_names = ("a", "b")

    with pytest.raises(ValueError, match="parameter_names must have one entry per parameter, 3"):
        Short()


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(CASES)), st.integers(1, 40), st.integers(0, 2**31))
def test_any_data_at_all(name: str, count: int, seed: int) -> None:
    model, t, _, low, _ = CASES[name]
    rng = np.random.default_rng(seed)
    m = len(t[0]) if isinstance(t, tuple) else len(t)
    y = rng.standard_normal((count, m)) * 10.0 ** rng.integers(-150, 150)
    fits = lmoo.curve_fit_many(model, t, y, low * rng.uniform(0.1, 10.0, (count, len(low))))
    assert np.isfinite(fits.x).all()
    assert (fits.status != 0).all()
    good = fits.success
    assert np.isfinite(fits.cost[good]).all()


@pytest.mark.parametrize("name", sorted(classic.__all__))
def test_a_guess_for_one_curve_is_that_of_a_stack_of_one(name: str) -> None:
    model = getattr(lmoo.models, name)()
    t: Any = np.linspace(0.1, 5.0, 48)
    if model.variables > 1:
        t = tuple(part.ravel() for part in np.meshgrid(np.arange(8.0), np.arange(6.0)))
    y = model(t, *np.linspace(1.0, 2.0, model.n))
    one, stack = model.guess(t, y), model.guess(t, y[None])
    assert one.shape == (model.n,)
    assert stack.shape == (1, model.n)
    np.testing.assert_array_equal(one, stack[0])
    lists = tuple(map(list, t)) if model.variables > 1 else list(t)
    np.testing.assert_array_equal(model.guess(lists, list(y)), one)
    rows = tuple(part[None] for part in t) if model.variables > 1 else t[None]
    np.testing.assert_array_equal(model.guess(rows, y[None]), stack)
    result = lmoo.Solver().solve(model.problem(t, y), one)
    assert result.x.shape == (model.n,)
    masked = np.ma.array(np.where(np.arange(48) == 5, 1e9, y), mask=np.arange(48) == 5)
    assert np.abs(model.guess(t, masked)).max() < 1e6


@pytest.mark.parametrize(
    ("t", "y", "match"),
    [
        (np.ones(5), np.ones(6), r"t must have shape \(6,\)"),
        (np.ones(5), np.ones((2, 6)), r"t must have shape \(6,\) or \(2, 6\)"),
        ((np.ones(6), np.ones(6)), np.ones(6), "t must be 1 arrays for Exponential; it has 2"),
        (np.ones(6), 1.0, r"y must have shape \(m,\) or \(k, m\)"),
        (np.ones(0), np.ones(0), r"y must have shape \(m,\) or \(k, m\), m > 0"),
    ],
)
def test_a_guess_for_data_that_do_not_fit_is_refused(t: Any, y: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        lmoo.models.Exponential().guess(t, y)
