"""Errors of parameters from the covariance of the coordinates that they are functions of."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo.results.factor import MatrixBlocks, check_arrays, correlation_of, marked

__all__ = ["CovarianceFactor"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CovarianceFactor(MatrixBlocks):
    """The part of a joint fit that belongs to one curve, with the methods of a `Factor`.

    The covariance is ``T (s^2 of_data + of_priors) T^T``, s being the standard deviation
    of the data.

    Attributes
    ----------
    of_data : (q, q) float64 array
        The block of H^-1 J_d^T J_d H^-1; inf and nan for coordinates that are not determined.
    of_priors : (q, q) float64 array
        The block of H^-1 P H^-1, see `lmoo.results.mapped`.
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
        return CovarianceFactor(
            self.of_data, self.of_priors, slopes, self.degrees, self.deviation, self.coordinates
        )

    def _known(self, sigma: float) -> Array:
        with np.errstate(invalid="ignore"):
            whole = sigma * sigma * self.of_data + self.of_priors
        lost = self._lost
        return np.where(lost | lost[:, None], 0.0, whole)

    def covariance(self, sigma: float) -> Array:
        """Return the covariance; inf and nan for undetermined parameters."""
        out = self.slopes @ self._known(sigma) @ self.slopes.T
        return marked(0.5 * (out + out.T), self.undetermined, np.inf)

    def standard_errors(self, sigma: float) -> Array:
        """Return the roots of the diagonal of the covariance."""
        return np.sqrt(np.maximum(np.diag(self.covariance(sigma)), 0.0))

    def correlation(self, sigma: float = 1.0) -> Array:
        """Return the correlations; nan for undetermined parameters."""
        values, vectors = np.linalg.eigh(self._known(sigma if 0.0 < sigma < np.inf else 1.0))
        rows = self.slopes @ (vectors * np.sqrt(np.maximum(values, 0.0)))
        return correlation_of(rows, self.undetermined)

    def prediction_error(self, directions: Array, sigma: float = 1.0) -> Array:
        """Return the standard error of ``d @ x`` for each row d; inf if undetermined."""
        rows: Any = directions @ self.slopes
        lost = (rows != 0.0)[:, self._lost].any(axis=1)
        variance = np.einsum("ij,jk,ik->i", rows, self._known(sigma), rows)
        return np.where(lost, np.inf, np.sqrt(np.maximum(variance, 0.0)))
