"""Problems of the collections that count their evaluations."""

from __future__ import annotations

from typing import Any

import numpy as np

import lmoo


class Counted(lmoo.Problem):
    """A problem that counts its evaluations and hides its derivatives."""

    def __init__(self, of: Any) -> None:
        self.of = of
        self.residuals = self.jacobians = 0

    def residual(self, x: np.ndarray) -> np.ndarray:
        self.residuals += 1
        found: np.ndarray = self.of.residual(x)
        return found


class CountedWithJacobian(Counted):
    def jacobian(self, x: np.ndarray) -> np.ndarray:
        self.jacobians += 1
        found: np.ndarray = self.of.jacobian(x)
        return found
