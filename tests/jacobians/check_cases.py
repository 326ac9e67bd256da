"""The problem that the tests of `check_jacobian` share."""

from __future__ import annotations

import numpy as np

T = np.linspace(0.0, 2.0, 9)
X = (1.7, 0.9)


def decay(p: np.ndarray) -> np.ndarray:
    return p[0] * np.exp(-p[1] * T) - 1.0


def decay_jacobian(p: np.ndarray) -> np.ndarray:
    e = np.exp(-p[1] * T)
    return np.column_stack([e, -p[0] * T * e])
