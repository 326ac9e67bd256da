"""A user's script: leastsq."""

import numpy as np
from numpy.typing import NDArray

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)


def residual(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(x[0] * np.exp(-x[1] * T) - Y)


x, cov_x, infodict, mesg, ier = lmoo.leastsq(residual, [1, 1], full_output=True)
assert ier in (1, 2, 3, 4)
