"""Nodes with arithmetic operators, to write graphs as formulas."""

from typing import Any

from lmoo.models.graph.nodes import Graph
from lmoo.models.graph.operators import Operators


class Term(Operators["Term"]):
    """A node of a graph with arithmetic operators.

    Examples
    --------
    >>> from lmoo.models.graph.nodes import Graph
    >>> from lmoo.models.graph.terms import Term, call
    >>> graph = Graph()
    >>> a, t = Term(graph, graph.parameter(0)), Term(graph, graph.variable(0))
    >>> value = a * call("exp", -t / 2)
    >>> [step[0] for step in graph.steps]
    ['parameter', 'variable', 'negative', 'constant', 'divide', 'negative', 'exp', 'multiply']
    """

    __slots__ = ("graph", "node")

    def __init__(self, graph: Graph, node: int) -> None:
        self.graph, self.node = graph, node

    @property
    def varies(self) -> bool:
        """Whether the node depends on a variable."""
        return self.graph.varies[self.node]

    @property
    def number(self) -> float | None:
        """The value of a constant; None for other nodes."""
        return self.graph.number(self.node)

    def _operate(self, operation: str, *operands: Any) -> "Term":
        return call(operation, *operands)


def call(operation: str, *arguments: Any) -> Term:
    """Return the value of an operation; the arguments are terms, at least one, and numbers."""
    graph = next(argument.graph for argument in arguments if isinstance(argument, Term))
    nodes = [
        argument.node if isinstance(argument, Term) else graph.constant(argument)
        for argument in arguments
    ]
    return Term(graph, graph.apply(operation, *nodes))
