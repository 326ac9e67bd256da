"""Peaks whose position is far from zero in units of their width, compared with scipy's curve_fit.

    python benchmarks/peaks.py [--sets 20] [--only KIND,...]

Four kinds of peaks with positions from one width to 1e9 widths; 60 points over 6 widths to either
side, amplitude 10, noise 0.3, background 1.  Each data set is fitted by `lmoo.curve_fit`,
`lmoo.Solver` and `lmoo.curve_fit_many`, without bounds and with bounds that contain the solution.
A fit is right if it ends within one width of the position.

"missed" counts fits for which scipy is right and lmoo is not; it should be 0.  "errors" is the
largest relative deviation of a standard error from that of the exact Jacobian at the same
solution; it should be below 0.01 up to 1e7.  "f" is the mean number of calls of the model.
"""

import argparse
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import scipy.optimize
from common import versions

import lmoo

Model = Callable[..., np.ndarray]
POINTS, REACH = 60, 6.0
AMPLITUDE, NOISE, BACKGROUND = 10.0, 0.3, 1.0
RATIOS = 10.0 ** np.arange(10)
WAYS = ("curve_fit", "Solver", "many", "curve_fit, bounds", "Solver, bounds", "many, bounds")


class Kind(NamedTuple):
    """A model, its parameters for a position and a width, and the index of the position."""

    model: Model
    exact: Callable[[np.ndarray, np.ndarray], np.ndarray]
    shape: Callable[[float, float], float]


def gaussian(x, a, m, s, b):
    return a * np.exp(-0.5 * ((x - m) / s) ** 2) + b


def gaussian_jacobian(x, p):
    a, m, s, _ = p
    u = (x - m) / s
    e = np.exp(-0.5 * u**2)
    return np.stack([e, a * e * u / s, a * e * u**2 / s, np.ones_like(x)], axis=1)


def lorentzian(x, a, m, s, b):
    return a / (1 + ((x - m) / s) ** 2) + b


def lorentzian_jacobian(x, p):
    a, m, s, _ = p
    u = (x - m) / s
    q = 1 / (1 + u**2)
    return np.stack([q, 2 * a * q**2 * u / s, 2 * a * q**2 * u**2 / s, np.ones_like(x)], axis=1)


def resonance(f, a, f0, quality, b):
    return a / (1 + (2 * quality * (f - f0) / f0) ** 2) + b


def resonance_jacobian(f, p):
    a, f0, quality, _ = p
    u = 2 * quality * (f - f0) / f0
    q = 1 / (1 + u**2)
    slope = -2 * a * q**2 * u  # with respect to u
    return np.stack(
        [q, slope * -2 * quality * f / f0**2, slope * u / quality, np.ones_like(f)], axis=1
    )


def oscillator(f, a, f0, damping, b):
    """Power of a damped oscillator, written with differences of squares, which lose digits."""
    return a * (damping * f) ** 2 / ((f**2 - f0**2) ** 2 + (damping * f) ** 2) + b


def oscillator_jacobian(f, p):
    a, f0, damping, _ = p
    d = (f - f0) * (f + f0)
    g = (damping * f) ** 2
    q = 1 / (d**2 + g)
    return np.stack(
        [g * q, a * g * q**2 * 4 * d * f0, a * 2 * g / damping * q * (1 - g * q), np.ones_like(f)],
        axis=1,
    )


KINDS = {
    "Gaussian": Kind(gaussian, gaussian_jacobian, lambda m, s: s),
    "Lorentzian": Kind(lorentzian, lorentzian_jacobian, lambda m, s: s),
    "resonance": Kind(resonance, resonance_jacobian, lambda m, s: m / (2 * s)),
    "oscillator": Kind(oscillator, oscillator_jacobian, lambda m, s: 2 * s),
}


class Counted:
    """A model that counts its calls."""

    def __init__(self, model: Model) -> None:
        self.model, self.calls = model, 0

    def __call__(self, x: np.ndarray, a: Any, m: Any, s: Any, b: Any) -> np.ndarray:
        self.calls += 1
        return self.model(x, a, m, s, b)


class Case(NamedTuple):
    """One position: its data sets with their starts, and bounds around the true values."""

    kind: Kind
    width: float
    true: np.ndarray
    x: np.ndarray
    y: np.ndarray
    starts: np.ndarray
    bounds: tuple[np.ndarray, np.ndarray]


def case(kind: Kind, ratio: float, sets: int) -> Case:
    """Return the data for a position of `ratio` widths, with a width that is not a round number."""
    width = 0.37
    place = ratio * width
    true = np.array([AMPLITUDE, place, kind.shape(place, width), BACKGROUND])
    x = place + width * np.linspace(-REACH, REACH, POINTS)
    rows = [
        kind.model(x, *true) + NOISE * np.random.default_rng(seed).standard_normal(POINTS)
        for seed in range(sets)
    ]
    starts = np.array([
        [np.ptp(y), x[y.argmax()], kind.shape(x[y.argmax()], 1.5 * width), y.min()] for y in rows
    ])  # fmt: skip
    half = np.array([0.9 * AMPLITUDE, 5 * width, 0.9 * abs(true[2]), 20.0])
    lower, upper = np.minimum(true - half, starts.min(axis=0)), true + 4 * half
    upper[1] = true[1] + half[1]
    return Case(kind, width, true, x, np.array(rows), starts, (lower, upper))


class Fit(NamedTuple):
    """The end of a fit, whether it reports success, its standard errors and model calls."""

    x: np.ndarray
    success: bool
    errors: np.ndarray
    calls: float


def right(c: Case, fit: Fit) -> bool:
    return fit.success and bool(abs(fit.x[1] - c.true[1]) < c.width)


def deviation(c: Case, k: int, fit: Fit) -> float:
    """Return the largest relative error of the standard errors."""
    J = c.kind.exact(c.x, fit.x)
    residual = c.kind.model(c.x, *fit.x) - c.y[k]
    size = np.linalg.norm(J, axis=0)
    if not (np.isfinite(size).all() and (size > 0).all()):
        return np.inf
    _, singular, vt = np.linalg.svd(J / size, full_matrices=False)
    if singular[-1] < 1e-12:
        return np.nan
    unit = np.sqrt(np.sum((vt.T / singular) ** 2, axis=1)) / size
    exact = unit * np.linalg.norm(residual) / np.sqrt(POINTS - fit.x.size)
    return float(np.max(np.abs(fit.errors / exact - 1)))


def with_curve_fit(function: Callable[..., Any], c: Case, k: int, bounds: Any) -> Fit:
    model = Counted(c.kind.model)
    options = {} if bounds is None else {"bounds": bounds}
    try:
        x, covariance = function(model, c.x, c.y[k], p0=c.starts[k], **options)
    except (RuntimeError, ValueError):
        return Fit(c.starts[k], False, np.full(4, np.nan), model.calls)
    return Fit(x, True, np.sqrt(np.diag(covariance)), model.calls)


def with_solver(c: Case, k: int, bounds: Any) -> Fit:
    model = Counted(c.kind.model)
    try:
        result = lmoo.Solver(bounds=bounds).solve(
            lmoo.CurveProblem(model, c.x, c.y[k]), c.starts[k]
        )
    except lmoo.EvaluationError:
        return Fit(c.starts[k], False, np.full(4, np.nan), model.calls)
    return Fit(result.x, result.success, result.standard_errors, model.calls)


def with_many(c: Case, bounds: Any) -> list[Fit]:
    fits = lmoo.curve_fit_many(
        c.kind.model, c.x, c.y, p0=c.starts, solver=lmoo.Solver(bounds=bounds)
    )
    return [Fit(*row) for row in zip(fits.x, fits.success, fits.stderr, fits.nfev, strict=True)]


def all_ways(c: Case) -> Iterator[tuple[str, list[Fit]]]:
    sets = range(len(c.y))
    for suffix, bounds in (("", None), (", bounds", c.bounds)):
        for name, fit in (("scipy", scipy.optimize.curve_fit), ("curve_fit", lmoo.curve_fit)):
            yield f"{name}{suffix}", [with_curve_fit(fit, c, k, bounds) for k in sets]
        yield f"Solver{suffix}", [with_solver(c, k, bounds) for k in sets]
        yield f"many{suffix}", with_many(c, bounds)


def show(name: str, kind: Kind, sets: int) -> tuple[int, int]:
    """Print a table of one kind; return the numbers of missed fits and of wrong errors."""
    ways = ("scipy", *WAYS[:3], "scipy, bounds", *WAYS[3:])
    print(f"\n{name}, {sets} sets at each place\n{'':<12}" + "".join(f"|{way:<21}" for way in ways))
    print(f"{'place/width':<12}" + len(ways) * "|right miss errors   f")
    missed = wrong = 0
    for ratio in RATIOS:
        c = case(kind, ratio, sets)
        fits = dict(all_ways(c))
        cells = []
        for way in ways:
            mine, theirs = fits[way], fits["scipy, bounds" if "bounds" in way else "scipy"]
            miss = sum(right(c, b) and not right(c, a) for a, b in zip(mine, theirs, strict=True))
            found = [deviation(c, k, fit) for k, fit in enumerate(mine) if right(c, fit)]
            if not way.startswith("scipy"):
                missed += miss
                wrong += sum(not d <= 0.01 for d in found) if ratio <= 1e7 else 0
            calls = np.mean([fit.calls for fit in mine])
            cells.append(
                f"|{sum(right(c, fit) for fit in mine):>5}{miss:>5}"
                f"{max(found, default=np.nan):>7.0e}{calls:>4.0f}"
            )
        print(f"{ratio:<12.0e}" + "".join(cells))
    return missed, wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", type=int, default=20)
    parser.add_argument("--only", default="", help="kinds, with commas")
    options = parser.parse_args()
    print(versions("scipy"))
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    chosen = [kind for kind in options.only.split(",") if kind] or list(KINDS)
    totals = [show(name, KINDS[name], options.sets) for name in chosen]
    missed, wrong = np.sum(totals, axis=0)
    print(f"\nmissed where scipy is right: {missed}")
    print(f"standard errors off by more than 1 % up to 1e7: {wrong} fits")
