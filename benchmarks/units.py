"""Check that status and number of evaluations do not depend on the units.

    python benchmarks/units.py [--scalings 300] [--only PROBLEM;...]

The units of f and of each parameter are powers of 2 of the original ones.  Rounding is then the
same, so the status and, up to 1, the number of evaluations must be the same.
"""

import argparse
import warnings
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from common import versions
from random_models import Array, draw

import lmoo
from lmoo.datasets import nist

NIST = (
    "Misra1a", "Chwirut2", "Lanczos3", "Gauss1", "DanWood", "Kirby2", "Hahn1", "MGH17", "Misra1c",
    "Roszman1", "Thurber", "BoxBOD", "Rat42", "MGH10", "Eckerle4", "Rat43", "Bennett5",
)  # fmt: skip


class Original(NamedTuple):
    """A problem before its units are changed."""

    residual: Callable[[Array], Array]
    jacobian: Callable[[Array], Array]
    start: Array
    bounds: tuple[Array, Array] | None = None


def originals() -> dict[str, Original]:
    problems = {}
    for name in NIST:
        data = nist(name)
        start = np.asarray(data.starts[1], dtype=float)
        problems[name] = Original(data.residual, data.jacobian, start)
    rosenbrock = Original(
        lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]),
        lambda x: np.array([[-20 * x[0], 10], [-1, 0]]),
        np.array([-1.2, 1.0]),
    )
    problems["Rosenbrock"] = rosenbrock
    problems["Rosenbrock, bounds"] = rosenbrock._replace(
        bounds=(np.array([-2.0, 0.5]), np.array([0.8, 3.0]))
    )
    for name, kind, seed in (("decay, bounds", "bounded exponential", 4), ("cosh", "cosh", 1)):
        drawn = draw(kind, seed)
        problems[name] = Original(drawn.exact, drawn.jacobian, drawn.start, drawn.bounds)
    return problems


def solve_scaled(p: Original, analytic: bool, f_unit: float, units: Array) -> tuple[str, int, int]:
    """Solve with f and x in other units."""
    problem = lmoo.FunctionProblem(
        lambda x: f_unit * p.residual(x / units),
        (lambda x: f_unit * p.jacobian(x / units) / units) if analytic else None,
    )
    bounds = None if p.bounds is None else tuple(bound * units for bound in p.bounds)
    try:
        result = lmoo.Solver(bounds=bounds).solve(problem, p.start * units)
    except lmoo.EvaluationError as error:
        return type(error).__name__, 0, 0
    return result.status.name, result.nfev, result.njev


def in_units(scalings: int, only: list[str]) -> None:
    print(f"{'problem':<20}{'':<13}{'status':<14}{'nfev':>6}{'other status':>14}{'other nfev':>12}")
    wrong = count = 0
    for index, (name, problem) in enumerate(originals().items()):
        if only and name not in only:
            continue
        for analytic in (True, False):
            random = np.random.default_rng(index)
            status, calls, _ = solve_scaled(problem, analytic, 1.0, np.ones(problem.start.size))
            others: Counter[str] = Counter()
            off = []
            for _ in range(scalings):
                f_unit = 2.0 ** random.integers(-60, 61)
                units = 2.0 ** random.integers(-40, 41, problem.start.size)
                other, n, _ = solve_scaled(problem, analytic, f_unit, units)
                if other != status:
                    others[other] += 1
                elif abs(n - calls) > 1:
                    off.append(n)
            count += scalings
            wrong += sum(others.values()) + len(off)
            span = f" ({min(off)} to {max(off)})" if off else ""
            print(
                f"{name:<20}{'Jacobian' if analytic else 'differences':<13}{status:<14}{calls:>6}"
                f"{sum(others.values()):>14}{len(off):>12}{span} {dict(others) or ''}",
                flush=True,
            )
    print(f"{wrong} of {count} solves depend on the units")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--scalings", type=int, default=300, help="number of units per problem")
    parser.add_argument("--only", default="", help="problems, separated by semicolons")
    options = parser.parse_args()
    print(versions())
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    in_units(options.scalings, [name for name in options.only.split(";") if name])
