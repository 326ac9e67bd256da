"""Solves that leave the domain of their function, and checks of `lmoo.leastsq` alone."""

from __future__ import annotations

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
