"""Random expressions, for the tests of graphs."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

T = np.linspace(0.1, 3.0, 7)
NUMBERS = st.floats(-20.0, 20.0).map(lambda x: repr(round(x, 3)))
LEAVES = NUMBERS | st.sampled_from(["t", "a", "b", "c", "pi", "e", "2", "0", "1"])
SMOOTH = ("exp", "log", "sqrt", "sin", "cos", "tanh", "arctan", "square", "erf", "expit")
ALL = (*SMOOTH, "abs", "floor", "isnan", "logical_not", "reciprocal", "lgamma", "sinc", "sign")


def grown(inner: st.SearchStrategy[str], functions: tuple[str, ...]) -> st.SearchStrategy[str]:
    signs = ["+", "-", "*", "/", "**"] + (["<", "==", ">="] if functions is ALL else [])
    pair = st.tuples(inner, st.sampled_from(signs), inner)
    both = st.sampled_from(["min", "hypot", "copysign"]) if functions is ALL else st.just("hypot")
    return st.one_of(
        pair.map(lambda p: f"({p[0]}){p[1]}({p[2]})"),
        inner.map("-({})".format),
        st.tuples(st.sampled_from(functions), inner).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(both, inner, inner).map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
        st.tuples(inner, inner, inner).map(lambda p: f"where(({p[0]}) < 1, {p[1]}, {p[2]})"),
    )


def expressions(functions: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.recursive(LEAVES, lambda inner: grown(inner, functions), max_leaves=10)
