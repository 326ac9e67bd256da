"""Which parameters an expression is linear in."""

from collections.abc import Sequence
from dataclasses import dataclass

from lmoo.models.expression.functions import BINARY, FUNCTIONS, UNARY, Function
from lmoo.models.expression.parser import Apply, Parameter, Step

__all__ = ["linear_in"]

_SUMS = (BINARY["+"], BINARY["-"], UNARY["+"], UNARY["-"])


@dataclass(eq=False)
class _Node:
    """A value in the tree of an expression, and how it depends on the parameters.

    Sets of parameters are the bits of integers: unions over all of a long product stay cheap.

    Attributes
    ----------
    all : int
        Parameters that it depends on.
    curved : int
        Those that it is not linear in.
    rivals : int
        Parameters that it is multiplied by, so that the product is linear in either, not in both.
    parent : _Node or None
        The value that is made of it.
    climbed : bool
        Whether `_climb` has been here.
    """

    all: int = 0
    curved: int = 0
    rivals: int = 0
    parent: "_Node | None" = None
    climbed: bool = False


def linear_in(steps: Sequence[Step], n: int) -> tuple[int, ...]:
    """Return parameters that the expression is linear in, jointly: value = v0 + sum of v_j x_j.

    Parameters
    ----------
    steps : sequence of Step
    n : int
        Number of parameters.

    Returns
    -------
    tuple of int
        As many as can be had by taking them in order; a parameter that is linear by a rule of
        algebra only, as in ``log(exp(a))``, is not seen.

    Examples
    --------
    >>> from lmoo.models.expression.linearity import linear_in
    >>> from lmoo.models.expression.parser import parse
    >>> steps, names = parse("a*exp(-b*t) + c", ["t"], None)
    >>> [names[j] for j in linear_in(steps, 3)]
    ['a', 'c']
    """
    root, leaves = _tree(steps, n)
    excluded = root.curved
    chosen: list[int] = []
    for j in range(n):
        if not excluded >> j & 1:
            chosen.append(j)
            for leaf in leaves[j]:
                excluded |= _climb(leaf)
    return tuple(chosen)


def _tree(steps: Sequence[Step], n: int) -> tuple[_Node, list[list[_Node]]]:
    """Return the root, and for each parameter the leaves at which it stands."""
    leaves: list[list[_Node]] = [[] for _ in range(n)]
    stack: list[_Node] = []
    for step in steps:
        if isinstance(step, Apply):
            arity = step.function.arity
            stack[-arity:] = [_applied(step.function, stack[-arity:])]
            continue
        stack.append(_Node())
        if isinstance(step, Parameter):
            stack[-1].all = 1 << step.index
            leaves[step.index].append(stack[-1])
    return stack[0], leaves


def _climb(leaf: _Node) -> int:
    """Return what multiplies a parameter, from its leaf to the root.

    The way ends where an earlier one has passed: from there on, all is excluded already.  So all
    ways together are no longer than the expression.
    """
    met = 0
    node: _Node | None = leaf
    while node is not None and not node.climbed:
        node.climbed = True
        met |= node.rivals
        node = node.parent
    return met


def _applied(function: Function, arguments: Sequence[_Node]) -> _Node:
    """Return a function's value, the parent of its arguments."""
    value = _Node()
    for node in arguments:
        value.all |= node.all
        value.curved |= node.curved
        node.parent = value
    if function is FUNCTIONS["where"]:
        value.curved |= arguments[0].all
    elif function is BINARY["/"]:
        value.curved |= arguments[1].all
    elif function is BINARY["*"]:
        a, b = arguments
        a.rivals, b.rivals = b.all, a.all
        value.curved |= a.all & b.all
    elif function not in _SUMS:
        value.curved = value.all
    return value
