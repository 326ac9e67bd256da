from typing import Any

from lmoo._core.arrays import Array

# ---- models/models.pxi

TABLE_OF: dict[str, Any]

def exp(v: Array) -> None: ...

# ---- models/program.pxi

CODES: dict[str, int]
CONSTANTS: int
UNIFORM: int
REGISTERS: int
FIRST_DATA: int
ROW: int
BLOCK: int
CACHE: int
LARGEST_WORK: int
SCIPY: tuple[str, ...]

def use_scipy(capsules: list[tuple[Any, bytes]]) -> None: ...

class CompiledTapes:
    def __init__(
        self,
        n: int,
        variables: int,
        values: tuple[Any, ...],
        derivatives: tuple[Any, ...] | None,
        both: tuple[Any, ...] | None,
        target: str | None,
    ) -> None: ...
    @property
    def capsule(self) -> Any: ...
    def evaluate(self, name: str, t: Array, x: Array, outputs: int) -> Array: ...
