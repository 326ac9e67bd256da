"""Axes, colours and labels that all plots share."""

from typing import Any

__all__ = ["ACCENT", "DATA", "FAINT", "FIT", "SIZE", "axes_for", "label_axes", "pyplot"]

FIT, DATA, ACCENT, FAINT = "#1f6fb4", "#333333", "#c8501e", "#8a8a8a"
SIZE = (8.0, 6.0)


def pyplot() -> Any:
    """Import matplotlib; ImportError that names the extra to install."""
    try:
        import matplotlib.pyplot
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install lmoo[plot]") from error
    return matplotlib.pyplot


def axes_for(ax: Any) -> Any:
    """Return ax, or the axes of a new figure if it is None."""
    if ax is not None:
        return ax
    return pyplot().subplots(figsize=SIZE, layout="constrained")[1]


def label_axes(ax: Any, x: str, y: str) -> None:
    """Set labels, grid and number format, and hide the upper and the right spine.

    Labels may contain "$", which is shown as it is and starts no formula.
    """
    ax.set_xlabel(x, parse_math=False)
    ax.set_ylabel(y, parse_math=False)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, color="0.5", alpha=0.18, linewidth=0.8)
    ax.set_axisbelow(True)
    for axis in (ax.xaxis, ax.yaxis):
        if axis.get_scale() == "linear":
            axis.get_major_formatter().set_powerlimits((-3, 5))
