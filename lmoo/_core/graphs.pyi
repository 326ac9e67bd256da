from collections.abc import Iterable, Sequence

# ---- graphs/rewriting.pxi

CODES: dict[str, int]
CONSTANTS: int
BLOCK: int
ARITY: dict[str, int]

# ---- graphs/steps.pxi

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

# ---- graphs/lowering.pxi

class Tape:
    parts: tuple[bytes, bytes, int, bytes, int, int, int]

def lower(
    steps: Sequence[_Step],
    outputs: Sequence[Sequence[int]],
    n: int,
    variables: int,
) -> list[Tape]: ...
