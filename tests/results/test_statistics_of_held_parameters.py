"""Statistics where parameters are fixed, at a bound or undetermined."""

from __future__ import annotations

import numpy as np
import pytest
from statistics_cases import random_fit, straight

from lmoo import FunctionProblem, Solver


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
