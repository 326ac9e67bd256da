"""Drivers with and without derivatives, and the check that a success is a minimum."""

from __future__ import annotations

import numpy as np
from drivers import DRIVERS, Array, Fit, Model, relative_offset

__all__ = ["ALL", "WITH_DIFFERENCES", "check"]


# Of a block that overflows differences tell nothing: blocks of rows have their derivatives.
WITH_DIFFERENCES = [(d, False) for d in DRIVERS if d != "RowBlockProblem"]
ALL = WITH_DIFFERENCES + [(d, True) for d in DRIVERS]


def check(found: Fit, f: Model, jac: Model, t: Array, y: Array) -> None:
    """A success is a minimum, or says that something is undetermined."""
    if found.success and np.isfinite(found.stderr).all():
        assert relative_offset(f, jac, t, y, found.x) < 1e-9, found
