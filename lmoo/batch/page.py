"""The page of a stack: what has converged, the parameters, their maps, and some of the curves."""

from collections.abc import Callable
from functools import partial
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo.batch.summary import facts_of, quartiles_table
from lmoo.results.axes import figure_of
from lmoo.results.curve import known_curve
from lmoo.results.plotting import plot
from lmoo.results.report.markup import facts_table, mark
from lmoo.results.report.page import Section, figures, html_page, write_new
from lmoo.results.report.pictures import Picture, drawn, picture_of

# Quantities with a map.
_MAPS = 6


def write_page(fits: Any, path: "str | PathLike[str]", title: str | None, overwrite: bool) -> None:
    """Write the page of a stack; see `Fits.to_html`."""
    write_new(path, lambda: page(fits, title), overwrite)


def page(fits: Any, title: str | None = None) -> str:
    """Return the page of a stack."""
    good, count = int(np.count_nonzero(fits.success)), int(fits.success.size)
    verdict = f"{good} of {count} fits converged"
    facts = facts_of(fits)
    maps, hint = drawn(_maps(fits))
    curves, _ = drawn(_curves(fits))
    sections = (
        Section("Result", mark(good == count, verdict) + facts_table(facts)),
        Section("Parameters", quartiles_table(fits)),
        Section(
            "Maps" if len(fits.shape) == 2 else "Parameters of each curve", figures(maps, hint)
        ),
        Section("Curves", figures(curves, "")),
    )
    return html_page(f"Fits of {facts[0][1]}" if title is None else title, sections)


def _maps(fits: Any) -> list[Callable[[], Picture]]:
    """Return the plots of parameters, and of chi-square, over the stack."""
    if len(fits.shape) > 2 or not fits.success.any():
        return []
    names = (*fits.parameter_names, *fits.derived_names)[: _MAPS - 1]
    return [partial(_draw_map, fits, name) for name in (*names, "chi_square")]


def _draw_map(fits: Any, name: str) -> Picture:
    figure = figure_of((8.0, 4.0))
    fits.plot_map(name, figure.subplots())
    place = "by row and column" if len(fits.shape) == 2 else "against the number of the curve"
    failed = "" if fits.success.all() else "; fits without a result are marked"
    return picture_of(figure, f"{name} {place}{failed}.")


def _curves(fits: Any) -> list[Callable[[], Picture]]:
    """Return the plots of typical and of bad curves."""
    chosen = _chosen(fits)
    if not chosen or fits._batch.lost or known_curve(fits[next(iter(chosen))]) is None:
        return []
    return [partial(_draw_curve, fits, *one) for one in chosen.items()]


def _chosen(fits: Any) -> dict[tuple[int, ...], str]:
    """Return the indices of curves to show, and which they are."""
    chi = np.where(fits.success, fits.chi_square, np.nan).ravel()
    known = np.flatnonzero(np.isfinite(chi))
    order: NDArray[np.intp] = known[np.argsort(chi[known], kind="stable")]
    found: dict[int, str] = {}
    if order.size:
        found[int(order[-1])] = "the largest sum of squares"
        found.setdefault(int(order[order.size // 2]), "the median sum of squares")
    # Without points there is nothing to draw.
    failed = np.flatnonzero(~fits.success.ravel() & (np.ravel(fits.observations) > 0))
    if failed.size:
        found[int(failed[0])] = "the first that has not converged"
    return {tuple(map(int, np.unravel_index(k, fits.shape))): text for k, text in found.items()}


def _draw_curve(fits: Any, index: tuple[int, ...], text: str) -> Picture:
    figure = figure_of()
    plot(fits[index], figure.subplots(2, 1, sharex=True, height_ratios=[3, 1]))
    return picture_of(figure, f"Curve {', '.join(map(str, index))}, {text}.")
