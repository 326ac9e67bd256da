"""Graphs: lists of steps without duplicates."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from lmoo.models.graph.operations import OPERATIONS

Step = tuple[str, tuple[int, ...], float | int | None]
LEAVES = ("parameter", "variable", "constant")

_COMMUTATIVE = frozenset(
    [
        "add",
        "multiply",
        "minimum",
        "maximum",
        "fmin",
        "fmax",
        "hypot",
        "equal",
        "not_equal",
        "logical_and",
        "logical_or",
        "logical_xor",
    ]
)
_NO_ARGUMENTS: tuple[int, ...] = ()


class Graph:
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

    __slots__ = ("_places", "steps", "varies")

    def __init__(self, steps: Iterable[Step] = ()) -> None:
        self.steps: list[Step] = []
        self.varies: list[bool] = []
        self._places: dict[Any, int] = {}
        for step in steps:
            self._add(step)

    def parameter(self, index: int) -> int:
        """Return the node of a parameter."""
        return self._add(("parameter", _NO_ARGUMENTS, index))

    def variable(self, index: int) -> int:
        """Return the node of an independent variable."""
        return self._add(("variable", _NO_ARGUMENTS, index))

    def constant(self, value: float) -> int:
        """Return the node of a number."""
        return self._add(("constant", _NO_ARGUMENTS, float(value)))

    def apply(self, operation: str, *arguments: int) -> int:
        """Return the node of an operation's value.

        Parameters
        ----------
        operation : str
            A name in `lmoo.models.graph.operations.OPERATIONS`.
        *arguments : int
            Nodes.
        """
        steps = self.steps
        for i in arguments:
            if steps[i][0] != "constant":
                break
        else:
            with np.errstate(all="ignore"):
                values = [np.float64(steps[i][2]) for i in arguments]
                return self.constant(OPERATIONS[operation].value(*values))
        rule = _RULES.get(operation)
        same = rule(self, *arguments) if rule is not None else None
        return self._add((operation, arguments, None)) if same is None else same

    def number(self, node: int) -> float | None:
        """Return the value of a node that is a constant; None for others."""
        step = self.steps[node]
        return step[2] if step[0] == "constant" else None

    def operand(self, node: int, operation: str) -> int | None:
        """Return the argument of a node of a unary operation; None for other nodes."""
        step = self.steps[node]
        return step[1][0] if step[0] == operation else None

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

    def _add(self, step: Step) -> int:
        """Return the node of a step, a new one if there is none."""
        operation, arguments, value = step
        key: Any = step
        if operation == "constant":
            # 0.0 and -0.0 are equal, and nan is not equal to itself.
            key = value.hex()  # type: ignore[union-attr]
        elif operation in _COMMUTATIVE and arguments[0] > arguments[1]:
            key = (operation, arguments[::-1], None)
        place = self._places.setdefault(key, len(self.steps))
        if place == len(self.steps):
            self.steps.append(step)
            varies = self.varies
            varies.append(operation == "variable" or any(varies[i] for i in arguments))
        return place


# ---- steps that are equal to others ---------------------------------------------------------


def _negative(graph: Graph, x: int) -> int | None:
    operation, arguments, _ = graph.steps[x]
    if operation == "negative":
        return arguments[0]
    if operation not in ("multiply", "divide"):
        return None
    # The sign is moved into a constant factor.
    a, b = arguments
    number = graph.number(a)
    if number is not None:
        return graph.apply(operation, graph.constant(-number), b)
    number = graph.number(b)
    if number is not None and operation == "multiply":
        return graph.apply(operation, a, graph.constant(-number))
    return None


def _add(graph: Graph, a: int, b: int) -> int | None:
    if graph.number(a) == 0.0:
        return b
    if graph.number(b) == 0.0:
        return a
    negated = graph.operand(b, "negative")
    if negated is not None:
        return graph.apply("subtract", a, negated)
    negated = graph.operand(a, "negative")
    return None if negated is None else graph.apply("subtract", b, negated)


def _subtract(graph: Graph, a: int, b: int) -> int | None:
    if graph.number(b) == 0.0:
        return a
    if graph.number(a) == 0.0:
        return graph.apply("negative", b)
    negated = graph.operand(b, "negative")
    return None if negated is None else graph.apply("add", a, negated)


def _multiply(graph: Graph, a: int, b: int) -> int | None:
    for one, other in ((a, b), (b, a)):
        number = graph.number(one)
        if number == 1.0:
            return other
        if number == -1.0:
            return graph.apply("negative", other)
        negated = graph.operand(one, "negative")
        if negated is not None:
            return graph.apply("negative", graph.apply("multiply", negated, other))
    return None


def _divide(graph: Graph, a: int, b: int) -> int | None:
    number = graph.number(b)
    if number == 1.0:
        return a
    if number == -1.0:
        return graph.apply("negative", a)
    number = graph.number(a)
    if number in (1.0, -1.0):
        inverse = graph.apply("reciprocal", b)
        return inverse if number == 1.0 else graph.apply("negative", inverse)
    negated = graph.operand(a, "negative")
    if negated is not None:
        return graph.apply("negative", graph.apply("divide", negated, b))
    negated = graph.operand(b, "negative")
    if negated is not None:
        return graph.apply("negative", graph.apply("divide", a, negated))
    return None


def _power(graph: Graph, a: int, b: int) -> int | None:
    number = graph.number(b)
    if number == 0.0:
        return graph.constant(1.0)
    if number == 1.0:
        return a
    if number == 2.0:
        return graph.apply("square", a)
    return graph.apply("reciprocal", a) if number == -1.0 else None


def _even(operation: str) -> Callable[..., int | None]:
    """Return the rule of an even function, which ignores the sign of its argument."""

    def rule(graph: Graph, x: int) -> int | None:
        negated = graph.operand(x, "negative")
        return None if negated is None else graph.apply(operation, negated)

    return rule


def _where(graph: Graph, condition: int, a: int, b: int) -> int | None:
    number = graph.number(condition)
    if number is not None:
        return b if number == 0.0 else a
    return a if a == b else None


_RULES: dict[str, Callable[..., int | None]] = {
    "negative": _negative,
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "power": _power,
    "square": _even("square"),
    "absolute": _even("absolute"),
    "where": _where,
}


def extracted(
    steps: Sequence[Step], roots: Sequence[int]
) -> tuple[tuple[Step, ...], tuple[int, ...]]:
    """Return the steps that some nodes depend on, and the new indices of these nodes.

    The order depends only on the structure of the graph: equal graphs give equal steps.

    Parameters
    ----------
    steps : sequence of Step
    roots : sequence of int
        The nodes.

    Examples
    --------
    >>> from lmoo.models.graph.nodes import extracted
    >>> steps = [("variable", (), 0), ("constant", (), 2.0), ("exp", (0,), None)]
    >>> extracted(steps, [2])
    ((('variable', (), 0), ('exp', (0,), None)), (1,))
    """
    places: dict[int, int] = {}
    out: list[Step] = []
    for root in roots:
        waiting = [root]
        while waiting:
            node = waiting[-1]
            if node in places:
                waiting.pop()
                continue
            operation, arguments, value = steps[node]
            missing = [i for i in reversed(arguments) if i not in places]
            if missing:
                waiting.extend(missing)
                continue
            waiting.pop()
            places[node] = len(out)
            out.append((operation, tuple([places[i] for i in arguments]), value))
    return tuple(out), tuple([places[root] for root in roots])
