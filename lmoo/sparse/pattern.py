"""The entries of a Jacobian that may be nonzero."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Index
from lmoo.sparse.coloring import group_columns
from lmoo.sparse.matrices import csr_rows, is_sparse


class Pattern:
    """The entries of a Jacobian that may be nonzero, column by column.

    Parameters
    ----------
    entries : (m, n) array_like or sparse matrix
        Not zero for an entry of the Jacobian that may be nonzero.

    Attributes
    ----------
    shape : (int, int)
    first : (n + 1,) intp array
        Column j has the rows ``rows[first[j]:first[j + 1]]``, in increasing order.
    rows : (entries,) intp array
    is_sparse : bool
        Whether it was given as a sparse matrix.

    Raises
    ------
    TypeError
        The entries are not booleans or real numbers.
    ValueError
        There are not two dimensions, or no columns; an entry is NaN; an index of a sparse matrix
        is outside of its shape.

    Examples
    --------
    >>> pattern = Pattern([[1, 0, 1], [0, 1, 1]])
    >>> pattern.rows.tolist(), [group.tolist() for group in pattern.groups]
    ([0, 1, 0, 1], [[2], [0, 1]])
    """

    def __init__(self, entries: Any) -> None:
        self.is_sparse = is_sparse(entries)
        rows, columns, values, self.shape = (_of_sparse if self.is_sparse else _of_dense)(entries)
        m, n = self.shape
        if n == 0 or m == 0:
            raise ValueError(f"pattern must have rows and columns; its shape is {self.shape}")
        if np.isnan(values).any():
            k = int(np.flatnonzero(np.isnan(values))[0])
            raise ValueError(f"pattern must not be NaN; its entry ({rows[k]}, {columns[k]}) is")
        keep = values != 0
        # Sorted by columns; an entry that is there twice counts once.
        places = np.unique(columns[keep].astype(np.int64) * m + rows[keep])
        self.rows: Index = (places % m).astype(np.intp)
        counts = np.bincount(places // m, minlength=n)
        self.first: Index = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)

    @cached_property
    def groups(self) -> list[Index]:
        """Groups of columns that share no row: they are differenced together."""
        return group_columns(self.first, self.rows, self.shape[0])

    @property
    def columns(self) -> Index:
        """The column of each entry."""
        return np.repeat(np.arange(self.shape[1]), np.diff(self.first))

    @cached_property
    def _by_rows(self) -> tuple[Index, Index, Index]:
        """The pattern row by row: order of the entries, their columns, and where rows begin."""
        order = np.argsort(self.rows, kind="stable")
        counts = np.bincount(self.rows, minlength=self.shape[0])
        return order, self.columns[order], np.concatenate([[0], np.cumsum(counts)])

    def matrix(self, data: NDArray[np.float64]) -> Any:
        """Return the sparse array with these values of the entries, (m, n), in rows."""
        order, columns, first = self._by_rows
        return csr_rows(data[order], columns, first, self.shape)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Pattern)
            and self.shape == other.shape
            and np.array_equal(self.first, other.first)
            and np.array_equal(self.rows, other.rows)
        )

    def __hash__(self) -> int:
        return hash((self.shape, self.rows.size))

    def __repr__(self) -> str:
        m, n = self.shape
        return f"<pattern of {self.rows.size} entries in {m} rows and {n} columns>"


def _of_sparse(entries: Any) -> tuple[Index, Index, NDArray[Any], tuple[int, int]]:
    """Return row, column and value of each stored entry, and the shape."""
    m, n = entries.shape
    found = entries.tocoo()
    values = np.asarray(found.data)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"pattern must be booleans or real numbers; its dtype is {values.dtype}")
    rows, columns = np.asarray(found.row), np.asarray(found.col)
    for name, index, size in (("row", rows, m), ("column", columns, n)):
        outside = (index < 0) | (index >= size)
        if outside.any():
            raise ValueError(
                f"pattern must have {name} indices below {size}; one is {index[outside][0]}"
            )
    return rows, columns, values, (int(m), int(n))


def _of_dense(entries: Any) -> tuple[Index, Index, NDArray[Any], tuple[int, int]]:
    """Return the same for an array."""
    try:
        array = np.asarray(entries)
    except ValueError as error:
        raise TypeError(f"pattern must be an array or a sparse matrix: {error}") from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"pattern must be booleans or real numbers; its dtype is {array.dtype}")
    if array.ndim != 2:
        raise ValueError(
            f"pattern must have two dimensions, residuals by parameters; its shape is {array.shape}"
        )
    rows, columns = np.nonzero(array)
    return rows, columns, array[rows, columns], (array.shape[0], array.shape[1])
