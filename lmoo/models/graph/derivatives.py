"""Derivatives of a graph by its parameters, as nodes of the same graph.

Reverse accumulation (Griewank, Walther 2008, "Evaluating derivatives", section 3.2): a node's
adjoint is the derivative of the root by the node.  Below a selection such as ``where(c, a, b)``
forward accumulation is used (section 3.1): the derivative is ``where(c, a', b')``.  It does not
contain infinities and nan of the branch that is not taken, unlike a product with 0.
"""

import math
from collections.abc import Sequence

from lmoo.models.graph.nodes import Graph
from lmoo.models.graph.partials import FLAT, PARTIALS, SELECTIONS
from lmoo.models.graph.terms import Term, call

# Operations that may overflow for arguments of ordinary size.
_GROWING = frozenset(
    ("exp", "exp2", "expm1", "sinh", "cosh", "power", "gamma", "erfcx", "i0", "i1")
)
# Operations whose partial derivatives may be infinite if the value is.
_STEEP = _GROWING | {"multiply", "divide", "square"}

# Operations whose derivative by the first argument may be infinite where that is 0, with a finite
# value.
_ENDLESS = frozenset(("power", "sqrt", "cbrt"))

Tangents = dict[int, int]


def derivatives(graph: Graph, root: int, n: int) -> list[int | None]:
    """Return the derivatives of a node by the parameters.

    Parameters
    ----------
    graph : Graph
        The derivatives are added to it.
    root : int
        The node.
    n : int
        Number of parameters.

    Returns
    -------
    list of int or None
        The n nodes; None if the node does not depend on the parameter.

    Examples
    --------
    >>> from lmoo.models.graph.derivatives import derivatives
    >>> from lmoo.models.graph.nodes import Graph
    >>> graph = Graph()
    >>> root = graph.apply("multiply", graph.parameter(0), graph.variable(0))
    >>> [graph.steps[node] for node in derivatives(graph, root, 1)]
    [('variable', (), 0)]
    """
    return _Differentiation(graph, root).by_parameters(n)


def directional(graph: Graph, root: int, n: int) -> int:
    """Return the derivative of a node along v, with parameters n to 2n - 1 for v.

    Parameters
    ----------
    graph, root, n
        As for `derivatives`.
    """
    found = derivatives(graph, root, n)
    terms = [
        Term(graph, node) * Term(graph, graph.parameter(n + j))
        for j, node in enumerate(found)
        if node is not None
    ]
    return _sum(terms).node if terms else graph.constant(0.0)


def second_derivative(graph: Graph, root: int, n: int) -> int:
    """Return the second derivative of a node along v, ``v^T (d2 y / dx2) v``.

    The components of v are parameters as in `directional`.

    Parameters
    ----------
    graph, root, n
        As for `derivatives`.
    """
    return directional(graph, directional(graph, root, n), n)


def _sum(terms: Sequence[Term]) -> Term:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


class _Differentiation:
    """The derivatives of one node of a graph."""

    def __init__(self, graph: Graph, root: int) -> None:
        self.graph, self.root = graph, root
        self.depends = _depends(graph, root)
        self.one = graph.constant(1.0)
        # Growing operations that a node depends on, as the bits of an integer.
        self._growing: list[int] = []
        self._bits = 0
        self._tangents: dict[int, Tangents] = {}
        self._parametric: list[bool] = []

    def by_parameters(self, n: int) -> list[int | None]:
        """Return the derivatives by the parameters."""
        graph = self.graph
        adjoints = {self.root: self.one}
        # Nodes whose adjoints may be infinite at points.
        endless: set[int] = set()
        totals: list[int | None] = [None] * n
        for node in range(self.root, -1, -1):
            adjoint = adjoints.pop(node, None)
            if adjoint is None or not self.depends[node]:
                continue
            operation, _, value = graph.steps[node]
            if operation == "parameter":
                if value < n:  # type: ignore[operator]
                    self._add_to(totals, value, adjoint)  # type: ignore[arg-type]
            elif operation in SELECTIONS:
                for j, tangent in self._forward(node).items():
                    if j < n:
                        found = self._guarded(adjoint, tangent, node)
                        if node in endless:
                            # As sqrt(maximum(x, 0)) where x is negative.
                            flat = graph.apply("equal", tangent, graph.constant(0.0))
                            found = graph.apply("where", flat, graph.constant(0.0), found)
                        self._add_to(totals, j, found)
            else:
                product = self._guarded if operation in _STEEP else self._product
                for argument, partial in self._partials(node):
                    found = partial if adjoint == self.one else product(adjoint, partial, node)
                    if endless or operation in _ENDLESS:
                        found = self._of_endless(endless, node, argument, adjoint, partial, found)
                    if argument in adjoints:
                        found = graph.apply("add", adjoints[argument], found)
                    adjoints[argument] = found
        return totals

    def _of_endless(
        self, endless: set[int], node: int, argument: int, adjoint: int, partial: int, product: int
    ) -> int:
        """Return a product of an adjoint and a partial derivative, either of which may be infinite.

        endless : nodes whose adjoints may be infinite, which the argument may be added to
        """
        if node in endless:
            product = self._where_not_zero(partial, product)
            endless.add(argument)
        if self._is_endless(node, argument):
            product = self._where_not_zero(adjoint, product)
            endless.add(argument)
        return product

    def _add_to(self, totals: list[int | None], j: int, node: int) -> None:
        before = totals[j]
        totals[j] = node if before is None else self.graph.apply("add", before, node)

    def _partials(self, node: int) -> list[tuple[int, int]]:
        """Return the arguments that depend on parameters, and the derivatives by them."""
        graph = self.graph
        operation, arguments, _ = graph.steps[node]
        if operation in FLAT:
            return []
        rules = PARTIALS.get(operation)
        if rules is None:
            raise NotImplementedError(f"the derivative of {operation} is not implemented")
        terms: list[Term] = []
        out = []
        for argument, rule in zip(arguments, rules, strict=True):
            if rule is None or not self.depends[argument]:
                continue
            if isinstance(rule, float):
                found = graph.constant(rule)
            elif isinstance(rule, int):
                found = (*arguments, node)[rule]
            else:
                terms = terms or [Term(graph, i) for i in (*arguments, node)]
                partial = rule(*terms)
                found = partial.node if isinstance(partial, Term) else graph.constant(partial)
            out.append((argument, found))
        return out

    def _product(self, slope: int, tangent: int, node: int) -> int:
        """Return slope times tangent, with at most one constant factor."""
        graph = self.graph
        if slope == self.one:
            return tangent
        if tangent == self.one and graph.steps[slope][0] != "negative":
            return slope
        (a, x), (b, y) = self._factors(slope), self._factors(tangent)
        if a == 1.0 or b == 1.0:
            return graph.apply("multiply", slope, tangent)
        return graph.apply("multiply", graph.constant(a * b), graph.apply("multiply", x, y))

    def _factors(self, node: int) -> tuple[float, int]:
        """Return a constant factor of a node, 1 if there is none, and the other factor."""
        graph = self.graph
        operation, arguments, _ = graph.steps[node]
        if operation == "negative":
            factor, rest = self._factors(arguments[0])
            return -factor, rest
        if operation == "multiply":
            for one, other in (arguments, arguments[::-1]):
                number = graph.number(one)
                if number is not None:
                    return number, other
        return 1.0, node

    def _guarded(self, slope: int, tangent: int, node: int) -> int:
        """Return slope times tangent; 0 if the slope is 0 because the node's value overflows.

        In ``1/(1 + exp(x))`` the function is constant for large x, and 0 times inf must be 0.  The
        test is added only if slope and node depend on the same growing operation.
        """
        graph = self.graph
        product = self._product(slope, tangent, node)
        if not self._growing_of(slope) & self._growing_of(node):
            return product
        flat = graph.apply("equal", slope, graph.constant(0.0))
        size = graph.apply("absolute", node)
        infinite = graph.apply("equal", size, graph.constant(math.inf))
        flat = graph.apply("logical_and", flat, infinite)
        return graph.apply("where", flat, graph.constant(0.0), product)

    def _growing_of(self, node: int) -> int:
        """Return the growing operations that a node depends on."""
        steps, growing = self.graph.steps, self._growing
        for operation, arguments, _ in steps[len(growing) : node + 1]:
            found = 0
            for i in arguments:
                found |= growing[i]
            if operation in _GROWING and not (
                # A constant power overflows for extreme arguments only.
                operation == "power" and steps[arguments[1]][0] == "constant"
            ):
                found |= 1 << self._bits
                self._bits += 1
            growing.append(found)
        return growing[node]

    def _is_endless(self, node: int, argument: int) -> bool:
        """Return whether the derivative by an argument may be infinite where that is 0."""
        operation, arguments, _ = self.graph.steps[node]
        if operation not in _ENDLESS or argument != arguments[0]:
            return False
        exponent = self.graph.number(arguments[1]) if operation == "power" else 0.5
        return exponent is None or exponent < 1.0

    def _where_not_zero(self, factor: int, product: int) -> int:
        """Return a product; 0 at points where a factor is 0 whatever the parameters are.

        In ``sqrt(k*t)`` at t = 0 the value is 0 for all k, so that the derivative by k is 0.
        """
        graph = self.graph
        zero = graph.constant(0.0)
        for part in self._parts_of_points(factor):
            product = graph.apply("where", graph.apply("equal", part, zero), zero, product)
        return product

    def _parts_of_points(self, node: int) -> list[int]:
        """Return the factors of a node that depend on variables alone."""
        operation, arguments, _ = self.graph.steps[node]
        if self.graph.varies[node] and not self._depends_on_parameters(node):
            return [node]
        if operation == "multiply":
            return [part for i in arguments for part in self._parts_of_points(i)]
        if operation in ("divide", "negative", "square"):
            return self._parts_of_points(arguments[0])
        return []

    def _depends_on_parameters(self, node: int) -> bool:
        """Return whether a node, an old or a new one, depends on a parameter."""
        found = self._parametric
        for operation, arguments, _ in self.graph.steps[len(found) : node + 1]:
            found.append(operation == "parameter" or any(found[i] for i in arguments))
        return found[node]

    def _forward(self, top: int) -> Tangents:
        """Return the derivatives of a selection by the parameters that it depends on."""
        for node in below(self.graph, [top]):
            if node not in self._tangents:
                self._tangents[node] = self._tangents_of(node) if self.depends[node] else {}
        return self._tangents[top]

    def _tangents_of(self, node: int) -> Tangents:
        """Return the derivatives of a node from those of its arguments."""
        graph = self.graph
        operation, _, value = graph.steps[node]
        if operation == "parameter":
            return {int(value): graph.constant(1.0)}  # type: ignore[arg-type]
        if operation in SELECTIONS:
            return self._selected(node)
        out: Tangents = {}
        for argument, partial in self._partials(node):
            for j, tangent in self._tangents[argument].items():
                term = self._guarded(partial, tangent, argument)
                if self._is_endless(node, argument):
                    term = self._where_not_zero(tangent, term)
                out[j] = graph.apply("add", out[j], term) if j in out else term
        return out

    def _selected(self, node: int) -> Tangents:
        graph = self.graph
        operation, arguments, _ = graph.steps[node]
        one, other, condition = SELECTIONS[operation](*[Term(graph, i) for i in arguments])
        first = {} if one is None else self._tangents[arguments[one]]
        second = {} if other is None else self._tangents[arguments[other]]
        return {
            j: call(
                "where",
                condition,
                Term(graph, first[j]) if j in first else 0.0,
                Term(graph, second[j]) if j in second else 0.0,
            ).node
            for j in sorted({*first, *second})
        }


def _depends(graph: Graph, root: int) -> list[bool]:
    """Return for each node up to the root whether it depends on a parameter."""
    out: list[bool] = []
    for operation, arguments, _ in graph.steps[: root + 1]:
        out.append(operation == "parameter" or any(out[i] for i in arguments))
    return out


def below(graph: Graph, roots: Sequence[int]) -> list[int]:
    """Return the nodes that some nodes depend on, and themselves, in the order of the steps."""
    found, waiting = {*roots}, [*roots]
    while waiting:
        for i in graph.steps[waiting.pop()][1]:
            if i not in found:
                found.add(i)
                waiting.append(i)
    return sorted(found)
