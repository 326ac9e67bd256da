from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.abi1 import CompiledProblem
from lmoo._core.arrays import Array
from lmoo._core.evaluate import LossKernel

# ---- solve/residual.pxi

MASKED: str

def start(x0: ArrayLike, flatten: bool) -> tuple[Array, int]: ...
def is_finite(array: Array) -> bool: ...
def finite_curve(
    t: Any, y: Any, sigma: Any, copied: bool = True
) -> tuple[Array, Array | None] | None: ...
def is_single(value: Any) -> bool: ...
def as_vector(value: Any, name: str, scalar: bool) -> tuple[Array, float]: ...

class Source:
    name: str
    refusal: BaseException | None
    m: int

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
        self, t: Any, y: Array, w: Array | None, weighted: Callable[[Any], Any]
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
        typical: Array | None,
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
    name: str
    def checked(self, value: Any, shape: tuple[int, ...]) -> Array: ...
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
        func: Callable[[Array, Array, Array], int | None],
        bad_point: type[BaseException],
        relative_error: float,
    ) -> None: ...

class SparseCustom(Derivatives):
    def __init__(
        self, func: Callable[[Array, Array], tuple[Any, float, int]], bad_point: type[BaseException]
    ) -> None: ...

# ---- solve/grouped.pxi

class Grouped(Derivatives):
    def __init__(
        self,
        pattern: Any,
        central: bool,
        epsfcn: float,
        typical: Array | None,
        can_refine: bool,
        check: Callable[..., None] | None,
    ) -> None: ...
    def value_at(self, x: Array) -> Array | None: ...

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
    def x(self) -> Array: ...
    @property
    def diag(self) -> Array: ...
    @property
    def r(self) -> Array: ...
    @property
    def ipvt(self) -> NDArray[np.int32]: ...
    @property
    def qtf(self) -> Array: ...
    @property
    def gradient(self) -> Array: ...
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
    def damped(self, lambda_: float) -> Array: ...
    def within(self, delta: float) -> tuple[Array, float]: ...
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
        x0: Array,
        diag: ArrayLike | None,
        ftol: float,
        xtol: float,
        gtol: float,
        factor: float,
        maxfev: int,
        tests: int,
        step: Stepping | None,
        bounds: Array | None,
        linear: LinearTable | None,
        stopped: type[BaseException],
        kernel: LossKernel | None = None,
    ) -> None: ...
    found: WrongKindError | None
    def run(self) -> None: ...
    def advance(self) -> bool: ...
    def offer(self, found: WrongKindError) -> None: ...
    def end_for_other_kind(self, error: WrongKindError) -> None: ...
    def count_jacobians_apart(self) -> None: ...
    def stop(self, status: int) -> None: ...
    def release(self) -> None: ...

class LoopResults(BaseLoop):
    def take_refusal(self) -> BaseException | None: ...
    status: int
    done: bool
    nfev: int
    njev: int
    measured: tuple[Array, Array, Array, float]
    relative_offset: float
    noise: float
    differenced: int
    def rows_at_end(self) -> tuple[Array, Array] | None: ...
    scale: float | None
    has_jacobian: bool
    nit: int
    jacobian_error: float
    maxfev: int
    fnorm: float
    gnorm: float
    linearized: bool
    x: Array
    observations: int
    residual: Array
    qtf: Array
    bounds: Array | None
    fixed_or_active: NDArray[np.int32]
    gradient: Array
    acnorm: Array
    r: Array
    ipvt: NDArray[np.int32]
    def out_of_jacobian(self) -> Array: ...
    def factors(self) -> Array: ...
    def covariance(self) -> Array | None: ...
    def is_safe(self, inverse: Array) -> bool: ...
    def record(
        self,
    ) -> tuple[int, Array, float, float, float, Array, float, float, bool, int, int]: ...

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
    fun: Residual, x: Array, loss: LossKernel | None = None
) -> tuple[int, float, float]: ...
def block_triangle(
    fun: Residual,
    jac: Derivatives,
    x: Array,
    high_accuracy: bool,
    models: int,
    fnorm: float,
    start_fnorm: float,
    rows: int,
    least_noise: float,
    acnorm: Array,
    length: Array,
    diag: Array,
    bounds: Array | None,
    with_sizes: bool,
    loss: LossKernel | None = None,
) -> tuple[
    int,
    float,
    float,
    Array,
    int,
    float,
    float,
    Array,
    Array,
    Array,
    Array | None,
    Array | None,
    Array,
]: ...

# ---- solve/merging.pxi

def merge_norms(norms: list[float]) -> float: ...
def merge_triangles(triangles: list[Array]) -> Array: ...

# ---- solve/rows.pxi

class RowSource(Source):
    def __init__(self, passes: Any) -> None: ...

class RowLoop(Loop):
    rows: int
    blocks: int
    sums: Array | None

# ---- solve/sparseloop.pxi

class SparseLoop(Loop):
    rows: Any
