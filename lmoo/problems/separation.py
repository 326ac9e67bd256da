"""The linear parameters of a problem, and those of them that can be eliminated."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo.problems.bounds import _indices as indices


class Parts(NamedTuple):
    """The parameters of a separable problem.

    Attributes
    ----------
    linear : tuple of int
        Positions of those that are eliminated.
    other : tuple of int
        Positions of the others, in their order.
    """

    linear: tuple[int, ...]
    other: tuple[int, ...]


def frozen_linear(value: Any) -> tuple[Any, ...] | None:
    """Return an argument `linear_parameters` as a tuple; TypeError if it is not a sequence."""
    if value is None:
        return None
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        raise TypeError(
            "linear_parameters must be a sequence of names or positions of parameters, or None; "
            f"it is {value!r}"
        )
    return tuple(value)


def linear_positions(problem: Any, n: int, model: Any = None) -> tuple[int, ...]:
    """Return the positions of the parameters that a problem is linear in, jointly.

    Parameters
    ----------
    problem : Problem
        Its attribute ``linear_parameters`` has names or positions; None: those of the model.
    n : int
        Number of parameters.
    model : Model, optional
        A graph, from which they are found.

    Raises
    ------
    TypeError, ValueError
        ``linear_parameters`` is not a sequence, or has an unknown name or position.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.problems.separation import linear_positions
    >>> problem = lmoo.FunctionProblem(lambda x: x, parameter_names=("a", "b"))
    >>> problem.linear_parameters = ["b"]
    >>> linear_positions(problem, 2)
    (1,)
    """
    given = frozen_linear(getattr(problem, "linear_parameters", None))
    if given is not None:
        names = getattr(problem, "parameter_names", None)
        return tuple(sorted(indices("linear_parameters", given, names, n)))
    if model is None:
        return ()
    return tuple(model.parameter_names.index(name) for name in model.linear)


def parts_of(linear: Sequence[int], n: int, bounds: NDArray[np.float64] | None) -> Parts:
    """Return which parameters are eliminated: the linear ones without bounds that are not fixed.

    Parameters
    ----------
    linear : sequence of int
    n : int
    bounds : (2, n) float64 array or None
        As the loop takes them; NaN for a fixed parameter.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.problems.separation import parts_of
    >>> parts_of([0, 1], 3, np.array([[0.0, -np.inf, -np.inf], [np.inf, np.inf, np.inf]]))
    Parts(linear=(1,), other=(0, 2))
    """
    free = [True] * n if bounds is None else [bool(np.isinf(pair).all()) for pair in bounds.T]
    out = tuple(j for j in linear if free[j])
    return Parts(out, tuple(j for j in range(n) if j not in out))
