"""Find an entry of a Jacobian that its pattern does not have."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.sparse.pattern import Pattern

_EPS = 2.0**-52
# A difference along all parameters is suspicious if it is off by more than this share of its terms,
# and by more than this multiple of the rounding errors.
_SHARE, _ROUNDING = 0.02, 1e3
# A dependence is certain if a change grows by at least this factor with a step that is longer by
# the other one: an error of f does not grow.
_GROWTH, _LONGER = 30.0, 1e3


def check_pattern(
    pattern: Pattern,
    names: Sequence[str] | None,
    evaluate: Callable[[Array], Array | None],
    data: Array,
    x: Array,
    f: Array,
    steps: Array,
) -> None:
    """Raise ValueError if a residual depends on a parameter for which the pattern has no entry.

    The Jacobian is compared with one difference along all parameters.  Where they disagree, the
    residual that is off most is checked: it must not change with the parameters that it has no
    entry for.  So neither errors of f nor its curvature are taken for a dependence.

    Parameters
    ----------
    pattern : Pattern
    names : sequence of str or None
        Names of the parameters.
    evaluate : callable
        ``evaluate(x)`` returns the residual, or None at a bad point.
    data : (entries,) float64 array
        The Jacobian at x.
    x, f
        The point and its residual.
    steps : (n,) float64 array
        The intervals of the differences, negative where these go down; 0 for parameters that are
        not varied.
    """
    n = x.size
    # Shares that are no multiples of one another, so that errors do not cancel.
    shares = 0.5 + 0.5 * np.mod(0.6180339887498949 * np.arange(1, n + 1), 1.0)
    # A column without entries has no interval, but the residual may depend on its parameter.
    empty = np.bincount(pattern.columns, minlength=n) == 0
    usual = np.sqrt(_EPS) * np.where(x == 0.0, 1.0, np.abs(x))
    steps = np.where(empty & (steps == 0.0), usual, steps)
    d = (x + shares * steps) - x
    columns = pattern.columns
    m = pattern.shape[0]
    predicted = np.bincount(pattern.rows, data * d[columns], minlength=m)
    terms = np.bincount(pattern.rows, np.abs(data * d[columns]), minlength=m)
    sizes = np.bincount(pattern.rows, np.abs(data * x[columns]), minlength=m)
    value = evaluate(x + d)
    if value is None:
        return
    change = value - f
    limit = _SHARE * terms + _ROUNDING * _EPS * (np.abs(f) + np.abs(value) + sizes)
    excess = np.abs(change - predicted) / np.where(limit > 0, limit, 1.0)
    excess = np.where(limit > 0, excess, np.where(change == predicted, 0.0, np.inf))
    i = int(np.argmax(excess))
    if excess[i] <= 1.0:
        return
    others = np.flatnonzero((steps != 0) & ~np.isin(np.arange(n), columns[pattern.rows == i]))
    j = _influence(evaluate, x, f, i, others, d)
    if j is not None:
        name = f"x[{j}]" if names is None else names[j]
        raise ValueError(
            f"pattern has no entry ({i}, {j}), but residual {i} changes with parameter {j}, {name}"
        )


def _influence(
    evaluate: Callable[[Array], Array | None], x: Array, f: Array, i: int, which: Any, d: Array
) -> int | None:
    """Return a parameter among some on which residual i depends; None if there is none."""

    def change(columns: Any, factor: float) -> float:
        point = x.copy()
        point[columns] += factor * d[columns]
        value = evaluate(point)
        return 0.0 if value is None else float(abs(value[i] - f[i]))

    if which.size == 0:
        return None
    near = change(which, 1.0)
    if near == 0.0 or change(which, _LONGER) < _GROWTH * near:
        return None
    while which.size > 1:
        half = which[: which.size // 2]
        which = half if change(half, _LONGER) >= _GROWTH * near / 2 else which[which.size // 2 :]
    return int(which[0])
