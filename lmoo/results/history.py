"""The iterations of a solve, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class History:
    """The k iterations of a solve: the fields of `IterationRecord` as arrays.

    Attributes
    ----------
    iteration : (k,) int64 array
    x : (k, n) float64 array
        The current point after each iteration.
    cost, delta, lambda_ : (k,) float64 array
    gradient : (k, n) float64 array
    optimality, ratio : (k,) float64 array
    accepted : (k,) bool array
    nfev, njev : (k,) int64 array

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> problem = lmoo.FunctionProblem(lambda x: x**2 - 9.0)
    >>> history = lmoo.Solver().solve(problem, [10.0], history=True).history
    >>> history.x.shape == (len(history), 1), bool(np.all(np.diff(history.cost) <= 0))
    (True, True)
    """

    iteration: NDArray[np.int64]
    x: NDArray[np.float64]
    cost: NDArray[np.float64]
    delta: NDArray[np.float64]
    lambda_: NDArray[np.float64]
    gradient: NDArray[np.float64]
    optimality: NDArray[np.float64]
    ratio: NDArray[np.float64]
    accepted: NDArray[np.bool_]
    nfev: NDArray[np.int64]
    njev: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.iteration)

    @classmethod
    def of(cls, records: Sequence[Any], n: int) -> "History":
        """Return the history of a list of `IterationRecord` of n parameters."""
        columns: dict[str, Any] = {}
        for field in fields(cls):
            shape = (len(records), n) if field.name in ("x", "gradient") else (len(records),)
            kind = {"iteration": np.int64, "nfev": np.int64, "njev": np.int64, "accepted": np.bool_}
            values = [getattr(record, field.name) for record in records]
            columns[field.name] = np.array(values, kind.get(field.name, np.float64)).reshape(shape)
        return cls(**columns)
