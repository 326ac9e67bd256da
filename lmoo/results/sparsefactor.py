"""Covariances of a fit with a sparse Jacobian."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.results.scaledblocks import ScaledBlocks
from lmoo.sparse.cholesky import NormalMatrix, is_singular
from lmoo.sparse.matrices import csr_rows, scaled_columns

# Numbers in one block of right sides: 32 MB.
_BLOCK = 2**22
# Dampings by which directions along which S is zero are found: a variance that grows with the
# inverse of the damping is that of such a direction.
_DAMPINGS = 1e-10, 1e-12


@dataclass(frozen=True, eq=False)
class SparseFactor(ScaledBlocks):
    """The sparse Jacobian at the end of a solve, from which covariances are computed.

    Blocks of the inverse of ``J.T @ J`` are solutions with the columns of the unit matrix as right
    sides, in blocks of 32 MB.  The standard errors of all n parameters take 2 n solutions, and no
    other memory than that of the Cholesky factor.

    Attributes
    ----------
    data : (entries,) float64 array
        The entries of J, row by row.
    columns : (entries,) int32 array
        The column of each entry.
    starts : (m + 1,) int64 array
        Row i has the entries ``starts[i]`` to ``starts[i + 1]``.
    acnorm : (n,) float64 array
        The norms of the columns of J.
    error : float
        Relative error of the entries of J.
    excluded : (n,) bool array or None
        Parameters that were left out: fixed, or at an active bound.
    """

    data: Array
    columns: NDArray[np.int32]
    starts: NDArray[np.int64]
    acnorm: Array
    error: float
    excluded: NDArray[np.bool_] | None = None

    def __getstate__(self) -> dict[str, Any]:
        # Without the Cholesky factor, which cannot be pickled.
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def check(self, n: int) -> None:
        """Raise ValueError if the arrays are not those of a factor of n parameters."""
        self._check(
            n,
            data=(np.float64, (self.columns.size,)),
            columns=(np.int32, (self.columns.size,)),
            starts=(np.int64, (self.starts.size,)),
        )
        ends = self.starts[[0, -1]] if self.starts.size else np.array([-1, -1])
        if (np.diff(self.starts) < 0).any() or ends[0] != 0 or ends[1] != self.data.size:
            raise ValueError("starts must be the places of the rows")
        if (self.columns < 0).any() or (self.columns >= n).any():
            raise ValueError(f"columns must be those of {n} parameters")

    def over(self, slope: float) -> "SparseFactor":
        """Return the factor of J / slope."""
        return replace(self, data=self.data / slope, acnorm=self.acnorm / slope)

    @property
    def _free(self) -> NDArray[np.bool_]:
        """Parameters that are free and have an effect."""
        free = self.acnorm > 0
        return free if self.excluded is None else free & ~self.excluded

    @cached_property
    def _rows(self) -> Any:
        """S, the Jacobian with columns of norm 1; those that are not free are zero."""
        shape = self.starts.size - 1, self.acnorm.size
        unit = np.where(self._free, 1.0 / np.where(self._free, self.acnorm, 1.0), 0.0)
        return scaled_columns(csr_rows(self.data, self.columns, self.starts, shape), unit)

    @cached_property
    def _normal(self) -> NormalMatrix:
        return NormalMatrix(self._rows)

    def _solver(self, damping: float) -> Callable[[Array], Array]:
        """Return a function that multiplies by the inverse of ``S.T @ S + damping``."""
        free, rows, normal = self._free, self._rows, self._normal
        d = np.full(free.size, np.sqrt(damping))

        def solve(right: Array) -> Array:
            right = right * free[:, None]
            # Threads may share a result, but one matrix has one factor at a time.
            with normal.lock:
                normal.factor(d, free)
                found = normal.solve(right)
                # One step of refinement: the products of S are more accurate than S^T S.
                rest = right - rows.T @ (rows @ found) - damping * found
                return np.asarray((found + normal.solve(rest * free[:, None])) * free[:, None])

        return solve

    def _diagonal(self, damping: float) -> Array:
        """Return the diagonal of the inverse of ``S.T @ S + damping``, (n,)."""
        n = self.acnorm.size
        solve, out = self._solver(damping), np.zeros(n)
        for part in _parts(n):
            unit = np.zeros((n, part.size))
            unit[part, np.arange(part.size)] = 1.0
            out[part] = solve(unit)[part, np.arange(part.size)]
        return out

    @cached_property
    def _is_singular(self) -> bool:
        """Whether the columns are dependent, up to rounding."""
        free = self._free
        # As in Factor: the limit 0.1 is for Jacobians that are mostly error.
        limit = max(self._limit**2, 1e-13)
        # Threads may make several of these at once, and the property returns another one later.
        normal = self._normal
        try:
            with normal.lock:
                normal.factor(np.zeros(free.size), free)
                return is_singular(normal.solve, free, limit)
        except np.linalg.LinAlgError:
            return True

    @property
    def _limit(self) -> float:
        return min(self.error, 0.1)

    @cached_property
    def _diagonals(self) -> tuple[Array, NDArray[np.bool_], int]:
        """The variances, which of the free parameters are undetermined, and how many directions."""
        free = self._free
        if not self._is_singular:
            return self._diagonal(0.0), np.zeros(free.size, dtype=bool), 0
        large, small = _DAMPINGS
        first, second = self._diagonal(large), self._diagonal(small)
        lost = free & (second > 10.0 * first)
        return second, lost, round(float(small * second[free].sum()))

    @property
    def _damping(self) -> float:
        return _DAMPINGS[1] if self._is_singular else 0.0

    @property
    def rank(self) -> int:
        """Rank of the free columns of J."""
        lost = self._diagonals[2] if self._is_singular else 0
        return int(np.count_nonzero(self._free)) - lost

    @property
    def undetermined(self) -> NDArray[np.bool_]:
        """Parameters that J does not determine, (n,) bool."""
        without = self.acnorm == 0.0
        if self.excluded is not None:
            without &= ~self.excluded
        return np.asarray(without | self._diagonals[1] if self._is_singular else without)

    def _variances(self) -> Array:
        return np.maximum(self._diagonals[0], 0.0)

    def _scaled_block(self, which: NDArray[np.intp]) -> Array:
        solve, n = self._solver(self._damping), self.acnorm.size
        out = np.empty((which.size, which.size))
        for part in _parts(n, which.size):
            unit = np.zeros((n, part.size))
            unit[which[part], np.arange(part.size)] = 1.0
            out[:, part] = solve(unit)[which]
        return 0.5 * (out + out.T)

    def covariance_column(self, j: int) -> Array:
        """Return column j of ``inv(J.T @ J)``, (n,), for a parameter that is determined."""
        unit = np.zeros((self.acnorm.size, 1))
        unit[j] = 1.0
        with np.errstate(all="ignore"):
            out = self._solver(self._damping)(unit)[:, 0] * self._unit * self._unit[j]
        return np.where(self.undetermined, np.nan, out)

    def _variances_along(self, rows: Array, which: NDArray[np.intp]) -> Array:
        solve, n = self._solver(self._damping), self.acnorm.size
        variance = np.empty(len(rows))
        for part in _parts(n, len(rows)):
            right = np.zeros((n, part.size))
            right[which] = rows[part].T
            variance[part] = np.einsum("ij,ij->j", right, solve(right))
        return variance


def _parts(n: int, count: int | None = None) -> Iterator[NDArray[np.intp]]:
    """Return the numbers below count, n if it is None, in blocks of right sides of n numbers."""
    count = n if count is None else count
    step = max(_BLOCK // n, 1)
    for k in range(0, count, step):
        yield np.arange(k, min(k + step, count))
