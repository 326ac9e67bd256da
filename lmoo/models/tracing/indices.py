"""The indices of the points at which a condition holds."""

from typing import Any

import numpy as np


class Indices:
    """The indices of the points at which a condition holds, as ``np.where(condition)`` has them."""

    def __init__(self, condition: Any) -> None:
        self.condition = condition

    def __getattr__(self, name: str) -> Any:
        self.condition.recorder.refuse("indices of points are used other than to select them")

    def __len__(self) -> int:
        return int(self.__getattr__("size"))

    def __array__(self, *args: Any, **options: Any) -> Any:
        return self.__getattr__("data")

    def __getitem__(self, key: Any) -> Any:
        return self.__getattr__("take")


def condition_of(key: Any, array: Any) -> Any:
    """Return the condition that an index of an array stands for; other keys as they are.

    The points of a slice and those of an array of truth values are known.
    """
    if isinstance(key, tuple) and len(key) == 1:
        key = key[0]
    if isinstance(key, Indices):
        return key.condition
    points = array.recorder.points
    if not array.points or array.mask is not None or points is None:
        return key
    forwards = isinstance(key, slice) and not (isinstance(key.step, int) and key.step < 0)
    if forwards and key != slice(None):
        chosen = np.zeros(points, dtype=bool)
        chosen[key] = True
        key = chosen
    if isinstance(key, np.ndarray) and key.dtype == bool and key.shape == (points,):
        return array._like(node=array.recorder.array(key), imag=None, truth=True)
    return key


def adds_axes(key: Any) -> bool:
    """Return whether an index keeps all points, as ``[:, None]``."""
    return isinstance(key, tuple) and all(
        k is None or k is Ellipsis or (isinstance(k, slice) and k == slice(None)) for k in key
    )
