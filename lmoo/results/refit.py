"""Solve a problem again with some parameters fixed."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.kernels import enorm
from lmoo.blockwise.passes import Passes
from lmoo.errors import EvaluationError
from lmoo.losses.loss import kernel_of, loss_of
from lmoo.problems.kinds import in_blocks
from lmoo.results.fit import Fit
from lmoo.results.linearization import problem_of, residual

# Evaluations per parameter: far from the solution other parameters may diverge.
_MAXFEV = 200


class Point(NamedTuple):
    """The end of a fit: all n parameters, and the norm of the residual."""

    x: Array
    fnorm: float


def refit(result: Fit, fixed: Mapping[int, float], start: Array) -> Point | None:
    """Minimise over the parameters that are not fixed, from start.

    Parameters
    ----------
    result : Fit
        Its problem, solver, bounds and fixed parameters are used.
    fixed : mapping of int to float
        Values of further parameters that are fixed.
    start : (n,) float64 array
        Starting point; clipped to the bounds.

    Returns
    -------
    Point or None
        None if the start is a bad point.
    """
    x = np.clip(start, result.lower, result.upper)
    x[list(fixed)] = list(fixed.values())
    mask = result.fixed.copy()
    mask[list(fixed)] = True
    try:
        # With errors in x the points move still.
        if mask.all() and result.estimated_t is None:
            return Point(x, _norm(result, x))
        return _solve(result, x, mask)
    except EvaluationError:
        return None


def _norm(result: Fit, x: Array) -> float:
    """Return the root of twice the cost at x; EvaluationError if it is not finite."""
    problem = problem_of(result, "a profile")
    loss = None
    if result.robust is not None:
        loss = loss_of(result.solver.loss), result.robust.scale
    if in_blocks(problem):
        factor = Passes(problem, None, loss).residual(x)
        if factor.refusal is not None:
            raise factor.refusal
        return factor.norm
    f = residual(result, x)
    kernel = None if loss is None else kernel_of(*loss, getattr(problem, "_priors", 0))
    norm = enorm(f) if kernel is None else kernel.norm(f)
    if not np.isfinite(norm):
        raise EvaluationError(f"the residual at {x} is not finite")
    return norm


def _solve(result: Fit, x: Array, fixed: NDArray[np.bool_]) -> Point:
    """Solve with the result's solver from x, with some parameters fixed at their value in x."""
    problem_of(result, "a profile")
    values = {int(j): float(x[j]) for j in np.flatnonzero(fixed)}
    found = result._solve_again(x, values, _MAXFEV * (x.size + 1))
    return Point(found.x, found.fnorm)
