"""Covariances of many parameters, by blocks and diagonals instead of one matrix."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.results.factor import ScaledColumns, marked, scaled_rows

# Parameters up to which `covariance` makes an n x n matrix: 32 MB.
LARGEST_MATRIX = 2000


class ScaledBlocks(ScaledColumns):
    """Base of factors that return blocks of inv(S.T @ S), where S is J with columns of norm 1.

    Attributes
    ----------
    acnorm : (n,) float64 array, the norms of the columns of J
    excluded : (n,) bool array or None
        Parameters that were left out: fixed, or at an active bound.
    undetermined : (n,) bool array
        Parameters that J does not determine.
    """

    def _scaled_block(self, which: NDArray[np.intp]) -> Array:
        """Return the rows and columns of inv(S.T @ S) of some parameters."""
        raise NotImplementedError

    def standard_errors_of(self, which: NDArray[np.intp], sigma: float) -> Array:
        """Return the standard errors of some parameters."""
        variances = np.diag(self._scaled_block(which))
        with np.errstate(all="ignore"):
            errors = sigma * self._unit[which] * np.sqrt(np.maximum(variances, 0.0))
        return np.where(self.undetermined[which], np.inf, errors)

    def covariance_of(self, which: Sequence[int] | NDArray[np.intp], sigma: float) -> Array:
        """Return sigma^2 ``inv(J.T @ J)`` of some parameters, in this order."""
        where = np.asarray(which, dtype=np.intp)
        with np.errstate(all="ignore"):
            unit = sigma * self._unit[where]
            out = self._scaled_block(where) * unit * unit[:, None]
        return marked(out, self.undetermined[where], np.inf)

    def covariance(self, sigma: float) -> Array:
        """Return sigma^2 ``inv(J.T @ J)``; inf and nan for undetermined parameters.

        Raises
        ------
        ValueError
            There are more than 2000 parameters.
        """
        return self.covariance_of(self._everything("covariance"), sigma)

    def correlation_of(self, which: Sequence[int] | NDArray[np.intp], sigma: float = 1.0) -> Array:
        """Return the correlations of some parameters; nan for undetermined ones."""
        where = np.asarray(which, dtype=np.intp)
        out = self._scaled_block(where)
        norms = np.sqrt(np.maximum(np.diag(out), 0.0))
        out = out / np.where(norms > 0, norms, 1.0) / np.where(norms > 0, norms, 1.0)[:, None]
        out = np.clip(out, -1.0, 1.0)
        np.fill_diagonal(out, 1.0)
        return marked(out, self.undetermined[where], 1.0)

    def correlation(self, sigma: float = 1.0) -> Array:
        """Return the correlations of all parameters; ValueError as for `covariance`."""
        return self.correlation_of(self._everything("correlation"))

    def _everything(self, what: str) -> NDArray[np.intp]:
        n = self.acnorm.size
        if n > LARGEST_MATRIX:
            raise ValueError(
                f"{what} of {n} parameters would be a matrix of {n} x {n} numbers; covariance_of "
                "returns that of some of them, and standard_errors those of all"
            )
        return np.arange(n)

    def prediction_error(self, directions: Array, sigma: float = 1.0) -> Array:
        """Return sigma times the root of ``d @ inv(J.T @ J) @ d``; inf if undetermined."""
        which = np.flatnonzero((directions != 0.0).any(axis=0))
        return self.prediction_error_of(directions[:, which], which, sigma)

    def prediction_error_of(
        self, directions: Array, which: NDArray[np.intp], sigma: float = 1.0
    ) -> Array:
        """Return `prediction_error` for directions along some parameters, (k, len(which))."""
        with np.errstate(all="ignore"):
            rows = directions * np.where(np.isfinite(self._unit), self._unit, 1.0)[which]
        lost = (np.abs(rows) * self.undetermined[which]).max(axis=1, initial=0.0)
        rows, sizes = scaled_rows(rows)
        variance = self._variances_along(rows, which)
        errors = np.where(lost > 0.0, np.inf, np.sqrt(np.maximum(variance, 0.0)))
        return errors * (sigma * sizes)

    def _variances_along(self, rows: Array, which: NDArray[np.intp]) -> Array:
        """Return ``d @ inv(S.T @ S) @ d`` for directions along some parameters."""
        found: Array = np.einsum("ij,jl,il->i", rows, self._scaled_block(which), rows)
        return found
