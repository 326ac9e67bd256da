"""Evaluations and digits of the step strategies, on NIST's 54 runs and MINPACK's 53.

    python benchmarks/step_strategies.py             prints a summary
    python benchmarks/step_strategies.py docs/data   writes the tables of the documentation as well

NIST's digits are those of the least accurate parameter, as in nist_table.py.  The problems of
More', Garbow and Hillstrom have several minima and no certified ones.  Their digits are those of
|f| relative to the smallest that any strategy found from the same start, or to |f(x0)| if that is
zero.
Evaluations are calls of the residual and of the Jacobian, which is analytic.
"""

import csv
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from common import versions
from nist_table import digits
from nist_traced import nelson

import lmoo
from lmoo.datasets import nist, nist_names
from lmoo.datasets._nist_models import MODELS

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from problems import CASES

STRATEGIES = {
    "More": lmoo.More(),
    "More, plain": lmoo.More(accelerate=False),
    "Nielsen": lmoo.Nielsen(),
    "Geodesic": lmoo.GeodesicAcceleration(),
}
ENOUGH = 6  # digits


class Case(NamedTuple):
    """A starting point, and the function that computes the digits of a result."""

    name: str
    problem: lmoo.Problem
    start: np.ndarray
    digits: Callable[[lmoo.Result, list[lmoo.Result]], float]


class Run(NamedTuple):
    """Result of one strategy for a case."""

    residuals: int
    jacobians: int
    digits: float
    success: bool


def nist_cases() -> Iterator[Case]:
    for name in nist_names():
        data = nist(name)
        for which, start in zip(("far", "near"), data.starts, strict=True):
            yield Case(
                f"{name}, {which}", data, start, lambda r, _, c=data.certified: digits(r.x, c)
            )


def mgh_cases() -> Iterator[Case]:
    for case in CASES:
        problem = lmoo.FunctionProblem(case.problem.residual, case.problem.jacobian)
        scale = np.linalg.norm(case.problem.residual(case.start()))
        yield Case(case.id, problem, case.start(), lambda r, all_, s=scale: norm_digits(r, all_, s))


def norm_digits(result: lmoo.Result, results: list[lmoo.Result], scale: float) -> float:
    norms = [float(np.linalg.norm(r.residual)) for r in results]
    mine, best = float(np.linalg.norm(result.residual)), min(norms)
    error = (mine - best) / (best if best > 1e-11 * scale else scale)
    return float(np.clip(-np.log10(max(error, 1e-11)), 0.0, 11.0))


def run(case: Case) -> list[Run]:
    results = [lmoo.Solver(step=s).solve(case.problem, case.start) for s in STRATEGIES.values()]
    return [Run(r.nfev, r.njev, case.digits(r, results), r.success) for r in results]


def summary(title: str, table: dict[str, list[Run]]) -> list[list[str]]:
    print(f"\n{title}: {len(table)} runs")
    header = ["", f">= {ENOUGH} digits", "mean", "residuals", "Jacobians", "fewest", "no success"]
    rows = []
    fewest = [min(r.residuals + r.jacobians for r in runs if r.digits >= ENOUGH)
              for runs in table.values()]  # fmt: skip
    for k, name in enumerate(STRATEGIES):
        runs = [row[k] for row in table.values()]
        rows.append(
            [
                name,
                sum(r.digits >= ENOUGH for r in runs),
                f"{np.mean([r.digits for r in runs]):.1f}",
                sum(r.residuals for r in runs),
                sum(r.jacobians for r in runs),
                sum(
                    r.digits >= ENOUGH and r.residuals + r.jacobians == least
                    for r, least in zip(runs, fewest, strict=True)
                ),
                sum(not r.success for r in runs),
            ]
        )
    for row in [header, *rows]:
        print(f"{row[0]:<12}" + "".join(f"{cell!s:>12}" for cell in row[1:]))
    return [[str(cell) for cell in row] for row in [header, *rows]]


def second_derivatives() -> None:
    """Print the evaluations of geodesic steps with exact second derivatives and with differences.

    NIST's models are traced, which gives these; the data sets' own problems are differenced.
    Second derivatives count with the Jacobians.
    """
    solver = lmoo.Solver(step=lmoo.GeodesicAcceleration())
    print("\nnist, geodesic steps: residuals, Jacobians and second derivatives, their sum")
    counts = {"differences": np.zeros(2, dtype=int), "exact": np.zeros(2, dtype=int)}
    for name in nist_names():
        data = nist(name)
        f = nelson if name == "Nelson" else MODELS[name].value
        traced = lmoo.CurveProblem(f, data.x.T, MODELS[name].response(data.y), trace=True)
        for start in data.starts:
            for kind, problem in (("differences", data), ("exact", traced)):
                with np.errstate(all="ignore"):
                    result = solver.solve(problem, start)
                counts[kind] += result.nfev, result.njev
    for kind, (residuals, derivatives) in counts.items():
        print(f"{kind:<12}{residuals:>8}{derivatives:>8}{residuals + derivatives:>8}")


def write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def cells(r: Run) -> tuple[str, str]:
    return f"{r.residuals}, {r.jacobians}{'' if r.success else ' †'}", f"{r.digits:.1f}"


def lines(table: dict[str, list[Run]]) -> list[list[str]]:
    header = ["run"] + [f"{name}: {what}" for name in STRATEGIES for what in ("f, J", "digits")]
    return [header] + [
        [name, *(cell for r in runs for cell in cells(r))] for name, runs in table.items()
    ]


if __name__ == "__main__":
    print(versions())
    for title, cases in (("nist", nist_cases()), ("mgh", mgh_cases())):
        table = {case.name: run(case) for case in cases}
        short = summary(title, table)
        if len(sys.argv) > 1:
            folder = Path(sys.argv[1])
            folder.mkdir(exist_ok=True)
            write(folder / f"steps_{title}_summary.csv", short)
            write(folder / f"steps_{title}.csv", lines(table))
    second_derivatives()
