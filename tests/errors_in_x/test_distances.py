"""Fits with errors in x against ODRPACK and the whole problem."""

import numpy as np
import pytest
from distance_cases import (
    GUIDE_T,
    GUIDE_Y,
    PEARSON_T,
    PEARSON_Y,
    PROBLEMS,
    YORK_T,
    YORK_Y,
    by_hand,
    exponential,
    guide,
    line,
    made,
    odr,
    odrpack,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import lmoo


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
