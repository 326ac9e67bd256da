"""A curve, and ways of giving it."""

from __future__ import annotations

from typing import Any

import numpy as np

T = np.linspace(0.0, 4.0, 30)
TRUE = (3.0, 0.7, 0.5)
TEXT = "a*exp(-b*time) + c"
SIGMA = np.where(T < 2.0, 0.01, 0.03)


def decay(time: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * time) + c


Y = decay(T, *TRUE) + SIGMA * np.random.default_rng(3).standard_normal(T.size)
