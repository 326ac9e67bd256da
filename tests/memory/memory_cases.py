"""What the tests of memory count."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import lmoo

COUNTED = pytest.mark.skipif(
    not hasattr(sys, "getrefcount") or getattr(sys, "_is_gil_enabled", lambda: True)() is False,
    reason="counts of references mean nothing here",
)

START = np.array([1.0, 1.0])


class MineError(Exception):
    pass


class Function:
    """A callable that counts of references can be taken of."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


@contextmanager
def no_collector() -> Iterator[None]:
    """What follows must be freed by counts of references alone."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def counts(*things: Any) -> list[int]:
    return [sys.getrefcount(thing) for thing in things]


STRATEGIES: dict[str, Callable[[], lmoo.Jacobian | None]] = {
    "default": lambda: None,
    "analytic": lmoo.Analytic,
    "forward": lambda: lmoo.ForwardDifference(typical=[1.0, 1.0]),
    "central": lmoo.CentralDifference,
    "complex": lmoo.ComplexStep,
}
EVERY_STRATEGY = pytest.mark.parametrize("make", STRATEGIES.values(), ids=STRATEGIES)
