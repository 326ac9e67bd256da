from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# ---- evaluate/lossstatistics.pxi

def deviation(sums: ArrayLike, m: float, degrees: float) -> float: ...

# ---- evaluate/losskernel.pxi

KINDS: dict[str, int]

def called(value: Any, m: int) -> NDArray[np.float64]: ...
def evaluate(name: str, z: ArrayLike) -> NDArray[np.float64]: ...

class CompiledRho:
    def __init__(self, capsule: Any) -> None: ...
    def __call__(self, z: ArrayLike) -> NDArray[np.float64]: ...

class LossKernel:
    def __init__(
        self,
        name: str,
        scale: float,
        tuning: float,
        func: Callable[..., Any] | None,
        priors: int = 0,
    ) -> None: ...
    @property
    def scale(self) -> float: ...
    def norm(self, f: ArrayLike) -> float: ...
    def weights(self, f: ArrayLike) -> NDArray[np.float64]: ...
    def rows(self, f: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def sums(self, f: ArrayLike) -> NDArray[np.float64]: ...

# ---- evaluate/threads.pxi

def thread_count() -> int: ...
