"""Plots of a fit with its data, and of the convergence of a solve."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo.problems.complexdata import separate
from lmoo.problems.curve import Curve
from lmoo.results.axes import ACCENT, DATA, FIT, SIZE, axes_for, label_axes, pyplot
from lmoo.results.components import components as parts_of_model
from lmoo.results.curve import curve_of
from lmoo.results.fit import Fit
from lmoo.results.robust import OUTLIER
from lmoo.results.statistics import predict, probability

__all__ = ["plot", "plot_convergence"]

Array = NDArray[np.float64]


def plot(
    result: Fit,
    ax: Any = None,
    *,
    level: float = 0.95,
    confidence: bool = True,
    prediction: bool = True,
    scaled: bool | None = None,
    points: int = 400,
    components: bool = False,
) -> Any:
    """Plot data, fit and bands, with the residuals below.

    Parameters
    ----------
    result : Result
        The result of a problem that defines its curve: f, t and y.
    ax : Axes or pair of Axes, optional
        A single one gets data and fit; the second of a pair gets the residuals.  None: a new figure
        with both.
    level : float, default 0.95
        Level of the bands.
    confidence, prediction : bool, default True
        Whether to draw the confidence band of the model, and the prediction band.
    scaled : bool, optional
        As for `Result.predict`.
    points : int, default 400
        Number of points of the fitted line.
    components : bool, default False
        Whether to draw the parts of a model that is a sum of models, see `Result.components`.

    Returns
    -------
    Axes, or pair of them
        As given; the pair of the new figure.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    TypeError
        The problem does not define its curve; `ax` is neither Axes nor a pair of them; with
        `components`, the model does not know its parts.

    Notes
    -----
    Error bars are one sigma, if the problem has sigma.  Of a complex curve the real parts, and then
    the imaginary ones, are drawn against their index.  If t is not a single array of numbers,
    points are drawn against their index.  If the x axis is logarithmic already, the points of the
    line have equal ratios.  With a loss, points of a weight below 1/2 are open circles.
    """
    probability("level", level)
    curve = curve_of(result, "plot")
    if ax is None:
        figure = pyplot().figure(figsize=SIZE, layout="constrained")
        ax = tuple(figure.subplots(2, 1, sharex=True, height_ratios=[3, 1]))
    above, below = _pair(ax)
    bands = [name for name, on in (("prediction", prediction), ("confidence", confidence)) if on]
    place, line, smooth, label = _abscissa(curve, points, above.get_xscale())
    if components:
        _draw_components(result, above, line, smooth)
    _draw_fit(result, curve, above, (line, smooth), bands, level, scaled)
    sigma, far = curve.standard_deviations(), _outliers(result)
    _draw_data(above, place, np.asarray(curve.y), sigma, "data", far)
    # The legend lists the data first, then the fit, then the bands.
    handles, labels = above.get_legend_handles_labels()
    above.legend(handles[::-1], labels[::-1], frameon=False)
    label_axes(above, label if below is None else "", "y")
    if below is not None:
        below.axhline(0.0, color=FIT, linewidth=1.5)
        difference = np.asarray(curve.y) - curve.values(curve.t, result.x)
        _draw_data(below, place, difference, sigma, "residual", far)
        label_axes(below, label, "data - fit")
        figure = above.get_figure()
        figure.align_ylabels([above, below])
    return ax


def _pair(ax: Any) -> tuple[Any, Any]:
    """Return the axes of the fit and those of the residuals, or None for the latter."""
    parts = list(ax) if isinstance(ax, (Sequence, np.ndarray)) else [ax, None]
    if len(parts) != 2 or not all(part is None or hasattr(part, "errorbar") for part in parts):
        raise TypeError(f"ax must be Axes, a pair of them or None; it is {ax!r}")
    return parts[0], parts[1]


def _abscissa(curve: Curve, points: int, scale: str) -> tuple[Array, Array, Any, str]:
    """Return the abscissae of the data and of the line, t on the line, and the label."""
    m = np.size(curve.y)
    t = np.asarray(curve.t) if not isinstance(curve.t, tuple) else np.empty(0)
    if t.shape == (m,) and t.dtype.kind in "biuf":
        t = t.astype(np.float64)
        smooth = _between(t, points, scale)
        return t, smooth, smooth, "t"
    index = np.arange(m, dtype=np.float64)
    return index, index, curve.t, "index"


def _between(t: Array, points: int, scale: str) -> Array:
    """Return abscissae from the smallest t to the largest, equidistant on an axis of this scale."""
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
    scaled: bool | None,
) -> None:
    """Draw the model and its bands; bands that are not finite are left out."""
    place, t = line
    sigma = _interpolated(curve, place) if t is not curve.t else None
    for name, alpha in (("prediction", 0.12), ("confidence", 0.28)):
        if name in bands:
            at = None if t is curve.t else t
            limits = predict(result, at, name, level, sigma, scaled)[1:]
            low, high = (separate(part) for part in limits)
            if np.isfinite(low).all() and np.isfinite(high).all():
                label = f"{100 * level:g} % {name}"
                ax.fill_between(place, low, high, color=FIT, alpha=alpha, linewidth=0, label=label)
    y = curve.values(t, result.x)
    ax.plot(place, y, color=FIT, linewidth=2, label="fit")


def _draw_components(result: Fit, ax: Any, place: Array, t: Any) -> None:
    """Draw the parts of the model."""
    # The legend is listed in reverse.
    for name, values in reversed(parts_of_model(result, t).items()):
        ax.plot(place, values, linewidth=1.2, linestyle="--", label=name)


def _interpolated(curve: Curve, place: Array) -> Array | None:
    """Return sigma, interpolated between the points of the data."""
    known = curve.standard_deviations()
    if known is None:
        return None
    t = np.asarray(curve.t, dtype=np.float64)
    order = np.argsort(t, kind="stable")
    return np.asarray(np.interp(place, t[order], known[order]))


def _outliers(result: Fit) -> NDArray[np.bool_]:
    """Return which points have little weight in the loss, (m,)."""
    return result.loss_weights < OUTLIER


def _draw_data(
    ax: Any, place: Array, y: Array, sigma: Array | None, label: str, far: NDArray[np.bool_]
) -> None:
    """Draw the points; outliers as open circles."""
    size = float(np.clip(60.0 / np.sqrt(y.size), 1.5, 5.5))
    groups = [(~far, label, {"markeredgecolor": "white", "markeredgewidth": 0.12 * size})]
    if far.any():
        hollow = {"markerfacecolor": "none", "markeredgewidth": 1.0}
        groups.append((far, f"{label}, weight below 1/2", hollow))
    for which, name, marker in groups:
        ax.errorbar(
            place[which],
            y[which],
            yerr=None if sigma is None else sigma[which],
            fmt="o",
            color=DATA,
            markersize=size,
            elinewidth=1.0,
            capsize=2.0 if y.size < 60 else 0.0,
            label=name,
            zorder=3,
            **marker,
        )


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
