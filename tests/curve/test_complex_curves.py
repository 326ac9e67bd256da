"""Complex curves are fitted as their real and imaginary parts."""

import pickle

import matplotlib as mpl
import numpy as np
import pytest

import lmoo
from lmoo.errors import TraceError

mpl.use("Agg")

W = np.linspace(1.0, 3.0, 40)
START = (1.0, 1.8, 0.2, 0.1)
TRUE = (2.0, 2.1, 0.3, 0.15)
RNG = np.random.default_rng(5)
NOISE = RNG.normal(size=W.size) + 2j * RNG.normal(size=W.size)


def resonance(w, a, w0, g, c):
    return a / (w0**2 - w**2 + 1j * g * w) + c


def resonance_jacobian(w, a, w0, g, c):
    d = w0**2 - w**2 + 1j * g * w
    return np.stack([1 / d, -2 * a * w0 / d**2, -1j * a * w / d**2, np.ones(w.size)], axis=1)


Z = resonance(W, *TRUE) + 0.02 * NOISE


def parts(values):
    return np.concatenate([values.real, values.imag])


def by_hand(sigma=1.0, z=Z, w=W):
    """Return the fit of both parts as a plain problem."""
    problem = lmoo.FunctionProblem(lambda x: parts(resonance(w, *x) - z) / sigma)
    return lmoo.Solver().solve(problem, START)


def same(found, expected, rtol=1e-7):
    assert found.success
    np.testing.assert_allclose(found.x, expected.x, rtol=rtol)
    np.testing.assert_allclose(found.standard_errors, expected.standard_errors, rtol=1e-5)
    assert found.observations == expected.observations


FORMS = {
    "traced": lambda **k: lmoo.CurveProblem(resonance, W, Z, trace=True, **k),
    "called": lambda **k: lmoo.CurveProblem(resonance, W, Z, trace=False, **k),
    "jacobian": lambda **k: lmoo.CurveProblem(resonance, W, Z, jac=resonance_jacobian, **k),
    "model": lambda **k: lmoo.CurveProblem(lmoo.trace(resonance), W, Z, trace=True, **k),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_fit_is_that_of_both_parts(form):
    found = lmoo.Solver().solve(FORMS[form](), START)
    same(found, by_hand())
    assert found.observations == 2 * W.size
    np.testing.assert_allclose(found.residual, parts(resonance(W, *found.x) - Z), atol=1e-13)
    assert found.parameter_names == ("a", "w0", "g", "c")
    assert found.evaluation.startswith("compiled" if form in ("traced", "model") else "called")


@pytest.mark.parametrize("form", FORMS)
def test_sigma_is_that_of_each_part(form):
    real = 0.01 + 0.01 * W
    same(lmoo.Solver().solve(FORMS[form](sigma=real), START), by_hand(np.tile(real, 2)))
    both = 0.02 * np.ones(W.size) + 0.04j
    same(lmoo.Solver().solve(FORMS[form](sigma=both), START), by_hand(parts(both)))
    same(lmoo.Solver().solve(FORMS[form](sigma=0.02 + 0.04j), START), by_hand(parts(both)))
    matrix = np.diag(parts(both) ** 2)
    if form != "traced" and form != "model":
        same(lmoo.Solver().solve(FORMS[form](sigma=matrix), START), by_hand(parts(both)))


def test_curve_fit():
    popt, pcov = lmoo.curve_fit(resonance, W, Z, START)
    expected = by_hand()
    np.testing.assert_allclose(popt, expected.x, rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(pcov)), expected.standard_errors, rtol=1e-4)
    info = lmoo.curve_fit(resonance, W, Z, START, full_output=True)[2]
    assert info["fvec"].shape == (2 * W.size,)
    sigma = 0.02 + 0.04j
    absolute = lmoo.curve_fit(
        resonance, list(W), list(Z), START, sigma=np.full(W.size, sigma), absolute_sigma=True
    )
    both = by_hand(parts(np.full(W.size, sigma)))
    np.testing.assert_allclose(absolute[1], both.covariance(scaled=False), rtol=1e-5)
    jac = lmoo.curve_fit(resonance, W, Z, START, jac=resonance_jacobian)
    np.testing.assert_allclose(jac[0], popt, rtol=1e-6)
    bounds = lmoo.curve_fit(resonance, W, Z, START, bounds={"g": (0.0, 0.25)})[0]
    assert bounds[2] == 0.25


def test_fit_needs_starting_values_of_the_others_alone():
    expected = by_hand()
    same(lmoo.fit(resonance, W, Z, START), expected)
    same(lmoo.fit(resonance, W, Z, {"w0": 1.8, "g": 0.2}), expected)
    same(lmoo.fit(lmoo.trace(resonance), W, Z, {"w0": 1.8, "g": 0.2}), expected)
    with pytest.raises(
        ValueError, match=r"p0 must have starting values for complex y.*none for a, g, c"
    ):
        lmoo.fit(resonance, W, Z, {"w0": 1.8})
    with pytest.raises(ValueError, match="none for a, w0, g, c"):
        lmoo.fit(resonance, W, Z)


def test_a_model_with_real_values():
    def line(t, a, b):
        return a + b * t

    z = 1.0 + 2.0 * W + 0.5j * np.cos(9 * W)
    found = lmoo.fit(line, W, z, [0.0, 0.0])
    np.testing.assert_allclose(found.x, [1.0, 2.0], rtol=1e-10)
    assert found.observations == 2 * W.size
    text = lmoo.fit("a + b*t", W, z, [0.0, 0.0])
    np.testing.assert_allclose(text.x, found.x)


def test_predictions_are_complex():
    found = lmoo.Solver().solve(FORMS["traced"](), START)
    np.testing.assert_allclose(found.predict(), resonance(W, *found.x), rtol=1e-13)
    y, lower, upper = found.predict([1.5, 2.5], "confidence")
    assert y.shape == (2,)
    assert (lower.real < y.real).all()
    assert (y.imag < upper.imag).all()
    np.testing.assert_allclose(y, resonance(np.array([1.5, 2.5]), *found.x))
    # A complex constant has two numbers.
    spread = np.sum(np.abs(Z - Z.mean()) ** 2)
    assert found.r_squared == pytest.approx(1 - 2 * found.cost / spread)


def test_results_have_statistics_plots_and_pickles():
    found = lmoo.Solver().solve(FORMS["traced"](sigma=0.02 + 0.04j), START)
    assert found.leverage.sum() == pytest.approx(4.0)
    assert found.standardized_residuals.shape == (2 * W.size,)
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.predict([2.0]), found.predict([2.0]))
    above, _ = found.plot()
    drawn = {line.get_label(): line.get_xdata() for line in above.get_lines()}
    assert drawn["fit, real"].size == drawn["fit, imaginary"].size == 400
    mpl.pyplot.close("all")
    profile = found.confidence_interval(method="profile")
    np.testing.assert_allclose(profile, found.confidence_interval(), rtol=0.05)


def test_points_that_are_missing_go_with_both_parts():
    z, sigma = Z.copy(), 0.02 + 0.01 * W
    z[3], z[7] = complex(np.nan, 1.0), complex(0.0, np.nan)
    keep = ~np.isnan(z)
    expected = by_hand(np.tile(sigma[keep], 2), z[keep], W[keep])
    found = lmoo.Solver().solve(lmoo.CurveProblem(resonance, W, z, sigma, nan_policy="omit"), START)
    same(found, expected)
    masked = np.ma.masked_invalid(z)
    same(lmoo.Solver().solve(lmoo.CurveProblem(resonance, W, masked, sigma), START), expected)
    hidden = np.ma.array(sigma, mask=~keep)
    same(lmoo.Solver().solve(lmoo.CurveProblem(resonance, W, Z, hidden), START), expected, 0.1)


def test_losses_bounds_and_fixed_parameters():
    z = Z.copy()
    z[5] += 5.0
    problem = lmoo.CurveProblem(resonance, W, z, fixed={"c": 0.15})
    found = lmoo.Solver(loss="tukey", f_scale=0.1).solve(problem, START)
    np.testing.assert_allclose(found.x[:3], TRUE[:3], rtol=0.05)
    assert found.robust.weights.shape == (2 * W.size,)


def test_a_function_is_traced_for_real_and_for_complex_curves():
    def decay(t, a, b):
        return a * np.exp(-b * t)

    y = decay(W, 2.0, 0.5)
    for values, count in ((y, W.size), (y + 0j, 2 * W.size), (y, W.size)):
        found = lmoo.Solver().solve(lmoo.CurveProblem(decay, W, values, trace=True), [1.0, 1.0])
        np.testing.assert_allclose(found.x, [2.0, 0.5], rtol=1e-8)
        assert found.observations == count


def test_several_variables():
    def model(t, a, b):
        return a * t[0] + 1j * b * t[1]

    t = (W, W**2)
    found = lmoo.fit(model, t, model(t, 2.0, 3.0), [1.0, 1.0])
    np.testing.assert_allclose(found.x, [2.0, 3.0])
    rows = lmoo.fit(model, np.stack(t), model(t, 2.0, 3.0), [1.0, 1.0])
    np.testing.assert_allclose(rows.x, [2.0, 3.0])


def test_linear_parameters_are_eliminated():
    problem = FORMS["traced"]()
    found = lmoo.Solver(separable=True).solve(problem, [0.0, 1.8, 0.2, 0.0])
    same(found, by_hand())
    called = lmoo.CurveProblem(resonance, W, Z, trace=False, linear_parameters=["a", "c"])
    same(lmoo.Solver(separable=True).solve(called, [0.0, 1.8, 0.2, 0.0]), by_hand())


CURVES = resonance(W, np.linspace(1, 3, 8)[:, None], 2.1, 0.3, 0.15) + 0.02 * NOISE


@pytest.mark.parametrize("options", [{}, {"trace": False}, {"trace": False, "vectorized": False}])
@pytest.mark.parametrize("sigma", [None, 0.1 + 0.1 * W, 0.02 * np.ones(W.size) + 0.04j])
def test_stacks(options, sigma):
    fits = lmoo.curve_fit_many(resonance, W, CURVES, START, sigma=sigma, **options)
    assert fits.success.all()
    for k in (0, 5):
        one = lmoo.Solver().solve(lmoo.CurveProblem(resonance, W, CURVES[k], sigma), START)
        np.testing.assert_allclose(fits.x[k], one.x, rtol=1e-7)
        np.testing.assert_allclose(fits.stderr[k], one.standard_errors, rtol=1e-4)
        alone = fits[k]
        assert alone.observations == 2 * W.size
        np.testing.assert_allclose(alone.predict(), one.predict(), rtol=1e-6)
        np.testing.assert_allclose(alone.predict([2.0]), one.predict([2.0]), rtol=1e-6)


def test_stacks_with_missing_points_variables_and_derivatives():
    curves = CURVES.copy()
    curves[2, 4] = complex(1.0, np.nan)
    fits = lmoo.curve_fit_many(resonance, W, curves, START, nan_policy="omit")
    masked = lmoo.curve_fit_many(resonance, W, np.ma.masked_invalid(curves), START)
    np.testing.assert_array_equal(fits.x, masked.x)
    assert fits[2].observations == 2 * W.size - 2

    def jac(w, a, w0, g, c):
        d = w0**2 - w**2 + 1j * g * w
        return 1 / d, -2 * a * w0 / d**2, -1j * a * w / d**2, np.ones(w.shape)

    given = lmoo.curve_fit_many(resonance, W, CURVES, START, jac=jac)
    plain = lmoo.curve_fit_many(resonance, W, CURVES, START)
    np.testing.assert_allclose(given.x, plain.x, rtol=1e-8)

    def two(t, a, b):
        u, v = t
        return a * u + 1j * b * v

    t = (W, W**2)
    found = lmoo.curve_fit_many(two, t, np.stack([two(t, 2.0, 3.0)] * 2), [1.0, 1.0])
    np.testing.assert_allclose(found.x, [[2.0, 3.0]] * 2)
    reduced = lmoo.curve_fit_many(resonance, W, CURVES, START, solver=lmoo.Solver(separable=True))
    np.testing.assert_allclose(reduced.x, plain.x, rtol=1e-8)


# ---- bad input ----


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"y": Z[None]}, ValueError, "y must be 1-D"),
        ({"y": Z[:0], "t": W[:0]}, ValueError, "y must not be empty"),
        ({"y": np.where(W > 2, Z, np.inf)}, ValueError, "y must be finite"),
        ({"y": np.where(W > 2, Z, np.nan)}, ValueError, "y must be finite, or nan_policy"),
        ({"sigma": np.ones(W.size - 1)}, ValueError, "sigma must be a number, or have shape"),
        ({"sigma": np.eye(W.size)}, ValueError, "covariance of shape"),
        ({"sigma": 1j * np.eye(2 * W.size)}, ValueError, "it is complex"),
        ({"sigma": np.ones(W.size) + 0j}, ValueError, "sigma must be positive"),
        ({"sigma": -1.0}, ValueError, "sigma must be positive"),
        ({"sigma": ["a"] * W.size}, TypeError, "sigma must be real or complex numbers"),
        ({"f": 3}, TypeError, "f must be callable"),
        ({"nan_policy": "drop"}, ValueError, "nan_policy must be"),
    ],
)
def test_bad_data_are_refused(arguments, error, message):
    given = {"f": resonance, "t": W, "y": Z, **arguments}
    with pytest.raises(error, match=message):
        lmoo.CurveProblem(**given)


def test_bad_values_of_models_are_refused():
    def solve(f):
        return lmoo.Solver().solve(
            lmoo.CurveProblem(f, W, Z, trace=False, parameter_names=["a"]), [1.0]
        )

    with pytest.raises(ValueError, match=r"40 real numbers|shape"):
        solve(lambda t, a: a * Z[:5])
    with pytest.raises(ValueError, match="a number for each point"):
        solve(lambda t, a: a * 1j)
    with pytest.raises(TypeError, match="f must return complex or real numbers"):
        solve(lambda t, a: np.array(["x"] * W.size))
    with pytest.raises(lmoo.EvaluationError, match="finite"):
        solve(lambda t, a: a * np.nan * Z)


def test_complex_values_for_a_real_curve_are_refused():
    for trace in ("auto", False):
        problem = lmoo.CurveProblem(resonance, W, Z.real, trace=trace)
        with pytest.raises(TypeError, match="complex"):
            lmoo.Solver().solve(problem, START)
    with pytest.raises(TypeError, match="complex"):
        lmoo.curve_fit(resonance, W, Z.real, START)
    with pytest.raises(TypeError, match="real numbers; it returned dtype complex128"):
        lmoo.curve_fit_many(resonance, W, CURVES.real, START)
    with pytest.raises(TraceError, match="complex"):
        lmoo.Solver().solve(lmoo.CurveProblem(resonance, W, Z.real, trace=True), START)
    with pytest.raises(TypeError, match="ydata must be real numbers"):
        lmoo.CurveBlocks(resonance, W, Z)


def test_bad_stacks_are_refused():
    with pytest.raises(TypeError, match="p0 must be given"):
        lmoo.curve_fit_many(resonance, W, CURVES)
    with pytest.raises(TypeError, match="sigma must be real or complex"):
        lmoo.curve_fit_many(resonance, W, CURVES, START, sigma=["a"] * W.size)
    with pytest.raises(ValueError, match="y must"):
        lmoo.curve_fit_many(resonance, W, np.full((2, W.size), np.nan + 1j), START)
    with pytest.raises(ValueError, match="sigma must be positive"):
        lmoo.curve_fit_many(resonance, W, CURVES, START, sigma=np.ones(W.size) + 0j)
