"""Coverage of 95 % intervals: how often profile and linear intervals contain the true parameter.

Data are simulated from two strongly nonlinear models with normal errors and fitted.  All fits
count, also those without success.  The standard error of a coverage of 95 % over 2,000 data sets is
0.5 %.

    python benchmarks/coverage.py [data sets]
"""

import sys
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from common import seconds, versions

import lmoo

LEVEL = 0.95


class Simulation(NamedTuple):
    """A simulation: the model, its true parameters, and the starting values of the fits."""

    name: str
    t: np.ndarray
    truth: np.ndarray
    sigma: float
    values: Callable[..., np.ndarray]
    problem: Callable[[np.ndarray, np.ndarray], Any]
    solver: lmoo.Solver


def michaelis_menten(t: np.ndarray, vmax: float, k: float) -> np.ndarray:
    return vmax * t / (k + t)


def michaelis_menten_slopes(t: np.ndarray, vmax: float, k: float) -> np.ndarray:
    share = t / (k + t)
    return np.column_stack([share, -vmax * share / (k + t)])


def enzyme() -> Simulation:
    """Eight points, as in a first experiment: the plateau is hardly reached."""
    return Simulation(
        "Michaelis-Menten, 8 points",
        np.array([0.02, 0.04, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4]),
        np.array([200.0, 0.1]),
        25.0,
        michaelis_menten,
        lambda t, y: lmoo.CurveProblem(michaelis_menten, t, y, jac=michaelis_menten_slopes),
        lmoo.Solver(),
    )


def decay() -> Simulation:
    """Two decays whose rates differ by a factor of five."""
    model = lmoo.models.BiExponential()
    return Simulation(
        "sum of two exponentials, 30 points",
        np.linspace(0.0, 6.0, 30),
        np.array([2.0, 2.0, 1.0, 0.4, 0.0]),
        0.1,
        model,
        model.problem,
        lmoo.Solver(fixed={"offset": 0.0}),
    )


def missed(limits: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return for which parameters the true value is below and above its interval, (2, n)."""
    return np.stack([truth < limits[:, 0], truth > limits[:, 1]])


def simulate(case: Simulation, count: int, seed: int = 1) -> None:
    random = np.random.default_rng(seed)
    misses = {method: np.zeros((2, case.truth.size)) for method in ("profile", "linear")}
    failures = better = 0
    mean = case.values(case.t, *case.truth)
    curvature = []
    for k in range(count):
        problem = case.problem(case.t, mean + case.sigma * random.standard_normal(mean.size))
        result = case.solver.solve(problem, case.truth)
        failures += not result.success
        if k < 100:
            curvature.append(result.nonlinearity().parameter_effects)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", lmoo.BetterMinimumWarning)
            for method, total in misses.items():
                total += missed(result.confidence_interval(LEVEL, method=method), case.truth)
        better += bool(caught)
    print(f"{case.name}: {count} data sets, {failures} without a minimum, {better} better minima,")
    print(f"  median curvature of the parameters {np.median(curvature):.2g} (0.3 is much)")
    print(f"  {'covered (missed on either side)':<34}{'profile':<26}linear")
    for j in np.flatnonzero(~result.fixed):
        columns = [_share(total[:, j] / count) for total in misses.values()]
        print(f"  {result.parameter_names[j]:<34}{columns[0]:<26}{columns[1]}")


def _share(sides: np.ndarray) -> str:
    low, high = 100 * sides
    return f"{100 - low - high:.1f} % ({low:.1f}, {high:.1f})"


if __name__ == "__main__":
    sets = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print(versions())
    for make in (enzyme, decay):
        print(f"  {seconds(lambda make=make: simulate(make(), sets)):.0f} s")
