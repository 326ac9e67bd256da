"""Evaluate the Jacobian of a solved problem, and derivatives of functions of its parameters."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.errors import EvaluationError
from lmoo.jacobians.strategies import Jacobian, is_transposed
from lmoo.problems.kinds import form_of, has_jacobian
from lmoo.problems.paired import paired
from lmoo.problems.problem import residual_call
from lmoo.results.fit import Fit
from lmoo.sparse.matrices import is_sparse

# Numbers in the array that a sparse Jacobian is turned into: 400 MB.
_LARGEST = 5 * 10**7
_STEP = float(np.cbrt(np.finfo(np.float64).eps))


def problem_of(result: Fit, what: str) -> Any:
    """Return the problem of a result; ValueError if it has none."""
    if result.problem is None:
        raise ValueError(
            f"{what} needs the problem, which this result does not have: it was read from a file, "
            "its problem could not be pickled, or it had no points; solve again"
        )
    return result.problem


def residual(result: Fit, x: Array) -> Array:
    """Return the residual at x, (m,)."""
    func, args, kwargs = residual_call(problem_of(result, "the residual"))
    return np.array(func(x.copy(), *args, **kwargs), dtype=np.float64).reshape(-1)


def unit_columns(matrix: Array) -> tuple[Array, Array]:
    """Return a matrix with its columns scaled to norm 1, and the norms, (n,).

    Squares of the entries may overflow or underflow.  Columns of zeros are kept, with norm 0.
    """
    largest = np.abs(matrix).max(axis=0, initial=0.0)
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    scaled = matrix / scale
    norms = np.linalg.norm(scaled, axis=0)
    return scaled / np.where(norms > 0, norms, 1.0), norms * scale


def exact(result: Fit) -> bool:
    """Return whether the problem or its strategy evaluates the Jacobian, without differences."""
    return _source(result) is not None


def jacobian_of(result: Fit) -> Array:
    """Return the Jacobian at x, (m, n), evaluated once and kept with the fit."""
    kept: Array | None = vars(result).get("_jacobian")
    if kept is None:
        kept = jacobian(result, result.x)
        vars(result)["_jacobian"] = kept
    return kept


def jacobian(result: Fit, x: Array) -> Array:
    """Return the Jacobian at x, (m, n), by the solver's strategy; 0 for fixed parameters.

    If the strategy uses differences or is compiled, central differences within the bounds are
    taken.

    Raises
    ------
    TypeError
        The problem is a `RowBlockProblem`, whose rows are never in memory together.
    ValueError
        The result has no problem; the Jacobian has the wrong shape.
    """
    problem = problem_of(result, "the Jacobian")
    form = form_of(problem)
    if form == "blocks":
        raise TypeError(
            "the Jacobian of a RowBlockProblem is never in memory as a whole: leverage, "
            "standardized_residuals and nonlinearity need a Problem"
        )
    if form == "points":
        raise TypeError(
            "the Jacobian of a fit with errors in x has columns for each point: leverage, "
            "standardized_residuals and nonlinearity need a problem without sigma_x"
        )
    if result.observations == 0:
        raise ValueError(
            "the Jacobian needs a residual, and none was evaluated for this result: advance the "
            "iteration first"
        )
    source = _source(result)
    if source is None:
        found = differences(lambda point: residual(result, point), x, result)
    else:
        found = source(x.copy())
    m, n = result.observations, x.size
    if found.shape != (m, n):
        raise ValueError(f"the Jacobian must have shape {(m, n)}; it has {found.shape}")
    return np.where(result.fixed, 0.0, found)


def _source(result: Fit) -> Callable[[Array], Array] | None:
    """Return a function that evaluates the Jacobian; None if differences are needed."""
    problem = problem_of(result, "the Jacobian")
    strategy = None if result.solver is None else result.solver.jacobian
    if has_jacobian(problem) if strategy is None else strategy._by_problem:
        transposed = is_transposed(strategy, problem)

        def by_problem(x: Array) -> Array:
            found = _dense(paired(problem).jacobian(x))
            found = found.reshape(-1, x.size) if found.ndim == 1 else found
            return found.T if transposed and x.size > 1 else found

        return by_problem
    if strategy is None or type(strategy).evaluate is Jacobian.evaluate:
        return None

    def by_strategy(x: Array) -> Array:
        f = residual(result, x)
        out = np.full((f.size, x.size), np.nan, order="F")
        strategy.evaluate(problem, x, f, out)
        return out

    return by_strategy


def _dense(value: Any) -> Array:
    """Return a Jacobian as an array; ValueError if that of a sparse one is too large."""
    if is_sparse(value):
        m, n = value.shape
        if m * n > _LARGEST:
            raise ValueError(
                f"the sparse Jacobian of shape {(m, n)} is too large for an array, which leverage, "
                "standardized_residuals and nonlinearity need"
            )
        value = value.toarray()
    return np.asarray(value, dtype=np.float64)


def differences(function: Callable[[Array], Array], x: Array, result: Fit) -> Array:
    """Return the derivatives of a function of the parameters at x by differences, (k, n).

    They are central differences with the step ``cbrt(eps) max(|x_j|, typical_j)`` (Dennis, Schnabel
    1983, section 5.4), or one-sided differences of second order if a bound or a bad point prevents
    them.  All points are within the bounds.  Columns of fixed parameters are 0.
    """
    steps = _STEP * np.maximum(np.abs(x), _typical(result))
    columns = [
        None if fixed else _column(function, x, j, steps[j], result.lower[j], result.upper[j])
        for j, fixed in enumerate(result.fixed)
    ]
    known = next((c for c in columns if c is not None), None)
    zeros = np.zeros_like(function(x.copy()) if known is None else known)
    return np.stack([zeros if c is None else c for c in columns], axis=1)


def _typical(result: Fit) -> Array:
    """Return the typical sizes: those given, or the changes that change the residual by |f|."""
    n = result.x.size
    strategy = None if result.solver is None else result.solver.jacobian
    given = getattr(strategy, "typical", None)
    if given is not None:
        return np.broadcast_to(np.asarray(given, dtype=np.float64), (n,))
    if result.factor is None:
        return np.ones(n)
    with np.errstate(all="ignore"):
        size = np.minimum(result.fnorm / result.factor.acnorm, 1.0)
    # Where the effect is not known, a parameter itself is its size, unless it is 0.
    return np.where(size > 0, size, np.where(result.x == 0.0, 1.0, 0.0))


def _column(
    function: Callable[[Array], Array], x: Array, j: int, h: float, lower: float, upper: float
) -> Array:
    """Return the derivative by parameter j with step h."""

    def at(shift: float) -> Array:
        point = x.copy()
        point[j] = x[j] + shift
        value = np.asarray(function(point), dtype=np.float64).reshape(-1)
        if not np.isfinite(value).all():
            raise EvaluationError(f"no finite value at {point}")
        return value

    if lower <= x[j] - h and x[j] + h <= upper:
        try:
            width = (x[j] + h) - (x[j] - h)
            return np.asarray((at(h) - at(-h)) / width)
        except EvaluationError:
            pass
    # First towards the farther bound, and at most half-way to it.
    room = {1.0: upper - x[j], -1.0: x[j] - lower}
    sides = sorted(room, key=lambda side: -room[side])
    for side in sides:
        step = side * min(h, 0.5 * room[side])
        if step == 0.0:
            continue
        try:
            near, far = at(step), at(2.0 * step)
        except EvaluationError:
            continue
        return np.asarray((4.0 * near - far - 3.0 * at(0.0)) / (2.0 * step))
    raise EvaluationError(f"the model has no values near x[{j}] = {x[j]}")
