"""The correlations of the parameters that a report has."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo.results.fit import Fit

# Parameters that are searched for correlations, and those of the matrix that is shown.
_SEARCHED, _SHOWN = 200, 12
# The smallest correlation that is listed.
SMALLEST = 0.1


class Correlations(NamedTuple):
    """Correlations of free parameters.

    names : names of the k parameters in the matrix
    matrix : (k, k)
    pairs : pairs of names with correlations above `SMALLEST`, the strongest first
    left_out : number of free parameters that are not in the matrix
    """

    names: tuple[str, ...]
    matrix: NDArray[np.float64]
    pairs: list[tuple[str, str, float]]
    left_out: int


def correlations(result: Fit) -> Correlations | None:
    """Return the correlations; None if there are not two free parameters with errors.

    The matrix of many parameters has those with the strongest correlations.
    """
    scale = result.scale_of_errors()
    if result.factor is None or not result.success or scale == np.inf:
        return None
    n = min(result.x.size, _SEARCHED)
    whole = result._linear.correlation_of(np.arange(n), scale)
    diagonal = np.eye(n, dtype=bool)
    # Fixed parameters have correlations of 0, undetermined ones nan.
    known = np.isfinite(whole).any(axis=1, where=~diagonal) & ~result.fixed_or_active[:n]
    if result.related is not None:
        known &= np.array([not tie for tie in result.related.ties[:n]])
    where = np.flatnonzero(known)
    if where.size < 2:
        return None
    names, matrix = result.parameter_names, whole[np.ix_(where, where)]
    size = np.where(np.isfinite(matrix), np.abs(matrix), 0.0)
    i, j = np.triu_indices(where.size, 1)
    order = np.argsort(-size[i, j], kind="stable")
    pairs = [
        (names[where[a]], names[where[b]], float(matrix[a, b]))
        for a, b in zip(i[order], j[order], strict=True)
        if size[a, b] > SMALLEST
    ]
    np.fill_diagonal(size, 0.0)
    kept = np.sort(np.argsort(-size.max(axis=1), kind="stable")[:_SHOWN])
    return Correlations(
        tuple(names[where[k]] for k in kept),
        matrix[np.ix_(kept, kept)],
        pairs,
        result.free_count - kept.size,
    )
