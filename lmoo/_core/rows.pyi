from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.derivatives import Derivatives
from lmoo._core.loop import Loop
from lmoo._core.losses import LossKernel
from lmoo._core.residual import Residual, Source

class RefusedError(Exception):
    error: BaseException | None
    entry: int
    value: float
    evaluations: int

class RowSource(Source):
    def __init__(self, passes: Any) -> None: ...

class RowLoop(Loop):
    rows: int
    blocks: int
    sums: NDArray[np.float64] | None

def block_norm(
    fun: Residual, x: NDArray[np.float64], loss: LossKernel | None = None
) -> tuple[int, float, float]: ...
def block_triangle(
    fun: Residual,
    jac: Derivatives,
    x: NDArray[np.float64],
    better: bool,
    models: int,
    fnorm: float,
    start_fnorm: float,
    rows: int,
    least_noise: float,
    acnorm: NDArray[np.float64],
    length: NDArray[np.float64],
    diag: NDArray[np.float64],
    bounds: NDArray[np.float64] | None,
    loss: LossKernel | None = None,
) -> tuple[
    int,
    float,
    float,
    NDArray[np.float64],
    int,
    float,
    float,
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64] | None,
]: ...
def merge_norms(norms: list[float]) -> float: ...
def merge_triangles(triangles: list[NDArray[np.float64]]) -> NDArray[np.float64]: ...
