"""`CurveProblem`: points that are missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from curve_cases import T, X, Y, decay

from lmoo import CurveProblem, Solver


def test_nan_is_refused() -> None:
    y, t = Y.copy(), T.copy()
    y[3] = t[5] = np.nan
    with pytest.raises(ValueError, match=r"^y must be finite, or nan_policy 'omit'; y\[3\] is nan"):
        CurveProblem(decay, T, y)
    with pytest.raises(ValueError, match=r"^t must not be nan, or nan_policy 'omit'; .* index 5$"):
        CurveProblem(decay, t, Y)
    with pytest.raises(ValueError, match=r"^t must not be nan"):
        CurveProblem(lambda t, a: t[0], (T, t), Y)
    with pytest.raises(ValueError, match=r"^t must not be nan, .* index 5$"):
        CurveProblem(lambda t, a: t[0], np.stack([T, t]), Y)


def test_infinite_points_are_given_to_the_model() -> None:
    t = np.append(T, np.inf)
    result = Solver().solve(CurveProblem(decay, t, decay(t, *X)), [1, 1, 0])
    np.testing.assert_allclose(result.x, X, rtol=1e-8)


def test_infinite_data_are_missing_too() -> None:
    y = Y.copy()
    y[4] = -np.inf
    with pytest.raises(ValueError, match=r"or nan_policy 'omit'; y\[4\] is -inf"):
        CurveProblem(decay, T, y)
    assert CurveProblem(decay, T, y, nan_policy="omit").y.size == T.size - 1


def test_nan_is_left_out_with_its_points_and_its_sigma() -> None:
    y, t = Y.copy(), T.copy()
    y[3] = t[5] = np.nan
    keep = np.delete(np.arange(12), [3, 5])
    sigma = np.linspace(0.1, 0.3, 12)
    covariance = np.diag(sigma) + 0.01
    problem = CurveProblem(decay, t, y, sigma, nan_policy="omit")
    np.testing.assert_array_equal(problem.t, T[keep])
    np.testing.assert_array_equal(problem.y, Y[keep])
    np.testing.assert_array_equal(problem.sigma, sigma[keep])
    problem = CurveProblem(decay, t, y, covariance, nan_policy="omit")
    np.testing.assert_array_equal(problem.sigma, covariance[keep][:, keep])
    expected = CurveProblem(decay, T[keep], Y[keep], covariance[keep][:, keep])
    np.testing.assert_array_equal(problem.residual(X), expected.residual(X))


def test_nan_in_several_variables_is_left_out() -> None:
    u, v = T.copy(), T**2
    u[1] = v[2] = np.nan
    keep = np.delete(np.arange(12), [1, 2])

    def plane(t: Any, a: float, b: float) -> Any:
        return a * t[0] + b * t[1]

    for t in ((u, v), np.stack([u, v])):
        problem = CurveProblem(plane, t, Y, nan_policy="omit")
        np.testing.assert_array_equal(problem.t, np.stack([T, T**2])[:, keep])
        assert isinstance(problem.t, type(t))
    frame = pd.DataFrame({"u": u, "v": v})
    problem = CurveProblem(lambda t, a: a * t["u"], frame, Y, nan_policy="omit")
    np.testing.assert_array_equal(problem.t["u"], T[keep])
    np.testing.assert_array_equal(problem.y, Y[keep])
    problem = CurveProblem(lambda t, a: a * t, frame["u"], Y, nan_policy="omit")
    np.testing.assert_array_equal(problem.t, np.delete(T, 1))


def test_without_nan_nothing_is_left_out() -> None:
    problem = CurveProblem(decay, T, Y, nan_policy="omit")
    assert problem.t is T
    np.testing.assert_array_equal(problem.y, Y)


@pytest.mark.parametrize("policy", ["raise", "omit"])
def test_a_masked_entry_is_a_missing_one(policy: str) -> None:
    y = np.ma.masked_array(Y, mask=np.arange(12) == 7)
    problem = CurveProblem(decay, T, y, nan_policy=policy)
    np.testing.assert_array_equal(problem.y, np.delete(Y, 7))
