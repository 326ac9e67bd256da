"""Linear least squares within bounds, approximately."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["bounded_lstsq"]

Array = NDArray[np.float64]


def bounded_lstsq(matrix: Array, target: Array, limits: Array) -> Array:
    """Return an approximate solution of a linear least-squares problem with bounds.

    Unknowns outside their bounds are set to them, and the problem is solved again for the others.

    Parameters
    ----------
    matrix : (m, n) float64 array
    target : (m,) float64 array
    limits : (n, 2) float64 array
        Lower and upper bounds.

    Returns
    -------
    (n,) float64 array
        All nan if `matrix` or `target` is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.models.starts.lstsq import bounded_lstsq
    >>> limits = np.array([[0.0, 1.0], [-np.inf, np.inf]])
    >>> bounded_lstsq(np.eye(2), np.array([3.0, 2.0]), limits)
    array([1., 2.])
    """
    n = matrix.shape[1]
    if not (np.isfinite(matrix).all() and np.isfinite(target).all()):
        return np.full(n, np.nan)
    # Columns and target are scaled: the units do not affect the rank, and squares do not overflow.
    largest = np.abs(matrix).max(axis=0)
    lengths = np.where(largest > 0.0, largest, 1.0)
    scaled = matrix / lengths
    norms = np.linalg.norm(scaled, axis=0)
    scaled = scaled / np.where(norms > 0.0, norms, 1.0)
    lengths = lengths * np.where(norms > 0.0, norms, 1.0)
    active = np.zeros(n, dtype=bool)
    solution = np.zeros(n)
    for _ in range(n + 1):
        rest = target - matrix[:, active] @ solution[active]
        size = float(np.abs(rest).max()) or 1.0
        free = np.linalg.lstsq(scaled[:, ~active], rest / size, rcond=1e-12)[0]
        solution[~active] = free / lengths[~active] * size
        bounded = np.clip(solution, limits[:, 0], limits[:, 1])
        outside = bounded != solution
        solution = bounded
        if not outside.any():
            break
        active |= outside
    return solution
