from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.abi1 import CompiledProblem
from lmoo._core.evaluate import LossKernel

# ---- solve/residual.pxi

MASKED: str

def start(x0: ArrayLike, flatten: bool) -> tuple[NDArray[np.float64], int]: ...
def is_finite(array: NDArray[np.float64]) -> bool: ...
def finite_curve(
    t: Any, y: Any, sigma: Any, copied: bool = True
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None] | None: ...
def is_single(value: Any) -> bool: ...
def as_vector(value: Any, name: str, scalar: bool) -> tuple[NDArray[np.float64], float]: ...

class Source:
    name: str
    refusal: BaseException | None
    @property
    def m(self) -> int: ...

class Residual(Source):
    def __init__(
        self,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        name: str,
        scalar: bool,
        bad_point: type[BaseException],
    ) -> None: ...
    def offer(self, value: Any) -> None: ...

# ---- solve/curveresidual.pxi

class CurveResidual(Residual):
    def bind(
        self,
        t: Any,
        y: NDArray[np.float64],
        w: NDArray[np.float64] | None,
        weighted: Callable[[Any], Any],
    ) -> CurveResidual: ...

# ---- solve/compiled.pxi

class Compiled(Source):
    def __init__(self, problem: CompiledProblem) -> None: ...

class Pointers(CompiledProblem):
    def __init__(self, residual: int, m: int, n: int, jacobian: int, user_data: int) -> None: ...

def capsule_contents(capsule: Any) -> tuple[str | None, int, int]: ...
def is_capsule(value: Any) -> bool: ...

# ---- solve/derivatives.pxi

class Derivatives:
    noise: float
    gives_matrix: bool
    takes_either: bool
    may_switch: bool
    needs_all_rows: bool

class Differences(Derivatives):
    def __init__(
        self,
        use_jacobian: bool,
        central: bool,
        epsfcn: float,
        typical: NDArray[np.float64] | None,
        minpack_compatible: bool,
        can_refine: int,
    ) -> None: ...

class ProblemJacobian(Derivatives): ...

class Foreign(Derivatives):
    def __init__(self, capsule: Any) -> None: ...

class Called(Derivatives): ...

class WrongKindError(Exception):
    jacobian: Any
    sparse: bool
    residual: NDArray[Any] | None

class Rows(Called):
    @property
    def name(self) -> str: ...
    def checked(self, value: Any, shape: tuple[int, ...]) -> NDArray[np.float64]: ...
    def __init__(
        self,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        name: str,
        columns: bool,
        bad_point: type[BaseException],
        may_switch: bool = False,
        repeated: Callable[[], int] | None = None,
    ) -> None: ...
    def offer(self, value: Any) -> None: ...

class Custom(Called):
    def __init__(
        self,
        func: Callable[[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]], int | None],
        bad_point: type[BaseException],
        relative_error: float,
    ) -> None: ...

class SparseCustom(Derivatives):
    def __init__(
        self,
        func: Callable[[NDArray[np.float64], NDArray[np.float64]], tuple[Any, float, int]],
        bad_point: type[BaseException],
    ) -> None: ...

# ---- solve/grouped.pxi

class Grouped(Derivatives):
    def __init__(
        self,
        pattern: Any,
        central: bool,
        epsfcn: float,
        typical: NDArray[np.float64] | None,
        can_refine: bool,
        check: Callable[..., None] | None,
    ) -> None: ...
    def value_at(self, x: NDArray[np.float64]) -> NDArray[np.float64] | None: ...

# ---- solve/stepping.pxi

class Stepping:
    memory: Any

class Table(Stepping):
    def __init__(self, which: Any) -> None: ...

class Asked(Stepping):
    def __init__(self, func: Callable[[StepModel], tuple[ArrayLike, float]]) -> None: ...

class StepModel:
    memory: dict[str, Any]
    delta: float
    @property
    def x(self) -> NDArray[np.float64]: ...
    @property
    def diag(self) -> NDArray[np.float64]: ...
    @property
    def r(self) -> NDArray[np.float64]: ...
    @property
    def ipvt(self) -> NDArray[np.int32]: ...
    @property
    def qtf(self) -> NDArray[np.float64]: ...
    @property
    def gradient(self) -> NDArray[np.float64]: ...
    @property
    def fnorm(self) -> float: ...
    @property
    def lambda_(self) -> float: ...
    @property
    def ratio(self) -> float: ...
    @property
    def accepted(self) -> bool: ...
    @property
    def refused(self) -> int: ...
    @property
    def iteration(self) -> int: ...
    def damped(self, lambda_: float) -> NDArray[np.float64]: ...
    def within(self, delta: float) -> tuple[NDArray[np.float64], float]: ...
    def predicted_reduction(self, p: ArrayLike) -> float: ...

# ---- solve/linearmodel.pxi

class LinearTable: ...

class PythonLinear(LinearTable):
    def __init__(self, model: Any) -> None: ...

# ---- solve/stored.pxi

def checksum(stored: dict[str, Any]) -> int: ...

# ---- solve/loop.pxi, solve/results.pxi, solve/snapshot.pxi

class BaseLoop:
    def __init__(
        self,
        fun: Source,
        jac: Derivatives,
        x0: NDArray[np.float64],
        diag: ArrayLike | None,
        ftol: float,
        xtol: float,
        gtol: float,
        factor: float,
        maxfev: int,
        tests: int,
        step: Stepping | None,
        bounds: NDArray[np.float64] | None,
        linear: LinearTable | None,
        stopped: type[BaseException],
        kernel: LossKernel | None = None,
    ) -> None: ...
    found: WrongKindError | None
    def run(self) -> None: ...
    def advance(self) -> bool: ...
    def offer(self, found: WrongKindError) -> None: ...
    def end_for_other_kind(self, error: WrongKindError) -> None: ...
    def stop(self, status: int) -> None: ...
    def release(self) -> None: ...

class LoopResults(BaseLoop):
    def take_refusal(self) -> BaseException | None: ...
    @property
    def status(self) -> int: ...
    @property
    def done(self) -> bool: ...
    @property
    def nfev(self) -> int: ...
    @property
    def njev(self) -> int: ...
    @property
    def measured(
        self,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]: ...
    @property
    def relative_offset(self) -> float: ...
    @property
    def noise(self) -> float: ...
    @property
    def differenced(self) -> int: ...
    def rows_at_end(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None: ...
    @property
    def scale(self) -> float | None: ...
    @property
    def has_jacobian(self) -> bool: ...
    @property
    def nit(self) -> int: ...
    @property
    def jacobian_error(self) -> float: ...
    @property
    def maxfev(self) -> int: ...
    @property
    def fnorm(self) -> float: ...
    @property
    def gnorm(self) -> float: ...
    @property
    def linearized(self) -> bool: ...
    @property
    def x(self) -> NDArray[np.float64]: ...
    @property
    def observations(self) -> int: ...
    @property
    def residual(self) -> NDArray[np.float64]: ...
    @property
    def qtf(self) -> NDArray[np.float64]: ...
    @property
    def bounds(self) -> NDArray[np.float64] | None: ...
    @property
    def fixed_or_active(self) -> NDArray[np.int32]: ...
    @property
    def gradient(self) -> NDArray[np.float64]: ...
    @property
    def acnorm(self) -> NDArray[np.float64]: ...
    @property
    def r(self) -> NDArray[np.float64]: ...
    @property
    def ipvt(self) -> NDArray[np.int32]: ...
    def out_of_jacobian(self) -> NDArray[np.float64]: ...
    def factors(self) -> NDArray[np.float64]: ...
    def covariance(self) -> NDArray[np.float64] | None: ...
    def is_safe(self, inverse: NDArray[np.float64]) -> bool: ...
    def record(
        self,
    ) -> tuple[
        int,
        NDArray[np.float64],
        float,
        float,
        float,
        NDArray[np.float64],
        float,
        float,
        bool,
        int,
        int,
    ]: ...

class Loop(LoopResults):
    sparse: bool
    def snapshot(self) -> dict[str, Any]: ...
    def restore(self, stored: dict[str, Any]) -> None: ...

# ---- solve/block.pxi

class RefusedError(Exception):
    error: BaseException | None
    entry: int
    value: float
    evaluations: int

def block_norm(
    fun: Residual, x: NDArray[np.float64], loss: LossKernel | None = None
) -> tuple[int, float, float]: ...
def block_triangle(
    fun: Residual,
    jac: Derivatives,
    x: NDArray[np.float64],
    high_accuracy: bool,
    models: int,
    fnorm: float,
    start_fnorm: float,
    rows: int,
    least_noise: float,
    acnorm: NDArray[np.float64],
    length: NDArray[np.float64],
    diag: NDArray[np.float64],
    bounds: NDArray[np.float64] | None,
    with_sizes: bool,
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
    NDArray[np.float64] | None,
    NDArray[np.float64],
]: ...

# ---- solve/merging.pxi

def merge_norms(norms: list[float]) -> float: ...
def merge_triangles(triangles: list[NDArray[np.float64]]) -> NDArray[np.float64]: ...

# ---- solve/rows.pxi

class RowSource(Source):
    def __init__(self, passes: Any) -> None: ...

class RowLoop(Loop):
    rows: int
    blocks: int
    sums: NDArray[np.float64] | None

# ---- solve/sparseloop.pxi

class SparseLoop(Loop):
    rows: Any
