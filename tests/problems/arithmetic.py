"""Arithmetic in a fixed order, so that evaluations have the same bits everywhere."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def exp1(t: float) -> float:
    try:
        return math.exp(t)
    except OverflowError:
        return math.inf


def exp(t: Array) -> Array:
    """exp of each element by the C library; infinite where it overflows."""
    return np.array([exp1(v) for v in t.tolist()])


def ordered_sum(t: Array) -> np.float64:
    """Sum from left to right."""
    return np.add.accumulate(t)[-1]


def ordered_product(t: Array) -> np.float64:
    """Product from left to right."""
    return np.multiply.accumulate(t)[-1]


def numbers(text: str) -> Array:
    """The numbers in a text."""
    return np.array(text.split(), dtype=np.float64)


def indices(k: int) -> Array:
    """The numbers 1, 2, ..., k."""
    return np.arange(1.0, k + 1.0)
