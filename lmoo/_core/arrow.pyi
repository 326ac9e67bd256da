"""The arrow linear model, and solves with it: joint fits, errors in x."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.batch import CurveModel
from lmoo._core.solve import Derivatives, LinearTable, Loop, Source

_Array = NDArray[np.float64]

# ---- arrow/linear.pxi

class ArrowLinear(LinearTable):
    n: int
    shared: int
    groups: int
    parts: int
    scattered: bool
    span: NDArray[np.intp] | None
    columns: NDArray[np.int32] | None
    def __init__(self, shared: int, own: Any, touched: tuple[Any, Any] | None = None) -> None: ...
    def factor(
        self, error: float, active: NDArray[np.int32] | None
    ) -> tuple[
        _Array, NDArray[np.int32], NDArray[np.int32], _Array, NDArray[np.int32], int, _Array
    ]: ...
    def dense_factor(
        self, error: float, active: NDArray[np.int32] | None
    ) -> tuple[_Array, NDArray[np.int32], _Array]: ...
    def begin(self) -> None: ...
    def fill(self, jac: _Array, f: _Array) -> bool: ...
    def fill_groups(self, blocks: list[_Array]) -> None: ...
    def leave_out(self, active: NDArray[np.int32]) -> None: ...
    def truncate(self, column_error: _Array, fnorm: float) -> tuple[int, float, float]: ...
    def gradient(self, p: _Array | None, fnorm: float) -> _Array: ...
    def predict(self, p: _Array, everything: bool, fnorm: float) -> tuple[float, float]: ...
    def gram(self, v: _Array) -> _Array: ...
    def damped(self, par: float, diag: _Array) -> _Array: ...
    def damped_on_face(
        self, active: NDArray[np.int32], moved: _Array, par: float, diag: _Array
    ) -> _Array: ...
    def solve(self, par: float, diag: _Array, g: _Array) -> _Array | None: ...
    def triangle(self) -> tuple[_Array, NDArray[np.int32], _Array]: ...

# ---- arrow/statistics.pxi

def arrow_statistics(
    first: NDArray[np.intp],
    span: NDArray[np.intp] | None,
    columns: NDArray[np.int32] | None,
    blocks: _Array,
    order: NDArray[np.int32],
    rank: NDArray[np.int32],
    t: _Array,
    torder: NDArray[np.int32],
    trank: int,
    norms: _Array,
    excluded: NDArray[np.uint8],
    limit: float,
) -> tuple[_Array, _Array, _Array, NDArray[np.uint8]]: ...
def arrow_variances(
    first: NDArray[np.intp],
    span: NDArray[np.intp] | None,
    columns: NDArray[np.int32] | None,
    lift: _Array,
    gram: _Array,
    covariance: _Array,
) -> _Array: ...
def arrow_blocks(
    first: NDArray[np.intp],
    lift: _Array,
    gram: _Array,
    covariance: _Array,
    unit: _Array,
    undetermined: NDArray[np.uint8],
    where: NDArray[np.intp],
) -> _Array: ...
def arrow_lifted(
    first: NDArray[np.intp],
    span: NDArray[np.intp] | None,
    columns: NDArray[np.int32] | None,
    lift: _Array,
    v: _Array,
) -> _Array: ...

# ---- arrow/groups.pxi

class Groups:
    shared: int
    rows: int
    own: NDArray[np.intp]
    touched: tuple[NDArray[np.intp], NDArray[np.intp]] | None
    @property
    def differenced(self) -> int: ...
    @property
    def refusal(self) -> BaseException | None: ...

class GroupSource(Source):
    def __init__(self, groups: Groups) -> None: ...

class GroupDerivatives(Derivatives):
    def __init__(self, groups: Groups) -> None: ...

class ArrowLoop(Loop):
    @property
    def touched(self) -> tuple[NDArray[np.intp] | None, NDArray[np.int32] | None]: ...
    def factor(
        self,
    ) -> tuple[
        _Array, NDArray[np.int32], NDArray[np.int32], _Array, NDArray[np.int32], int, _Array
    ]: ...
    def dense_factor(self) -> tuple[_Array, NDArray[np.int32], _Array]: ...

class CurveGroups(Groups):
    def __init__(
        self,
        model: CurveModel,
        t: _Array,
        y: _Array,
        weights: _Array | None,
        shared: int,
        where: NDArray[np.intp],
        parts: int,
    ) -> None: ...
    def attach(self, arrow: ArrowLinear) -> None: ...
    def rows_at(self, x: _Array) -> _Array | None: ...
    def factor_at(
        self, x: _Array, f: _Array, root: _Array | None
    ) -> tuple[_Array, NDArray[np.int32], NDArray[np.int32], _Array, _Array] | None: ...

class RemoteGroups(Groups):
    def __init__(
        self, passes: Any, shared: int, own: Any, rows: int, weights: _Array | None
    ) -> None: ...

class Member:
    def __init__(
        self,
        fun: Source,
        derivatives: Derivatives,
        index: NDArray[np.intp],
        exact: bool,
        label: str,
        priors: int = 0,
    ) -> None: ...
    @property
    def index(self) -> NDArray[np.intp]: ...
    @property
    def label(self) -> str: ...

class MemberGroups(Groups):
    def __init__(
        self, members: list[Member], shared: int, guard: Callable[..., Any] | None = None
    ) -> None: ...

# ---- arrow/errorsinx.pxi

class PointGroups(Groups):
    def __init__(
        self,
        arrow: ArrowLinear,
        t: _Array,
        y: _Array,
        weights: _Array | None,
        roots: _Array,
        with_y: _Array | None,
        has_error: NDArray[np.uint8],
        n: int,
        model: CurveModel | None,
        function: Callable[..., Any] | None,
        derivatives: Callable[..., Any] | None,
    ) -> None: ...
    def true_points(self, x: _Array) -> _Array: ...

class PointLoop(ArrowLoop):
    @property
    def compiled(self) -> bool: ...
    def true_points(self) -> _Array: ...
    def reduced(self) -> tuple[_Array, NDArray[np.int32], _Array, _Array]: ...
