"""Graphs: lists of steps without duplicates."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lmoo._core.graphs import Steps, extracted
from lmoo.models.graph.operations import OPERATIONS

__all__ = ["LEAVES", "Graph", "Step", "extracted"]

Step = tuple[str, tuple[int, ...], float | int | None]
LEAVES = ("parameter", "variable", "constant")


class Graph(Steps):
    """An expression graph: steps in the order in which they are computed.

    A node is the index of its step, and each step refers to earlier ones only.  A step that exists
    already is not added again; operations on constants are evaluated; a step that is equal to
    another one for all arguments (``x*1``, ``x - (-y)``, ``x + 0``) is replaced by that one.  No
    replacement changes the rounding of a value.  Steps are never changed.

    Parameters
    ----------
    steps : iterable of Step, optional
        (operation, arguments, value): the operation's name, the nodes of its arguments, and for the
        leaves "parameter", "variable" and "constant" an index or a number.

    Attributes
    ----------
    steps : list of Step
    varies : list of bool
        Whether each step depends on a variable.

    Examples
    --------
    >>> from lmoo.models.graph.nodes import Graph
    >>> graph = Graph()
    >>> a, t = graph.parameter(0), graph.variable(0)
    >>> graph.apply("multiply", a, t) == graph.apply("multiply", t, a)
    True
    >>> graph.steps[graph.apply("add", graph.constant(1.0), graph.constant(2.0))]
    ('constant', (), 3.0)
    """

    __slots__ = ()

    def _value(self, operation: str, arguments: list[float]) -> Any:
        """Return the value of an operation on constants."""
        with np.errstate(all="ignore"):
            return OPERATIONS[operation].value(*map(np.float64, arguments))

    def include(
        self,
        steps: Sequence[Step],
        parameter: Callable[[int], int] | None = None,
        variable: Callable[[int], int] | None = None,
    ) -> list[int]:
        """Add the steps of another graph, with nodes of this one for its leaves.

        Parameters
        ----------
        steps : sequence of Step
        parameter, variable : callable, optional
            Returns the node for a parameter, or a variable, of the other graph; by default the one
            of the same index.

        Returns
        -------
        list of int
            The node of each step.
        """
        parameter, variable = parameter or self.parameter, variable or self.variable
        nodes: list[int] = []
        for operation, arguments, value in steps:
            if operation == "constant":
                nodes.append(self.constant(value))  # type: ignore[arg-type]
            elif operation in LEAVES:
                leaf = parameter if operation == "parameter" else variable
                nodes.append(leaf(value))  # type: ignore[arg-type]
            else:
                nodes.append(self.apply(operation, *[nodes[i] for i in arguments]))
        return nodes
