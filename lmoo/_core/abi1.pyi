from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from lmoo._core.arrays import Array

_api: Any

class CompiledProblem:
    parameter_names: Sequence[str] | None
    def __init__(self, m: int, n: int) -> None: ...
    @property
    def m(self) -> int: ...
    @property
    def n(self) -> int: ...
    @property
    def provides_jacobian(self) -> bool: ...
    def residual(self, x: ArrayLike) -> Array: ...
    def jacobian(self, x: ArrayLike) -> Array: ...
