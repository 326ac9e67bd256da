"""Starting values for a model that nobody has given any for.

Parameters that the model is linear in are solved for, given the others (variable projection: Golub,
Pereyra 1973, SIAM J. Numer. Anal. 10, 413).  The others are drawn from a Halton sequence (Halton
1960, Numer. Math. 2, 84), spread over the magnitudes that the data suggest; the best points become
starts.  Nothing is random: the same data give the same starts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmoo.expression import Expression

__all__ = ["starting_points"]

Array = NDArray[np.float64]

_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)
# A model is judged on this many points of a long curve.
_ROWS = 400
_MOST_DRAWN = 4096
# Shares of the draws: positive and negative ones by magnitude, and places among the data.
_POSITIVE, _SIGNED = 0.45, 0.65


@dataclass(frozen=True)
class Unknowns:
    """What is known of the parameters before a fit.

    Attributes
    ----------
    values : (n,) float64 array
        Starting values; nan for those to be found.
    lower, upper : (n,) float64 array
        Bounds.
    held : (n,) bool array
        Which are held at their values.
    """

    values: Array
    lower: Array
    upper: Array
    held: NDArray[np.bool_]


def starting_points(
    model: Expression,
    t: Array,
    y: Array,
    sigma: Array | None,
    unknowns: Unknowns,
    count: int = 48,
) -> list[Array]:
    """Return starting points, the one that fits best first.

    Parameters
    ----------
    model : Expression
    t : (m,) or (k, m) float64 array
    y : (m,) float64 array
    sigma : (m,) float64 array or None
    unknowns : Unknowns
    count : int
        As many points at most; one where nothing but linear parameters is to be found.  These are
        solved for even where they have starting values, unless they are held.

    Returns
    -------
    list of (n,) float64 array
        Within the bounds; empty where the model is finite at no point that was drawn.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.starts import Unknowns, starting_points
    >>> model = lmoo.Expression("a*exp(-b*t) + c")
    >>> t = np.linspace(0, 4, 20)
    >>> values, free = np.array([np.nan, 0.5, np.nan]), np.zeros(3, dtype=bool)
    >>> unknowns = Unknowns(values, np.full(3, -9.0), np.full(3, 9.0), free)
    >>> starting_points(model, t, model(t, 2, 0.5, 1), None, unknowns)[0].round(9)
    array([2. , 0.5, 1. ])
    """
    thinned = _thinned(t, y, sigma)
    # Given the others, the best linear ones are known, whatever they were to start from.
    linear = np.isin(model.parameter_names, model.linear) & ~unknowns.held
    drawn = np.flatnonzero(np.isnan(unknowns.values) & ~linear)
    scored = []
    for u in halton(min(_MOST_DRAWN, 64 << drawn.size), drawn.size) if drawn.size else [()]:
        point = unknowns.values.copy()
        for j, share in zip(drawn, u, strict=True):
            point[j] = _value(share, unknowns.lower[j], unknowns.upper[j], thinned[0])
        point = _project(model, thinned, point, np.flatnonzero(linear), unknowns)
        cost = _cost(model, thinned, point)
        if np.isfinite(cost):
            scored.append((cost, point))
    scored.sort(key=lambda one: one[0])
    return [point for _, point in scored[:count]]


def halton(count: int, dimensions: int) -> Array:
    """Return points of the Halton sequence, from its second on.

    Parameters
    ----------
    count, dimensions : int
        Dimensions beyond the 16th repeat the first ones, shifted.

    Returns
    -------
    (count, dimensions) float64 array, in (0, 1)

    Examples
    --------
    >>> from lmoo.starts import halton
    >>> halton(3, 2).round(3)
    array([[0.5  , 0.333],
           [0.25 , 0.667],
           [0.75 , 0.111]])
    """
    out = np.zeros((count, dimensions))
    for j in range(dimensions):
        base = _PRIMES[j % len(_PRIMES)]
        rest = np.arange(1, count + 1) + 409 * (j // len(_PRIMES))
        weight = 1.0
        while rest.any():
            weight /= base
            out[:, j] += weight * (rest % base)
            rest //= base
    return out


def _thinned(t: Array, y: Array, sigma: Array | None) -> tuple[Array, Array, Array]:
    """Return t, y and the weights 1 / sigma at no more than `_ROWS` points."""
    rows = np.unique(np.linspace(0, y.size - 1, min(y.size, _ROWS)).round().astype(int))
    weight = np.ones(rows.size) if sigma is None else 1.0 / sigma[rows]
    return t[..., rows], y[rows], weight


def _value(share: float, lower: float, upper: float, t: Array) -> float:
    """Map (0, 1) to values that a parameter may have."""
    if np.isfinite(lower) and np.isfinite(upper):
        return float(lower + share * (upper - lower))
    span = max(float(np.ptp(t)), float(np.abs(t).max())) or 1.0
    least, most = 0.01 * min(1.0, 1.0 / span), 10.0 * max(1.0, span)
    if np.isfinite(lower):
        return lower + _between(share, least, most)
    if np.isfinite(upper):
        return upper - _between(share, least, most)
    if share < _POSITIVE:
        return _between(share / _POSITIVE, least, most)
    if share < _SIGNED:
        return -_between((share - _POSITIVE) / (_SIGNED - _POSITIVE), least, most)
    return float(t.min() + (share - _SIGNED) / (1.0 - _SIGNED) * np.ptp(t))


def _between(share: float, least: float, most: float) -> float:
    """Return a magnitude; equal shares for equal ratios."""
    return float(least * (most / least) ** share)


def _project(
    model: Expression,
    data: tuple[Array, Array, Array],
    point: Array,
    linear: Sequence[int] | NDArray[np.intp],
    unknowns: Unknowns,
) -> Array:
    """Solve for the linear parameters, given the others, and move them into their bounds."""
    if not len(linear):
        return point
    t, y, weight = data
    point[linear] = 0.0
    with np.errstate(all="ignore"):
        columns = model.jacobian(t, *point)[:, linear] * weight[:, None]
        target = (y - model(t, *point)) * weight
        # So that units do not decide what counts as small.
        lengths = np.linalg.norm(columns, axis=0)
        columns = columns / np.where(lengths > 0.0, lengths, 1.0)
    if not (np.isfinite(columns).all() and np.isfinite(target).all()):
        return point
    solution = np.linalg.lstsq(columns, target, rcond=1e-12)[0]
    with np.errstate(all="ignore"):
        solution = solution / np.where(lengths > 0.0, lengths, 1.0)
    point[linear] = np.clip(solution, unknowns.lower[linear], unknowns.upper[linear])
    return point


def _cost(model: Expression, data: tuple[Array, Array, Array], point: Array) -> float:
    t, y, weight = data
    with np.errstate(all="ignore"):
        return float(np.sum(((model(t, *point) - y) * weight) ** 2))
