"""Test whether the exact derivatives of a trace describe how the values of its function change.

A function may contain rapid changes that are errors of its values: a sine of a huge argument, a
remainder, the noise of a simulation.  Its exact derivative is then large, and a fit with it fails.
Over the distances that matter to a fit the values change otherwise, which differences show.
"""

from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.models.compiled import GraphModel
from lmoo.models.graph.partials import SELECTIONS

# Differences over these shares of a parameter; one must agree with the derivative.  The shortest
# ones resolve a peak at 1e7 times its width; a parameter of little effect needs the longest ones.
# Most functions agree with the first one, which compiled code tests.
_SHARES = (1e-4, 1e-5, 1e-3, 1e-6, 1e-2, 1e-7, 1e-1, 1e-8)
# Relative error of a difference that agrees: for smooth functions it is far smaller at some share,
# for noise it is about 1.
_AGREES = 0.01
# Relative change of the values that cannot be distinguished from rounding errors.
_HIDDEN = 1e-12
# Operations with a derivative of 0 for a part of the arguments, and for other ones not.
_KINKS = frozenset([*SELECTIONS, "absolute", "copysign"])
# Points at which values are compared.
_POINTS = 256


def slope_reason(model: GraphModel, points: Array, x: Array) -> str | None:
    """Return which derivative disagrees with all differences near x; None if there is none.

    Parameters
    ----------
    model : GraphModel
        Checked once: a model that has passed is not checked again.
    points : (variables, m) float64 array
    x : (n,) float64 array
    """
    if model._slopes_agree:
        return None
    points, x = np.ascontiguousarray(points), np.ascontiguousarray(x)
    j = None
    if not model._model.follows(points, x, _SHARES[0], _AGREES, _HIDDEN, _POINTS):
        t = np.ascontiguousarray(points[None, :, :: max(points.shape[1] // _POINTS, 1)])
        with np.errstate(all="ignore"):
            j = _first_apart(model, t, x)
    if j is None:
        model._slopes_agree = True
        return None
    return (
        f"the values near {x[j]:g} do not follow the exact derivative by {_name(model, j)}: "
        "a rapid part of the function is taken for noise"
    )


def _name(model: GraphModel, j: int) -> str:
    return f"parameter {j}" if model.parameter_names is None else model.parameter_names[j]


def has_kinks(model: GraphModel) -> bool:
    """Return whether a derivative may be 0 on one side of a point, or at it, and not on the other.

    As that of ``maximum(a, 0.5)`` at a = 0, and that of ``abs(b)`` at b = 0.
    """
    if model._kinks is None:
        model._kinks = _has_kinks(model)
    return model._kinks


def _has_kinks(model: GraphModel) -> bool:
    parametric: list[bool] = []
    for operation, arguments, _ in model.model.steps:
        parametric.append(operation == "parameter" or any(parametric[i] for i in arguments))
        # A condition on the points alone hides no derivative.
        chosen = arguments[:1] if operation == "where" else arguments
        if operation in _KINKS and any(parametric[i] for i in chosen):
            return True
    return False


def flat_reason(model: GraphModel, points: Array, x: Array) -> str | None:
    """Return which derivative is 0 at all points in the branch that is taken at x.

    A function may have a branch for small b in which it does not depend on b.  A fit that starts
    there must see the values of the other branch, as differences do.

    Parameters
    ----------
    model, points, x
        As for `slope_reason`.
    """
    slopes = model._model.evaluate(points[None], x[None], True)[0][0]
    flat = np.flatnonzero(~slopes.any(axis=1))
    if not flat.size:
        return None
    name = (
        f"parameter {flat[0]}" if model.parameter_names is None else model.parameter_names[flat[0]]
    )
    return f"the branch that is taken does not depend on {name}"


def _first_apart(model: GraphModel, t: Array, x: Array) -> int | None:
    """Return the first parameter whose derivative disagrees with all differences."""
    evaluate: Any = model._model.evaluate
    value, slopes = evaluate(t, x[None], False)[0][0], evaluate(t, x[None], True)[0][0]
    finite = np.isfinite(value) & np.isfinite(slopes).all(axis=0)
    if not finite.all():
        value, slopes = value[finite], slopes[:, finite]
    size, norms = np.sqrt(value @ value), _norms(slopes)
    scales = np.where(x == 0.0, size / norms, np.abs(x))
    left = np.flatnonzero((norms * scales > _HIDDEN * size) & np.isfinite(scales))
    for share in _SHARES:
        if not left.size:
            return None
        k = np.arange(left.size)
        shifted = np.repeat(x[None], 2 * left.size, axis=0)
        shifted[k, left] += share * scales[left]
        shifted[left.size + k, left] -= share * scales[left]
        values = evaluate(t, shifted, False)[0][:, finite]
        widths = shifted[k, left] - shifted[left.size + k, left]
        errors = (values[: left.size] - values[left.size :]) / widths[:, None] - slopes[left]
        agree = _norms(errors) <= _AGREES * norms[left]
        left = left[~agree]
    return int(left[0]) if left.size else None


def _norms(rows: Array) -> Array:
    """Return the norm of each row."""
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", rows, rows)))
