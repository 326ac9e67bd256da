"""Hundreds of thousands of fits, compared with loops of scipy's curve_fit and leastsq.

    python benchmarks/many_fits.py            fits per second; also of cminpack (from C) and
                                              optimistix, if they are installed
    python benchmarks/many_fits.py scaling    time per fit, for 10^4 to 10^7 fits

A: exponentials with an offset, 20 points, noise 0.01, from (1, 1, 0).  B: 5 x 5 pixels of a
Gaussian spot, signal to noise 10, from starts within 10 % (Przybylski and others 2017, "Gpufit: an
open-source toolkit for GPU-accelerated curve fitting", Scientific Reports 7).  C: three Gaussians
and a line, 60 points, noise 0.02, from starts within 5 %.  The loops of scipy solve 1000 of the
fits, 100 of C.
"""

import ctypes
import os
import resource
import subprocess
import sys
import tempfile

import numpy as np
import scipy.optimize
from common import ROUNDS, cminpack_library, seconds, versions

import lmoo

FITS, LOOPED = 100_000, 1000
T, WIDE = np.linspace(0.0, 4.0, 20), np.linspace(0.0, 10.0, 60)
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


def peaks(t, a, b, c, d, e, f, g, h, i, j, k):
    first = a * np.exp(-0.5 * ((t - b) / c) ** 2)
    second = d * np.exp(-0.5 * ((t - e) / f) ** 2)
    return first + second + g * np.exp(-0.5 * ((t - h) / i) ** 2) + j + k * t


def spectra(count: int):
    rng = np.random.default_rng(2)
    x = np.array([3.0, 2.0, 0.5, 2.0, 5.0, 0.8, 1.0, 8.0, 0.4, 0.7, 0.05])
    x = x * rng.uniform(0.9, 1.1, (count, 11))
    y = peaks(WIDE, *x.T[:, :, None]) + 0.02 * rng.standard_normal((count, WIDE.size))
    return y, x * rng.uniform(0.95, 1.05, x.shape)


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


def scipys(a, b, starts, c, near):
    """Return loops of scipy over the first curves, by name."""
    p0 = [1.0, 1.0, 0.0]

    def curve_fit() -> None:
        for y in a[:LOOPED]:
            scipy.optimize.curve_fit(decay, T, y, p0)

    def leastsq_a() -> None:
        for y in a[:LOOPED]:
            scipy.optimize.leastsq(lambda x, y=y: decay(T, *x) - y, p0)

    def leastsq_b() -> None:
        for y, x0 in zip(b[:LOOPED], starts, strict=False):
            scipy.optimize.leastsq(
                lambda x, y=y: spot(GRID, *x) - y, x0, Dfun=lambda x: spot_jacobian(GRID, *x)
            )

    def curve_fit_c() -> None:
        for y, x0 in zip(c[: LOOPED // 10], near, strict=False):
            scipy.optimize.curve_fit(peaks, WIDE, y, x0)

    return {
        "A, scipy.optimize.curve_fit": (curve_fit, LOOPED),
        "C, scipy.optimize.curve_fit": (curve_fit_c, LOOPED // 10),
        "A, scipy.optimize.leastsq": (leastsq_a, LOOPED),
        "B, scipy.optimize.leastsq": (leastsq_b, LOOPED),
    }


def cminpacks(a, b, starts, folder: str):
    """Return cminpack's lmder from C, on one core, by name; {} if it is not installed."""
    try:
        lib = cminpack_library("stacks.c", folder)
    except (OSError, subprocess.CalledProcessError):
        print("cminpack and a C compiler are not installed: left out")
        return {}
    p0 = np.broadcast_to([1.0, 1.0, 0.0], (FITS, 3))

    def loop(spots: bool, t, y, x0) -> None:
        x, t = np.array(x0, order="C"), np.ascontiguousarray(t)
        pointers = [part.ctypes.data_as(ctypes.c_void_p) for part in (t, y, x)]
        lib.fits_of_stack(int(spots), *y.shape, x.shape[1], *pointers)

    return {
        "A, cminpack's lmder in C, 1 core": (lambda: loop(False, T, a, p0), FITS),
        "B, cminpack's lmder in C, 1 core": (lambda: loop(True, np.stack(GRID), b, starts), FITS),
    }


def optimistixs(a):
    """Return optimistix's compiled vmap, by name; {} if it is not installed."""
    try:
        import jax
        import optimistix
    except ImportError:
        print("optimistix is not installed: left out")
        return {}
    jax.config.update("jax_enable_x64", True)
    solver = optimistix.LevenbergMarquardt(rtol=1.49e-8, atol=1.49e-8)

    def residual(x, y):
        return x[0] * jax.numpy.exp(-x[1] * T) + x[2] - y

    def fit(y):
        found = optimistix.least_squares(
            residual, solver, jax.numpy.array([1.0, 1.0, 0.0]), args=y, throw=False
        )
        return found.value

    fits, y = jax.jit(jax.vmap(fit)), jax.numpy.asarray(a)
    fits(y).block_until_ready()  # compiled once, which does not count
    return {"A, optimistix, jitted vmap": (lambda: fits(y).block_until_ready(), FITS)}


def ours(a, b, starts, c, near):
    """Return the fits of lmoo, by name."""
    exponential, gaussian = lmoo.models.Exponential(), lmoo.models.Gaussian2D()
    p0, plain = [1.0, 1.0, 0.0], lmoo.Solver()

    def call(model, t, y, x0, solver, threads):
        many = lmoo.curve_fit_many
        return lambda: many(model, t, y, x0, solver=solver, threads=threads), len(y)

    runs = {"A, numpy model, defaults, 1 thread": call(decay, T, a, p0, plain, 1)}
    for threads in (1, 2):
        what = f"scipy's tolerances, {threads} thread{'s' * (threads > 1)}"
        runs[f"A, numpy model, {what}"] = call(decay, T, a, p0, LOOSE_OWN, threads)
        runs[f"A, numpy model, called, {what}"] = call(decay, T, a, p0, LOOSE, threads)
        runs[f"C, numpy model, {what}"] = call(peaks, WIDE, c, near, LOOSE_OWN, threads)
        runs[f"A, compiled, {what}"] = call(exponential, T, a, p0, LOOSE_OWN, threads)
        runs[f"B, compiled, {what}"] = call(gaussian, GRID, b, starts, LOOSE_OWN, threads)
    return runs


# Whom which of ours is compared with.
PEERS = {
    "A, numpy": ("A, scipy.optimize.curve_fit", "A, optimistix, jitted vmap"),
    "A, compiled": ("A, scipy.optimize.leastsq", "A, cminpack's lmder in C, 1 core"),
    "C, numpy": ("C, scipy.optimize.curve_fit",),
    "B, compiled": ("B, scipy.optimize.leastsq", "B, cminpack's lmder in C, 1 core"),
}


def side_by_side() -> None:
    a, (b, starts), (c, near) = curves(FITS), spots(FITS), spectra(FITS // 5)
    with tempfile.TemporaryDirectory() as folder:
        mine = ours(a, b, starts, c, near)
        runs = {
            **scipys(a, b, starts, c, near), **cminpacks(a, b, starts, folder),
            **optimistixs(a), **mine,
        }  # fmt: skip
        rates = {name: [] for name in runs}
        for _ in range(ROUNDS):
            for name, (run, count) in runs.items():
                rates[name].append(count / seconds(run))
    for name, found in rates.items():
        text = f"{name:46s} {np.median(found):9.0f} fits/s"
        if name in mine:
            for peer in PEERS[",".join(name.split(",")[:2]).removesuffix(" model")]:
                if peer in rates:
                    ratio = np.median(np.array(found) / np.array(rates[peer]))
                    text += f"  {ratio:5.1f} times {peer.split(',')[1].split()[0]}"
        print(text)


def scaling() -> None:
    """Read curves from a memmap, and write x and stderr into others."""
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

            def run(y=y, out=out) -> None:
                lmoo.curve_fit_many(
                    model, T, y, [1, 1, 0], solver=LOOSE_OWN, out={**out, "covariance": None}
                )

            # What is short is done more often; the first of all imports what it needs.
            if count == 10**4:
                run()
            took = np.median([seconds(run) for _ in range(max(1, min(ROUNDS, 10**6 // count)))])
            print(f"{count:9d} fits: {1e6 * took / count:.2f} us a fit, {anonymous():.0f} MB")


def anonymous() -> float:
    """Return the anonymous memory in use in MB, or the peak if the system does not report it."""
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
