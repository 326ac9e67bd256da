"""The plot of a fit in a file; matplotlib writes it without starting another program."""

from os.path import splitext

from lmoo.results.axes import DPI, figure_of
from lmoo.results.result import Result

# Formats and the backends that write them.  Other backends run TeX.
FORMATS = {".png": "agg", ".svg": "svg", ".pdf": "pdf"}


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


def draw(result: Result, path: str, level: float, labels: tuple[str, str]) -> None:
    """Draw data and fit into a file, of 8 x 6 inches; with pixels, of 1600 x 1200.

    Parameters
    ----------
    result : Result
    path : str
        Name of the file; its suffix is one of `FORMATS`.
    level : float
        Level of the bands, which a fit that failed does not have.
    labels : (str, str)
        Labels of the axes.  A "$" is shown as it is and starts no formula.
    """
    from matplotlib import rc_context

    suffix = format_of(path)
    # A matplotlibrc in the working directory could enable TeX.
    with rc_context({"text.usetex": False}):
        figure = figure_of()
        axes = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        result.plot(axes, level=level, xlabel=labels[0], ylabel=labels[1])
        figure.savefig(path, dpi=DPI, format=suffix[1:], backend=FORMATS[suffix])
