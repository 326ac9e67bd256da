"""Values of a graph in numpy: the reference for everything that computes them faster."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lmoo.models.graph.nodes import Step
from lmoo.models.graph.operations import OPERATIONS


def evaluate(
    steps: Sequence[Step],
    roots: Sequence[int],
    variables: Sequence[Any],
    parameters: Sequence[Any],
) -> list[Any]:
    """Return the values of some nodes, each of the shape that what it depends on broadcasts to.

    Parameters
    ----------
    steps : sequence of Step
    roots : sequence of int
        The nodes.
    variables, parameters : sequence of float64 array or np.float64

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.models.graph.evaluation import evaluate
    >>> steps = [("variable", (), 0), ("parameter", (), 0), ("multiply", (0, 1), None)]
    >>> evaluate(steps, [2], [np.arange(3.0)], [np.float64(2.0)])
    [array([0., 2., 4.])]
    """
    last = _last_uses(steps, roots)
    values: list[Any] = [None] * len(steps)
    with np.errstate(all="ignore"):
        for node, (operation, arguments, value) in enumerate(steps):
            if operation == "constant":
                values[node] = np.float64(value)
            elif operation == "parameter":
                values[node] = parameters[value]  # type: ignore[index]
            elif operation == "variable":
                values[node] = variables[value]  # type: ignore[index]
            else:
                values[node] = OPERATIONS[operation].value(*[values[i] for i in arguments])
                for i in arguments:
                    if last[i] == node:
                        values[i] = None
    return [values[root] for root in roots]


def _last_uses(steps: Sequence[Step], roots: Sequence[int]) -> list[int]:
    """Return for each node the last step that needs it, so that its memory can go then."""
    last = [0] * len(steps)
    for node, (_, arguments, _) in enumerate(steps):
        for i in arguments:
            last[i] = node
    for root in roots:
        last[root] = len(steps)
    return last
