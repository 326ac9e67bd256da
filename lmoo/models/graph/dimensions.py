"""Dimensional analysis of a graph: the powers of units that its parameters must have.

A unit is a product of powers of some base units, so its exponents are a vector, and each operation
is a linear equation for the exponents of its arguments: those of a sum are equal, those of a
product add up, and the argument of an exponential has exponents 0.  The unknown exponents of the
parameters are the solution of these equations (Langhaar 1951, "Dimensional Analysis and Theory of
Models", chapter 2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lmoo._core.arrays import Array
from lmoo.models.graph.nodes import Step

_TOLERANCE = 1e-9

# Operations whose arguments and value have one unit.
_SAME = frozenset(
    ["where", "add", "subtract", "minimum", "maximum", "fmin", "fmax", "mod", "fmod", "hypot",
     "negative", "absolute", "floor", "ceil", "trunc", "rint"]
)  # fmt: skip
# Operations whose arguments have one unit, and whose value is a number.
_COMPARED = frozenset(
    ["less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "arctan2",
     "floor_divide"]
)  # fmt: skip
# Operations of any arguments, whose value is a number.
_FREE = frozenset(
    ["sign", "logical_not", "logical_and", "logical_or", "logical_xor", "isnan", "isfinite"]
)  # fmt: skip
_POWERS = {"sqrt": 0.5, "cbrt": 1.0 / 3.0, "square": 2.0, "reciprocal": -1.0}


class DimensionError(ValueError):
    """The units of the data contradict the model.

    Attributes
    ----------
    node : int
        The node at which that was found; the number of steps for the value of the model.
    exponents : (k,) float64 array
        The unit that would have to be a number there.
    """

    def __init__(self, node: int, exponents: Array) -> None:
        super().__init__(node, exponents)
        self.node, self.exponents = node, exponents


@dataclass
class Dimensions:
    """The exponents of the parameters, as far as they are known.

    Attributes
    ----------
    n, k : int
        Numbers of parameters and of base units.
    rows : list of (n + k,) float64 arrays
        Equations in echelon form: coefficients of the parameters, and of the base units.
    """

    n: int
    k: int
    rows: list[Array] = field(default_factory=list)

    def require(self, form: Array, node: int) -> None:
        """Add the equation that a form is 0; DimensionError if it contradicts the others."""
        form = self._reduced(form)
        own = np.abs(form[: self.n])
        if own.max(initial=0.0) <= _TOLERANCE:
            if np.abs(form[self.n :]).max(initial=0.0) > _TOLERANCE:
                raise DimensionError(node, form[self.n :])
            return
        self.rows.append(form / form[int(np.argmax(own > _TOLERANCE))])

    def _reduced(self, form: Array) -> Array:
        """Return a form without the parameters that lead other equations."""
        form = form.copy()
        for row in self.rows:
            lead = int(np.argmax(np.abs(row[: self.n]) > _TOLERANCE))
            form -= form[lead] * row
        return form

    def exponents(self, parameter: int) -> Array | None:
        """Return the exponents of a parameter, (k,); None if they are not determined."""
        form = np.zeros(self.n + self.k)
        form[parameter] = 1.0
        # Equations that were added later may have the parameters that lead earlier ones.
        for _ in range(len(self.rows) + 1):
            form = self._reduced(form)
        known = np.abs(form[: self.n]).max(initial=0.0) <= _TOLERANCE
        return form[self.n :] if known else None


def dimensions_of(
    steps: Sequence[Step],
    n: int,
    variables: Sequence[Array | None],
    value: Array,
    known: Mapping[int, Array],
) -> Dimensions:
    """Return the exponents of the parameters of a graph.

    Parameters
    ----------
    steps : sequence of Step
        The graph; the value is the last step.
    n : int
        The number of parameters.
    variables : sequence of (k,) arrays or None
        Exponents of the variables; None for those of which the unit is unknown.
    value : (k,) array
        Exponents of the value.
    known : mapping of int to (k,) arrays
        Exponents of parameters that are known.

    Raises
    ------
    DimensionError
        The units contradict each other.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.models.graph.dimensions import dimensions_of
    >>> model = lmoo.Expression("a*exp(-t/tau)")
    >>> second, volt = np.eye(2)
    >>> found = dimensions_of(model.steps, 2, [second], volt, {})
    >>> found.exponents(0).tolist(), found.exponents(1).tolist()
    ([0.0, 1.0], [1.0, 0.0])
    """
    found = Dimensions(n, value.size)
    for j, exponents in known.items():
        form = np.zeros(n + value.size)
        form[j], form[n:] = 1.0, -exponents
        found.require(form, len(steps))
    forms = _forms(found, steps, variables)
    if forms[-1] is not None:
        found.require(forms[-1] - _form(found, value), len(steps))
    return found


def _form(found: Dimensions, exponents: Array) -> Array:
    return np.concatenate([np.zeros(found.n), exponents])


def _forms(
    found: Dimensions, steps: Sequence[Step], variables: Sequence[Array | None]
) -> list[Array | None]:
    """Return the exponents of all nodes as linear forms; None where any unit is possible."""
    forms: list[Array | None] = []
    for node, (operation, arguments, value) in enumerate(steps):
        form: Array | None = np.zeros(found.n + found.k)
        if operation == "parameter":
            assert form is not None
            form[int(value or 0)] = 1.0
        elif operation == "variable":
            exponents = variables[int(value or 0)]
            form = None if exponents is None else _form(found, exponents)
        elif operation == "constant":
            # 0 and inf have any unit.
            form = None if value == 0.0 or not np.isfinite(value or 0.0) else form
        else:
            given = [forms[i] for i in arguments]
            if operation == "where":
                # A number stands for values that are not used, such as that of log(t) for t <= 0.
                given = [forms[i] for i in arguments[1:] if steps[i][0] != "constant"]
            constant = steps[arguments[-1]][2] if steps[arguments[-1]][0] == "constant" else None
            form = _applied(found, operation, given, constant, node)
        forms.append(form)
    return forms


def _applied(
    found: Dimensions, operation: str, given: list[Array | None], constant: float | None, node: int
) -> Array | None:
    """Return the exponents of a value, and require what the operation asks of its arguments."""
    number = np.zeros(found.n + found.k)
    if operation in _SAME:
        return _equal(found, given, node)
    if operation in _COMPARED:
        _equal(found, given, node)
        return number
    if operation in _FREE:
        return number
    if operation == "copysign":
        return given[0]
    if operation in _POWERS:
        return None if given[0] is None else _POWERS[operation] * given[0]
    if operation in ("multiply", "divide"):
        if given[0] is None or given[1] is None:
            return None
        return given[0] + given[1] if operation == "multiply" else given[0] - given[1]
    if operation == "power" and constant is not None:
        return None if given[0] is None else constant * given[0]
    # Other functions take numbers; of heaviside that is the second argument.
    for form in given[1:] if operation == "heaviside" else given:
        if form is not None:
            found.require(form, node)
    return number


def _equal(found: Dimensions, given: Sequence[Array | None], node: int) -> Array | None:
    """Require that arguments have one unit, and return it."""
    forms = [form for form in given if form is not None]
    for form in forms[1:]:
        found.require(form - forms[0], node)
    return forms[0] if forms else None
