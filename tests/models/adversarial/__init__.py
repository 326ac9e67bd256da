"""Functions that a tracer could get wrong: impure, stateful, random, branching, examining types.

Each entry of `MAKERS` creates a new function ``f(t, a, b)`` and, if it has effects, a list of them.
"""

from adversarial import (
    arrays,
    branches,
    classes,
    containers,
    loops,
    numerals,
    objects,
    outside,
    pieces,
    randomness,
    results,
    stores,
)  # fmt: skip
from adversarial.registry import MAKERS

__all__ = [
    "MAKERS", "arrays", "branches", "classes", "containers", "loops", "numerals", "objects",
    "outside", "pieces", "randomness", "results", "stores",
]  # fmt: skip
