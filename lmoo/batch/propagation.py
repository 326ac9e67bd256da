"""Errors of parameters and derived quantities from the covariances of many fits' coordinates."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.models.relations.coordinates import Coordinates
from lmoo.results.factor import scaled_rows
from lmoo.results.mapped import by_priors
from lmoo.results.related import Value

_EPS = 2.0**-52
# Relative error of derivatives by differences.
_DIFFERENCES = 1e-8


def propagated(slopes: Array, covariance: Array, unit: Array | None = None) -> tuple[Array, Array]:
    """Return covariances and standard errors of functions of the coordinates.

    Parameters
    ----------
    slopes : (k, n, q) array
    covariance : (k, q, q) array
        inf and nan for coordinates that are not determined; nan for fits that have not converged.
    unit : (k, q) array, optional
        Units of the coordinates: the covariance is over these.

    Returns
    -------
    (k, n, n) array, (k, n) array
    """
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    lost = ~np.isfinite(variance)
    known = np.where(lost[:, :, None] | lost[:, None, :], 0.0, covariance)
    k, n, q = slopes.shape
    measured = slopes if unit is None else slopes * unit[:, None, :]
    rows, sizes = scaled_rows(measured.reshape(k * n, q))
    rows, sizes = rows.reshape(k, n, q), sizes.reshape(k, n)
    out = rows @ known @ np.swapaxes(rows, 1, 2)
    errors = np.sqrt(np.maximum(np.diagonal(out, axis1=1, axis2=2), 0.0)) * sizes
    with np.errstate(all="ignore"):
        out = out * sizes[:, :, None] * sizes[:, None, :]
    if lost.any():
        hit = ((slopes != 0.0) & lost[:, None, :]).any(axis=2)
        errors = np.where(hit, np.inf, errors)
        out = np.where(hit[:, :, None] | hit[:, None, :], np.nan, out)
        k, j = np.nonzero(hit)
        out[k, j, j] = np.inf
    failed = np.isnan(variance).any(axis=1)
    out[failed], errors[failed] = np.nan, np.nan
    return out, errors


def derived_quantities(
    coordinates: Coordinates, z: Array, covariance: Array, unit: Array | None = None
) -> tuple[Array, Array]:
    """Return the derived quantities and their standard errors, (k, quantities) each.

    Parameters
    ----------
    coordinates : Coordinates
    z : (k, q) array
    covariance, unit
        As for `propagated`.
    """
    functions = coordinates.derived_functions
    values = np.array(np.broadcast_arrays(*functions(z.T), z[:, 0]))[:-1].T
    return values, propagated(functions.jacobian(z.T), covariance, unit)[1]


def as_values(
    names: Sequence[str], values: Array, errors: Array, shape: tuple[int, ...]
) -> dict[str, Value]:
    """Return quantities and their errors, (count, quantities), by name in the shape of a stack."""
    return {
        name: Value(values[:, k].reshape(shape), errors[:, k].reshape(shape))
        for k, name in enumerate(names)
    }


def with_priors(
    inverse: Array,
    norms_of_data: Array,
    observations: NDArray[np.int64],
    coordinates: Coordinates,
    z: Array,
    absolute_sigma: bool,
    is_exact: bool,
) -> tuple[Array, NDArray[np.int64]]:
    """Return covariances, and the numbers of coordinates that priors alone determine.

    As `lmoo.results.mapped` has them, with errors of priors as given.

    Parameters
    ----------
    inverse : (k, q, q) float64 array
        H^-1 of each fit; inf and nan for coordinates that are not determined.
    norms_of_data : (k,) float64 array
    observations : (k,) int64 array
    coordinates : Coordinates
    z : (k, q) float64 array
    absolute_sigma : bool
    is_exact : bool
        Whether the derivatives are no differences.
    """
    error = _EPS if is_exact else _DIFFERENCES
    lost = ~np.isfinite(np.diagonal(inverse, axis1=1, axis2=2))
    known = np.where(lost[:, :, None] | lost[:, None, :], 0.0, inverse)
    with np.errstate(all="ignore"):
        root, norms = _root(known)
        shares, directions = np.linalg.svd(coordinates.prior_slopes(z.T) @ root)[1:]
        share = np.zeros(z.shape)
        share[:, : shares.shape[1]] = np.minimum(shares, 1.0) ** 2
        root = root @ np.swapaxes(directions, 1, 2)
        alone = by_priors(share, np.linalg.norm(root * norms[:, :, None], axis=1), error)
        counts = np.count_nonzero(alone, axis=1)
        if absolute_sigma:
            return inverse, counts
        degrees = observations - int(np.count_nonzero(~coordinates.fixed)) + counts
        deviation = np.where(degrees > 0, norms_of_data / np.sqrt(degrees), np.inf)
        s2 = np.where(np.isfinite(deviation), deviation * deviation, 1.0)[:, None]
        root *= np.sqrt(np.where(alone, 1.0, s2 * (1.0 - share) + share))[:, None]
        found = root @ np.swapaxes(root, 1, 2)
    # Coordinates that are held have no error.
    lost |= ~np.isfinite(deviation)[:, None] & (np.diagonal(inverse, axis1=1, axis2=2) != 0.0)
    found[lost] = np.nan
    np.swapaxes(found, 1, 2)[lost] = np.nan
    found = np.where(lost[:, :, None] & np.eye(z.shape[1], dtype=bool), np.inf, found)
    failed = np.isnan(np.diagonal(inverse, axis1=1, axis2=2)).any(axis=1)
    found[failed] = np.nan
    return found, counts


def _root(inverse: Array) -> tuple[Array, Array]:
    """Return roots of (J^T J)^-1, (k, q, q), and the norms of the columns of J, (k, q)."""
    errors = np.sqrt(np.diagonal(inverse, axis1=1, axis2=2))
    unit = np.where(errors > 0.0, 1.0 / errors, 0.0)
    scaled = inverse * unit[:, :, None] * unit[:, None, :]
    good = np.isfinite(scaled).all(axis=(1, 2), keepdims=True)
    values, vectors = np.linalg.eigh(np.where(good, scaled, 0.0))
    values = np.maximum(values, 0.0)
    squares = np.where(values[:, None] > _EPS, vectors * vectors / values[:, None], 0.0)
    root = errors[:, :, None] * vectors * np.sqrt(values)[:, None]
    return root, unit * np.sqrt(squares.sum(axis=2))
