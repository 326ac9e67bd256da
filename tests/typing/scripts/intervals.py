"""A user's script: intervals."""

import numpy as np

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)

result = lmoo.fit("a*exp(-b*t)", T, Y)
interval = result.confidence_interval(0.9)
low, high = interval[0]
print(low, high, result.covariance(), result.aic, result.bic)
