"""The factor of a Jacobian, and what it tells of the parameters."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo._core.kernels import qrfac

__all__ = ["Factor"]

Array = NDArray[np.float64]


class _Inverse(NamedTuple):
    """A generalised inverse of S.T @ S, where S is J with free columns scaled to norm 1.

    root : (n, rank), of which root @ root.T is the inverse
    null : (n, free - rank), of norm 1 each: the directions along which S is zero
    """

    root: Array
    null: Array


@dataclass(frozen=True, eq=False)
class Factor:
    """The factor of the last Jacobian, ``J[:, ipvt] = Q R``.

    Attributes
    ----------
    r : (n, n) float64 array, upper triangle
    ipvt : (n,) int32 array
    qtf : (n,) float64 array, ``(Q.T @ f)[:n]``
    acnorm : (n,) float64 array, the norms of the columns of J
    error : float
        Relative error of the entries of J, below which a singular value means nothing.
    held : (n,) bool array or None
        Parameters that are no unknowns here, being fixed or at a bound: without variance, and
        neither determined nor undetermined.  None: there are none.
    """

    r: Array
    ipvt: NDArray[np.int32]
    qtf: Array
    acnorm: Array
    error: float
    held: NDArray[np.bool_] | None = None

    @cached_property
    def _inverse(self) -> _Inverse:
        """The inverse of S.T @ S.

        Columns are scaled so that units do not decide the rank (Golub, Van Loan 2013, "Matrix
        computations", section 5.4.2).  Where S is deficient, the root is that of a basic solution:
        whatever J determines has the same variance in every generalised inverse.
        """
        n = self.acnorm.size
        free = np.arange(n) if self.held is None else np.flatnonzero(~self.held)
        p = free.size
        if p == 0:
            return _Inverse(np.zeros((n, 0)), np.zeros((n, 0)))
        scaled = np.zeros((n, n))
        scaled[:, self.ipvt] = self.r
        scaled = scaled[:, free] / np.where(self.acnorm > 0, self.acnorm, 1.0)[free]
        packed, pivots, _, _ = qrfac(scaled)
        triangle = np.triu(packed[:p])
        diagonal = np.abs(np.diag(triangle))
        rank = int(np.count_nonzero(diagonal > self.error * max(diagonal[0], 1e-300)))
        inverse = np.linalg.inv(triangle[:rank, :rank])
        root, null = np.zeros((n, rank)), np.zeros((n, p - rank))
        order = free[pivots]
        root[order[:rank]] = inverse
        null[order[:rank]] = -inverse @ triangle[:rank, rank:]
        null[order[rank:]] = np.eye(p - rank)
        return _Inverse(root, null / np.linalg.norm(null, axis=0))

    @property
    def rank(self) -> int:
        """Rank of the free columns of J, scaled to norm 1."""
        return int(self._inverse.root.shape[1])

    @property
    def undetermined(self) -> NDArray[np.bool_]:
        """Which parameters J does not determine.

        Those with a share in a direction along which J is zero.
        """
        share = np.abs(self._inverse.null).max(axis=1, initial=0.0)
        # Where J is mostly error its error is no measure of shares; a tenth is one, whatever J is.
        return np.asarray(share > min(np.sqrt(self.error), 0.1))

    @property
    def _unit(self) -> Array:
        """``1 / acnorm``; 0 for what is held."""
        with np.errstate(divide="ignore"):
            unit = 1.0 / self.acnorm
        return unit if self.held is None else np.where(self.held, 0.0, unit)

    def standard_errors(self, sigma: float) -> Array:
        """Return sigma times the roots of the diagonal of ``inv(J.T @ J)``, without overflow."""
        root = self._inverse.root
        with np.errstate(all="ignore"):
            spread = sigma * self._unit * np.sqrt((root * root).sum(axis=1))
        return np.where(self.undetermined, np.inf, spread)

    def covariance(self, sigma: float) -> Array:
        """Return sigma^2 ``inv(J.T @ J)``; inf and nan for what is not determined."""
        root = self._inverse.root
        with np.errstate(all="ignore"):
            unit = sigma * self._unit
            out = (root @ root.T) * unit * unit[:, None]
            out = 0.5 * out + 0.5 * out.T
        return self._marked(out, np.inf)

    def correlation(self) -> Array:
        """Return the correlations, 1 on the diagonal; nan for what is not determined.

        Without the units of the parameters, so that nothing can overflow.
        """
        root = self._inverse.root
        norms = np.sqrt((root * root).sum(axis=1))
        rows = root / np.where(norms > 0, norms, 1.0)[:, None]
        out = np.clip(rows @ rows.T, -1.0, 1.0)
        np.fill_diagonal(out, 1.0)
        return self._marked(out, 1.0)

    def _marked(self, out: Array, variance: float) -> Array:
        """Mark rows and columns of parameters that are not determined."""
        undetermined = self.undetermined
        out[undetermined] = np.nan
        out[:, undetermined] = np.nan
        out[undetermined, undetermined] = variance
        return out

    def prediction_error(self, directions: Array) -> Array:
        """Return the roots of ``d @ inv(J.T @ J) @ d`` for each row d; inf where undetermined.

        Parameters
        ----------
        directions : (k, n) float64 array
        """
        with np.errstate(all="ignore"):
            rows = directions * np.where(np.isfinite(self._unit), self._unit, 1.0)
        share = np.abs(rows @ self._inverse.null).max(axis=1, initial=0.0)
        lost = share > np.sqrt(self.error) * np.linalg.norm(rows, axis=1)
        return np.where(lost, np.inf, np.linalg.norm(rows @ self._inverse.root, axis=1))
