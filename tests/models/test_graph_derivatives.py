"""Derivatives of expression graphs."""

from __future__ import annotations

import re
from typing import Any

import mpmath
import numpy as np
import pytest
from graph_cases import SMOOTH, T, expressions
from hypothesis import given, settings
from hypothesis import strategies as st

import lmoo
from lmoo import Expression
from lmoo.models.compiled import GraphModel
from lmoo.models.graph.derivatives import derivatives, directional, second_derivative
from lmoo.models.graph.evaluation import evaluate
from lmoo.models.graph.nodes import Graph, extracted
from lmoo.models.graph.operations import OPERATIONS
from lmoo.models.graph.partials import FLAT, PARTIALS, SELECTIONS


def test_every_operation_has_a_rule() -> None:
    known = {*PARTIALS, *SELECTIONS, *FLAT}
    assert set(OPERATIONS) - known == {"trigamma"}
    for name, rules in PARTIALS.items():
        assert len(rules) == OPERATIONS[name].arity
    with pytest.raises(NotImplementedError, match="derivative of trigamma is not implemented"):
        derivatives(graph := Graph(), graph.apply("trigamma", graph.parameter(0)), 1)


MP = {
    "exp": mpmath.exp, "log": mpmath.log, "sqrt": mpmath.sqrt, "sin": mpmath.sin,
    "cos": mpmath.cos, "tanh": mpmath.tanh, "arctan": mpmath.atan, "square": lambda x: x * x,
    "erf": mpmath.erf, "expit": lambda x: 1 / (1 + mpmath.exp(-x)), "hypot": mpmath.hypot,
    "where": lambda c, a, b: a if c else b, "pi": mpmath.mpf(np.pi), "e": mpmath.mpf(np.e),
}  # fmt: skip


def in_high_precision(text: str, **names: float) -> Any:
    """The value by mpmath, of a text that Python reads as well; numbers as mpmath's."""
    text = re.sub(r"(?<![\w.])(\d+\.?\d*(?:e-?\d+)?)", r"N('\1')", text)
    scope = {**MP, "N": mpmath.mpf, **{k: mpmath.mpf(v) for k, v in names.items()}}
    return eval(text, {"__builtins__": {}}, scope)


@given(expressions(SMOOTH), st.tuples(*[st.floats(0.2, 2.0)] * 4))
@settings(max_examples=250, deadline=None)
def test_derivatives_are_those_of_high_precision(text: str, at: tuple[float, ...]) -> None:
    model = Expression(text)
    names = dict(zip("tabc", at, strict=True))
    J = model.jacobian(at[0], *[names[name] for name in model.parameter_names])
    with mpmath.workdps(60):
        for j, name in enumerate(model.parameter_names):
            try:
                h = mpmath.mpf(10) ** -25
                up, down, middle = (
                    in_high_precision(text, **{**names, name: mpmath.mpf(names[name]) + s * h})
                    for s in (1, -1, 0)
                )
                expected, wide = (up - down) / (2 * h), abs(middle)
                bend = abs(up - 2 * middle + down) / h
            except (ZeroDivisionError, ValueError, OverflowError, TypeError, AttributeError):
                return
            if isinstance(expected, mpmath.mpc) or not mpmath.isfinite(expected):
                return
            if max(abs(expected), wide) > 1e6 or bend > 1e-6 or not np.isfinite(J[j]):
                return  # a corner, an overflow, a branch cut
            assert abs(J[j] - float(expected)) <= 1e-7 * (1 + abs(float(expected)) + float(wide))


def test_directional_second_derivatives() -> None:
    for text in (
        "a*exp(-b*t) + c", "a/(1 + ((t - b)/c)**2)", "where(t < b, a*t**c, b*log(a*t))*c",
        "a*wofz_real(t - b, c) + j1(a*t) + i0(b) + lgamma(c)", "hypot(a*t, b)*tanh(c*t)*a**b",
    ):  # fmt: skip
        model = Expression(text, parameters=("a", "b", "c"))
        graph = Graph(model.steps)
        second = second_derivative(graph, len(model.steps) - 1, 3)
        steps, roots = extracted(graph.steps, [second])
        x, v = np.array([1.3, 0.8, 0.6]), np.array([0.3, -0.7, 0.4])
        (found,) = evaluate(steps, roots, [T], [np.float64(p) for p in (*x, *v)])
        h = 1e-5
        slopes = [model.jacobian(T, *(x + s * h * v)) @ v for s in (1, -1)]
        expected = (slopes[0] - slopes[1]) / (2 * h)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7 * np.abs(expected).max())


def test_a_directional_derivative_is_the_jacobian_times_the_direction() -> None:
    model = Expression("a*exp(-b*t)*sin(a*t)")
    graph = Graph(model.steps)
    node = directional(graph, len(model.steps) - 1, 2)
    (found,) = evaluate(graph.steps, [node], [T], [np.float64(p) for p in (1.2, 0.4, 2.0, -3.0)])
    np.testing.assert_allclose(found, model.jacobian(T, 1.2, 0.4) @ [2.0, -3.0], rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        # A branch that is not taken adds neither nan nor infinity.
        ("where(t > 0, log(t*a), b*t)", (2.0, 3.0), [[0.5, 0], [0.5, 0], [0, -1], [0, 0]]),
        ("where(t > 0, a*t**b, 0)", (2.0, 0.5), None),
        ("max(a*sqrt(t), b)", (2.0, 0.5), None),
        # Flat where the inner function overflows.
        ("a/(1 + exp(b*t*1000))", (1.0, 3.0), None),
        ("a/(1 + exp(b*t*1000)**2)", (1.0, 3.0), None),
        ("a*expit(b*t*1e6)", (1.0, 3.0), None),
        ("a/(1 + (t/b)**(a*900))", (1.0, 1e-3), None),
        ("a/cosh(b*t*1000)", (1.0, 3.0), None),
    ],
)
def test_no_nan_from_products_with_zero(text: str, x: tuple[float, ...], expected: Any) -> None:
    model = Expression(text, parameters=("a", "b"))
    t = np.array([1.0, 4.0, -1.0, 0.0])
    J = model.jacobian(t, *x)
    valued = np.isfinite(model(t, *x))
    assert valued.any()
    assert np.isfinite(J[valued]).all()
    if expected is not None:
        np.testing.assert_allclose(J, expected)


def test_derivatives_share_the_steps_of_the_values() -> None:
    model = Expression("a*exp(-b*t) + c")
    graph = Graph(model.steps)
    nodes = derivatives(graph, len(model.steps) - 1, 3)
    assert [step[0] for step in graph.steps].count("exp") == 1
    steps, _ = extracted(graph.steps, [len(model.steps) - 1, *nodes])
    # -a*exp(-b*t)*t and 1
    assert len(steps) == len(model.steps) + 3


@pytest.mark.parametrize(
    ("text", "at_zero"),
    [
        ("b*sqrt(a*t)", [0.0, 0.0]),
        ("b*(t/a)**0.6", [0.0, 0.0]),
        ("(a*t)**b", [0.0, 0.0]),
        ("exp(-(t/a)**b)", [0.0, 0.0]),
        ("t*sqrt(a - 0.7) + b", [0.0, 1.0]),
        ("b*cbrt(t*a)", [0.0, 0.0]),
        ("where(t < 1.0, sqrt(a*t), b)", [0.0, 0.0]),
        ("exp(-sqrt(t**2/a))*b", [0.0, 1.0]),
    ],
)
def test_infinite_slopes_times_points_that_are_zero(text: str, at_zero: list[float]) -> None:
    """Where the argument of a root is 0 for all parameters, so are the derivatives by these."""
    model = lmoo.Expression(text, ["t"], parameters=["a", "b"])
    with np.errstate(all="ignore"):
        for x in ([0.7, 0.6], [0.7, 0.4]):
            found = model.jacobian(np.array([0.0, 0.5]), *x)
            compiled = GraphModel(model).jacobian(np.array([0.0, 0.5]), *x)
            np.testing.assert_allclose(found[0], at_zero, atol=0.0)
            np.testing.assert_allclose(compiled, found, rtol=1e-14)


def test_roots_of_parameters_have_infinite_derivatives() -> None:
    model = lmoo.Expression("sqrt(a)*t + sqrt(b**2)", ["t"], parameters=["a", "b"])
    with np.errstate(all="ignore"):
        found = model.jacobian(np.array([1.0]), 0.0, 0.0)
    assert np.isposinf(found[0, 0])
    assert np.isnan(found[0, 1])


def test_a_stretched_exponential_from_zero_is_compiled() -> None:
    def stretched(t, a, tau, beta):
        return a * np.exp(-((t / tau) ** beta))

    t = np.linspace(0.0, 10.0, 40)
    problem = lmoo.CurveProblem(stretched, t, stretched(t, 3.0, 2.0, 0.6))
    found = lmoo.Solver().solve(problem, [2.0, 1.5, 0.8])
    assert found.evaluation == "compiled from stretched"
    np.testing.assert_allclose(found.x, [3.0, 2.0, 0.6], rtol=1e-9)
    assert found.nfev < 15
