from collections.abc import Iterable, Sequence
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

# ---- models/graph.pxi

_Step = tuple[str, tuple[int, ...], float | int | None]

class Steps:
    steps: list[_Step]
    varies: list[bool]
    def __init__(self, steps: Iterable[_Step] = ()) -> None: ...
    def parameter(self, index: int) -> int: ...
    def variable(self, index: int) -> int: ...
    def constant(self, value: float) -> int: ...
    def apply(self, operation: str, *arguments: int) -> int: ...
    def number(self, node: int) -> float | None: ...
    def operand(self, node: int, operation: str) -> int | None: ...

def extracted(
    steps: Sequence[_Step], roots: Sequence[int]
) -> tuple[tuple[_Step, ...], tuple[int, ...]]: ...

# ---- models/lowering.pxi

class Tape:
    parts: tuple[NDArray[np.int32], NDArray[np.int32], int, list[float], int, int, int]

def lower(
    steps: Sequence[_Step],
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
