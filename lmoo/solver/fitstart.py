"""Starting values of `lmoo.fit`: those that are given, guessed, or not needed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.errors import TraceError
from lmoo.models.expression import Expression
from lmoo.models.expression.base import Model
from lmoo.models.library import CompiledModel
from lmoo.models.tracing.cache import Kind
from lmoo.models.tracing.cache import traced as kept_trace
from lmoo.models.tracing.trace import trace as traced
from lmoo.problems.arguments import real_array, shortened
from lmoo.problems.complexdata import ComplexParts
from lmoo.problems.names import check_count, parameter_names_of
from lmoo.solver.separable import model_of

# Lower and upper bounds, and the parameters that are fixed.
Edges = tuple[Array, Array, NDArray[np.bool_]]


def fit_names(model: Any, p0: Any) -> tuple[str, ...]:
    """Return the names of the parameters."""
    names = parameter_names_of(model)
    if names is not None:
        if not names:
            raise ValueError(f"the model must have a parameter to fit; {shortened(model)} has none")
        return tuple(names)
    if p0 is None or isinstance(p0, Mapping):
        raise ValueError(
            "p0 must be an array, as the function names no parameters after its first argument; it "
            f"is {shortened(p0)}"
        )
    count = len(p0) if isinstance(p0, (list, tuple)) else np.size(p0)
    return tuple(f"x[{j}]" for j in range(count))


def given_start(p0: Any, names: Sequence[str]) -> Array:
    """Return the starting values that are given, nan for the others."""
    if p0 is None:
        return np.full(len(names), np.nan)
    if isinstance(p0, Mapping):
        unknown = [name for name in p0 if name not in names]
        if unknown:
            raise ValueError(
                f"p0 has {unknown[0]!r}, which is not a parameter of the model; its parameters "
                f"are {', '.join(names)}"
            )
        given = {name: _number(f"p0[{name!r}]", value) for name, value in p0.items()}
        x = np.array([given.get(name, np.nan) for name in names])
        bad = [name for name in p0 if not np.isfinite(x[names.index(name)])]
    else:
        x = np.array(real_array("p0", p0), dtype=np.float64).reshape(-1)
        check_count("p0", x.size, names)
        bad = [name for name, value in zip(names, x, strict=True) if not np.isfinite(value)]
    if bad:
        raise ValueError(f"p0 must be finite; that of {bad[0]} is {x[names.index(bad[0])]}")
    return x


def _number(argument: str, value: Any) -> float:
    array = real_array(argument, value)
    if array.size != 1:
        raise ValueError(f"{argument} must be a number; it is {shortened(value)}")
    return float(array.item())


def without_linear(
    model: Any, problem: Any, start: Array, edges: Edges
) -> tuple[Array, tuple[int, ...]] | None:
    """Return a starting point, and the linear parameters, if those missing are linear and free.

    These are found by linear least squares, whatever they start at; None if others are missing, or
    none is.
    """
    missing = np.isnan(start)
    lower, upper, held = edges
    needed = held | np.isfinite(lower) | np.isfinite(upper)
    if not missing.any() or (missing & needed).any():
        return None
    graph = model_of(problem)
    if graph is None:
        t = problem.as_curve().t
        kind = Kind(
            start.size,
            len(t) if isinstance(t, tuple) else 1,
            points=problem.y.size,
            parts=isinstance(problem.f, ComplexParts),
        )
        try:
            graph = kept_trace(model, kind).model.model
        except TraceError:
            return None
    linear = np.isin(graph.parameter_names, graph.linear)
    if (missing & ~linear).any():
        return None
    return np.where(missing, 1.0, start), tuple(np.flatnonzero(linear).tolist())


def own_guess(model: CompiledModel, problem: Any) -> Array:
    """Return the model's own guess."""
    curve = problem.as_curve()
    rows = tuple(v[None] for v in curve.t) if isinstance(curve.t, tuple) else curve.t[None]
    try:
        return np.asarray(model.guess(rows, curve.y[None])[0])
    except NotImplementedError as error:
        raise ValueError(f"p0 must be given: {error}") from error


def as_expression(model: Any, names: tuple[str, ...], variables: int) -> Expression:
    """Return the model as an expression, whose form tells where to search."""
    if isinstance(model, Expression):
        return model
    if isinstance(model, Model):
        return Expression(model.text, variables=model.variables, parameters=names)
    # Names of Python's functions, such as k__1, may be none of an expression.
    names = tuple(f"p{j}" for j in range(len(names)))
    try:
        graph = traced(model, names, variables)
    except TraceError as error:
        raise ValueError(
            f"p0 must be given, as the function cannot be traced to find it: {error}"
        ) from error
    return Expression(graph.text, variables=graph.variables, parameters=names)
