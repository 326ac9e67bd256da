"""Which parameters an expression is linear in."""

from collections.abc import Sequence
from dataclasses import dataclass

from lmoo.expression.functions import BINARY, FUNCTIONS, UNARY, Function
from lmoo.expression.parser import Apply, Parameter, Step

__all__ = ["linear_in"]

_SUMS = (BINARY["+"], BINARY["-"], UNARY["+"], UNARY["-"])


@dataclass(frozen=True)
class _Use:
    """How a value depends on the parameters.

    Attributes
    ----------
    all : set of int
        Parameters that it depends on.
    curved : set of int
        Those that it is not linear in.
    pairs : set of (int, int)
        Those that multiply each other, so that it is linear in either but not in both.
    """

    all: frozenset[int] = frozenset()
    curved: frozenset[int] = frozenset()
    pairs: frozenset[tuple[int, int]] = frozenset()


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
    >>> from lmoo.expression.linearity import linear_in
    >>> from lmoo.expression.parser import parse
    >>> steps, names = parse("a*exp(-b*t) + c", ["t"], None)
    >>> [names[j] for j in linear_in(steps, 3)]
    ['a', 'c']
    """
    stack: list[_Use] = []
    for step in steps:
        if isinstance(step, Apply):
            arity = step.function.arity
            stack[-arity:] = [_applied(step.function, stack[-arity:])]
        else:
            stack.append(_Use(frozenset([step.index])) if isinstance(step, Parameter) else _Use())
    use = stack[0]
    chosen: list[int] = []
    for j in range(n):
        if j not in use.curved and not any((i, j) in use.pairs for i in chosen):
            chosen.append(j)
    return tuple(chosen)


def _applied(function: Function, arguments: Sequence[_Use]) -> _Use:
    """Return how a function's value depends on the parameters."""
    every = _union([use.all for use in arguments])
    curved = _union([use.curved for use in arguments])
    pairs = frozenset[tuple[int, int]]().union(*(use.pairs for use in arguments))
    if function in _SUMS:
        return _Use(every, curved, pairs)
    if function is FUNCTIONS["where"]:
        return _Use(every, curved | arguments[0].all, pairs)
    if function is BINARY["/"]:
        return _Use(every, curved | arguments[1].all, pairs)
    if function is BINARY["*"]:
        a, b = (use.all for use in arguments)
        crossed = {pair for i in a for j in b for pair in ((i, j), (j, i))}
        return _Use(every, curved | (a & b), pairs | crossed)
    return _Use(every, every, pairs)


def _union(sets: Sequence[frozenset[int]]) -> frozenset[int]:
    return frozenset[int]().union(*sets)
