"""Graphs with names that are made of others: by an operation, or with parameters replaced."""

from collections.abc import Mapping, Sequence

from lmoo.models.expression.named import NamedGraph
from lmoo.models.graph.nodes import Graph, Step, extracted

# Steps, variables and names of parameters: the arguments of a graph with names.
Parts = tuple[tuple[Step, ...], tuple[str, ...], list[str]]


def joined(operation: str, parts: Sequence[NamedGraph]) -> Parts:
    """Return an operation on graphs, with the parameters of all.

    Raises
    ------
    ValueError
        Two graphs have parameters of the same name, or different numbers of variables.
    """
    names: list[str] = []
    graph = Graph()
    nodes = []
    for part in parts:
        _check_together(parts[0].variables, names, part)
        own = [graph.parameter(len(names) + j) for j in range(len(part.parameter_names))]
        names.extend(part.parameter_names)
        nodes.append(graph.include(part.steps, own.__getitem__)[-1])
    root = graph.apply(operation, *nodes)
    return extracted(graph.steps, [root])[0], parts[0].variables, names


def replaced(source: NamedGraph, found: Mapping[str, NamedGraph], names: Sequence[str]) -> Parts:
    """Return a graph with some of its parameters replaced by other graphs.

    Parameters
    ----------
    source : NamedGraph
    found : mapping of str to NamedGraph
        The replacements, by the names of parameters.
    names : sequence of str
        The order of the parameters; names that the result does not depend on are left out.
    """
    graph = Graph()
    own = [
        name
        for name in names
        if any(
            name in found[old].parameter_names if old in found else name == old
            for old in source.parameter_names
        )
    ]
    place = {name: j for j, name in enumerate(own)}

    def parameter(j: int) -> int:
        name = source.parameter_names[j]
        if name not in found:
            return graph.parameter(place[name])
        inner = found[name]
        return graph.include(
            inner.steps, lambda i: graph.parameter(place[inner.parameter_names[i]])
        )[-1]

    root = graph.include(source.steps, parameter)[-1]
    return extracted(graph.steps, [root])[0], source.variables, own


def _check_together(variables: Sequence[str], names: Sequence[str], part: NamedGraph) -> None:
    if len(part.variables) != len(variables):
        raise ValueError(
            f"models must have the same variables; these have {', '.join(variables)} and "
            f"{', '.join(part.variables)}"
        )
    twice = [name for name in part.parameter_names if name in names]
    if twice:
        raise ValueError(
            f"both models have parameters called {', '.join(twice)}: give one of them a prefix, as "
            f"in Expression(text, prefix='second_'), or prefixed('second_') of the model"
        )
    shadowed = [name for name in part.parameter_names if name in variables]
    if shadowed:
        raise ValueError(f"{shadowed[0]!r} is a variable of one model and a parameter of the other")
