"""Calls of models in functions that are traced, and models in the place of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lmoo
from lmoo import CurveBlocks, CurveProblem, Solver, TraceError
from lmoo.models.compiled import program_of

G = lmoo.models.Gaussian()
FORMULA = lmoo.Expression("a*exp(-((t - m)/s)**2/2) + b")
SUM = G + lmoo.Expression("0.5*t")
LINE = lmoo.models.Linear()
FLAT = lmoo.models.Constant()
SLOPE = 0.01
T = np.linspace(0.0, 10.0, 40)
TRUE = np.array([2.0, 5.0, 1.2, 0.1])
Y = G(T, *TRUE) + 0.01 * np.cos(9 * T)

Curve = Callable[..., Any]


def half(t, a, m, s, b):
    y = np.full_like(t, b)
    right = t > 3.0
    y[right] = G(t[right], a, m, s, b)
    return y


FUNCTIONS: dict[str, Curve] = {
    "plus": lambda t, a, m, s, b: G(t, a, m, s, b) + SLOPE * t,
    "expression": lambda t, a, m, s, b: 2 * FORMULA(t - 1.0, a, m, s, b),
    "sum": lambda t, a, m, s, b: SUM(t, a, m, s, b) - LINE(t, 0.5, 0.0),
    "nested": lambda t, a, m, s, b: G(LINE(t, 1.0, b), a, m, s, b),
    "constant": lambda t, a, m, s, b: G(t, a, m, s, 0.0) + FLAT(t, b),
    "starred": lambda t, *p: G(np.asarray(t), *np.array(p)),
    "arrays": lambda t, a, m, s, b: G(T, a, m, s, b) + t - T,
    "array of parameters": lambda t, a, m, s, b: FORMULA(t, a + 0.01 * t, m, s, b),
    "truth": lambda t, a, m, s, b: G(t, a, m, s, b) + STEPS(t, b),
    "selected": half,
}
STEPS = lmoo.Expression("0.01*c*((t > 1) + (t > 2))")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_call_of_a_model_is_compiled(name: str) -> None:
    f = FUNCTIONS[name]
    found = Solver().solve(CurveProblem(f, T, Y, trace=True), TRUE * 1.1)
    assert found.evaluation.startswith("compiled from")
    called = Solver().solve(CurveProblem(f, T, Y, trace=False), TRUE * 1.1)
    np.testing.assert_allclose(found.x, called.x, rtol=1e-5)
    assert found.nfev < called.nfev


@pytest.mark.parametrize("kind", [CurveProblem, CurveBlocks])
@pytest.mark.parametrize("model", [G, FORMULA, SUM], ids=repr)
def test_models_are_compiled_in_problems_for_functions(kind: Any, model: Any) -> None:
    problem = kind(model, T, Y)
    problem.trace = True
    result = Solver().solve(problem, TRUE * 1.1)
    assert result.evaluation.startswith("compiled")
    popt, _, info, _, _ = lmoo.curve_fit(model, T, Y, TRUE * 1.1, full_output=True)
    np.testing.assert_allclose(result.x, popt, rtol=1e-9)
    assert result.nfev == info["nfev"]


def test_models_are_compiled_in_joint_problems() -> None:
    parts = [CurveProblem(G, T, Y), G.problem(T, Y), CurveProblem(FUNCTIONS["plus"], T, Y)]
    for part in (parts[0], parts[2]):
        part.parameter_names = G.parameter_names
    joint = lmoo.JointProblem(parts, ["center"])
    start = dict.fromkeys(joint.parameter_names, 0.2)
    start.update({name: 2.0 for name in start if "amplitude" in name}, center=5.2)
    start.update({name: 1.1 for name in start if "sigma" in name})
    result = Solver().solve(joint, joint.start(start))
    assert result.success
    assert result.evaluation == "2 of 3 compiled; 1 of 3 compiled from <lambda>"


def test_several_variables() -> None:
    model = lmoo.models.Gaussian2D()
    t = tuple(np.meshgrid(np.arange(8.0), np.arange(9.0)))
    u, v = (part.ravel() for part in t)
    true = np.arange(1.0, model.n + 1.0)
    z = model((u, v), *true)
    for f in (model, lambda uv, *p: model(uv, *p) + 0.0 * uv[0]):
        for problem in (
            CurveProblem(f, (u, v), z),
            CurveProblem(f, np.stack([u, v]), z),
            CurveBlocks(f, np.stack([u, v]), z),
        ):
            result = Solver().solve(problem, true * 1.02)
            assert result.evaluation.startswith("compiled")
            np.testing.assert_allclose(result.x, true, rtol=1e-6)
    np.testing.assert_array_equal(model(np.stack([u, v]), *true), z)
    np.testing.assert_array_equal(
        model.jacobian(np.stack([u, v]), *true), model.jacobian((u, v), *true)
    )


def test_traces_and_residuals_contain_the_graph() -> None:
    model = lmoo.trace(lambda t, a, m, s, b, c: G(t, a, m, s, b) + c * t)
    assert str(model) == "a*exp(-((t - m)/s)**2/2) + b + c*t"
    problem = lmoo.trace_residual(lambda x: G(T, *x) - Y, 4)
    np.testing.assert_allclose(problem.residual(TRUE), G(T, *TRUE) - Y, rtol=0, atol=1e-15)
    np.testing.assert_allclose(problem.jacobian(TRUE), G.jacobian(T, *TRUE), rtol=0, atol=1e-13)


def test_stacks_of_curves() -> None:
    y = np.stack([Y, 2 * Y])
    fits = lmoo.curve_fit_many(FUNCTIONS["plus"], T, y, np.stack([TRUE, TRUE]))
    assert fits.evaluation == "compiled from <lambda>"


@pytest.mark.parametrize(
    ("f", "reason"),
    [
        (lambda t, a: G(t, a), "takes 1 variables and 4 parameters; 1 and 1 were given"),
        (lambda t, a: G((t, t), a, a, a, a), "takes 1 variables and 4 parameters; 2 and 4"),
        (lambda t, a: G(t, a * t, 1.0, 1.0, 0.0), "takes numbers as parameters of a curve"),
        (lambda t, a: G(t, a * 1j, 1.0, 1.0, 0.0), "a model of real numbers is called with"),
        (lambda t, a: G.jacobian(t, a, 1.0, 1.0, 0.0)[0], "test_trace_models.py:"),
    ],
)
def test_what_is_refused_names_no_line_of_lmoo(f: Any, reason: str) -> None:
    with pytest.raises(TraceError) as caught:
        lmoo.trace(f)
    assert reason in str(caught.value)
    for line in ("masks.py", "units.py", "arguments.py", "library.py"):
        assert line not in str(caught.value)


def test_a_table_without_a_graph_is_refused_without_a_line() -> None:
    model = lmoo.models.CompiledModel(program_of(FORMULA).capsule)
    result = Solver().solve(CurveProblem(model, T, Y), TRUE * 1.1)
    assert result.evaluation == (
        "called, because a compiled model is called, whose operations are unknown"
    )
