"""The starting point of a solve, and what is wrong where it cannot be evaluated."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.solve import Loop, start
from lmoo.errors import EvaluationError
from lmoo.problems.arguments import refuse_units
from lmoo.problems.names import by_name, check_count
from lmoo.problems.parameters import named_start
from lmoo.sparse.matrices import is_sparse


def known_start(
    problem: Any, x0: ArrayLike | Mapping[str, ArrayLike], optional: Sequence[str] = ()
) -> NDArray[np.float64]:
    """Return x0 as a new float64 vector; a mapping has values by name.

    optional: parameters that need no value in a mapping; their entries are nan
    """
    names = getattr(problem, "parameter_names", None)
    x0 = by_name(x0, names)
    if not isinstance(x0, Mapping):
        x = starting_point(x0)
        check_count("x0", x.size, names)
        return x
    return named_start("x0", x0, names, optional)


def bad_start(loop: Loop) -> BaseException:
    """Return the exception for a starting point that cannot be evaluated."""
    refusal = loop.take_refusal()
    if refusal is not None:
        return refusal
    f = loop.residual
    if f.size == 0:
        what = "Jacobian" if loop.observations else "residual"
        return EvaluationError(f"the {what} at x0 cannot be evaluated")
    bad = np.flatnonzero(~np.isfinite(f))
    if bad.size:
        return EvaluationError(f"residual(x0) must be finite; its entry {bad[0]} is {f[bad[0]]}")
    jacobian: Any = loop.out_of_jacobian()
    if is_sparse(jacobian):
        entries = jacobian.tocoo()
        places, values = np.stack([entries.row, entries.col], axis=1), entries.data
    else:
        places, values = np.argwhere(~np.isfinite(jacobian)), jacobian[~np.isfinite(jacobian)]
    for k in np.flatnonzero(~np.isfinite(values))[:1].tolist():
        i, j = places[k].tolist()
        return EvaluationError(
            f"the Jacobian at x0 must be finite; its entry ({i}, {j}) is {values[k]}"
        )
    return EvaluationError("the Jacobian at x0 cannot be evaluated")


def starting_point(x0: ArrayLike) -> NDArray[np.float64]:
    """Return x0 as a new float64 vector."""
    if type(x0) is not np.ndarray:
        refuse_units("x0", x0)
    x, bad = start(x0, False)
    if bad >= 0:
        raise ValueError(f"x0 must be finite; its entry {bad} is {x[bad]}")
    return x
