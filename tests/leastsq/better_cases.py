"""Solves that leave the domain of their function, and checks of `lmoo.leastsq` alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from samples import (
    decay_jacobian,
    decay_jacobian_t,
)

SUCCESS = (1, 2, 3, 4)


# ------------------------------------------------------------------------------------ problems


JACOBIANS: dict[str, dict[str, Any]] = {
    "differences": {},
    "rows": {"Dfun": decay_jacobian},
    "columns": {"Dfun": decay_jacobian_t, "col_deriv": True},
}
EVERY_JACOBIAN = pytest.mark.parametrize("options", JACOBIANS.values(), ids=JACOBIANS)


@dataclass
class QuietRecorder:
    """Calls what it wraps and keeps a copy of every x, and whether the answer was finite."""

    function: Callable[..., Any]
    points: list[np.ndarray] = field(default_factory=list)
    finite: list[bool] = field(default_factory=list)

    def __call__(self, x: np.ndarray, *args: Any) -> Any:
        self.points.append(np.array(x, copy=True))
        self.finite.append(False)  # unless it returns
        with np.errstate(all="ignore"):
            answer = self.function(x, *args)
        self.finite[-1] = bool(np.isfinite(answer).all())
        return answer


def assert_same_solve(ours: tuple[Any, ...], expected: tuple[Any, ...]) -> None:
    """Compare two full outputs of lmoo to the last bit."""
    np.testing.assert_array_equal(ours[0], expected[0])
    np.testing.assert_array_equal(ours[1], expected[1])
    assert list(ours[2]) == list(expected[2])
    for key in expected[2]:
        np.testing.assert_array_equal(ours[2][key], expected[2][key])
    assert ours[3:] == expected[3:]


@dataclass(frozen=True)
class Edge:
    """A fit whose first full step leaves the domain of the model."""

    func: Callable[..., Any]
    Dfun: Callable[..., Any]
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
    "sqrt": Edge(lambda p: np.sqrt(p) - 0.1, lambda p: np.diag(0.5 / np.sqrt(p)), (4.0,), (0.01,)),
    "log-model": Edge(log_model, log_jacobian, (1.0, 2.0), (1.5, 0.05)),
    "sqrt-model": Edge(root_model, root_jacobian, (1.0, 3.0), (2.0, 0.01)),
    "overflow": Edge(
        lambda p: np.exp(np.exp(p)) - 20.0,
        lambda p: np.diag(np.exp(np.exp(p) + p)),
        (-8.0,),
        (math.log(math.log(20.0)),),
    ),
}


# ======================================================== Exceptions, warnings, nesting, threads


class EqualError(Exception):
    """An exception only the caller knows, with an equality that lies."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = Exception.__hash__


def raising_at(at: int, error: BaseException, function: Callable[..., Any]) -> QuietRecorder:
    def call(x: np.ndarray) -> Any:
        if len(recorder.points) == at:
            raise error
        return function(x)

    recorder = QuietRecorder(call)
    return recorder
