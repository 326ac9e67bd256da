"""Expressions that the tests of `Expression` share."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from lmoo import Expression

T = np.linspace(0.1, 3.0, 7)


def value(text: str, t: Any = 0.0, *parameters: float) -> Any:
    return Expression(text)(t, *parameters)


NUMBERS = st.floats(0.01, 50.0).map(lambda x: repr(round(x, 3)))
LEAVES = NUMBERS | st.sampled_from(["t", "a", "b", "c", "pi", "e", "3", ".5", "2.", "1e-2", "4E+1"])
ANALYTIC = ("exp", "log", "sqrt", "sin", "cos", "tanh", "arctan", "expm1", "log1p", "arcsinh")


def grown(inner: st.SearchStrategy[str], functions: tuple[str, ...]) -> st.SearchStrategy[str]:
    space = st.sampled_from(["", " "])
    binary = st.tuples(inner, space, st.sampled_from(["+", "-", "*", "/", "**"]), space, inner)
    signed = st.tuples(st.sampled_from("+-"), inner)
    return st.one_of(
        binary.map("".join),
        signed.map("".join),
        inner.map("({})".format),
        st.tuples(st.sampled_from(functions), inner).map(lambda parts: "{}({})".format(*parts)),
    )


def expressions(functions: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.recursive(LEAVES, lambda inner: grown(inner, functions), max_leaves=12)


def by_python(text: str, **names: Any) -> Any:
    """What Python itself makes of an expression, with numpy's functions."""
    scope = {name: getattr(np, name) for name in (*ANALYTIC, "pi", "e", "abs", "floor")}
    # Numbers as numpy's, whose division by zero and overflow are no exceptions.
    numbers = {name: np.asarray(number)[()] for name, number in names.items()}
    return eval(text, {"__builtins__": {}}, {**scope, **numbers})
