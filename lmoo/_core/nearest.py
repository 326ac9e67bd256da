"""The places on a curve that are nearest to measured points, for errors in x."""

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array

# Evaluations, after which points stay where they are.
_ROUNDS = 12
# A relative reduction of the sum of squares that is not worth another evaluation.
_SMALL = 1e-3


class NearestPoints:
    """Gauss-Newton steps of each point for itself: the least r^2 + |u|^2.

    Where a step of all parameters would move points along a strongly curved model, the sum of
    squares is that of its linear model in the neighbourhood of x alone.  With each point at its
    best for the new parameters it is that of a variable projection (Golub and Pereyra 1973),
    whose valleys are not curved.

    Parameters
    ----------
    own : (m,) intp array
        The numbers of coordinates of each point that have errors.
    u : (sum(own),) float64 array
        These coordinates; changed in place.
    distance, residual : (m,) float64 arrays
        As they are evaluated at u.
    """

    def __init__(self, own: NDArray[np.intp], u: Array, distance: Array, residual: Array) -> None:
        self.u, self.distance, self.residual = u, distance, residual
        self.point = np.repeat(np.arange(own.size), own)
        self.best, self.least = u.copy(), np.abs(distance)
        self.start, self.shift = u.copy(), np.zeros(u.size)
        # Whether the last step of a point was good.
        self.good = np.ones(own.size, dtype=bool)
        self.rounds, self.goes_on = 0, True

    def move(self, slopes: Array) -> None:
        """Set u to the next trial; slopes: derivatives of the residuals by u."""
        with np.errstate(all="ignore"):
            size = 1.0 + np.bincount(self.point, slopes**2, self.good.size)
            down = slopes * self.residual[self.point] + self.u
            along = np.bincount(self.point, slopes * down, self.good.size) / size
            step = slopes * along[self.point] - down
        step = np.where(np.isfinite(step), step, 0.0)
        self.shift = np.where(self.good[self.point], step, 0.25 * self.shift)
        self.u[:] = self.best + self.shift

    def assess(self) -> None:
        """Compare the distances at u with the least ones."""
        before = float(np.sum(self.least**2))
        found = np.abs(self.distance)
        self.good = found < self.least
        self.best = np.where(self.good[self.point], self.u, self.best)
        self.least = np.where(self.good, found, self.least)
        self.rounds += 1
        after = float(np.sum(self.least**2))
        waiting = bool((~self.good & (self.least > 0.0)).any()) and self.rounds < 4
        self.goes_on = self.rounds < _ROUNDS and (waiting or after < before * (1.0 - _SMALL))

    def take_best(self) -> None:
        """Set u to the best that was found."""
        self.u[:] = self.best
