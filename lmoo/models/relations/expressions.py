"""Expressions of parameters: ties and derived quantities as graphs, constraints as linear rows."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lmoo._core.arrays import Array
from lmoo.models.expression.errors import ExpressionError
from lmoo.models.expression.graphs import graph_of
from lmoo.models.graph.derivatives import derivatives
from lmoo.models.graph.evaluation import evaluate
from lmoo.models.graph.nodes import Graph, Step, extracted

Steps = tuple[Step, ...]

# Sums below this, relative to the absolute values of their terms, are rounding.
ROUNDING = 1e-12

# Comparisons with the sides of (left - right) that they limit: (lower, upper).
_SIDES = {
    "less_equal": (-np.inf, 0.0),
    "less": (-np.inf, 0.0),
    "greater_equal": (0.0, np.inf),
    "greater": (0.0, np.inf),
    "equal": (0.0, 0.0),
}


class Row(NamedTuple):
    """A linear constraint: lower <= coefficients @ x <= upper, and how it is written.

    scale : the sum of the absolute values of the terms by which its sides were changed
    """

    coefficients: Array
    lower: float
    upper: float
    text: str
    scale: float = 0.0


def parsed(option: str, name: str, text: str, names: Sequence[str]) -> tuple[Steps, list[int]]:
    """Return the graph of an expression of parameters, and the parameters that it depends on.

    Raises
    ------
    ExpressionError
        The text is not understood, or has a name that is not in `names`.
    """
    try:
        steps, _ = graph_of(text, (), tuple(names))
    except ExpressionError as error:
        raise ExpressionError(
            error.text, error.place, f"{option}[{name!r}]: {error.reason}", error.hint
        ) from None
    used = sorted({step[2] for step in steps if step[0] == "parameter"})  # type: ignore[type-var]
    return steps, used  # type: ignore[return-value]


def in_order(ties: Mapping[str, Sequence[str]]) -> list[str]:
    """Return tied parameters so that each comes after those that its expression uses.

    Parameters
    ----------
    ties : mapping of str to sequence of str
        The names that each tie uses.

    Raises
    ------
    ValueError
        The ties form a circle.

    Examples
    --------
    >>> from lmoo.models.relations.expressions import in_order
    >>> in_order({"a": ["b"], "b": ["c"]})
    ['b', 'a']
    """
    found: list[str] = []
    for start in ties:
        path = [start]
        while path:
            waiting = [name for name in ties[path[-1]] if name in ties and name not in found]
            if path[-1] in found or not waiting:
                done = path.pop()
                if done not in found:
                    found.append(done)
            elif waiting[0] in path:
                circle = [*path[path.index(waiting[0]) :], waiting[0]]
                raise ValueError(f"ties must not form a circle; they do: {' -> '.join(circle)}")
            else:
                path.append(waiting[0])
    return found


def linear_text(weights: Sequence[float], names: Sequence[str], constant: float = 0.0) -> str:
    """Return a linear function as text.

    Examples
    --------
    >>> from lmoo.models.relations.expressions import linear_text
    >>> linear_text([-1.0, 2.5, 0.0], ["a", "b", "c"], 1.0)
    '1 - a + 2.5*b'
    """
    terms = [f"{constant:+.10g}"] if constant else []
    for weight, name in zip(weights, names, strict=True):
        if abs(weight) == 1.0:
            terms.append(f"{'+' if weight > 0 else '-'}{name}")
        elif weight:
            terms.append(f"{weight:+.10g}*{name}")
    spaced = " ".join(f"{term[0]} {term[1:]}" for term in terms)
    return (spaced[2:] if spaced.startswith("+ ") else spaced.replace("- ", "-", 1)) or "0"


def linear_rows(text: str, graph: Graph, nodes: Sequence[int], names: Sequence[str]) -> Row:
    """Return the linear constraint that an inequality or an equation states.

    Parameters
    ----------
    text : str
        Such as "a <= 2*b + 1".
    graph : Graph
        Of the free parameters; the expression is added to it.
    nodes : sequence of int
        The node of each parameter that has a name.
    names : sequence of str

    Returns
    -------
    Row
        Of the free parameters.

    Raises
    ------
    ExpressionError
        The text is not understood.
    ValueError
        It is no comparison, or not linear in the free parameters.
    """
    steps, _ = parsed("constraints", text, text, names)
    operation, arguments, _ = steps[-1]
    if operation not in _SIDES:
        raise ValueError(
            f"constraints must be inequalities or equations, with <=, >= or ==; one is {text!r}"
        )
    placed = graph.include(steps, lambda j: nodes[j])
    difference = graph.apply("subtract", *[placed[i] for i in arguments])
    coefficients, constant, scale = affine(graph, difference, text)
    lower, upper = (side - constant for side in _SIDES[operation])
    return Row(coefficients, lower, upper, text, scale)


def affine(graph: Graph, node: int, text: str, n: int | None = None) -> tuple[Array, float, float]:
    """Return a linear function: coefficients, constant, and the size of the constant's terms.

    What terms that cancel each other leave by rounding is set to 0.

    n: number of parameters; None: as many as the graph has

    Raises
    ------
    ValueError
        It is not linear.
    """
    if n is None:
        n = 1 + max((int(s[2]) for s in graph.steps if s[0] == "parameter"), default=-1)  # type: ignore[arg-type]
    scratch = Graph(graph.steps)
    found = derivatives(scratch, node, n)
    there = [i for i in found if i is not None]
    steps, roots = extracted(scratch.steps, there)
    sizes = _term_sizes(graph, node, n)
    # Derivatives alone do not tell: those of mod(a, 1) and floor(a) are constant.
    if sizes is None or any(step[0] == "parameter" for step in steps):
        raise ValueError(
            f"constraints must be linear in the parameters that are fitted; {text!r} is not"
        )
    values = iter(evaluate(steps, roots, [], []))
    coefficients = np.array([0.0 if i is None else float(next(values)) for i in found])
    (constant,) = evaluate(graph.steps, [node], [], [np.float64(0.0)] * n)
    if not (np.isfinite(constant) and np.isfinite(coefficients).all()):
        raise ValueError(f"constraints must have finite coefficients; {text!r} has others")
    whole = without_rounding(np.append(coefficients, constant), sizes)
    return whole[:-1], float(whole[-1]), float(sizes[-1])


def without_rounding(sums: Array, sizes: Array) -> Array:
    """Return sums, with 0 for those that are rounding of their terms.

    sizes : the sums of the absolute values of the terms
    """
    return np.where(np.abs(sums) <= ROUNDING * sizes, 0.0, sums)


def _term_sizes(graph: Graph, node: int, n: int) -> Array | None:
    """Return sums of the absolute values of the terms of a linear function, (n + 1,).

    One for the coefficient of each of n parameters, and that of the constant.  None if the
    function has operations other than those of arithmetic.
    """
    values = evaluate(graph.steps, range(node + 1), [], [np.float64(0.0)] * n)
    needed = {node}
    for i in range(node, -1, -1):
        if i in needed:
            needed.update(graph.steps[i][1])
    # None: sums of nodes that are no such functions.
    sizes: dict[int, Array | None] = {}
    for i in sorted(needed):
        operation, arguments, value = graph.steps[i]
        terms = [sizes[j] for j in arguments]
        own: Array | None = np.zeros(n + 1)
        assert own is not None
        if operation == "parameter":
            own[value] = 1.0  # type: ignore[index]
        elif all(term is not None and not term[:-1].any() for term in terms):
            own[-1] = abs(float(values[i]))
            if operation in ("add", "subtract"):
                own[-1] = sum(float(term[-1]) for term in terms if term is not None)
        else:
            own = _combined(operation, terms, [values[j] for j in arguments])
        sizes[i] = own
    return sizes[node]


def _combined(operation: str, terms: Sequence[Array | None], values: Sequence[Any]) -> Array | None:
    """Return `_term_sizes` of an operation from those of its arguments, and their values."""
    first, *others = terms
    if first is None or any(term is None for term in others):
        return None
    second = others[0] if others else None
    if operation == "negative":
        return first
    if second is None:
        return None
    if operation == "where" and not first[:-1].any():
        return second if values[0] else others[1]
    if operation == "power" and not second[:-1].any() and values[1] == 1.0:
        return first
    if operation in ("add", "subtract"):
        return np.asarray(first + second)
    if operation == "multiply" and not second[:-1].any():
        return np.asarray(first * abs(float(values[1])))
    if operation == "multiply" and not first[:-1].any():
        return np.asarray(second * abs(float(values[0])))
    if operation == "divide" and not second[:-1].any():
        return np.asarray(first / abs(float(values[1])))
    return None
