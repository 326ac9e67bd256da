"""`leastsq`: the argument args."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ids import stable
from samples import (
    START,
    decay,
    decay_jacobian,
)


def test_args_tuple_is_unpacked_for_func_and_dfun(leastsq: Callable[..., Any]) -> None:
    seen = set()

    def func(p: np.ndarray, *args: Any) -> np.ndarray:
        seen.add(("func", *args))
        return decay(p)

    def jacobian(p: np.ndarray, *args: Any) -> np.ndarray:
        seen.add(("Dfun", *args))
        return decay_jacobian(p)

    leastsq(func, START, args=(3, "b"), Dfun=jacobian)
    assert seen == {("func", 3, "b"), ("Dfun", 3, "b")}


@pytest.mark.parametrize(
    "args", [[1.0, 2.0], np.array([1.0, 2.0]), 5.0, "word", {"k": 1}, None], ids=stable
)
def test_args_not_a_tuple_is_one_single_argument(leastsq: Callable[..., Any], args: Any) -> None:
    seen: list[Any] = []

    def func(p: np.ndarray, *more: Any) -> np.ndarray:
        seen.append(more)
        return decay(p)

    def jacobian(p: np.ndarray, *more: Any) -> np.ndarray:
        seen.append(more)
        return decay_jacobian(p)

    leastsq(func, START, args, jacobian)
    assert seen
    assert all(len(more) == 1 and more[0] is args for more in seen)
