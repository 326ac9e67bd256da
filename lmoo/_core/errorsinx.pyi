"""Errors in x: orthogonal distance regression, with the arrow linear model."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrow import ArrowLinear
from lmoo._core.curvemodel import CurveModel
from lmoo._core.groups import ArrowLoop, Groups

Array = NDArray[np.float64]

class PointGroups(Groups):
    def __init__(
        self,
        arrow: ArrowLinear,
        t: Array,
        y: Array,
        weights: Array | None,
        roots: Array,
        has_error: NDArray[np.uint8],
        n: int,
        model: CurveModel | None,
        function: Callable[..., Any] | None,
        derivatives: Callable[..., Any] | None,
    ) -> None: ...
    def true_points(self, x: Array) -> Array: ...

class PointLoop(ArrowLoop):
    @property
    def compiled(self) -> bool: ...
    def true_points(self) -> Array: ...
    def reduced(self) -> tuple[Array, NDArray[np.int32], Array, Array]: ...
