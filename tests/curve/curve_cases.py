"""The curve that the tests of `CurveProblem` share."""

from __future__ import annotations

from typing import Any

import numpy as np

T = np.linspace(0.0, 4.0, 12)
X = np.array([2.5, 1.3, 0.5])


def decay(t: Any, a: float, b: float, c: float) -> Any:
    return a * np.exp(-b * t) + c


def slopes(t: Any, a: float, b: float, c: float) -> Any:
    e = np.exp(-b * t)
    return np.stack([e, -a * t * e, np.ones_like(t)], axis=1)


Y = decay(T, *X) + 0.01 * np.cos(9.0 * T)
