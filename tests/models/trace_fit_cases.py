"""Functions and data of the tests of fits with traced models."""

from __future__ import annotations

import numpy as np

T = np.linspace(0.0, 4.0, 40)
Y = 2.0 * np.exp(-1.3 * T) + 0.01 * np.cos(7 * T)


def decay(t, a, b):
    return a * np.exp(-b * t)
