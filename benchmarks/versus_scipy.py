"""Time `lmoo.leastsq` against scipy's, with the same residual in the same process.

Three figures, each a ratio lmoo / scipy: the whole solve of the 3-parameter exponential with 20
points; the solvers' own share of it, which is the whole less the time inside the residual,
measured in the same solves; a whole solve with 50 parameters, 5000 points and a Jacobian.
"""

import time
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


def clocked(inside: list[float]) -> Callable[[np.ndarray], np.ndarray]:
    """Return the residual, noting the time spent inside it."""
    clock, note = time.perf_counter, inside.append

    def function(x: np.ndarray) -> np.ndarray:
        start = clock()
        f = x[0] * np.exp(-x[1] * T) + x[2] - Y
        note(clock() - start)
        return f

    return function


def clock_cost() -> float:
    """Return what noting the time adds to a call, outside the time noted, in seconds."""
    inside: list[float] = []
    clock, note = time.perf_counter, inside.append

    def plain(x: object) -> object:
        return x

    def noting(x: object) -> object:
        start = clock()
        f = x
        note(clock() - start)
        return f

    xs = range(200)
    start = clock()
    # map calls from compiled code, as the solvers do.
    list(map(plain, xs))
    middle = clock()
    list(map(noting, xs))
    end = clock()
    return ((end - middle) - (middle - start) - sum(inside)) / len(xs)


def own_time(solve: Callable[..., Any]) -> float:
    """Return the time of one solve less that of its evaluations, in seconds."""
    inside: list[float] = []
    function = clocked(inside)
    whole = seconds(lambda: solve(function, START))
    return whole - sum(inside) - len(inside) * clock_cost()


def overhead() -> float:
    ratios = []
    for _ in range(ROUNDS):
        pairs = [(own_time(lmoo.leastsq), own_time(scipy.optimize.leastsq)) for _ in range(400)]
        mine, other = np.median(pairs, axis=0)
        ratios.append(mine / other)
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
    print(f"  the solver's own share of it:          {overhead():.2f} of scipy's time")
    print(f"whole solve, n = 50, m = 5000, Jacobian: {large():.2f} of scipy's time")
