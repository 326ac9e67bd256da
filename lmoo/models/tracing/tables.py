"""Tables and splines at places that depend on parameters: polynomials selected by knots."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lmoo.models.tracing.applied import applied
from lmoo.models.tracing.placeholder import Placeholder, as_placeholder
from lmoo.models.tracing.recorder import Recorder

# All places are compared with all points.  With 32 of them derivatives at 200 points take the time
# of two calls of a function with np.interp, at 1,000 points of four; splines of scipy take longer.
_MOST_PLACES = 32
# With this many comparisons, derivatives take the time of four calls, which are a Jacobian by
# differences of three parameters; with that many places the trace takes 0.1 s.
_MOST_COMPARISONS, _MOST_OF_SHORT = 20_000, 128


def interpolated(
    recorder: Recorder, x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None,
    period: Any = None,
) -> Any:  # fmt: skip
    """Return np.interp; the values at the knots may be parameters."""
    x, values = as_placeholder(recorder, x), list(fp)
    if not any(isinstance(v, Placeholder) for v in (*values, left, right)):
        numbers = x._numbers()
        if numbers is not None:
            return np.interp(numbers, xp, values, left, right, period)
    knots = _knots(recorder, xp, "np.interp")
    if period is not None or len(values) != knots.size:
        recorder.refuse("np.interp with a period, or with more values than places")
    pieces = [
        (knots[k], values[k], (values[k + 1] - values[k]) / (knots[k + 1] - knots[k]))
        for k in range(knots.size - 1)
    ]
    found = _of_pieces(recorder, x, knots[1:-1], pieces)
    ends = ((x < knots[0], left, values[0]), (x > knots[-1], right, values[-1]))
    for beyond, given, value in ends:
        found = applied(recorder, "where", beyond, value if given is None else given, found)
    return found


def spline(recorder: Recorder, value: Any, x: Any) -> Any:
    """Return the value of a spline of scipy.interpolate, by its polynomials.

    Parameters
    ----------
    recorder : Recorder
    value : PPoly or BSpline
        Of one curve.
    x : Placeholder
    """
    if hasattr(value, "tck"):
        from scipy.interpolate import PPoly

        polynomial = PPoly.from_spline(value)
    else:
        polynomial = value
    name = type(value).__name__
    coefficients = getattr(polynomial, "c", None)
    if getattr(coefficients, "ndim", 0) != 2 or not isinstance(
        polynomial.extrapolate, (bool, np.bool_)
    ):
        recorder.refuse(f"{name} of scipy.interpolate is not made of polynomials of one curve")
    wide = np.diff(polynomial.x) != 0.0  # The knots at the ends of B-splines are multiple.
    knots = _knots(recorder, [*polynomial.x[:-1][wide], polynomial.x[-1]], name)
    rows = np.asarray(coefficients).T[wide, ::-1].tolist()
    pieces = [(knot, *row) for knot, row in zip(knots, rows, strict=False)]
    found = _of_pieces(recorder, x, knots[1:-1], pieces)
    if polynomial.extrapolate:
        return found
    inside = (x >= knots[0]) & (x <= knots[-1])
    return applied(recorder, "where", inside, found, np.nan)


def _knots(recorder: Recorder, places: Any, name: str) -> Any:
    """Return the places of a table."""
    if any(isinstance(place, Placeholder) for place in np.atleast_1d(places)):
        recorder.refuse(f"{name} has places that depend on parameters")
    knots = np.asarray(places, dtype=np.float64)
    most = _MOST_PLACES
    if knots.size > most and recorder.points is not None:
        recorder.asked = True
        most = max(most, min(_MOST_OF_SHORT, _MOST_COMPARISONS // max(recorder.points, 1)))
    if knots.ndim != 1 or not 2 <= knots.size <= most or not (np.diff(knots) > 0).all():
        recorder.refuse(
            f"{name} has {knots.size} places; models have tables of up to {most} in increasing "
            "order"
        )
    return knots


def _of_pieces(recorder: Recorder, x: Any, knots: Any, pieces: Sequence[Sequence[Any]]) -> Any:
    """Return the polynomial of the piece that x lies in, by its origin and its coefficients.

    One condition after the other halves the pieces.
    """
    conditions = [applied(recorder, "less", x, knot) for knot in knots]

    def selected(quantity: int, first: int, last: int) -> Any:
        if first == last:
            return pieces[first][quantity]
        middle = (first + last) // 2
        below, above = selected(quantity, first, middle), selected(quantity, middle + 1, last)
        known = not isinstance(below, Placeholder) and not isinstance(above, Placeholder)
        if known and below == above:
            return below
        return applied(recorder, "where", conditions[middle], below, above)

    origin, *coefficients = (selected(q, 0, len(pieces) - 1) for q in range(len(pieces[0])))
    distance, value = x - origin, coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        value = value * distance + coefficient
    return value
