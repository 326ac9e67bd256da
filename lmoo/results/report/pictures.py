"""The plots of a report, as PNG files."""

import warnings
from collections.abc import Callable, Sequence
from math import ceil
from typing import Any, NamedTuple

import numpy as np

from lmoo.errors import BetterMinimumWarning
from lmoo.problems.kinds import is_joint
from lmoo.results.axes import figure_of, png_of
from lmoo.results.components import model_with_parts
from lmoo.results.convergenceplots import plot_convergence
from lmoo.results.curve import known_curve
from lmoo.results.jointplots import MOST, grid_of, plot_parts
from lmoo.results.labels import axis_labels
from lmoo.results.plotting import plot
from lmoo.results.profileplots import plot_profile
from lmoo.results.report.cautions import is_small

# Parameters whose profiles one figure has room for.
_PROFILES = 9
_WITHOUT = "Plots need matplotlib: pip install lmoo[plot] installs it."


class Picture(NamedTuple):
    """A plot: a PNG file, its size on the page in pixels, and a text that describes it."""

    png: bytes
    width: int
    height: int
    alt: str


def pictures_of(result: Any) -> tuple[list[Picture], str]:
    """Return the plots of a result, and a sentence about what is missing, "" if nothing is.

    Parameters
    ----------
    result : Result
        A joint fit has one plot for each of its problems.
    """
    joint = is_joint(result.problem)
    plots: list[Callable[[], Picture]] = []
    if joint:
        plots.append(lambda: _draw_parts(result))
    elif _has_curve(result):
        plots.append(lambda: _draw_fit(result))
    if names := _profiled(result):
        plots.append(lambda: _draw_profiles(result, names))
    if result.history is not None and len(result.history):
        plots.append(lambda: _draw_convergence(result))
    return drawn(plots)


def drawn(plots: Sequence[Callable[[], Picture]]) -> tuple[list[Picture], str]:
    """Return the plots, or none and how to have them where matplotlib is not installed."""
    try:
        return [draw() for draw in plots], ""
    except ImportError:
        return [], _WITHOUT


def _has_curve(result: Any) -> bool:
    curve = known_curve(result)
    return curve is not None and np.size(curve.y) > 0


def _draw_fit(result: Any) -> Picture:
    """Draw data and fit with residuals, and the components of a sum of models."""
    figure = figure_of()
    axes = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    curve = known_curve(result)
    assert curve is not None
    model = model_with_parts(curve.f)
    composed = model is not None and len(getattr(model, "components", ())) > 1
    plot(result, axes, components=composed)
    x, y = axis_labels(result)
    fit = "the fit" if result.success else "the last point, which is no minimum"
    parts = ", its components" if composed else ""
    bands = ", bands of 95 %" if result.success else ""
    return picture_of(figure, f"{y} against {x}: data, {fit}{parts}{bands}; below, the residuals.")


def _draw_parts(result: Any) -> Picture:
    """Draw data and fit of the problems of a joint fit."""
    figure = figure_of()
    count = len(result.problem.problems)
    plot_parts(result.part, count, grid_of(figure, min(count, MOST)))
    shown = f"the {count} problems" if count <= MOST else f"the first {MOST} of {count} problems"
    return picture_of(figure, f"Data and fit of {shown}.")


def _profiled(result: Any) -> list[str]:
    """Return the parameters whose profiles are drawn: of small fits that call no Python.

    The fits of a profile then take a few milliseconds.
    """
    compiled = result.evaluation.startswith("compiled") and known_curve(result) is not None
    if not (result.success and compiled and is_small(result)):
        return []
    errors = zip(result.parameter_names, result.stderr.tolist(), strict=True)
    return [name for name, error in errors if 0.0 < error < np.inf][:_PROFILES]


def _draw_profiles(result: Any, names: Sequence[str]) -> Picture:
    """Draw the profiles of parameters, with the intervals that follow from them."""
    columns = min(len(names), 3)
    rows = ceil(len(names) / columns)
    figure = figure_of((8.0, 0.4 + 2.6 * rows))
    grid = figure.subplots(rows, columns, squeeze=False)
    for ax in grid.flat[len(names) :]:
        ax.remove()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", BetterMinimumWarning)
        for name, ax in zip(names, grid.flat, strict=False):
            plot_profile(result, name, ax)
            ax.get_legend().remove()
    for ax in grid[:, 1:].flat:
        ax.set_ylabel("")
    lines, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    below = any(issubclass(one.category, BetterMinimumWarning) for one in caught)
    hint = " A profile has found a lower sum of squares: the result is not the minimum."
    return picture_of(
        figure,
        f"Profiles of {', '.join(names)}, and the intervals of 95 %. A curved profile, away from "
        f"the dashed line, means that the interval from the standard error is wrong."
        f"{hint if below else ''}",
    )


def _draw_convergence(result: Any) -> Picture:
    figure = figure_of((8.0, 4.0))
    plot_convergence(result, figure.subplots())
    return picture_of(figure, "Cost and optimality against the iteration.")


def picture_of(figure: Any, alt: str) -> Picture:
    """Return a figure as a PNG file, with the text that describes it."""
    width, height = (round(100 * size) for size in figure.get_size_inches())
    return Picture(png_of(figure), width, height, alt)
