"""`Expression`: its derivatives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from case_tables import each
from expression_cases import ANALYTIC, T, by_python, expressions
from hypothesis import given, settings
from hypothesis import strategies as st

from lmoo import Expression
from lmoo.datasets import nist, nist_names
from lmoo.models.expression.functions import FUNCTIONS


def complex_step(text: str, names: dict[str, float], by: str) -> Any:
    """The derivative of an analytic function, to the last digit (Squire, Trapp 1998)."""
    moved = {**names, by: names[by] + 1e-30j}
    return np.imag(np.broadcast_to(by_python(text, t=T, **moved), T.shape)) / 1e-30


@given(expressions(ANALYTIC), st.tuples(*[st.floats(0.1, 3)] * 3))
@settings(max_examples=300, deadline=None)
def test_derivatives_are_those_of_a_complex_step(
    text: str, point: tuple[float, float, float]
) -> None:
    model = Expression(text)
    names = dict(zip("abc", point, strict=True))
    x = [names[name] for name in model.parameter_names]
    f, J = model(T, *x), model.jacobian(T, *x)
    for j, name in enumerate(model.parameter_names):
        try:
            with np.errstate(all="ignore"):
                expected = complex_step(text, names, name)
        except (OverflowError, ZeroDivisionError):
            return
        # A branch cut or an overflow of one of the two is no error of the other.
        sane = np.isfinite(f) & np.isfinite(expected) & (np.abs(expected) < 1e100)
        sane &= np.isfinite(J[:, j])
        scale = 1.0 + np.abs(expected[sane]) + np.abs(f[sane])
        assert (np.abs(J[sane, j] - expected[sane]) <= 1e-8 * scale).all()


POINTS = {
    **dict.fromkeys(("arccosh", "acosh"), (1.3, 2.7)),
    **dict.fromkeys(("arctanh", "arcsin", "arccos", "atanh", "asin", "acos"), (-0.4, 0.7)),
    "sinc": (-2.3, -0.051, 0.01, 0.049, 0.3),
    "i0": (-3.0, 0.2, 29.0, 31.0),
    "gamma": (-1.3, 0.2, 4.4),
    "lgamma": (-1.3, 0.2, 14.4),
}
POSITIVE = ("log", "ln", "log2", "log10", "log1p", "sqrt", "cbrt")


@each("name", sorted(FUNCTIONS))
def test_the_derivative_of_every_function(name: str) -> None:
    arity = FUNCTIONS[name].arity
    default = (0.3, 2.2) if name in POSITIVE else (-1.3, 0.4, 2.2)
    others = [(0.7, -1.6)[:k] for k in range(3)][arity - 1]
    model = Expression(f"{name}({', '.join('abc'[:arity])})")
    for a in POINTS.get(name, default):
        point = np.array([a, *others])
        J = model.jacobian(0.0, *point)
        for j in range(arity):
            # Central differences and a step of Richardson's.
            d = [
                (model(0.0, *(point + h * e)) - model(0.0, *(point - h * e))) / (2 * h)
                for h in (1e-3, 2e-3)
                for e in [np.eye(arity)[j]]
            ]
            assert J[j] == pytest.approx((4 * d[0] - d[1]) / 3, rel=1e-8, abs=1e-9), (a, j)


@pytest.mark.parametrize(
    ("text", "point", "expected"),
    [
        ("a**b", (0.0, 2.0), (0.0, 0.0)),
        ("a**b", (0.0, 1.0), (1.0, 0.0)),
        ("a**0 + 0*b", (0.0, 1.0), (0.0, 0.0)),
        ("a**2 + 0*b", (-3.0, 1.0), (-6.0, 0.0)),
        ("1/(1 + exp(a*b))", (1.0, 2000.0), (0.0, 0.0)),
        ("b/(1 + exp(a))**(1/1.5)", (2000.0, 3.0), (0.0, 0.0)),
        ("where(a > 0, log(a), b)", (-1.0, 3.0), (0.0, 1.0)),
        ("max(a, log(b))", (1.0, 0.0), (1.0, 0.0)),
        ("tanh(a)*b", (30.0, 1.0), (4 * math.exp(-60), 1.0)),
    ],
)
def test_derivatives_where_the_rule_alone_has_no_value(
    text: str, point: tuple[float, float], expected: tuple[float, float]
) -> None:
    J = Expression(text, parameters=("a", "b") if "b" in text else ("a",)).jacobian(0.0, *point)
    np.testing.assert_allclose(J, expected, rtol=1e-12)


def test_a_derivative_that_does_not_exist_is_not_made_up() -> None:
    # d sqrt(a^2)/da at 0: both factors of the chain rule are there, and their product is not.
    assert not np.isfinite(Expression("sqrt(a**2)").jacobian(0.0, 0.0)).any()


@pytest.mark.parametrize("name", nist_names())
def test_nist_models_and_their_derivatives(name: str) -> None:
    data = nist(name)
    variables = ("x1", "x2") if name == "Nelson" else ("x",)
    model = Expression(data.formula.split("=")[1], variables, data.parameter_names)
    for b in (*data.starts, data.certified):
        expected, J = data.model(b), data.jacobian(b)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(model(data.x.T, *b), expected, rtol=1e-11, atol=1e-14 * scale)
        mine = model.jacobian(data.x.T, *b)
        assert (np.abs(mine - J) <= 1e-11 * np.abs(J).max(axis=0)).all()
