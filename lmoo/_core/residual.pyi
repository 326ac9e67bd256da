from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

def start(x0: ArrayLike, flatten: bool) -> tuple[NDArray[np.float64], int]: ...
def is_single(value: Any) -> bool: ...
def as_vector(value: Any, name: str, scalar: bool) -> tuple[NDArray[np.float64], float]: ...

class Source:
    name: str
    refusal: BaseException | None
    @property
    def m(self) -> int: ...

class Residual(Source):
    def __init__(
        self,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        name: str,
        scalar: bool,
        bad_point: type[BaseException],
    ) -> None: ...
    def offer(self, value: Any) -> None: ...
