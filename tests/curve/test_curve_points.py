"""`CurveProblem`: the independent variable."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pandas as pd
import pytest
from curve_cases import T, Y, decay
from ids import stable

from lmoo import CurveProblem, Solver


def test_points_may_be_anything_that_the_model_takes() -> None:
    u, v = np.linspace(0, 1, 10), np.cos(np.arange(10.0))
    y = 2.0 * u + 3.0 * v

    def plane(t: Any, a: float, b: float) -> Any:
        first, second = t
        return a * first + b * second

    def table(t: Any, a: float, b: float) -> Any:
        return a * t["u"] + b * t["v"]

    points = types.SimpleNamespace(u=u, v=v)
    cases = [
        (plane, (u, v)),
        (plane, (list(u), list(v))),
        (plane, np.stack([u, v])),
        (plane, [list(u), list(v)]),
        (table, pd.DataFrame({"u": u, "v": v})),
        (table, {"u": u, "v": v}),
        (lambda t, a, b: a * t.u + b * t.v, points),
        (lambda t, a, b: a * u + b * v, None),
    ]
    for f, t in cases:
        result = Solver().solve(CurveProblem(f, t, y), [1, 1])
        np.testing.assert_allclose(result.x, [2, 3], rtol=1e-9)


@pytest.mark.parametrize(
    "t",
    [[0, 1, 2], np.arange(3), np.arange(3, dtype=np.float32), np.array([False, True, True])],
    ids=stable,
)
def test_real_points_are_double_precision(t: Any) -> None:
    problem = CurveProblem(lambda t, a: a * t, t, [0, 1, 2])
    assert problem.t.dtype == np.float64
    (part,) = CurveProblem(lambda t, a: a * t[0], (t,), [0, 1, 2]).t
    assert part.dtype == np.float64


def test_double_precision_is_not_copied() -> None:
    assert CurveProblem(decay, T, Y).t is T


def test_complex_points_are_left_alone() -> None:
    z = np.exp(1j * T)
    y = np.abs(2.0 + 3.0 * z)
    result = Solver().solve(CurveProblem(lambda z, a, b: np.abs(a + b * z), z, y), [1, 5])
    np.testing.assert_allclose(result.x, [2, 3], rtol=1e-8)


def test_data_of_any_real_kind() -> None:
    for y in ([1, 2, 3], np.array([1, 2, 3], dtype=np.int8), pd.Series([1, 2, 3]), (1.0, 2, 3)):
        problem = CurveProblem(lambda t, a: a * t, [1, 2, 3], y)
        assert problem.y.dtype == np.float64
        assert Solver().solve(problem, [0.5]).x == pytest.approx(1.0)


def test_a_model_may_return_a_number_or_a_list() -> None:
    constant = CurveProblem(lambda t, a: a, T, Y)
    np.testing.assert_array_equal(constant.residual(np.array([2.0])), 2.0 - Y)
    listed = CurveProblem(lambda t, a: [a * v for v in t], T, Y)
    np.testing.assert_array_equal(listed.residual(np.array([2.0])), 2.0 * T - Y)
