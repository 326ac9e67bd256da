"""Plots of a fit with its data."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.problems.complexdata import separate
from lmoo.results.axes import ACCENT, COMPONENTS, FIT, SIZE, label_axes, pyplot
from lmoo.results.components import components as parts_of_model
from lmoo.results.curve import curve_of
from lmoo.results.fit import Fit
from lmoo.results.labels import axis_labels
from lmoo.results.plotview import View, view_of
from lmoo.results.statistics import predict, probability, standardized_residuals


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
    residuals: str = "raw",
    xlabel: str | None = None,
    ylabel: str | None = None,
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
        As for `Result.predict`.  None: as for the standard errors of the result.
    points : int, default 400
        Number of points of the fitted line.
    components : bool, default False
        Whether to draw the parts of a model that is a sum of models, see `Result.components`.
    residuals : {"raw", "standardized"}
        "raw": data minus fit, in the units of the data.  "standardized": over the standard
        deviation of each, see `Result.standardized_residuals`, with lines at -2 and 2.
    xlabel, ylabel : str, optional
        Labels of the axes.  None: those of the data, or the names of the model's variable and "y".

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
    ValueError
        `level` or `residuals` is invalid.

    Notes
    -----
    Error bars are one sigma, if the problem has sigma.  Real and imaginary parts of a complex curve
    have a colour each.  If t is not a single array of numbers, points are drawn against their
    index; those of a complex curve as the real parts, and then the imaginary ones.  If the x axis
    is logarithmic already, the points of the line have equal ratios.  Outliers are open circles:
    with a loss, points of a weight below 1/2; without, points that are farther from the fit than
    good points are, in 99 of 100 fits.  A fit that has not converged has no bands.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> t = np.linspace(0, 4, 30)
    >>> result = lmoo.fit("a*exp(-b*t)", t, 2 * np.exp(-t) + 0.05 * np.cos(9 * t))
    >>> above, below = lmoo.plotting.plot(result, residuals="standardized", xlabel="time (s)")
    >>> below.get_xlabel(), below.get_ylabel()
    ('time (s)', 'standardized residual')
    """
    probability("level", level)
    if residuals not in ("raw", "standardized"):
        raise ValueError(f"residuals must be 'raw' or 'standardized'; it is {residuals!r}")
    curve = curve_of(result, "plot")
    if ax is None:
        figure = pyplot().figure(figsize=SIZE, layout="constrained")
        ax = tuple(figure.subplots(2, 1, sharex=True, height_ratios=[3, 1]))
    above, below = _pair(ax)
    bands = [name for name, on in (("prediction", prediction), ("confidence", confidence)) if on]
    view = view_of(result, curve, points, above.get_xscale())
    x, y = _labels(view, axis_labels(result), xlabel, ylabel)
    if components:
        _draw_components(result, above, view)
    _draw_fit(result, view, above, bands if result.success else [], level, scaled)
    what = "weight below 1/2" if result.robust is not None else "far from the fit"
    _draw_data(above, view, np.asarray(curve.y), view.sigma, ("data", what))
    # The legend lists the data first, then the fit, then the bands.
    handles, labels = above.get_legend_handles_labels()
    above.legend(handles[::-1], labels[::-1], frameon=False)
    label_axes(above, x if below is None else "", y)
    if below is not None:
        _draw_residuals(result, view, below, residuals, what)
        label_axes(below, x, "data - fit" if residuals == "raw" else "standardized residual")
        above.get_figure().align_ylabels([above, below])
    return ax


def _pair(ax: Any) -> tuple[Any, Any]:
    """Return the axes of the fit and those of the residuals, or None for the latter."""
    parts = list(ax) if isinstance(ax, (Sequence, np.ndarray)) else [ax, None]
    if len(parts) != 2 or not all(part is None or hasattr(part, "errorbar") for part in parts):
        raise TypeError(f"ax must be Axes, a pair of them or None; it is {ax!r}")
    return parts[0], parts[1]


def _labels(view: View, usual: tuple[str, str], x: str | None, y: str | None) -> tuple[str, str]:
    """Return the labels of the axes."""
    across = "index" if view.by_index else usual[0]
    return across if x is None else x, usual[1] if y is None else y


def _draw_fit(
    result: Fit, view: View, ax: Any, bands: Sequence[str], level: float, scaled: bool | None
) -> None:
    """Draw the model and its bands; bands that are not finite are left out."""
    at = None if view.by_index else view.smooth
    for name, alpha in (("prediction", 0.12), ("confidence", 0.28)):
        if name in bands:
            limits = predict(result, at, name, level, view.interpolated_sigma(), scaled)[1:]
            low, high = (separate(part) for part in limits)
            if np.isfinite(low).all() and np.isfinite(high).all():
                label = f"{100 * level:g} % {name}"
                for part in view.parts:
                    where = part.line
                    ax.fill_between(
                        view.line[where], low[where], high[where], color=part.fit, alpha=alpha,
                        linewidth=0, label=part.named(label),
                    )  # fmt: skip
    y = view.curve.values(view.smooth, result.x)
    style, label = ("-", "fit") if result.success else ("--", "last point, not converged")
    for part in view.parts:
        where, name = part.line, part.named(label)
        ax.plot(view.line[where], y[where], style, color=part.fit, linewidth=2, label=name)


def _draw_components(result: Fit, ax: Any, view: View) -> None:
    """Draw the parts of the model."""
    found = parts_of_model(result, view.smooth)
    # The legend is listed in reverse.
    for k, (name, values) in reversed(list(enumerate(found.items()))):
        colour = COMPONENTS[k % len(COMPONENTS)]
        ax.plot(view.line, values, linewidth=1.5, linestyle="--", color=colour, label=name)


def _draw_residuals(result: Fit, view: View, ax: Any, kind: str, what: str) -> None:
    """Draw data minus fit, or the standardized residuals with the sign of data minus fit."""
    ax.axhline(0.0, color=FIT, linewidth=1.5)
    if kind == "raw":
        difference = np.asarray(view.curve.y) - view.curve.values(view.curve.t, result.x)
        _draw_data(ax, view, difference, view.sigma, ("residual", what))
        return
    for level in (-2.0, 2.0):
        ax.axhline(level, color=FIT, linewidth=1.0, linestyle=":")
    _draw_data(ax, view, -standardized_residuals(result), None, ("residual", what))


def _draw_data(ax: Any, view: View, y: Array, sigma: Array | None, labels: tuple[str, str]) -> None:
    """Draw the points; outliers as open circles."""
    label, what = labels
    size = float(np.clip(60.0 / np.sqrt(y.size), 1.5, 5.5))
    edge = {"markeredgecolor": "white", "markeredgewidth": 0.12 * size}
    groups: list[tuple[NDArray[np.bool_], str, str, dict[str, Any]]] = []
    for part in view.parts:
        there = np.zeros(y.size, dtype=bool)
        there[part.data] = True
        groups.append((there & ~view.far, part.named(label), part.points, edge))
    if view.far.any():
        hollow = {"markerfacecolor": "none", "markeredgewidth": 1.4}
        groups.append((view.far, f"{label}, {what}", ACCENT, hollow))
    for which, name, colour, marker in groups:
        ax.errorbar(
            view.place[which],
            y[which],
            yerr=None if sigma is None else sigma[which],
            fmt="o",
            color=colour,
            markersize=size,
            elinewidth=1.0,
            capsize=2.0 if y.size < 60 else 0.0,
            label=name,
            zorder=3,
            **marker,
        )
