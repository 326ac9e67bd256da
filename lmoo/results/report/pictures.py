"""The plots of a report, as PNG files."""

from typing import Any, NamedTuple

import numpy as np

from lmoo.problems.kinds import is_joint
from lmoo.results.axes import figure_of, png_of
from lmoo.results.components import model_with_parts
from lmoo.results.convergenceplots import plot_convergence
from lmoo.results.curve import known_curve
from lmoo.results.jointplots import MOST, grid_of, plot_parts
from lmoo.results.labels import axis_labels
from lmoo.results.plotting import plot

__all__ = ["Picture", "pictures_of"]

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
    drawn = [_draw_parts] if joint else [_draw_fit] if _has_curve(result) else []
    if result.history is not None and len(result.history):
        drawn.append(_draw_convergence)
    if not drawn:
        return [], ""
    try:
        return [draw(result) for draw in drawn], ""
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
    return _picture(figure, f"{y} against {x}: data, {fit}{parts}{bands}; below, the residuals.")


def _draw_parts(result: Any) -> Picture:
    """Draw data and fit of the problems of a joint fit."""
    figure = figure_of()
    count = len(result.problem.problems)
    plot_parts(result.part, count, grid_of(figure, min(count, MOST)))
    shown = f"the {count} problems" if count <= MOST else f"the first {MOST} of {count} problems"
    return _picture(figure, f"Data and fit of {shown}.")


def _draw_convergence(result: Any) -> Picture:
    figure = figure_of((8.0, 4.0))
    plot_convergence(result, figure.subplots())
    return _picture(figure, "Cost and optimality against the iteration.")


def _picture(figure: Any, alt: str) -> Picture:
    width, height = (round(100 * size) for size in figure.get_size_inches())
    return Picture(png_of(figure), width, height, alt)
