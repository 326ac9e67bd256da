"""Stacks of curves that the tests of `curve_fit_many` share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

T = np.linspace(0.0, 4.0, 20)
P0 = [1.0, 1.0, 0.0]


def decay(t: Array, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


def curves(count: int, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    clean = decay(T, 2.5, rng.uniform(0.8, 2.0, count)[:, None], 0.5)
    return np.asarray(clean + 0.01 * rng.standard_normal((count, T.size)))
