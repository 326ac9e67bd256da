"""Jacobian strategies and recorders that the tests of derivatives share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lmoo


class Recorder:
    """Calls what it wraps and keeps a copy of each x."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.points: list[np.ndarray] = []

    def __call__(self, x: np.ndarray, *args: Any) -> Any:
        self.points.append(np.array(x))
        return self.function(x, *args)


class Sparse(lmoo.Jacobian):
    """One evaluation gives all columns where each residual has a parameter of its own."""

    relative_error = 1e-7

    def evaluate(self, problem: Any, x: np.ndarray, f: np.ndarray, out: np.ndarray) -> int:
        h = 1e-7
        out[:] = np.diag((problem.residual(x + h) - f) / h)
        return 1


class Delegating(lmoo.Jacobian):
    """The problem's own, written in Python."""

    def evaluate(self, problem: Any, x: np.ndarray, f: np.ndarray, out: np.ndarray) -> None:
        out[:] = problem.jacobian(x)


NUMERIC = {
    "forward": lmoo.ForwardDifference(),
    "unrefined": lmoo.ForwardDifference(refine=False),
    "central": lmoo.CentralDifference(),
    "complex": lmoo.ComplexStep(),
}
EVERY_NUMERIC = pytest.mark.parametrize("strategy", NUMERIC.values(), ids=NUMERIC)
