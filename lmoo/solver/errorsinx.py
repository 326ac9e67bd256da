"""Solves with errors in x: the compiled loop with a group for each point."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo._core.arrow import ArrowLinear, PointGroups, PointLoop
from lmoo.losses.loss import kernel_of, loss_of
from lmoo.models.compiled import GraphModel
from lmoo.models.expression.base import Model
from lmoo.models.graph.nodes import Graph, extracted
from lmoo.problems.errorsinx import joined, separate
from lmoo.solver.grouploop import group_loop
from lmoo.solver.parametersteps import STEP, ParameterDifferences
from lmoo.solver.reducedpoints import graph_of_points


@lru_cache(maxsize=16)
def shifted(model: Model, k: int) -> GraphModel:
    """Return a model with k more parameters, which are added to its first k variables.

    Where they are 0, the derivatives by them are those by the variables.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.solver.errorsinx import shifted
    >>> model = shifted(lmoo.Expression("a*t**2"), 1)
    >>> model.jacobian(np.array([3.0]), 2.0, 0.0)
    array([[ 9., 12.]])
    """
    n = len(model.parameter_names)
    graph = Graph()

    def variable(j: int) -> int:
        node = graph.variable(j)
        return graph.apply("add", node, graph.parameter(n + j)) if j < k else node

    nodes = graph.include(model.steps, None, variable)
    names = (*model.parameter_names, *(f"shift of {name}" for name in model.variables[:k]))
    steps, _ = extracted(graph.steps, [nodes[-1]])
    return GraphModel(Model(steps, model.variables, names))


def point_loop(
    options: Any, problem: Any, x0: Array, bounds: Array | None, evaluation: Any
) -> PointLoop:
    """Return the compiled loop of a curve with errors in x."""
    if options.linear is not None:
        raise ValueError(f"linear must be None with sigma_x; it is {options.linear!r}")
    if options.jacobian is not None:
        raise ValueError(
            "jacobian must be None with sigma_x, where derivatives come from the model's graph or "
            f"are central differences; it is {options.jacobian!r}"
        )
    errors, n = problem.errors_in_x, x0.size
    k = errors.has_error.shape[1]
    own = np.count_nonzero(errors.has_error, axis=1)
    arrow = ArrowLinear(n, own)
    weights = problem._whitening
    if weights is not None:
        weights = np.ascontiguousarray(np.broadcast_to(weights, problem.y.shape))
    points, model, function, slopes = joined(problem.t), None, None, None
    found = graph_of_points(problem, evaluation)
    if found is None:
        function, slopes = _function(problem), _slopes(problem)
    else:
        model, points = shifted(found[0], k)._model, found[1]
    groups = PointGroups(
        arrow, points, problem.y, weights, errors.roots, errors.with_y, errors.has_error, n,
        model, function, slopes,
    )  # fmt: skip
    total = arrow.n
    start = np.concatenate([x0, np.zeros(total - n)])
    if bounds is not None:
        free = np.repeat([[-np.inf], [np.inf]], total - n, axis=1)
        bounds = np.ascontiguousarray(np.concatenate([bounds, free], axis=1))
    kernel = None
    if options.loss != "linear":
        priors = getattr(problem, "_priors", 0)
        kernel = kernel_of(loss_of(options.loss), options.f_scale, priors)
    return group_loop(PointLoop, options, groups, arrow, start, n, bounds, kernel)


def _function(problem: Any) -> Callable[[Array, Array], Array]:
    """Return a function that evaluates the model at points, (k, m)."""

    def values(x: Array, points: Array) -> Array:
        found = problem.f(separate(points, problem.t), *x.tolist())
        # The checks of a residual.  A single number is the value at all points.
        problem._weighted(found)
        return np.array(np.broadcast_to(found, problem.y.shape), dtype=np.float64)

    return values


def _slopes(problem: Any) -> Callable[[Array, Array], Array]:
    """Return a function for the derivatives by parameters and variables, (n + k, m).

    Those by the variables, and without ``jac`` those by the parameters, are central differences;
    the variables of all points are changed at once.  The step of a variable is
    cbrt(eps) times the error of the point or the distance of neighbours, whichever is more.
    """
    values = _function(problem)
    spread = np.sqrt((problem.errors_in_x.roots**2).sum(axis=2)).T
    gaps = [np.median(np.diff(np.unique(row))) if np.ptp(row) else 0.0 for row in joined(problem.t)]
    sizes = STEP * np.maximum(spread, np.asarray(gaps)[:, None])
    by_parameters = None if problem.jac is not None else ParameterDifferences(values, problem.y)

    def slopes(x: Array, points: Array) -> Array:
        rows = _given(problem, x, points) if by_parameters is None else by_parameters(x, points)
        for j in range(len(points)):
            up, down = points.copy(), points.copy()
            h = np.maximum(sizes[j], STEP * STEP * np.abs(points[j]))
            up[j], down[j] = points[j] + h, points[j] - h
            change = values(x, up) - values(x, down)
            # A point without a step, at 0 and without error, needs no derivative.
            rows.append(np.divide(change, up[j] - down[j], out=np.zeros_like(h), where=h > 0.0))
        return np.ascontiguousarray(np.stack(rows))

    return slopes


def _given(problem: Any, x: Array, points: Array) -> list[Array]:
    """Return the derivatives by the parameters that the function of the user returns."""
    found = problem.jac(separate(points, problem.t), *x.tolist())
    columns = np.asarray(found, dtype=np.float64).reshape(problem.y.size, -1)
    if columns.shape[1] != x.size:
        raise ValueError(
            f"jac must return {x.size} derivatives for each of {problem.y.size} points; it "
            f"returned shape {np.shape(found)}"
        )
    return list(columns.T)
