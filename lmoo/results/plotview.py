"""The data and the line of a plot, and the places where they are drawn."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.problems.complexdata import has_complex
from lmoo.problems.curve import Curve
from lmoo.results.axes import COMPONENTS, DATA, FIT
from lmoo.results.fit import Fit
from lmoo.results.outliers import outliers

# Of the points of imaginary parts.
_IMAGINARY = "#00573f"


class CurvePart(NamedTuple):
    """The real or the imaginary part of a complex curve; a real curve is one part.

    name : of the part; "" for a real curve
    data, line : its points, and those of its line
    fit, points : their colours
    """

    name: str
    data: slice
    line: slice
    fit: str
    points: str

    def named(self, label: str) -> str:
        """Return a label of the legend for the part."""
        return f"{label}, {self.name}" if self.name else label


@dataclass(frozen=True)
class View:
    """The data, the line and the places where they are drawn.

    Attributes
    ----------
    curve : Curve
    place : (m,) array
        Abscissae of the data.
    line : (k,) array
        Abscissae of the fitted line.
    smooth : object
        The independent variable on the line.
    by_index : bool
        Whether points are drawn against their index.
    sigma : (m,) array or None
        Length of the error bars.
    far : (m,) bool array
        Outliers.
    parts : tuple of CurvePart
    """

    curve: Curve
    place: Array
    line: Array
    smooth: Any
    by_index: bool
    sigma: Array | None
    far: NDArray[np.bool_]
    parts: tuple[CurvePart, ...]

    def interpolated_sigma(self) -> Array | None:
        """Return sigma on the line, interpolated between the points of the data."""
        if self.sigma is None or self.by_index:
            return None
        found = np.empty(self.line.size)
        for part in self.parts:
            place, sigma = self.place[part.data], self.sigma[part.data]
            order = np.argsort(place, kind="stable")
            found[part.line] = np.interp(self.line[part.line], place[order], sigma[order])
        return found


def view_of(result: Fit, curve: Curve, points: int, scale: str) -> View:
    """Return the view of a curve.

    Parameters
    ----------
    result : Fit
    curve : Curve
    points : int
        Number of points of the line.
    scale : str
        Scale of the horizontal axis.
    """
    m = np.size(curve.y)
    count = 2 if has_complex(curve.f) else 1
    t = np.asarray(curve.t) if not isinstance(curve.t, tuple) else np.empty(0)
    far = outliers(result)
    # Of a fit that has raised there may be no residual.
    further = (curve.standard_deviations(), far if far.size == m else np.zeros(m, dtype=bool))
    if t.shape == (m // count,) and t.dtype.kind in "biuf":
        t = t.astype(np.float64)
        smooth = _between(t, points, scale)
        place, line = np.tile(t, count), np.tile(smooth, count)
        return View(curve, place, line, smooth, False, *further, _parts(count, t.size, points))
    index = np.arange(m, dtype=np.float64)
    return View(curve, index, index, curve.t, True, *further, _parts(1, m, m))


def _parts(count: int, m: int, k: int) -> tuple[CurvePart, ...]:
    """Return one part of m points and k points of the line, or two."""
    if count == 1:
        return (CurvePart("", slice(m), slice(k), FIT, DATA),)
    second = CurvePart("imaginary", slice(m, 2 * m), slice(k, 2 * k), COMPONENTS[0], _IMAGINARY)
    return CurvePart("real", slice(m), slice(k), FIT, DATA), second


def _between(t: Array, points: int, scale: str) -> Array:
    """Return abscissae from the smallest t to the largest, equidistant on an axis of this scale."""
    if scale == "log" and t.max() > 0.0:
        return np.geomspace(t[t > 0.0].min(), t.max(), points)
    return np.linspace(t.min(), t.max(), points)
