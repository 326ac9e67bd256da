"""Fit a stack of curves with starting values and bounds of their own."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.batch.fits import Fits
from lmoo.batch.many import curve_fit_many
from lmoo.problems.typed import NanPolicy
from lmoo.scipy_api.curve_fit import curve_fit
from lmoo.scipy_api.options import curve_solver
from lmoo.solver.solver import Solver
from lmoo.status import Status

_COARSE = 1.49012e-8
# Options of curve_fit that a solver has; with others each curve is fitted by curve_fit.
_OF_SOLVER = frozenset(
    {"method", "ftol", "xtol", "gtol", "maxfev", "max_nfev", "factor", "diag", "x_scale"}
    | {"loss", "f_scale"}
)


@dataclass(frozen=True)
class CurveStack:
    """Curves of one model.

    Attributes
    ----------
    func : callable
        ``func(x, *parameters)``.
    x : list of (m,) or shape + (m,) arrays
        The independent variables.
    y : shape + (m,) array
        The curves; NaN for missing points.
    p0, lower, upper : shape + (n,) arrays
        Starting values and bounds.
    names : tuple of str
        Names of the parameters.
    """

    func: Callable[..., Any]
    x: Sequence[Array]
    y: Array
    p0: Array
    lower: Array
    upper: Array
    names: tuple[str, ...]


def fit_stack(
    stack: CurveStack, skipna: bool, failures: bool, options: dict[str, Any]
) -> tuple[Array, Array]:
    """Return the parameters and the covariances of all curves.

    Parameters
    ----------
    stack : CurveStack
    skipna : bool
        Leave out points that are NaN; False makes them an error.
    failures : bool
        Raise an error for a fit that fails; False sets its results to NaN.
    options : dict
        Options of `lmoo.curve_fit`.

    Returns
    -------
    popt : shape + (n,) array
    pcov : shape + (n, n) array
        NaN for curves without points, inf where the curve does not determine the parameters.

    Raises
    ------
    RuntimeError
        A fit found no minimum.
    TypeError
        A curve has fewer points than parameters.
    ValueError
        NaN in the data without `skipna`, or starting values outside of the bounds.
    """
    shape, n = stack.p0.shape[:-1], stack.p0.shape[-1]
    count = math.prod(shape)
    popt, pcov = np.full((count, n), np.nan), np.full((count, n, n), np.nan)
    y, x = _prepared(stack, skipna, count)
    if not skipna and np.isnan(y).any():
        raise ValueError("the data must not contain nan with skipna=False")
    kept = np.flatnonzero(~np.isnan(y).all(axis=1)) if skipna else np.arange(count)
    if kept.size and y.shape[1] < n:
        if failures:
            raise _too_few(y.shape[1], n, _place(int(kept[0]), shape))
        kept = kept[:0]
    starts, edges = stack.p0.reshape(count, n), _edges(stack, count, n)
    if kept.size and set(options) <= {*_OF_SOLVER, "absolute_sigma"}:
        _check_inside(starts[kept], edges[kept], stack.names)
        for chosen in _groups(edges, kept):
            # Without an index there are no copies.
            some: Any = slice(None) if chosen.size == count else chosen
            fits = _together(
                stack, _rows(x, some), y[some], starts[some], edges[chosen[0]], options
            )
            good = fits.success.ravel() & (np.isfinite(y[some]).sum(axis=1) >= n)
            if failures and not good.all():
                raise _failure(fits, good, y[chosen], chosen, shape, n)
            assert fits.covariance is not None
            popt[some] = np.where(good[:, None], fits.x, np.nan)
            pcov[some] = np.where(good[:, None, None], _with_inf(fits.covariance), np.nan)
    else:
        for k in kept:
            arguments = (_rows(x, np.array([k])), y[k], starts[k], edges[k])
            # Points are left out together with their errors.
            policy = {"nan_policy": "omit", "check_finite": True} if skipna else {}
            popt[k], pcov[k] = _alone(stack.func, *arguments, failures, {**policy, **options})
    return popt.reshape((*shape, n)), pcov.reshape((*shape, n, n))


def _prepared(stack: CurveStack, skipna: bool, count: int) -> tuple[Array, list[Array]]:
    """Return curves, (count, m), and variables, in which missing points are finite."""
    y = stack.y.reshape(count, -1)
    x = [axis if axis.ndim == 1 else axis.reshape(count, -1) for axis in stack.x]
    if skipna:
        gone = np.all(np.broadcast_arrays(*(np.isnan(axis) for axis in x)), axis=0)
        if gone.any():
            y = np.where(gone, np.nan, y)
            x = [np.where(gone, np.nanmin(axis), axis) for axis in x]
    return y, x


def _edges(stack: CurveStack, count: int, n: int) -> Array:
    """Return lower and upper bounds, (count, 2, n)."""
    return np.stack([stack.lower.reshape(count, n), stack.upper.reshape(count, n)], axis=1)


def _groups(edges: Array, kept: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Return the curves with equal bounds, which one solver takes."""
    flat = edges[kept].reshape(kept.size, -1)
    if (flat == flat[0]).all():
        return [kept]
    _, group = np.unique(flat, axis=0, return_inverse=True)
    return [kept[group.ravel() == k] for k in range(int(group.max()) + 1)]


def _rows(x: Sequence[Array], chosen: Any) -> list[Array]:
    return [axis if axis.ndim == 1 else axis[chosen] for axis in x]


def _check_inside(starts: Array, edges: Array, names: tuple[str, ...]) -> None:
    outside = (starts < edges[:, 0]) | (starts > edges[:, 1])
    for _, j in np.argwhere(outside)[:1]:
        raise ValueError(f"Initial guess for '{names[j]}' is outside of provided bounds")


def _together(
    stack: CurveStack,
    x: Sequence[Array],
    y: Array,
    starts: Array,
    edges: Array,
    options: dict[str, Any],
) -> Fits:
    """Fit curves with the same bounds."""
    t = x[0] if len(x) == 1 else tuple(x)
    options = dict(options)
    absolute = bool(options.pop("absolute_sigma", False))
    policy: NanPolicy = "omit" if np.isnan(y).any() else "raise"
    alone = _with_arrays(stack.func) if len(x) > 1 else stack.func
    # Compiled; for all curves at once; and for one curve at a time, as a model may be written for
    # that alone.  Errors of the model itself occur in the last of them again.
    ways: list[tuple[Callable[..., Any], bool, dict[str, Any]]] = [
        (stack.func, True, {"trace": True}),
        (stack.func, False, {"trace": False}),
        (alone, False, {"trace": False, "vectorized": False}),
    ]
    for func, exact, way in ways:
        solver = _solver(stack.names, exact, edges, options)
        try:
            return curve_fit_many(
                func, t, y, starts, solver=solver, nan_policy=policy, absolute_sigma=absolute, **way
            )
        except Exception:
            if func is alone and "vectorized" in way:
                raise
    raise AssertionError("one of the ways returns or raises")


def _solver(names: tuple[str, ...], exact: bool, edges: Array, options: dict[str, Any]) -> Solver:
    """Return the solver for the options of curve_fit, with or without exact derivatives."""
    # Forward differences are not accurate enough for less than scipy's tolerances.
    given = dict(options) if exact else {"ftol": _COARSE, "xtol": _COARSE, **options}
    solver = curve_solver(len(names), given.pop("method", None), None, exact, given, names)
    if np.isfinite(edges).any():
        return replace(solver, bounds=(edges[0], edges[1]))
    return solver


def _with_arrays(func: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function of one array of variables, (k, m), as curve_fit calls it."""
    return lambda t, *parameters: func(np.array(t), *parameters)


def _failure(
    fits: Fits,
    good: NDArray[np.bool_],
    y: Array,
    chosen: NDArray[np.intp],
    shape: tuple[int, ...],
    n: int,
) -> Exception:
    """Return the error of the first curve that failed."""
    k = int(np.argmin(good))
    where, points = _place(int(chosen[k]), shape), int(np.isfinite(y[k]).sum())
    if points < n:
        return _too_few(points, n, where)
    status = Status(int(fits.status.ravel()[k]))
    # scipy's words, which programs look for.
    called = "number of calls to function has reached maxfev"
    why = called if status is Status.MAXFEV else status.reason
    return RuntimeError(f"Optimal parameters not found: {why}{where}")


def _place(curve: int, shape: tuple[int, ...]) -> str:
    return f" (curve {tuple(map(int, np.unravel_index(curve, shape)))})" if shape else ""


def _too_few(points: int, n: int, where: str) -> TypeError:
    return TypeError(
        f"the number of parameters, {n}, must not exceed the number of data points, {points}{where}"
    )


def _with_inf(covariance: Array) -> Array:
    """Return covariances that are inf as a whole where they cannot be estimated, as in scipy."""
    finite = np.isfinite(covariance)
    if not finite.all():
        covariance[~finite.all(axis=(1, 2))] = np.inf
    return covariance


def _alone(
    func: Callable[..., Any],
    x: Sequence[Array],
    y: Array,
    start: Array,
    edges: Array,
    failures: bool,
    options: dict[str, Any],
) -> tuple[Array, Array]:
    """Fit one curve, with any option of curve_fit."""
    rows = np.stack([axis.reshape(-1) for axis in x])
    t = rows[0] if len(rows) == 1 else rows
    try:
        popt, pcov, *_ = curve_fit(func, t, y, start, bounds=(edges[0], edges[1]), **options)
    except RuntimeError:
        if failures:
            raise
        return np.full(start.size, np.nan), np.full((start.size, start.size), np.nan)
    return popt, pcov
