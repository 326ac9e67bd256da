"""Statistics of a result: quantiles, intervals, predictions, curvature, storage."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from ids import stable

import lmoo
from lmoo import CurveProblem, FunctionProblem, Problem, Result, Solver
from lmoo.curve import Curve
from lmoo.datasets import nist
from lmoo.results.distributions import f_exceeded, t_factor
from lmoo.results.profile import contour

T = np.linspace(0.0, 2.0, 12)
Y = 2.0 * np.exp(-1.3 * T) + 0.05 * np.cos(7.0 * T)
SIGMA = 0.02 + 0.03 * T


def decay(t: Any, amplitude: float, rate: float) -> Any:
    return amplitude * np.exp(-rate * t)


def decay_slopes(t: Any, amplitude: float, rate: float) -> Any:
    e = np.exp(-rate * t)
    return np.column_stack([e, -amplitude * t * e])


def fitted(**options: Any) -> Result:
    return Solver().solve(CurveProblem(decay, T, Y, **options), [1.0, 1.0])


def straight(A: np.ndarray, y: np.ndarray, **options: Any) -> Result:
    """A linear fit, whose statistics are those of textbooks."""
    problem = FunctionProblem(lambda x: A @ x - y, lambda x: A)
    return Solver(**options).solve(problem, np.ones(A.shape[1]))


def random_fit(seed: int = 0, m: int = 10, n: int = 3, **options: Any) -> Any:
    random = np.random.default_rng(seed)
    A, y = random.normal(size=(m, n)), random.normal(size=m)
    return A, y, straight(A, y, **options)


# ============================================================================ quantiles


@pytest.mark.parametrize("dof", [1, 2, 2.5, 3, 4, 7, 12, 30, 100, 1000, 1e5])
@pytest.mark.parametrize("level", [0.01, 0.5, 0.6827, 0.9, 0.95, 0.99, 0.9999])
def test_student_s_t(level: float, dof: float) -> None:
    t = t_factor(level, dof)
    np.testing.assert_allclose(t, scipy.stats.t.ppf(0.5 + 0.5 * level, dof), rtol=1e-11)
    # The other way round, which loses nothing.
    tail = scipy.special.betainc(0.5 * dof, 0.5, dof / (dof + t * t))
    np.testing.assert_allclose(tail, 1.0 - level, rtol=2e-10 if dof > 1e2 else 1e-13)


def test_student_s_t_where_it_is_elementary() -> None:
    for level in (0.3, 0.6, 0.95, 1.0 - 1e-9):
        q = 1.0 - level
        np.testing.assert_allclose(t_factor(level, 1), 1 / np.tan(0.5 * np.pi * q), rtol=4e-15)
        p = 0.5 + 0.5 * level
        right = (2 * p - 1) / np.sqrt(2 * p * 0.5 * q)
        np.testing.assert_allclose(t_factor(level, 2), right, rtol=4e-13)


def test_student_s_t_becomes_normal() -> None:
    for level in (0.5, 0.95, 0.999):
        normal = scipy.stats.norm.ppf(0.5 + 0.5 * level)
        np.testing.assert_allclose(t_factor(level, np.inf), normal, rtol=1e-13)
        np.testing.assert_allclose(t_factor(level, 1e9), normal, rtol=1e-8)


def test_a_million_degrees_of_freedom_cost_no_digits() -> None:
    # Computed with 40 digits.
    np.testing.assert_allclose(t_factor(0.95, 10**6), 1.9599663568141066, rtol=1e-15)


@pytest.mark.parametrize("d1", [1, 2, 3, 8, 100])
@pytest.mark.parametrize("d2", [1, 2, 5, 12, 100, 1e4])
@pytest.mark.parametrize("q", [1e-3, 0.05, 0.3, 0.9, 0.999])
def test_fisher_s_f(q: float, d1: float, d2: float) -> None:
    np.testing.assert_allclose(f_exceeded(q, d1, d2), scipy.stats.f.isf(q, d1, d2), rtol=1e-11)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.floats(1e-12, 1 - 1e-12), st.floats(0.5, 500.0), st.floats(0.5, 5e4))
def test_what_f_exceeds_is_what_was_asked(q: float, d1: float, d2: float) -> None:
    f = f_exceeded(q, d1, d2)
    x = d2 / (d2 + d1 * f)
    back = scipy.special.betainc(0.5 * d2, 0.5 * d1, x)
    # An x close to 1 has not all of the digits.
    np.testing.assert_allclose(back, q, rtol=1e-10 + 1e-15 * (d1 + d2) / max(1 - x, 1e-5))


# ============================================================================ held parameters


@pytest.mark.parametrize("held", [[0], [2], [0, 1], [0, 1, 2]])
def test_fixed_parameters_are_as_if_they_were_constants(held: list[int]) -> None:
    A, y, _ = random_fit()
    result = straight(A, y, fixed=dict.fromkeys(held, 0.5))
    free = [j for j in range(3) if j not in held]
    assert result.degrees_of_freedom == 10 - len(free)
    assert result.rank == len(free)
    assert result.undetermined == ()
    assert (result.standard_errors[held] == 0.0).all()
    assert (result.covariance()[held] == 0.0).all()
    assert (result.covariance()[:, held] == 0.0).all()
    if free:
        right = straight(A[:, free], y - A[:, held] @ np.full(len(held), 0.5))
        np.testing.assert_allclose(result.x[free], right.x, rtol=1e-12)
        np.testing.assert_allclose(result.standard_errors[free], right.standard_errors, rtol=1e-12)
        np.testing.assert_allclose(
            result.covariance()[np.ix_(free, free)], right.covariance(), rtol=1e-12
        )
        np.testing.assert_allclose(
            result.correlation[np.ix_(free, free)], right.correlation, rtol=1e-12
        )
        np.testing.assert_allclose(result.leverage, right.leverage, atol=1e-14)
        np.testing.assert_allclose(result.aic, right.aic)
    np.testing.assert_array_equal(result.confidence_interval()[held], 0.5)


def test_a_parameter_at_a_bound_has_no_error_and_leaves_the_others_theirs() -> None:
    A, y, free = random_fit(1)
    upper = [np.inf, free.x[1] - 0.2, np.inf]
    result = Solver(bounds=(-np.inf, upper)).solve(
        FunctionProblem(lambda x: A @ x - y, lambda x: A), free.x - 1.0
    )
    assert result.active_mask.tolist() == [0, 1, 0]
    assert result.fixed_or_active.tolist() == [False, True, False]
    # It was estimated, though.
    assert result.degrees_of_freedom == 7
    assert result.rank == 2
    fixed = straight(A, y, fixed={1: upper[1]})
    scale = np.sqrt(8.0 / 7.0)
    np.testing.assert_allclose(result.x, fixed.x, rtol=1e-8)
    np.testing.assert_allclose(
        result.standard_errors, fixed.standard_errors * scale, rtol=1e-8, atol=0
    )
    assert result.standard_errors[1] == 0.0


def test_an_unused_parameter_is_undetermined_and_a_fixed_one_is_not() -> None:
    A, y, _ = random_fit(2, n=4)
    A[:, 1] = 0.0
    result = straight(A, y, fixed=[3])
    assert result.undetermined == ("x[1]",)
    assert result.rank == 2
    assert result.standard_errors[1] == np.inf
    assert result.standard_errors[3] == 0.0
    assert np.isnan(result.correlation[1, 0])
    assert result.correlation[1, 1] == 1.0
    assert result.correlation[3, 0] == 0.0


# ============================================================================ numbers


def test_correlation_is_covariance_without_units() -> None:
    A, y, result = random_fit(3)
    right = np.linalg.inv(A.T @ A)
    root = np.sqrt(np.diag(right))
    np.testing.assert_allclose(result.correlation, right / np.outer(root, root), rtol=1e-10)
    units = np.array([1e-200, 1.0, 1e200])
    scaled = Solver().solve(
        FunctionProblem(lambda x: (A / units) @ x - y, lambda x: A / units), units
    )
    np.testing.assert_allclose(scaled.correlation, result.correlation, rtol=1e-8)
    assert (np.diag(scaled.correlation) == 1.0).all()


def test_stderr_is_standard_errors() -> None:
    result = fitted()
    np.testing.assert_array_equal(result.stderr, result.standard_errors)


def test_criteria_are_lmfit_s() -> None:
    # lmfit 1.3.4 on the same data.
    data = nist("Misra1a")
    result = Solver().solve(data, data.starts[1])
    np.testing.assert_allclose(result.aic, -62.10931901350072, rtol=1e-12)
    np.testing.assert_allclose(result.bic, -60.831204354270206, rtol=1e-12)
    np.testing.assert_allclose(result.reduced_chi_square, 0.01037928241203343, rtol=1e-9)


def test_r_squared() -> None:
    result = fitted()
    spread = ((Y - Y.mean()) ** 2).sum()
    np.testing.assert_allclose(result.r_squared, 1 - 2 * result.cost / spread, rtol=1e-12)


def test_r_squared_is_weighted_as_the_fit_is() -> None:
    result = fitted(sigma=SIGMA)
    w = SIGMA**-2
    mean = (w * Y).sum() / w.sum()
    right = 1 - 2 * result.cost / (w * (Y - mean) ** 2).sum()
    np.testing.assert_allclose(result.r_squared, right, rtol=1e-12)
    matrix = fitted(sigma=np.diag(SIGMA**2))
    np.testing.assert_allclose(matrix.r_squared, right, rtol=1e-10)


def test_r_squared_of_constant_data_is_nan() -> None:
    problem = CurveProblem(lambda t, a: a + 0 * t, T, np.full(12, 3.0))
    assert np.isnan(Solver().solve(problem, [1.0]).r_squared)


def test_what_needs_a_curve_says_so() -> None:
    _, _, result = random_fit()
    for ask, missing in (
        (lambda: result.r_squared, "f, t, y"),
        (result.predict, "f, t"),
        (result.plot, "f, t, y"),
    ):
        with pytest.raises(TypeError, match=f"FunctionProblem has no {missing}: a method as_curve"):
            ask()


class Weighted(Problem):
    """Has attributes f, t and y, and weights of its own."""

    def __init__(self) -> None:
        self.f, self.t, self.y = decay, T, Y

    def residual(self, x: np.ndarray) -> Any:
        return (self.f(self.t, *x) - self.y) / 0.01


class Told(Weighted):
    """The same, and says so."""

    def as_curve(self) -> Any:
        return Curve(self.f, self.t, self.y, 0.01)


class Twice(CurveProblem):
    """Another residual than its base has."""

    def residual(self, x: np.ndarray) -> Any:
        return 2.0 * super().residual(x)


def test_r_squared_is_not_guessed_from_the_names_of_attributes() -> None:
    for problem in (Weighted(), Twice(decay, T, Y)):
        result = Solver().solve(problem, [1.0, 1.0])
        with pytest.raises(TypeError, match="has no "):
            result.r_squared  # noqa: B018


def test_a_problem_can_tell_its_curve() -> None:
    told, right = Solver().solve(Told(), [1.0, 1.0]), fitted(sigma=0.01)
    np.testing.assert_allclose(told.r_squared, right.r_squared, rtol=1e-10)
    for at in (None, [0.3, 4.0]):
        mine = told.predict(at, interval="prediction")
        np.testing.assert_allclose(mine, right.predict(at, interval="prediction"), rtol=1e-6)


def test_what_tells_a_curve_must_return_one() -> None:
    problem = Told()
    problem.as_curve = lambda: (decay, T)  # type: ignore[method-assign]
    result = Solver().solve(problem, [1.0, 1.0])
    with pytest.raises(TypeError, match=r"as_curve\(\) of Told must return an lmoo.curve.Curve"):
        result.predict()


@pytest.mark.parametrize("problem", [Weighted(), Twice(decay, T, Y)], ids=stable)
def test_a_sigma_that_nobody_tells_is_not_taken_for_1(problem: Any) -> None:
    result = Solver().solve(problem, [1.0, 1.0])
    fit, low, high = result.predict(interval="confidence")
    right = fitted()
    np.testing.assert_allclose(fit, right.predict(), rtol=1e-6)
    _, right_low, right_high = right.predict(interval="confidence")
    np.testing.assert_allclose(high - low, right_high - right_low, rtol=1e-5)
    for at in (None, [1.0]):
        with pytest.raises(ValueError, match="the problem does not define that of the data"):
            result.predict(at, interval="prediction")
    assert len(result.predict([1.0], interval="prediction", sigma=0.01)) == 3


@pytest.mark.parametrize("sigma", [None, 0.01])
def test_blocks_predict_as_the_same_data_in_one_piece(sigma: Any) -> None:
    blocks = lmoo.CurveBlocks(decay, T, Y, sigma=sigma, block_size=5)
    mine = Solver().solve(blocks, [1.0, 1.0]).predict([0.3, 4.0], interval="prediction")
    right = fitted(sigma=sigma).predict([0.3, 4.0], interval="prediction")
    np.testing.assert_allclose(mine, right, rtol=1e-6)


def test_blocks_of_different_sigma_ask_for_that_of_a_prediction() -> None:
    blocks = lmoo.CurveBlocks(decay, T, Y, sigma=SIGMA, block_size=5)
    result = Solver().solve(blocks, [1.0, 1.0])
    with pytest.raises(ValueError, match="sigma must be given for interval='prediction'"):
        result.predict([1.0], interval="prediction")
    mine = result.predict([1.0], interval="prediction", sigma=0.05)
    right = fitted(sigma=SIGMA).predict([1.0], interval="prediction", sigma=0.05)
    np.testing.assert_allclose(mine, right, rtol=1e-6)
    with pytest.raises(TypeError, match="CurveBlocks has no t, y"):
        result.r_squared  # noqa: B018


class Another(Problem):
    """What its attributes are is nobody's business."""

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)

    def residual(self, x: np.ndarray) -> Any:
        return decay(T, *x) - Y


@pytest.mark.parametrize(
    "problem",
    [
        Another(f=decay, y=Y, time=T),
        Another(f=decay, y={"a": 1}, t=T),
        Another(f=decay, y=Y, t=T, sigma=np.ones(3)),
        Another(as_curve=lambda: Curve(decay, T, Y, np.ones(3))),
        Another(as_curve=lambda: 1 / 0),
        Another(as_curve=T),
    ],
)
def test_reports_do_not_fail_at_what_attributes_a_problem_has(problem: Any) -> None:
    result = Solver().solve(problem, [1.0, 1.0])
    for report in (str(result), result._repr_html_()):
        assert "a minimum was found" in report
        assert "R squared" not in report


@pytest.mark.parametrize("sigma", [None, 0.3])
def test_r_squared_is_nan_where_rounding_alone_tells_the_values_apart(sigma: Any) -> None:
    problem = CurveProblem(lambda t, a: a * t, T, np.full(12, 0.1), sigma=sigma)
    assert np.isnan(Solver().solve(problem, [1.0]).r_squared)


# ============================================================================ the Jacobian


class Counting(Problem):
    """Counts its derivatives, and refuses points outside of what it is told."""

    def __init__(self, lower: float = -np.inf) -> None:
        self.calls, self.lower = 0, lower

    def residual(self, x: np.ndarray) -> np.ndarray:
        assert (x >= self.lower).all()
        return decay(T, *x) - Y

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        self.calls += 1
        return decay_slopes(T, *x)


def test_the_jacobian_is_evaluated_once_and_kept() -> None:
    problem = Counting()
    result = Solver().solve(problem, [1.0, 1.0])
    before = problem.calls
    J = result.jacobian()
    np.testing.assert_array_equal(J, decay_slopes(T, *result.x))
    J.fill(0.0)
    np.testing.assert_array_equal(result.jacobian(), decay_slopes(T, *result.x))
    result.leverage.sum()
    assert problem.calls == before + 1


class Halved(lmoo.Jacobian):
    """A strategy of one's own."""

    def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> int:
        out[:] = decay_slopes(T, *x)
        return 0


class ByColumns(Counting):
    def jacobian(self, x: np.ndarray) -> np.ndarray:
        return super().jacobian(x).T


PLAIN = FunctionProblem(lambda x: decay(T, *x) - Y)


@pytest.mark.parametrize(
    ("problem", "strategy", "rtol"),
    [
        (Counting(), None, 0),
        (Counting(), lmoo.Analytic(), 0),
        (ByColumns(), lmoo.ColumnMajor(), 0),
        (PLAIN, Halved(), 0),
        (PLAIN, lmoo.ComplexStep(), 1e-14),
        (PLAIN, None, 1e-8),
        (PLAIN, lmoo.CentralDifference(), 1e-8),
        (PLAIN, lmoo.ForwardDifference(typical=[1.0, 0.1]), 1e-8),
        (CurveProblem(decay, T, Y), None, 1e-8),
        (CurveProblem(decay, T, Y, jac=decay_slopes), None, 0),
    ],
)
def test_the_jacobian_comes_from_the_solver_s_strategy(
    problem: Any, strategy: Any, rtol: float
) -> None:
    result = Solver(jacobian=strategy).solve(problem, [1.0, 1.0])
    right = decay_slopes(T, *result.x)
    np.testing.assert_allclose(result.jacobian(), right, rtol=rtol, atol=rtol)


def test_the_jacobian_of_a_compiled_model() -> None:
    model = lmoo.models.Exponential()
    result = Solver().solve(model.problem(T, Y, SIGMA), [1.0, 1.0, 0.0])
    right = model.jacobian(T, *result.x) / SIGMA[:, None]
    np.testing.assert_allclose(result.jacobian(), right, rtol=1e-13)


@pytest.mark.parametrize("low", [0.0, 1.7])
def test_differences_stay_within_the_bounds(low: float) -> None:
    problem = Counting(low)
    problem.jacobian = None  # type: ignore[assignment]
    result = Solver(bounds=(low, np.inf)).solve(problem, [2.0, 2.0])
    np.testing.assert_allclose(result.jacobian(), decay_slopes(T, *result.x), rtol=1e-6, atol=1e-8)
    result.nonlinearity()
    result.confidence_interval(method="profile")


def test_differences_where_the_model_ends() -> None:
    # No value below 0, where the best point is; the derivative is one-sided.
    def residual(x: np.ndarray) -> np.ndarray:
        if x[0] < 0:
            raise lmoo.EvaluationError("below 0")
        return np.array([x[0] + 1.0, x[0] + 2.0, x[1] - 3.0])

    result = Solver().solve(FunctionProblem(residual), [0.0, 1.0])
    np.testing.assert_allclose(result.jacobian(), [[1, 0], [1, 0], [0, 1]], atol=1e-9)


def test_all_fixed_is_a_jacobian_of_zeros() -> None:
    for problem in (Counting(), PLAIN):
        result = Solver(fixed=[0, 1]).solve(problem, [1.0, 1.0])
        np.testing.assert_array_equal(result.jacobian(), np.zeros((12, 2)))
        np.testing.assert_array_equal(result.leverage, np.zeros(12))
        assert np.isnan(result.nonlinearity().intrinsic)


def test_columns_of_fixed_parameters_are_zero() -> None:
    for problem in (Counting(), PLAIN):
        J = Solver(fixed=[0]).solve(problem, [1.0, 1.0]).jacobian()
        assert (J[:, 0] == 0.0).all()
        assert (J[1:, 1] != 0.0).all()


class InBlocks(lmoo.RowBlockProblem):
    def residual(self, x: np.ndarray, block: Any) -> np.ndarray:
        t, y = block
        return decay(t, *x) - y


BLOCKS = [(T[:5], Y[:5]), (T[5:], Y[5:])]


def test_problems_in_blocks_say_what_they_do_not_have() -> None:
    result = Solver().solve(InBlocks(BLOCKS), [1.0, 1.0])
    for ask in (result.jacobian, result.nonlinearity, lambda: result.leverage):
        with pytest.raises(TypeError, match="RowBlockProblem is never in memory as a whole"):
            ask()
    right = fitted()
    np.testing.assert_allclose(result.confidence_interval(), right.confidence_interval(), rtol=1e-6)
    np.testing.assert_allclose(result.aic, right.aic, rtol=1e-10)


def test_curves_in_blocks_predict_at_a_given_t() -> None:
    result = Solver().solve(lmoo.CurveBlocks(decay, T, Y, block_size=5), [1.0, 1.0])
    right = fitted()
    for mine, other in zip(
        result.predict(T, interval="prediction"), right.predict(interval="prediction"), strict=True
    ):
        np.testing.assert_allclose(mine, other, rtol=1e-6)
    with pytest.raises(TypeError, match="CurveBlocks has no t:"):
        result.predict()


# ============================================================================ residuals


@pytest.mark.parametrize("seed", range(3))
def test_leverage_is_the_diagonal_of_the_hat_matrix(seed: int) -> None:
    A, _, result = random_fit(seed)
    right = np.diag(A @ np.linalg.inv(A.T @ A) @ A.T)
    np.testing.assert_allclose(result.leverage, right, rtol=1e-10)
    np.testing.assert_allclose(result.leverage.sum(), 3.0, rtol=1e-12)
    s = result.residual_deviation
    np.testing.assert_allclose(
        result.standardized_residuals, result.residual / (s * np.sqrt(1 - right)), rtol=1e-9
    )


def test_leverage_of_parallel_columns() -> None:
    A, y, _ = random_fit(5)
    A[:, 2] = 1e6 * A[:, 0]
    result = straight(A, y)
    right = np.diag(A[:, :2] @ np.linalg.inv(A[:, :2].T @ A[:, :2]) @ A[:, :2].T)
    assert result.rank == 2
    np.testing.assert_allclose(result.leverage, right, rtol=1e-8)


def test_a_point_that_decides_its_own_fit_has_no_standardized_residual() -> None:
    A = np.column_stack([np.ones(5), [0.0, 0.0, 0.0, 0.0, 1.0]])
    result = straight(A, np.array([1.0, 2.0, 3.0, 4.0, 9.0]))
    np.testing.assert_allclose(result.leverage, [0.25, 0.25, 0.25, 0.25, 1.0], rtol=1e-12)
    assert np.isnan(result.standardized_residuals).tolist() == [False] * 4 + [True]


def test_standardized_residuals_have_variance_1() -> None:
    random = np.random.default_rng(11)
    squares = [
        straight(A := random.normal(size=(6, 2)), random.normal(size=6)).standardized_residuals ** 2
        for _ in range(300)
    ]
    assert A.shape == (6, 2)
    assert 0.95 < np.mean(squares) < 1.05


def test_nothing_is_left_to_standardize_by() -> None:
    _, _, result = random_fit(4, m=3)
    assert np.isnan(result.standardized_residuals).all()


# ============================================================================ linear intervals


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_linear_intervals(level: float) -> None:
    _, _, result = random_fit()
    limits = result.confidence_interval(level)
    t = scipy.stats.t.ppf(0.5 + 0.5 * level, 7)
    np.testing.assert_allclose(limits[:, 1] - result.x, t * result.stderr, rtol=1e-12)
    np.testing.assert_allclose(result.x - limits[:, 0], t * result.stderr, rtol=1e-12)
    known = result.confidence_interval(level, scaled=False)
    z = scipy.stats.norm.ppf(0.5 + 0.5 * level)
    errors = np.sqrt(np.diag(result.covariance(scaled=False)))
    np.testing.assert_allclose(known[:, 1] - result.x, z * errors, rtol=1e-12)


def test_intervals_without_degrees_of_freedom_are_open() -> None:
    _, _, result = random_fit(4, m=3)
    for method in ("linear", "profile"):
        limits = result.confidence_interval(method=method)
        assert (limits == [-np.inf, np.inf]).all()
    assert np.isfinite(result.confidence_interval(scaled=False)).all()


def test_intervals_before_there_is_a_jacobian_are_open() -> None:
    result = Solver().iterate(PLAIN, [1.0, 1.0]).result
    assert (result.confidence_interval() == [-np.inf, np.inf]).all()
    assert np.isnan(result.aic)
    assert np.isnan(result.correlation[0, 1])


@pytest.mark.parametrize("level", [0.0, 1.0, 95, -0.1, float("nan")])
def test_levels_that_are_none(level: float) -> None:
    result = fitted()
    for ask in (result.confidence_interval, lambda q: result.predict(level=q)):
        with pytest.raises(ValueError, match="level must be between 0 and 1, such as"):
            ask(level)


def test_arguments_that_are_none() -> None:
    result = fitted()
    with pytest.raises(ValueError, match="method must be 'linear' or 'profile'; it is 'exact'"):
        result.confidence_interval(method="exact")
    with pytest.raises(ValueError, match="interval must be None, 'confidence' or 'prediction'"):
        result.predict(interval="both")
    with pytest.raises(ValueError, match="j must be one of amplitude, rate; it is 'rat'"):
        result.profile("rat")
    with pytest.raises(ValueError, match="from 0 to 1; it is 2"):
        result.profile(2)
    with pytest.raises(TypeError, match=r"j must be an integer; it is 1\.5"):
        result.profile(1.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"level must be a real number; it is '95'"):
        result.confidence_interval("95")  # type: ignore[arg-type]


# ============================================================================ predictions


def line(t: Any, a: float, b: float) -> Any:
    return a + b * t


def test_prediction_of_a_straight_line_is_the_textbook_s() -> None:
    y = 1.0 + 2.0 * T + 0.1 * np.cos(9.0 * T)
    result = Solver().solve(CurveProblem(line, T, y), [0.0, 0.0])
    new = np.array([-1.0, 0.7, 5.0])
    s, t = result.residual_deviation, scipy.stats.t.ppf(0.95, 10)
    spread = 1 / 12 + (new - T.mean()) ** 2 / ((T - T.mean()) ** 2).sum()
    for interval, extra in (("confidence", 0.0), ("prediction", 1.0)):
        fit, low, high = result.predict(new, interval=interval, level=0.9)
        np.testing.assert_allclose(fit, line(new, *result.x), rtol=1e-14)
        np.testing.assert_allclose(high - fit, t * s * np.sqrt(spread + extra), rtol=1e-8)
        np.testing.assert_allclose(fit - low, high - fit, rtol=1e-12)
    np.testing.assert_allclose(result.predict(), line(T, *result.x))
    np.testing.assert_allclose(result.predict(5.0), result.predict([5.0]))


def test_prediction_takes_sigma_into_account() -> None:
    result = fitted(sigma=SIGMA)
    fit, _, narrow = result.predict(interval="confidence")
    _, _, wide = result.predict(interval="prediction")
    t = scipy.stats.t.ppf(0.975, 10)
    own = t * result.residual_deviation * SIGMA
    np.testing.assert_allclose((wide - fit) ** 2, (narrow - fit) ** 2 + own**2, rtol=1e-10)
    # Known deviations: nothing is estimated.
    z = scipy.stats.norm.ppf(0.975)
    fit, _, narrow = result.predict(interval="confidence", scaled=False)
    _, _, wide = result.predict(interval="prediction", scaled=False)
    np.testing.assert_allclose(
        (wide - fit) ** 2, (narrow - fit) ** 2 + (z * SIGMA) ** 2, rtol=1e-10
    )


def test_prediction_at_a_new_t_needs_its_sigma() -> None:
    result = fitted(sigma=SIGMA)
    with pytest.raises(ValueError, match="sigma must be given for interval='prediction'"):
        result.predict([3.0], interval="prediction")
    fit, _, high = result.predict([3.0], interval="prediction", sigma=0.1)
    _, _, same = result.predict([3.0], interval="prediction", sigma=[0.1])
    assert high[0] == same[0]
    assert high[0] > fit[0]
    with pytest.raises(ValueError, match="sigma must be positive"):
        result.predict([3.0], interval="prediction", sigma=-1.0)
    # One for all is one for the new ones too.
    assert fitted(sigma=0.1).predict([3.0], interval="prediction")[2][0] > 0


def test_prediction_with_a_covariance_matrix() -> None:
    matrix, plain = fitted(sigma=np.diag(SIGMA**2)), fitted(sigma=SIGMA)
    for mine, other in zip(
        matrix.predict(interval="prediction"), plain.predict(interval="prediction"), strict=True
    ):
        np.testing.assert_allclose(mine, other, rtol=1e-7)


def test_derivatives_given_and_differences_say_the_same() -> None:
    mine = fitted().predict(interval="confidence")
    exact = fitted(jac=decay_slopes).predict(interval="confidence")
    for a, b in zip(mine, exact, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7)


def test_a_compiled_model_predicts() -> None:
    model = lmoo.models.Exponential()
    result = Solver().solve(model.problem(T, Y), [1.0, 1.0, 0.0])
    problem = CurveProblem(lambda t, a, b, c: a * np.exp(-b * t) + c, T, Y)
    right = Solver().solve(problem, [1.0, 1.0, 0.0])
    for mine, other in zip(
        result.predict([0.3, 4.0], interval="confidence"),
        right.predict([0.3, 4.0], interval="confidence"),
        strict=True,
    ):
        np.testing.assert_allclose(mine, other, rtol=1e-6)
    np.testing.assert_allclose(result.r_squared, right.r_squared, rtol=1e-10)


def test_places_are_converted_as_data_are() -> None:
    t = np.array([1.0, 2.0, 4.0, 5.0])
    result = Solver().solve(CurveProblem(lambda t, a, b: a * t**-1 + b, t, 2 / t + 3), [1.0, 1.0])
    right = result.predict([1.0, 2.0], interval="confidence")
    for places in ([1, 2], np.array([1, 2]), np.array([1, 2], dtype=np.float32)):
        mine = result.predict(places, interval="confidence")
        np.testing.assert_array_equal(mine, right)
    for place in (2, np.int64(2), np.float32(2), np.array(2)):
        np.testing.assert_array_equal(result.predict(place), right[0][1:])


def test_places_of_several_variables_may_be_lists() -> None:
    problem = CurveProblem(lambda t, a, b: a * t[0] + b * t[1], (T, T**2), Y)
    result = Solver().solve(problem, [1.0, 1.0])
    right = result.predict((np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    np.testing.assert_array_equal(result.predict(([1, 2], [1, 4])), right)


def test_several_independent_variables() -> None:
    t = np.array([T, T**2])
    problem = CurveProblem(lambda t, a, b: a * t[0] + b * t[1], t, Y)
    result = Solver().solve(problem, [1.0, 1.0])
    fit, low, high = result.predict(np.array([[1.0], [2.0]]), interval="confidence")
    assert fit.shape == low.shape == high.shape == (1,)
    assert low[0] < fit[0] < high[0]


def test_what_is_determined_of_undetermined_parameters_is_predicted() -> None:
    # Only a + b counts at t = 1, where the data are; elsewhere nothing is known.
    problem = CurveProblem(
        lambda t, a, b: a + b * t, np.ones(5), np.array([1.0, 2.0, 3.0, 2.0, 1.0])
    )
    result = Solver().solve(problem, [1.0, 1.0])
    assert result.rank == 1
    fit, low, high = result.predict([1.0, 2.0], interval="confidence")
    np.testing.assert_allclose(fit[0], 1.8, rtol=1e-12)
    half = scipy.stats.t.ppf(0.975, 3) * result.residual_deviation / np.sqrt(5)
    np.testing.assert_allclose([fit[0] - low[0], high[0] - fit[0]], half, rtol=1e-6)
    assert (low[1], high[1]) == (-np.inf, np.inf)


def test_predictions_with_fixed_parameters() -> None:
    result = Solver(fixed={"amplitude": 2.0}).solve(CurveProblem(decay, T, Y), [1.0, 1.0])
    fit, low, high = result.predict([0.0, 1.0], interval="confidence")
    assert (fit[0], low[0], high[0]) == (2.0, 2.0, 2.0)
    assert low[1] < fit[1] < high[1]


# ============================================================================ nonlinearity

CONCENTRATION = np.repeat([0.02, 0.06, 0.11, 0.22, 0.56, 1.10], 2)
VELOCITY = np.array([76, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200.0])


def michaelis_menten(t: Any, vmax: float, k: float) -> Any:
    return vmax * t / (k + t)


def michaelis_menten_slopes(t: Any, vmax: float, k: float) -> Any:
    return np.column_stack([t / (k + t), -vmax * t / (k + t) ** 2])


@pytest.mark.parametrize("jac", [None, michaelis_menten_slopes])
@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e6])
def test_curvature_of_puromycin(jac: Any, unit: float) -> None:
    # 0.092 and 0.2121 are printed by R's MASS::rms.curv for these data.
    problem = CurveProblem(
        lambda t, vmax, k: michaelis_menten(t, vmax, k * unit),
        CONCENTRATION,
        VELOCITY,
        jac=None if jac is None else lambda t, v, k: jac(t, v, k * unit) * [1.0, unit],
    )
    found = Solver().solve(problem, [200.0, 0.1 / unit]).nonlinearity()
    np.testing.assert_allclose(found.intrinsic, 0.092, atol=5e-4)
    np.testing.assert_allclose(found.parameter_effects, 0.2121, atol=5e-5)
    assert found.acceptable
    assert str(found).startswith("Linear errors can be trusted: curvature 0.092 of the model, 0.21")


def test_a_linear_model_has_no_curvature() -> None:
    _, _, result = random_fit()
    found = result.nonlinearity()
    assert max(found.intrinsic, found.parameter_effects) < 1e-6


def test_other_parameters_of_the_same_model_leave_the_intrinsic_curvature() -> None:
    other = CurveProblem(
        lambda t, v, k: michaelis_menten(t, np.exp(v), np.exp(k)), CONCENTRATION, VELOCITY
    )
    found = Solver().solve(other, [5.0, -2.0]).nonlinearity()
    np.testing.assert_allclose(found.intrinsic, 0.092, atol=5e-4)
    assert abs(found.parameter_effects - 0.2121) > 0.01


def test_curvature_with_a_fixed_parameter_is_that_of_the_others() -> None:
    fixed = Solver(fixed={"vmax": 210.0}).solve(
        CurveProblem(michaelis_menten, CONCENTRATION, VELOCITY), [200.0, 0.1]
    )
    alone = CurveProblem(lambda t, k: michaelis_menten(t, 210.0, k), CONCENTRATION, VELOCITY)
    right = Solver().solve(alone, [0.1]).nonlinearity()
    found = fixed.nonlinearity()
    np.testing.assert_allclose(found.intrinsic, right.intrinsic, rtol=1e-4)
    np.testing.assert_allclose(found.parameter_effects, right.parameter_effects, rtol=1e-4)


def test_curvature_beside_a_bound() -> None:
    # The best point is on a bound, and as good as without one.
    free = Solver().solve(
        CurveProblem(michaelis_menten, CONCENTRATION, VELOCITY, jac=michaelis_menten_slopes),
        [200.0, 0.1],
    )
    right = free.nonlinearity()
    bounds = np.array([free.x - 1e-3 * free.stderr, free.x + 10 * free.stderr])
    for lower, upper in (bounds, [bounds[0], np.inf], [-np.inf, free.x + 1e-4 * free.stderr]):
        found = dataclasses.replace(
            free, lower=np.broadcast_to(lower, 2), upper=np.broadcast_to(upper, 2)
        ).nonlinearity()
        np.testing.assert_allclose(found.intrinsic, right.intrinsic, rtol=0.02)
        np.testing.assert_allclose(found.parameter_effects, right.parameter_effects, rtol=0.02)


def test_predictions_and_curvature_stay_within_the_bounds() -> None:
    free = fitted()
    low = float(free.x[1]) + 0.2

    def f(t: Any, amplitude: float, rate: float) -> Any:
        assert low <= rate <= low + 1e-7
        return decay(t, amplitude, rate)

    problem = CurveProblem(f, T, Y, bounds={"rate": (low, low + 1e-7)})
    result = Solver().solve(problem, [1.0, low])
    assert result.fixed_or_active.tolist() == [False, True]
    fit, lower, upper = result.predict(interval="confidence")
    assert (lower < fit).all()
    assert (fit < upper).all()
    assert np.isfinite(result.nonlinearity().intrinsic)
    assert result.leverage.sum() == pytest.approx(1.0)


def test_curvature_is_not_known_without_degrees_of_freedom() -> None:
    _, _, result = random_fit(4, m=3)
    found = result.nonlinearity()
    assert np.isnan(found.intrinsic)
    assert not found.acceptable
    assert "not known" in str(found)


# ============================================================================ history, time


def test_history_holds_the_records_as_arrays() -> None:
    records: list[Any] = []
    result = Solver().solve(PLAIN, [1.0, 1.0], callback=records.append, history=True)
    history = result.history
    assert history is not None
    assert len(history) == len(records) == result.nit
    for name in ("iteration", "cost", "delta", "lambda_", "ratio", "accepted", "optimality"):
        np.testing.assert_array_equal(getattr(history, name), [getattr(r, name) for r in records])
    np.testing.assert_array_equal(history.x, [r.x for r in records])
    assert history.x.shape == history.gradient.shape == (result.nit, 2)
    assert history.accepted.dtype == bool
    assert history.nfev.dtype == history.njev.dtype == np.int64
    np.testing.assert_array_equal(history.x[-1], result.x)


def test_history_changes_nothing_of_the_solve() -> None:
    plain, watched = (Solver().solve(PLAIN, [1.0, 1.0], history=h) for h in (False, True))
    np.testing.assert_array_equal(plain.x, watched.x)
    assert (plain.nfev, plain.njev) == (watched.nfev, watched.njev)
    assert plain.history is None


def test_a_callback_still_stops_a_solve_with_history() -> None:
    result = Solver().solve(PLAIN, [1.0, 1.0], callback=lambda r: r.iteration == 2, history=True)
    assert result.status is lmoo.Status.STOPPED
    assert result.history is not None
    assert len(result.history) == 2
    with pytest.raises(TypeError, match="callback must be callable"):
        Solver().solve(PLAIN, [1.0, 1.0], callback=1, history=True)  # type: ignore[arg-type]


def test_a_solve_is_timed() -> None:
    assert 0.0 < fitted().seconds < 60.0
    assert np.isnan(Solver().iterate(PLAIN, [1.0, 1.0]).result.seconds)


# ============================================================================ storage


def strict(text: str) -> Any:
    """Read JSON, and nothing that only Python takes for it."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_to_dict_is_plain_data() -> None:
    result = fitted()
    stored = result.to_dict()
    assert stored == json.loads(json.dumps(stored))
    assert stored["x"] == result.x.tolist()
    assert stored["standard_errors"] == result.stderr.tolist()
    assert stored["confidence_interval"] == result.confidence_interval().tolist()
    assert stored["success"] is True
    assert stored["status"] == int(result.status)


@pytest.mark.parametrize(
    "result",
    [
        fitted(),
        random_fit(4, m=3)[2],
        Solver().solve(FunctionProblem(lambda x: np.ones(4)), [1.0, 2.0]),
        Solver().iterate(PLAIN, [1.0, 1.0]).result,
        Solver(bounds={0: (0.0, 1.5)}, fixed=[1]).solve(PLAIN, [1.0, 1.0]),
    ],
    ids=["plain", "no freedom", "flat", "unfinished", "bounds"],
)
def test_json_is_json_and_comes_back(result: Result) -> None:
    stored = strict(result.to_json(indent=2))
    again = Result.from_dict(stored)
    for name in ("x", "residual", "lower", "upper", "fixed", "active_mask", "stderr"):
        mine, other = getattr(again, name), getattr(result, name)
        np.testing.assert_array_equal(mine, other)
        assert mine.dtype == other.dtype
    np.testing.assert_array_equal(again.covariance(), result.covariance())
    assert again.status is result.status
    assert again.undetermined == result.undetermined
    assert type(again.nfev) is int
    assert type(again.cost) is float
    assert again.parameter_names == result.parameter_names
    assert again.to_json() == result.to_json()
    assert again.problem is None


def test_numbers_that_json_does_not_know_are_strings() -> None:
    stored = strict(random_fit(4, m=3)[2].to_json())
    assert stored["standard_errors"] == ["inf"] * 3
    assert stored["lower"] == ["-inf"] * 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", 99),
        ("status", "1"),
        ("x", [1.0]),
        ("x", [[1.0, 2.0]]),
        ("lower", None),
        ("upper", [1.0, 2.0, 3.0]),
        ("fixed", [True]),
        ("active_mask", []),
        ("gradient", [0.0]),
        ("residual", [1.0, 2.0]),
        ("residual", ["a"] * 12),
        ("parameter_names", ["amplitude"]),
        ("cost", "high"),
        ("nfev", 1.5),
        ("factor", 3),
        ("r", [[1.0, 0.0]]),
        ("ipvt", [0, 0]),
        ("ipvt", [1]),
        ("qtf", [1.0]),
        ("acnorm", None),
        ("excluded", [True]),
        ("error", "small"),
        ("error", -1.0),
        ("status", True),
        ("status", 1.0),
        ("x", ["1", "2"]),
        ("x", [True, False]),
        ("x", {"0": 1.0, "1": 2.0}),
        ("lower", [9.0, 9.0]),
        ("upper", ["nan", "nan"]),
        ("fixed", [0, 1]),
        ("fixed", ["", "no"]),
        ("active_mask", [0, 2]),
        ("active_mask", [0, 300]),
        ("active_mask", [0.5, 0.0]),
        ("parameter_names", "ab"),
        ("parameter_names", ["a", "a"]),
        ("parameter_names", [1, 2]),
        ("observations", -12),
        ("observations", 10**30),
        ("observations", 12.0),
        ("nfev", -1),
        ("njev", True),
        ("nit", "3"),
        ("cost", "1.5"),
        ("seconds", None),
        ("message", None),
        ("ipvt", [0, 1.7]),
        ("ipvt", [0, 2**40]),
        ("ipvt", [-1, 0]),
        ("excluded", [0, 1]),
    ],
)
def test_what_a_stored_result_has_must_fit(name: str, value: Any) -> None:
    stored = fitted().to_dict()
    place = stored if name in stored else stored["factor"]
    assert name in place
    place[name] = value
    with pytest.raises(ValueError, match=r"^stored must be what Result\.to_dict returns"):
        Result.from_dict(stored)


@pytest.mark.parametrize("stored", [{}, {"factor": None}, [], None])
def test_what_is_no_stored_result_is_refused(stored: Any) -> None:
    with pytest.raises(ValueError, match=r"stored must be what Result\.to_dict returns"):
        Result.from_dict(stored)


def test_a_result_of_nothing_says_so() -> None:
    result = Solver().iterate(CurveProblem(decay, T, Y), [1.0, 1.0]).result
    for ask in (result.jacobian, lambda: result.leverage, result.nonlinearity):
        with pytest.raises(ValueError, match="needs a residual, and none was evaluated"):
            ask()


def test_names_of_parameters_must_differ() -> None:
    names = ["a", "b", "a"]
    problem = FunctionProblem(lambda x: x, parameter_names=names)
    with pytest.raises(ValueError, match="parameter_names must differ from each other; 'a' is"):
        Solver().solve(problem, [1.0, 2.0, 3.0])


def test_a_result_without_its_problem_says_so() -> None:
    again = Result.from_dict(fitted().to_dict())
    for ask in (
        again.jacobian,
        again.predict,
        lambda: again.profile(0),
        lambda: again.confidence_interval(method="profile"),
    ):
        with pytest.raises(ValueError, match="needs the problem, which this result does not have"):
            ask()


def test_a_pickle_keeps_a_problem_that_can_be_pickled() -> None:
    again = pickle.loads(pickle.dumps(fitted()))
    np.testing.assert_array_equal(again.predict(), fitted().predict())


@pytest.mark.parametrize(
    "problem",
    [
        FunctionProblem(lambda x: x - 3.0),
        lmoo.models.Exponential().problem(T, Y),
        CurveProblem(lambda t, a: a * t, T, Y),
    ],
    ids=["lambda", "compiled", "curve"],
)
def test_a_result_is_pickled_always(problem: Any) -> None:
    result = Solver().solve(problem, np.ones(getattr(problem, "n", 1)))
    again = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(again.x, result.x)
    np.testing.assert_array_equal(again.covariance(), result.covariance())
    assert str(again).splitlines()[:5] == str(result).splitlines()[:5]
    for twin in (copy.copy(result), copy.deepcopy(result)):
        assert twin.problem is problem
        np.testing.assert_array_equal(twin.x, result.x)
    assert copy.deepcopy(result).x is not result.x


def test_a_problem_that_is_not_there_when_it_is_read_is_left_out() -> None:
    class Gone(Problem):
        def residual(self, x: np.ndarray) -> np.ndarray:
            return x - 3.0

    Gone.__qualname__ = "Gone"
    globals()["Gone"] = Gone
    try:
        stored = pickle.dumps(Solver().solve(Gone(), [1.0]))
    finally:
        del globals()["Gone"]
    again = pickle.loads(stored)
    assert again.problem is None
    assert again.x == 3.0


def test_history_is_stored_in_a_pickle() -> None:
    result = Solver().solve(CurveProblem(decay, T, Y), [1.0, 1.0], history=True)
    again = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(again.history.cost, result.history.cost)


DAMAGE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a field gone": lambda state: state.pop("cost"),
    "x shorter": lambda state: state.update(x=state["x"][:1]),
    "x in single precision": lambda state: state.update(x=state["x"].astype(np.float32)),
    "x a list": lambda state: state.update(x=state["x"].tolist()),
    "fixed as integers": lambda state: state.update(fixed=state["fixed"].astype(int)),
    "a name more": lambda state: state.update(parameter_names=("a", "b", "c")),
    "a residual more": lambda state: state.update(residual=np.ones(13)),
    "status a number": lambda state: state.update(status=1),
    "a negative count": lambda state: state.update(nfev=-1),
    "no history": lambda state: state.update(history=3),
    "no factor": lambda state: state.update(factor=3),
    "ipvt out of range": lambda state: state.update(
        factor=dataclasses.replace(state["factor"], ipvt=np.array([0, 10**6], dtype=np.int32))
    ),
    "r smaller": lambda state: state.update(
        factor=dataclasses.replace(state["factor"], r=np.ones((1, 1)))
    ),
}


@pytest.mark.parametrize("change", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_pickle_of_a_result_is_refused(change: Callable[[dict[str, Any]], Any]) -> None:
    state = fitted().__getstate__()
    change(state)
    with pytest.raises(ValueError, match="the stored result"):
        object.__new__(Result).__setstate__(state)


def test_results_are_still_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        fitted().seconds = 1.0  # type: ignore[misc]


# -------------------------------------------------------------------- residuals of any size

SCALES = [1e-200, 1e-160, 1e-100, 1e100, 1e160, 1e200]


def scaled_fit(scale: float, jac: bool) -> Result:
    """The fit of `fitted` with data and model in another unit."""
    problem = CurveProblem(
        lambda t, a, b: scale * decay(t, a, b),
        T,
        scale * Y,
        jac=(lambda t, a, b: scale * decay_slopes(t, a, b)) if jac else None,
    )
    return Solver().solve(problem, [1.0, 1.0])


@pytest.mark.parametrize("jac", [False, True])
@pytest.mark.parametrize("scale", SCALES)
def test_statistics_do_not_depend_on_the_unit_of_the_residual(scale: float, jac: bool) -> None:
    one, other = scaled_fit(1.0, jac), scaled_fit(scale, jac)
    close: dict[str, Any] = {"rtol": 1e-5}
    np.testing.assert_allclose(other.stderr, one.stderr, **close)
    np.testing.assert_allclose(other.leverage, one.leverage, **close)
    np.testing.assert_allclose(other.leverage.sum(), 2.0, **close)
    np.testing.assert_allclose(
        other.standardized_residuals, one.standardized_residuals, rtol=1e-4, atol=1e-4
    )
    assert other.r_squared == pytest.approx(one.r_squared, rel=1e-9)
    bends = [dataclasses.astuple(result.nonlinearity()) for result in (one, other)]
    np.testing.assert_allclose(bends[1], bends[0], rtol=1e-2)
    for j in (0, 1):
        for mine, theirs in zip(other.profile(j), one.profile(j), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        other.confidence_interval(method="profile"),
        one.confidence_interval(method="profile"),
        **close,
    )
    str(other)


@pytest.mark.parametrize("scale", SCALES)
def test_contours_and_profiles_of_one_parameter_at_any_size(scale: float) -> None:
    lines = [contour(scaled_fit(s, False), 0, 1, 0.9, True) for s in (1.0, scale)]
    np.testing.assert_allclose(lines[1], lines[0], rtol=1e-4)

    def single(s: float) -> Result:
        problem = CurveProblem(lambda t, b: s * 2.0 * np.exp(-b * t), T, s * Y)
        return Solver().solve(problem, [1.0])

    one, other = single(1.0).profile(0), single(scale).profile(0)
    np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-6)


# ------------------------------------------------------------------ names that do more than print

BAD_NAMES = ["\x1b[31mred", "two\nlines", "tab\t", "bell\x07", "\u202eturned", "\x7f", "\ud800"]


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_names_with_control_characters_are_refused_and_never_printed(name: str) -> None:
    def model(t: Any, a: float) -> Any:
        return a * t

    model.parameter_names = (name,)  # type: ignore[attr-defined]
    stored = fitted().to_dict()
    stored["parameter_names"] = [name, "b"]

    class Batch(lmoo.BatchProblem):
        parameter_names = (name,)

        def residual(self, x: Any, which: Any) -> Any:
            return x - 3.0

    outside = Solver(bounds=(5, 6))
    for call in (
        lambda: Solver().solve(FunctionProblem(lambda x: x, parameter_names=[name]), [1.0]),
        lambda: outside.solve(FunctionProblem(lambda x: x, parameter_names=[name]), [1.0]),
        lambda: CurveProblem(model, T, Y),
        lambda: CurveProblem(decay, T, Y, parameter_names=(name, "b")),
        lambda: lmoo.curve_fit(model, T, Y, bounds=(5, 6)),
        lambda: lmoo.curve_fit_many(model, T, np.ones((2, T.size)), [1.0], solver=outside),
        lambda: lmoo.solve_many(Batch(), np.ones((2, 1)), solver=outside),
        lambda: Solver().solve(lmoo.CurveBlocks(decay, T, Y, parameter_names=(name, "b")), [1, 1]),
        lambda: Result.from_dict(stored),
    ):
        with pytest.raises(
            ValueError, match=r"parameter_names must be|x0 must lie|bounds"
        ) as error:
            call()
        assert name not in str(error.value)
        assert str(error.value).isprintable()


def test_names_in_other_scripts_are_names() -> None:
    names = ("\u03b1", "gr\u00f6\u00dfe", "\u6e29\u5ea6 / K")
    problem = FunctionProblem(lambda x: x - 3.0, parameter_names=names)
    assert Solver().solve(problem, np.ones(3)).parameter_names == names
