"""Robust fits: coverage of their intervals with outliers, and what a loss costs.

    python benchmarks/robust.py           # 2,000 sets for each loss
    python benchmarks/robust.py --sets 200

Coverage: sets of 100 points of a decay, 20 % of them with ten times the scatter of the others;
share of the sets in which the 95 % interval holds the parameter.  Time: per evaluation of the
residual, of fits with a loss and without, alternately, the ratio of medians; and processor time of
two iterations of a linear model of 200,000 rows, whose Jacobian takes no time, so that the passes
over the rows are all that counts.
"""

import argparse
import time
from statistics import median

import numpy as np

import lmoo

TRUE = np.array([2.5, 1.3, 0.5])
POINTS, ROUNDS = 100, 41


def sets(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return t, (m,), and y, (count, m), with a fifth of the points as outliers."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0.0, 4.0, POINTS)
    noise = 0.05 * rng.standard_normal((count, POINTS))
    for row in noise:
        row[rng.choice(POINTS, POINTS // 5, replace=False)] *= 10.0
    return t, TRUE[0] * np.exp(-TRUE[1] * t) + TRUE[2] + noise


def coverage(count: int) -> None:
    t, y = sets(count)
    model = lmoo.models.Exponential()
    quantile = 1.984723185989  # Student's t for 97 degrees of freedom
    print(f"coverage of 95 % intervals, {count} sets (amplitude, rate, offset)")
    for loss, scale in (
        ("linear", 1.0), ("huber", "mad"), ("huber", 0.07), ("soft_l1", "mad"), ("cauchy", "mad"),
        ("cauchy", 0.12), ("arctan", "mad"), ("tukey", "mad"),
    ):  # fmt: skip
        solver = lmoo.Solver(loss=loss, f_scale=scale)
        fits = lmoo.curve_fit_many(model, t, y, TRUE, solver=solver)
        inside = np.abs(fits.x - TRUE) <= quantile * fits.stderr
        share = 100.0 * inside[fits.success].mean(axis=0)
        error = np.median(fits.stderr, axis=0)
        failed = count - int(fits.success.sum())
        print(f"  {loss:<8} f_scale {scale!s:<5}", *(f"{value:6.1f}" for value in share), end="")
        print("   median errors", *(f"{value:.4f}" for value in error), f"  failed {failed}")


def cost() -> None:
    rng = np.random.default_rng(1)
    print("time per evaluation, loss over linear (the same starts; medians of ratios)")
    for m in (200, 20_000):
        t = np.linspace(0.0, 4.0, m)
        y = TRUE[0] * np.exp(-TRUE[1] * t) + TRUE[2] + 0.05 * rng.standard_normal(m)
        y[::5] += rng.standard_normal(y[::5].size)
        problem = lmoo.CurveProblem(lambda t, a, b, c: a * np.exp(-b * t) + c, t, y)
        calls = 10 if m < 1000 else 1
        for loss in ("huber", "soft_l1", "cauchy", "arctan", "tukey"):
            seconds: dict[str, list[float]] = {"linear": [], loss: []}
            for _ in range(ROUNDS):
                for name in seconds:
                    solver = lmoo.Solver(loss=name, f_scale=0.2)
                    start = time.perf_counter()
                    evaluations = 0
                    for _ in range(calls):
                        evaluations += solver.solve(problem, [2.3, 1.2, 0.4]).nfev
                    seconds[name].append((time.perf_counter() - start) / evaluations)
            plain, robust = (1e6 * median(seconds[name]) for name in ("linear", loss))
            print(
                f"  m = {m:<6} {loss:<8} {robust:8.2f} us / {plain:8.2f} us = {robust / plain:.2f}"
            )


class Rows(lmoo.RowBlockProblem):
    """A linear model, whose blocks are its rows and data."""

    def residual(self, x: np.ndarray, block: tuple) -> np.ndarray:
        return block[0] @ x - block[1]

    def jacobian(self, x: np.ndarray, block: tuple) -> np.ndarray:
        return block[0]


def passes(m: int = 200_000, rows: int = 50_000) -> None:
    rng = np.random.default_rng(3)
    print("processor time of the same two iterations, loss over linear (medians of ratios)")
    for n in (6, 20):
        a, x = rng.standard_normal((m, n)), rng.standard_normal(n)
        y = a @ x + 0.05 * rng.standard_normal(m)
        blocks = Rows([(a[i : i + rows], y[i : i + rows]) for i in range(0, m, rows)])
        whole = lmoo.FunctionProblem(lambda z, a=a, y=y: a @ z - y, lambda z, a=a: a)
        for where, problem in (("blocks", blocks), ("whole", whole)):
            for loss in ("huber", "soft_l1", "cauchy", "arctan", "tukey"):
                seconds: dict[str, list[float]] = {"linear": [], loss: []}
                for _ in range(9):
                    for name in seconds:
                        solver = lmoo.Solver(loss=name, f_scale=0.1, xtol=0.0, ftol=0.0)
                        start = time.process_time()
                        iterations = solver.iterate(problem, 1.02 * x)
                        next(iterations), next(iterations)
                        seconds[name].append(time.process_time() - start)
                plain, robust = (1e3 * median(seconds[name]) for name in ("linear", loss))
                print(
                    f"  n = {n:<3} {where:<6} {loss:<8} {robust:7.2f} ms / {plain:7.2f} ms = "
                    f"{robust / plain:.2f}"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=2000)
    coverage(parser.parse_args().sets)
    cost()
    passes()


if __name__ == "__main__":
    main()
