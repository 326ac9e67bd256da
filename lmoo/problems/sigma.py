"""The standard deviations of data, or their covariance matrix: checks, and factors of residuals."""

import warnings
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.problems.arguments import entry, positive, real_array


def checked_absolute_sigma(value: Any, sigma: Any, y: str = "y", level: int = 3) -> bool | None:
    """Return the option `absolute_sigma`: whether sigma is known, None if that is not said.

    Parameters
    ----------
    value : None or bool
    sigma : object
        The sigma that it is about; with None and a true value there is a warning.
    y : str
        Name of the dependent variable in messages.
    level : int
        Number of frames from here to the caller's code.

    Raises
    ------
    TypeError
        The value is neither None nor a truth value.

    Warns
    -----
    UserWarning
        The value is true and there is no sigma.
    """
    if value is None:
        return None
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"absolute_sigma must be True, False or None; it is {value!r}")
    if value and sigma is None:
        warnings.warn(
            f"absolute_sigma=True without sigma: the errors of {y} are assumed to be 1, in its "
            "unit. Give sigma, or absolute_sigma=False, which estimates the errors from the "
            "residual",
            UserWarning,
            stacklevel=level,
        )
    return bool(value)


def checked_sigma(sigma: Any, m: int) -> Array | None:
    """Return sigma for m points as a new array, as `curve_data` does; None for None."""
    return None if sigma is None else positive_sigma(sigma_array(sigma, m, "y"))


def sigma_array(sigma: Any, m: int, y: str) -> Array:
    """Return sigma as an array (m,) or (m, m), without a check of its values."""
    array = real_array("sigma", sigma)
    if array.ndim < 2 and array.size == 1:
        array = np.full(m, array.item())
    if array.shape not in ((m,), (m, m)):
        raise ValueError(
            f"sigma must be a number, or have shape {(m,)} or {(m, m)}, as {y} has {m} points; "
            f"its shape is {array.shape}"
        )
    return array


def positive_sigma(sigma: Array) -> Array:
    """Return sigma; ValueError if it is not positive, or not a covariance matrix."""
    if sigma.ndim == 1:
        return positive("sigma", sigma)
    wrong = ~np.isfinite(sigma)
    if wrong.any():
        raise ValueError(f"sigma must be finite; {entry(sigma, wrong)}")
    if not np.allclose(sigma, sigma.T, rtol=1e-8, atol=1e-12 * float(np.abs(sigma).max())):
        raise ValueError("sigma must be symmetric where it is a covariance matrix; it is not")
    return sigma


def whitening(sigma: Array | None) -> Array | None:
    """Return the factors that give a residual unit variance: None, (m,) or (m, m).

    For a covariance ``sigma = L @ L.T`` it is the inverse of L.
    """
    if sigma is None:
        return None
    if sigma.ndim < 2:
        return np.atleast_1d(1.0 / sigma)
    try:
        factor = np.linalg.cholesky(sigma)
    except np.linalg.LinAlgError as error:
        raise ValueError("`sigma` must be positive definite.") from error
    # A product with the inverse takes m^2 multiplications, as many as a substitution.
    return np.tril(np.linalg.inv(factor))


def whitened(values: Any, by: Array | None) -> Any:
    """Return values, (m,) or (m, n), multiplied by the result of `whitening`."""
    if by is None:
        return values
    if by.ndim > 1:
        return by @ values
    return (by if values.ndim == 1 else by[:, None]) * values
