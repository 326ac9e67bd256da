"""Noisy data of twenty models, with linear parameters eliminated and without.

    python benchmarks/separable_models.py [--sets 30] [--first 0] [--spread 0.3] [--factor 0.3 1]

Parameters are random; each start differs from the true ones by factors exp(spread z), z normal.  A
fit is right if it converges to the least sum of squares that any of the fits has found, among them
one of all parameters from the true values.  Iterations are summed over the data sets for which all
columns are right.
"""

import argparse
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import lmoo

exp = np.exp
LONG, SHORT, WIDE = np.linspace(0, 10, 60), np.linspace(0.05, 5, 50), np.linspace(-6, 6, 80)


class Case(NamedTuple):
    """A model, where it is measured, from where to where its parameters are, and the noise."""

    model: Callable[..., np.ndarray]
    t: np.ndarray
    ranges: list[tuple[float, float]]
    noise: float


def waves(t, a, b, rate, w):
    return exp(-rate * t) * (a * np.sin(w * t) + b * np.cos(w * t))


def bell(t, m, s):
    return exp(-(((t - m) / s) ** 2))


SIZE = (1, 5)
CASES = {
    "two decays": Case(
        lambda t, a, b, c, d: a * exp(-b * t) + c * exp(-d * t),
        LONG, [SIZE, (0.1, 0.5), SIZE, (1, 3)], 1e-2,
    ),
    "two decays, offset": Case(
        lambda t, a, b, c, d, o: a * exp(-b * t) + c * exp(-d * t) + o,
        LONG, [SIZE, (0.2, 0.6), SIZE, (1.5, 4), (-1, 1)], 3e-3,
    ),
    "three decays": Case(
        lambda t, a, b, c, d, f, g: a * exp(-b * t) + c * exp(-d * t) + f * exp(-g * t),
        SHORT, [SIZE, (0.1, 0.4), SIZE, (1, 2), SIZE, (5, 9)], 1e-4,
    ),
    "two peaks, line": Case(
        lambda t, a, m, s, b, n, u, o, k: a * bell(t, m, s) + b * bell(t, n, u) + o + k * t,
        WIDE, [(2, 5), (-3, -0.8), (0.6, 1.5), (2, 5), (0.8, 3), (0.6, 1.5), (-1, 1), (-0.2, 0.2)],
        5e-2,
    ),
    "peaks that overlap": Case(
        lambda t, a, m, s, b, n, u, o: a * bell(t, m, s) + b * bell(t, n, u) + o,
        WIDE, [(2, 5), (-1.2, -0.5), (0.8, 1.5), (2, 5), (0.5, 1.2), (0.8, 1.5), (-1, 1)], 3e-2,
    ),
    "Lorentzian, line": Case(
        lambda t, a, m, s, o, k: a / (1 + ((t - m) / s) ** 2) + o + k * t,
        WIDE, [(2, 5), (-2, 2), (0.6, 1.5), (-1, 1), (-0.2, 0.2)], 1e-1,
    ),
    "damped oscillation": Case(
        lambda t, a, b, rate, w, o: waves(t, a, b, rate, w) + o,
        LONG, [(1, 3), (-3, 3), (0.05, 0.4), (1, 4), (-1, 1)], 1e-1,
    ),
    "two oscillations": Case(
        lambda t, a, b, r, w, c, d, q, v: waves(t, a, b, r, w) + waves(t, c, d, q, v),
        LONG, [(1, 3), (-3, 3), (0.05, 0.3), (1, 2), (1, 3), (-3, 3), (0.05, 0.3), (3, 5)], 1e-1,
    ),
    "oscillation, slope": Case(
        lambda t, a, b, w, k: a * np.sin(w * t) + b * np.cos(w * t) + k * t,
        LONG, [(1, 3), (-3, 3), (1, 4), (-1, 1)], 3e-1,
    ),
    "line over parabola": Case(
        lambda t, a, b, c, d: (a + b * t) / (1 + c * t + d * t * t),
        LONG, [(1, 3), (1, 3), (-0.2, 0.5), (0.05, 0.3)], 2e-2,
    ),
    "parabola over parabola": Case(
        lambda t, a, b, f, c, d: (a + b * t + f * t * t) / (1 + c * t + d * t * t),
        LONG, [(1, 3), (1, 3), (0.1, 1), (0.1, 0.5), (0.05, 0.3)], 2e-2,
    ),
    "logistic": Case(
        lambda t, a, b, c: a / (1 + exp(b - c * t)), LONG, [(20, 80), (2, 5), (0.5, 1.5)], 1.0
    ),
    "logistic, offset": Case(
        lambda t, a, b, c, o: a / (1 + exp(b - c * t)) + o,
        LONG, [(20, 80), (2, 5), (0.5, 1.5), (-5, 5)], 1.0,
    ),
    "Richards": Case(
        lambda t, a, b, c, d: a / (1 + exp(b - c * t)) ** (1 / d),
        LONG, [(20, 80), (2, 6), (0.7, 1.5), (0.5, 2)], 0.5,
    ),
    "Hill": Case(
        lambda t, v, k, n: v * t**n / (k**n + t**n), SHORT, [(2, 5), (0.5, 3), (1, 4)], 5e-2
    ),
    "Gompertz, offset": Case(
        lambda t, a, b, c, o: a * exp(-exp(b - c * t)) + o,
        LONG, [(5, 20), (1, 3), (0.4, 1.2), (-1, 1)], 2e-1,
    ),
    "stretched decay": Case(
        lambda t, a, tau, b, o: a * exp(-((t / tau) ** b)) + o,
        SHORT, [(2, 5), (0.5, 2), (0.5, 1.2), (-1, 1)], 2e-2,
    ),
    "power": Case(lambda t, a, n, o: a * t**n + o, SHORT, [(2, 5), (-0.8, 2), (-1, 1)], 1e-1),
    "inhibition": Case(
        lambda t, v, k, i, o: v * t / (k + t + t * t / i) + o,
        SHORT, [(2, 8), (0.3, 1.5), (1, 5), (0, 0.5)], 2e-2,
    ),
    "peak on decay": Case(
        lambda t, a, b, h, m, s: a * exp(-b * t) + h * bell(t, m, s),
        LONG, [(3, 8), (0.1, 0.6), (1, 3), (3, 7), (0.4, 1.2)], 5e-2,
    ),
}  # fmt: skip


def fits(case: Case, solvers: list[lmoo.Solver], seed: int, spread: float):
    """Return the iterations of each solver for one data set, and whether each is right."""
    rng = np.random.default_rng([seed, len(case.ranges), int(1e6 * case.noise)])
    true = np.array([rng.uniform(*ends) for ends in case.ranges])
    y = case.model(case.t, *true) + case.noise * rng.standard_normal(case.t.size)
    start = true * exp(spread * rng.standard_normal(true.size))
    problem = lmoo.CurveProblem(case.model, case.t, y)
    found = []
    for solver in solvers:
        try:
            found.append(solver.solve(problem, start))
        except lmoo.EvaluationError:
            found.append(None)
    best = min([solvers[0].solve(problem, true).cost, *(f.cost for f in found if f and f.success)])
    right = [bool(f) and f.success and f.cost <= best * (1 + 1e-6) for f in found]
    return [f.nit if f is not None else 0 for f in found], right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=30)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--spread", type=float, default=0.3)
    parser.add_argument("--factor", type=float, nargs="*", default=[0.3])
    options = parser.parse_args()
    solvers = [lmoo.Solver(), *(lmoo.Solver(separable=True, factor=f) for f in options.factor)]
    columns = ["full", *(f"reduced {f:g}" for f in options.factor)]
    print(f"{'iterations, right':24}", *(f"{name:>14}" for name in columns))
    total, shares = np.zeros(len(solvers), dtype=int), np.zeros(len(solvers), dtype=int)
    seeds = range(options.first, options.first + options.sets)
    for name, case in CASES.items():
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = [fits(case, solvers, seed, options.spread) for seed in seeds]
        iterations, right = (np.array(part) for part in zip(*found, strict=True))
        sums, hits = iterations[right.all(axis=1)].sum(axis=0), right.sum(axis=0)
        total, shares = total + sums, shares + hits
        print(f"{name:24}", *(f"{a:8d} {b:5d}" for a, b in zip(sums, hits, strict=True)))
    print(f"{'sum':24}", *(f"{a:8d} {b:5d}" for a, b in zip(total, shares, strict=True)))


if __name__ == "__main__":
    main()
