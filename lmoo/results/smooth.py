"""Smooth curves through the points of profiles and contours."""

import numpy as np

from lmoo._core.arrays import Array

# Points of the curve between two that are given.
_BETWEEN = 12


def smooth_line(x: Array, y: Array) -> tuple[Array, Array]:
    """Return a smooth curve through points with ascending x, of which the given ones are part.

    It is the piecewise cubic that has no extrema but those of the points (Fritsch, Butland 1984,
    "A method for constructing local monotone piecewise cubic interpolants", SIAM J. Sci. Stat.
    Comput. 5).

    Parameters
    ----------
    x, y : (k,) float64 arrays

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.results.smooth import smooth_line
    >>> x, y = smooth_line(np.array([0.0, 1.0, 3.0]), np.array([0.0, 2.0, 2.5]))
    >>> x.size, bool((np.diff(y) > 0).all()), y[[0, 12, 24]].tolist()
    (25, True, [0.0, 2.0, 2.5])
    """
    steps = np.diff(x)
    if x.size < 3 or not (steps > 0.0).all() or not np.isfinite(y).all():
        return x, y
    secants = np.diff(y) / steps
    ends = _end_slope(steps[:2], secants[:2]), _end_slope(steps[:-3:-1], secants[:-3:-1])
    slopes = np.concatenate([ends[:1], _inner_slopes(steps, secants), ends[1:]])
    return _cubic(steps, x, np.ones_like(x)), _cubic(steps, y, slopes)


def closed_line(x: Array, y: Array) -> tuple[Array, Array]:
    """Return a smooth closed curve through points of which the last one is the first.

    Both coordinates are cubics of the length of the polygon, without extrema but those of the
    points, so that the curve stays within their bounding box.
    """
    span = np.ptp(x), np.ptp(y)
    if x.size < 4 or not (np.isfinite([*span]).all() and min(span) > 0.0):
        return x, y
    lengths = np.hypot(np.diff(x) / span[0], np.diff(y) / span[1])
    kept = np.append(True, lengths > 0.0)
    x, y, lengths = x[kept], y[kept], lengths[lengths > 0.0]
    around = np.concatenate([lengths[-1:], lengths])
    found = []
    for values in (x, y):
        secants = np.diff(values) / lengths
        inner = _inner_slopes(around, np.concatenate([secants[-1:], secants]))
        found.append(_cubic(lengths, values, np.append(inner, inner[0])))
    return found[0], found[1]


def _inner_slopes(steps: Array, secants: Array) -> Array:
    """Return the slopes at the inner points: weighted harmonic means, 0 at an extremum."""
    before, after = secants[:-1], secants[1:]
    a, b = 2.0 * steps[1:] + steps[:-1], steps[1:] + 2.0 * steps[:-1]
    with np.errstate(all="ignore"):
        mean = (a + b) / (a / before + b / after)
    return np.where(before * after > 0.0, mean, 0.0)


def _end_slope(steps: Array, secants: Array) -> float:
    """Return the slope of the parabola through the first three points, where it is monotone."""
    slope = secants[0] + (secants[0] - secants[1]) * steps[0] / steps.sum()
    low, high = sorted((0.0, 3.0 * float(secants[0])))
    return min(max(float(slope), low), high)


def _cubic(steps: Array, y: Array, slopes: Array) -> Array:
    """Return the values of the piecewise cubic with these slopes between the points."""
    s = np.arange(_BETWEEN) / _BETWEEN
    rest = 1.0 - s
    pieces = (
        np.outer(y[:-1], (1.0 + 2.0 * s) * rest**2)
        + np.outer(y[1:], s**2 * (3.0 - 2.0 * s))
        + np.outer(slopes[:-1] * steps, s * rest**2)
        - np.outer(slopes[1:] * steps, s**2 * rest)
    )
    return np.append(pieces.reshape(-1), y[-1])
