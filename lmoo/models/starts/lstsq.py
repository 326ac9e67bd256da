"""Linear least squares within bounds, approximately, for many problems at once."""

import numpy as np

from lmoo._core.arrays import Array

# Singular values below this, relative to the largest, are 0.
_RANK = 1e-12


def bounded_lstsq(matrices: Array, targets: Array, limits: Array) -> Array:
    """Return approximate solutions of k linear least-squares problems with bounds.

    Unknowns outside their bounds are set to them, and the problem is solved again for the others.

    Parameters
    ----------
    matrices : (k, m, n) float64 array
    targets : (k, m) float64 array
    limits : (n, 2) float64 array
        Lower and upper bounds.

    Returns
    -------
    (k, n) float64 array
        All nan for a problem that is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.models.starts.lstsq import bounded_lstsq
    >>> limits = np.array([[0.0, 1.0], [-np.inf, np.inf]])
    >>> bounded_lstsq(np.eye(2)[None], np.array([[3.0, 2.0]]), limits)
    array([[1., 2.]])
    """
    k, _, n = matrices.shape
    solutions = np.full((k, n), np.nan)
    finite = np.isfinite(matrices).all(axis=(1, 2)) & np.isfinite(targets).all(axis=1)
    which = np.flatnonzero(finite)
    if not which.size:
        return solutions
    matrices, targets = matrices[which], targets[which]
    # Columns and target are scaled: the units do not affect the rank, and squares do not overflow.
    lengths = _or_one(np.abs(matrices).max(axis=1, initial=0.0))
    scaled = matrices / lengths[:, None]
    norms = _or_one(np.linalg.norm(scaled, axis=1))
    scaled, lengths = scaled / norms[:, None], lengths * norms
    found = _solved(scaled, targets) / lengths
    bounded = np.clip(found, limits[:, 0], limits[:, 1])
    for i in np.flatnonzero((bounded != found).any(axis=1)):
        outside, active = bounded[i] != found[i], np.zeros(n, dtype=bool)
        while outside.any():
            active |= outside
            rest = targets[i] - matrices[i][:, active] @ bounded[i, active]
            free = bounded[i].copy()
            free[~active] = _solved(scaled[i][None, :, ~active], rest[None])[0]
            free[~active] /= lengths[i, ~active]
            bounded[i] = np.clip(free, limits[:, 0], limits[:, 1])
            outside = bounded[i] != free
    solutions[which] = bounded
    return solutions


def _solved(matrices: Array, targets: Array) -> Array:
    """Return the shortest solutions of least-squares problems without bounds."""
    sizes = _or_one(np.abs(targets).max(axis=1, keepdims=True, initial=0.0))
    u, singular, vt = np.linalg.svd(matrices, full_matrices=False)
    kept = singular > _RANK * singular.max(axis=1, keepdims=True, initial=0.0)
    along = np.einsum("kmr,km->kr", u, targets / sizes) * kept / _or_one(singular)
    solutions: Array = np.einsum("krn,kr->kn", vt, along) * sizes
    return solutions


def _or_one(values: Array) -> Array:
    """Return the values, 1 in the place of 0."""
    return np.where(values > 0.0, values, 1.0)
