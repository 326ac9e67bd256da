"""The registry of the functions, and the model that most of them compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Made = tuple[Callable[..., Any], Any]
MAKERS: dict[str, Callable[[], Made]] = {}


def adversarial(make: Callable[[], Made]) -> Callable[[], Made]:
    MAKERS[make.__name__] = make
    return make


def model(t, a, b):
    return a * np.exp(-b * t)
