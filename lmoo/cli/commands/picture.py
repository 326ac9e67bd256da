"""The picture of a fit, written by matplotlib alone: no other program is started."""

from os.path import splitext

from lmoo.results.result import Result

__all__ = ["FORMATS", "draw", "format_of"]

# What matplotlib writes itself, and with which backend.  Others have TeX write their pictures.
FORMATS = {".png": "agg", ".svg": "svg", ".pdf": "pdf"}
# Of labels: longer ones leave no room for the picture.
_LONGEST = 60


def format_of(path: str) -> str:
    """Return the ending that says in which format a picture is to be written.

    Raises
    ------
    ValueError
        It is none of `FORMATS`.

    Examples
    --------
    >>> from lmoo.cli.commands.picture import format_of
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
        Its ending is one of `FORMATS`.
    level : float
        Of the bands.
    scaled : bool
        As for `Result.predict`.
    labels : (str, str)
        Of the axes.  They are shown as they are, no formula is made of a "$".
    """
    # To a file: no screen is wanted.
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    suffix = format_of(path)
    # A matplotlibrc, which may lie beside the data, could ask for TeX.
    with rc_context({"text.usetex": False}):
        figure = Figure(figsize=(8, 6), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        result.plot(axes, level=level, scaled=scaled)
        axes[1].set_xlabel(_legible(labels[0]), parse_math=False)
        axes[0].set_ylabel(_legible(labels[1]), parse_math=False)
        figure.savefig(path, dpi=100, format=suffix[1:], backend=FORMATS[suffix])


def _legible(label: str) -> str:
    """Return a label on one line, without what cannot be printed, and cut where it is long."""
    short = label if len(label) <= _LONGEST else label[:_LONGEST] + "..."
    return "".join(char if char.isprintable() else " " for char in short)
