"""Errors in x, against ODRPACK (scipy.odr) and against the same problem written by hand."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lmoo

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    odr = pytest.importorskip("scipy.odr")

# Pearson (1901) with the weights of York (1966).
PEARSON_T = np.array([0, 0.9, 1.8, 2.6, 3.3, 4.4, 5.2, 6.1, 6.5, 7.4])
PEARSON_Y = np.array([5.9, 5.4, 4.4, 4.6, 3.5, 3.7, 2.8, 2.8, 2.4, 1.5])
YORK_T = 1 / np.sqrt(np.array([1000, 1000, 500, 800, 200, 80, 60, 20, 1.8, 1]))
YORK_Y = 1 / np.sqrt(np.array([1, 1.8, 4, 8, 20, 20, 70, 70, 100, 500]))


def line(t, a, b):
    return a + b * t


def guide(t, b1, b2, b3):
    """The example of explicit orthogonal distance regression in the User's guide of ODRPACK."""
    return b1 + b2 * (np.exp(b3 * t) - 1.0) ** 2


GUIDE_T = np.array([0, 0, 5, 7, 7.5, 10, 16, 26, 30, 34, 34.5, 100.0])
GUIDE_Y = np.array(
    [1265, 1263.6, 1258, 1254, 1253, 1249.8, 1237, 1218, 1220.6, 1213.8, 1215.5, 1212]
)


def made(f, x, t, sigma_x, sigma, seed):
    """Return data with errors in both variables."""
    rng = np.random.default_rng(seed)
    y = f(t, *x) + sigma * rng.normal(size=t.shape[-1])
    return f, t + sigma_x * rng.normal(size=t.shape), y, sigma_x, sigma, np.asarray(x) * 1.1


def exponential(t, a, b, c):
    return a * np.exp(-b * t) + c


def peak(t, a, m, w, c):
    return a * np.exp(-(((t - m) / w) ** 2)) + c


def growth(t, a, b, c):
    return a / (1 + np.exp(b - c * t))


def saturation(t, v, k):
    return v * t / (k + t)


def wave(t, a, w, p):
    return a * np.sin(w * t + p)


def power(t, a, b):
    return a * t**b


def parabola(t, a, b, c):
    return a + b * t + c * t**2


def plane(t, a, b, c):
    return a + b * t[0] + c * t[0] * t[1]


def surface(t, a, b):
    return a * np.exp(-b * (t[0] ** 2 + t[1] ** 2))


PAIRS = np.stack([np.linspace(0, 4, 30), np.cos(np.linspace(0, 9, 30))])

PROBLEMS = {
    "York": (line, PEARSON_T, PEARSON_Y, YORK_T, YORK_Y, [5.0, -0.5]),
    "exponential": made(exponential, [3.0, 0.8, 0.5], np.linspace(0, 5, 25), 0.05, 0.03, 1),
    "peak": made(peak, [4.0, 1.0, 0.8, 0.3], np.linspace(-2, 4, 40), 0.04, 0.05, 2),
    "growth": made(growth, [10.0, 3.0, 1.2], np.linspace(0, 6, 20), 0.1, 0.1, 3),
    "saturation": made(saturation, [5.0, 1.5], np.linspace(0.5, 9, 18), 0.1, 0.05, 4),
    "wave": made(wave, [2.0, 1.3, 0.4], np.linspace(0, 8, 30), 0.03, 0.1, 5),
    "power": made(power, [2.0, 1.7], np.linspace(1, 6, 15), 0.05, 0.3, 6),
    "parabola": made(parabola, [1.0, -2.0, 0.5], np.linspace(-3, 5, 22), 0.1, 0.1, 7),
    "plane": made(plane, [1.0, 2.0, -1.0], PAIRS, 0.05, 0.1, 8),
    "surface": made(surface, [3.0, 0.4], PAIRS / 2, 0.03, 0.02, 9),
}


def odrpack(f, t, y, sigma_x, sigma, x0, **options):
    """Return the values and the standard errors of ODRPACK, and its sum of squares."""
    if sigma_x is not None and np.ndim(sigma_x) == 0 and t.ndim > 1:
        sigma_x = np.full(t.shape, sigma_x)
    data = odr.RealData(t, y, sx=sigma_x, sy=sigma, **options)
    run = odr.ODR(data, odr.Model(lambda b, t: f(t, *b)), x0, sstol=1e-16, partol=1e-16, maxit=500)
    run.set_job(fit_type=0, deriv=1)
    out = run.run()
    return out.beta, out.sd_beta, out.sum_square, out.xplus


@pytest.mark.parametrize("name", list(PROBLEMS))
@pytest.mark.parametrize("trace", ["auto", False])
def test_agreement_with_odrpack(name, trace):
    f, t, y, sigma_x, sigma, x0 = PROBLEMS[name]
    problem = lmoo.CurveProblem(f, t, y, sigma, sigma_x=sigma_x, trace=trace)
    result = lmoo.Solver().solve(problem, x0)
    beta, errors, squares, points = odrpack(*PROBLEMS[name])
    assert result.success
    assert result.evaluation.startswith("compiled" if trace == "auto" else "called")
    np.testing.assert_allclose(result.x, beta, rtol=1e-6)
    np.testing.assert_allclose(result.stderr, errors, rtol=2e-6)
    assert 2 * result.cost == pytest.approx(squares, rel=1e-9)
    np.testing.assert_allclose(result.estimated_t, points, atol=2e-6 * np.ptp(t))
    assert result.degrees_of_freedom == y.size - len(x0)
    assert result.observations == y.size
    np.testing.assert_allclose((result.residual**2).sum(), 2 * result.cost, rtol=1e-12)


def test_the_example_of_odrpacks_guide_with_points_that_are_exact():
    """Its values; the standard deviations of x are 0 where the guide fixes x."""
    sigma_x = np.where(np.isin(np.arange(12), (0, 1, 11)), 0.0, 1.0)
    problem = lmoo.CurveProblem(guide, GUIDE_T, GUIDE_Y, sigma_x=sigma_x)
    result = lmoo.Solver().solve(problem, [1500.0, -50.0, -0.1])
    # The guide stops before the last digits.
    np.testing.assert_allclose(result.x, [1.26465481e3, -5.40184100e1, -8.78497122e-2], rtol=2e-6)
    assert result.estimated_t[[0, 1, 11]].tolist() == [0.0, 0.0, 100.0]
    run = odr.ODR(
        odr.Data(GUIDE_T, GUIDE_Y), odr.Model(lambda b, t: guide(t, *b)), [1500.0, -50.0, -0.1],
        ifixx=(sigma_x > 0).astype(int), sstol=1e-16, partol=1e-16,
    )  # fmt: skip
    run.set_job(deriv=1)
    out = run.run()
    np.testing.assert_allclose(result.x, out.beta, rtol=1e-6)
    np.testing.assert_allclose(result.stderr, out.sd_beta, rtol=2e-6)


def test_yorks_solution():
    """The values of York (1966), improved by Reed (1992)."""
    result = lmoo.Solver().solve(
        lmoo.CurveProblem(line, PEARSON_T, PEARSON_Y, YORK_Y, sigma_x=YORK_T), [5.0, -0.5]
    )
    np.testing.assert_allclose(result.x, [5.47991022, -0.48053341], atol=1e-8)
    assert result.reduced_chi_square == pytest.approx(11.8663531941 / 8)


def by_hand(f, t, y, sigma, roots, x0):
    """Return the result of the whole problem, with the points as parameters."""
    k, m, n = roots.shape[1], y.size, len(x0)
    points = np.atleast_2d(t)

    def residual(x):
        u = x[n:].reshape(m, k)
        where = points + np.einsum("ijl,il->ji", roots, u)
        return np.concatenate([(f(where if t.ndim > 1 else where[0], *x[:n]) - y) / sigma, x[n:]])

    return lmoo.Solver().solve(lmoo.FunctionProblem(residual), [*x0, *np.zeros(m * k)])


@given(st.integers(0, 2**31), st.floats(0.01, 0.3), st.floats(0.01, 0.3))
@settings(max_examples=20, deadline=None)
def test_the_whole_problem_by_hand(seed, sigma_x, sigma):
    f, t, y, _, _, x0 = made(
        exponential, [3.0, 0.8, 0.5], np.linspace(0, 5, 12), sigma_x, sigma, seed
    )
    result = lmoo.Solver().solve(lmoo.CurveProblem(f, t, y, sigma, sigma_x=sigma_x), x0)
    expected = by_hand(f, t, y, sigma, np.full((12, 1, 1), sigma_x), x0)
    if abs(result.cost / expected.cost - 1) < 1e-6:
        scale = expected.stderr[:3]
        np.testing.assert_allclose(result.x / scale, expected.x[:3] / scale, atol=1e-6)
        np.testing.assert_allclose(result.stderr, expected.stderr[:3], rtol=1e-4)
        moved = (result.estimated_t - t) / sigma_x
        np.testing.assert_allclose(moved, expected.x[3:], atol=1e-4)
    else:
        # Another minimum.
        assert result.success


def test_covariances_of_several_variables():
    f, t, y, _, sigma, x0 = PROBLEMS["plane"]
    rng = np.random.default_rng(0)
    roots = 0.05 * (np.eye(2) + 0.5 * np.tril(rng.normal(size=(30, 2, 2)), -1))
    covariance = roots @ np.swapaxes(roots, 1, 2)
    result = lmoo.Solver().solve(lmoo.CurveProblem(f, t, y, sigma, sigma_x=covariance), x0)
    expected = by_hand(f, t, y, sigma, roots, x0)
    np.testing.assert_allclose(result.x, expected.x[:3], rtol=1e-7)
    np.testing.assert_allclose(result.stderr, expected.stderr[:3], rtol=1e-6)
    beta, errors, _, _ = odrpack(f, t, y, None, sigma, x0, covx=np.moveaxis(covariance, 0, -1))
    np.testing.assert_allclose(result.x, beta, rtol=1e-6)
    np.testing.assert_allclose(result.stderr, errors, rtol=2e-6)


def test_one_of_several_variables_is_exact():
    f, t, y, _, sigma, x0 = PROBLEMS["plane"]
    result = lmoo.Solver().solve(lmoo.CurveProblem(f, t, y, sigma, sigma_x=(0.05, 0.0)), x0)
    roots = np.zeros((30, 2, 2))
    roots[:, 0, 0] = 0.05
    expected = by_hand(f, t, y, sigma, roots, x0)
    np.testing.assert_allclose(result.x, expected.x[:3], rtol=1e-7)
    np.testing.assert_array_equal(result.estimated_t[1], t[1])
    tupled = lmoo.CurveProblem(f, tuple(t), y, sigma, sigma_x=(np.full(30, 0.05), 0.0))
    again = lmoo.Solver().solve(tupled, x0)
    np.testing.assert_array_equal(again.x, result.x)
    assert isinstance(again.estimated_t, tuple)


def test_without_errors_in_x_it_is_the_ordinary_fit():
    f, t, y, _, sigma, x0 = PROBLEMS["exponential"]
    tiny = lmoo.Solver().solve(lmoo.CurveProblem(f, t, y, sigma, sigma_x=1e-9), x0)
    plain = lmoo.Solver().solve(lmoo.CurveProblem(f, t, y, sigma), x0)
    np.testing.assert_allclose(tiny.x, plain.x, rtol=1e-7)
    np.testing.assert_allclose(tiny.stderr, plain.stderr, rtol=1e-6)


def test_derivatives_of_the_users():
    f, t, y, sigma_x, sigma, x0 = PROBLEMS["exponential"]

    def jac(t, a, b, c):
        return np.stack([np.exp(-b * t), -a * t * np.exp(-b * t), np.ones_like(t)], axis=1)

    given = lmoo.CurveProblem(f, t, y, sigma, jac, sigma_x=sigma_x)
    expected = lmoo.Solver().solve(lmoo.CurveProblem(f, t, y, sigma, sigma_x=sigma_x), x0)
    np.testing.assert_allclose(lmoo.Solver().solve(given, x0).x, expected.x, rtol=1e-8)
    wrong = lmoo.CurveProblem(f, t, y, sigma, lambda t, a, b, c: np.ones((t.size, 2)), sigma_x=0.1)
    with pytest.raises(ValueError, match="jac must return 3 derivatives"):
        lmoo.Solver().solve(wrong, x0)


def test_bounds_fixed_parameters_and_profiles():
    f, t, y, sigma_x, sigma, x0 = PROBLEMS["exponential"]
    options = {"bounds": {"b": (0, 0.6)}, "fixed": {"c": 0.5}}
    problem = lmoo.CurveProblem(f, t, y, sigma, sigma_x=sigma_x, **options)
    result = lmoo.Solver().solve(problem, [3.0, 0.5, 0.5])
    assert result.success
    assert result.x[1] == 0.6
    assert result.active_mask[1] == 1
    assert result.x[2] == 0.5
    assert result.fixed.tolist() == [False, False, True]
    assert result.stderr[1] == result.stderr[2] == 0.0 < result.stderr[0]
    free = lmoo.Solver().solve(lmoo.CurveProblem(f, t, y, sigma, sigma_x=sigma_x), x0)
    linear, profile = free.confidence_interval(), free.confidence_interval(method="profile")
    assert (np.abs(profile - linear) < 0.3 * free.stderr[:, None]).all()
    # An end of a profile has the cost that the quantile tells.
    other = lmoo.CurveProblem(f, t, y, sigma, sigma_x=sigma_x, fixed={"b": profile[1, 0]})
    cost = lmoo.Solver().solve(other, free.x).cost
    from scipy.stats import t as student

    q = student.ppf(0.975, free.degrees_of_freedom)
    assert 2 * (cost - free.cost) == pytest.approx(q**2 * free.reduced_chi_square, rel=1e-4)


def test_predictions_reports_storage_and_plots():
    import pickle

    f, t, y, sigma_x, sigma, x0 = PROBLEMS["exponential"]
    result = lmoo.Solver().solve(lmoo.CurveProblem(f, t, y, sigma, sigma_x=sigma_x), x0)
    value, low, high = result.predict([1.0], interval="confidence")
    assert value == f(1.0, *result.x)
    assert low < value < high
    assert "25, 3 (22 degrees of freedom)" in str(result)
    assert np.isnan(result.r_squared)
    again = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(again.estimated_t, result.estimated_t)
    stored = lmoo.Result.from_dict(result.to_dict())
    np.testing.assert_allclose(stored.stderr, result.stderr)
    for name in ("leverage", "standardized_residuals"):
        with pytest.raises(TypeError, match="errors in x"):
            getattr(result, name)
    pytest.importorskip("matplotlib").use("Agg")
    assert len(result.plot()) == 2


@pytest.mark.parametrize("form", ["one", "array", "tuple"])
def test_estimates_of_t_are_stored(form):
    import copy
    import json
    import pickle

    f, t, y, sigma_x, sigma, x0 = PROBLEMS["exponential" if form == "one" else "plane"]
    given_t = tuple(t) if form == "tuple" else t
    result = lmoo.Solver().solve(lmoo.CurveProblem(f, given_t, y, sigma, sigma_x=sigma_x), x0)
    for stored in (
        lmoo.Result.from_dict(result.to_dict()),
        lmoo.Result.from_dict(json.loads(result.to_json())),
        pickle.loads(pickle.dumps(result)),
    ):
        assert type(stored.estimated_t) is type(result.estimated_t)
        np.testing.assert_array_equal(stored.estimated_t, result.estimated_t)
        assert np.shape(stored.estimated_t) == np.shape(t)
    # What was stored without them.
    older = result.to_dict()
    del older["estimated_t"]
    assert lmoo.Result.from_dict(older).estimated_t is None
    plain = lmoo.Solver().solve(lmoo.CurveProblem(f, given_t, y), x0).to_dict()
    assert plain["estimated_t"] is None
    for bad in (
        [1.0, 2.0],
        "text",
        3.0,
        [[[0.0] * y.size]],
        [[1.0], [1.0, 2.0]],
        {"variables": []},
        {"variables": [[0.0] * y.size, [1.0]]},
        {"other": 1},
        [None] * y.size,
    ):
        damaged = copy.deepcopy(result.to_dict())
        damaged["estimated_t"] = bad
        with pytest.raises(ValueError, match=r"what Result\.to_dict returns; it is not"):
            lmoo.Result.from_dict(damaged)


def test_curve_fit_and_fit():
    f, t, y, sigma_x, sigma, x0 = PROBLEMS["exponential"]
    result = lmoo.Solver().solve(lmoo.CurveProblem(f, t, y, sigma, sigma_x=sigma_x), x0)
    popt, pcov = lmoo.curve_fit(f, t, y, x0, sigma, sigma_x=sigma_x)
    np.testing.assert_allclose(popt, result.x, rtol=1e-9)
    np.testing.assert_allclose(pcov, result.covariance(), rtol=1e-8)
    _, absolute = lmoo.curve_fit(f, t, y, x0, sigma, absolute_sigma=True, sigma_x=sigma_x)
    np.testing.assert_allclose(absolute, result.covariance(scaled=False), rtol=1e-8)
    popt, _, info, _, status = lmoo.curve_fit(
        f, t, y, None, sigma, sigma_x=sigma_x, full_output=True, bounds=([0, 0, 0], [9, 9, 9])
    )
    np.testing.assert_allclose(popt, result.x, rtol=1e-8)
    np.testing.assert_allclose(info["fvec"], result.residual, atol=1e-8)
    assert 1 <= status <= 4
    np.testing.assert_allclose(
        lmoo.fit(f, t, y, sigma=sigma, sigma_x=sigma_x).x, result.x, rtol=1e-8
    )
    given = lmoo.fit(f, t, y, {"a": 3.0}, sigma, sigma_x=sigma_x, bounds={"b": (0, 2)})
    np.testing.assert_allclose(given.x, result.x, rtol=1e-8)
    built_in = lmoo.fit(lmoo.models.Exponential(), t, y, sigma=sigma, sigma_x=sigma_x)
    np.testing.assert_allclose(built_in.x, result.x, rtol=1e-8)
    assert built_in.evaluation == "compiled"


@pytest.mark.parametrize("options", [{}, {"trace": False}, {"bounds": {"tau": (0.1, 9)}}])
@pytest.mark.parametrize("p0", [None, [1.0, 1.0, 0.0]])
def test_curve_fit_with_a_function_that_is_not_traced(options, p0):
    rng = np.random.default_rng(0)
    t = np.linspace(0, 5, 40) + 0.1 * rng.normal(size=40)
    y = 2.0 * np.exp(-t / 1.5) + 0.3 + 0.05 * rng.normal(size=40)
    popt, pcov = lmoo.curve_fit(untraced, t, y, p0=p0, sigma_x=0.1, **options)
    result = lmoo.Solver().solve(lmoo.CurveProblem(untraced, t, y, sigma_x=0.1), [1.0, 1.0, 0.0])
    np.testing.assert_allclose(popt, result.x, rtol=1e-7)
    np.testing.assert_allclose(pcov, result.covariance(), rtol=1e-6)
    _, _, info, _, status = lmoo.curve_fit(
        untraced, t, y, p0, sigma_x=0.1, full_output=True, **options
    )
    assert "njev" not in info
    assert 1 <= status <= 4


@pytest.mark.parametrize("name", ["epsfcn", "diff_step"])
@pytest.mark.parametrize("f", [line, lambda t, a, b: np.array([a + b * float(v) for v in t])])
def test_curve_fit_has_no_steps_of_differences_with_errors_in_x(f, name):
    for p0 in (None, [5.0, -0.5]):
        with pytest.raises(ValueError, match=f"^{name} must be left out with sigma_x.* 1e-06"):
            lmoo.curve_fit(f, PEARSON_T, PEARSON_Y, p0, sigma_x=0.1, **{name: 1e-6})
    # None is the default.
    lmoo.curve_fit(f, PEARSON_T, PEARSON_Y, sigma_x=0.1, **{name: None})


@pytest.mark.parametrize("how", ["mask", "nan"])
def test_points_that_are_left_out_take_their_errors_with_them(how):
    f, t, y, _, sigma, x0 = PROBLEMS["exponential"]
    sigma_x = np.linspace(0.02, 0.1, t.size)
    kept = np.arange(t.size) % 5 != 2
    if how == "mask":
        problem = lmoo.CurveProblem(f, np.ma.array(t, mask=~kept), y, sigma, sigma_x=sigma_x)
    else:
        problem = lmoo.CurveProblem(
            f, t, np.where(kept, y, np.nan), sigma, sigma_x=sigma_x, nan_policy="omit"
        )
    expected = lmoo.CurveProblem(f, t[kept], y[kept], sigma, sigma_x=sigma_x[kept])
    np.testing.assert_array_equal(
        lmoo.Solver().solve(problem, x0).x, lmoo.Solver().solve(expected, x0).x
    )


def test_intervals_have_their_coverage():
    """The 95 % intervals of the slopes of 400 lines contain the true one in 92 to 97 %."""
    rng = np.random.default_rng(1)
    t, inside = np.linspace(0, 10, 20), 0
    for _ in range(400):
        problem = lmoo.CurveProblem(
            line, t + 0.3 * rng.normal(size=20), 1 + 0.5 * t + 0.2 * rng.normal(size=20), 0.2,
            sigma_x=0.3,
        )  # fmt: skip
        low, high = lmoo.Solver().solve(problem, [1.0, 0.5]).confidence_interval()[1]
        inside += low < 0.5 < high
    assert 0.92 * 400 <= inside <= 0.975 * 400


def test_many_points_on_threads():
    f, t, y, sigma_x, sigma, x0 = made(
        exponential, [3.0, 0.8, 0.5], np.linspace(0, 5, 5000), 0.05, 0.03, 1
    )
    result = lmoo.Solver().solve(lmoo.CurveProblem(f, t, y, sigma, sigma_x=sigma_x), x0)
    called = lmoo.Solver().solve(
        lmoo.CurveProblem(f, t, y, sigma, sigma_x=sigma_x, trace=False), x0
    )
    np.testing.assert_allclose(called.x, result.x, rtol=1e-9)
    assert (np.abs(result.x - [3.0, 0.8, 0.5]) < 4 * result.stderr).all()
    assert 0.9 < result.reduced_chi_square < 1.1


def untraced(t, a, tau, c):
    return np.array([a * float(np.exp(-v / tau)) + c for v in np.asarray(t)])


def untraced_in_units(s, u, x0=(1.0, 1.0, 0.0)):
    """Return the fit of an exponential with t in 1 / s and y in 1 / u of its units."""
    rng = np.random.default_rng(0)
    t = np.linspace(0, 5, 40)
    y = 2.0 * np.exp(-t / 1.5) + 0.3 + 0.05 * rng.normal(size=40)
    t = t + 0.1 * rng.normal(size=40)
    problem = lmoo.CurveProblem(untraced, t * s, y * u, 0.05 * u, sigma_x=0.1 * s)
    return lmoo.Solver().solve(problem, np.array(x0) * [u, s, u])


@given(st.integers(-200, 200), st.integers(-200, 200))
@settings(max_examples=15, deadline=None)
def test_steps_of_differences_do_not_depend_on_units(of_t, of_y):
    expected = untraced_in_units(1.0, 1.0)
    result = untraced_in_units(2.0**of_t, 2.0**of_y)
    assert expected.evaluation.startswith("called")
    assert expected.success
    assert result.status == expected.status
    assert (result.nfev, result.njev) == (expected.nfev, expected.njev)
    np.testing.assert_array_equal(np.ldexp(result.x, [-of_y, -of_t, -of_y]), expected.x)


@pytest.mark.parametrize(("s", "u"), [(1e-9, 1.0), (1.0, 1e18), (1e-9, 1e18), (1e6, 1e-12)])
@pytest.mark.parametrize("x0", [(1.0, 1.0, 0.0), (1.0, 1.0, 1e-14), (0.0, 1.0, 0.0)])
def test_differences_find_the_minimum_in_any_units(s, u, x0):
    rng = np.random.default_rng(0)
    t = np.linspace(0, 5, 40)
    y = exponential(t, 2.0, 1 / 1.5, 0.3) + 0.05 * rng.normal(size=40)
    t = t + 0.1 * rng.normal(size=40)
    traced = lmoo.CurveProblem(lambda t, a, tau, c: a * np.exp(-t / tau) + c, t, y, 0.05,
                               sigma_x=0.1)  # fmt: skip
    expected = lmoo.Solver().solve(traced, [1.0, 1.0, 0.0])
    result = untraced_in_units(s, u, x0)
    assert result.success
    np.testing.assert_allclose(result.x, expected.x * [u, s, u], rtol=1e-8)
    np.testing.assert_allclose(result.stderr, expected.stderr * [u, s, u], rtol=1e-5)


def test_differences_where_a_parameter_has_no_effect_or_the_model_ends():
    from lmoo.solver.parametersteps import ParameterDifferences

    t, y = np.linspace(0.0, 1.0, 5), np.ones(5)
    # Nothing depends on it: the derivative is 0, and is not searched again.
    calls = []

    def product(x, t):
        calls.append(x)
        return 1.0 + x[0] * np.exp(-x[1] * t)

    differences = ParameterDifferences(product, y)
    for start in ([0.0, 0.0], [0.0, -3.0]):
        np.testing.assert_allclose(
            differences(np.array(start), t), [np.exp(-start[1] * t), 0.0 * t], rtol=1e-6
        )
    differences(np.zeros(2), t)
    del calls[:]
    differences(np.zeros(2), t)
    # The values, two steps and the derivative by one, one step of the other.
    assert len(calls) == 1 + 6 + 2
    # Where it has an effect it is found.
    np.testing.assert_allclose(differences(np.array([2.0, 0.0]), t)[1], -2.0 * t, rtol=1e-6)
    (row,) = ParameterDifferences(lambda x, t: t + 0.0 * x[0], y)(np.zeros(1), t)
    assert not row.any()

    def ends(x, t):
        if abs(x[0]) > 1e-13:
            raise lmoo.EvaluationError("no values")
        return 1.0 + 1e-3 * x[0] * t

    (row,) = ParameterDifferences(ends, y)(np.zeros(1), t)
    assert np.isfinite(row).all()
    # Values that are all 0: those of the data count.
    (row,) = ParameterDifferences(lambda x, t: 1e30 * x[0] * t, 1e12 * y)(np.zeros(1), t)
    np.testing.assert_allclose(row, 1e30 * t, rtol=1e-9)
    # A step that is too large to begin with.
    (row,) = ParameterDifferences(lambda x, t: np.sin(1e90 * x[0] + t), y)(np.zeros(1), t)
    np.testing.assert_allclose(row, 1e90 * np.cos(t), rtol=1e-6)


def test_a_model_that_returns_a_number():
    result = lmoo.Solver().solve(
        lmoo.CurveProblem(lambda t, a: float(a), PEARSON_T, PEARSON_Y, sigma_x=0.1), [1.0]
    )
    assert result.success
    np.testing.assert_allclose(result.x, PEARSON_Y.mean(), rtol=1e-9)
    for bad in (lambda t, a: [float(a)] * 3, lambda t, a: np.full((10, 1), float(a))):
        problem = lmoo.CurveProblem(bad, PEARSON_T, PEARSON_Y, sigma_x=0.1)
        with pytest.raises(ValueError, match="f must return 10 real numbers, one for each point"):
            lmoo.Solver().solve(problem, [1.0])


@pytest.mark.parametrize("length", [0, 3, 11])
def test_the_compiled_code_checks_lengths(monkeypatch, length):
    from lmoo.solver import errorsinx

    problem = lmoo.CurveProblem(line, PEARSON_T, PEARSON_Y, sigma_x=0.1, trace=False)
    with monkeypatch.context() as patch:
        patch.setattr(errorsinx, "_function", lambda problem: lambda x, t: np.zeros(length))
        with pytest.raises(ValueError, match=f"f must return 10 values; it returned {length}"):
            lmoo.Solver().solve(problem, [5.0, -0.5])
    monkeypatch.setattr(errorsinx, "_slopes", lambda problem: lambda x, t: np.zeros((3, length)))
    with pytest.raises(ValueError, match=r"derivatives must have shape \(3, 10\)"):
        lmoo.Solver().solve(problem, [5.0, -0.5])


@pytest.mark.parametrize(
    ("sigma_x", "match"),
    [
        (0.0, "positive for some"),
        (-1.0, "not negative"),
        (np.nan, "finite"),
        (np.ones(3), r"sigma_x must be a number, or have shape \(10,\)"),
        ((0.1, 0.1), "for each of the 1 variables"),
        (np.zeros((10, 1, 1)), "positive definite"),
    ],
)
def test_bad_errors(sigma_x, match):
    with pytest.raises(ValueError, match=match):
        lmoo.CurveProblem(line, PEARSON_T, PEARSON_Y, sigma_x=sigma_x)


def test_what_is_refused():
    with pytest.raises(ValueError, match="covariance matrix"):
        lmoo.CurveProblem(line, PEARSON_T, PEARSON_Y, np.eye(10), sigma_x=0.1)
    with pytest.raises(TypeError, match="array of numbers"):
        lmoo.CurveProblem(line, PEARSON_T.astype(str), PEARSON_Y, sigma_x=0.1)
    skew = np.broadcast_to([[1.0, 0.5], [0.0, 1.0]], (30, 2, 2))
    with pytest.raises(ValueError, match="symmetric"):
        lmoo.CurveProblem(plane, PAIRS, PAIRS[0], sigma_x=skew)
    problem = lmoo.CurveProblem(line, PEARSON_T, PEARSON_Y, sigma_x=0.1)
    for options, match in (
        ({"loss": "huber"}, "loss must be 'linear'"),
        ({"linear": lmoo.LinearModel}, "linear must be None"),
        ({"jacobian": lmoo.CentralDifference()}, "jacobian must be None"),
        ({"separable": True}, "separable must be False"),
        ({"diag": [1.0, 2.0, 3.0]}, "one entry per parameter, 2"),
    ):
        with pytest.raises(ValueError, match=match):
            lmoo.Solver(**options).solve(problem, [5.0, -0.5])
    for call in (
        lambda: lmoo.Solver(priors={"b": (0.0, 1.0)}).solve(problem, [5.0, -0.5]),
        lambda: lmoo.curve_fit(line, PEARSON_T, PEARSON_Y, sigma_x=0.1, ties={"a": "b"}),
        lambda: lmoo.fit(line, PEARSON_T, PEARSON_Y, [5, -0.5], sigma_x=0.1, ties={"a": "b"}),
    ):
        with pytest.raises(ValueError, match="not available with"):
            call()
    for call in (lmoo.curve_fit, lmoo.CurveProblem):
        with pytest.raises(ValueError, match="real curves"):
            call(line, PEARSON_T, 1j * PEARSON_Y, sigma_x=0.1)
    with pytest.raises(ValueError, match="jac must be None or callable"):
        lmoo.curve_fit(line, PEARSON_T, PEARSON_Y, jac="3-point", sigma_x=0.1)
    nothing = lmoo.CurveProblem(lambda t, a: np.full(10, np.nan), PEARSON_T, PEARSON_Y, sigma_x=0.1)
    with pytest.raises(lmoo.EvaluationError, match="finite"):
        lmoo.Solver().solve(nothing, [1.0])
