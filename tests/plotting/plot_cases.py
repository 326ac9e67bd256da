"""A fit to plot, and what has been drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from lmoo import CurveProblem, Result, Solver

__all__ = ["T", "Y", "decay", "fitted", "labels", "line"]


T = np.linspace(0.0, 2.0, 12)
Y = 2.0 * np.exp(-1.3 * T) + 0.05 * np.cos(7.0 * T)


def decay(t: Any, amplitude: float, rate: float) -> Any:
    return amplitude * np.exp(-rate * t)


def fitted(**options: Any) -> Result:
    return Solver().solve(CurveProblem(decay, T, Y, **options), [1.0, 1.0], history=True)


def line(ax: Any, label: str) -> np.ndarray:
    """The points of a line, (k, 2)."""
    (found,) = (item for item in ax.lines if item.get_label() == label)
    return np.asarray(found.get_xydata())


def labels(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]
