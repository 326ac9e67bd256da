"""Plots of profiles and of joint confidence regions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.results.axes import ACCENT, FAINT, FIT, axes_for, label_axes
from lmoo.results.fit import Fit
from lmoo.results.profile import contour, joint_cutoff, trace
from lmoo.results.reparametrized import with_parameters
from lmoo.results.smooth import closed_line, smooth_line
from lmoo.results.statistics import (
    parameter_index,
    probability,
    quantity,
    residual_scale,
    t_quantile,
)

_SHADE = 0.18  # opacity of a region


def plot_profile(
    result: Fit,
    j: int | str,
    ax: Any = None,
    *,
    level: float = 0.95,
    scaled: bool | None = None,
) -> Any:
    """Plot the profile t of a parameter and the straight line of linear theory.

    Parameters
    ----------
    result : Result
    j : int or str
        Index or name of the parameter.
    ax : Axes, optional
        None: a new figure.
    level : float, default 0.95
        Level of the interval that is marked.
    scaled : bool, optional
        As for `Result.confidence_interval`.  None: as for the standard errors of the result.

    Returns
    -------
    Axes

    Raises
    ------
    ImportError
        matplotlib is not installed.
    ValueError
        As for `Result.profile`.

    Examples
    --------
    >>> import lmoo
    >>> from lmoo.datasets import nist
    >>> data = nist("DanWood")
    >>> result = lmoo.Solver().solve(data, data.starts[1])
    >>> lmoo.plotting.plot_profile(result, "b2").get_xlabel()
    'b2'
    """
    level = probability("level", level)
    result, (where,) = with_parameters(result, (quantity(result, j),), scaled)
    # A little beyond the ends of the interval.
    found = trace(result, where, 1.0 - 0.4 * (1.0 - level), scaled, points=12)
    ax = axes_for(ax)
    t = t_quantile(result, level, scaled)
    error = float(result._linear.standard_errors(residual_scale(result, scaled))[where])
    if 0.0 < error < np.inf:
        line = (found.values - result.x[where]) / error
        seen = np.abs(line) <= 1.25 * np.abs(found.tau).max()
        ax.plot(found.values[seen], line[seen], "--", color=FAINT, linewidth=1.5, label="linear")
    ax.plot(*smooth_line(found.values, found.tau), color=FIT, linewidth=2, label="profile")
    # A jump of the profile beyond the interval must not determine the scale.
    top = 1.3 * float(np.clip(np.abs(found.tau).max(), t, 1.3 * t))
    # The profile of a parameter at its bound has one side.
    bottom = -top if found.tau[0] < 0.0 else -0.08 * top
    for side in (-1.0, 1.0):
        _mark_end(ax, found.values, found.tau, side * t, bottom)
    ax.set_ylim(bottom, top if found.tau[-1] > 0.0 else 0.08 * top)
    ax.plot(result.x[where], 0.0, "o", color=ACCENT, markersize=8, zorder=4, label="best fit")
    ax.plot([], [], ":", color=ACCENT, linewidth=1.5, label=f"{100 * level:g} % interval")
    ax.legend(frameon=False, loc="upper left")
    label_axes(ax, result.parameter_names[where], "profile t")
    return ax


def _mark_end(ax: Any, values: Array, tau: Array, t: float, bottom: float) -> None:
    """Mark the value at which the profile crosses t, if it does."""
    if tau[0] <= t <= tau[-1]:
        end = float(np.interp(t, tau, values))
        ax.plot([values[0], end, end], [t, t, bottom], ":", color=ACCENT, linewidth=1.5)


def plot_contour(
    result: Fit,
    i: int | str,
    j: int | str,
    ax: Any = None,
    *,
    levels: Sequence[float] = (0.95, 0.68),
    scaled: bool | None = None,
) -> Any:
    """Plot the joint confidence regions of two parameters and the ellipse of linear theory.

    Parameters
    ----------
    result : Result
    i, j : int or str
        Indices or names of the parameters on the x axis and on the y axis.
    ax : Axes, optional
        None: a new figure.
    levels : sequence of float, default (0.95, 0.68)
        Levels of the regions.
    scaled : bool, optional
        As for `Result.confidence_interval`.  None: as for the standard errors of the result.

    Returns
    -------
    Axes

    Raises
    ------
    ImportError
        matplotlib is not installed.
    ValueError
        i and j are the same parameter, or one of them is fixed; no degrees of freedom.

    Notes
    -----
    On the boundary the sum of squares, minimised over all other parameters, has grown by 2 F s^2
    (Bates and Watts 1988, section 6.2).  The linear ellipse is that of the largest level.

    Examples
    --------
    >>> import lmoo
    >>> from lmoo.datasets import nist
    >>> data = nist("DanWood")
    >>> result = lmoo.Solver().solve(data, data.starts[1])
    >>> ax = lmoo.plotting.plot_contour(result, "b1", "b2")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('b1', 'b2')
    """
    a, b = parameter_index(result, i, "i"), parameter_index(result, j, "j")
    ax = axes_for(ax)
    for k, level in enumerate(sorted(levels, reverse=True), start=1):
        x, y = closed_line(*contour(result, a, b, probability("levels", level), scaled))
        ax.fill(x, y, facecolor=FIT, alpha=_SHADE, linewidth=0)
        ax.plot(x, y, color=FIT, linewidth=2)
        # The regions overlap; the legend shows the shade of k layers.
        shade = 1.0 - (1.0 - _SHADE) ** k
        label = f"{100 * level:g} % region"
        ax.fill([], [], facecolor=FIT, alpha=shade, linewidth=0, label=label)
    _draw_ellipse(result, ax, (a, b), max(levels), scaled)
    ax.plot(result.x[a], result.x[b], "o", color=ACCENT, markersize=8, label="best fit", zorder=4)
    ax.legend(frameon=False)
    label_axes(ax, result.parameter_names[a], result.parameter_names[b])
    return ax


def _draw_ellipse(
    result: Fit, ax: Any, pair: tuple[int, int], level: float, scaled: bool | None
) -> None:
    """Draw the ellipse of linear theory, if the covariance is finite."""
    a, b = pair
    covariance = result.covariance(scaled)[np.ix_(pair, pair)]
    if not np.isfinite(covariance).all() or not (np.diag(covariance) > 0).all():
        return
    errors = np.sqrt(np.diag(covariance)) * np.sqrt(joint_cutoff(result, level, scaled))
    rho = result.correlation[a, b]
    angle = np.linspace(0.0, 2.0 * np.pi, 181)
    across = rho * np.cos(angle) + np.sqrt(max(1.0 - rho * rho, 0.0)) * np.sin(angle)
    ax.plot(
        result.x[a] + errors[0] * np.cos(angle),
        result.x[b] + errors[1] * across,
        "--",
        color=FAINT,
        linewidth=1.5,
        label=f"{100 * level:g} % linear",
    )
