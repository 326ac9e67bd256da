"""A user's script: many."""

import numpy as np
from numpy.typing import NDArray

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)


def line(t: NDArray[np.float64], a: NDArray[np.float64]) -> NDArray[np.float64]:
    return a * t


fits: lmoo.Fits = lmoo.curve_fit_many(line, T, np.stack([T, 2 * T]), p0=[1.0])
good: NDArray[np.bool_] = fits.success
first: lmoo.Result = fits[0]
print(good.all(), first.x)
