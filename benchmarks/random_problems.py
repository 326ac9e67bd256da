"""Check for random problems of twelve kinds that successes are minima and failures are not.

    python benchmarks/random_problems.py [--count 1200] [--only KIND;...] [--first SEED] [--traced]
                                         [--verbose]

`random_models` draws the problems.  From the point at which `lmoo.Solver` ends, scipy's lm, trf and
dogbox continue with the exact Jacobian and tight tolerances, and for models with noise also
Nelder-Mead.  All costs are those without noise.

A success is false if one of these methods lowers the cost by more than 1e-3.  A failure is false if
none lowers it by more than 1e-6 or by more than the noise explains, and the Jacobian has full rank.
Reductions below rounding, or below 10 times the model's noise, do not count.

"reached" counts fits within 1e-6 of the lowest cost that any method reaches from the start.
"scipy" is leastsq, or trf with bounds, with its defaults and the same functions; lm and trf have
the exact Jacobian, tight tolerances and no noise.  With --traced every second problem is a curve
whose function lmoo traces, in place of a residual whose Jacobian is given.
"""

import argparse
import warnings
from collections import Counter
from typing import Any

import numpy as np
import scipy.optimize
from common import versions
from random_models import KINDS, Array, Drawn, draw

import lmoo

FALSE_SUCCESS, FALSE_FAILURE = 1e-3, 1e-6
REACHED = 1e-6
TIGHT = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15}
NOT_FINITE = lmoo.Status.NOT_FINITE.name


def least_squares(
    drawn: Drawn, start: Array, method: str, scale: Any = "jac", most: int = 300
) -> Array:
    """Return the point at which one of scipy's methods ends, for the exact problem."""
    bounds = drawn.bounds or (-np.inf, np.inf)
    try:
        return scipy.optimize.least_squares(
            drawn.exact,
            start,
            drawn.jacobian,
            bounds,
            method,
            x_scale=scale,
            max_nfev=most,
            **TIGHT,
        ).x
    except (ValueError, np.linalg.LinAlgError):
        return start


def lowered(drawn: Drawn, x: Array) -> float:
    """Return the lowest cost that other methods reach from x."""
    costs = []
    for method in ("trf", "dogbox") if drawn.bounds else ("lm", "trf", "dogbox"):
        for scale in ("jac", 1.0):
            costs.append(drawn.cost(least_squares(drawn, x, method, scale)))
    if drawn.noise:
        found = scipy.optimize.minimize(
            drawn.cost, x, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}
        )
        costs.append(drawn.cost(found.x))
    return min(costs)


def full_rank(drawn: Drawn, x: Array) -> bool:
    """Return whether the Jacobian has full rank, without the columns of parameters at bounds."""
    J = drawn.jacobian(x)
    if drawn.bounds is not None:
        inside = (x > drawn.bounds[0]) & (x < drawn.bounds[1])
        J, x = J[:, inside], x[inside]
    if not x.size:
        return True
    size = np.linalg.norm(J, axis=0)
    if not np.isfinite(size).all() or not (size > 0).all():
        return False
    # A parameter is undetermined, too, if doubling it does not change the model.
    used = (size * np.abs(x) > 1e-12 * np.linalg.norm(drawn.y)).all()
    singular = np.linalg.svd(J / size, compute_uv=False)
    return bool(used and singular[-1] > 1e-10 * singular[0])


def judge(drawn: Drawn, x: Array, success: bool) -> str:
    cost = drawn.cost(x)
    low = lowered(drawn, x)
    gain = cost - low
    if success:
        return "false success" if gain > max(FALSE_SUCCESS * cost, drawn.floor) else "success"
    if gain > max(FALSE_FAILURE * cost, drawn.floor):
        return "failure"
    return "false failure" if full_rank(drawn, x) else "degenerate failure"


VERDICTS = ("success", "failure", "degenerate failure", "false success", "false failure")


def at_random(
    count: int, first: int, kinds: list[str], verbose: bool, traced: bool = False
) -> None:
    print(
        f"{'kind':<21}{'of':>6}"
        + "".join(f"{verdict:>20}" for verdict in VERDICTS)
        + f"{'reached':>9}{'scipy':>7}{'lm':>6}{'trf':>6}{'mean calls':>12}"
    )
    each = -(-count // len(KINDS))
    total: Counter[str] = Counter()
    cases = []
    for kind in kinds:
        seen: Counter[str] = Counter()
        calls = []
        for seed in range(first, first + each):
            drawn = draw(kind, seed)
            analytic = seed % 2 == 1 and not (drawn.noise and seed % 4 == 3)
            x, success, status, n = ours(drawn, analytic, traced)
            if status == NOT_FINITE:
                continue
            calls.append(n)
            seen["of"] += 1
            verdict = judge(drawn, x, success)
            seen[verdict] += 1
            reached(drawn, x, analytic, seen)
            if verdict.startswith("false"):
                how = "Jacobian" if analytic else "differences"
                cases.append(f"{verdict}: {kind} {seed}, {how}, {status}, x {x}")
        total += seen
        print_row(kind, seen, float(np.mean(calls)))
    print_row("all", total, np.nan)
    for line in cases if verbose else cases[:40]:
        print(f"  {line}")


def ours(drawn: Drawn, analytic: bool, traced: bool = False) -> tuple[Array, bool, str, int]:
    problem: lmoo.Problem
    problem = lmoo.FunctionProblem(drawn.given, drawn.jacobian if analytic else None)
    if traced and analytic:
        problem = lmoo.CurveProblem(lambda t, *p: drawn.model(t, p), drawn.t, drawn.y)
    try:
        result = lmoo.Solver(bounds=drawn.bounds).solve(problem, drawn.start)
    except lmoo.EvaluationError:
        return drawn.start, False, NOT_FINITE, 0
    status = result.status.name
    if result.undetermined:
        status += f", undetermined {result.undetermined}"
    return result.x, result.success, status, result.nfev


def scipys(drawn: Drawn, analytic: bool) -> Array:
    """Return the point at which leastsq, or trf with bounds, ends with its defaults."""
    try:
        if drawn.bounds:
            return scipy.optimize.least_squares(
                drawn.given, drawn.start, drawn.jacobian if analytic else "2-point", drawn.bounds
            ).x
        jacobian = drawn.jacobian if analytic else None
        return scipy.optimize.leastsq(drawn.given, drawn.start, Dfun=jacobian)[0]
    except (ValueError, np.linalg.LinAlgError):
        return drawn.start


def reached(drawn: Drawn, x: Array, analytic: bool, seen: Counter[str]) -> None:
    """Count the methods that reach the lowest cost from the starting point."""
    costs = {"reached": drawn.cost(x), "scipy": drawn.cost(scipys(drawn, analytic))}
    for method in ("trf",) if drawn.bounds else ("lm", "trf"):
        costs[method] = drawn.cost(least_squares(drawn, drawn.start, method))
    best = min(costs.values())
    slack = max(REACHED * best, drawn.floor)
    seen.update(who for who, cost in costs.items() if cost - best <= slack)


def print_row(kind: str, seen: Counter[str], calls: float) -> None:
    print(
        f"{kind:<21}{seen['of']:>6}"
        + "".join(f"{seen[verdict]:>20}" for verdict in VERDICTS)
        + f"{seen['reached']:>9}{seen['scipy']:>7}{seen['lm']:>6}{seen['trf']:>6}{calls:>12.1f}",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1200, help="number of problems")
    parser.add_argument("--first", type=int, default=0, help="first seed of each kind")
    parser.add_argument("--only", default="", help="kinds, separated by semicolons")
    parser.add_argument("--traced", action="store_true", help="curves whose functions are traced")
    parser.add_argument("--verbose", action="store_true", help="list all false verdicts")
    options = parser.parse_args()
    print(versions("scipy"))
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    chosen = [name for name in options.only.split(";") if name]
    at_random(options.count, options.first, chosen or list(KINDS), options.verbose, options.traced)
