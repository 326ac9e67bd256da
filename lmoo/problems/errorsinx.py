"""The errors of the independent variables of a curve."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.problems.arguments import real_array
from lmoo.problems.data import curve_data
from lmoo.problems.missing import missing_of


class ErrorsInX(NamedTuple):
    """The errors of the k variables of m points.

    roots : (m, k, k), L of each point, where L L^T is its covariance
    has_error : (m, k) uint8, 1 for columns of L that are not 0
    with_y : (m, k) or None; [L 0; with_y, 1 / weights] is the factor of the covariance with y
    sigma_y, weights : (m,) or None, with covariances of x and y: standard deviations of y, and the
        factors of residuals, 1 / the standard deviations of y for known x
    """

    roots: Array
    has_error: NDArray[np.uint8]
    with_y: Array | None = None
    sigma_y: Array | None = None
    weights: Array | None = None

    def of(self, kept: NDArray[np.intp]) -> "ErrorsInX":
        """Return the errors of some of the points."""
        parts = (None if part is None else np.ascontiguousarray(part[kept]) for part in self)
        return ErrorsInX(*parts)  # type: ignore[arg-type]

    def with_exact(self, count: int) -> "ErrorsInX":
        """Return the errors of these points and of further ones, which are exact."""
        k = self.has_error.shape[1]
        with_y = self.with_y
        return ErrorsInX(
            np.concatenate([self.roots, np.zeros((count, k, k))]),
            np.concatenate([self.has_error, np.zeros((count, k), np.uint8)]),
            None if with_y is None else np.concatenate([with_y, np.zeros((count, k))]),
        )


def errors_in_x(sigma_x: Any, t: Any, m: int) -> ErrorsInX:
    """Return the errors of the independent variables.

    Parameters
    ----------
    sigma_x : float, array_like or tuple
        As for `lmoo.CurveProblem`.
    t : array or tuple of arrays
        The independent variables, (m,), (k, m) or a tuple of (m,).
    m : int
        The number of points.

    Raises
    ------
    TypeError
        t is no array of numbers for each variable; an entry of the wrong type.
    ValueError
        A shape that is none of these; a negative number, one that is not finite; all are 0; a
        covariance that is not symmetric and positive definite.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.problems.errorsinx import errors_in_x
    >>> errors_in_x(0.5, np.arange(2.0), 2).roots.ravel()
    array([0.5, 0.5])
    """
    k = _variables(t, m)
    shapes = f"a number, or have shape {(m,)}" if k == 1 else (
        f"a number, a tuple of {k} numbers or arrays of shape {(m,)}, or have shape {(k, m)}"
    )  # fmt: skip
    if isinstance(sigma_x, tuple):
        if len(sigma_x) != k:
            raise ValueError(
                f"sigma_x must have an entry for each of the {k} variables; it has {len(sigma_x)}"
            )
        parts = [_one(part, m, shapes) for part in sigma_x]
        return _deviations(np.stack(parts))
    array = real_array("sigma_x", sigma_x)
    if array.shape == (m, k, k):
        roots, has_error = _roots(array)
        return ErrorsInX(roots, _some(has_error))
    if array.shape == (m, k + 1, k + 1):
        return _with_y(array)
    if array.ndim == 0 or (k == 1 and array.shape == (m,)):
        return _deviations(np.broadcast_to(array, (k, m)))
    if array.shape == (k, m):
        return _deviations(array)
    raise ValueError(
        f"sigma_x must be {shapes}, or {(m, k, k)} for covariances, or "
        f"{(m, k + 1, k + 1)} for covariances with y; it has {array.shape}"
    )


def _variables(t: Any, m: int) -> int:
    """Return the number of variables; TypeError if they are no arrays of numbers."""
    parts = t if isinstance(t, tuple) else (t,)
    good = all(isinstance(part, np.ndarray) and part.dtype == np.float64 for part in parts)
    if good and isinstance(t, tuple) and parts and all(part.shape == (m,) for part in parts):
        return len(parts)
    if good and not isinstance(t, tuple) and t.shape[-1:] == (m,) and t.ndim < 3:
        return 1 if t.ndim == 1 else len(t)
    raise TypeError(
        f"t must be an array of numbers, or a tuple of them, with sigma_x; it is {type(t).__name__}"
    )


def _one(part: Any, m: int, shapes: str) -> Array:
    array = real_array("sigma_x", part)
    if array.shape not in ((), (m,)):
        raise ValueError(f"sigma_x must be {shapes}; an entry has shape {array.shape}")
    return np.broadcast_to(array, (m,))


def _deviations(sigma: Array) -> ErrorsInX:
    """Return the errors for standard deviations, (k, m)."""
    bad = ~(np.isfinite(sigma) & (sigma >= 0.0))
    if bad.any():
        j, i = np.argwhere(bad)[0]
        raise ValueError(
            f"sigma_x must be finite and not negative; that of point {i} is {sigma[j, i]}"
        )
    k, m = sigma.shape
    roots = np.zeros((m, k, k))
    roots[:, np.arange(k), np.arange(k)] = sigma.T
    return ErrorsInX(roots, _some(sigma.T > 0.0))


def _with_y(matrices: Array) -> ErrorsInX:
    """Return the errors for covariances of the variables and y, (m, k + 1, k + 1)."""
    factors, has_error = _roots(matrices)
    if not has_error[:, -1].all():
        i = int(np.argmin(has_error[:, -1]))
        raise ValueError(
            f"sigma_x must have a variance of y that is positive; that of point {i} is 0"
        )
    return ErrorsInX(
        np.ascontiguousarray(factors[:, :-1, :-1]),
        _some(has_error[:, :-1]),
        np.ascontiguousarray(factors[:, -1, :-1]),
        np.sqrt(matrices[:, -1, -1]),
        1.0 / factors[:, -1, -1],
    )


def _some(has_error: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return which variables have errors, (m, k); ValueError if none has."""
    if not has_error.any():
        raise ValueError("sigma_x must be positive for some points; leave it out, it is 0 for all")
    return np.ascontiguousarray(has_error, dtype=np.uint8)


def _roots(matrices: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return Cholesky factors of covariances, (m, k, k), and which variables have errors, (m, k).

    Rows and columns of zeros are those of a variable that is exact.
    """
    if not np.isfinite(matrices).all():
        raise ValueError("sigma_x must be finite; a covariance is not")
    size = np.abs(matrices).max(axis=(1, 2))
    apart = np.abs(matrices - np.swapaxes(matrices, 1, 2)).max(axis=(1, 2))
    if (apart > 1e-8 * size).any():
        i = int(np.argmax(apart > 1e-8 * size))
        raise ValueError(f"sigma_x must have symmetric covariances; that of point {i} is not")
    has_error = (matrices != 0.0).any(axis=2)
    unit = np.eye(matrices.shape[1]) * ~has_error[:, None, :]
    try:
        factors = np.linalg.cholesky(matrices + unit)
    except np.linalg.LinAlgError:
        i = int(np.argmax(np.linalg.eigvalsh(matrices + unit)[:, 0] <= 0.0))
        raise ValueError(
            "sigma_x must have covariances that are positive definite, but for variables without "
            f"errors, of which rows and columns are 0; that of point {i} is not"
        ) from None
    return np.ascontiguousarray(factors - unit), has_error


def joined(t: Any) -> Array:
    """Return the variables as one array, (k, m)."""
    return np.ascontiguousarray(np.stack(t) if isinstance(t, tuple) else np.atleast_2d(t))


def separate(points: Array, t: Any) -> Any:
    """Return variables, (k, m), in the form of t."""
    if isinstance(t, tuple):
        return tuple(points)
    return points[0] if t.ndim == 1 else points


def data_with_errors(
    t: Any, y: Any, sigma: Any, nan_policy: str, sigma_x: Any
) -> tuple[Any, Array, Array | None, ErrorsInX]:
    """Return the data of a curve as `curve_data`, and the errors in x of the points that are used.

    Parameters
    ----------
    t, y, sigma, nan_policy
        As for `curve_data`.
    sigma_x : float, array_like or tuple
        As for `lmoo.CurveProblem`.

    Raises
    ------
    TypeError, ValueError
        As for `curve_data` and `errors_in_x`; sigma is a covariance matrix, or there are two
        standard deviations of y.
    """
    several = isinstance(t, tuple)
    m = np.size(y)
    sigma_x, mask = _present_errors(sigma_x, m, nan_policy == "omit")
    place = np.arange(m) if mask is None else np.ma.array(np.arange(m), mask=mask)
    parts, values, deviations = curve_data(
        (*t, place) if several else (t, place), y, sigma, nan_policy
    )
    if deviations is not None and deviations.ndim > 1:
        raise ValueError(
            "sigma must be the standard deviations of y with sigma_x; it is a covariance matrix"
        )
    whole = tuple(np.asarray(part) for part in t) if several else np.asarray(t)
    errors = errors_in_x(sigma_x, _as_float(whole), m).of(parts[-1].astype(np.intp))
    if errors.sigma_y is not None and sigma is not None:
        raise ValueError(
            f"sigma must be left out where sigma_x has the covariances of x and y; it is {sigma!r}"
        )
    known = deviations if errors.sigma_y is None else errors.sigma_y
    return parts[:-1] if several else parts[0], values, known, errors


def _present_errors(sigma_x: Any, m: int, omit: bool) -> tuple[Any, NDArray[np.bool_] | None]:
    """Return the errors in x with 1 in the place of missing ones, and the points they are of."""
    if isinstance(sigma_x, tuple):
        found = [_present_errors(part, m, omit) for part in sigma_x]
        masks = [mask for _, mask in found if mask is not None]
        together = np.asarray(np.any(masks, axis=0)) if masks else None
        return tuple(part for part, _ in found), together
    plain, mask = missing_of(sigma_x, omit)
    if mask is None or mask.ndim == 0 or mask.shape[0 if mask.ndim > 2 else -1] != m:
        return sigma_x, None
    if mask.ndim > 2:
        points: NDArray[np.bool_] = np.asarray(mask.any(axis=(1, 2)))
        return np.where(points[:, None, None], np.eye(mask.shape[-1]), plain), points
    return np.where(mask, 1.0, plain), np.asarray(mask.reshape(-1, m).any(axis=0))


def _as_float(t: Any) -> Any:
    """Return t with arrays of real numbers in double precision."""
    if isinstance(t, tuple):
        return tuple(_as_float(part) for part in t)
    return t.astype(np.float64) if t.dtype.kind in "biuf" else t
