from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.abi1 import CompiledProblem
from lmoo._core.evaluate import LossKernel
from lmoo._core.solve import Derivatives

# ---- batch/batch.pxi

class SolveBatch:
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
    def standard_deviations(self, degrees: NDArray[np.float64]) -> NDArray[np.float64]: ...
    def scale(self, k: int) -> float | None: ...
    def uncertainty(
        self,
        deviation: NDArray[np.float64],
        stderr: NDArray[np.float64],
        covariance: NDArray[np.float64] | None,
    ) -> list[int]: ...
    def limits(self, k: int) -> dict[str, Any]: ...
    def factor(self, k: int) -> tuple[Any, ...]: ...

class Batch(SolveBatch):
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

# ---- batch/separable.pxi

class Separation:
    def __init__(self, m: int, linear: Sequence[int], other: Sequence[int], slots: int) -> None: ...

class SeparableProblem(CompiledProblem):
    def __init__(
        self, problem: CompiledProblem, linear: Sequence[int], other: Sequence[int]
    ) -> None: ...
    @property
    def counts(self) -> tuple[int, int]: ...
    def full(self, z: NDArray[np.float64], evaluate: bool = True) -> NDArray[np.float64] | None: ...

class SeparableDerivatives(Derivatives):
    def __init__(self, problem: SeparableProblem) -> None: ...

# ---- batch/curvemodel.pxi

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
    data: tuple[Any, ...]
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

# ---- batch/modelfits.pxi

class SlotFits(SolveBatch):
    def __init__(self, *args: Any) -> None: ...
    def run(
        self,
        skip: NDArray[np.uint8],
        degrees: NDArray[np.float64],
        known: bool,
        x: NDArray[np.float64],
        fnorm: NDArray[np.float64],
        status: NDArray[np.int64],
        counts: NDArray[np.int64],
        stderr: NDArray[np.float64],
        covariance: NDArray[np.float64] | None,
        codes: NDArray[np.int32],
        singular: NDArray[np.uint8],
    ) -> None: ...

class ModelFits(SlotFits):
    def full(self, z: NDArray[np.float64]) -> NDArray[np.float64]: ...

class ProblemFits(SlotFits):
    def residual(self, k: int, x: NDArray[np.float64]) -> NDArray[np.float64]: ...
