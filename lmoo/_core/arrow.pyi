"""The arrow linear model, and solves with it: joint fits, errors in x."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array, Index
from lmoo._core.batch import CurveModel
from lmoo._core.solve import Derivatives, LinearTable, Loop, Source

# ---- arrow/linear.pxi

class ArrowLinear(LinearTable):
    n: int
    shared: int
    groups: int
    parts: int
    scattered: bool
    span: Index | None
    columns: NDArray[np.int32] | None
    def __init__(self, shared: int, own: Any, touched: tuple[Any, Any] | None = None) -> None: ...
    def factor(
        self, error: float, active: NDArray[np.int32] | None
    ) -> tuple[
        Array, NDArray[np.int32], NDArray[np.int32], Array, NDArray[np.int32], int, Array
    ]: ...
    def dense_factor(
        self, error: float, active: NDArray[np.int32] | None
    ) -> tuple[Array, NDArray[np.int32], Array]: ...
    def begin(self) -> None: ...
    def fill(self, jac: Array, f: Array) -> bool: ...
    def fill_groups(self, blocks: list[Array]) -> None: ...
    def leave_out(self, active: NDArray[np.int32]) -> None: ...
    def truncate(self, column_error: Array, fnorm: float) -> tuple[int, float, float]: ...
    def gradient(self, p: Array | None, fnorm: float) -> Array: ...
    def predict(self, p: Array, everything: bool, fnorm: float) -> tuple[float, float]: ...
    def gram(self, v: Array) -> Array: ...
    def damped(self, par: float, diag: Array) -> Array: ...
    def damped_on_face(
        self, active: NDArray[np.int32], moved: Array, par: float, diag: Array
    ) -> Array: ...
    def solve(self, par: float, diag: Array, g: Array) -> Array | None: ...
    def triangle(self) -> tuple[Array, NDArray[np.int32], Array]: ...

# ---- arrow/statistics.pxi

def arrow_statistics(
    first: Index,
    span: Index | None,
    columns: NDArray[np.int32] | None,
    blocks: Array,
    order: NDArray[np.int32],
    rank: NDArray[np.int32],
    t: Array,
    torder: NDArray[np.int32],
    trank: int,
    norms: Array,
    excluded: NDArray[np.uint8],
    limit: float,
) -> tuple[Array, Array, Array, NDArray[np.uint8]]: ...
def arrow_variances(
    first: Index,
    span: Index | None,
    columns: NDArray[np.int32] | None,
    lift: Array,
    gram: Array,
    covariance: Array,
) -> Array: ...
def arrow_blocks(
    first: Index,
    lift: Array,
    gram: Array,
    covariance: Array,
    unit: Array,
    undetermined: NDArray[np.uint8],
    where: Index,
) -> Array: ...
def arrow_lifted(
    first: Index, span: Index | None, columns: NDArray[np.int32] | None, lift: Array, v: Array
) -> Array: ...

# ---- arrow/groups.pxi

class Groups:
    shared: int
    rows: int
    own: Index
    touched: tuple[Index, Index] | None
    differenced: int
    refusal: BaseException | None

class GroupSource(Source):
    def __init__(self, groups: Groups) -> None: ...

class GroupDerivatives(Derivatives):
    def __init__(self, groups: Groups) -> None: ...

class ArrowLoop(Loop):
    touched: tuple[Index | None, NDArray[np.int32] | None]
    def factor(
        self,
    ) -> tuple[
        Array, NDArray[np.int32], NDArray[np.int32], Array, NDArray[np.int32], int, Array
    ]: ...
    def dense_factor(self) -> tuple[Array, NDArray[np.int32], Array]: ...

class CurveGroups(Groups):
    def __init__(
        self,
        model: CurveModel,
        t: Array,
        y: Array,
        weights: Array | None,
        shared: int,
        where: Index,
        parts: int,
    ) -> None: ...
    def attach(self, arrow: ArrowLinear) -> None: ...
    def rows_at(self, x: Array) -> Array | None: ...
    def factor_at(
        self, x: Array, f: Array, root: Array | None
    ) -> tuple[Array, NDArray[np.int32], NDArray[np.int32], Array, Array] | None: ...

class RemoteGroups(Groups):
    def __init__(
        self, passes: Any, shared: int, own: Any, rows: int, weights: Array | None
    ) -> None: ...

class Member:
    def __init__(
        self,
        fun: Source,
        derivatives: Derivatives,
        index: Index,
        exact: bool,
        label: str,
        priors: int = 0,
    ) -> None: ...
    index: Index
    label: str

class MemberGroups(Groups):
    def __init__(
        self, members: list[Member], shared: int, guard: Callable[..., Any] | None = None
    ) -> None: ...

# ---- arrow/errorsinx.pxi

class PointGroups(Groups):
    def __init__(
        self,
        arrow: ArrowLinear,
        t: Array,
        y: Array,
        weights: Array | None,
        roots: Array,
        with_y: Array | None,
        has_error: NDArray[np.uint8],
        n: int,
        model: CurveModel | None,
        function: Callable[..., Any] | None,
        derivatives: Callable[..., Any] | None,
    ) -> None: ...
    def true_points(self, x: Array) -> Array: ...

class PointLoop(ArrowLoop):
    compiled: bool
    def true_points(self) -> Array: ...
    def reduced(self) -> tuple[Array, NDArray[np.int32], Array, Array]: ...
