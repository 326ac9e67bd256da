"""Fits again, with some parameters held at given values."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo.errors import EvaluationError
from lmoo.jacobian import Jacobian
from lmoo.linearization import problem_of, residual
from lmoo.problem import Problem
from lmoo.rows import Passes, RowBlockProblem

if TYPE_CHECKING:
    from lmoo.result import Result

__all__ = ["Point", "refit"]

Array = NDArray[np.float64]


class Point(NamedTuple):
    """Where a fit ended: all n parameters, and the norm of the residual there."""

    x: Array
    fnorm: float


def refit(result: "Result", held: Mapping[int, float], start: Array) -> Point | None:
    """Minimise over the parameters that are not held, from start.

    Parameters
    ----------
    result : Result
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
    free = ~result.fixed
    free[list(held)] = False
    try:
        if not free.any():
            return Point(x, _norm(result, x))
        return _solve(result, x, free)
    except EvaluationError:
        return None


def _norm(result: "Result", x: Array) -> float:
    """Return the norm of the residual at x; EvaluationError where it has no finite one."""
    problem = problem_of(result, "a profile")
    if isinstance(problem, RowBlockProblem):
        part = Passes(problem, None).residual(x)
        if part.refusal is not None:
            raise part.refusal
        return part.norm
    norm = float(np.linalg.norm(residual(result, x)))
    if not np.isfinite(norm):
        raise EvaluationError(f"the residual at {x} is not finite")
    return norm


class _Reduced(Problem):
    """A problem of the free parameters alone."""

    def __init__(self, problem: Any, x: Array, free: NDArray[np.bool_]) -> None:
        self.problem, self.x, self.free = problem, x, free

    def full(self, x: Array) -> Array:
        """Return all parameters."""
        out = self.x.copy()
        out[self.free] = x
        return out

    def residual(self, x: Array) -> ArrayLike:
        out: ArrayLike = self.problem.residual(self.full(x))
        return out

def _solve(result: "Result", x: Array, free: NDArray[np.bool_]) -> Point:
    from lmoo.solver import Solver
    from lmoo.linearization import _source

    problem = problem_of(result, "a profile")
    reduced = _Reduced(problem, x, free)
    source = _source(result)
    if source is not None:
        reduced.jacobian = lambda p: source(reduced.full(p))[:, free]
    solver = Solver()
    found = solver.solve(reduced, x[free])
    return Point(reduced.full(found.x), found.fnorm)
