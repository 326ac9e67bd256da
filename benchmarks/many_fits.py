"""Fits by the hundred thousand, against loops of scipy's curve_fit and leastsq.

    python benchmarks/many_fits.py            fits a second, side by side
    python benchmarks/many_fits.py scaling    cost a fit, from 10^4 to 10^7 fits

A: exponentials with an offset, 20 points, noise 0.01, from (1, 1, 0).  B: 5 x 5 pixels of a
Gaussian spot, signal to noise 10, from within 10 % (Przybylski and others 2017, "Gpufit: an
open-source toolkit for GPU-accelerated curve fitting", Scientific Reports 7).  scipy's loops are
over 1000 of the fits.
"""

import os
import resource
import sys
import tempfile

import numpy as np
import scipy.optimize
from common import ROUNDS, seconds, versions

import lmoo

FITS, LOOPED = 100_000, 1000
T = np.linspace(0.0, 4.0, 20)
GRID = tuple(part.ravel() for part in np.meshgrid(np.arange(5.0), np.arange(5.0)))
# scipy's tolerances, first step, and derivatives.
LOOSE = lmoo.Solver(
    ftol=1.49e-8, xtol=1.49e-8, factor=100.0, jacobian=lmoo.ForwardDifference(refine=False)
)
LOOSE_OWN = lmoo.Solver(ftol=1.49e-8, xtol=1.49e-8, factor=100.0)


def decay(t, a, b, c):
    return a * np.exp(-b * t) + c


def spot(at, height, x, y, width, floor):
    u, v = at
    return height * np.exp(-((u - x) ** 2 + (v - y) ** 2) / (2 * width**2)) + floor


def spot_jacobian(at, height, x, y, width, floor):
    u, v = at
    e = np.exp(-((u - x) ** 2 + (v - y) ** 2) / (2 * width**2))
    g = height * e / width**2
    columns = e, g * (u - x), g * (v - y), g * ((u - x) ** 2 + (v - y) ** 2) / width
    return np.stack([*columns, np.ones_like(e)], axis=-1)


def curves(count: int):
    rng = np.random.default_rng(0)
    rates = rng.uniform(0.8, 2.0, (count, 1))
    return decay(T, 2.5, rates, 0.5) + 0.01 * rng.standard_normal((count, T.size))


def spots(count: int):
    rng = np.random.default_rng(1)
    x = np.ones((count, 5)) * [10.0, 2.0, 2.0, 1.0, 1.0]
    x[:, 1:3] += rng.uniform(-0.3, 0.3, (count, 2))
    y = spot(GRID, *x.T[:, :, None]) + rng.standard_normal((count, 25))
    return y, x * rng.uniform(0.9, 1.1, x.shape)


def side_by_side() -> None:
    a, (b, starts) = curves(FITS), spots(FITS)
    exponential, gaussian = lmoo.models.Exponential(), lmoo.models.Gaussian2D()
    p0 = [1.0, 1.0, 0.0]

    def leastsq_a() -> None:
        for y in a[:LOOPED]:
            scipy.optimize.leastsq(lambda x, y=y: decay(T, *x) - y, p0)

    def leastsq_b() -> None:
        for y, x0 in zip(b[:LOOPED], starts, strict=False):
            scipy.optimize.leastsq(
                lambda x, y=y: spot(GRID, *x) - y, x0, Dfun=lambda x: spot_jacobian(GRID, *x)
            )

    def curve_fit() -> None:
        for y in a[:LOOPED]:
            scipy.optimize.curve_fit(decay, T, y, p0)

    def ours(model, t, y, x0, solver, threads):
        return lambda: lmoo.curve_fit_many(model, t, y, x0, solver=solver, threads=threads)

    plain = lmoo.Solver()
    runs = {
        "A, scipy.optimize.curve_fit": (curve_fit, LOOPED),
        "A, scipy.optimize.leastsq": (leastsq_a, LOOPED),
        "B, scipy.optimize.leastsq": (leastsq_b, LOOPED),
        "A, numpy model, defaults, 1 thread": (ours(decay, T, a, p0, plain, 1), FITS),
        "A, numpy model, scipy's tolerances, 1 thread": (ours(decay, T, a, p0, LOOSE, 1), FITS),
        "A, numpy model, scipy's tolerances, 2 threads": (ours(decay, T, a, p0, LOOSE, 2), FITS),
        "A, compiled, scipy's tolerances, 1 thread": (
            ours(exponential, T, a, p0, LOOSE_OWN, 1), FITS),
        "A, compiled, scipy's tolerances, 2 threads": (
            ours(exponential, T, a, p0, LOOSE_OWN, 2), FITS),
        "B, compiled, scipy's tolerances, 1 thread": (
            ours(gaussian, GRID, b, starts, LOOSE_OWN, 1), FITS),
        "B, compiled, scipy's tolerances, 2 threads": (
            ours(gaussian, GRID, b, starts, LOOSE_OWN, 2), FITS),
    }  # fmt: skip
    rates = np.array(
        [[count / seconds(run) for run, count in runs.values()] for _ in range(ROUNDS)]
    )
    for column, name in enumerate(runs):
        rate = np.median(rates[:, column])
        text = f"{name:48s} {rate:9.0f} fits/s"
        if column > 2:
            peers = {"A, n": (0,), "A, c": (1,), "B, c": (2,)}[name[:4]]
            text += f"  {np.median(rates[:, column] / rates[:, peers[0]]):6.1f} times scipy's"
        print(text)


def scaling() -> None:
    """Stream curves from a memmap, and only x and stderr into others."""
    with tempfile.TemporaryDirectory() as folder:
        block = curves(10_000)
        path = os.path.join(folder, "y.npy")
        stored = np.lib.format.open_memmap(path, "w+", np.float64, (10**7, T.size))
        for start in range(0, 10**7, 10_000):
            stored[start : start + 10_000] = block
        del stored
        model = lmoo.models.Exponential()
        for count in (10**4, 10**5, 10**6, 10**7):
            y = np.load(path, mmap_mode="r")[:count]
            out = {
                name: np.lib.format.open_memmap(
                    os.path.join(folder, name), "w+", np.float64, (count, 3)
                )
                for name in ("x", "stderr")
            }
            took = seconds(
                lambda y=y, out=out: lmoo.curve_fit_many(
                    model, T, y, [1, 1, 0], solver=LOOSE_OWN, out={**out, "covariance": None}
                )
            )
            print(f"{count:9d} fits: {1e6 * took / count:.2f} us a fit, {anonymous():.0f} MB")


def anonymous() -> float:
    """Return the anonymous memory in use, in MB; the peak where the system does not tell."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("RssAnon"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(versions("scipy"))
    if "scaling" in sys.argv:
        scaling()
    else:
        side_by_side()
