"""Results, entry points and coverage of fits with errors in x."""

import numpy as np
import pytest
from distance_cases import PEARSON_T, PEARSON_Y, PROBLEMS, exponential, line, made, untraced

import lmoo


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
