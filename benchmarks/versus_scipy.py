"""Time `lmoo.leastsq` against scipy's, with the same residual in the same process.

Each figure is a ratio lmoo / scipy: the whole solve of the 3-parameter exponential with 20 points;
the time of the solvers alone, which is the whole solve minus the evaluations, timed in the same
rounds; a whole solve with 50 parameters, 5000 points and a Jacobian.

The time of the solvers is measured twice.  With the NumPy residual it includes the difference
between a residual that is called by a solver and one that is called in a loop, where it has caches
and branch predictors for itself; the difference is the same for both solvers.  A residual that
returns recorded values takes almost no time, so that only the work of the solver is left.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize
from common import ROUNDS, alternate, seconds, versions

import lmoo

START = [1.0, 1.0, 0.0]
T = np.linspace(0, 4, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.01 * np.random.default_rng(1).standard_normal(20)


def residual(x: np.ndarray) -> np.ndarray:
    return x[0] * np.exp(-x[1] * T) + x[2] - Y


def small() -> float:
    return alternate(
        lambda: lmoo.leastsq(residual, START),
        lambda: scipy.optimize.leastsq(residual, START),
        calls=400,
    )


class Replay:
    """A residual that returns recorded values, in almost no time.

    Both solvers visit the same points; scipy evaluates the first one two times more.
    """

    def __init__(self, extra: int) -> None:
        values: list[np.ndarray] = []

        def recording(x: np.ndarray) -> np.ndarray:
            values.append(residual(x))
            return values[-1]

        lmoo.leastsq(recording, START)
        self.values = values[:1] * extra + values
        self.points = [np.array(START)] * len(self.values)

    def solve(self, solver: Callable[..., Any]) -> None:
        following = iter(self.values).__next__
        solver(lambda x: following(), START)

    def evaluate(self) -> None:
        following = iter(self.values).__next__
        # map calls from compiled code, as the solvers do.
        list(map(lambda x: following(), self.points))  # noqa: C417


def own_share(cheap: bool) -> float:
    """Return the ratio of the times of the solvers: whole solves minus evaluations."""
    ours, theirs = Replay(extra=0), Replay(extra=2)
    points = [ours.points, theirs.points]
    if cheap:
        runs = [
            lambda: ours.solve(lmoo.leastsq),
            ours.evaluate,
            lambda: theirs.solve(scipy.optimize.leastsq),
            theirs.evaluate,
        ]
    else:
        runs = [
            lambda: lmoo.leastsq(residual, START),
            lambda: list(map(residual, points[0])),
            lambda: scipy.optimize.leastsq(residual, START),
            lambda: list(map(residual, points[1])),
        ]
    # Ten solves per call, as in programs for which the overhead of a solver matters.
    tens = [lambda run=run: [run() for _ in range(10)] for run in runs]
    ratios = []
    for _ in range(ROUNDS):
        times = np.median([[seconds(ten) for ten in tens] for _ in range(60)], axis=0)
        ratios.append((times[0] - times[1]) / (times[2] - times[3]))
    return float(np.median(ratios))


def large() -> float:
    rng = np.random.default_rng(0)
    A = rng.standard_normal((5000, 50))
    b = A @ np.ones(50) + 0.1 * rng.standard_normal(5000)

    def function(x: np.ndarray) -> np.ndarray:
        z = A @ x
        return z + 0.01 * np.sin(z) - b

    def jacobian(x: np.ndarray) -> np.ndarray:
        return A * (1 + 0.01 * np.cos(A @ x))[:, None]

    x0 = np.zeros(50)
    return alternate(
        lambda: lmoo.leastsq(function, x0, Dfun=jacobian),
        lambda: scipy.optimize.leastsq(function, x0, Dfun=jacobian),
        calls=5,
    )


if __name__ == "__main__":
    print(versions("scipy"))
    print(f"whole solve, n = 3, m = 20:              {small():.2f} of scipy's time")
    print(f"  the solver's own share of it:          {own_share(cheap=False):.2f} of scipy's time")
    print(f"  the same, residual replayed:           {own_share(cheap=True):.2f} of scipy's time")
    print(f"whole solve, n = 50, m = 5000, Jacobian: {large():.2f} of scipy's time")
