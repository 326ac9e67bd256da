"""Axes, colours and labels that all plots share."""

from io import BytesIO
from typing import Any

# Okabe and Ito's palette, which readers with colour blindness distinguish.
FIT, DATA, ACCENT, FAINT = "#0072b2", "#333333", "#d55e00", "#767676"
COMPONENTS = ("#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#b8a500", "#8c510a")
SIZE = (8.0, 6.0)
# Of files.
DPI = 200
# Longest label of an axis: longer ones leave no room for the plot.
_LONGEST = 60


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


def figure_of(size: tuple[float, float] = SIZE) -> Any:
    """Return a figure for a file, which needs no display; ImportError as `pyplot`."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install lmoo[plot]") from error
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def png_of(figure: Any) -> bytes:
    """Return a figure as a PNG file."""
    from matplotlib import rc_context

    file = BytesIO()
    # A matplotlibrc in the working directory could enable TeX.
    with rc_context({"text.usetex": False}):
        figure.savefig(file, dpi=DPI, format="png", backend="agg")
    return file.getvalue()


def label_axes(ax: Any, x: str, y: str) -> None:
    """Set labels, grid and number format, and hide the upper and the right spine.

    Labels may contain "$", which is shown as it is and starts no formula.
    """
    ax.set_xlabel(legible(x), parse_math=False)
    ax.set_ylabel(legible(y), parse_math=False)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, color="0.5", alpha=0.18, linewidth=0.8)
    ax.set_axisbelow(True)
    for axis in (ax.xaxis, ax.yaxis):
        if axis.get_scale() == "linear":
            axis.get_major_formatter().set_powerlimits((-3, 5))


def legible(label: str) -> str:
    """Return a label with blanks for unprintable characters, and cut off if it is long.

    Examples
    --------
    >>> from lmoo.results.axes import legible
    >>> legible("time" + chr(9) + "(s)"), len(legible(100 * "a"))
    ('time (s)', 63)
    """
    short = label if len(label) <= _LONGEST else label[:_LONGEST] + "..."
    return "".join(char if char.isprintable() else " " for char in short)
