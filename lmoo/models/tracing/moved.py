"""The comparison of a trace with its function next to a starting point.

At a start whose parameters are 0, or equal, a wrong trace may have the right values: a term that it
lacks is 0 there, or two branches agree.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.models.tracing.differences import mismatch

# Share by which parameters are changed, each by another one: far above the rounding errors that a
# difference is compared with, and too small to leave the domain of a function.
_SHARE = 1e-3


def moved_reason(
    found: Any,
    points: Array,
    x: Array,
    edges: Array | None,
    value_of: Callable[[Array], Any],
) -> str | None:
    """Return where a trace and its function differ next to x; None if they agree.

    Parameters
    ----------
    found : Traced
        Compared once: one that has passed is not compared again.
    points : (variables, m) float64 array
    x : (n,) float64 array
    edges : (2, n) float64 array or None
        Lower and upper bounds, beyond which the function must not be called; NaN for parameters
        that must not be changed.
    value_of : callable
        Returns the values of the function; None if it has none.
    """
    if found.moved or not x.size:
        return None
    moved = _inside(_moved(found.model, points, x), x, edges)
    if np.array_equal(moved, x):
        return None
    with np.errstate(all="ignore"):
        value = value_of(moved)
        reason = None if value is None else mismatch(found.model, points, moved, value)
    if reason is None:
        found.moved = True
        return None
    return f"and parameters {np.array2string(moved, precision=6)} {reason}"


def _moved(model: Any, points: Array, x: Array) -> Array:
    """Return parameters next to x, none of them 0, and no two of them equal."""
    place = np.arange(x.size)
    shares = _SHARE * (1.0 + (0.37 * place) % 1.0) * np.where(place % 2, -1.0, 1.0)
    scales = np.abs(x)
    if not scales.all():
        # A change that changes the values by some share.
        with np.errstate(all="ignore"):
            rows = model._evaluate(points[None], x[None], True)[0]
            slopes = np.sqrt(np.einsum("ij,ij->i", rows, rows))
            size = np.linalg.norm(model._evaluate(points[None], x[None], False)[0])
            found = size / slopes
        scales = np.where(
            scales > 0.0, scales, np.where(np.isfinite(found) & (found > 0), found, 1.0)
        )
    return np.asarray(x + shares * scales)


def _inside(moved: Array, x: Array, edges: Array | None) -> Array:
    """Return changed parameters within bounds: on the other side of x, or as far as that goes."""
    if edges is None:
        return moved
    lower, upper = np.where(np.isnan(edges), x, edges)
    outside = (moved < lower) | (moved > upper)
    return np.asarray(np.clip(np.where(outside, 2.0 * x - moved, moved), lower, upper))
