"""``lmoo demo``: fit two data sets of NIST and compare the results with the certified values.

With matplotlib (``pip install lmoo[plot]``) it draws data, fit and residuals into the folder
``demo``.
"""

import argparse
from pathlib import Path

import numpy as np

from lmoo.cli.picture import draw
from lmoo.datasets import NistDataset, nist
from lmoo.models.expression import Expression
from lmoo.problems.curveproblem import CurveProblem
from lmoo.results.result import Result
from lmoo.solver.solver import Solver

# An easy and a difficult problem, both from NIST's start 1, which is far from the solution.
NAMES = ("Misra1a", "Eckerle4")


def fit(data: NistDataset) -> Result:
    """Fit one data set from its far starting point, with the model as a text.

    Examples
    --------
    >>> from lmoo.datasets import nist
    >>> from lmoo.cli.commands.demo import fit
    >>> fit(nist("Misra1a")).x.round(4)
    array([2.389421e+02, 6.000000e-04])
    """
    text = data.formula.partition("=")[2]
    model = Expression(text, variables=["x"], parameters=list(data.parameter_names))
    return Solver().solve(CurveProblem(model, data.x, data.response), data.starts[0])


def report(data: NistDataset, result: Result) -> str:
    """Return the report of a fit beside the certified values."""
    lines = [
        f"{data.name}: {data.description}",
        f"  model {data.formula}, NIST's level of difficulty: {data.difficulty}",
        f"  from {', '.join(f'{b:g}' for b in data.starts[0])}",
        "",
        str(result),
        "",
        f"  {'NIST certifies':<16}{'value':>20}{'standard error':>20}{'digits':>9}",
    ]
    for name, x, value, error in zip(
        data.parameter_names, result.x, data.certified, data.standard_errors, strict=True
    ):
        difference = abs(x - value) / abs(value)
        digits = min(11.0, -np.log10(max(difference, 1e-11)))
        lines.append(f"  {name:<16}{value:>20.10e}{error:>20.10e}{digits:>9.1f}")
    return "\n".join(lines)


def run(arguments: argparse.Namespace) -> int:
    """Fit, print and draw; return 0 if both minima were found, else 1."""
    folder = Path("demo")
    found = []
    for k, name in enumerate(NAMES, 1):
        print(f"[{k} of {len(NAMES)}] fitting {name}", flush=True)
        data = nist(name)
        result = fit(data)
        found.append(result.success)
        print(f"\n{report(data, result)}", flush=True)
        try:
            folder.mkdir(exist_ok=True)
            path = folder / f"{name}.png"
            draw(result, str(path), 0.95, ("x", "y"))
            print(f"\n  picture: {path}\n", flush=True)
        except ModuleNotFoundError:
            print("\n  no picture: install matplotlib, pip install lmoo[plot]\n")
    return 0 if all(found) else 1
