"""
Outliers: a robust loss
=======================

Fifty points of a decay; every tenth one is too high by 1. Least squares follows the outliers, a
robust loss limits their effect.
"""

import matplotlib.pyplot as plt
import numpy as np

import lmoo


def decay(t, amplitude, rate, offset):
    return amplitude * np.exp(-rate * t) + offset


rng = np.random.default_rng(7)
t = np.linspace(0, 4, 50)
y = decay(t, 2.5, 1.3, 0.5) + 0.02 * rng.standard_normal(50)
y[::10] += 1.0

squares = lmoo.fit(decay, t, y)
robust = lmoo.fit(decay, t, y, loss="cauchy", f_scale="mad")
print("least squares")
print(squares.params)
print("robust")
print(robust.params)

# %%
# The weights in the loss show which points count as outliers:
outlier = robust.loss_weights < 0.5
print(np.flatnonzero(outlier))

figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
ax.plot(t[~outlier], y[~outlier], "o", color="0.3", label="data")
ax.plot(t[outlier], y[outlier], "o", color="0.3", markerfacecolor="none", label="outliers")
ax.plot(t, squares.predict(t), "--", label="least squares")
ax.plot(t, robust.predict(t), label="robust loss")
ax.set(xlabel="t", ylabel="y")
legend = ax.legend(frameon=False)

# %%
# :doc:`/robust` lists the losses and says how far to trust the standard errors.
