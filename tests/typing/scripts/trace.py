"""A user's script: trace."""

import numpy as np
from numpy.typing import NDArray

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)


def decay(t: NDArray[np.float64], a: float, b: float) -> NDArray[np.float64]:
    return a * np.exp(-b * t)


traced = lmoo.trace(decay)
print(traced.text)
