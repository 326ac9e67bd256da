"""Plots of the convergence of a solve."""

from typing import Any

import numpy as np

from lmoo.results.axes import ACCENT, FIT, axes_for, label_axes
from lmoo.results.fit import Fit


def plot_convergence(result: Fit, ax: Any = None) -> Any:
    """Plot cost and optimality against the iteration.

    Parameters
    ----------
    result : Result
        The result of ``Solver.solve(..., history=True)``.
    ax : Axes, optional
        None: a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ImportError
        matplotlib is not installed.
    ValueError
        The result has no history.

    Examples
    --------
    >>> import lmoo
    >>> from lmoo.datasets import nist
    >>> data = nist("DanWood")
    >>> result = lmoo.Solver().solve(data, data.starts[1], history=True)
    >>> lmoo.plotting.plot_convergence(result).get_xlabel()
    'iteration'
    """
    history = result.history
    if history is None or len(history) == 0:
        raise ValueError(
            "plot_convergence needs the history of the solve: Solver.solve(..., history=True)"
        )
    ax = axes_for(ax)
    excess = history.cost - history.cost.min()
    size = history.cost.min() or history.cost.max() or 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        # Smaller differences are rounding errors.
        excess = np.where(excess / size > 16 * np.finfo(float).eps, excess / size, np.nan)
    curves = {"cost above the last, relative": excess, "optimality": history.optimality}
    for (label, values), colour in zip(curves.items(), (FIT, ACCENT), strict=True):
        # A logarithmic axis cannot show zeros.
        seen = np.where(values > 0, values, np.nan)
        ax.semilogy(history.iteration, seen, "-", color=colour, linewidth=2, label=label)
        for accepted, face in ((True, colour), (False, "white")):
            here = history.accepted == accepted
            ax.plot(
                history.iteration[here],
                seen[here],
                "o",
                color=colour,
                markerfacecolor=face,
                markersize=6,
            )
    if not history.accepted.all():
        ax.plot([], [], "o", color="0.4", markerfacecolor="white", label="step refused")
    ax.legend(frameon=False)
    label_axes(ax, "iteration", "")
    ax.xaxis.get_major_locator().set_params(integer=True)
    return ax
