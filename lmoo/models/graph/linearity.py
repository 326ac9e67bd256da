"""Which parameters a graph is linear in."""

from collections.abc import Sequence

from lmoo.models.graph.nodes import Step

__all__ = ["linear_in"]

_SUMS = ("add", "subtract", "negative")


def linear_in(steps: Sequence[Step], n: int) -> tuple[int, ...]:
    """Return parameters that the last step is linear in, jointly: value = v0 + sum of v_j x_j.

    Parameters
    ----------
    steps : sequence of Step
        All of which the last one needs.
    n : int
        Number of parameters.

    Returns
    -------
    tuple of int
        As many as can be had by taking them in order; a parameter that is linear by a rule of
        algebra only, as in ``log(exp(a))``, is not seen.

    Examples
    --------
    >>> import lmoo
    >>> from lmoo.models.graph.linearity import linear_in
    >>> model = lmoo.Expression("a*exp(-b*t) + c")
    >>> [model.parameter_names[j] for j in linear_in(model.steps, 3)]
    ['a', 'c']
    """
    depends, curved, factors = _upwards(steps)
    # What a node is multiplied by on its ways to the last step, itself parameters as bits.
    rivals = [0] * len(steps)
    leaves: dict[int, int] = {}
    for node in range(len(steps) - 1, -1, -1):
        operation, arguments, value = steps[node]
        if operation == "parameter":
            leaves[int(value)] = node  # type: ignore[arg-type]
        for side, i in enumerate(arguments):
            if depends[i]:
                rivals[i] |= rivals[node] | (factors[node][side] if node in factors else 0)
    excluded = curved
    chosen: list[int] = []
    for j in range(n):
        if not excluded >> j & 1:
            chosen.append(j)
            if j in leaves:
                excluded |= rivals[leaves[j]]
    return tuple(chosen)


def _upwards(steps: Sequence[Step]) -> tuple[list[int], int, dict[int, tuple[int, int]]]:
    """Return how the steps depend on the parameters, as bits of integers.

    Sets of bits stay cheap in long sums.  They are: the parameters that each step depends on, those
    that one of the steps is not linear in, and for each product the parameters that one factor is
    multiplied by, and the other.
    """
    depends: list[int] = []
    curved = 0
    factors: dict[int, tuple[int, int]] = {}
    for node, (operation, arguments, value) in enumerate(steps):
        found = 1 << int(value) if operation == "parameter" else 0  # type: ignore[arg-type]
        for i in arguments:
            found |= depends[i]
        depends.append(found)
        if operation == "where":
            curved |= depends[arguments[0]]
        elif operation == "divide":
            curved |= depends[arguments[1]]
        elif operation == "multiply":
            a, b = (depends[i] for i in arguments)
            curved |= a & b
            if a and b:
                factors[node] = (b, a)
        elif operation not in _SUMS:
            curved |= found if arguments else 0
    return depends, curved, factors
