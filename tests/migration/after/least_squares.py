"""A line through points with outliers, by lmoo."""

import numpy as np

import lmoo

rng = np.random.default_rng(3)
t = np.linspace(0, 5, 60)
y = 1.5 + 0.8 * t + 0.1 * rng.normal(size=60)
y[::12] += 3.0

bounds = {"intercept": (0, None), "slope": (0, None)}
result = lmoo.fit("intercept + slope*t", t, y, bounds=bounds, loss="soft_l1", f_scale=0.1)
assert result.success
values = {"intercept": result.x[0], "slope": result.x[1], "cost": result.cost}
errors = dict(zip(result.parameter_names, result.stderr, strict=True))
