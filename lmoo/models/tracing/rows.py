"""The values of single points: functions of all points, and loops over points.

Where the points are known, an array of points can be written as the array of its values at each
of them, which depend on the parameters alone.  numpy's functions of all points apply to this:
sums, cumulative sums, convolutions, the greatest value, one of the points.  What they return is a
number, or again an array of values, which becomes a function of the point: the same formula with
other numbers at each point, or a selection by the index of the point.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lmoo.models.graph.derivatives import below
from lmoo.models.tracing.objects import Objects
from lmoo.models.tracing.recorder import Recorder

# Steps of a graph that is written for each point: a program has the time of some hundred steps at
# all points, and takes some tenths of a second to be made.
_MOST_STEPS = 3000
# Values that are selected by the index of the point, in a time that grows with their square.
_MOST_SELECTED = 128
# Steps of the formula for all points, and kinds of formulas.
_LONGEST, _MOST_KINDS = 200, 4


def unrolled(recorder: Recorder, value: Any, make: Any) -> Any:
    """Return the array of the values at each point; None if the points are unknown.

    Parameters
    ----------
    recorder : Recorder
    value : Placeholder
        With points.
    make : callable
        ``make(node, imag)`` returns the placeholder of a value.
    """
    data = recorder.data
    if data is None or (value.mask is not None and recorder.chosen(value.mask) is None):
        return None
    chosen = np.arange(data.shape[1])
    if value.mask is not None:
        chosen = chosen[recorder.chosen(value.mask)]
    recorder.asked = recorder.reads_data = True
    graph, columns = recorder.graph, [*data, *recorder.arrays]
    if any(column is None for column in columns):
        return None
    roots = [node for node in (value.node, value.imaginary) if node is not None]
    varying = [node for node in below(graph, roots) if graph.varies[node]]
    _count(recorder, chosen.size * len(varying))
    out = np.empty(chosen.size, dtype=object)
    for k, point in enumerate(chosen):
        nodes: dict[int, int] = {}
        for node in varying:
            operation, arguments, variable = graph.steps[node]
            nodes[node] = (
                graph.constant(float(columns[variable][point]))  # type: ignore[index]
                if operation == "variable"
                else graph.apply(operation, *[nodes.get(i, i) for i in arguments])
            )
        out[k] = make(*[nodes.get(root, root) for root in roots])
    return out.view(Objects)


def _count(recorder: Recorder, steps: int) -> None:
    recorder.unrolled += steps
    if recorder.unrolled > _MOST_STEPS:
        recorder.refuse(
            "values of single points are combined, of more points than models can have for this"
        )


def rolled(recorder: Recorder, nodes: Sequence[int]) -> int:
    """Return the node of a function of the point from those of the values at each point.

    Parameters
    ----------
    recorder : Recorder
    nodes : sequence of int
        They do not depend on the variables.
    """
    try:
        return _Formula(recorder).of(np.arange(len(nodes)), list(nodes))
    except (_DifferentError, RecursionError):
        # A formula has less depth than Python's stack, unless that is nearly full.
        pass
    steps = len(below(recorder.graph, nodes))
    if len(nodes) > _MOST_SELECTED or steps > _MOST_STEPS:
        recorder.refuse(
            f"the values at {len(nodes)} points have different formulas of {steps} steps in all; "
            f"models have up to {_MOST_SELECTED} of {_MOST_STEPS}"
        )
    return _selected(recorder, recorder.array(np.arange(float(len(nodes)))), nodes, 0)


def _selected(recorder: Recorder, index: int, nodes: Sequence[int], first: int) -> int:
    """Return the value that the index of the point selects, by halves."""
    if len(set(nodes)) == 1:
        return nodes[0]
    graph, middle = recorder.graph, len(nodes) // 2
    below = graph.apply("less", index, graph.constant(first + middle - 0.5))
    return graph.apply(
        "where",
        below,
        _selected(recorder, index, nodes[:middle], first),
        _selected(recorder, index, nodes[middle:], first + middle),
    )


class _DifferentError(Exception):
    """The values do not have one formula."""


class _Formula:
    """A formula for all points from the formulas of each point, which differ in numbers."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.known: dict[Any, int] = {}
        self.depth = 0

    def of(self, rows: Any, nodes: list[int]) -> int:
        """Return the node for the points of some indices, from the nodes of their values."""
        if len(set(nodes)) == 1:
            return nodes[0]
        key = (rows.tobytes(), tuple(nodes))
        found = self.known.get(key)
        if found is None:
            self.depth += 1
            if len(self.known) + self.depth > _LONGEST:
                raise _DifferentError
            found = self.known[key] = self._of_kinds(rows, nodes)
            self.depth -= 1
        return found

    def _of_kinds(self, rows: Any, nodes: list[int]) -> int:
        graph = self.recorder.graph
        kinds: dict[Any, list[int]] = {}
        for k, node in enumerate(nodes):
            operation, _, value = graph.steps[node]
            kinds.setdefault((operation, value if operation == "parameter" else None), []).append(k)
        if len(kinds) > _MOST_KINDS:
            raise _DifferentError
        found = None
        for (operation, _), places in kinds.items():
            node = self._of_kind(operation, rows[places], [nodes[k] for k in places])
            if found is None:
                found = node
            else:
                of_kind = np.zeros(self.recorder.points or 0)
                of_kind[rows[places]] = 1.0
                found = graph.apply("where", self.recorder.array(of_kind), node, found)
        assert found is not None
        return found

    def _of_kind(self, operation: str, rows: Any, nodes: list[int]) -> int:
        recorder, graph = self.recorder, self.recorder.graph
        if len(set(nodes)) == 1:
            return nodes[0]
        if operation == "constant":
            numbers: Any = [graph.steps[node][2] for node in nodes]
            for variable, column in enumerate(recorder.data):
                if np.array_equal(column[rows], numbers):
                    return graph.variable(variable)
            every = np.full(recorder.points or 0, numbers[0])
            every[rows] = numbers
            return recorder.array(every)
        arguments = [self._ordered(node) for node in nodes]
        parts = [self.of(rows, [each[k] for each in arguments]) for k in range(len(arguments[0]))]
        return graph.apply(operation, *parts)

    def _ordered(self, node: int) -> tuple[int, ...]:
        """Return the arguments of a step; those of sums and products by their operations."""
        steps = self.recorder.graph.steps
        operation, arguments, _ = steps[node]
        if operation in ("add", "multiply") and steps[arguments[0]][0] > steps[arguments[1]][0]:
            return arguments[::-1]
        return arguments
