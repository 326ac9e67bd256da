from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.losses import LossKernel

class Fleet:
    count: int
    m: int
    n: int
    @property
    def done(self) -> bool: ...
    def end(self, who: NDArray[np.intp], status: int) -> None: ...
    def collect(
        self,
        x: NDArray[np.float64],
        fnorm: NDArray[np.float64],
        status: NDArray[np.int64],
        counts: NDArray[np.int64],
    ) -> None: ...
    def deviations(self, degrees: NDArray[np.float64]) -> NDArray[np.float64]: ...
    def scale(self, k: int) -> float | None: ...
    def uncertainty(
        self,
        deviation: NDArray[np.float64],
        stderr: NDArray[np.float64],
        covariance: NDArray[np.float64] | None,
    ) -> list[int]: ...
    def limits(self, k: int) -> dict[str, Any]: ...
    def factor(self, k: int) -> tuple[Any, ...]: ...

class Batch(Fleet):
    def __init__(
        self,
        x0: NDArray[np.float64],
        m: int,
        ftol: float,
        xtol: float,
        gtol: float,
        factor: float,
        maxfev: int,
        tests: int,
        epsfcn: float,
        central: bool,
        refines: bool,
        bounds: NDArray[np.float64] | None,
        loss: LossKernel | None,
        analytic: bool,
        y: NDArray[np.float64],
        weights: NDArray[np.float64] | None,
    ) -> None: ...
    def wanted(
        self, jacobians: bool, most: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]: ...
    def answer(self, who: NDArray[np.intp], values: NDArray[np.float64]) -> None: ...
    def answer_jacobians(self, who: NDArray[np.intp], jacobians: NDArray[np.float64]) -> None: ...
