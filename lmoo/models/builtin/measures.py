"""Rates, peaks and linear fits of k curves at once, for starting values."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from lmoo._core.arrays import Array

__all__ = ["area", "best_pair", "decay", "full", "length_of", "peak", "project"]


def full(t: Any, y: Array) -> Array:
    """Return t broadcast to the shape of y, (k, m)."""
    return np.broadcast_to(t, y.shape)


def area(t: Array, y: Array) -> Array:
    """Return the integral of each curve up to each point, by the trapezoidal rule."""
    steps = 0.5 * (y[:, 1:] + y[:, :-1]) * np.diff(t, axis=1)
    return np.concatenate([np.zeros((len(y), 1)), np.cumsum(steps, axis=1)], axis=1)


def length_of(t: Array) -> Array:
    """Return the range of t of each curve; 1 where it is 0."""
    length = np.ptp(t, axis=1)
    return np.asarray(np.where(length > 0, length, 1.0))


def project(columns: Sequence[Array], y: Array) -> Array:
    """Return the coefficients of a linear least-squares fit of each curve by n columns, (k, n).

    Uses the normal equations of columns scaled to norm 1.  A small damping makes them regular; the
    accuracy is sufficient for starting values.
    """
    n = len(columns)
    norms = [np.sqrt(np.einsum("km,km->k", c, c)) for c in columns]
    norms = [np.where(norm > 0, norm, 1.0) for norm in norms]
    gram, right = np.empty((len(y), n, n)), np.empty((len(y), n, 1))
    for i in range(n):
        right[:, i, 0] = np.einsum("km,km->k", columns[i], y) / norms[i]
        for j in range(i + 1):
            gram[:, i, j] = np.einsum("km,km->k", columns[i], columns[j]) / (norms[i] * norms[j])
            gram[:, j, i] = gram[:, i, j]
        gram[:, i, i] += 1e-10
    return np.asarray(np.linalg.solve(gram, right)[:, :, 0] / np.stack(norms, axis=1))


def best_pair(columns: Sequence[Array], y: Array) -> tuple[Array, Array, Array]:
    """Return which two columns fit each curve best, with a constant, and the coefficients, (k, 3).

    As for `project`.  The products of all columns are computed once, of what is left of them
    without their means, so that a pair has two unknowns.
    """
    rows = np.stack([*columns, y], axis=1)
    means = rows.mean(axis=2)
    rows -= means[:, :, None]
    norms = np.sqrt(np.einsum("krm,krm->kr", rows, rows))
    rows /= np.where(norms > 0, norms, 1.0)[:, :, None]
    products = np.ascontiguousarray((rows @ rows.transpose(0, 2, 1)).transpose(1, 2, 0))
    right = products[-1]
    best, factors = np.full(len(y), -np.inf), np.zeros((2, len(y)))
    chosen = np.zeros((2, len(y)), dtype=np.intp)
    for i, j in combinations(range(len(columns)), 2):
        both = products[i, j]
        # A damping of 1e-10, as that of `project`.
        determinant = (1.0 + 1e-10) ** 2 - both**2
        one, two = (right[i] - both * right[j]) / determinant, right[j] - both * right[i]
        two /= determinant
        gain = one * right[i] + two * right[j]
        better = gain > best
        best[better] = gain[better]
        factors[0, better], factors[1, better] = one[better], two[better]
        chosen[:, better] = np.array([[i], [j]])
    each = np.arange(len(y))
    norm = norms[each, chosen]
    factors *= norms[:, -1] / np.where(norm > 0, norm, 1.0)
    constant = means[:, -1] - (factors * means[each, chosen]).sum(axis=0)
    return chosen[0], chosen[1], np.stack([*factors, constant], axis=1)


def decay(t: Any, y: Array) -> tuple[Array, Array]:
    """Return sorted t, and the rate of each curve from the integral equation of the exponential.

    y' = -b (y - c), integrated:  y - y_0 = -b int y + b c (t - t_0)   (Jacquelin 2009, "Regressions
    et equations integrales").
    """
    t = np.array(full(t, y))
    order = np.argsort(t, axis=1)
    t, y = np.take_along_axis(t, order, 1), np.take_along_axis(y, order, 1)
    rate = -project([area(t, y), t - t[:, :1], np.ones_like(t)], y)[:, 0]
    # A rate of hundreds of e-foldings, or of nearly none, is an error of the estimate.
    length = length_of(t)
    plain = 1.0 / length
    good = np.isfinite(rate) & (np.abs(rate) < 100 * plain) & (np.abs(rate) > 0.01 * plain)
    return t, np.where(good, rate, plain)


def peak(t: Any, y: Array, unit_area: float) -> tuple[Array, Array, Array, Array]:
    """Return height, location, width and base of each curve's peak, upwards or downwards.

    `unit_area` is the area of a peak of height and width 1.
    """
    t = np.array(full(t, y))
    floor = np.median(y, axis=1)
    up = y.max(axis=1) - floor >= floor - y.min(axis=1)
    floor = np.where(up, np.percentile(y, 10, axis=1), np.percentile(y, 90, axis=1))
    above = (y - floor[:, None]) * np.where(up, 1.0, -1.0)[:, None]
    rows = np.arange(len(y))
    top = above.argmax(axis=1)
    height = above[rows, top]
    order = np.argsort(t, axis=1)
    total = area(np.take_along_axis(t, order, 1), np.take_along_axis(above, order, 1))[:, -1]
    length = length_of(t)
    with np.errstate(all="ignore"):
        width = total / (unit_area * height)
    width = np.where(np.isfinite(width), width, length)
    width = np.clip(width, length / (2 * y.shape[1]), 0.5 * length)
    return np.where(up, height, -height), t[rows, top], width, floor
