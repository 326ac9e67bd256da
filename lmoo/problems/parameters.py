"""Relations of the parameters of a problem: ties, priors, derived quantities, constraints.

`Relations` holds what a caller has written, checked as far as that is possible without the names of
the parameters, in a form that can be compared and hashed.  `lmoo.models.relations` makes of it the
functions that a solve needs.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lmoo._core.arrays import Array
from lmoo.problems.arguments import real_array, real_number
from lmoo.problems.boundsforms import FrozenMapping

OPTIONS = ("ties", "priors", "derived", "constraints")

_CONSTRAINTS = (
    "an inequality or an equation such as 'a <= b', a pair (A, b) for A x <= b, a triple (A, "
    "lower, upper), an object with A, lb and ub, or a sequence of inequalities and equations"
)


class Prior(NamedTuple):
    """Mean and standard deviation of a parameter or a derived quantity before the fit."""

    mean: float
    sigma: float


class LinearForm(NamedTuple):
    """Constraints ``lower <= A x <= upper`` for all parameters, as nested tuples."""

    A: tuple[tuple[float, ...], ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]


class Relations(NamedTuple):
    """The relations of the parameters of one problem.

    ties, derived : mappings of names to expressions
    priors : mapping of names to `Prior`
    constraints : tuple of str and `LinearForm`

    Examples
    --------
    >>> import lmoo
    >>> from lmoo.problems.parameters import relations_of
    >>> relations_of(lmoo.Solver(ties={"b": "2*a"}), None).ties
    {'b': '2*a'}
    """

    ties: Mapping[Any, str] = FrozenMapping({})
    priors: Mapping[Any, Prior] = FrozenMapping({})
    derived: Mapping[Any, str] = FrozenMapping({})
    constraints: tuple[Any, ...] = ()


def relations_of(options: Any, problem: Any) -> Relations | None:
    """Return the relations that a solver and a problem define; None if there are none.

    Each of the solver's options takes precedence over the problem's attribute of the same name.
    """
    found = None
    for name in OPTIONS:
        value = getattr(options, name, None)
        if value is None:
            value = getattr(problem, name, None)
        if value is None:
            continue
        checked = frozen_options[name](value)
        if len(checked) > 0:
            found = {} if found is None else found
            found[name] = checked
    return None if found is None else Relations(**found)


def refuse_separable(separable: Any) -> None:
    """Raise ValueError if linear parameters are to be eliminated, which relations do not allow."""
    if separable is True:
        raise ValueError(
            "separable must be False or 'auto' with ties, priors, derived or constraints: linear "
            "parameters are eliminated without them; it is True"
        )


def frozen_expressions(option: str, given: Any) -> FrozenMapping:
    """Return ties or derived quantities, checked: a mapping of names to expressions.

    Raises
    ------
    TypeError
        It is not a mapping of strings to strings.
    """
    if type(given) is FrozenMapping:
        return given
    if not isinstance(given, Mapping):
        raise TypeError(f"{option} must be a mapping of names to expressions; it is {given!r}")
    for name, text in given.items():
        _check_key(option, name)
        if not isinstance(text, str):
            hint = ", or use fixed for a number" if option == "ties" else ""
            raise TypeError(
                f"{option}[{name!r}] must be an expression, a string such as '2*a'{hint}; it is "
                f"{text!r}"
            )
    return FrozenMapping(given)


def frozen_priors(given: Any) -> FrozenMapping:
    """Return priors, checked: a mapping of names to `Prior`.

    Raises
    ------
    TypeError, ValueError
        It is no mapping of names to pairs; a number is not finite, or a sigma is not positive.
    """
    if type(given) is FrozenMapping:
        return given
    if not isinstance(given, Mapping):
        raise TypeError(f"priors must be a mapping of names to (mean, sigma); it is {given!r}")
    found = {}
    for name, value in given.items():
        _check_key("priors", name)
        if not isinstance(value, (tuple, list, np.ndarray)) or len(value) != 2:
            raise TypeError(f"priors[{name!r}] must be a pair (mean, sigma); it is {value!r}")
        mean, sigma = (real_number(f"priors[{name!r}]", part) for part in value)
        if not np.isfinite(mean):
            raise ValueError(f"priors[{name!r}] must have a finite mean; it is {value!r}")
        if not 0.0 < sigma < np.inf:
            raise ValueError(
                f"priors[{name!r}] must have a sigma that is positive and finite; it is {value!r}"
            )
        found[name] = Prior(mean, sigma)
    return FrozenMapping(found)


def frozen_constraints(given: Any) -> tuple[Any, ...]:
    """Return linear constraints, checked: a tuple of strings and `LinearForm`.

    Raises
    ------
    TypeError, ValueError
        It has none of the forms that the message lists; a matrix is not finite.
    """
    if isinstance(given, (str, LinearForm)) or hasattr(given, "A"):
        return (_constraint(given),)
    if isinstance(given, tuple) and all(isinstance(one, (str, LinearForm)) for one in given):
        return given
    if not isinstance(given, (tuple, list)):
        raise TypeError(f"constraints must be {_CONSTRAINTS}; it is {given!r}")
    if len(given) in (2, 3) and isinstance(given, tuple) and _is_matrix(given[0]):
        return (_constraint(given),)
    return tuple(_constraint(one) for one in given)


def _is_matrix(value: Any) -> bool:
    return isinstance(value, np.ndarray) or (
        isinstance(value, (list, tuple)) and not any(isinstance(row, str) for row in value)
    )


def _constraint(one: Any) -> str | LinearForm:
    if isinstance(one, (str, LinearForm)):
        return one
    if hasattr(one, "A") and hasattr(one, "lb") and hasattr(one, "ub"):
        parts = one.A, one.lb, one.ub
    elif isinstance(one, (tuple, list)) and len(one) == 2 and _is_matrix(one[0]):
        parts = one[0], -np.inf, one[1]
    elif isinstance(one, (tuple, list)) and len(one) == 3 and _is_matrix(one[0]):
        parts = tuple(one)
    else:
        raise TypeError(f"constraints must be {_CONSTRAINTS}; one is {one!r}")
    A = np.atleast_2d(real_array("A of constraints", parts[0]))
    if A.ndim != 2 or not np.isfinite(A).all():
        raise ValueError(f"A of constraints must be a matrix of finite numbers; it is {parts[0]!r}")
    sides = []
    for name, side in zip(("lower", "upper"), parts[1:], strict=True):
        array = real_array(f"the {name} side of constraints", side)
        if array.ndim > 1 or array.size not in (1, len(A)) or np.isnan(array).any():
            raise ValueError(
                f"the {name} side of constraints must have a number for each of {len(A)} rows of A;"
                f" it is {side!r}"
            )
        sides.append(tuple(np.broadcast_to(array.reshape(-1), (len(A),)).tolist()))
    return LinearForm(tuple(map(tuple, A.tolist())), *sides)


frozen_options: dict[str, Any] = {
    "ties": lambda given: frozen_expressions("ties", given),
    "priors": frozen_priors,
    "derived": lambda given: frozen_expressions("derived", given),
    "constraints": frozen_constraints,
}


def _check_key(option: str, name: Any) -> None:
    if not isinstance(name, str):
        raise TypeError(f"{option} must give parameters by name; it has {name!r}")


def known_name(option: str, name: str, names: Sequence[str]) -> str:
    """Return a name; ValueError with all names that are known if it is none of them."""
    if name not in names:
        raise ValueError(f"{option} must have names of {', '.join(names)}; it has {name!r}")
    return name


def named_start(
    argument: str,
    given: Mapping[Any, Any],
    names: Sequence[str] | None,
    optional: Sequence[str] = (),
) -> Array:
    """Return the starting point that a mapping of names to values describes, (n,).

    Parameters
    ----------
    argument : str
        What messages call it: x0 or p0.
    given : mapping
        Values by name.
    names : sequence of str or None
        The parameters.
    optional : sequence of str
        Parameters that need no value: their entries are nan.

    Raises
    ------
    ValueError
        The names are not known; an unknown name; a value is missing or not finite.
    """
    if names is None:
        raise ValueError(f"{argument} must be an array, as the parameters have no names")
    for name in given:
        known_name(argument, name, names)
    missing = [name for name in names if name not in given and name not in optional]
    if missing:
        raise ValueError(
            f"{argument} must have a value for each parameter; it has none for {', '.join(missing)}"
        )
    values = {name: real_number(f"{argument}[{name!r}]", value) for name, value in given.items()}
    for name, value in values.items():
        if not np.isfinite(value):
            raise ValueError(f"{argument} must be finite; that of {name} is {value}")
    return np.array([values.get(name, np.nan) for name in names])
