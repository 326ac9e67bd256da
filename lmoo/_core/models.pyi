from typing import Any

from lmoo._core.arrays import Array
from lmoo._core.graphs import Tape

# ---- models/models.pxi

TABLE_OF: dict[str, Any]

def exp(v: Array) -> None: ...

# ---- models/program.pxi

LARGEST_WORK: int
SCIPY: tuple[str, ...]

def use_scipy(capsules: list[tuple[Any, bytes]]) -> None: ...

class CompiledTapes:
    def __init__(
        self,
        n: int,
        variables: int,
        values: Tape,
        derivatives: Tape | None,
        both: Tape | None,
        target: str | None,
    ) -> None: ...
    @property
    def capsule(self) -> Any: ...
    def evaluate(self, name: str, t: Array, x: Array, outputs: int) -> Array: ...
