"""The tree of an expression: the values that depend on a parameter, and the functions between."""

from collections.abc import Iterator, Sequence
from typing import Any

from lmoo.models.expression.functions import Function
from lmoo.models.expression.parser import Apply, Constant, Parameter, Step, Variable, parse
from lmoo.models.expression.products import collected


class Node:
    """A value in the tree of an expression.

    Attributes
    ----------
    function : Function or None
        The function that is applied to `children`; None for a leaf.
    children : tuple of Node
    parent : Node or None
        None for the root.
    side : int
        Index among the children of `parent`.
    parameters : int
        Parameters that the value depends on, as the bits of an integer.
    varies : bool
        Whether the value depends on a variable.
    first, last : int
        The steps that compute the value are ``steps[first:last]``.
    """

    __slots__ = (
        "children",
        "first",
        "function",
        "last",
        "parameters",
        "parent",
        "side",
        "varies",
    )

    def __init__(self, function: Function | None, children: tuple["Node", ...], last: int) -> None:
        self.function, self.children, self.last = function, children, last
        self.first: int = children[0].first if children else last - 1
        self.parent: Node | None = None
        self.side = 0
        self.parameters = 0
        self.varies = False
        for side, child in enumerate(children):
            child.parent, child.side = self, side
            self.parameters |= child.parameters
            self.varies |= child.varies

    def others(self) -> list["Node"]:
        """Return the other children of the parent."""
        assert self.parent is not None
        return [node for node in self.parent.children if node is not self]

    def path(self) -> Iterator["Node"]:
        """Yield the node, its parent, and so on up to the root."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent


class ExpressionTree:
    """The tree of an expression.

    Parameters
    ----------
    steps : sequence of Step
        The expression in postfix order.
    n : int
        Number of parameters.

    Attributes
    ----------
    root : Node
    nodes : list of Node
        All values, in the order in which they are computed.
    leaves : list of list of Node
        For each parameter the leaves that are this parameter.

    Examples
    --------
    >>> from lmoo.models.expression.parser import parse
    >>> from lmoo.models.expression.tree import ExpressionTree
    >>> steps, _ = parse("a*exp(-b*t)", ["t"], None)
    >>> tree = ExpressionTree(steps, 2)
    >>> [node.varies for node in tree.leaves[1][0].path()]
    [False, False, True, True, True]
    >>> float(tree.value(tree.leaves[1][0].parent.parent, [3.0], [None, 2.0]))
    -6.0
    """

    def __init__(self, steps: Sequence[Step], n: int) -> None:
        self._steps = steps
        self.nodes: list[Node] = []
        self.leaves: list[list[Node]] = [[] for _ in range(n)]
        stack: list[Node] = []
        for last, step in enumerate(steps, start=1):
            if isinstance(step, Apply):
                arity = step.function.arity
                stack[-arity:] = [Node(step.function, tuple(stack[-arity:]), last)]
            else:
                stack.append(Node(None, (), last))
                stack[-1].varies = isinstance(step, Variable)
                if isinstance(step, Parameter):
                    stack[-1].parameters = 1 << step.index
                    self.leaves[step.index].append(stack[-1])
            self.nodes.append(stack[-1])
        self.root = stack[0]

    @classmethod
    def of(cls, text: str, variables: Sequence[str], parameters: Sequence[str]) -> "ExpressionTree":
        """Return the tree of a text, in which repeated factors are powers: ``s*s`` is ``s**2``.

        Parameters
        ----------
        text : str
        variables, parameters : sequence of str
            All names, as for `lmoo.Expression`.
        """
        steps, names = parse(text, variables, parameters)
        return cls(collected(steps), len(names))

    def value(self, node: Node, variables: Sequence[Any], parameters: Sequence[Any]) -> Any:
        """Return the value of a node.

        Parameters
        ----------
        node : Node
        variables, parameters : sequence of float64 array
            Those that the node does not depend on may be anything.
        """
        stack: list[Any] = []
        for step in self._steps[node.first : node.last]:
            if isinstance(step, Apply):
                arity = step.function.arity
                stack[-arity:] = [step.function.value(*stack[-arity:])]
            elif isinstance(step, Constant):
                stack.append(step.value)
            else:
                stack.append((parameters if isinstance(step, Parameter) else variables)[step.index])
        return stack[0]
