"""Fits again, with some parameters held at given values."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo._core.kernels import enorm
from lmoo.blockwise.passes import Passes
from lmoo.errors import EvaluationError
from lmoo.problems.rows import RowBlockProblem
from lmoo.results.fit import Fit
from lmoo.results.linearization import problem_of, residual

__all__ = ["Point", "refit"]

Array = NDArray[np.float64]

# Evaluations per parameter: where a parameter is far off, others may run away without an end.
_MAXFEV = 200


class Point(NamedTuple):
    """Where a fit ended: all n parameters, and the norm of the residual there."""

    x: Array
    fnorm: float


def refit(result: Fit, held: Mapping[int, float], start: Array) -> Point | None:
    """Minimise over the parameters that are not held, from start.

    Parameters
    ----------
    result : Fit
        Whose problem and solver they are, and whose bounds and fixed parameters hold too.
    held : mapping of int to float
        Values of further parameters that are held.
    start : (n,) float64 array
        Taken into the bounds.

    Returns
    -------
    Point or None
        None where the model has no value at the start.
    """
    x = np.clip(start, result.lower, result.upper)
    x[list(held)] = list(held.values())
    fixed = result.fixed.copy()
    fixed[list(held)] = True
    try:
        if fixed.all():
            return Point(x, _norm(result, x))
        return _solve(result, x, fixed)
    except EvaluationError:
        return None


def _norm(result: Fit, x: Array) -> float:
    """Return the norm of the residual at x; EvaluationError where it has no finite one."""
    problem = problem_of(result, "a profile")
    if isinstance(problem, RowBlockProblem):
        part = Passes(problem, None).residual(x)
        if part.refusal is not None:
            raise part.refusal
        return part.norm
    norm = enorm(residual(result, x))
    if not np.isfinite(norm):
        raise EvaluationError(f"the residual at {x} is not finite")
    return norm


def _solve(result: Fit, x: Array, held: NDArray[np.bool_]) -> Point:
    """Solve with the result's solver, and further parameters held where x has them."""
    problem_of(result, "a profile")
    fixed = {int(j): float(x[j]) for j in np.flatnonzero(held)}
    found = result._solve_again(x, fixed, _MAXFEV * (x.size + 1))
    return Point(found.x, found.fnorm)
