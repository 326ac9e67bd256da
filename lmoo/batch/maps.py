"""Plots of one parameter of many fits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.results.axes import ACCENT, FIT, axes_for, label_axes, legible

_NUMBERS = ("chi_square", "reduced_chi_square", "nit", "nfev")
# Share of the values at each end that may be beyond the colour scale.
_TAIL = 0.01


def plot_map(
    fits: Any,
    name: str,
    ax: Any,
    error: bool,
    limits: tuple[float, float] | None,
    cmap: str,
) -> Any:
    """Plot a quantity of all fits; see `Fits.plot_map`."""
    dimensions = len(fits.shape)
    if dimensions > 2:
        raise ValueError(
            f"plot_map needs a stack of one or two dimensions; this one has the shape {fits.shape}"
        )
    values, errors = _values(fits, name)
    if error and errors is None:
        raise ValueError(f"error must be False for {name!r}, which has no standard error")
    if error:
        values, errors = np.asarray(errors), None
    good = fits.success & np.isfinite(values)
    label = f"standard error of {name}" if error else name
    low, high = _ends(values[good]) if limits is None else limits
    ax = axes_for(ax)
    if dimensions == 1:
        _draw_points(ax, values, errors, good)
        label_axes(ax, "index", label)
        if good.any() and low < high:
            margin = 0.05 * (high - low)
            ax.set_ylim(low - margin, high + margin)
    else:
        _draw_image(ax, np.where(good, values, np.nan), good, (low, high), cmap, label)
    if not good.all():
        ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return ax


def _values(fits: Any, name: str) -> tuple[Array, Array | None]:
    """Return the values of a quantity and its standard errors, None if it has none."""
    known = (*fits.parameter_names, *fits.derived_names)
    if name in known:
        value, error = fits._quantity(name)
        return np.asarray(value), np.asarray(error)
    if name in _NUMBERS:
        return np.asarray(getattr(fits, name), dtype=np.float64), None
    raise KeyError(f"{name!r} is none of {', '.join((*known, *_NUMBERS))}")


def _ends(values: Array) -> tuple[float, float]:
    """Return the range of the values without the tails."""
    if not values.size:
        return 0.0, 1.0
    low, high = np.quantile(values, [_TAIL, 1.0 - _TAIL]).tolist()
    return low, high


def _missing(good: NDArray[np.bool_]) -> str:
    count = int(np.count_nonzero(~good))
    return f"{count} of {good.size} without a result"


def _draw_image(
    ax: Any, shown: Array, good: NDArray[np.bool_], ends: tuple[float, float], cmap: str, label: str
) -> None:
    """Draw an image, with a colour of its own for fits without a result."""
    from matplotlib.colors import ListedColormap

    image = ax.imshow(shown, vmin=ends[0], vmax=ends[1], cmap=cmap, interpolation="nearest")
    if not good.all():
        missing = np.where(good, np.nan, 1.0)
        ax.imshow(missing, cmap=ListedColormap([ACCENT]), interpolation="nearest")
        ax.plot([], [], "s", color=ACCENT, label=_missing(good))
    beyond = shown[good]
    sides = bool((beyond < ends[0]).any()), bool((beyond > ends[1]).any())
    names = {(True, True): "both", (True, False): "min", (False, True): "max"}
    # As high as the image.
    beside = ax.inset_axes((1.03, 0.0, 0.04, 1.0))
    bar = ax.get_figure().colorbar(image, cax=beside, extend=names.get(sides, "neither"))
    bar.ax.set_ylabel(legible(label), parse_math=False)
    ax.set_xlabel("column")
    ax.set_ylabel("row")


def _draw_points(ax: Any, values: Array, errors: Array | None, good: NDArray[np.bool_]) -> None:
    """Draw points with their errors against the number of the fit; crosses without a result."""
    index = np.arange(values.size)
    bars = None if errors is None else np.where(np.isfinite(errors), errors, 0.0)[good]
    size = float(np.clip(60.0 / np.sqrt(values.size), 1.5, 5.5))
    ax.errorbar(index[good], values[good], bars, fmt="o", color=FIT, markersize=size, elinewidth=1)
    if not good.all():
        bottom = np.zeros(int(np.count_nonzero(~good)))
        ax.plot(
            index[~good],
            bottom,
            "x",
            color=ACCENT,
            label=_missing(good),
            # At the lower edge, whatever the scale.
            transform=ax.get_xaxis_transform(),
            clip_on=False,
        )
