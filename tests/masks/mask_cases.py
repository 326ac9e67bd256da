"""Masked data that the tests of masks share."""

from __future__ import annotations

from typing import Any

import numpy as np

M = 14
T = np.linspace(0.0, 3.0, M)
U = np.cos(5.0 * T)
Y = 2.0 * np.exp(-1.3 * T) + 0.5 + 0.02 * np.cos(7.0 * T)
SIGMA = 0.02 + 0.01 * T
BAD = np.isin(np.arange(M), [2, 9])
GOOD = ~BAD


START = [1.0, 1.0, 0.0]


def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


def both(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t[0]) + c * t[1]


def masked(values: np.ndarray, garbage: float = 1e9, mask: Any = BAD) -> Any:
    return np.ma.array(np.where(mask, garbage, values), mask=mask)


def garbled(values: np.ndarray) -> np.ndarray:
    """The same numbers, but where another array has its mask."""
    return np.where(BAD, -1e9, values)


K = 6
RATES = np.linspace(0.8, 1.8, K)
CURVES = decay(T, 2.0, RATES[:, None], 0.5) + 0.02 * np.cos(7.0 * T + RATES[:, None])
