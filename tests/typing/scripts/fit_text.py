"""A user's script: fit text."""

import numpy as np
from numpy.typing import NDArray

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)

result: lmoo.Result = lmoo.fit("a*exp(-b*t)", T, Y)
names: tuple[str, ...] = result.parameter_names
values: NDArray[np.float64] = result.x
assert result.success
