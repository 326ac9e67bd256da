"""Fits whose first full step leaves the domain of their function."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Edge:
    """A fit of which both functions are without a value at the first full step."""

    function: Callable[[np.ndarray], np.ndarray]
    jacobian: Callable[[np.ndarray], np.ndarray]
    x0: tuple[float, ...]
    solution: tuple[float, ...]


S = np.linspace(0.0, 3.0, 12)
Y_LOG = 1.5 * np.log(0.05 + S)
Y_ROOT = 2.0 * np.sqrt(0.01 + S)


def log_model(p: np.ndarray) -> np.ndarray:
    return p[0] * np.log(p[1] + S) - Y_LOG


def log_jacobian(p: np.ndarray) -> np.ndarray:
    return np.column_stack([np.log(p[1] + S), p[0] / (p[1] + S)])


def root_model(p: np.ndarray) -> np.ndarray:
    return p[0] * np.sqrt(p[1] + S) - Y_ROOT


def root_jacobian(p: np.ndarray) -> np.ndarray:
    root = np.sqrt(p[1] + S)
    return np.column_stack([root, 0.5 * p[0] / root])


EDGES = {
    "log": Edge(lambda p: np.log(p) + 3.0, lambda p: np.diag(1.0 / p), (5.0,), (math.exp(-3.0),)),
    "root": Edge(lambda p: p**0.25 - 0.3, lambda p: np.diag(0.25 * p**-0.75), (5.0,), (0.3**4,)),
    "log-model": Edge(log_model, log_jacobian, (1.0, 2.0), (1.5, 0.05)),
    "root-model": Edge(root_model, root_jacobian, (1.0, 3.0), (2.0, 0.01)),
    "overflow": Edge(
        lambda p: np.exp(np.exp(p)) - 20.0,
        lambda p: np.diag(np.exp(np.exp(p) + p)),
        (-8.0,),
        (math.log(math.log(20.0)),),
    ),
}
