"""The comparisons of a trace with its function call this at no parameters outside of the bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lmoo
from lmoo.models.tracing import evaluation
from lmoo.models.tracing.moved import _inside

T = np.linspace(0.0, 4.0, 15)
LOWER, UPPER = np.array([0.0, 0.0, 0.5]), np.array([1.0, 3.0, 0.5])


def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


Y = decay(T, 0.9, 0.4, 0.5) + 0.01 * np.sin(9.0 * T)


def by_curve_fit(f: Any) -> None:
    lmoo.curve_fit(f, T, Y, [1.0, 0.0, 0.5], bounds=(LOWER, [1.0, 3.0, 0.6]))


def by_solver(f: Any) -> None:
    solver = lmoo.Solver(bounds={"a": (0, 1), "b": (0, 3)}, fixed={"c": 0.5})
    solver.solve(lmoo.CurveProblem(f, T, Y), [1.0, 0.0, 0.5])


def by_blocks(f: Any) -> None:
    problem = lmoo.CurveBlocks(f, T, Y)
    lmoo.Solver(bounds={"a": (0, 1), "b": (0, 3), "c": (0.5, 0.6)}).solve(problem, [1.0, 0.0, 0.5])


def by_joint_problem(f: Any) -> None:
    parts = [lmoo.CurveProblem(f, T, Y) for _ in range(2)]
    bounds = {"a": (0, 1), "b": (0, 3), "c": (0.5, 0.6)}
    joint = lmoo.JointProblem(parts, shared=["b"], bounds=bounds)
    lmoo.Solver().solve(joint, joint.start({"a": 1.0, "b": 0.0, "c": 0.5}))


def by_related_parameters(f: Any) -> None:
    problem = lmoo.CurveProblem(f, T, Y)
    solver = lmoo.Solver(constraints=["a <= 1", "b >= 0", "c >= 0.5", "a + c <= 1.5"])
    solver.solve(problem, [1.0, 0.0, 0.5])


@pytest.mark.parametrize(
    "fit", [by_curve_fit, by_solver, by_blocks, by_joint_problem, by_related_parameters]
)
def test_the_function_is_called_within_bounds(fit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Any] = []
    value = evaluation._value

    def recording(f: Any, t: Any, x: Any, m: int) -> Any:
        called.append(np.array(x))
        return value(f, t, x, m)

    def f(t: Any, a: Any, b: Any, c: Any) -> Any:
        return decay(t, a, b, c)

    monkeypatch.setattr(evaluation, "_value", recording)
    fit(f)
    assert len(called) >= 2
    for x in called:
        assert np.all(x[:3] >= LOWER)
        assert np.all(x[:3] <= [1.0, 3.0, 0.6])
        assert x[0] + x[2] <= 1.5 + 1e-12 or fit is not by_related_parameters


def test_where_there_is_little_room() -> None:
    x = np.array([1.0, 1.0, 1.0, 1.0, 1.0])
    moved = np.array([1.001, 0.999, 1.001, 1.001, 0.999])
    edges = np.array([[0.0, 0.0, 0.9995, np.nan, -np.inf], [1.0, 1.0, 1.0005, np.nan, np.inf]])
    np.testing.assert_allclose(_inside(moved, x, edges), [0.999, 0.999, 0.9995, 1.0, 0.999])
    np.testing.assert_array_equal(_inside(moved, x, None), moved)
