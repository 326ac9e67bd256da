"""The normal matrix of a sparse matrix."""

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array, Index

_Index = Index
_Column = NDArray[np.intc]

def normal_pattern(
    first: _Column, index: _Column, start: _Index, place: _Index, row: _Index
) -> tuple[_Index, _Column]: ...
def normal_values(
    first: _Column,
    index: _Column,
    data: Array,
    start: _Index,
    place: _Index,
    row: _Index,
    begin: _Column,
    target: _Column,
) -> Array: ...
