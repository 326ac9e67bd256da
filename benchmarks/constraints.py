"""Random least-squares problems with linear inequalities: the ends satisfy Karush-Kuhn-Tucker.

    python benchmarks/constraints.py [number of problems] [number of the first]

Each problem has two to five parameters, a nonlinear residual, bounds, and up to twice as many
inequalities as parameters.  At an end x the gradient g of the cost must be minus a combination of
the normals of the active constraints with multipliers of the right sign; what is left over is
measured as a cosine, relative to the norms of the residual and of the columns of J.  A cosine of
1.5e-8 is a relative reduction of 2^-52, the rounding of the cost.  The iteration ends where no
reduction is visible any more: usually below 1e-10, as the last steps contract fast, but where the
residual is large, at 1e-8 to 1e-6 in at most one of 1,000 problems.
"""

import sys
from typing import Any

import numpy as np

import lmoo

NAMES = ("a", "b", "c", "d", "e")


def random_problem(seed: int) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, Any]:
    """Return a problem, its constraints A x <= u, its bounds and a feasible start."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 6))
    m = n + int(rng.integers(1, 8))
    matrix, target = rng.normal(size=(m, n)), 3.0 * rng.normal(size=m)
    curve = 0.2 * rng.normal(size=(m, n))

    def residual(x: Any) -> Any:
        return matrix @ x + np.sin(curve @ x) - target

    def jacobian(x: Any) -> Any:
        return matrix + np.cos(curve @ x)[:, None] * curve

    start = rng.normal(size=n)
    rows = int(rng.integers(1, 2 * n + 1))
    A = np.round(rng.normal(size=(rows, n)), 1)
    A[np.arange(rows), rng.integers(0, n, rows)] += 1.0
    u = A @ start + rng.uniform(0.0, 1.0, rows) * (rng.random(rows) < 0.9)
    bounds = np.stack([start - rng.uniform(0.1, 3.0, n), start + rng.uniform(0.1, 3.0, n)])
    bounds[:, rng.random(n) < 0.5] = [[-np.inf], [np.inf]]
    problem = lmoo.FunctionProblem(residual, jacobian, parameter_names=NAMES[:n])
    problem.constraints = (A, u)
    problem.bounds = tuple(bounds)
    return problem, A, u, bounds, start


def violation(problem: Any, A: Any, u: Any, bounds: Any, x: Any) -> tuple[float, float]:
    """Return how far x is beyond a constraint, and the part of the gradient that is unexplained."""
    n = x.size
    G = np.concatenate([A, np.eye(n), -np.eye(n)])
    h = np.concatenate([u, bounds[1], -bounds[0]])
    # A row of zeros is no constraint.
    known = np.isfinite(h) & G.any(axis=1)
    G, h = G[known], h[known]
    slack = h - G @ x
    size = np.abs(G) @ np.abs(x) + np.abs(h) + 1e-300
    J, f = problem.jacobian(x), problem.residual(x)
    norms = np.linalg.norm(J, axis=0)
    gradient = (J.T @ f) / norms / np.linalg.norm(f)
    active = slack < 1e-9 * size
    rest = gradient
    if active.any():
        normals = (G[active] / norms).T
        normals = normals / np.linalg.norm(normals, axis=0)
        from scipy.optimize import nnls

        multipliers, _ = nnls(normals, -gradient)
        rest = gradient + normals @ multipliers
    return float(np.max(-slack / size, initial=0.0)), float(np.abs(rest).max())


def main(count: int, first: int = 0) -> None:
    """Solve the problems and print the largest violations."""
    worst = beyond = 0.0
    failed, exchanges, active, above = [], 0, 0, 0
    for seed in range(first, first + count):
        problem, A, u, bounds, start = random_problem(seed)
        steps = lmoo.Solver(xtol=1e-13).iterate(problem, start)
        for _ in steps:
            pass
        result = steps.result
        exchanges += steps._before[2] > 0
        active += bool(result.related.active)
        over, rest = violation(problem, A, u, bounds, result.x)
        beyond, worst = max(beyond, over), max(worst, rest if result.success else 0.0)
        above += rest > 1e-8
        if not result.success or rest > 1.5e-8:
            failed.append((seed, result.status.name, rest))
    print(f"{count} problems, {active} with active constraints, {exchanges} with exchanges")
    print(f"beyond a constraint, relatively: {beyond:.2g}; Karush-Kuhn-Tucker: {worst:.2g}")
    print(f"above 1e-8: {above}; not solved: {len(failed)} {failed[:10]}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:])) if len(sys.argv) > 1 else main(1000)
