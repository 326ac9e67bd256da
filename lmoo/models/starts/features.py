"""Features of data that give starting values: locations and widths of peaks, frequencies."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array

Indices = NDArray[np.intp]

# Number of points, about, at which a model is compared with the data of a long curve.
_ROWS = 800
# Largest number of peaks.
_PEAKS = 12
# Largest numbers of sines, found one after the other, and of peaks of the first spectrum.
_SINES, _LINES = 6, 6
# Frequencies per resolution of the data, 1 / span.
_OVERSAMPLING = 8
# Largest numbers of rows that are searched for frequencies, and of points of their transform.
_MOST_ROWS, _LONGEST = 100_000, 1 << 22


@dataclass(frozen=True)
class Features:
    """Data in the form that the search for starting values uses.

    Attributes
    ----------
    t : (k, m) float64 array
        Variables.
    y : (m,) float64 array
    weight : (m,) float64 array
        Reciprocal standard deviations.
    thinning : float
        The number of rows of the data for each row here.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.models.starts.features import Features
    >>> t = np.linspace(0, 10, 101)
    >>> features = Features(t[None], np.exp(-((t - 3) ** 2)), np.ones(101))
    >>> place, width = features.peaks[0]
    >>> bool(abs(t[place] - 3) < 0.2)
    True
    """

    t: Array
    y: Array
    weight: Array
    thinning: float = 1.0

    @classmethod
    def of(cls, t: Array, y: Array, sigma: Array | None) -> "Features":
        """Return the data in the order of their variable, if there is one.

        The order is also that of the rows of replicates, so that the search is the same for data
        in any order of their rows.

        Parameters
        ----------
        t : (m,) or (k, m) float64 array
        y : (m,) float64 array
        sigma : (m,) float64 array or None
        """
        variables = t[None] if t.ndim == 1 else t
        weight = np.ones(y.size) if sigma is None else 1.0 / sigma
        order = np.lexsort((y, *variables[::-1]))
        return cls(variables[:, order], y[order], weight[order])

    @cached_property
    def few(self) -> "Features":
        """The data at no more than about `_ROWS` rows.

        Rows at even steps alone would turn a fast oscillation into a slow one, and miss a narrow
        peak.  Therefore half of the rows are at uneven steps, and the others are the highest and
        the lowest of their neighbours.
        """
        m = self.y.size
        if m <= _ROWS:
            return self
        half = _ROWS // 2
        blocks = np.linspace(0, m, half // 2 + 1).round().astype(np.intp)
        extremes = [
            first + index
            for first, last in pairwise(blocks)
            for index in (np.argmin(self.y[first:last]), np.argmax(self.y[first:last]))
        ]
        rows = np.unique(np.r_[0, _uneven(m, half), extremes, m - 1])
        return Features(self.t[:, rows], self.y[rows], self.weight[rows], m / rows.size)

    @cached_property
    def peaks(self) -> list[tuple[int, int]]:
        """Rows of peaks and dips, the most conspicuous first, and their half-widths in rows.

        A peak is at the row and scale at which the mean over the scale differs most from the mean
        over three times the scale.  It is subtracted before the next one is searched for.
        """
        m = self.y.size
        scales = sorted({1, 2, 4} | {max(1, m // part) for part in (8, 16, 32, 64, 128)})
        rest = self.y - self.y.mean()
        rows = np.arange(m)
        kept: list[tuple[int, int]] = []
        for _ in range(_PEAKS):
            best = (0.0, 0, 0)
            for half in scales:
                if 6 * half + 1 <= 2 * m:
                    contrast = np.abs(_mean(rest, half) - _mean(rest, 3 * half))
                    row = int(np.argmax(contrast))
                    # The factor makes the contrasts of noise alike for all scales.
                    weighted = float(contrast[row]) * float(np.sqrt(2.0 * half + 1.0))
                    best = max(best, (weighted, row, half))
            weighted, row, half = best
            if not weighted > 0.0:
                break
            kept.append((row, half))
            near = slice(max(0, row - 3 * half), row + 3 * half + 1)
            shape = np.exp(-0.5 * ((rows - row) / half) ** 2)
            centred = shape[near] - shape[near].mean()
            height = centred @ rest[near] / (centred @ centred)
            rest = rest - height * shape
        return list(dict.fromkeys(kept))


def _uneven(m: int, count: int) -> Indices:
    """Return `count` of m rows, in steps by the golden ratio, no two of which are even."""
    k = np.arange(count)
    return ((k + k * 0.6180339887498949 % 1.0) / count * m).astype(np.intp)


def _mean(y: Array, half: int) -> Array:
    """Return the mean over each row and up to `half` rows on either side."""
    total = np.concatenate([[0.0], np.cumsum(y - y.mean())])
    rows = np.arange(y.size)
    first, last = np.maximum(rows - half, 0), np.minimum(rows + half + 1, y.size)
    mean: Array = (total[last] - total[first]) / (last - first)
    return mean


def spacing(c: Array, share: float = 0.5) -> float:
    """Return a quantile of the distances between neighbouring points; 0 for a single point.

    Replicates (points that differ by rounding errors only) count as one point.

    Parameters
    ----------
    c : (m,) float64 array
    share : float
        Share of the distances that are no larger than the result; the default is the median.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.models.starts.features import spacing
    >>> spacing(np.array([0.0, 0.0, 1.0, 2.0, 3.0, 100.0, 101.0]))
    1.0
    """
    steps = np.diff(np.sort(c))
    span = float(steps.sum()) if steps.size else 0.0
    steps = np.sort(steps[steps > 1e-9 * span])
    return float(steps[int(share * (steps.size - 1))]) if steps.size else 0.0


def fastest(c: Array) -> float:
    """Return the highest angular frequency that sampling at c can resolve; 0 for a single point.

    It is pi over a distance between neighbouring points.  For even sampling that is the Nyquist
    limit: an oscillation above it has the same values at all points as a slower one.  Uneven
    sampling resolves faster oscillations than its mean or median distance suggests, but not all of
    those that its smallest distance suggests, because one pair of close points is not enough.  The
    distance used is the one that a tenth of all distances are below; for random points it is a
    tenth of the mean distance.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.models.starts.features import fastest
    >>> float(fastest(np.arange(9.0)) / np.pi)
    1.0
    """
    step = spacing(c, 0.1)
    return np.pi / step if step > 0.0 else 0.0


def frequencies(c: Array, y: Array, weight: Array) -> Array:
    """Return angular frequencies that may be in the data, up to `fastest`.

    First sines, found one after the other, each in the residuals of those before (prewhitening:
    Lenz, Breger 2005, Commun. Asteroseismol. 146, 53); then the highest lines of the first
    spectrum; then slow oscillations, of which the data contain less than a few periods.

    Parameters
    ----------
    c : (m,) float64 array
        The coordinate in which the frequency is constant.
    y, weight : (m,) float64 array

    Returns
    -------
    (k,) float64 array
        Positive; empty where c has a single point.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.models.starts.features import frequencies
    >>> t = np.linspace(0, 10, 201)
    >>> found = frequencies(t, np.sin(7 * t) + 0.5 * np.sin(31 * t), np.ones(201))
    >>> found[:2].round(1)
    array([ 7., 31.])
    """
    good = np.isfinite(c)
    c, y, weight = c[good], y[good], weight[good]
    limit = fastest(c)
    if limit == 0.0 or c.size < 4:
        return np.empty(0)
    if c.size > _MOST_ROWS:
        rows = _uneven(c.size, _MOST_ROWS)
        c, y, weight = c[rows], y[rows], weight[rows]
    span = float(np.ptp(c))
    # As a share of the span, so that nothing overflows or depends on units.
    u = (c - c.min()) / span
    top = limit * span
    slow = 2.0 * np.pi * np.geomspace(0.1, 3.0, 12)
    found: list[float] = []
    columns = [np.ones_like(u), u - u.mean()]
    rest = _residual(columns, y, weight)
    for k in range(_SINES):
        omega, power = _spectrum(u, rest, weight, top)
        if k == 0:
            lines = _lines(omega, power)
        if not power.any():
            break
        best = float(omega[np.argmax(power)])
        found.append(best)
        columns += [np.cos(best * u), np.sin(best * u)]
        if len(columns) > u.size // 2:
            break
        rest = _residual(columns, y, weight)
    candidates = np.concatenate([found, lines, slow])
    return candidates[candidates <= top * (1.0 + 1e-9)] / span


def _residual(columns: list[Array], y: Array, weight: Array) -> Array:
    """Return the residuals of a weighted linear fit."""
    matrix = np.stack(columns, axis=1)
    size = float(np.abs(y).max()) or 1.0
    x = np.linalg.lstsq(matrix * weight[:, None], y / size * weight, rcond=1e-10)[0]
    rest: Array = y / size - matrix @ x
    return rest


def _spectrum(u: Array, y: Array, weight: Array, top: float) -> tuple[Array, Array]:
    """Return angular frequencies up to `top` and the power of y at them; u is in [0, 1].

    The data are moved to a grid for the fast Fourier transform.  The grid is so fine that the
    phase of the fastest oscillation changes by an eighth of a period at most.
    """
    transform, step = _transform(u, y, weight, top)
    half = transform[: transform.size // 2]
    power: Array = (half.real**2 + half.imag**2).astype(np.float64)
    omega: Array = step * np.arange(half.size)
    # An oscillation with less than half a period in the data has no line of its own.
    inside = (omega <= top * (1.0 + 1e-9)) & (omega >= np.pi)
    return omega[inside], power[inside]


def _transform(u: Array, y: Any, weight: Array, top: float) -> tuple[Any, float]:
    """Return the Fourier transform of y, real or complex, and the step of its frequencies."""
    bins = int(min(_LONGEST, np.ceil(4.0 * top / np.pi)))
    length = 1 << int(np.ceil(np.log2(_OVERSAMPLING * max(bins, 2))))
    length = min(length, 2 * _LONGEST)
    where = np.minimum((u * bins).astype(np.intp), bins)
    scaled = y * (weight / weight.max()) ** 2
    grid = np.zeros(bins + 1, dtype=np.complex128)
    np.add.at(grid, where, scaled)
    return np.fft.fft(grid, length), 2.0 * np.pi * bins / length


def remaining(c: Array, phases: Array, y: Array, weight: Array) -> Array:
    """Return the angular frequency of data whose phase has another, known part.

    Parameters
    ----------
    c : (m,) float64 array
        The coordinate in which the frequency is constant.
    phases : (k, m) float64 array
        Known parts of the argument of the oscillation.
    y, weight : (m,) float64 array

    Returns
    -------
    (k, 1) float64 array
        The frequency with the highest power, positive or negative; nan if there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.models.starts.features import remaining
    >>> t = np.linspace(0, 10, 201)
    >>> remaining(t, t[None] ** 2, np.sin(5 * t + t**2), np.ones(201)).round(1)
    array([[5.]])
    """
    limit, span = fastest(c), float(np.ptp(c))
    out = np.full((len(phases), 1), np.nan)
    if not (np.isfinite(limit) and limit > 0.0):
        return out
    u = (c - c.min()) / span
    rest = _residual([np.ones_like(u), u - u.mean()], y, weight)
    for i, phase in enumerate(phases):
        if np.isfinite(phase).all():
            transform, step = _transform(u, rest * np.exp(-1j * phase), weight, limit * span)
            k = int(np.argmax(np.abs(transform)))
            k = k if 2 * k < transform.size else k - transform.size
            out[i] = k * step / span
    return np.where(np.abs(out) <= limit, out, np.nan)


def _lines(omega: Array, power: Array) -> Array:
    """Return the frequencies of the highest local maxima."""
    if power.size < 3:
        return omega
    peak = np.r_[False, (power[1:-1] >= power[:-2]) & (power[1:-1] > power[2:]), False]
    at = np.flatnonzero(peak)
    lines: Array = omega[at[np.argsort(-power[at], kind="stable")][:_LINES]]
    return lines
