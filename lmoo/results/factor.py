"""The QR factor of a Jacobian: rank, covariance and standard errors of the parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.kernels import qrfac
from lmoo.problems.arguments import real_number


class _Inverse(NamedTuple):
    """A generalised inverse of S.T @ S, where S is J with its free columns scaled to norm 1.

    root : (n, rank); root @ root.T is the inverse
    null : (n, free - rank); columns of norm 1, the directions along which S is zero
    """

    root: Array
    null: Array


def check_arrays(owner: Any, wanted: Mapping[str, tuple[Any, tuple[int, ...]]]) -> None:
    """Raise ValueError unless attributes are arrays of these types and shapes."""
    for name, (dtype, shape) in wanted.items():
        found = getattr(owner, name)
        if not isinstance(found, np.ndarray) or found.shape != shape or found.dtype != dtype:
            kind = f"{found.dtype}, {found.shape}" if isinstance(found, np.ndarray) else repr(found)
            raise ValueError(f"{name} must be {np.dtype(dtype)} of shape {shape}: {kind}")


class MatrixBlocks:
    """Base of factors whose covariance is one matrix: its blocks."""

    # Whether the parameters are functions of coordinates.
    of_coordinates: ClassVar[bool] = False

    def covariance(self, sigma: float) -> Array:
        """Return the covariance of all parameters."""
        raise NotImplementedError

    def correlation(self, sigma: float = 1.0) -> Array:
        """Return the correlations of all parameters."""
        raise NotImplementedError

    def covariance_column(self, j: int) -> Array:
        """Return column j of `covariance` for data of standard deviation 1, (n,)."""
        return np.asarray(self.covariance(1.0)[:, j])

    def covariance_of(self, which: Any, sigma: float) -> Array:
        """Return the rows and columns of `covariance` of some parameters."""
        return np.asarray(self.covariance(sigma)[np.ix_(which, which)])

    def correlation_of(self, which: Any, sigma: float = 1.0) -> Array:
        """Return the correlations of some parameters."""
        return np.asarray(self.correlation(sigma)[np.ix_(which, which)])


class ScaledColumns:
    """Base of factors that have the variances for columns of norm 1."""

    if TYPE_CHECKING:
        error: float
        acnorm: Array
        excluded: NDArray[np.bool_] | None

        @property
        def undetermined(self) -> NDArray[np.bool_]:
            """Parameters that J does not determine, (n,) bool."""

    def _variances(self) -> Array:
        """Return the diagonal of inv(S.T @ S), (n,), where S is J with columns of norm 1."""
        raise NotImplementedError

    def _check(self, n: int, **wanted: tuple[Any, tuple[int, ...]]) -> None:
        """Raise TypeError or ValueError unless arrays, norms and error are those of a factor."""
        wanted["acnorm"] = (np.float64, (n,))
        if self.excluded is not None:
            wanted["excluded"] = (np.bool_, (n,))
        check_arrays(self, wanted)
        if not real_number("error", self.error) >= 0:
            raise ValueError(f"error must not be negative: {self.error}")

    @property
    def _unit(self) -> Array:
        """``1 / acnorm``; 0 for excluded parameters."""
        with np.errstate(divide="ignore"):
            unit = 1.0 / self.acnorm
        return unit if self.excluded is None else np.where(self.excluded, 0.0, unit)

    def standard_errors(self, sigma: float) -> Array:
        """Return sigma times the roots of the diagonal of ``inv(J.T @ J)``, without overflow."""
        with np.errstate(all="ignore"):
            errors = sigma * self._unit * np.sqrt(self._variances())
        return np.where(self.undetermined, np.inf, errors)


@dataclass(frozen=True, eq=False)
class Factor(MatrixBlocks, ScaledColumns):
    """The QR factor of the last Jacobian, ``J[:, ipvt] = Q R``.

    Attributes
    ----------
    r : (n, n) float64 array, upper triangle
    ipvt : (n,) int32 array
    qtf : (n,) float64 array, ``(Q.T @ f)[:n]``
    acnorm : (n,) float64 array, the norms of the columns of J
    error : float
        Relative error of the entries of J.  Smaller diagonal entries of R count as zero.
    excluded : (n,) bool array or None
        Parameters that are not free: fixed, or at an active bound.  Their variance is 0, and they
        are neither determined nor undetermined.  None: all parameters are free.
    """

    r: Array
    ipvt: NDArray[np.int32]
    qtf: Array
    acnorm: Array
    error: float
    excluded: NDArray[np.bool_] | None = None

    def check(self, n: int) -> None:
        """Raise TypeError or ValueError if it is not that of n parameters."""
        self._check(n, r=(np.float64, (n, n)), ipvt=(np.int32, (n,)), qtf=(np.float64, (n,)))
        if sorted(self.ipvt.tolist()) != list(range(n)):
            raise ValueError(f"ipvt must be a permutation: {self.ipvt}")

    @cached_property
    def _inverse(self) -> _Inverse:
        """The generalised inverse of S.T @ S.

        The columns are scaled so that the rank does not depend on units (Golub, Van Loan 2013,
        "Matrix computations", section 5.4.2).  If S is rank-deficient, the inverse is that of a
        basic solution: parameters that J determines have the same variance in every generalised
        inverse.
        """
        n = self.acnorm.size
        free = np.arange(n) if self.excluded is None else np.flatnonzero(~self.excluded)
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

    def over(self, slope: float) -> "Factor":
        """Return the factor of J / slope, with f slope in place of f."""
        return replace(self, r=self.r / slope, qtf=self.qtf * slope, acnorm=self.acnorm / slope)

    @property
    def rank(self) -> int:
        """Rank of the free columns of J, scaled to norm 1."""
        return int(self._inverse.root.shape[1])

    @property
    def undetermined(self) -> NDArray[np.bool_]:
        """Parameters that J does not determine, (n,) bool.

        They have a component in a direction along which J is zero.
        """
        share = np.abs(self._inverse.null).max(axis=1, initial=0.0)
        # The limit 0.1 is for Jacobians that are mostly error, where the root of it exceeds shares.
        return np.asarray(share > min(np.sqrt(self.error), 0.1))

    def _variances(self) -> Array:
        root = self._inverse.root
        return np.asarray((root * root).sum(axis=1))

    def covariance(self, sigma: float) -> Array:
        """Return sigma^2 ``inv(J.T @ J)``; inf and nan for undetermined parameters."""
        root = self._inverse.root
        with np.errstate(all="ignore"):
            unit = sigma * self._unit
            out = (root @ root.T) * unit * unit[:, None]
            out = 0.5 * out + 0.5 * out.T
        return marked(out, self.undetermined, np.inf)

    def correlation(self, sigma: float = 1.0) -> Array:
        """Return the correlations, 1 on the diagonal; nan for undetermined parameters.

        They do not depend on sigma.
        They are computed from S, without the units of the parameters, so that nothing overflows.
        """
        root = self._inverse.root
        return correlation_of(root, self.undetermined)

    def prediction_error(self, directions: Array, sigma: float = 1.0) -> Array:
        """Return sigma times the root of ``d @ inv(J.T @ J) @ d`` for each row d.

        It is inf if undetermined.

        Parameters
        ----------
        directions : (k, n) float64 array
        sigma : float
        """
        with np.errstate(all="ignore"):
            rows = directions * np.where(np.isfinite(self._unit), self._unit, 1.0)
        rows, sizes = scaled_rows(rows)
        share = np.abs(rows @ self._inverse.null).max(axis=1, initial=0.0)
        lost = share > np.sqrt(self.error) * np.linalg.norm(rows, axis=1)
        errors = np.linalg.norm(rows @ self._inverse.root, axis=1)
        return np.where(lost, np.inf, errors) * (sigma * sizes)


def scaled_rows(rows: Array) -> tuple[Array, Array]:
    """Return rows over their largest entries, and these: squares may over- or underflow."""
    largest = np.abs(rows).max(axis=1, initial=0.0)
    sizes = np.where((largest > 0.0) & np.isfinite(largest), largest, 1.0)
    return rows / sizes[:, None], sizes


def row_norms(rows: Array) -> Array:
    """Return the norms of rows without over- and underflow of their squares."""
    scaled, sizes = scaled_rows(rows)
    return np.asarray(np.linalg.norm(scaled, axis=1) * sizes)


def correlation_of(rows: Array, undetermined: NDArray[np.bool_]) -> Array:
    """Return the correlations for a covariance ``rows @ rows.T``; nan for undetermined parameters.

    Parameters
    ----------
    rows : (n, k) float64 array
    undetermined : (n,) bool array

    Returns
    -------
    (n, n) float64 array
        With 1 on the diagonal.
    """
    rows = scaled_rows(rows)[0]
    norms = np.linalg.norm(rows, axis=1)
    rows = rows / np.where(norms > 0, norms, 1.0)[:, None]
    out = np.clip(rows @ rows.T, -1.0, 1.0)
    np.fill_diagonal(out, 1.0)
    return marked(out, undetermined, 1.0)


def marked(out: Array, undetermined: NDArray[np.bool_], variance: float) -> Array:
    """Set rows and columns of undetermined parameters to nan, with variance on the diagonal."""
    out[undetermined] = np.nan
    out[:, undetermined] = np.nan
    out[undetermined, undetermined] = variance
    return out
