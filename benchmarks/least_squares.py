"""Time of `lmoo.least_squares` beside scipy's: a curve of 3 parameters, 200 points, with outliers.

Both are called alternately, with their default options, and the ratio is that of the medians.

    python benchmarks/least_squares.py
"""

import time
from statistics import median

import numpy as np
import scipy.optimize

import lmoo

ROUNDS, CALLS = 7, 30


def main() -> None:
    rng = np.random.default_rng(3)
    t = np.linspace(0.0, 4.0, 200)
    y = 2.5 * np.exp(-1.3 * t) + 0.5 + 0.02 * rng.standard_normal(t.size)
    y[rng.choice(t.size, 20, replace=False)] += rng.standard_normal(20)

    def fun(x: np.ndarray) -> np.ndarray:
        return np.asarray(x[0] * np.exp(-x[1] * t) + x[2] - y)

    print(f"{'loss':<10}{'scipy / us':>12}{'lmoo / us':>12}{'ratio':>8}   nfev, |dx|")
    for loss in ("linear", "huber", "soft_l1", "cauchy", "arctan"):
        seconds: dict[str, list[float]] = {"scipy": [], "lmoo": []}
        found = {}
        solvers = {"scipy": scipy.optimize.least_squares, "lmoo": lmoo.least_squares}
        for _ in range(ROUNDS):
            for name, solve in solvers.items():
                start = time.perf_counter()
                for _ in range(CALLS):
                    found[name] = solve(fun, [2.0, 1.0, 0.0], loss=loss, f_scale=0.1)
                seconds[name].append((time.perf_counter() - start) / CALLS)
        theirs, ours = (1e6 * median(seconds[name]) for name in solvers)
        counts = f"{found['scipy'].nfev}, {found['lmoo'].nfev}"
        far = np.abs(found["scipy"].x - found["lmoo"].x).max()
        print(f"{loss:<10}{theirs:12.0f}{ours:12.0f}{ours / theirs:8.3f}   {counts}, {far:.1e}")


if __name__ == "__main__":
    main()
