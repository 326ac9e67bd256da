"""Joint fits: curves with one shared rate, and errors in x, beside scipy and lmfit.

    python benchmarks/joint.py [--quick]

1. 100,000 decays of 20 points, one shared rate and two own parameters: seconds with all errors,
   and the peak of memory.
2. Time per data set from 10^3 to 10^6 data sets (--quick: to 10^5).
3. 1,000 data sets beside scipy's least_squares with jac_sparsity, and how far the answers differ.
4. 30 data sets beside lmfit.
5. 100,000 points with errors in x, and 1,000 beside scipy.odr.

Both sides of a comparison run alternately in one process; medians of their ratios.
"""

import argparse
import resource
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lmoo

Array = NDArray[np.float64]
T = np.linspace(0.0, 4.0, 20)
START = (1.0, 1.0, 0.0)


def decay(t: Any, a: Any, rate: Any, c: Any) -> Any:
    """Return the values of the model."""
    return a * np.exp(-rate * t) + c


def stack(count: int, seed: int = 0) -> Array:
    """Return curves with one rate."""
    rng = np.random.default_rng(seed)
    a, c = rng.uniform(1, 3, (count, 1)), rng.uniform(-0.5, 0.5, (count, 1))
    return np.asarray(decay(T, a, 0.7, c) + 0.01 * rng.normal(size=(count, T.size)))


def joint(y: Array) -> Any:
    """Fit all curves with lmoo."""
    return lmoo.curve_fit_many(decay, T, y, p0=START, shared=["rate"])


def seconds(call: Callable[[], Any]) -> float:
    """Return the time of one call."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def ratio(ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Return the median of our times, and that of the ratios of theirs to ours."""
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    return (
        float(np.median([a for a, _ in pairs])),
        float(np.median([b / a for a, b in pairs])),
    )


def by_scipy(y: Array) -> Any:
    """Fit all curves with scipy's sparse solver."""
    from scipy.optimize import least_squares
    from scipy.sparse import lil_matrix

    count, m = y.shape
    pattern = lil_matrix((count * m, 1 + 2 * count), dtype=int)
    pattern[:, 0] = 1
    for k in range(count):
        pattern[k * m : (k + 1) * m, 1 + 2 * k : 3 + 2 * k] = 1

    def residual(x: Array) -> Array:
        own = x[1:].reshape(count, 2)
        return np.asarray((decay(T, own[:, :1], x[0], own[:, 1:]) - y).reshape(-1))

    x0 = np.concatenate([[START[1]], np.tile([START[0], START[2]], count)])
    return least_squares(
        residual, x0, jac_sparsity=pattern, x_scale="jac", ftol=1e-15, xtol=1e-15, gtol=1e-15
    )


def by_lmfit(y: Array) -> Any:
    """Fit all curves with lmfit, where expressions tie the shared parameter."""
    import lmfit

    parameters = lmfit.Parameters()
    for k in range(len(y)):
        parameters.add(f"a_{k}", START[0])
        parameters.add(f"c_{k}", START[2])
        parameters.add(f"rate_{k}", START[1], expr=None if k == 0 else "rate_0")

    def residual(p: Any) -> Array:
        rows = [
            decay(T, p[f"a_{k}"].value, p[f"rate_{k}"].value, p[f"c_{k}"].value) - y[k]
            for k in range(len(y))
        ]
        return np.concatenate(rows)

    return lmfit.minimize(residual, parameters)


def shared_fits(quick: bool) -> None:
    """Print the parts about shared parameters."""
    y = stack(100_000)
    joint(y[:1000])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = [seconds(lambda: joint(y)) for _ in range(3)]
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fits = joint(y)
    assert fits.success.all()
    assert np.isfinite(fits.stderr).all()
    print(f"100,000 decays of 20 points, one shared rate: {min(times):.2f} s with all errors")
    print(
        f"  peak of memory {after / 1e3:.0f} MB, {(after - before) / 1e3:.0f} MB more than before"
    )
    print("time per data set")
    for count in (1000, 10_000, 100_000) if quick else (1000, 10_000, 100_000, 1_000_000):
        y = stack(count)
        best = min(seconds(lambda y=y: joint(y)) for _ in range(5 if count < 10**6 else 2))
        print(f"  {count:>9,}: {1e6 * best / count:.2f} us")
    y = stack(1000)
    ours, times_ours = ratio(lambda: joint(y), lambda: by_scipy(y), 3)
    theirs = by_scipy(y)
    fits = joint(y)
    own = theirs.x[1:].reshape(-1, 2)
    apart = max(
        abs(fits.x[0, 1] / theirs.x[0] - 1),
        np.abs(fits.x[:, [0, 2]] - own).max() / np.abs(own).max(),
    )
    print(f"1,000 data sets: {1e3 * ours:.1f} ms; scipy's least_squares with jac_sparsity takes")
    print(f"  {times_ours:.0f} times as long; largest relative difference {apart:.1e}")
    y = stack(30)
    ours, times_ours = ratio(lambda: joint(y), lambda: by_lmfit(y), 7)
    print(f"30 data sets: {1e3 * ours:.2f} ms; lmfit takes {times_ours:.0f} times as long")


def errors_in_x() -> None:
    """Print the part about errors in x."""
    rng = np.random.default_rng(0)

    def data(m: int) -> tuple[Array, Array]:
        t = rng.uniform(0, 5, m)
        y = decay(t, 2.0, 0.8, 0.3) + 0.05 * rng.normal(size=m)
        return t + 0.1 * rng.normal(size=m), np.asarray(y)

    def fit(t: Array, y: Array) -> Any:
        return lmoo.Solver().solve(lmoo.CurveProblem(decay, t, y, 0.05, sigma_x=0.1), START)

    t, y = data(100_000)
    fit(t[:100], y[:100])
    best = min(seconds(lambda: fit(t, y)) for _ in range(3))
    print(f"100,000 points with errors in x: {best:.2f} s")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from scipy import odr
    t, y = data(1000)

    def by_odr() -> Any:
        model = odr.Model(lambda b, t: decay(t, *b))
        return odr.ODR(odr.RealData(t, y, sx=0.1, sy=0.05), model, START).run()

    ours, times_ours = ratio(lambda: fit(t, y), by_odr, 7)
    print(f"1,000 points: {1e3 * ours:.2f} ms; scipy.odr takes {times_ours:.1f} times as long")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    shared_fits(parser.parse_args().quick)
    errors_in_x()
