"""`Result`: its numbers, its covariance where that exists and where not, and its report."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lmoo
from lmoo import FunctionProblem, Problem, Solver, Status

T = np.linspace(0.0, 2.0, 12)
Y = 2.0 * np.exp(-1.3 * T) + 0.05 * np.cos(7.0 * T)
START = (1.0, 1.0)


class Decay(Problem):
    parameter_names = ("amplitude", "rate")

    def residual(self, x: np.ndarray) -> np.ndarray:
        return x[0] * np.exp(-x[1] * T) - Y

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        e = np.exp(-x[1] * T)
        return np.column_stack([e, -x[0] * T * e])


def linear(A: np.ndarray, y: np.ndarray, analytic: bool = True) -> FunctionProblem:
    """A problem whose answers can be had from linear algebra."""
    return FunctionProblem(lambda x: A @ x - y, (lambda x: A) if analytic else None)


ANALYTIC = pytest.mark.parametrize("analytic", [True, False], ids=["analytic", "differences"])


def solved(seed: int = 0, m: int = 10, n: int = 3, analytic: bool = True) -> Any:
    """A linear fit with its matrix, data and result."""
    random = np.random.default_rng(seed)
    A, y = random.normal(size=(m, n)), random.normal(size=m)
    return A, y, Solver().solve(linear(A, y, analytic), np.ones(n))


# ============================================================================ the numbers


def test_the_fields_belong_together() -> None:
    result = Solver().solve(Decay(), START)
    assert result.success is True
    assert isinstance(result.status, Status)
    assert 1 <= result.status <= 4
    assert result.x.shape == (2,)
    np.testing.assert_array_equal(result.residual, Decay().residual(result.x))
    np.testing.assert_allclose(result.cost, 0.5 * (result.residual @ result.residual), rtol=1e-14)
    for number in (result.nfev, result.njev, result.nit):
        assert type(number) is int
        assert number >= 1
    assert type(result.cost) is float
    assert result.degrees_of_freedom == 10
    np.testing.assert_allclose(result.residual_deviation, np.sqrt(2.0 * result.cost / 10))
    assert result.rank == 2
    assert result.undetermined == ()
    assert result.parameter_names == ("amplitude", "rate")


def test_the_message_is_the_reason_with_its_numbers() -> None:
    result = Solver(xtol=3e-9, maxfev=321).solve(Decay(), START)
    assert result.status is Status.XTOL
    assert "no parameter by more than xtol, relative to itself" in result.message
    assert "xtol = 3e-09" in result.message
    assert "maxfev = 321" in result.message


def test_a_result_cannot_be_changed_by_accident() -> None:
    result = Solver().solve(Decay(), START)
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.x = np.zeros(2)  # type: ignore[misc]


@pytest.mark.parametrize(
    "again", [lambda r: pickle.loads(pickle.dumps(r)), copy.deepcopy, copy.copy]
)
def test_a_result_can_be_stored(again: Callable[[lmoo.Result], lmoo.Result]) -> None:
    result = Solver().solve(Decay(), START)
    twin = again(result)
    assert str(twin) == str(result)
    assert twin.status is result.status
    np.testing.assert_array_equal(twin.x, result.x)
    np.testing.assert_array_equal(twin.covariance(), result.covariance())


def test_results_do_not_share_their_arrays() -> None:
    result = Solver().solve(Decay(), START)
    before = result.covariance()
    result.covariance().fill(0.0)
    result.standard_errors.fill(0.0)
    result.gradient.fill(0.0)
    np.testing.assert_array_equal(result.covariance(), before)
    assert (result.standard_errors > 0.0).all()


def test_the_gradient_is_jt_f_of_the_last_jacobian() -> None:
    result = Solver(maxfev=2).solve(Decay(), START)
    problem, x = Decay(), np.array(START)
    if result.njev > 1:
        x = result.x
    np.testing.assert_allclose(
        result.gradient, problem.jacobian(x).T @ problem.residual(x), rtol=1e-12
    )


def test_at_a_minimum_the_gradient_is_zero() -> None:
    result = Solver().solve(Decay(), START)
    J = Decay().jacobian(result.x)
    scale = np.linalg.norm(J, axis=0) * np.linalg.norm(result.residual)
    assert (np.abs(result.gradient) <= 1e-6 * scale).all()


def test_names_are_made_up_where_there_are_none() -> None:
    _, _, result = solved()
    assert result.parameter_names == ("x[0]", "x[1]", "x[2]")


# ============================================================================ covariance


@ANALYTIC
@pytest.mark.parametrize("seed", range(5))
def test_covariance_of_a_linear_fit(analytic: bool, seed: int) -> None:
    A, y, result = solved(seed, analytic=analytic)
    right = np.linalg.inv(A.T @ A)
    rtol = 1e-10 if analytic else 1e-6
    x, squares = np.linalg.lstsq(A, y)[:2]
    np.testing.assert_allclose(result.x, x, rtol=1e-7)
    np.testing.assert_allclose(result.covariance(scaled=False), right, rtol=rtol)
    np.testing.assert_allclose(result.covariance(), right * squares[0] / 7, rtol=rtol)
    np.testing.assert_allclose(
        result.standard_errors, np.sqrt(np.diag(right) * squares[0] / 7), rtol=rtol
    )


def test_covariance_is_symmetric_and_scaled_by_2_cost_over_m_minus_n() -> None:
    result = Solver().solve(Decay(), START)
    unscaled, scaled = result.covariance(scaled=False), result.covariance()
    np.testing.assert_array_equal(unscaled, unscaled.T)
    np.testing.assert_array_equal(scaled, scaled.T)
    np.testing.assert_allclose(scaled, unscaled * 2.0 * result.cost / 10, rtol=1e-13)
    np.testing.assert_allclose(result.standard_errors, np.sqrt(np.diag(scaled)), rtol=1e-13)
    J = Decay().jacobian(result.x)
    np.testing.assert_allclose(unscaled, np.linalg.inv(J.T @ J), rtol=1e-7)


def test_standard_errors_are_what_repeated_measurements_scatter_by() -> None:
    # The statement that the formula stands for, tested as such: 400 experiments.
    random = np.random.default_rng(7)
    truth = 2.0 * np.exp(-1.3 * T)
    fits = []
    errors = []
    for _ in range(400):
        y = truth + 0.05 * random.normal(size=T.size)
        problem = FunctionProblem(lambda x, y: x[0] * np.exp(-x[1] * T) - y, args=(y,))
        result = Solver().solve(problem, START)
        fits.append(result.x)
        errors.append(result.standard_errors)
    scatter = np.std(fits, axis=0)
    np.testing.assert_allclose(np.mean(errors, axis=0), scatter, rtol=0.15)


@ANALYTIC
def test_covariance_does_not_depend_on_the_order_of_the_parameters(analytic: bool) -> None:
    A, y, result = solved(3, analytic=analytic)
    order = [2, 0, 1]
    other = Solver().solve(linear(A[:, order], y, analytic), np.ones(3))
    np.testing.assert_allclose(
        other.covariance(), result.covariance()[np.ix_(order, order)], rtol=1e-6
    )


# ------------------------------------------------------------------- units and magnitudes


@ANALYTIC
@pytest.mark.parametrize(
    "units", [(1e-12, 1.0, 1e12), (1e12, 1e-12, 1.0), (1e-6, 1e6, 1e-6)], ids=str
)
def test_wildly_different_units_are_no_deficiency(analytic: bool, units: Any) -> None:
    A, y, right = solved(1)
    units = np.array(units)
    problem = linear(A / units, y, analytic)
    # In its own unit each parameter starts at 1.
    result = Solver().solve(problem, units)
    assert result.success
    assert result.rank == 3
    assert result.undetermined == ()
    np.testing.assert_allclose(result.x, right.x * units, rtol=1e-6)
    np.testing.assert_allclose(result.standard_errors, right.standard_errors * units, rtol=1e-6)
    np.testing.assert_allclose(
        result.covariance(), right.covariance() * units * units[:, None], rtol=1e-6
    )


@ANALYTIC
def test_wildly_different_units_of_a_nonlinear_fit(analytic: bool) -> None:
    units = np.array([1e-12, 1e12])
    plain = Decay()
    problem = FunctionProblem(
        lambda x: plain.residual(x / units),
        (lambda x: plain.jacobian(x / units) / units) if analytic else None,
    )
    right = Solver().solve(plain, START)
    result = Solver().solve(problem, np.array(START) * units)
    assert result.success
    assert result.rank == 2
    np.testing.assert_allclose(result.x, right.x * units, rtol=1e-8)
    np.testing.assert_allclose(result.standard_errors, right.standard_errors * units, rtol=1e-6)


@ANALYTIC
@pytest.mark.parametrize("scale", [1e-300, 1e-155, 1e-100, 1e100, 1e155, 1e300], ids=str)
def test_huge_and_tiny_residuals_do_no_harm_to_standard_errors(
    scale: float, analytic: bool
) -> None:
    A, y, right = solved(2)
    result = Solver().solve(linear(scale * A, scale * y, analytic), np.ones(3))
    assert result.success
    np.testing.assert_allclose(result.x, right.x, rtol=1e-7)
    np.testing.assert_allclose(result.standard_errors, right.standard_errors, rtol=1e-6)
    np.testing.assert_allclose(result.covariance(), right.covariance(), rtol=1e-6)
    np.testing.assert_allclose(
        result.residual_deviation, scale * right.residual_deviation, rtol=1e-7
    )
    assert "a minimum was found" in str(result)


@pytest.mark.parametrize("scale", [1e155, 1e200, 1e300], ids=str)
def test_numbers_that_overflow_are_inf_without_a_warning(scale: float) -> None:
    # Warnings are errors here.
    A, y, _ = solved(2)
    result = Solver(maxfev=1).solve(linear(scale * A, scale * y), np.full(3, 5.0))
    assert result.cost == np.inf
    assert np.isinf(result.gradient).any()
    assert str(result)
    assert np.isfinite(result.standard_errors).all()


def test_a_covariance_that_overflows_is_inf_without_a_warning() -> None:
    A, y, right = solved(2)
    result = Solver().solve(linear(A / 1e200, y), np.full(3, 1e200))
    np.testing.assert_allclose(result.standard_errors, right.standard_errors * 1e200, rtol=1e-8)
    assert np.isinf(np.diag(result.covariance())).all()
    assert str(result)


def test_a_perfect_fit_has_standard_errors_of_zero() -> None:
    A, _, _ = solved(2)
    result = Solver().solve(linear(A, A @ [1.0, 2.0, 3.0]), np.ones(3))
    assert result.success
    assert (result.standard_errors < 1e-14).all()
    np.testing.assert_allclose(result.covariance(scaled=False), np.linalg.inv(A.T @ A), rtol=1e-9)
    assert str(result)


# ------------------------------------------------------------------- deficient Jacobians


def reduced(A: np.ndarray, y: np.ndarray, keep: list[int]) -> lmoo.Result:
    """The fit of those parameters alone."""
    return Solver().solve(linear(A[:, keep], y), np.ones(len(keep)))


@ANALYTIC
def test_a_parameter_that_is_not_used_is_undetermined(analytic: bool) -> None:
    random = np.random.default_rng(5)
    A, y = random.normal(size=(10, 3)), random.normal(size=10)
    A[:, 1] = 0.0
    result = Solver().solve(linear(A, y, analytic), [1.0, 4.0, 1.0])
    right = reduced(A, y, [0, 2])
    assert result.success
    assert result.rank == 2
    assert result.undetermined == ("x[1]",)
    np.testing.assert_allclose(result.x[[0, 2]], right.x, rtol=1e-7)
    assert result.x[1] == 4.0
    errors = result.standard_errors
    assert errors[1] == np.inf
    # One more parameter leaves one degree of freedom less.
    factor = np.sqrt(8.0 / 7.0)
    np.testing.assert_allclose(errors[[0, 2]], right.standard_errors * factor, rtol=1e-6)
    covariance = result.covariance(scaled=False)
    np.testing.assert_allclose(
        covariance[np.ix_([0, 2], [0, 2])], right.covariance(scaled=False), rtol=1e-6
    )
    assert covariance[1, 1] == np.inf
    assert np.isnan(covariance[1, [0, 2]]).all()
    assert np.isnan(covariance[[0, 2], 1]).all()


@ANALYTIC
@pytest.mark.parametrize("factor", [1.0, -1.0, 1e6, 1e-6], ids=str)
def test_two_parameters_that_only_count_together_are_undetermined(
    analytic: bool, factor: float
) -> None:
    random = np.random.default_rng(6)
    A, y = random.normal(size=(12, 4)), random.normal(size=12)
    A[:, 3] = factor * A[:, 1]
    result = Solver().solve(linear(A, y, analytic), [1.0, 1.0, 1.0, 1.0 / abs(factor)])
    right = reduced(A, y, [0, 1, 2])
    assert result.success
    assert result.rank == 3
    assert result.undetermined == ("x[1]", "x[3]")
    np.testing.assert_allclose(result.x[[0, 2]], right.x[[0, 2]], rtol=1e-6)
    np.testing.assert_allclose(result.x[1] + factor * result.x[3], right.x[1], rtol=1e-6)
    np.testing.assert_allclose(
        result.covariance(scaled=False)[np.ix_([0, 2], [0, 2])],
        right.covariance(scaled=False)[np.ix_([0, 2], [0, 2])],
        rtol=1e-5,
    )
    assert np.isinf(result.standard_errors[[1, 3]]).all()
    np.testing.assert_allclose(
        result.standard_errors[[0, 2]],
        right.standard_errors[[0, 2]] * np.sqrt(9.0 / 8.0),
        rtol=1e-5,
    )


@ANALYTIC
def test_a_sum_of_two_columns_takes_all_three_parameters_with_it(analytic: bool) -> None:
    random = np.random.default_rng(8)
    A, y = random.normal(size=(12, 4)), random.normal(size=12)
    A[:, 2] = A[:, 0] + A[:, 1]
    result = Solver().solve(linear(A, y, analytic), np.ones(4))
    assert result.rank == 3
    assert result.undetermined == ("x[0]", "x[1]", "x[2]")
    right = reduced(A, y, [0, 1, 3])
    np.testing.assert_allclose(
        result.covariance(scaled=False)[3, 3], right.covariance(scaled=False)[2, 2], rtol=1e-5
    )


@ANALYTIC
def test_deficiency_is_seen_in_any_units(analytic: bool) -> None:
    random = np.random.default_rng(9)
    A, y = random.normal(size=(12, 3)), random.normal(size=12)
    A[:, 2] = A[:, 0]
    units = np.array([1e-12, 1.0, 1e12])
    result = Solver().solve(linear(A / units, y, analytic), units)
    assert result.rank == 2
    assert result.undetermined == ("x[0]", "x[2]")
    right = reduced(A, y, [0, 1])
    np.testing.assert_allclose(
        result.covariance(scaled=False)[1, 1], right.covariance(scaled=False)[1, 1], rtol=1e-5
    )


@ANALYTIC
def test_a_nonlinear_deficiency(analytic: bool) -> None:
    # a exp(b - c t): a and b say the same thing.
    def residual(x: np.ndarray) -> np.ndarray:
        return x[0] * np.exp(x[1] - x[2] * T) - Y

    def jacobian(x: np.ndarray) -> np.ndarray:
        e = np.exp(x[1] - x[2] * T)
        return np.column_stack([e, x[0] * e, -x[0] * T * e])

    problem = FunctionProblem(
        residual, jacobian if analytic else None, parameter_names=("a", "b", "c")
    )
    result = Solver().solve(problem, [1.0, 0.1, 1.0])
    right = Solver().solve(Decay(), START)
    assert result.success
    assert result.rank == 2
    assert result.undetermined == ("a", "b")
    np.testing.assert_allclose(result.x[2], right.x[1], rtol=1e-7)
    np.testing.assert_allclose(result.cost, right.cost, rtol=1e-10)
    np.testing.assert_allclose(
        result.covariance(scaled=False)[2, 2], right.covariance(scaled=False)[1, 1], rtol=1e-5
    )
    assert "rank 2 of 3: the data do not determine a, b" in str(result)


@pytest.mark.parametrize("closeness", [1e-3, 1e-5, 1e-7], ids=str)
def test_columns_that_are_nearly_parallel_are_determined_by_exact_derivatives(
    closeness: float,
) -> None:
    random = np.random.default_rng(10)
    A, y = random.normal(size=(12, 3)), random.normal(size=12)
    A[:, 2] = A[:, 0] + closeness * A[:, 2]
    result = Solver().solve(linear(A, y), np.ones(3))
    assert result.rank == 3
    right = np.linalg.pinv(A) @ np.linalg.pinv(A).T
    np.testing.assert_allclose(result.covariance(scaled=False), right, rtol=1e-6)


def test_a_flat_residual_determines_nothing() -> None:
    result = Solver().solve(FunctionProblem(lambda x: np.ones(4)), START)
    assert result.rank == 0
    assert result.undetermined == ("x[0]", "x[1]")
    assert np.isinf(result.standard_errors).all()
    covariance = result.covariance(scaled=False)
    assert np.isinf(np.diag(covariance)).all()
    assert np.isnan(covariance[0, 1])
    assert "rank 0 of 2" in str(result)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.integers(1, 4), st.booleans())
def test_what_is_determined_has_its_variance_whatever_the_rank(
    seed: int, n: int, rank: int, analytic: bool
) -> None:
    random = np.random.default_rng(seed)
    rank = min(rank, n)
    # Each of the last parameters doubles one of the first, so that it is known who is undetermined.
    A = random.normal(size=(n + 6, n))
    partner = random.integers(0, rank, size=n)
    doubled = set()
    for j in range(rank, n):
        A[:, j] = A[:, partner[j]]
        doubled |= {j, int(partner[j])}
    y = random.normal(size=n + 6)
    if np.linalg.cond(A[:, :rank]) > 1e3:
        return
    result = Solver().solve(linear(A, y, analytic), random.normal(size=n))
    assert result.rank == rank
    assert set(result.undetermined) == {f"x[{j}]" for j in doubled}
    free = [j for j in range(n) if j not in doubled]
    right = np.linalg.inv(A[:, :rank].T @ A[:, :rank])
    if free:
        np.testing.assert_allclose(
            result.covariance(scaled=False)[np.ix_(free, free)],
            right[np.ix_(free, free)],
            rtol=1e-4,
            atol=1e-4 * np.abs(right).max(),
        )
    assert np.isinf(result.standard_errors[sorted(doubled)]).all()


# ------------------------------------------------------------------- m = n, and no Jacobian


def test_as_many_parameters_as_observations_have_infinite_errors() -> None:
    A, _, result = solved(4, m=3)
    assert result.success
    assert result.degrees_of_freedom == 0
    assert np.isinf(result.standard_errors).all()
    assert np.isinf(result.covariance()).all()
    assert result.residual_deviation == np.inf
    np.testing.assert_allclose(result.covariance(scaled=False), np.linalg.inv(A.T @ A), rtol=1e-8)
    assert "as many parameters as observations" in str(result)
    assert "+- inf" in str(result)


def test_before_there_is_a_jacobian_nothing_is_known() -> None:
    result = Solver().iterate(Decay(), START).result
    assert result.status is Status.UNFINISHED
    assert not result.success
    np.testing.assert_array_equal(result.x, START)
    assert result.residual.size == 0
    assert np.isnan(result.cost)
    assert np.isnan(result.gradient).all()
    assert np.isinf(result.standard_errors).all()
    assert np.isinf(result.covariance()).all()
    assert np.isinf(result.covariance(scaled=False)).all()
    assert result.rank == 0
    assert (result.nfev, result.njev, result.nit) == (0, 0, 0)
    assert "NO minimum" in str(result)


# ============================================================================ the report


def test_the_report_has_it_all() -> None:
    result = Solver().solve(Decay(), START)
    text = str(result)
    assert "a minimum was found" in text
    assert f"(status {int(result.status)}, {result.status.name})" in text
    assert result.message in text
    for name, value, error in zip(
        ("amplitude", "rate"), result.x, result.standard_errors, strict=True
    ):
        (line,) = (line for line in text.splitlines() if line.split()[:1] == [name])
        assert f"{value:.6g}"[:6] in line
        assert f"+- {error:.4g}" in line
    assert f"{result.cost:.6g}"[:6] in text
    assert f"{result.nfev} residuals, {result.njev} Jacobians, {result.nit} iterations" in text
    assert "12, 2 (10 degrees of freedom)" in text


def test_print_prints_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    result = Solver().solve(Decay(), START)
    print(result)
    assert capsys.readouterr().out == f"{result}\n"


@pytest.mark.parametrize(
    ("problem", "options", "status"),
    [
        (Decay(), {"maxfev": 2}, Status.MAXFEV),
        (FunctionProblem(lambda x: np.ones(3)), {}, Status.FLAT),
        (FunctionProblem(Decay().residual, lambda x: -Decay().jacobian(x)), {}, None),
    ],
    ids=["maxfev", "flat", "wrong sign"],
)
def test_the_report_of_a_failure_says_no(problem: Any, options: Any, status: Any) -> None:
    result = Solver(**options).solve(problem, START)
    text = str(result)
    assert text.startswith("Nonlinear least squares: NO minimum was found")
    assert result.status.reason in text
    assert result.status is status or status is None


def test_the_report_aligns_long_names_and_any_number() -> None:
    names = ("a", "a very long name of a parameter indeed", "é")
    A, y, _ = solved(1)
    units = np.array([1e-12, 1.0, 1e12])
    problem = FunctionProblem(
        lambda x: A / units @ x - y, lambda x: A / units, parameter_names=names
    )
    lines = str(Solver().solve(problem, units)).splitlines()
    begin = next(k for k, line in enumerate(lines) if "standard error" in line)
    table = lines[begin : begin + 4]
    assert len({len(line) for line in table}) == 1
    assert [line[2:].split("  ")[0] for line in table[1:]] == list(names)


def test_a_parameter_of_zero_has_no_relative_error() -> None:
    A = np.array([[1.0], [1.0]])
    result = Solver().solve(linear(A, np.array([1.0, -1.0])), [0.0])
    assert result.x[0] == 0.0
    (line,) = (line for line in str(result).splitlines() if line.strip().startswith("x[0]"))
    # Name, value, error with its sign, and this.
    assert line.split()[4] == "-"


def test_repr_is_short_and_str_is_the_report() -> None:
    result = Solver().solve(Decay(), START)
    assert repr(result).startswith("Result(x=array(")
    assert str(result) != repr(result)
