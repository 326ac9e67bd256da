"""A damped oscillation, by scipy's leastsq."""

import numpy as np
from scipy.optimize import leastsq

rng = np.random.default_rng(1)
t = np.linspace(0, 10, 80)
y = 2.0 * np.exp(-0.3 * t) * np.sin(3.0 * t + 0.4) + 0.05 * rng.normal(size=80)


def residual(p, t, y):
    amplitude, damping, frequency, phase = p
    return amplitude * np.exp(-damping * t) * np.sin(frequency * t + phase) - y


p, cov, info, message, ier = leastsq(residual, [1, 0.1, 2.9, 0], args=(t, y), full_output=True)
if ier not in (1, 2, 3, 4):
    raise RuntimeError(message)
variance = (info["fvec"] ** 2).sum() / (t.size - p.size)
errors = np.sqrt(np.diag(cov) * variance)
names = ["amplitude", "damping", "frequency", "phase"]
values = dict(zip(names, p, strict=True))
errors = dict(zip(names, errors, strict=True))
