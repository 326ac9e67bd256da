"""Confidence intervals by profile likelihood."""

from __future__ import annotations

import importlib.util
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from profile_cases import T, Y, decay, random_fit, sum_of_squares

import lmoo
from lmoo import BetterMinimumWarning, CurveProblem, FunctionProblem, Result, Solver
from lmoo.datasets import nist
from lmoo.results.profile import contour


def assert_ends(result: Result, limits: np.ndarray, level: float = 0.95) -> None:
    """Finite ends are where the best sum of squares has grown by t^2 s^2."""
    dof = result.degrees_of_freedom
    t = scipy.stats.t.ppf(0.5 + 0.5 * level, dof)
    for j, end in [(j, end) for j, row in enumerate(limits) for end in row if np.isfinite(end)]:
        grown = (sum_of_squares(result, j, end) / (2 * result.cost) - 1.0) * dof
        np.testing.assert_allclose(np.sqrt(grown), t, rtol=1e-5)


# ============================================================================ against lmfit

# lmfit 1.3.4, conf_interval(minimizer, result, sigmas=[0.95]) from NIST's certified values.
LMFIT = {
    "Misra1a": [
        (233.19530792488575, 245.017369346237),
        (0.0005343182679267833, 0.000566029897279883),
    ],
    "Rat43": [
        (668.1013807904266, 739.4279951134495),
        (0.4482424524241173, 12.492167147412765),
        (0.4530180454782984, 1.4945719949176954),
        (0.10775492810838275, 3.8436354749134107),
    ],
    "DanWood": [
        (0.719607162872586, 0.8207698032901841),
        (3.718058657027466, 4.004183156900219),
    ],
}


def from_lmfit(name: str) -> Any:
    """What lmfit says here, where it is installed; else what it said."""
    if importlib.util.find_spec("lmfit") is None:
        return LMFIT[name]
    import lmfit  # type: ignore[import-not-found,unused-ignore]

    data = nist(name)
    parameters = lmfit.Parameters()
    for key, value in zip(data.parameter_names, data.certified, strict=True):
        parameters.add(key, value=value)
    minimizer = lmfit.Minimizer(
        lambda p: data.residual(np.array([p[key].value for key in p])), parameters
    )
    found = lmfit.conf_interval(minimizer, minimizer.minimize(), sigmas=[0.95], maxiter=1000)
    return [(rows[0][1], rows[-1][1]) for rows in found.values()]


@pytest.mark.parametrize("analytic", [True, False], ids=["analytic", "differences"])
@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("name", LMFIT)
def test_intervals_of_nist_s_problems_are_lmfit_s(name: str, start: int, analytic: bool) -> None:
    data = nist(name)
    problem = data if analytic else FunctionProblem(data.residual)
    result = Solver().solve(problem, data.starts[start])
    limits = result.confidence_interval(method="profile")
    np.testing.assert_allclose(limits, LMFIT[name], rtol=1e-4)
    np.testing.assert_allclose(limits, from_lmfit(name), rtol=1e-3)
    assert_ends(result, limits)


# ============================================================================ intervals


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from([0.5, 0.95, 0.99]))
def test_profile_intervals_of_a_linear_model_are_the_linear_ones(
    seed: int, n: int, level: float
) -> None:
    result = random_fit(seed, n=n)
    np.testing.assert_allclose(
        result.confidence_interval(level, method="profile"),
        result.confidence_interval(level),
        rtol=1e-5,
        atol=1e-5,
    )


def test_known_deviations() -> None:
    result = random_fit()
    np.testing.assert_allclose(
        result.confidence_interval(method="profile", scaled=False),
        result.confidence_interval(scaled=False),
        rtol=1e-5,
    )


@pytest.mark.parametrize("name", ["Chwirut2", "Misra1b", "MGH17", "Thurber", "Hahn1", "Gauss1"])
def test_ends_are_where_the_sum_of_squares_says(name: str) -> None:
    data = nist(name)
    result = Solver().solve(data, data.starts[1])
    limits = result.confidence_interval(method="profile")
    assert (limits[:, 0] < result.x).all()
    assert (limits[:, 1] > result.x).all()
    assert_ends(result, limits)


MODEL = lmoo.models.Exponential()


class InBlocks(lmoo.RowBlockProblem):
    def residual(self, x: np.ndarray, block: Any) -> np.ndarray:
        t, y = block
        return MODEL(t, *x) - y


@pytest.mark.parametrize(
    "problem",
    [
        MODEL.problem(T, Y),
        InBlocks([(T[:5], Y[:5]), (T[5:], Y[5:])]),
        CurveProblem(MODEL, T, Y, jac=MODEL.jacobian),
    ],
    ids=["compiled", "blocks", "curve"],
)
def test_any_kind_of_problem(problem: Any) -> None:
    right = Solver().solve(FunctionProblem(lambda x: MODEL(T, *x) - Y), [1.0, 1.0, 0.0])
    result = Solver().solve(problem, [1.0, 1.0, 0.0])
    np.testing.assert_allclose(
        result.confidence_interval(method="profile"),
        right.confidence_interval(method="profile"),
        rtol=1e-5,
    )


def test_one_parameter_needs_no_fits() -> None:
    for problem in (
        FunctionProblem(lambda x: np.exp(-x[0] * T) - Y / 2),
        InBlocks([(T[:5], Y[:5]), (T[5:], Y[5:])]),
    ):
        fixed = {} if isinstance(problem, FunctionProblem) else {0: 2.0, 2: 0.0}
        start = [1.0, 1.0, 1.0] if fixed else [1.0]
        result = Solver(fixed=fixed).solve(problem, start)
        limits = result.confidence_interval(method="profile")[1 if fixed else 0]
        assert limits[0] < 1.3 < limits[1]


def test_fixed_parameters_stay_where_they_are() -> None:
    result = Solver(fixed={"amplitude": 2.1}).solve(CurveProblem(decay, T, Y), [1.0, 1.0])
    limits = result.confidence_interval(method="profile")
    assert limits[0].tolist() == [2.1, 2.1]
    alone = CurveProblem(lambda t, rate: decay(t, 2.1, rate), T, Y)
    right = Solver().solve(alone, [1.0]).confidence_interval(method="profile")
    np.testing.assert_allclose(limits[1], right[0], rtol=1e-5)


def test_an_interval_ends_at_a_bound_that_is_met_first() -> None:
    free = Solver().solve(CurveProblem(decay, T, Y), [1.0, 1.0])
    limits = free.confidence_interval(method="profile")
    near = free.x[1] + 0.3 * (limits[1, 1] - free.x[1])
    result = Solver(bounds={"rate": (0.0, near)}).solve(CurveProblem(decay, T, Y), [1.0, 1.0])
    found = result.confidence_interval(method="profile")
    assert found[1, 1] == near
    np.testing.assert_allclose(found[1, 0], limits[1, 0], rtol=1e-5)
    # The amplitude's upper end would need a rate beyond the bound.
    assert found[0, 1] < limits[0, 1]
    assert_ends(result, found[:, :1])


def test_the_interval_of_a_parameter_at_a_bound_is_one_sided() -> None:
    free = Solver().solve(CurveProblem(decay, T, Y), [1.0, 1.0])
    low = free.x[1] + 0.5 * free.stderr[1]
    result = Solver(bounds={"rate": (low, None)}).solve(CurveProblem(decay, T, Y), [1.0, low + 1])
    assert result.active_mask.tolist() == [0, -1]
    found = result.confidence_interval(method="profile")
    assert found[1, 0] == low
    assert low < found[1, 1] < free.confidence_interval(0.9999, method="profile")[1, 1]
    values, tau = result.profile("rate")
    assert values[0] == low
    assert tau[0] == 0.0


def test_a_parameter_at_a_bound_of_a_problem_in_blocks() -> None:
    low = float(Solver().solve(CurveProblem(decay, T, Y), [1.0, 1.0]).x[1]) + 0.1

    class Decay(lmoo.RowBlockProblem):
        def residual(self, x: np.ndarray, block: Any) -> np.ndarray:
            return decay(block[0], *x) - block[1]

    bounds = ([-np.inf, low], np.inf)
    blocks = Solver(bounds=bounds).solve(Decay([(T[:6], Y[:6]), (T[6:], Y[6:])]), [1.0, low + 1])
    plain = Solver(bounds=bounds).solve(CurveProblem(decay, T, Y), [1.0, low + 1])
    assert blocks.active_mask.tolist() == plain.active_mask.tolist() == [0, -1]
    np.testing.assert_allclose(
        blocks.confidence_interval(method="profile"),
        plain.confidence_interval(method="profile"),
        rtol=1e-5,
    )


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_random_bounds_are_respected(seed: int) -> None:
    random = np.random.default_rng(seed)
    lower = np.array([1.0, 0.5]) + random.random(2)
    upper = lower + 10.0 ** random.uniform(-3, 1, size=2)

    def f(t: Any, *x: float) -> Any:
        assert (lower <= x).all()
        assert (x <= upper).all()
        return decay(t, *x)

    result = Solver(bounds=(lower, upper)).solve(
        CurveProblem(f, T, Y, parameter_names=["a", "b"]),
        lower + random.random(2) * (upper - lower),
    )
    limits = result.confidence_interval(method="profile")
    assert (limits[:, 0] >= lower).all()
    assert (limits[:, 1] <= upper).all()
    assert (limits[:, 0] <= result.x).all()
    assert (limits[:, 1] >= result.x).all()
    result.predict(interval="prediction")
    str(result.nonlinearity())


def test_the_model_is_never_called_outside_of_the_bounds() -> None:
    def f(t: Any, amplitude: float, rate: float) -> Any:
        assert 1.0 <= rate <= 1.35
        return decay(t, amplitude, rate)

    result = Solver(bounds={"rate": (1.0, 1.35)}).solve(CurveProblem(f, T, Y), [1.0, 1.1])
    result.confidence_interval(0.999, method="profile")
    result.profile("rate")
    contour(result, 0, 1, 0.95, True)


def test_an_interval_is_open_where_the_profile_levels_off() -> None:
    # Data on a line: vmax and k may be as large as they like.
    random = np.random.default_rng(3)
    t = np.linspace(0.1, 1.0, 8)
    problem = CurveProblem(
        lambda t, vmax, k: vmax * t / (k + t), t, t * (1 - 0.3 * t) + 0.03 * random.normal(size=8)
    )
    result = Solver(maxfev=2000).solve(problem, [10.0, 10.0])
    limits = result.confidence_interval(method="profile")
    assert (limits[:, 1] == np.inf).all()
    assert (limits[:, 0] > 0.0).all()
    assert_ends(result, limits)
    # A lower level is reached.
    assert np.isfinite(result.confidence_interval(0.5, method="profile")).all()


def test_an_interval_is_open_where_the_model_ends() -> None:
    def f(t: Any, a: float) -> Any:
        if a <= 0:
            raise lmoo.EvaluationError("a must be positive")
        return np.sqrt(a) * t

    y = np.array([0.3, -0.4, 0.5, -0.2, 0.3])
    result = Solver().solve(CurveProblem(f, np.ones(5), y), [0.1])
    limits = result.confidence_interval(method="profile")
    assert limits[0, 0] == -np.inf
    assert_ends(result, limits)


def test_undetermined_parameters_have_open_intervals() -> None:
    problem = CurveProblem(lambda t, a, b, rate: a * b * np.exp(-rate * t), T, Y)
    result = Solver().solve(problem, [1.0, 1.0, 1.0])
    limits = result.confidence_interval(method="profile")
    assert (limits[0, 1], limits[1, 1]) == (np.inf, np.inf)
    right = Solver().solve(CurveProblem(decay, T, Y), [1.0, 1.0])
    # One degree of freedom less, as in the linear theory.
    assert_ends(result, np.vstack([np.full((2, 2), np.inf), limits[2]]))
    wide = right.confidence_interval(method="profile")[1]
    assert limits[2, 0] < wide[0] < wide[1] < limits[2, 1]


def test_a_perfect_fit_has_intervals_of_no_width() -> None:
    result = Solver().solve(CurveProblem(decay, T, decay(T, 2.0, 1.3)), [1.0, 1.0])
    limits = result.confidence_interval(method="profile")
    np.testing.assert_allclose(limits, [[2.0, 2.0], [1.3, 1.3]], rtol=1e-9)
    np.testing.assert_allclose(limits, result.confidence_interval(), rtol=1e-12)


def test_a_better_minimum_on_the_way_is_reported() -> None:
    # Two wells: the fit has found the worse one, which a large tilt does away with.
    def residual(x: np.ndarray) -> np.ndarray:
        slope = 0.3 * np.sqrt(1.0 + x[1] ** 2)
        return np.array([x[0] ** 2 - 4.0, slope * (x[0] - 2.0), 1.0, 0.05 * x[1]])

    problem = FunctionProblem(residual, parameter_names=["well", "tilt"])
    result = Solver().solve(problem, [-2.0, 0.1])
    assert result.x[0] < 0.0
    with pytest.warns(BetterMinimumWarning, match=r"solve again from well = ") as caught:
        result.confidence_interval(0.5, method="profile")
    warning = caught[0].message
    assert isinstance(warning, BetterMinimumWarning)
    assert warning.cost < result.cost
    again = Solver().solve(problem, warning.x)
    np.testing.assert_allclose(again.x, [2.0, 0.0], atol=1e-6)
    assert caught[0].filename == __file__


def test_the_better_minimum_gives_no_warning() -> None:
    problem = FunctionProblem(lambda x: np.array([x[0] ** 2 - 4.0, 0.3 * (x[0] - 2.0), 1.0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ((low, high),) = Solver().solve(problem, [2.5]).confidence_interval(method="profile")
    assert low < 2.0 < high


def test_a_parameter_whose_best_value_is_zero() -> None:
    y = np.array([1.0, -1.0, 1.0, -1.0])
    result = Solver().solve(CurveProblem(lambda t, a: a + 0 * t, np.arange(4.0), y), [0.0])
    np.testing.assert_allclose(
        result.confidence_interval(method="profile"), result.confidence_interval(), rtol=1e-5
    )
