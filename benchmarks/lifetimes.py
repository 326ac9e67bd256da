"""Plot for docs/many.rst: lifetimes in a stack of images, by pixel, and their standard errors.

    python benchmarks/lifetimes.py docs/data/lifetimes.png

256 x 256 pixels, each with a decay of 64 points and counting noise, and some dead pixels.
"""

import sys

import matplotlib
import numpy as np
from common import seconds, versions

import lmoo

SIDE, POINTS = 256, 64


def images():
    """Return times and a stack of images, (SIDE, SIDE, POINTS): two cells on a background."""
    rng = np.random.default_rng(5)
    v, u = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    cells = [(-0.35, -0.2, 0.45), (0.4, 0.3, 0.38)]
    inside = [np.exp(-((((u - a) ** 2 + (v - b) ** 2) / r**2) ** 2)) for a, b, r in cells]
    lifetime = 2.0 + 1.4 * inside[0] - 0.9 * inside[1] + 0.15 * np.sin(9 * u) * inside[0]
    brightness = 150.0 + 900.0 * inside[0] + 600.0 * inside[1]
    t = np.linspace(0.0, 12.0, POINTS)
    clean = brightness[..., None] * np.exp(-t / lifetime[..., None]) + 10.0
    counts = rng.poisson(clean).astype(np.float64)
    counts[rng.random(lifetime.shape) < 0.001] = np.nan
    return t, counts, lifetime


def main() -> None:
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    t, counts, truth = images()
    sigma = np.sqrt(np.maximum(np.nan_to_num(counts, nan=1.0), 1.0))
    model = lmoo.models.Exponential()
    fits = []
    took = seconds(
        lambda: fits.append(lmoo.curve_fit_many(model, t, counts, sigma=sigma, nan_policy="omit"))
    )
    rate, error = fits[0].x[..., 1], fits[0].stderr[..., 1]
    lifetime, error = 1.0 / rate, error / rate**2
    good = fits[0].success
    pull = ((lifetime - truth) / error)[good]
    text = f"{SIDE * SIDE} fits of {POINTS} points in {took:.2f} s"
    print(f"{text}; {good.mean():.2%} converged, pulls of width {pull.std():.2f}")
    print(versions("matplotlib"))

    figure, axes = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained")
    shown = [
        (counts[..., 0], "first image", "counts", "gray", None),
        (np.where(good, lifetime, np.nan), "lifetime", "ns", "viridis", (0.9, 3.6)),
        (np.where(good, error, np.nan), "its standard error", "ns", "magma", (0.0, 0.16)),
    ]
    for axis, (image, title, unit, colours, limits) in zip(axes, shown, strict=True):
        low, high = limits or (None, None)
        drawn = axis.imshow(image, cmap=colours, vmin=low, vmax=high)
        axis.set_title(title)
        axis.set_xticks([])
        axis.set_yticks([])
        figure.colorbar(drawn, ax=axis, label=unit, shrink=0.85)
    figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "lifetimes.png", dpi=80)


if __name__ == "__main__":
    main()
