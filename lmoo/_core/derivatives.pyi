from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

class Derivatives:
    noise: float

class Differences(Derivatives):
    def __init__(
        self,
        own: bool,
        central: bool,
        epsfcn: float,
        typical: NDArray[np.float64] | None,
        nominal: bool,
        can_refine: bool,
    ) -> None: ...

class OwnJacobian(Derivatives): ...

class Foreign(Derivatives):
    def __init__(self, capsule: Any) -> None: ...

class Rows(Derivatives):
    name: str
    def __init__(
        self,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        name: str,
        columns: bool,
        bad_point: type[BaseException],
    ) -> None: ...

class Custom(Derivatives):
    def __init__(
        self,
        func: Callable[[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]], int | None],
        bad_point: type[BaseException],
        relative_error: float,
    ) -> None: ...
