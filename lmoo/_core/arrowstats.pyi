"""Covariances from the factor of an arrow linear model."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

def arrow_statistics(
    first: NDArray[np.intp],
    blocks: Array,
    order: NDArray[np.int32],
    rank: NDArray[np.int32],
    t: Array,
    torder: NDArray[np.int32],
    trank: int,
    norms: Array,
    excluded: NDArray[np.uint8],
    limit: float,
) -> tuple[Array, Array, Array, NDArray[np.uint8]]: ...
