"""A user's script: models."""

import numpy as np

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)

result = lmoo.fit(lmoo.models.Gaussian() + lmoo.models.Linear(), T, Y, p0=[1, 2, 0.5, 0, 0, 0])
print(result.x)
