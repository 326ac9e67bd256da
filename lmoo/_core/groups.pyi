"""Solves of problems of groups, with the arrow linear model."""

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrow import ArrowLinear
from lmoo._core.curvemodel import CurveModel
from lmoo._core.derivatives import Derivatives
from lmoo._core.loop import Loop
from lmoo._core.residual import Source

Array = NDArray[np.float64]

class Groups:
    shared: int
    rows: int
    own: NDArray[np.intp]

class GroupSource(Source):
    def __init__(self, groups: Groups) -> None: ...

class GroupDerivatives(Derivatives):
    def __init__(self, groups: Groups) -> None: ...

class ArrowLoop(Loop):
    def factor(
        self,
    ) -> tuple[
        Array, NDArray[np.int32], NDArray[np.int32], Array, NDArray[np.int32], int, Array
    ]: ...

class CurveGroups(Groups):
    def __init__(
        self,
        model: CurveModel,
        t: Array,
        y: Array,
        weights: Array | None,
        shared: int,
        where: NDArray[np.intp],
        parts: int,
    ) -> None: ...
    def attach(self, arrow: ArrowLinear) -> None: ...

class Member:
    def __init__(
        self,
        fun: Source,
        derivatives: Derivatives,
        index: NDArray[np.intp],
        exact: bool,
        label: str,
    ) -> None: ...

class MemberGroups(Groups):
    def __init__(self, members: list[Member], shared: int) -> None: ...
