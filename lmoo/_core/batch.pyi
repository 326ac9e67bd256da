from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.abi1 import CompiledProblem
from lmoo._core.arrays import Array, Index
from lmoo._core.evaluate import LossKernel
from lmoo._core.solve import Derivatives

# ---- batch/batch.pxi

class SolveBatch:
    count: int
    m: int
    n: int
    done: bool
    def end(self, who: Index, status: int) -> None: ...
    def collect(
        self, x: Array, fnorm: Array, status: NDArray[np.int64], counts: NDArray[np.int64]
    ) -> None: ...
    def standard_deviations(self, degrees: Array) -> Array: ...
    def scale(self, k: int) -> float | None: ...
    def uncertainty(
        self, deviation: Array, stderr: Array, covariance: Array | None
    ) -> list[int]: ...
    def limits(self, k: int) -> dict[str, Any]: ...
    def factor(self, k: int) -> tuple[Any, ...]: ...

class Batch(SolveBatch):
    def __init__(
        self,
        x0: Array,
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
        bounds: Array | None,
        loss: LossKernel | None,
        analytic: bool,
        y: Array,
        weights: Array | None,
    ) -> None: ...
    def wanted(self, jacobians: bool, most: int) -> tuple[Index, Array]: ...
    def answer(self, who: Index, values: Array) -> None: ...
    def answer_jacobians(self, who: Index, jacobians: Array) -> None: ...

# ---- batch/separable.pxi

class Separation:
    def __init__(self, m: int, linear: Sequence[int], other: Sequence[int], slots: int) -> None: ...

class SeparableProblem(CompiledProblem):
    def __init__(
        self, problem: CompiledProblem, linear: Sequence[int], other: Sequence[int]
    ) -> None: ...
    counts: tuple[int, int]
    def full(self, z: Array, evaluate: bool = True) -> Array | None: ...

class SeparableDerivatives(Derivatives):
    def __init__(self, problem: SeparableProblem) -> None: ...

# ---- batch/curvemodel.pxi

class CurveModel:
    n: int
    variables: int
    has_derivatives: bool
    def __init__(self, table: Any) -> None: ...
    def evaluate(
        self, t: Array, x: Array, derivatives: bool
    ) -> tuple[Array, NDArray[np.int32]]: ...
    def compare(
        self, t: Array, x: Array, values: Array, derivatives: bool
    ) -> tuple[float, float, bool]: ...
    def follows(
        self, t: Array, x: Array, share: float, close: float, hidden: float, points: int
    ) -> bool: ...
    def first_apart(self, t: Array, x: Array, values: Array, begin: int, close: float) -> int: ...

class CurveModelProblem(CompiledProblem):
    parameter_names: Any
    data: tuple[Any, ...]
    def __init__(
        self, model: CurveModel, t: Array, y: Array, weights: Array | None, names: Any
    ) -> None: ...
    has_second: bool
    def use_second(self, model: CurveModel) -> None: ...

# ---- batch/modelfits.pxi

class SlotFits(SolveBatch):
    def __init__(self, *args: Any) -> None: ...
    def run(
        self,
        skip: NDArray[np.uint8],
        degrees: Array,
        known: bool,
        x: Array,
        fnorm: Array,
        status: NDArray[np.int64],
        counts: NDArray[np.int64],
        stderr: Array,
        covariance: Array | None,
        codes: NDArray[np.int32],
        singular: NDArray[np.uint8],
    ) -> None: ...

class ModelFits(SlotFits):
    def full(self, z: Array) -> Array: ...

class ProblemFits(SlotFits):
    def residual(self, k: int, x: Array) -> Array: ...
