"""Conversion of text to a graph."""

from collections.abc import Sequence

from lmoo.models.expression.parser import Apply, Constant, Parameter, parse
from lmoo.models.graph.nodes import Graph, Step, extracted


def graph_of(
    text: str, variables: Sequence[str], parameters: Sequence[str] | None
) -> tuple[tuple[Step, ...], tuple[str, ...]]:
    """Return the graph of an expression, its value last, and the names of the parameters.

    Parameters
    ----------
    text, variables, parameters
        As for `lmoo.models.expression.parser.parse`.

    Raises
    ------
    ExpressionError
        The text is invalid; the message marks a character.

    Examples
    --------
    >>> from lmoo.models.expression.graphs import graph_of
    >>> graph_of("a + a", ["t"], None)
    ((('parameter', (), 0), ('add', (0, 0), None)), ('a',))
    """
    found, names = parse(text, variables, parameters)
    graph = Graph()
    stack: list[int] = []
    for step in found:
        if isinstance(step, Apply):
            arity = step.function.arity
            stack[-arity:] = [step.function.node(graph, *stack[-arity:])]
        elif isinstance(step, Constant):
            stack.append(graph.constant(step.value))
        elif isinstance(step, Parameter):
            stack.append(graph.parameter(step.index))
        else:
            stack.append(graph.variable(step.index))
    return extracted(graph.steps, stack)[0], names
