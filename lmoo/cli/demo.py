"""``lmoo demo``: fit two data sets of NIST and compare the results with the certified values.

With matplotlib (``pip install lmoo[plot]``) it draws data, fit and residuals into the folder
``demo``.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import lmoo
from lmoo.datasets import NistDataset, nist
from lmoo.results.result import Result

__all__ = ["fit", "main"]

# An easy and a difficult problem, both from NIST's start 1, which is far from the solution.
NAMES = ("Misra1a", "Eckerle4")


def fit(data: NistDataset) -> Result:
    """Fit one data set from its far starting point, without its Jacobian.

    Examples
    --------
    >>> from lmoo.datasets import nist
    >>> from lmoo.cli.demo import fit
    >>> fit(nist("Misra1a")).x.round(4)
    array([2.389421e+02, 6.000000e-04])
    """
    problem = lmoo.FunctionProblem(data.residual, parameter_names=data.parameter_names)
    return lmoo.Solver().solve(problem, data.starts[0])


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


def draw(data: NistDataset, result: Result, path: Path) -> None:
    """Draw data and fit above, residuals below."""
    # The canvas writes files and needs no display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 6), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    _draw_fit(above, data, result)
    below.axhline(0.0, color="0.6", linewidth=1)
    below.plot(data.x, result.residual, "o", markersize=4)
    below.set_xlabel("x")
    below.set_ylabel("fit - data")
    figure.savefig(path, dpi=100)


def _draw_fit(axes: Any, data: NistDataset, result: Result) -> None:
    smooth = np.linspace(data.x.min(), data.x.max(), 400)
    axes.plot(data.x, data.response, "o", markersize=4, label="data")
    axes.plot(smooth, replace(data, x=smooth).model(result.x), label="fit")
    axes.set_title(f"{data.name}: {data.formula}")
    axes.set_ylabel("y")
    axes.legend()


def main() -> None:
    """Fit, print and draw."""
    folder = Path("demo")
    for name in NAMES:
        data = nist(name)
        result = fit(data)
        print(report(data, result))
        try:
            folder.mkdir(exist_ok=True)
            draw(data, result, folder / f"{name}.png")
            print(f"\n  picture: {folder / f'{name}.png'}\n")
        except ModuleNotFoundError:
            print("\n  no picture: install matplotlib, pip install lmoo[plot]\n")
