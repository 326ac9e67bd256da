"""`CurveProblem`: arguments that are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from curve_cases import T, Y, decay, slopes
from ids import stable

from lmoo import CurveProblem, Solver


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"f": 5}, TypeError, r"^f must be callable; it is 5$"),
        ({"jac": 5}, TypeError, r"^jac must be callable or None; it is 5$"),
        ({"y": list("abcdefghijkl")}, TypeError, r"^y must be real numbers"),
        ({"y": [1.0, [2.0, 3.0]]}, TypeError, r"^y must be an array of real numbers"),
        ({"y": None}, TypeError, r"^y must be real numbers; it is None$"),
        ({"y": np.array(["a"], dtype=object)}, TypeError, r"^y must be real numbers"),
        ({"y": 1.0}, ValueError, r"^y must be 1-D; its shape is \(\)$"),
        (
            {"y": Y.reshape(3, 4)},
            ValueError,
            r"^y must be 1-D; its shape is \(3, 4\): for an image",
        ),
        ({"y": [], "t": []}, ValueError, r"^y must not be empty$"),
        ({"y": [np.nan], "t": [1.0], "nan_policy": "omit"}, ValueError, r"; all of its 1 points"),
        ({"t": [1.0, [2.0, 3.0]]}, TypeError, r"^t must be an array of real numbers"),
        ({"t": ["a"] * 12}, TypeError, r"^t must be real numbers"),
        ({"t": ([1j] * 12, T)}, TypeError, r"^t must be real numbers"),
        ({"sigma": 0.0}, ValueError, r"^sigma must be positive and finite"),
        ({"sigma": -Y}, ValueError, r"^sigma must be positive and finite"),
        ({"sigma": np.nan}, ValueError, r"^sigma must be positive and finite"),
        ({"sigma": np.ones(11)}, ValueError, r"^sigma .*\(12,\) or \(12, 12\).* is \(11,\)$"),
        ({"sigma": [[4.0]]}, ValueError, r"its shape is \(1, 1\)$"),
        ({"sigma": np.ones((12, 1))}, ValueError, r"its shape is \(12, 1\)$"),
        ({"sigma": "a"}, TypeError, r"^sigma must be real numbers; it is 'a'$"),
        ({"sigma": 1j}, TypeError, r"^sigma must be real numbers"),
        ({"sigma": -np.eye(12)}, ValueError, r"^`sigma` must be positive definite\.$"),
        ({"sigma": np.ones((12, 12))}, ValueError, r"^`sigma` must be positive definite\.$"),
        ({"sigma": np.full((12, 12), np.nan)}, ValueError, r"^sigma must be finite"),
        ({"sigma": np.eye(12) + np.eye(12, k=1)}, ValueError, r"^sigma must be symmetric"),
        ({"nan_policy": "ignore"}, ValueError, r"^nan_policy must be 'raise' or 'omit'"),
        ({"t": T[:5], "nan_policy": "omit"}, ValueError, r"^t must have its 12 points along"),
        ({"t": 1.0, "nan_policy": "omit"}, ValueError, r"^t must have its 12 points along"),
        ({"t": {}, "nan_policy": "omit"}, ValueError, r"^t must have its 12 points along"),
    ],
    ids=stable,
)
def test_what_is_refused(changes: Any, error: type[Exception], match: str) -> None:
    arguments = {"f": decay, "t": T, "y": Y, **changes}
    with pytest.raises(error, match=match):
        CurveProblem(**arguments)


@pytest.mark.parametrize(
    ("value", "error", "match"),
    [
        (None, TypeError, r"^f must return 12 real numbers, one for each point; it returned None$"),
        ("text", TypeError, r"it returned 'text'$"),
        ([1.0, [2.0]], TypeError, r"what it returned is not an array"),
        (np.ones(11), ValueError, r"it returned an array of shape \(11,\)$"),
        (np.ones((12, 1)), ValueError, r"it returned an array of shape \(12, 1\)$"),
        (np.ones((2, 12)), ValueError, r"it returned an array of shape \(2, 12\)$"),
        (np.empty((12, 0)), ValueError, r"it returned an array of shape \(12, 0\)$"),
    ],
    ids=stable,
)
def test_values_that_are_refused(value: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        Solver().solve(CurveProblem(lambda t, a: value, T, Y), [1.0])


def test_complex_values_are_refused() -> None:
    with pytest.raises(TypeError, match="complex"):
        Solver().solve(CurveProblem(lambda t, a: a * t + 1j, T, Y), [1.0])


def test_derivatives_of_the_wrong_shape_are_refused() -> None:
    problem = CurveProblem(decay, T, Y, jac=lambda t, *p: slopes(t, *p).T)
    with pytest.raises(ValueError, match=r"^jac must return 3 derivatives for each of 12 points"):
        Solver().solve(problem, [1, 1, 0])


def test_what_the_model_raises_comes_out() -> None:
    def broken(t: Any, a: float) -> Any:
        raise TypeError("mine")

    with pytest.raises(TypeError, match=r"^mine$"):
        Solver().solve(CurveProblem(broken, T, Y), [1.0])
