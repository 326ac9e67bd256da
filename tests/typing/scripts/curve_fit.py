"""A user's script: curve fit."""

import numpy as np
from numpy.typing import NDArray

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)


def decay(t: NDArray[np.float64], a: float, b: float) -> NDArray[np.float64]:
    return a * np.exp(-b * t)


popt, pcov = lmoo.curve_fit(decay, T, Y, p0=[1, 1], bounds=([0, 0], [9, 9]))
print(np.sqrt(np.diag(pcov)))
