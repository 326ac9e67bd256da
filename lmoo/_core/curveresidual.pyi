from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.residual import Residual

class CurveResidual(Residual):
    def bind(
        self,
        t: Any,
        y: NDArray[np.float64],
        w: NDArray[np.float64] | None,
        weighted: Callable[[Any], Any],
    ) -> CurveResidual: ...
