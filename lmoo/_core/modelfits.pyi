from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.batch import Fleet

class SlotFits(Fleet):
    def __init__(self, *args: Any) -> None: ...
    def run(self, *args: Any) -> None: ...

class ModelFits(SlotFits):
    def full(self, z: NDArray[np.float64]) -> NDArray[np.float64]: ...

class ProblemFits(SlotFits):
    def residual(self, k: int, x: NDArray[np.float64]) -> NDArray[np.float64]: ...
