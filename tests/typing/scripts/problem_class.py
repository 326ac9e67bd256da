"""A user's script: problem class."""

import numpy as np
from numpy.typing import NDArray

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)


class Decay(lmoo.Problem):
    parameter_names = ("amplitude", "rate")

    def __init__(self, t: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        self.t, self.y = t, y

    def residual(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(x[0] * np.exp(-x[1] * self.t) - self.y)


result = lmoo.Solver(xtol=1e-12).solve(Decay(T, Y), [1, 1])
print(result.stderr, result.status is lmoo.Status.XTOL)
