"""The plot of a fit in a file; matplotlib writes it without starting another program."""

from os.path import splitext

from lmoo.results.result import Result

__all__ = ["FORMATS", "draw", "format_of"]

# Formats and the backends that write them.  Other backends run TeX.
FORMATS = {".png": "agg", ".svg": "svg", ".pdf": "pdf"}
# Longest label of an axis: longer ones leave no room for the plot.
_LONGEST = 60


def format_of(path: str) -> str:
    """Return the suffix of a file name, which selects the format.

    Raises
    ------
    ValueError
        The suffix is not in `FORMATS`.

    Examples
    --------
    >>> from lmoo.cli.picture import format_of
    >>> format_of("pictures/fit.PNG")
    '.png'
    >>> format_of("fit.pgf")
    Traceback (most recent call last):
        ...
    ValueError: must be a file name that ends in .png, .svg or .pdf; it is 'fit.pgf'
    """
    suffix = splitext(path)[1].lower()
    if suffix not in FORMATS:
        *others, last = FORMATS
        raise ValueError(
            f"must be a file name that ends in {', '.join(others)} or {last}; it is {path!r}"
        )
    return suffix


def draw(result: Result, path: str, level: float, scaled: bool, labels: tuple[str, str]) -> None:
    """Draw data and fit into a file, 800 x 600 pixels for the formats that have pixels.

    Parameters
    ----------
    result : Result
    path : str
        Name of the file; its suffix is one of `FORMATS`.
    level : float
        Level of the bands, which a fit that failed does not have.
    scaled : bool
        As for `Result.predict`.
    labels : (str, str)
        Labels of the axes.  A "$" is shown as it is and starts no formula.
    """
    # The canvas writes files and needs no display.
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    suffix = format_of(path)
    # A matplotlibrc in the working directory could enable TeX.
    with rc_context({"text.usetex": False}):
        figure = Figure(figsize=(8, 6), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        # A fit that failed has no errors.
        bands = result.success
        result.plot(axes, level=level, scaled=scaled, confidence=bands, prediction=bands)
        axes[1].set_xlabel(_legible(labels[0]), parse_math=False)
        axes[0].set_ylabel(_legible(labels[1]), parse_math=False)
        figure.savefig(path, dpi=100, format=suffix[1:], backend=FORMATS[suffix])


def _legible(label: str) -> str:
    """Return a label with blanks for unprintable characters, and cut off if it is long."""
    short = label if len(label) <= _LONGEST else label[:_LONGEST] + "..."
    return "".join(char if char.isprintable() else " " for char in short)
