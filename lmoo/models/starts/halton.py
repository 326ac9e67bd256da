"""Points that fill the unit cube evenly (Halton 1960, Numer. Math. 2, 84)."""

import numpy as np
from numpy.typing import NDArray

_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)


def halton(count: int, dimensions: int) -> NDArray[np.float64]:
    """Return points of the Halton sequence, without its first point, the origin.

    Parameters
    ----------
    count, dimensions : int
        Dimensions beyond the 16th repeat the first ones, shifted.

    Returns
    -------
    (count, dimensions) float64 array, in (0, 1)

    Examples
    --------
    >>> from lmoo.models.starts.halton import halton
    >>> halton(3, 2).round(3)
    array([[0.5  , 0.333],
           [0.25 , 0.667],
           [0.75 , 0.111]])
    """
    out = np.zeros((count, dimensions))
    for j in range(dimensions):
        base = _PRIMES[j % len(_PRIMES)]
        rest = np.arange(1, count + 1) + 409 * (j // len(_PRIMES))
        weight = 1.0
        while rest.any():
            weight /= base
            out[:, j] += weight * (rest % base)
            rest //= base
    return out
