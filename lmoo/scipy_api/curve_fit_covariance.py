"""The covariance that `curve_fit` returns."""

import numpy as np

from lmoo._core.arrays import Array
from lmoo._core.solve import Loop
from lmoo.problems.kinds import form_of
from lmoo.results.result import Result
from lmoo.solver.iteration import Iteration

_FIXED = 2  # in Loop.fixed_or_active


def covariance_of(iteration: Iteration, absolute: bool) -> Array | None:
    """Return the covariance; None if it cannot be estimated."""
    loop, problem = iteration._loop, iteration.problem
    if loop.scale is not None or iteration._is_related or form_of(problem) != "whole":
        return _careful_covariance(iteration.result, absolute)
    inverse, dof = loop.covariance(), loop.observations - iteration._x0.size
    if problem.bounds is not None or problem.fixed is not None:
        inverse = _inverse_of_free(loop) if inverse is None else inverse
        dof += int(np.count_nonzero(loop.fixed_or_active == _FIXED))
    if inverse is None or (dof <= 0 and not absolute) or not loop.is_safe(inverse):
        return _careful_covariance(iteration.result, absolute)
    return inverse if absolute else inverse * (loop.fnorm * loop.fnorm / dof)


def _inverse_of_free(loop: Loop) -> Array | None:
    """Return ``inv(J.T @ J)`` of the free parameters; the others have zero columns in J."""
    excluded = loop.fixed_or_active
    free = excluded.size - np.count_nonzero(excluded)
    # Pivoting moves the zero columns to the end.
    leading, places = loop.r[:free, :free], loop.ipvt[:free]
    if excluded[places].any() or not leading.diagonal().all():
        return None
    roots = np.zeros((excluded.size, free))
    roots[places] = np.linalg.inv(leading)
    return np.asarray(roots @ roots.T)


def _careful_covariance(result: Result, absolute: bool) -> Array | None:
    known = absolute and result.robust is None
    if result.undetermined or (result.degrees_of_freedom <= 0 and not known):
        return None
    return result.covariance()
