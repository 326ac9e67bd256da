"""
An image of lifetimes: many fits at once
========================================

A stack of 40 images, one per time: each pixel is a decay with its own lifetime. All 4,800 curves
are fitted in one call, on all processors.
"""

import matplotlib.pyplot as plt
import numpy as np

import lmoo

rng = np.random.default_rng(3)
row, column = np.mgrid[0:60, 0:80]
lifetime = 1.0 + 1.5 * np.exp(-((row - 25) ** 2 + (column - 50) ** 2) / 400)
t = np.linspace(0, 6, 40)
expected = 60 * np.exp(-t / lifetime[..., None]) + 4
counts = rng.poisson(expected).astype(float)  # (60, 80, 40)


def decay(t, amplitude, tau, offset):
    return amplitude * np.exp(-t / tau) + offset


fits = lmoo.curve_fit_many(
    decay,
    t,
    counts,
    p0=[50, 1, 1],
    sigma=np.sqrt(np.maximum(counts, 1)),
    bounds={"tau": (0.05, 50)},
)
print(f"{fits.success.sum()} of {fits.success.size} fits found a minimum")

# %%
# The result has arrays of the shape of the image:
figure, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
for ax, title, image, colours in (
    (axes[0], "first image / counts", counts[..., 0], "gray"),
    (axes[1], "lifetime", fits.x[..., 1], "viridis"),
    (axes[2], "standard error", fits.stderr[..., 1], "magma"),
):
    low, high = np.nanpercentile(image, [1, 99])
    shown = ax.imshow(image, cmap=colours, vmin=low, vmax=high)
    ax.set(title=title, xticks=[], yticks=[])
    bar = figure.colorbar(shown, ax=ax, shrink=0.8)

# %%
# ``fits[25, 50]`` is the result of one pixel:
print(fits[25, 50].params)

# %%
# :doc:`/many` explains the options, :doc:`/joint` how curves share parameters.
