"""Leverage and standardized residuals."""

from __future__ import annotations

import numpy as np
import pytest
from statistics_cases import random_fit, straight


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
