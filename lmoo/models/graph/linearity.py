"""The parameters that a graph is linear in."""

from collections.abc import Sequence

from lmoo.models.graph.nodes import Step

_SUMS = ("add", "subtract", "negative")


def linear_in(steps: Sequence[Step], n: int) -> tuple[int, ...]:
    """Return parameters that the last step is linear in, jointly: value = v0 + sum of v_j x_j.

    Parameters
    ----------
    steps : sequence of Step
        The last one must depend on all of them.
    n : int
        Number of parameters.

    Returns
    -------
    tuple of int
        Chosen in order of the index: each is linear jointly with those before.  A parameter whose
        linearity follows from an identity only, as in ``log(exp(a))``, is not detected.

    Examples
    --------
    >>> import lmoo
    >>> from lmoo.models.graph.linearity import linear_in
    >>> model = lmoo.Expression("a*exp(-b*t) + c")
    >>> [model.parameter_names[j] for j in linear_in(model.steps, 3)]
    ['a', 'c']
    """
    depends, nonlinear, factors = _dependencies(steps)
    # The parameters that a node is multiplied by on its paths to the last step, as bits.
    multipliers = [0] * len(steps)
    leaves: dict[int, int] = {}
    for node in range(len(steps) - 1, -1, -1):
        operation, arguments, value = steps[node]
        if operation == "parameter":
            leaves[int(value)] = node  # type: ignore[arg-type]
        for side, i in enumerate(arguments):
            if depends[i]:
                multipliers[i] |= multipliers[node] | (
                    factors[node][side] if node in factors else 0
                )
    excluded = nonlinear
    chosen: list[int] = []
    for j in range(n):
        if not excluded >> j & 1:
            chosen.append(j)
            if j in leaves:
                excluded |= multipliers[leaves[j]]
    return tuple(chosen)


def _dependencies(steps: Sequence[Step]) -> tuple[list[int], int, dict[int, tuple[int, int]]]:
    """Return how the steps depend on the parameters, as bits of integers, which are fast.

    Returns the parameters that each step depends on, the parameters that any of the steps is not
    linear in, and for each product the parameters that its first and its second factor are
    multiplied by.
    """
    depends: list[int] = []
    nonlinear = 0
    factors: dict[int, tuple[int, int]] = {}
    for node, (operation, arguments, value) in enumerate(steps):
        found = 1 << int(value) if operation == "parameter" else 0  # type: ignore[arg-type]
        for i in arguments:
            found |= depends[i]
        depends.append(found)
        if operation == "where":
            nonlinear |= depends[arguments[0]]
        elif operation == "divide":
            nonlinear |= depends[arguments[1]]
        elif operation == "multiply":
            a, b = (depends[i] for i in arguments)
            nonlinear |= a & b
            if a and b:
                factors[node] = (b, a)
        elif operation not in _SUMS:
            nonlinear |= found if arguments else 0
    return depends, nonlinear, factors
