"""Fits with related parameters by every driver, and equivalent fits that are written by hand."""

from typing import Any

import numpy as np

import lmoo
from lmoo.models.builtin.base import BuiltIn

T = np.linspace(0.0, 4.0, 40)
NAMES = ("a", "b", "c", "d")


def model(t: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Two exponentials."""
    return a * np.exp(-b * t) + c * np.exp(-d * t)


def data(seed: int) -> np.ndarray:
    """Return a curve in which d = 3 b and c = a / 2, with noise."""
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(2.0, 5.0), rng.uniform(0.3, 0.8)
    return model(T, a, b, a / 2, 3 * b) + 0.02 * rng.normal(size=T.size)


class Python(lmoo.Problem):
    """A problem in Python, with or without derivatives."""

    parameter_names = NAMES

    def __init__(self, y: Any, derivatives: bool) -> None:
        self.y = y
        if not derivatives:
            self.jacobian = None  # type: ignore[method-assign,assignment]

    def residual(self, x: Any) -> Any:
        return (model(T, *x) - self.y) / 0.02

    def jacobian(self, x: Any) -> Any:
        a, b, c, d = x
        one, two = np.exp(-b * T), np.exp(-d * T)
        return np.stack([one, -a * T * one, two, -c * T * two], axis=1) / 0.02


class Blocks(lmoo.RowBlockProblem):
    """The same in blocks of rows."""

    parameter_names = NAMES

    def residual(self, x: Any, block: Any) -> Any:
        t, y = block
        return (model(t, *x) - y) / 0.02

    def jacobian(self, x: Any, block: Any) -> Any:
        t, _ = block
        a, b, c, d = x
        one, two = np.exp(-b * t), np.exp(-d * t)
        return np.stack([one, -a * t * one, two, -c * t * two], axis=1) / 0.02


def expression(variables: str = "t") -> lmoo.Expression:
    """The model as text."""
    return lmoo.Expression(
        f"a*exp(-b*{variables}) + c*exp(-d*{variables})", variables, parameters=NAMES
    )


def built_in(y: Any) -> Any:
    """The model of the library, with these names of parameters."""

    class TwoExponentials(BuiltIn):
        formula = "a*exp(-b*t) + c*exp(-d*t)"
        names = NAMES

    return TwoExponentials().problem(T, y, 0.02)


PROBLEMS = {
    "python": lambda y: Python(y, True),
    "differences": lambda y: Python(y, False),
    "called": lambda y: lmoo.CurveProblem(model, T, y, 0.02, trace=False),
    "traced": lambda y: lmoo.CurveProblem(model, T, y, 0.02, trace=True),
    "expression": lambda y: lmoo.CurveProblem(expression(), T, y, 0.02),
    "covariance": lambda y: lmoo.CurveProblem(model, T, y, np.diag(np.full(T.size, 0.0004))),
    "built-in": built_in,
    "row blocks": lambda y: Blocks([(T[:15], y[:15]), (T[15:], y[15:])]),
    "curve blocks": lambda y: lmoo.CurveBlocks(model, T, y, 16, 0.02, trace=True),
    "called blocks": lambda y: lmoo.CurveBlocks(model, T, y, 16, 0.02, trace=False),
}
