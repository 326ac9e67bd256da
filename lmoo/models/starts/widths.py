"""Widths of peaks."""

from typing import Any

import numpy as np

from lmoo.models.starts.features import Features
from lmoo.models.starts.numbers import log_uniform, split_unit


def draw_width(
    share: Any, least: Any, most: Any, change: Any, distance: Any, data: Features
) -> Any:
    """Draw a size of p^e between `least` and `most`, in some draws from the width of a peak.

    In ``(x - m)/w`` with m at a peak of the data, w is then of the order of the peak's half-width.

    Parameters
    ----------
    share : (k, 1) float64 array, in (0, 1)
    least, most : (k, 1) float64 array
    change : (k, m) float64 array
        The size is chosen such that `change` times the size is 1 at the edge of the peak.
    distance : (k, m) float64 array
        The peak is at the row where it is smallest.
    data : Features
    """
    (peak, general), chosen = split_unit(share, 0.4, 0.6)
    size = log_uniform(share, least, most)
    if len(data.t) != 1 or not data.peaks or change.shape[1] != data.y.size:
        return size
    centre = np.argmin(np.where(np.isfinite(distance), distance, np.inf), axis=1)
    rows = np.array([row for row, _ in data.peaks])
    widths = np.array([half for _, half in data.peaks])
    nearest = np.argmin(np.abs(centre[:, None] - rows), axis=1)
    half = widths[nearest]
    near = (np.abs(centre - rows[nearest]) <= half)[:, None]
    edge = np.where(centre + half < data.y.size, centre + half, np.maximum(centre - half, 0))
    at = np.take_along_axis(change, edge[:, None], axis=1)
    suits = near & (at > 0.0) & np.isfinite(at)
    size = np.where(suits, log_uniform(general, least, most), size)
    return np.where(suits & (chosen == 0), log_uniform(peak, 0.03, 30.0) / at, size)
