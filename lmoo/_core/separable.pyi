from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lmoo._core.abi1 import CompiledProblem
from lmoo._core.derivatives import Derivatives

class Separation:
    def __init__(self, m: int, linear: Sequence[int], other: Sequence[int], slots: int) -> None: ...

class SeparableProblem(CompiledProblem):
    def __init__(
        self, problem: CompiledProblem, linear: Sequence[int], other: Sequence[int]
    ) -> None: ...
    @property
    def counts(self) -> tuple[int, int]: ...
    def full(self, z: NDArray[np.float64]) -> NDArray[np.float64] | None: ...

class SeparableDerivatives(Derivatives):
    def __init__(self, problem: SeparableProblem) -> None: ...
