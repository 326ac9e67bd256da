"""Numbers for draws: parts of the unit interval, magnitudes, roots and ranges.

A draw is a row of an array: k draws at m rows of the data are a (k, m) array.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.models.starts.features import fastest


def split_unit(u: Array, *lengths: float) -> tuple[list[Array], Any]:
    """Divide the unit interval into parts.

    Parameters
    ----------
    u : (k, 1) float64 array, in (0, 1)
    *lengths : float
        Lengths of the parts; their sum is 1.

    Returns
    -------
    shares : list of (k, 1) float64 array
        For each part the position of u in it, from 0 to 1.
    part : (k, 1) int array
        The index of the part that contains u.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.models.starts.numbers import split_unit
    >>> (first, second), part = split_unit(np.array([[0.5]]), 0.25, 0.75)
    >>> part, second.round(3)
    (array([[1]]), array([[0.333]]))
    """
    edges = np.concatenate([[0.0], np.cumsum(lengths)])
    shares = [np.clip((u - low) / (high - low), 0.0, 1.0) for low, high in pairwise(edges)]
    part = np.clip(np.searchsorted(edges, u, side="right") - 1, 0, len(lengths) - 1)
    return shares, part


def log_uniform(share: Any, least: Any, most: Any) -> Any:
    """Return the magnitude between `least` and `most` at a share of the logarithmic range."""
    return least * (most / least) ** share


def root(power: Any, exponent: Any) -> Any:
    """Return p such that p^exponent is `power`; nan if there is no such p."""
    e = last_row(exponent)
    size = np.abs(power) ** (1.0 / e)
    return np.where(power >= 0.0, size, np.where(is_odd(exponent), -size, np.nan))


def signed_root(size: Any, exponent: Any, sign: Any) -> Any:
    """Return p such that p^exponent has a magnitude and, if the exponent is odd, a sign."""
    return root(np.where(is_odd(exponent), sign * size, size), exponent)


def is_odd(exponent: Any) -> Any:
    """Return whether p^exponent changes its sign with p."""
    return np.abs(np.fmod(last_row(exponent), 2.0)) == 1.0


def last_row(values: Any) -> Any:
    """Return one value for each draw, that of the last row of the data if there are several."""
    array = np.asarray(values)
    if array.ndim == 0:
        return array[()]
    return array[..., -1:] if array.ndim > 1 else array[-1:][None]


def middle_row(values: Any) -> Any:
    """Return the value of each draw in the middle row of the data."""
    array = np.atleast_2d(values)
    return array[:, [array.shape[1] // 2]]


def finite_range(values: Any) -> tuple[Array, Array]:
    """Return the smallest and the largest finite value of each draw."""
    finite = np.isfinite(values)
    low = np.where(finite, values, np.inf).min(axis=1, keepdims=True)
    high = np.where(finite, values, -np.inf).max(axis=1, keepdims=True)
    return low, high


def magnitude_range(sizes: Any) -> tuple[Array, Array]:
    """Return a small magnitude and the largest one of each draw; nan if all are zero.

    The smallest magnitude is skipped if there are others, since rounding alone can make it tiny
    (x - m at a row where x is m).
    """
    kept = np.where((sizes > 0.0) & np.isfinite(sizes), sizes, np.nan)
    ordered = np.sort(kept, axis=1)  # nan last
    count = np.sum(np.isfinite(ordered), axis=1, keepdims=True)
    small = np.minimum(np.where(count > 4, 1 + count // 50, 0), np.maximum(count - 1, 0))
    least = np.take_along_axis(ordered, small, axis=1)
    most = np.take_along_axis(ordered, np.maximum(count - 1, 0), axis=1)
    return least, most


def nearest_to_zero(values: Any) -> Array:
    """Return the finite value of each draw that is nearest to zero."""
    array = np.atleast_2d(values)
    index = np.argmin(np.where(np.isfinite(array), np.abs(array), np.inf), axis=1)
    return np.take_along_axis(array, index[:, None], axis=1)


def highest_frequency(coordinate: Any) -> Any:
    """Return the highest angular frequency that the sampling can resolve, for each draw."""
    array = np.atleast_2d(coordinate)
    return np.array([[fastest(row[np.isfinite(row)])] for row in array])
