"""`CurveProblem`: names of parameters from the model."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from curve_cases import T, Y, decay
from ids import stable

from lmoo import CurveProblem, Solver, models
from lmoo.problems.names import parameter_names_of


class Callable:
    def __call__(self, t: Any, height: float, width: float) -> Any:
        return height * t + width

    def method(self, t: Any, height: float, width: float) -> Any:
        return height * t + width

    @staticmethod
    def static(t: Any, height: float, width: float) -> Any:
        return height * t + width

    @classmethod
    def of_the_class(cls, t: Any, height: float, width: float) -> Any:
        return height * t + width


class Named:
    parameter_names = ["height", "width"]  # noqa: RUF012

    def __call__(self, t: Any, *parameters: float) -> Any:
        return parameters[0] * t + parameters[1]


def three(t: Any, height: float, width: float, unit: float) -> Any:
    return unit * (height * t + width)


@functools.wraps(three)
def wrapped(*args: Any) -> Any:
    return three(*args)


def keywords(t: Any, height: float, width: float = 1.0, *, unit: float = 1.0, **rest: Any) -> Any:
    return height * t + width * unit


def positional(t: Any, height: float, /, width: float) -> Any:
    local = height * t
    return local + width


@pytest.mark.parametrize(
    ("f", "names"),
    [
        (decay, ("a", "b", "c")),
        (lambda t, p: t, ("p",)),
        (keywords, ("height", "width")),
        (positional, ("height", "width")),
        (wrapped, ("height", "width", "unit")),
        (Callable(), ("height", "width")),
        (Callable().method, ("height", "width")),
        (Callable.static, ("height", "width")),
        (Callable.of_the_class, ("height", "width")),
        (Named(), ("height", "width")),
        (models.Exponential(), ("amplitude", "rate", "offset")),
        (functools.partial(three, unit=2.0), ("height", "width")),
        (functools.partial(three, T), ("width", "unit")),
        (functools.lru_cache(three), ("height", "width", "unit")),
        (lambda t, *p: t, None),
        (lambda t, a, *p: t, None),
        (lambda *p: p[0], None),
        (lambda t: t, None),
        (np.arctan2, None),
        (np.vectorize(three), None),
        (max, None),
        (dict, None),
    ],
    ids=stable,
)
def test_names_of_parameters(f: Any, names: Any) -> None:
    assert parameter_names_of(f) == names


def test_names_that_are_given_come_first() -> None:
    problem = CurveProblem(decay, T, Y, parameter_names=["x", "y", "z"])
    assert problem.parameter_names == ("x", "y", "z")
    assert Solver().solve(problem, [1, 1, 0]).parameter_names == ("x", "y", "z")


def test_a_ufunc_is_fitted_without_names() -> None:
    y = np.arctan2(T, 2.0)
    result = Solver().solve(CurveProblem(np.arctan2, T, y), [1.0])
    np.testing.assert_allclose(result.x, [2.0])
    assert result.parameter_names == ("x[0]",)
