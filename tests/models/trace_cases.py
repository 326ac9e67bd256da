"""Points and starting values of the tests of `trace`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import exp

T = np.linspace(0.1, 3.0, 13)
SCALE, WEIGHTS, TABLE, COUNT = 2.5, [1.0, 2.0], np.array([0.5, 1.5]), {"calls": 0}


def default(t, a, b=0.5):
    return a * exp(-b * t) + SCALE


def made(rate):
    return lambda t, a: a * np.exp(-rate * t)


def name_of(f: Any) -> str:
    return getattr(f, "__name__", type(f).__name__)


def branch(t, a):
    if a > 0:
        return a * t
    return t
