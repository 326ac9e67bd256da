"""Points of a scale with a zero of its own, such as degrees Celsius, and differences of them.

A temperature in degrees Celsius has the weight 1, a difference of two the weight 0.  The weight of
a sum is the sum of the weights, factors of a product have the weight 0, and y has that of its data.
The weights of the parameters are the solution of these linear equations.
"""

from collections.abc import Sequence

import numpy as np

from lmoo._core.arrays import Array
from lmoo.models.graph.dimensions import DimensionError, Dimensions
from lmoo.models.graph.nodes import Step

# Operations whose arguments and value have one weight.
_SAME = frozenset(["minimum", "maximum", "fmin", "fmax"])
_COMPARED = frozenset(["less", "less_equal", "greater", "greater_equal", "equal", "not_equal"])
_KEPT = frozenset(["floor", "ceil", "trunc", "rint"])


def weights_of(
    steps: Sequence[Step],
    offsets: Sequence[bool],
    variables: Sequence[float],
    value: float,
) -> list[float | None]:
    """Return the weights of the parameters of a graph; None for those that are not determined.

    None too where the model takes the numbers of its data, as ``a*exp(-b*t)`` those of
    temperatures in degrees Celsius.

    Parameters
    ----------
    steps : sequence of Step
        The graph; the value is the last step.
    offsets : sequence of bool
        For each parameter, whether its unit has a zero of its own; the others have the weight 0.
    variables : sequence of float
        Weights of the variables, 1 for those in a unit with a zero of its own.
    value : float
        The weight of the data.

    Examples
    --------
    >>> import lmoo
    >>> from lmoo.models.graph.zeros import weights_of
    >>> model = lmoo.Expression("a*exp(-b*t) + c")
    >>> weights_of(model.steps, [True, False, True], [0.0], 1.0)
    [0.0, 0.0, 1.0]
    """
    n = len(offsets)
    found = Dimensions(n, 1)
    for j in np.flatnonzero(~np.asarray(offsets, dtype=bool)):
        found.require(np.eye(n + 1)[j], len(steps))
    forms: list[Array] = []
    for operation, arguments, number in steps:
        form = np.zeros(n + 1)
        if operation == "parameter":
            form[int(number or 0)] = 1.0
        elif operation == "variable":
            form[n] = variables[int(number or 0)] if int(number or 0) < len(variables) else 0.0
        elif operation != "constant":
            constants = [steps[i][2] if steps[i][0] == "constant" else None for i in arguments]
            form = _applied(found, operation, [forms[i] for i in arguments], constants, form)
        forms.append(form)
    form = forms[-1].copy()
    form[n] -= value
    if not _require(found, [form]):
        return [None if offset else 0.0 for offset in offsets]
    weights = [found.exponents(j) for j in range(n)]
    # An equation has the constant on the side of the parameter.
    return [None if weight is None else float(weight[0]) + 0.0 for weight in weights]


def _applied(
    found: Dimensions,
    operation: str,
    given: list[Array],
    constants: list[float | None],
    zero: Array,
) -> Array:
    """Return the weight of a value, and require what the operation asks of its arguments."""
    if operation in ("add", "subtract"):
        return given[0] + given[1] if operation == "add" else given[0] - given[1]
    if operation == "negative":
        return -given[0]
    if operation in _KEPT:
        return given[0]
    if operation == "where":
        kept = [g for g, c in zip(given[1:], constants[1:], strict=True) if c is None]
        return _equal(found, kept) if kept else zero
    if operation in _SAME or operation in _COMPARED:
        # A constant is no temperature; such as 0 it is a limit.
        kept = [g for g, c in zip(given, constants, strict=True) if c is None]
        same = _equal(found, kept) if kept else zero
        return same if operation in _SAME else zero
    if operation in ("multiply", "divide") and constants[1] is not None and constants[1] != 0.0:
        return given[0] * (constants[1] if operation == "multiply" else 1.0 / constants[1])
    if operation == "multiply" and constants[0] is not None:
        return given[1] * constants[0]
    _require(found, given)
    return zero


def _equal(found: Dimensions, given: Sequence[Array]) -> Array:
    _require(found, [form - given[0] for form in given[1:]])
    return given[0]


def _require(found: Dimensions, forms: Sequence[Array]) -> bool:
    """Add the equations that forms are 0, and return True, unless one contradicts the others.

    A model may take the numbers of a temperature, as in ``a + b*t`` with t in degrees Celsius.
    """
    rows = list(found.rows)
    try:
        for form in forms:
            found.require(form, 0)
    except DimensionError:
        found.rows[:] = rows
        return False
    return True
