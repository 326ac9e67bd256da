"""Points and starting values of the tests of `trace`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import exp

T = np.linspace(0.1, 3.0, 13)
SCALE = 2.5


def default(t, a, b=0.5):
    return a * exp(-b * t) + SCALE


def name_of(f: Any) -> str:
    return getattr(f, "__name__", type(f).__name__)
