"""The indices of the points at which a condition holds."""

from typing import Any


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


def condition_of(key: Any) -> Any:
    """Return the condition that indices of points stand for; other keys as they are."""
    if isinstance(key, tuple) and len(key) == 1:
        key = key[0]
    return key.condition if isinstance(key, Indices) else key


def adds_axes(key: Any) -> bool:
    """Return whether an index keeps all points, as ``[:, None]``."""
    return isinstance(key, tuple) and all(
        k is None or k is Ellipsis or (isinstance(k, slice) and k == slice(None)) for k in key
    )
