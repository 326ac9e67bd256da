"""The QR factor of a fit whose parameters are functions of coordinates.

    C = T H^-1 [s^2 J_d^T J_d + J_p^T J_p] H^-1 T^T,    H = J_d^T J_d + J_p^T J_p,    T = dx/dz

J_d and J_p are the derivatives of the data and of the priors by the coordinates z, s is the
standard deviation of the data.  Priors state their own errors, so that these are not scaled by s;
with s = 1, or without priors, this is ``s^2 T H^-1 T^T``.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.results.factor import (
    Factor,
    MatrixBlocks,
    check_arrays,
    correlation_of,
    marked,
    row_norms,
    scaled_rows,
)

_EPS = 2.0**-52


def by_priors(share: Array, lengths: Array, error: float) -> NDArray[np.bool_]:
    """Return which directions are determined by the priors alone.

    These have no share of the data but rounding, and the error of the entries of J.

    Parameters
    ----------
    share : (..., k) float64 array
        The share of the priors in v^T H v for each direction v.
    lengths : (..., k) float64 array
        |v| where v^T H v = 1, the columns of J having norm 1.
    error : float
        Relative error of the entries of J.
    """
    rounding = 64.0 * _EPS * lengths
    return np.asarray(1.0 - share <= np.maximum(rounding, (error * lengths) ** 2))


@dataclass(frozen=True, eq=False)
class MappedFactor(MatrixBlocks):
    """A factor of coordinates, for the parameters that follow from them.

    Attributes
    ----------
    inner : Factor
        That of the coordinates, with those that are not free excluded.
    slopes : (n, q) float64 array
        T, the derivatives of the parameters by the coordinates.
    prior_slopes : (k, q) float64 array
        J_p.
    coordinate : (n,) int array
        The coordinate that each parameter is; -1 for others.
    slope : float
        With a loss: by what the factor of the linear model exceeds that of J; else 1.
    """

    inner: Factor
    slopes: Array
    prior_slopes: Array
    coordinate: NDArray[np.int64]
    slope: float = 1.0

    of_coordinates = True

    def check(self, n: int) -> None:
        """Raise TypeError or ValueError if it is not that of n parameters."""
        q = self.inner.acnorm.size
        self.inner.check(q)
        wanted: dict[str, tuple[Any, tuple[int, ...]]] = {
            "slopes": (np.float64, (n, q)),
            "prior_slopes": (np.float64, (len(self.prior_slopes), q)),
            "coordinate": (np.int64, (n,)),
        }
        check_arrays(self, wanted)

    @property
    def rank(self) -> int:
        """Rank of the free columns of J."""
        return self.inner.rank

    @property
    def free(self) -> int:
        """Number of free coordinates."""
        excluded = self.inner.excluded
        q = self.slopes.shape[1]
        return int(q if excluded is None else q - np.count_nonzero(excluded))

    @property
    def error(self) -> float:
        """Relative error of the entries of J."""
        return self.inner.error

    @property
    def acnorm(self) -> Array:
        """Norms of the columns of J; nan for parameters that are no coordinates."""
        return np.where(self.coordinate < 0, np.nan, self.inner.acnorm[self.coordinate])

    def with_slopes(self, slopes: Array) -> "MappedFactor":
        """Return the factor for other functions of the coordinates."""
        place = np.full(len(slopes), -1)
        return MappedFactor(self.inner, slopes, self.prior_slopes, place, self.slope)

    @cached_property
    def _root(self) -> Array:
        """``H^-1 = root @ root.T``, (q, rank)."""
        with np.errstate(all="ignore"):
            return np.asarray(self._unit[:, None] * self.inner._inverse.root)

    @property
    def _unit(self) -> Array:
        unit = self.inner._unit
        return np.where(np.isfinite(unit), unit, 1.0)

    @cached_property
    def _priors(self) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Directions, the share of the priors in H along them, and which the priors determine."""
        shares = self.prior_slopes @ self._root
        _, values, directions = np.linalg.svd(shares, full_matrices=True)
        share = np.zeros(len(directions))
        share[: values.size] = np.minimum(values, 1.0) ** 2
        lengths = np.linalg.norm(self.inner._inverse.root @ directions.T, axis=0)
        return directions, share, by_priors(share, lengths, self.error)

    @property
    def by_priors(self) -> int:
        """Number of directions that are determined by the priors alone, not by the data."""
        return int(np.count_nonzero(self._priors[2])) if len(self.prior_slopes) else 0

    def _scaled_root(self, sigma: float) -> Array:
        """Return a root of the covariance of the coordinates."""
        s = sigma * self.slope
        if not len(self.prior_slopes) or s == 1.0:
            return self._root * s
        directions, share, alone = self._priors
        with np.errstate(all="ignore"):
            scale = np.sqrt(np.where(alone, 1.0, s * s * (1.0 - share) + share))
            return np.asarray(self._root @ directions.T * scale)

    @property
    def undetermined(self) -> NDArray[np.bool_]:
        """Parameters that J does not determine, (n,) bool."""
        return self._lost(self.slopes, np.abs(self.slopes), min(np.sqrt(self.error), 0.1))

    def _lost(self, directions: Array, terms: Array, limit: float) -> NDArray[np.bool_]:
        """Return which linear functions of the coordinates J does not determine.

        terms: the directions with the sizes of their terms added, whose differences may be rounding
        """
        with np.errstate(all="ignore"):
            sizes, scale = scaled_rows(terms * self._unit)
            rows = directions * self._unit / scale[:, None]
        share = np.abs(rows @ self.inner._inverse.null).max(axis=1, initial=0.0)
        return np.asarray(share > limit * np.linalg.norm(sizes, axis=1))

    def standard_errors(self, sigma: float) -> Array:
        """Return the roots of the diagonal of the covariance; inf for undetermined parameters."""
        finite = np.isfinite(sigma)
        with np.errstate(all="ignore"):
            errors = row_norms(self.slopes @ self._scaled_root(sigma if finite else 1.0))
        if not finite:
            errors = np.where(errors > 0.0, np.inf, 0.0)
        return np.where(self.undetermined, np.inf, errors)

    def standard_errors_of(self, which: NDArray[np.intp], sigma: float) -> Array:
        """Return the standard errors of some parameters."""
        return self.standard_errors(sigma)[which]

    def covariance(self, sigma: float) -> Array:
        """Return the covariance; inf and nan for undetermined parameters."""
        with np.errstate(all="ignore"):
            rows = self.slopes @ self._scaled_root(sigma)
            out = rows @ rows.T
        return marked(0.5 * (out + out.T), self.undetermined, np.inf)

    def correlation(self, sigma: float = 1.0) -> Array:
        """Return the correlations; nan for undetermined parameters.

        sigma: standard deviation of the data, which matters with priors
        """
        with np.errstate(all="ignore"):
            rows = self.slopes @ self._scaled_root(sigma if 0.0 < sigma < np.inf else 1.0)
            return correlation_of(rows, self.undetermined)

    def prediction_error_of(
        self, directions: Array, which: NDArray[np.intp], sigma: float = 1.0
    ) -> Array:
        """Return `prediction_error` for directions along some parameters, (k, len(which))."""
        whole = np.zeros((len(directions), len(self.slopes)))
        whole[:, which] = directions
        return self.prediction_error(whole, sigma)

    def prediction_error(self, directions: Array, sigma: float = 1.0) -> Array:
        """Return the standard error of ``d @ x`` for each row d; inf if undetermined.

        Parameters
        ----------
        directions : (k, n) float64 array
        sigma : float
            Standard deviation of the data.
        """
        rows: Any = directions @ self.slopes
        terms = np.abs(directions) @ np.abs(self.slopes)
        lost = self._lost(rows, terms, float(np.sqrt(self.error)))
        with np.errstate(all="ignore"):
            return np.where(lost, np.inf, row_norms(rows @ self._scaled_root(sigma)))
