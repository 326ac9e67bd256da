"""A user's script: statistics of a result."""

import numpy as np
from numpy.typing import NDArray

import lmoo

t = np.linspace(0.0, 1.0, 12)
result = lmoo.fit("a + b*t", t, 1.0 + 2.0 * t + 0.01 * np.cos(20.0 * t))
intervals: NDArray[np.float64] = result.confidence_interval(0.9, method="profile")
values, tau = result.profile("b")
numbers: list[float] = [result.aic, result.bic, result.r_squared, result.reduced_chi_square]
print(intervals, values, tau, numbers, result.leverage.sum(), result.nonlinearity())
errors: dict[str, float] = {name: result[name].stderr for name in result.parameter_names}
print(errors, result.undetermined, result.correlation[0, 1])
