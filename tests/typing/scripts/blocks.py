"""A user's script: blocks."""

import numpy as np
from numpy.typing import NDArray

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)


class Blocks(lmoo.RowBlockProblem):
    def blocks(self) -> list[slice]:
        return [slice(0, 10), slice(10, 20)]

    def block_residual(self, x: NDArray[np.float64], block: slice) -> NDArray[np.float64]:
        return np.asarray(x[0] * T[block] - Y[block])


print(Blocks)
