"""Reduce the QR factors of blocks of rows to one, in a fixed tree."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo._core.solve import merge_norms, merge_triangles
from lmoo.errors import EvaluationError

# Factors that are merged at once.  The result depends on the shape of the tree: another FAN gives
# other last digits.
FAN = 8


class PartialQR(NamedTuple):
    """The residual norm and the QR factor of a block of rows, or of several successive blocks.

    Attributes
    ----------
    rows, blocks : int
        Numbers of rows and of blocks.
    norm : float
        Norm of the residual.
    precision : float
        The largest relative precision of the residuals, 2^-52 for float64 and 2^-23 for float32.
    triangle : (n, n + 1) float64 array or None
        R and Q^T f; None where only the residual was requested.
    evaluations : int
        Evaluations of the residual for the Jacobian: the maximum over the blocks.
    relative_error : float
        Relative error of the entries of the Jacobian: the maximum over the blocks.
    noise : float
        Norm of the error of the residual, if the strategy has measured it; else 0.
    error, curvature : (n,) float64 arrays or None
        Norms of the errors of the Jacobian's columns, and of the second derivatives by each
        parameter, if the strategy has measured them; else 0.
    interval : (n,) float64 array or None
        Shortest distance of the two points of a difference, by column; 0 for columns that are not
        differences.
    sizes : (n, n + 1) float64 array or None
        Factor of the rows of the Jacobian times their sizes, see evaluate/rowshares.pxi, if it was
        requested and columns are differences.
    overlaps : (n,) float64 array or None
        Sums of abs(f_i J_ij) over the rows, relative to the norm of the whole residual.
    sums : (4,) float64 array or None
        Sums of a loss, from which standard errors follow.
    refusal : EvaluationError or None
        Why the first block that could not be evaluated failed; the other fields then have no
        meaning.
    """

    rows: int
    blocks: int
    norm: float
    precision: float
    triangle: NDArray[np.float64] | None = None
    evaluations: int = 0
    relative_error: float = 0.0
    noise: float = 0.0
    error: NDArray[np.float64] | None = None
    interval: NDArray[np.float64] | None = None
    curvature: NDArray[np.float64] | None = None
    sizes: NDArray[np.float64] | None = None
    sums: NDArray[np.float64] | None = None
    overlaps: NDArray[np.float64] | None = None
    refusal: EvaluationError | None = None


def merge(factors: Sequence[PartialQR]) -> PartialQR:
    """Merge factors in their order.

    The first factor with a refusal is returned, with the maximum of the evaluations up to it.
    """
    for k, factor in enumerate(factors):
        if factor.refusal is not None:
            most = max(f.evaluations for f in factors[: k + 1])
            return factor._replace(evaluations=most)
    return PartialQR(
        rows=sum(factor.rows for factor in factors),
        blocks=sum(factor.blocks for factor in factors),
        norm=merge_norms([factor.norm for factor in factors]),
        precision=max(factor.precision for factor in factors),
        triangle=_merged([factor.triangle for factor in factors]),
        evaluations=max(factor.evaluations for factor in factors),
        relative_error=max(factor.relative_error for factor in factors),
        noise=merge_norms([factor.noise for factor in factors]),
        error=_column_norms([factor.error for factor in factors]),
        interval=_minimum([factor.interval for factor in factors]),
        curvature=_column_norms([factor.curvature for factor in factors]),
        sizes=_merged([factor.sizes for factor in factors]),
        sums=_robust_sums([factor.sums for factor in factors]),
        overlaps=_total([factor.overlaps for factor in factors]),
    )


def _merged(triangles: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    """Return the factor of stacked blocks from those that are not None."""
    known = [triangle for triangle in triangles if triangle is not None]
    return merge_triangles(known) if known else None


def _robust_sums(arrays: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    """Return `Robust.sums` of all rows from those of blocks that are not None."""
    known = [array for array in arrays if array is not None]
    if not known:
        return None
    norms, *rest = np.stack(known, axis=1)
    return np.array([merge_norms(norms), *np.sum(rest, axis=1)])


def _total(arrays: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    """Return the sum of the arrays that are not None."""
    known = [array for array in arrays if array is not None]
    return np.sum(known, axis=0) if known else None


def _minimum(arrays: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    """Return the elementwise minimum of the arrays that are not None."""
    known = [array for array in arrays if array is not None]
    return np.min(known, axis=0) if known else None


def _column_norms(norms: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    """Return the norms of the columns of stacked blocks from the norms in each block."""
    known = [entry for entry in norms if entry is not None]
    if not known:
        return None
    return np.array([merge_norms(column) for column in np.stack(known, axis=1)])


class ReductionTree:
    """Merge factors as they arrive: every `FAN` successive ones, and their results likewise.

    It keeps at most FAN - 1 factors per level, whatever the number of blocks.
    """

    def __init__(self) -> None:
        self.levels: list[list[PartialQR]] = []

    def add(self, factor: PartialQR) -> None:
        """Add the factor of the next block."""
        for level in self.levels:
            level.append(factor)
            if len(level) < FAN:
                return
            factor = merge(level)
            level.clear()
        self.levels.append([factor])

    def root(self) -> PartialQR | None:
        """Return the factor of all blocks; None if there was none."""
        carried: list[PartialQR] = []
        for level in self.levels:
            row = level + carried
            carried = [merge(row)] if len(row) > 1 else row
        return carried[0] if carried else None
