"""Functions of coordinates from one graph, with their derivatives."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.models.graph.derivatives import derivatives
from lmoo.models.graph.evaluation import evaluate
from lmoo.models.graph.nodes import Graph, Step, extracted


class Functions:
    """Several functions of the coordinates, from one graph, with their derivatives.

    Parameters
    ----------
    graph : Graph
    nodes : sequence of int
        One for each function.
    q : int
        Number of coordinates.
    """

    def __init__(self, graph: Graph, nodes: Sequence[int], q: int) -> None:
        self.q, self.count = q, len(nodes)
        self.steps, self.roots = extracted(graph.steps, nodes)

    def __call__(self, z: Any) -> list[Any]:
        """Return the values; z: q numbers or arrays, real or complex."""
        return evaluate(self.steps, self.roots, [], z)

    @cached_property
    def _slopes(self) -> tuple[tuple[Step, ...], tuple[int, ...], list[tuple[int, int]]]:
        graph = Graph(self.steps)
        nodes, places = [], []
        for i, root in enumerate(self.roots):
            for k, node in enumerate(derivatives(graph, root, self.q)):
                if node is not None:
                    nodes.append(node)
                    places.append((i, k))
        return (*extracted(graph.steps, nodes), places)

    @cached_property
    def depends(self) -> NDArray[np.bool_]:
        """Whether each function varies with each coordinate, (count, q)."""
        steps, roots, places = self._slopes
        out = np.zeros((self.count, self.q), dtype=bool)
        for place, root in zip(places, roots, strict=True):
            out[place] = steps[root][::2] != ("constant", 0.0)
        return out

    def jacobian(self, z: Any) -> Array:
        """Return the derivatives, (..., count, q)."""
        steps, roots, places = self._slopes
        shape = np.broadcast_shapes(*(np.shape(value) for value in z))
        out = np.zeros((*shape, self.count, self.q))
        for (i, k), value in zip(places, evaluate(steps, roots, [], z), strict=True):
            out[..., i, k] = value
        return out


def combination(graph: Graph, row: Array, constant: float, nodes: Sequence[int]) -> int:
    """Return the node of a linear function of nodes."""
    total: int | None = None
    for weight, node in zip(row.tolist(), nodes, strict=True):
        if weight == 0.0:
            continue
        term = node if weight == 1.0 else graph.apply("multiply", graph.constant(weight), node)
        total = term if total is None else graph.apply("add", total, term)
    if total is None:
        return graph.constant(constant)
    return total if constant == 0.0 else graph.apply("add", total, graph.constant(constant))
