"""Pictures of a fit, with matplotlib: ``pip install lmoo[plot]``.

Each function draws into the axes that it is given, or makes a figure, and returns the axes; the
methods of `Result` of the same names call them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo.problems.curve import Curve
from lmoo.results.curve import curve_of
from lmoo.results.fit import Fit
from lmoo.results.profile import contour, trace
from lmoo.results.statistics import (
    parameter_index,
    predict,
    probability,
    residual_scale,
    t_quantile,
)

__all__ = ["plot", "plot_contour", "plot_convergence", "plot_profile"]

Array = NDArray[np.float64]

_FIT, _DATA, _ACCENT, _FAINT = "#1f6fb4", "#333333", "#c8501e", "#8a8a8a"
_SIZE = (8.0, 6.0)
_SHADE = 0.18


def _pyplot() -> Any:
    """Import matplotlib; ImportError that says where it comes from."""
    try:
        import matplotlib.pyplot
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install lmoo[plot]") from error
    return matplotlib.pyplot


def _axes(ax: Any) -> Any:
    """Return the axes given, or those of a new figure."""
    if ax is not None:
        return ax
    return _pyplot().subplots(figsize=_SIZE, layout="constrained")[1]


def _tidy(ax: Any, x: str, y: str) -> None:
    """Label the axes, and take away what carries nothing.

    Names of parameters come from anywhere: they are shown as they are, no formula is made of "$".
    """
    ax.set_xlabel(x, parse_math=False)
    ax.set_ylabel(y, parse_math=False)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, color="0.5", alpha=0.18, linewidth=0.8)
    ax.set_axisbelow(True)
    for axis in (ax.xaxis, ax.yaxis):
        if axis.get_scale() == "linear":
            axis.get_major_formatter().set_powerlimits((-3, 5))


# ---- the fit --------------------------------------------------------------------------------


def plot(
    result: Fit,
    ax: Any = None,
    *,
    level: float = 0.95,
    confidence: bool = True,
    prediction: bool = True,
    scaled: bool = True,
    points: int = 400,
) -> Any:
    """Draw data, fit and bands, with the residuals below.

    Parameters
    ----------
    result : Result
        Of a problem with a curve: f, t and y.
    ax : Axes or pair of Axes, optional
        A single one gets data and fit, a pair the residuals in its second.  None: a new figure with
        both.
    level : float, default 0.95
        Of the bands.
    confidence, prediction : bool, default True
        Whether to draw the band of the model, and that of new observations.
    scaled : bool, default True
        As for `Result.predict`.
    points : int, default 400
        Of the smooth line.

    Returns
    -------
    Axes, or pair of them
        As given; the pair of the new figure.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    TypeError
        The problem has no curve; `ax` is neither Axes nor a pair of them.

    Notes
    -----
    Error bars are one sigma, where the problem has it.  Where t is not one array of numbers, points
    are drawn against their index.  On axes whose x is logarithmic already the line has its points
    at equal ratios.
    """
    probability("level", level)
    curve = curve_of(result, "plot")
    if ax is None:
        figure = _pyplot().figure(figsize=_SIZE, layout="constrained")
        ax = tuple(figure.subplots(2, 1, sharex=True, height_ratios=[3, 1]))
    above, below = _pair(ax)
    bands = [name for name, on in (("prediction", prediction), ("confidence", confidence)) if on]
    place, line, smooth, label = _abscissa(curve, points, above.get_xscale())
    _draw_fit(result, curve, above, (line, smooth), bands, level, scaled)
    _draw_data(above, place, np.asarray(curve.y), curve.standard_deviations(), "data")
    # From the data to the bands: the order in which one asks.
    handles, labels = above.get_legend_handles_labels()
    above.legend(handles[::-1], labels[::-1], frameon=False)
    _tidy(above, label if below is None else "", "y")
    if below is not None:
        below.axhline(0.0, color=_FIT, linewidth=1.5)
        difference = np.asarray(curve.y) - curve.values(curve.t, result.x)
        _draw_data(below, place, difference, curve.standard_deviations(), "residual")
        _tidy(below, label, "data - fit")
        figure = above.get_figure()
        figure.align_ylabels([above, below])
    return ax


def _pair(ax: Any) -> tuple[Any, Any]:
    """Return the axes of the fit and those of the residuals, None where they are not wanted."""
    parts = list(ax) if isinstance(ax, (Sequence, np.ndarray)) else [ax, None]
    if len(parts) != 2 or not all(part is None or hasattr(part, "errorbar") for part in parts):
        raise TypeError(f"ax must be Axes, a pair of them or None; it is {ax!r}")
    return parts[0], parts[1]


def _abscissa(curve: Curve, points: int, scale: str) -> tuple[Array, Array, Any, str]:
    """Return where data are drawn, where the line is, what t is there, and the label."""
    m = np.size(curve.y)
    t = np.asarray(curve.t) if not isinstance(curve.t, tuple) else np.empty(0)
    if t.shape == (m,) and t.dtype.kind in "biuf":
        t = t.astype(np.float64)
        smooth = _between(t, points, scale)
        return t, smooth, smooth, "t"
    index = np.arange(m, dtype=np.float64)
    return index, index, curve.t, "index"


def _between(t: Array, points: int, scale: str) -> Array:
    """Return places from the first t to the last, evenly spaced on an axis of this scale."""
    if scale == "log" and t.max() > 0.0:
        return np.geomspace(t[t > 0.0].min(), t.max(), points)
    return np.linspace(t.min(), t.max(), points)


def _draw_fit(
    result: Fit,
    curve: Curve,
    ax: Any,
    line: tuple[Array, Any],
    bands: Sequence[str],
    level: float,
    scaled: bool,
) -> None:
    """Draw the model and its bands; those that do not exist, for want of data, are left out."""
    place, t = line
    sigma = _interpolated(curve, place) if t is not curve.t else None
    for name, alpha in (("prediction", 0.12), ("confidence", 0.28)):
        if name in bands:
            _, low, high = predict(result, t, name, level, sigma, scaled)
            if np.isfinite(low).all() and np.isfinite(high).all():
                label = f"{100 * level:g} % {name}"
                ax.fill_between(place, low, high, color=_FIT, alpha=alpha, linewidth=0, label=label)
    y = curve.values(t, result.x)
    ax.plot(place, y, color=_FIT, linewidth=2, label="fit")


def _interpolated(curve: Curve, place: Array) -> Array | None:
    """Return what sigma is between the points."""
    known = curve.standard_deviations()
    if known is None:
        return None
    t = np.asarray(curve.t, dtype=np.float64)
    order = np.argsort(t, kind="stable")
    return np.asarray(np.interp(place, t[order], known[order]))


def _draw_data(ax: Any, place: Array, y: Array, sigma: Array | None, label: str) -> None:
    size = float(np.clip(60.0 / np.sqrt(y.size), 1.5, 5.5))
    ax.errorbar(
        place,
        y,
        yerr=sigma,
        fmt="o",
        color=_DATA,
        markersize=size,
        markeredgecolor="white",
        markeredgewidth=0.12 * size,
        elinewidth=1.0,
        capsize=2.0 if y.size < 60 else 0.0,
        label=label,
        zorder=3,
    )


# ---- profiles -------------------------------------------------------------------------------


def plot_profile(
    result: Fit, j: int | str, ax: Any = None, *, level: float = 0.95, scaled: bool = True
) -> Any:
    """Draw the profile t of a parameter beside the straight line of linear theory.

    Parameters
    ----------
    result : Result
    j : int or str
        Position or name of the parameter.
    ax : Axes, optional
        None: a new figure.
    level : float, default 0.95
        Of the interval that is marked.
    scaled : bool, default True
        As for `Result.confidence_interval`.

    Returns
    -------
    Axes

    Raises
    ------
    ImportError, ValueError
        No matplotlib; as `Result.profile`.
    """
    where, level = parameter_index(result, j), probability("level", level)
    # A little beyond what is marked.
    found = trace(result, where, 1.0 - 0.4 * (1.0 - level), scaled, points=12)
    ax = _axes(ax)
    t = t_quantile(result, level, scaled)
    error = float(result._linear.standard_errors(residual_scale(result, scaled))[where])
    if 0.0 < error < np.inf:
        line = (found.values - result.x[where]) / error
        seen = np.abs(line) <= 1.25 * np.abs(found.tau).max()
        ax.plot(found.values[seen], line[seen], "--", color=_FAINT, linewidth=1.5, label="linear")
    ax.plot(found.values, found.tau, "-o", color=_FIT, linewidth=2, markersize=4, label="profile")
    # What is far beyond, where a model ends in a cliff, would flatten the rest.
    top = 1.3 * float(np.clip(np.abs(found.tau).max(), t, 1.3 * t))
    # At a bound there is one side alone.
    bottom = -top if found.tau[0] < 0.0 else -0.08 * top
    for side in (-1.0, 1.0):
        _mark_end(ax, found.values, found.tau, side * t, bottom)
    ax.set_ylim(bottom, top if found.tau[-1] > 0.0 else 0.08 * top)
    ax.plot(result.x[where], 0.0, "o", color=_ACCENT, markersize=8, zorder=4, label="best fit")
    ax.plot([], [], ":", color=_ACCENT, linewidth=1.5, label=f"{100 * level:g} % interval")
    ax.legend(frameon=False, loc="upper left")
    _tidy(ax, result.parameter_names[where], "profile t")
    return ax


def _mark_end(ax: Any, values: Array, tau: Array, t: float, bottom: float) -> None:
    """Mark where the profile crosses t; nothing where it does not."""
    if tau[0] <= t <= tau[-1]:
        end = float(np.interp(t, tau, values))
        ax.plot([values[0], end, end], [t, t, bottom], ":", color=_ACCENT, linewidth=1.5)


def plot_contour(
    result: Fit,
    i: int | str,
    j: int | str,
    ax: Any = None,
    *,
    levels: Sequence[float] = (0.95, 0.68),
    scaled: bool = True,
) -> Any:
    """Draw the joint confidence regions of two parameters beside the ellipses of linear theory.

    Parameters
    ----------
    result : Result
    i, j : int or str
        Positions or names of two parameters, along the two axes.
    ax : Axes, optional
        None: a new figure.
    levels : sequence of float, default (0.95, 0.68)
        Of the regions.
    scaled : bool, default True
        As for `Result.confidence_interval`.

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
    The boundary is where the sum of squares, minimised over all other parameters, has grown by 2 F
    s^2 (Bates and Watts 1988, section 6.2).  The linear ellipse is that of the largest level.
    """
    a, b = parameter_index(result, i, "i"), parameter_index(result, j, "j")
    ax = _axes(ax)
    for k, level in enumerate(sorted(levels, reverse=True), start=1):
        x, y = contour(result, a, b, probability("levels", level), scaled)
        ax.fill(x, y, facecolor=_FIT, alpha=_SHADE, linewidth=0)
        ax.plot(x, y, color=_FIT, linewidth=2)
        # Regions lie upon each other, and the legend shows the shade that this makes.
        shade = 1.0 - (1.0 - _SHADE) ** k
        label = f"{100 * level:g} % region"
        ax.fill([], [], facecolor=_FIT, alpha=shade, linewidth=0, label=label)
    _draw_ellipse(result, ax, (a, b), max(levels), scaled)
    ax.plot(result.x[a], result.x[b], "o", color=_ACCENT, markersize=8, label="best fit", zorder=4)
    ax.legend(frameon=False)
    _tidy(ax, result.parameter_names[a], result.parameter_names[b])
    return ax


def _draw_ellipse(result: Fit, ax: Any, pair: tuple[int, int], level: float, scaled: bool) -> None:
    """Draw the ellipse of linear theory, where there is one."""
    from lmoo.results.profile import joint

    a, b = pair
    covariance = result.covariance(scaled)[np.ix_(pair, pair)]
    if not np.isfinite(covariance).all() or not (np.diag(covariance) > 0).all():
        return
    errors = np.sqrt(np.diag(covariance)) * np.sqrt(joint(result, level, scaled))
    rho = result.correlation[a, b]
    angle = np.linspace(0.0, 2.0 * np.pi, 181)
    across = rho * np.cos(angle) + np.sqrt(max(1.0 - rho * rho, 0.0)) * np.sin(angle)
    ax.plot(
        result.x[a] + errors[0] * np.cos(angle),
        result.x[b] + errors[1] * across,
        "--",
        color=_FAINT,
        linewidth=1.5,
        label=f"{100 * level:g} % linear",
    )


# ---- convergence ----------------------------------------------------------------------------


def plot_convergence(result: Fit, ax: Any = None) -> Any:
    """Draw how cost and gradient came down, iteration by iteration.

    Parameters
    ----------
    result : Result
        Of ``Solver.solve(..., history=True)``.
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
    """
    history = result.history
    if history is None or len(history) == 0:
        raise ValueError(
            "plot_convergence needs the history of the solve: Solver.solve(..., history=True)"
        )
    ax = _axes(ax)
    excess = history.cost - history.cost.min()
    size = history.cost.min() or history.cost.max() or 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        # Below this, what is left is rounding.
        excess = np.where(excess / size > 16 * np.finfo(float).eps, excess / size, np.nan)
    curves = {"cost above the last, relative": excess, "optimality": history.optimality}
    for (label, values), colour in zip(curves.items(), (_FIT, _ACCENT), strict=True):
        # What is zero has no place on a logarithmic axis.
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
    _tidy(ax, "iteration", "")
    ax.xaxis.get_major_locator().set_params(integer=True)
    return ax
