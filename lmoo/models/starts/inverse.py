"""Values that the nodes of an expression need for the model to reproduce the data."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from lmoo.models.expression.functions import FUNCTIONS, UNARY, Function
from lmoo.models.expression.tree import Node
from lmoo.models.starts.features import Features
from lmoo.models.starts.functions import EXTREMA, INVERSES, MINUS, OVER, PLUS, POWER, TIMES
from lmoo.models.starts.values import NodeValues


def required_value(top: Node, data: Features, values: NodeValues, known: int) -> Any:
    """Return the values of a node for which the model has the values of the data.

    Returns None if an unknown factor can compensate for any value of the node.

    Parameters
    ----------
    top : Node
    data : Features
    values : NodeValues
    known : int
        Parameters whose values are known, as bits.
    """
    path = list(top.path())[::-1]
    target: Any = data.y
    for parent, node in pairwise(path):
        others = node.others()
        unknown = any(other.parameters & ~known for other in others)
        target = inverse(parent.function, node.side, target, [] if unknown else others, values)
        if target is None:
            return None
    return target


def inverse(
    function: Function | None, side: int, target: Any, others: Sequence[Node], values: NodeValues
) -> Any:
    """Return the argument for which a function has the value `target`; None if it is unknown.

    Parameters
    ----------
    function : Function or None
    side : int
        The index of the argument.
    target : float64 array
    others : sequence of Node
        The other arguments; empty if they are unknown.
    values : NodeValues
    """
    if function in (PLUS, MINUS):
        return _inverse_sum(function, side, target, others, values)
    if function is UNARY["-"]:
        return -target
    if function is UNARY["+"]:
        return target
    if function in INVERSES:
        return INVERSES[function](target)
    if function is FUNCTIONS["hypot"] or function in EXTREMA:
        return target
    if not others:
        return None
    other = values(others[0])
    if function is TIMES:
        return target / other
    if function is OVER:
        return target * other if side == 0 else other / target
    if function is POWER and side == 0:
        return np.power(target, 1.0 / other)
    if function is POWER:
        return np.log(target) / np.log(other)
    return None


def _inverse_sum(
    function: Function | None, side: int, target: Any, others: Sequence[Node], values: NodeValues
) -> Any:
    """Return the term for which a sum or a difference has the value `target`."""
    if not others:
        # The other term is unknown; it is assumed to be a constant, as is most common.
        target = target - np.fmin.reduce(np.atleast_1d(target), axis=-1, keepdims=True)
        return -target if function is MINUS and side == 1 else target
    other = values(others[0])
    if function is PLUS:
        return target - other
    return target + other if side == 0 else other - target
