"""The normal matrix of a sparse matrix."""

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.intp]
Column = NDArray[np.intc]

def normal_pattern(
    first: Column, index: Column, start: Index, place: Index, row: Index
) -> tuple[Index, Column]: ...
def normal_values(
    first: Column,
    index: Column,
    data: NDArray[np.float64],
    start: Index,
    place: Index,
    row: Index,
    begin: Column,
    target: Column,
) -> NDArray[np.float64]: ...
