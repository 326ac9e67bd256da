"""Solves with bounds: evaluations and results of lmoo, scipy's trf and lmfit.

    python benchmarks/bounds.py [nist] [random [count]]

NIST's 27 problems from both starts, first with bounds that contain the certified point, then with
one bound at a time that excludes it; and random problems with bounds, by default 10,000.
trf is the method of Branch, Coleman, Li (1999), "A subspace, interior, and conjugate gradient
method for large-scale bound-constrained minimization problems", SIAM J. Sci. Comput. 21.
Cosines are those between the residual and the columns of J; they are 0 at active bounds.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.optimize
from common import versions

import lmoo
from lmoo.datasets import NistDataset, nist, nist_names

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from bounded import KINDS, Bounded, draw, is_stationary, projected_cosines

try:
    import lmfit
except ImportError:
    lmfit = None

SAME = 1e-8  # costs are the same to this
AT_BOUND = 1e-8  # as far as this from a bound, relatively, is at it: trf stays inside
WIDTH = 0.5  # of a box round the certified point, relative
CUT = 0.1  # how far a bound keeps a parameter from its certified value, relative


class Run(NamedTuple):
    """One solve: its end, its cost, whether it reports success, and its calls."""

    x: np.ndarray
    cost: float
    success: bool
    residuals: int
    jacobians: int


class Counted:
    """Residual and Jacobian of a problem, counting their calls."""

    def __init__(self, problem: Any) -> None:
        self.problem, self.residuals, self.jacobians = problem, 0, 0

    def residual(self, x: np.ndarray) -> np.ndarray:
        self.residuals += 1
        return self.problem.residual(x)

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        self.jacobians += 1
        return self.problem.jacobian(x)

    def run(self, x: np.ndarray, success: bool) -> Run:
        """Return the result of a solve."""
        f = self.problem.residual(x)
        return Run(x, 0.5 * float(f @ f), success, self.residuals, self.jacobians)


Box = tuple[np.ndarray, np.ndarray]
Method = Callable[[Any, np.ndarray, Box, bool], Run | None]


def ours(problem: Any, start: np.ndarray, box: Box | None, analytic: bool) -> Run | None:
    counted = Counted(problem)
    function = lmoo.FunctionProblem(counted.residual, counted.jacobian if analytic else None)
    result = lmoo.Solver(bounds=box).solve(function, start)
    return counted.run(result.x, result.success)


def trf(problem: Any, start: np.ndarray, box: Box, analytic: bool) -> Run | None:
    counted = Counted(problem)
    try:
        # It computes with what is not finite before it looks.
        with np.errstate(all="ignore"):
            result = scipy.optimize.least_squares(
                counted.residual, start, counted.jacobian if analytic else "2-point", box,
                method="trf", xtol=1e-15, ftol=1e-15, gtol=1e-15, x_scale="jac",
                max_nfev=2000,
            )  # fmt: skip
    except (ValueError, np.linalg.LinAlgError):
        return None
    return counted.run(result.x, result.success)


def with_lmfit(problem: Any, start: np.ndarray, box: Box, analytic: bool) -> Run | None:
    """Solve by MINPACK's leastsq with transformed parameters and differences."""
    counted = Counted(problem)
    parameters = lmfit.Parameters()
    for j, (value, low, high) in enumerate(zip(start, *box, strict=True)):
        parameters.add(f"p{j}", value=value, min=low, max=high)

    def residual(p: Any) -> np.ndarray:
        return counted.residual(np.array([p[name].value for name in p]))

    try:
        result = lmfit.minimize(
            residual, parameters, method="leastsq", max_nfev=10_000, calc_covar=False,
            nan_policy="propagate", xtol=1e-15, ftol=1e-15, gtol=1e-15,
        )  # fmt: skip
    except (ValueError, TypeError):
        return None
    x = np.array([result.params[name].value for name in result.params])
    return counted.run(x, bool(result.success))


# ---- NIST ------------------------------------------------------------------------------------


def digits(x: np.ndarray, certified: np.ndarray) -> float:
    error = np.max(np.abs(x - certified) / np.abs(certified))
    return float(np.clip(-np.log10(max(error, 1e-11)), 0.0, 11.0))


def starts() -> Iterator[tuple[NistDataset, np.ndarray]]:
    for name in nist_names():
        data = nist(name)
        for start in data.starts:
            yield data, np.asarray(start, dtype=np.float64)


def holding(data: NistDataset, start: np.ndarray) -> Box:
    """Return a box with the certified point and the start inside."""
    margin = WIDTH * np.abs(data.certified)
    lower, upper = data.certified - margin, data.certified + margin
    reach = 0.1 * np.abs(start - data.certified)
    return np.minimum(lower, start - reach), np.maximum(upper, start + reach)


def in_boxes(analytic: bool) -> None:
    """Print evaluations with bounds that contain the certified point."""
    rows = []
    for data, start in starts():
        box = holding(data, start)
        free, bounded = ours(data, start, None, analytic), ours(data, start, box, analytic)
        theirs = trf(data, start, box, analytic)
        assert free is not None
        assert bounded is not None
        row = [data.name, digits(free.x, data.certified), digits(bounded.x, data.certified)]
        calls = [free.residuals, bounded.residuals, free.jacobians, bounded.jacobians]
        other = (0.0, 0, 0) if theirs is None else (
            digits(theirs.x, data.certified), theirs.residuals, theirs.jacobians)  # fmt: skip
        rows.append((*row, *calls, *other))
    table = np.array([row[1:] for row in rows], dtype=float)
    ratio = table[:, 3] / table[:, 2]
    print(f"\nThe certified point inside, {'Jacobian given' if analytic else 'differences'}:")
    print(f"{'of 54 runs':<24}{'>= 6 digits':>12}{'mean':>7}{'residuals':>11}{'Jacobians':>11}")
    for name, column, calls, jacobians in (
        ("lmoo without bounds", 0, 2, 4), ("lmoo", 1, 3, 5), ("scipy trf", 6, 7, 8),
    ):  # fmt: skip
        accuracy = table[:, column]
        print(
            f"{name:<24}{(accuracy >= 6).sum():>12}{accuracy.mean():>7.1f}"
            f"{table[:, calls].sum():>11.0f}{table[:, jacobians].sum():>11.0f}"
        )
    worst = int(np.argmax(ratio))
    low = [f"{row[0]} {row[2]:.1f}" for row in rows if row[2] < 6]
    print(f"less than 6 digits with bounds: {low}")
    print(
        f"evaluations with bounds over without: all {table[:, 3].sum() / table[:, 2].sum():.3f}, "
        f"median {np.median(ratio):.3f}, worst {ratio[worst]:.2f} ({rows[worst][0]}), "
        f"above 1.3: {[f'{rows[k][0]} {ratio[k]:.2f}' for k in np.flatnonzero(ratio > 1.3)]}"
    )


def cut_off(data: NistDataset, start: np.ndarray) -> Iterator[tuple[str, Bounded]]:
    """Yield problems with one bound that excludes the certified value, on either side."""
    for j in range(start.size):
        for side in (-1, 1):
            lower, upper = np.full(start.size, -np.inf), np.full(start.size, np.inf)
            step = CUT * abs(data.certified[j])
            edge = data.certified[j] + side * step
            (lower if side > 0 else upper)[j] = edge
            x0 = start.copy()
            if (x0[j] - edge) * side <= 0.0:
                # Not on the bound, where lmfit's transformed parameter has no slope.
                x0[j] = edge + side * step
            problem = Bounded(data.residual, data.jacobian, (lower, upper), x0)
            yield f"{data.name} b{j + 1}{'<>'[side > 0]}{edge:.4g}", problem


def with_cuts(analytic: bool) -> None:
    """Print the ends of solves with a bound that excludes the certified point."""
    methods: dict[str, Method] = {"lmoo": ours, "scipy trf": trf}
    if lmfit is not None and not analytic:
        methods["lmfit leastsq"] = with_lmfit
    runs: dict[str, list[Run | None]] = {name: [] for name in methods}
    cases = []
    for data, start in starts():
        for name, problem in cut_off(data, start):
            try:
                found = ours(problem, problem.start, problem.bounds, analytic)
            except lmoo.EvaluationError:
                continue
            cases.append((name, problem))
            runs["lmoo"].append(found)
            for other in list(methods)[1:]:
                run = methods[other](problem, problem.start, problem.bounds, analytic)
                runs[other].append(run)
    print(f"\nThe certified point outside, {'Jacobian given' if analytic else 'differences'}:")
    print(
        f"{f'of {len(cases)} runs':<16}{'success':>9}{'cos<=1e-8':>11}{'cos<=1e-6':>11}"
        f"{'worst of succ.':>15}{'residuals':>11}{'Jacobians':>11}{'lowest cost':>13}"
    )
    lowest = [
        min(run.cost for name in methods if (run := runs[name][k]) is not None)
        for k in range(len(cases))
    ]
    for name in methods:
        print_cuts(name, cases, runs[name], lowest)
    for name in list(methods)[1:]:
        compare(cases, runs["lmoo"], runs[name], name)


def print_cuts(
    name: str, cases: list[tuple[str, Bounded]], runs: list[Run | None], lowest: list[float]
) -> None:
    cosines = np.array([
        np.inf if run is None else cosine(problem, run.x)
        for (_, problem), run in zip(cases, runs, strict=True)
    ])  # fmt: skip
    ended = [run for run in runs if run is not None]
    success = np.array([run is not None and run.success for run in runs])
    low = sum(
        run is not None and run.cost <= (1 + SAME) * best
        for run, best in zip(runs, lowest, strict=True)
    )
    print(
        f"{name:<16}{success.sum():>9}{(cosines <= 1e-8).sum():>11}"
        f"{(cosines <= 1e-6).sum():>11}{cosines[success].max():>15.1e}"
        f"{sum(run.residuals for run in ended):>11}{sum(run.jacobians for run in ended):>11}"
        f"{low:>13}"
    )
    if name == "lmoo":
        for (case, _), run, worst in zip(cases, runs, cosines, strict=True):
            if run is not None and (not run.success or worst > 1e-6):
                end = "success" if run.success else "no success"
                print(f"  {case}: {end}, cosine {worst:.1e}, {run.residuals} evaluations")


def cosine(problem: Bounded, x: np.ndarray) -> float:
    """Return the largest cosine at x, after moving x to bounds that are very near."""
    for bound in problem.bounds:
        x = np.where(np.abs(x - bound) <= AT_BOUND * np.abs(x), bound, x)
    with np.errstate(all="ignore"):
        return float(np.abs(projected_cosines(problem, x)).max())


def compare(
    cases: list[tuple[str, Bounded]], mine: list[Run | None], theirs: list[Run | None], name: str
) -> None:
    """Print which method has the lower cost, and whether the result of lmoo is a minimum."""
    count: Counter[str] = Counter()
    for (case, problem), a, b in zip(cases, mine, theirs, strict=True):
        assert a is not None
        verdict = judge(problem, a, b)
        count[verdict] += 1
        if verdict in ("higher", "higher, left by a restart"):
            print(f"  {case}: cost {a.cost:.10g}, {name} {'-' if b is None else b.cost:.10g}")
    calls = [
        a.residuals / b.residuals
        for a, b in zip(mine, theirs, strict=True)
        if a is not None and b is not None and a.success and b.success
    ]
    print(
        f"lmoo's cost beside that of {name}: {dict(count)}; lmoo's residuals over its, where both "
        f"succeed: median {np.median(calls):.2f}"
    )


def judge(problem: Bounded, a: Run, b: Run | None) -> str:
    """Compare costs; if lmoo's is higher, check whether it is a local minimum."""
    if b is None or not np.isfinite(b.cost):
        return "the other failed"
    rounding = 1e-20 * float(np.sum(problem.f(problem.start) ** 2))
    if abs(a.cost - b.cost) <= SAME * b.cost + rounding:
        return "same"
    if a.cost < b.cost:
        return "lower"
    if not a.success:
        return "higher, no success"
    again = lmoo.Solver().solve(problem, a.x)
    if again.cost < (1 - SAME) * a.cost:
        return "higher, left by a restart"
    return "another local minimum" if is_stationary(problem, a.x) else "higher"


# ---- random ----------------------------------------------------------------------------------


def at_random(count: int) -> None:
    """Print the ends of problems of every kind with random bounds."""
    strategies = [None, lmoo.ForwardDifference(), lmoo.CentralDifference()]
    steps = [None, lmoo.Nielsen(), lmoo.GeodesicAcceleration()]
    outside, higher, false = 0, 0, []
    ends: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    beside: Counter[str] = Counter()
    calls = np.zeros(3)
    for k in range(count):
        kind, seed = list(KINDS)[k % len(KINDS)], k // len(KINDS)
        # More's step, which is the default, and all strategies for derivatives more often.
        step = steps[(seed // 3) % 6] if (seed // 3) % 6 < 3 else None
        problem = draw(kind, seed)
        solver = lmoo.Solver(jacobian=strategies[seed % 3], step=step)
        result = solver.solve(problem, problem.start)
        first = problem.f(problem.start)
        outside += problem.outside
        higher += int(result.cost > 0.5 * (first @ first) * (1 + 1e-14))
        ends[kind][result.status.name] += 1
        if result.success and not is_stationary(problem, result.x):
            worst = np.abs(projected_cosines(problem, result.x)).max()
            false.append(f"{kind} {seed}: {solver!r}, cosine {worst:.1e}")
        a = Run(result.x, result.cost, result.success, result.nfev, result.njev)
        b = trf(problem, problem.start, problem.bounds, True)
        beside[judge(problem, a, b)] += 1
        if seed % 3 == 0 and step is None and b is not None:
            calls += [result.nfev, b.residuals, 1]
    print(f"\n{count} random problems in boxes:")
    print(f"evaluations outside {outside}, costs above the start's {higher}")
    print(f"successes that are none {len(false)}", *false[:20], sep="\n  ")
    for kind, counter in ends.items():
        print(f"{kind:<14}{dict(counter.most_common())}")
    print(f"cost beside that of scipy's trf: {dict(beside.most_common())}")
    print(
        f"residuals where both have the Jacobian, {calls[2]:.0f} problems: "
        f"lmoo {calls[0]:.0f}, trf {calls[1]:.0f}"
    )


if __name__ == "__main__":
    arguments = sys.argv[1:] or ["nist", "random"]
    print(versions("scipy"), "" if lmfit is None else f"lmfit {lmfit.__version__}")
    if lmfit is None:
        print("lmfit is not installed and left out: pip install lmoo[bench]")
    if "nist" in arguments:
        for given in (True, False):
            in_boxes(given)
        for given in (True, False):
            with_cuts(given)
    if "random" in arguments:
        at_random(int(arguments[-1]) if arguments[-1].isdigit() else 10_000)
