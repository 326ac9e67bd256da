"""Errors of parameters from the covariance of the coordinates that they are functions of."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.results.factor import MatrixBlocks, check_arrays, correlation_of, marked, scaled_rows


def combined(of_data: Array, of_priors: Array, sigma: float) -> tuple[Array, float]:
    """Return ``s^2 of_data + of_priors`` over the square of a size, and this size.

    The square of s may over- or underflow.
    """
    if not np.any(of_priors):
        return of_data, sigma
    size = max(sigma, 1.0)
    with np.errstate(all="ignore"):
        return (sigma / size) ** 2 * of_data + of_priors / size / size, size


@dataclass(frozen=True, eq=False)
class CovarianceFactor(MatrixBlocks):
    """The part of a joint fit that belongs to one curve, with the methods of a `Factor`.

    The covariance is ``T D (s^2 of_data + of_priors) D T^T``, s being the standard deviation
    of the data and D the diagonal matrix of the units.

    Attributes
    ----------
    of_data : (q, q) float64 array
        The block of H^-1 J_d^T J_d H^-1; inf and nan for coordinates that are not determined.
    of_priors : (q, q) float64 array
        The block of H^-1 P H^-1, see `lmoo.results.mapped`.
    unit : (q,) float64 array
        The units of these blocks.
    slopes : (n, q) float64 array
        T, the derivatives of the parameters by the coordinates.
    degrees : int
        Degrees of freedom of the joint fit.
    deviation : float
        Standard deviation of its residual.
    coordinates : (q,) bool array
        Coordinates that are free.
    """

    of_data: Array
    of_priors: Array
    unit: Array
    slopes: Array
    degrees: int
    deviation: float
    coordinates: NDArray[np.bool_]

    error = 0.0
    of_coordinates = True

    def check(self, n: int) -> None:
        """Raise ValueError if it is not that of n parameters."""
        q = self.coordinates.size
        wanted: dict[str, tuple[Any, tuple[int, ...]]] = {
            "of_data": (np.float64, (q, q)),
            "of_priors": (np.float64, (q, q)),
            "unit": (np.float64, (q,)),
            "slopes": (np.float64, (n, q)),
            "coordinates": (np.bool_, (q,)),
        }
        check_arrays(self, wanted)

    @property
    def acnorm(self) -> Array:
        """Nan: the norms of the columns of J are not kept."""
        return np.full(len(self.slopes), np.nan)

    @property
    def free(self) -> int:
        """Number of free coordinates."""
        return int(np.count_nonzero(self.coordinates))

    @property
    def rank(self) -> int:
        """Number of free coordinates that are determined."""
        return int(np.count_nonzero(self.coordinates & ~self._lost))

    @property
    def _lost(self) -> NDArray[np.bool_]:
        return ~np.isfinite(np.diag(self.of_data))

    @property
    def undetermined(self) -> NDArray[np.bool_]:
        """Parameters that depend on a coordinate that is not determined, (n,) bool."""
        return np.asarray((self.slopes != 0.0)[:, self._lost].any(axis=1))

    def with_slopes(self, slopes: Array) -> "CovarianceFactor":
        """Return the factor for other functions of the coordinates."""
        return replace(self, slopes=slopes)

    def _known(self, sigma: float) -> tuple[Array, float]:
        whole, size = combined(self.of_data, self.of_priors, sigma)
        lost = self._lost
        return np.where(lost | lost[:, None], 0.0, whole), size

    def covariance(self, sigma: float) -> Array:
        """Return the covariance; inf and nan for undetermined parameters."""
        known, size = self._known(sigma)
        with np.errstate(all="ignore"):
            rows = self.slopes * (self.unit * size)
            out = rows @ known @ rows.T
        return marked(0.5 * (out + out.T), self.undetermined, np.inf)

    def standard_errors(self, sigma: float) -> Array:
        """Return the roots of the diagonal of the covariance."""
        return self.prediction_error(np.eye(len(self.slopes)), sigma)

    def correlation(self, sigma: float = 1.0) -> Array:
        """Return the correlations; nan for undetermined parameters."""
        known, _ = self._known(sigma if 0.0 < sigma < np.inf else 1.0)
        values, vectors = np.linalg.eigh(known)
        rows = scaled_rows(self.slopes * self.unit)[0]
        rows = rows @ (vectors * np.sqrt(np.maximum(values, 0.0)))
        return correlation_of(rows, self.undetermined)

    def prediction_error(self, directions: Array, sigma: float = 1.0) -> Array:
        """Return the standard error of ``d @ x`` for each row d; inf if undetermined."""
        rows: Any = directions @ self.slopes
        lost = (rows != 0.0)[:, self._lost].any(axis=1)
        known, size = self._known(sigma)
        rows, sizes = scaled_rows(rows * self.unit)
        variance = np.einsum("ij,jk,ik->i", rows, known, rows)
        return np.where(lost, np.inf, np.sqrt(np.maximum(variance, 0.0)) * sizes * size)
