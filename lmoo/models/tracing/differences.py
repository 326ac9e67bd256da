"""The comparison of a compiled model with the values of its function."""

from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.models.compiled import GraphModel
from lmoo.models.graph.evaluation import evaluate

# Largest difference between a trace and its function, relative to the largest value.
CLOSE = 1e-12
_EPS = 2.0**-52


def mismatch(model: GraphModel, points: Array, x: Array, value: Array) -> str | None:
    """Return where a compiled model and values of its function differ; None if they agree.

    They agree at a point if both are nan, or if their difference is below 1e-12 of the largest term
    of the model plus the change by a rounding error of a parameter.

    Parameters
    ----------
    model : GraphModel
    points : (variables, m) float64 array
    x : (n,) float64 array
    value : (m,) float64 array
    """
    size, largest, _ = model._model.compare(points, x, value, False)
    if largest <= CLOSE * size < np.inf:
        return None
    found = model._evaluate(points[None], x[None], False)[0]
    with np.errstate(all="ignore"):
        # Equal infinities have no difference, and nan in the same places is agreement.
        differs = ~((value == found) | (np.isnan(value) & np.isnan(found)))
        differs &= ~(np.abs(value - found) <= _tolerance(model, points, x))
    if not differs.any():
        return None
    i = int(np.argmax(differs))
    where = ", ".join(f"{part[i]:.10g}" for part in points)
    return (
        f"the function has the value {value[i]:.17g} for t = {where}, and its trace {found[i]:.17g}"
    )


def _tolerance(model: GraphModel, points: Array, x: Array) -> Array:
    """Return the rounding errors that model and function may have at each point, (m,)."""
    steps = model.model.steps
    terms = _terms(steps)
    values = evaluate(steps, terms, list(points), list(x))
    largest = max(np.abs(v[np.isfinite(v)]).max(initial=0.0) for v in map(np.atleast_1d, values))
    slopes = model._evaluate(points[None], x[None], True)[0]
    moved = np.abs(slopes * x[:, None]).sum(axis=0)
    return np.asarray(CLOSE * largest + 64.0 * _EPS * np.where(np.isfinite(moved), moved, 0.0))


def _terms(steps: Any) -> list[int]:
    """Return the steps that are terms or factors of the last one, and their sums and products."""
    found, waiting = [], [len(steps) - 1]
    while waiting:
        node = waiting.pop()
        found.append(node)
        operation, arguments, _ = steps[node]
        if operation in ("add", "subtract", "negative", "multiply") and len(found) < 100:
            waiting.extend(i for i in arguments if i not in found)
    return found
