"""A line through points with outliers, by scipy's least_squares."""

import numpy as np
from scipy.optimize import least_squares

rng = np.random.default_rng(3)
t = np.linspace(0, 5, 60)
y = 1.5 + 0.8 * t + 0.1 * rng.normal(size=60)
y[::12] += 3.0


def residual(p):
    return p[0] + p[1] * t - y


solution = least_squares(residual, [1, 1], loss="soft_l1", f_scale=0.1, bounds=([0, 0], np.inf))
assert solution.success
values = {"intercept": solution.x[0], "slope": solution.x[1], "cost": solution.cost}
errors = {}  # scipy has none
