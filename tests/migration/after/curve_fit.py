"""A decay with weights and bounds, by lmoo."""

import numpy as np

import lmoo

rng = np.random.default_rng(2)
t = np.linspace(0, 4, 40)
sigma = np.where(t < 2, 0.02, 0.05)
y = 2.5 * np.exp(-1.3 * t) + 0.5 + sigma * rng.normal(size=40)


def decay(t, amplitude, rate, offset):
    return amplitude * np.exp(-rate * t) + offset


bounds = {"amplitude": (0, 10), "rate": (0, 10), "offset": (0, None)}
result = lmoo.fit(decay, t, y, sigma=sigma, bounds=bounds)
names = result.parameter_names
values = dict(zip(names, result.x, strict=True), chi_square=result.reduced_chi_square)
for name, (lower, upper) in zip(names, result.confidence_interval(scaled=False), strict=True):
    values |= {f"{name}_lower": lower, f"{name}_upper": upper}
errors = dict(zip(names, np.sqrt(np.diag(result.covariance(scaled=False))), strict=True))
