from typing import Any

import numpy as np
from numpy.typing import NDArray

TABLE_OF: dict[str, Any]

def exp(v: NDArray[np.float64]) -> None: ...
