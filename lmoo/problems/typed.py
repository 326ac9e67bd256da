"""The types of options, for type checkers: bounds, relations of parameters, names of choices."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, SupportsFloat, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray


class SupportsBounds(Protocol):
    """Bounds as an object, such as ``scipy.optimize.Bounds``."""

    lb: Any
    ub: Any


class SupportsRows(Protocol):
    """A table, such as a data frame of pandas."""

    @property
    def index(self) -> Any:
        """The labels of the rows."""

    @property
    def columns(self) -> Any:
        """The labels of the columns."""

    @property
    def iloc(self) -> Any:
        """Rows by position."""


class SupportsResidual(Protocol):
    """A problem: an object with a method ``residual``."""

    @property
    def residual(self) -> Callable[..., Any]:
        """The residual as a function of x; of a `RowBlockProblem` also of a block."""


# Quantities and arrays of one number are numbers here; texts are not.
_End: TypeAlias = SupportsFloat | None
_Ends: TypeAlias = tuple[_End, _End] | list[Any] | NDArray[Any]
_Side: TypeAlias = SupportsFloat | Sequence[_End] | NDArray[Any] | None

Bounds: TypeAlias = (
    Mapping[str, _Ends]
    | Mapping[int, _Ends]
    | Mapping[str | int, _Ends]
    | tuple[_Side, _Side]
    | list[Any]
    | NDArray[Any]
    | SupportsBounds
    | SupportsRows
)
Fixed: TypeAlias = (
    Mapping[str, SupportsFloat]
    | Mapping[int, SupportsFloat]
    | Mapping[str | int, SupportsFloat]
    | Sequence[str]
    | Sequence[int]
    | Sequence[str | int]
)
Expressions: TypeAlias = Mapping[str, str]
Priors: TypeAlias = Mapping[
    str, tuple[SupportsFloat, SupportsFloat] | list[Any] | NDArray[np.float64]
]
# Texts, (A, b), (A, lower, upper), or an object with A, lb and ub.
Constraints: TypeAlias = str | Sequence[str | object] | object
Start: TypeAlias = ArrayLike | Mapping[str, Any]

LossName: TypeAlias = Literal["linear", "huber", "soft_l1", "cauchy", "arctan", "tukey"]
FScale: TypeAlias = float | Literal["mad"]
NanPolicy: TypeAlias = Literal["raise", "omit"]
Trace: TypeAlias = bool | Literal["auto"]
