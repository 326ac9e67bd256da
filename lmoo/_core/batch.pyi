import numpy as np
from numpy.typing import NDArray

class Batch:
    count: int
    m: int
    n: int
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
        nominal: bool,
        analytic: bool,
    ) -> None: ...
    def wanted(self, jacobians: bool) -> tuple[NDArray[np.intp], NDArray[np.float64]]: ...
    def answer(
        self, who: NDArray[np.intp], f: NDArray[np.float64], bad: NDArray[np.uint8]
    ) -> None: ...
    def answer_jacobians(
        self, who: NDArray[np.intp], jacobians: NDArray[np.float64], bad: NDArray[np.uint8]
    ) -> None: ...
    def end(self, who: NDArray[np.intp], status: int) -> None: ...
    def collect(
        self,
        x: NDArray[np.float64],
        fnorm: NDArray[np.float64],
        status: NDArray[np.int64],
        counts: NDArray[np.int64],
        r: NDArray[np.float64],
        ipvt: NDArray[np.int32],
        qtf: NDArray[np.float64],
        acnorm: NDArray[np.float64],
        error: NDArray[np.float64],
    ) -> None: ...
