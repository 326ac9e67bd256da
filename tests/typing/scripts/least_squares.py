"""A user's script: least squares."""

import numpy as np

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)

found = lmoo.least_squares(lambda x: x[0] * np.exp(-x[1] * T) - Y, [1.0, 1.0], loss="huber")
print(found.x, found["cost"])
