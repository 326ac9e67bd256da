"""Operations on placeholders, numbers and arrays, which are recorded in the graph."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lmoo.models.graph.operations import OPERATIONS
from lmoo.models.graph.terms import Term
from lmoo.models.tracing.complexes import COMPLEX, Pair
from lmoo.models.tracing.objects import as_objects
from lmoo.models.tracing.placeholder import Placeholder, as_placeholder
from lmoo.models.tracing.recorder import Recorder

_LOGICAL = {
    "add": "logical_or",
    "multiply": "logical_and",
    "bitwise_and": "logical_and",
    "bitwise_or": "logical_or",
    "bitwise_xor": "logical_xor",
    "invert": "logical_not",
}
_TRUTHS = frozenset(
    [
        "less",
        "less_equal",
        "greater",
        "greater_equal",
        "equal",
        "not_equal",
        "logical_and",
        "logical_or",
        "logical_xor",
        "logical_not",
        "isnan",
        "isfinite",
    ]
)

# Operations that are the same for all real numbers.
_REAL = frozenset(OPERATIONS) - {"power"}
_ALL_POINTS = {None}


def applied(recorder: Recorder, operation: str, *operands: Any) -> Any:
    """Return the placeholder of an operation's value, or an array of objects.

    Parameters
    ----------
    recorder : Recorder
    operation : str
        A name in `OPERATIONS`, or the name of an operation on complex or truth values.
    *operands : Placeholder, number or array
    """
    recorder.count()
    plain = _of_numbers(recorder, operation, operands)
    if plain is not None:
        return plain
    operands = tuple(_by_rows(recorder, operands))
    shaped = _of_objects(recorder, operands)
    if shaped is not None:
        return shaped(operation)
    parts = [as_placeholder(recorder, operand) for operand in operands]
    mask = common_mask(recorder, parts)
    if operation in _LOGICAL:
        if all(part.truth for part in parts):
            operation = _LOGICAL[operation]
        elif operation not in ("add", "multiply"):
            recorder.refuse(f"{operation} of numbers, not truth values, cannot be traced")
    points = any(part.points for part in parts)
    if recorder.copies and points and _has_single(recorder, parts):
        recorder.refuse("a value in a loop over points is combined with all points")
    if operation == "conjugate" and parts[0].imaginary is None:
        return parts[0]._like()
    if any(part.imaginary is not None for part in parts) or operation == "wofz":
        return _complex(recorder, operation, parts, points, mask)
    if operation == "power" and points and recorder.graph.number(parts[1].node) == 0.5:
        operation, parts = "sqrt", parts[:1]  # As numpy does for arrays.
    node = recorder.graph.apply(operation, *[part.node for part in parts])
    return Placeholder(
        recorder,
        node,
        points=points,
        truth=operation in _TRUTHS or (operation == "where" and parts[1].truth and parts[2].truth),
        mask=mask,
    )


def _of_numbers(recorder: Recorder, operation: str, operands: Sequence[Any]) -> Placeholder | None:
    """Return the value of `applied` for placeholders of real numbers, and numbers; None for others.

    Most operations are of these.
    """
    if operation not in _REAL or recorder.copies:
        return None
    nodes, points = [], False
    for operand in operands:
        kind = type(operand)
        if kind is Placeholder:
            if operand.imaginary is not None or operand.mask is not None or operand.truth:
                return None
            points = points or operand.points
            nodes.append(operand.node)
        elif kind is float or kind is int:
            nodes.append(recorder.graph.constant(float(operand)))
        else:
            return None
    node = recorder.graph.apply(operation, *nodes)
    return Placeholder(recorder, node, points=points, truth=operation in _TRUTHS)


def _by_rows(recorder: Recorder, operands: Sequence[Any]) -> Sequence[Any]:
    """Return operands with the values at each point if they are of different selections.

    As ``y[1:] - y[:-1]``, and ``y[1:] * np.diff(t)``.
    """
    masked = [o for o in operands if isinstance(o, Placeholder) and o.points and o.mask is not None]
    if not masked or recorder.data is None:
        return operands
    arrays = any(isinstance(o, np.ndarray) and o.size > 1 for o in operands)
    if not arrays and len({o.mask for o in masked}) == 1:
        return operands
    rows = [o._rows() if any(o is each for each in masked) else o for o in operands]
    return operands if any(row is None for row in rows) else rows


def _has_single(recorder: Recorder, parts: Sequence[Placeholder]) -> bool:
    """Return whether an operand is the value at a single point."""
    return any(not part.points and recorder.graph.varies[part.node] for part in parts)


def included(recorder: Recorder, model: Any, t: Sequence[Any], parameters: Sequence[Any]) -> Any:
    """Return the placeholder of the value of a model, whose graph becomes part of the recorder's.

    Parameters
    ----------
    recorder : Recorder
    model : Model or None
        None for a model whose graph is unknown.
    t, parameters : sequence of Placeholder, number or array
        One for each variable, and for each parameter.
    """
    if model is None:
        recorder.refuse("a compiled model is called, whose operations are unknown")
    _take_size(recorder, [o for o in (*t, *parameters) if isinstance(o, np.ndarray)])
    parts = [as_placeholder(recorder, operand) for operand in (*t, *parameters)]
    if any(part.imaginary is not None for part in parts):
        recorder.refuse("a model of real numbers is called with complex ones")
    nodes = [part.node for part in parts]
    variables, others = nodes[: len(t)], nodes[len(t) :]
    steps = recorder.graph.include(model.steps, others.__getitem__, variables.__getitem__)
    points = any(part.points for part in parts)
    return Placeholder(recorder, steps[-1], points=points, mask=common_mask(recorder, parts))


def common_mask(recorder: Recorder, parts: Sequence[Placeholder]) -> int | None:
    """Return the condition by which the points of operands are selected; None if they are all."""
    masks = {part.mask for part in parts}
    if masks == _ALL_POINTS:
        return None
    masks.discard(None)
    if len(masks) > 1 or (masks and any(part.points and part.mask is None for part in parts)):
        recorder.refuse(
            "points selected by one condition are combined with those of another, or with all "
            "points"
        )
    return masks.pop() if masks else None


def _take_size(recorder: Recorder, arrays: Sequence[Any]) -> None:
    """Let the first array that is combined with a parameter determine the number of points."""
    if recorder.takes_arrays and recorder.points is None and arrays and arrays[0].ndim == 1:
        recorder.points = arrays[0].size


def _complex(
    recorder: Recorder, operation: str, parts: list[Placeholder], points: bool, mask: int | None
) -> Placeholder:
    graph = recorder.graph
    pairs = [
        Pair(
            Term(graph, part.node),
            Term(graph, graph.constant(0.0) if part.imaginary is None else part.imaginary),
        )
        for part in parts
    ]
    if operation == "where":
        condition, a, b = pairs
        found: Any = Pair(
            Term(graph, graph.apply("where", condition.real.node, a.real.node, b.real.node)),
            Term(graph, graph.apply("where", condition.real.node, a.imag.node, b.imag.node)),
        )
    elif operation in COMPLEX:
        found = COMPLEX[operation](*pairs)
    else:
        recorder.refuse(f"{operation} of complex numbers cannot be traced")
    if isinstance(found, Term):
        return Placeholder(recorder, found.node, points=points, mask=mask)
    return Placeholder(recorder, found.real.node, found.imag.node, points=points, mask=mask)


def _of_objects(recorder: Recorder, operands: Sequence[Any]) -> Any:
    """Return a function that applies an operation to arrays of placeholders; None without such.

    These are arrays of parameters, as ``np.array([a, b])``, and arrays of numbers that are combined
    with them, unless these have one number for each point.
    """
    arrays = [o for o in operands if isinstance(o, np.ndarray) and o.ndim > 0]
    if not arrays:
        return None
    boxed = any(array.dtype == object for array in arrays)
    if not boxed:
        _take_size(recorder, arrays)
    points = any(isinstance(o, Placeholder) and o.points for o in operands)
    if points and all(array.size == 1 and array.dtype == object for array in arrays):
        return None  # np.atleast_1d(np.asarray(t))
    # Arrays of parameters, and of numbers, with an axis of length 1 for the points.
    over_points = [array for array in arrays if array.ndim > 1 and array.shape[-1] == 1]
    if points and boxed and all(array.shape == (recorder.points,) for array in arrays):
        return None  # Values at each point.
    if points and boxed and len(over_points) < len(arrays):
        recorder.refuse("an array of parameters is combined with the points of a variable")
    if (points and not over_points) or (
        not boxed and all(array.shape == (recorder.points,) for array in arrays)
    ):
        return None

    def shaped(operation: str) -> Any:
        wrapped = [_boxed(operand) for operand in operands]
        each = np.frompyfunc(lambda *xs: applied(recorder, operation, *xs), len(wrapped), 1)
        return as_objects(each(*wrapped))

    return shaped


def _boxed(operand: Any) -> Any:
    """Return an operand as an array of objects, which broadcasts."""
    if isinstance(operand, np.ndarray):
        return operand.astype(object).view(np.ndarray)
    out = np.empty((), dtype=object)
    out[()] = operand
    return out


def clipped(recorder: Recorder, x: Any, least: Any, greatest: Any) -> Any:
    """Return x limited to an interval; None for an end without a limit."""
    if least is not None:
        x = applied(recorder, "maximum", x, least)
    if greatest is not None:
        x = applied(recorder, "minimum", x, greatest)
    return x
