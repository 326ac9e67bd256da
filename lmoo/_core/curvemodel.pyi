from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.abi1 import CompiledProblem

class CurveModel:
    n: int
    variables: int
    has_derivatives: bool
    def __init__(self, table: Any) -> None: ...
    def evaluate(
        self, t: NDArray[np.float64], x: NDArray[np.float64], derivatives: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]: ...
    def compare(
        self,
        t: NDArray[np.float64],
        x: NDArray[np.float64],
        values: NDArray[np.float64],
        derivatives: bool,
    ) -> tuple[float, float, bool]: ...
    def first_apart(
        self,
        t: NDArray[np.float64],
        x: NDArray[np.float64],
        values: NDArray[np.float64],
        begin: int,
        close: float,
    ) -> int: ...

class CurveModelProblem(CompiledProblem):
    parameter_names: Any
    def __init__(
        self,
        model: CurveModel,
        t: NDArray[np.float64],
        y: NDArray[np.float64],
        weights: NDArray[np.float64] | None,
        names: Any,
    ) -> None: ...
    @property
    def has_second(self) -> bool: ...
    def use_second(self, model: CurveModel) -> None: ...
