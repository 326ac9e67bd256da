"""Plots of a joint fit: one for each of its problems."""

from collections.abc import Callable
from math import ceil
from typing import Any

from lmoo.results.axes import SIZE, pyplot
from lmoo.results.fit import Fit
from lmoo.results.plotting import plot

# Problems that one figure has room for.
MOST = 12


def grid_of(figure: Any, count: int) -> list[Any]:
    """Return axes for a number of plots in a figure."""
    columns = 1 if count == 1 else 2 if count <= 4 else 3
    grid = figure.subplots(ceil(count / columns), columns, squeeze=False)
    for ax in grid.flat[count:]:
        ax.remove()
    return list(grid.flat[:count])


def plot_parts(
    part: Callable[[int], Fit], count: int, axes: list[Any] | None = None, **options: Any
) -> list[Any]:
    """Plot data and fit of the first problems of a joint fit.

    Parameters
    ----------
    part : callable
        ``part(k)`` returns the result of problem k.
    count : int
        Number of problems.
    axes : list of Axes, optional
        None: a new figure.
    **options
        As for `plot`.

    Returns
    -------
    list of Axes
        At most 12.
    """
    if axes is None:
        figure = pyplot().figure(figsize=SIZE, layout="constrained")
        axes = grid_of(figure, min(count, MOST))
    for k, ax in enumerate(axes):
        plot(part(k), ax, **options)
        ax.set_title(f"problem {k} of {count}", fontsize="medium")
        if k:
            ax.get_legend().remove()
    return axes
