"""Values that are joined: real and imaginary parts, several data sets, penalties."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lmoo.models.expression.base import Model
from lmoo.models.graph.nodes import Graph, extracted
from lmoo.models.tracing.objects import Joined
from lmoo.models.tracing.placeholder import Placeholder, as_placeholder
from lmoo.models.tracing.recorder import Recorder

# All arrays are evaluated at the points of all of them.
_MOST_PIECES = 16


def is_joined(value: Any) -> bool:
    """Return whether a value of a function is made of arrays one after the other."""
    if isinstance(value, Joined):
        return True
    return (
        isinstance(value, np.ndarray)
        and value.dtype == object
        and value.ndim == 1
        and value.size > 1
        and any(isinstance(part, Placeholder) and part.points for part in value)
    )


def joined(recorder: Recorder, values: Any) -> Placeholder:
    """Return arrays that are joined as one, a further variable of which tells its array.

    Parameters
    ----------
    recorder : Recorder
    values : sequence of Placeholder or number
    """
    if not recorder.joins:
        recorder.refuse("arrays are joined; a model has one value for each point")
    if isinstance(values, Joined):
        values = values.view(np.ndarray)
    if len(values) > _MOST_PIECES:
        recorder.refuse(f"more than {_MOST_PIECES} arrays are joined")
    parts = [as_placeholder(recorder, value) for value in values]
    if any(part.imaginary is not None for part in parts):
        recorder.refuse("arrays of complex numbers are joined")
    which = recorder.joined([_rows(recorder, part) for part in parts])
    graph, node = recorder.graph, parts[-1].node
    for k in reversed(range(len(parts) - 1)):
        before = graph.apply("less", which, graph.constant(k + 0.5))
        node = graph.apply("where", before, parts[k].node, node)
    return Placeholder(recorder, node, points=True)


def _rows(recorder: Recorder, part: Placeholder) -> Any:
    """Return the indices of the points of an array; None for all."""
    if not part.points:
        return np.zeros(1, dtype=np.intp)
    if part.mask is None:
        return None
    chosen = recorder.chosen(part.mask)
    if chosen is None:
        recorder.refuse("points selected by a condition that is unknown before the fit are joined")
    return np.flatnonzero(chosen)


def columns(points: Any, arrays: Sequence[Any], pieces: Sequence[Any] | None) -> Any:
    """Return the variables of a traced model at its points.

    Parameters
    ----------
    points : (variables, m) float64 array
    arrays : sequence of (m,) float64 arrays
        Further variables; None for that of `joined`.
    pieces : sequence of arrays or None
        The indices of the points of joined arrays, None for all of them.
    """
    if pieces is None:
        return np.concatenate([points, np.stack(arrays)]) if arrays else points
    m = points.shape[1]
    rows = [np.arange(m) if piece is None else piece for piece in pieces]
    which = np.repeat(np.arange(len(rows), dtype=np.float64), [row.size for row in rows])
    every = np.concatenate(rows)
    further = [which if array is None else array[every] for array in arrays]
    return np.concatenate([points[:, every], np.stack(further)])


def of_parts(like: Model, real: Model, imaginary: Model | None) -> Model:
    """Return the model of both parts of complex values: the last variable is 0 or 1 for these."""
    graph = Graph()
    which = graph.variable(len(like.variables))
    node = graph.include(real.steps, graph.parameter)[-1]
    node = graph.apply("multiply", node, graph.apply("subtract", graph.constant(1.0), which))
    if imaginary is not None:
        other = graph.include(imaginary.steps, graph.parameter)[-1]
        node = graph.apply("add", node, graph.apply("multiply", other, which))
    steps = extracted(graph.steps, [node])[0]
    return Model(steps, (*like.variables, "part__"), like.parameter_names)
