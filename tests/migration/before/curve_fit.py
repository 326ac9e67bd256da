"""A decay with weights and bounds, by scipy's curve_fit."""

import numpy as np
from scipy.optimize import curve_fit

rng = np.random.default_rng(2)
t = np.linspace(0, 4, 40)
sigma = np.where(t < 2, 0.02, 0.05)
y = 2.5 * np.exp(-1.3 * t) + 0.5 + sigma * rng.normal(size=40)


def decay(t, amplitude, rate, offset):
    return amplitude * np.exp(-rate * t) + offset


popt, pcov = curve_fit(
    decay, t, y, [1, 1, 0], sigma, absolute_sigma=True, bounds=([0, 0, 0], [10, 10, np.inf])
)
chi_square = (((decay(t, *popt) - y) / sigma) ** 2).sum() / (t.size - popt.size)
lower, upper = popt - 1.959964 * np.sqrt(np.diag(pcov)), popt + 1.959964 * np.sqrt(np.diag(pcov))
names = ["amplitude", "rate", "offset"]
values = dict(zip(names, popt, strict=True), chi_square=chi_square)
values |= {f"{name}_lower": bound for name, bound in zip(names, lower, strict=True)}
values |= {f"{name}_upper": bound for name, bound in zip(names, upper, strict=True)}
errors = dict(zip(names, np.sqrt(np.diag(pcov)), strict=True))
