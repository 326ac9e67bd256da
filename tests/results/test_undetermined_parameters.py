"""Parameters that the data do not determine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from result_cases import ANALYTIC, START, Decay, T, Y, linear, solved

import lmoo
from lmoo import FunctionProblem, Solver, Status

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
    assert np.isnan(result.standard_errors).all()
    assert np.isnan(result.covariance(scaled=False)).all()
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
    assert np.isnan(result.standard_errors).all()
    assert np.isnan(result.covariance()).all()
    assert np.isnan(result.covariance(scaled=False)).all()
    assert result.rank == 0
    assert (result.nfev, result.njev, result.nit) == (0, 0, 0)
    assert "NO minimum" in str(result)
