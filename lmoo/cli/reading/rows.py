"""The rows of a table, in text or in arrays."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array, Mask


class Rows(ABC):
    """Base of rows of cells.

    Parameters
    ----------
    numbers : (m,) int array
        Numbers of the rows in the file, from 1.
    """

    # What the numbers count in the file.
    _counted: ClassVar[str]

    def __init__(self, numbers: NDArray[np.intp]) -> None:
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def place(self, row: int) -> str:
        """Return where a row is, such as ``line 3``."""
        return f"{self._counted} {self._numbers[row]}"

    def line(self, row: int) -> int:
        """Return the number of a row in the file, from 1."""
        return int(self._numbers[row])

    @property
    @abstractmethod
    def width(self) -> int:
        """Number of columns."""

    @abstractmethod
    def values(self, column: int) -> Array | None:
        """Return a column with NaN for missing values, or None if not all of it is numbers."""

    @abstractmethod
    def prepare(self, columns: Sequence[int]) -> None:
        """Read columns together if that takes less time."""

    @abstractmethod
    def cells(self, column: int) -> list[str]:
        """Return the cells of a column as text."""

    @abstractmethod
    def take(self, keep: Mask) -> "Rows":
        """Return some of the rows."""


class ArrayRows(Rows):
    """Rows of columns that are arrays already, as in files of Excel or FITS.

    Parameters
    ----------
    columns : sequence of array_like, each (m,)
        Numbers, or objects that are shown as text.

    Examples
    --------
    >>> from lmoo.cli.reading.rows import ArrayRows
    >>> rows = ArrayRows([[1, 2], ["a", "b"]])
    >>> rows.values(0), rows.values(1), rows.cells(1)
    (array([1., 2.]), None, ['a', 'b'])
    """

    _counted = "row"

    def __init__(self, columns: Sequence[object], numbers: NDArray[np.intp] | None = None) -> None:
        self._columns = [np.asarray(column) for column in columns]
        super().__init__(np.arange(1, len(self._columns[0]) + 1) if numbers is None else numbers)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self._columns)

    def values(self, column: int) -> Array | None:
        """Return a column of numbers, or None."""
        values = self._columns[column]
        if values.ndim != 1 or values.dtype.kind not in "iufb":
            return None
        return values.astype(np.float64)

    def prepare(self, columns: Sequence[int]) -> None:
        """Do nothing: columns are arrays already."""

    def cells(self, column: int) -> list[str]:
        """Return the cells of a column as text."""
        return [_shown(value) for value in self._columns[column]]

    def take(self, keep: Mask) -> "ArrayRows":
        """Return some of the rows."""
        return ArrayRows([column[keep] for column in self._columns], self._numbers[keep])


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    if isinstance(value, np.datetime64):
        return "" if np.isnat(value) else str(np.datetime_as_string(value))
    return "" if value is None else str(value).strip()
