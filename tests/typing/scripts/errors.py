"""A user's script: errors."""

import warnings

import numpy as np
from numpy.typing import NDArray

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)


def residual(x: NDArray[np.float64]) -> NDArray[np.float64]:
    if x[0] <= 0:
        raise lmoo.EvaluationError("x must be positive")
    return np.log(x) - 1.0


with warnings.catch_warnings():
    warnings.simplefilter("error", lmoo.OptimizeWarning)
    print(lmoo.Solver().solve(lmoo.FunctionProblem(residual), [5.0]).x)
