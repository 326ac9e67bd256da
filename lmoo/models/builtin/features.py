"""Features of curves that give starting values, for k curves at once."""

from functools import cached_property
from typing import Any

import numpy as np

from lmoo._core.arrays import Array

__all__ = ["Features", "without_gaps"]


class Features:
    """The data of k curves, and features of them.

    Parameters
    ----------
    t : tuple of (m,) or (k, m) arrays
    y : (k, m) array
        Finite, see `without_gaps`.

    Attributes
    ----------
    points : (1 or k, variables, m) array
    y : (k, m) array
    """

    def __init__(self, t: tuple[Any, ...], y: Array) -> None:
        rows = [np.atleast_2d(part) for part in t]
        self.points = np.ascontiguousarray(np.stack(np.broadcast_arrays(*rows), axis=1))
        self.y = y

    @cached_property
    def t(self) -> Array:
        """The first variable of each curve, (k, m)."""
        return np.array(np.broadcast_to(self.points[:, 0], self.y.shape))

    @cached_property
    def start(self) -> Array:
        """Smallest t, (k,)."""
        return np.asarray(self.t.min(axis=1))

    @cached_property
    def span(self) -> Array:
        """Length of t, (k,); 1 where it is 0."""
        length = np.ptp(self.t, axis=1)
        return np.asarray(np.where(length > 0, length, 1.0))

    @cached_property
    def spacing(self) -> Array:
        """Mean distance of neighbouring t, (k,)."""
        return np.asarray(self.span / max(self.t.shape[1] - 1, 1))

    def at(self, share: float) -> Array:
        """Return t at a share of its range, 0 for the smallest and 1 for the largest, (k,)."""
        return np.asarray(self.start + share * self.span)

    @cached_property
    def _order(self) -> Any:
        return np.argsort(self.t, axis=1, kind="stable")

    @cached_property
    def smooth(self) -> tuple[Array, Array]:
        """Sorted t, and y in running means of five points, (k, m) each."""
        t, y = (np.take_along_axis(part, self._order, 1) for part in (self.t, self.y))
        m = y.shape[1]
        width = min(5, m)
        padded = np.concatenate([np.zeros((len(y), 1)), np.cumsum(y, axis=1)], axis=1)
        low = np.clip(np.arange(m) - width // 2, 0, m)
        high = np.clip(np.arange(m) + width // 2 + 1, 0, m)
        return t, (padded[:, high] - padded[:, low]) / (high - low)

    @cached_property
    def base(self) -> Array:
        """Median of y, (k,)."""
        return np.asarray(np.median(self.y, axis=1))

    @cached_property
    def peaks(self) -> list[tuple[Array, Array]]:
        """Location and half width of the largest peak and of the largest dip, (k,) each."""
        t, y = self.smooth
        floors = np.percentile(y, 15, axis=1), np.percentile(y, 85, axis=1)
        return [
            self._peak(t, sign * (y - floor[:, None]))
            for sign, floor in zip((1.0, -1.0), floors, strict=True)
        ]

    def _peak(self, t: Array, above: Array) -> tuple[Array, Array]:
        """Return the location of the largest value, and the half width at half of it."""
        rows = np.arange(len(t))
        top = above.argmax(axis=1)
        high = above > 0.5 * above[rows, top][:, None]
        index = np.arange(t.shape[1])[None]
        left = np.where(~high & (index < top[:, None]), index, -1).max(axis=1) + 1
        right = np.where(~high & (index > top[:, None]), index, t.shape[1]).min(axis=1) - 1
        width = 0.5 * (t[rows, np.maximum(right, left)] - t[rows, left])
        return t[rows, top], np.maximum(width, 0.5 * self.spacing)


def without_gaps(y: Array) -> Array:
    """Return curves whose values that are not finite are the mean of the others; 0 without any."""
    good = np.isfinite(y)
    if good.all():
        return y
    with np.errstate(all="ignore"):
        mean = np.nan_to_num(np.where(good, y, 0.0).sum(axis=1) / good.sum(axis=1))
    return np.where(good, y, mean[:, None])
