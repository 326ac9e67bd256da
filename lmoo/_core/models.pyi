from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array

# ---- models/models.pxi

TABLE_OF: dict[str, Any]

def exp(v: Array) -> None: ...

# ---- models/tapes.pxi

CODES: dict[str, int]
CONSTANTS: int
UNIFORM: int
REGISTERS: int
FIRST_DATA: int
ROW: int
BLOCK: int
CACHE: int
LARGEST_WORK: int

# ---- models/rewriting.pxi

ARITY: dict[str, int]

# ---- models/lowering.pxi

class Tape:
    parts: tuple[NDArray[np.int32], NDArray[np.int32], int, list[float], int, int, int]

def lower(
    steps: Sequence[tuple[str, tuple[int, ...], float | int | None]],
    outputs: Sequence[Sequence[int]],
    n: int,
    variables: int,
) -> list[Tape]: ...

# ---- models/program.pxi

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
