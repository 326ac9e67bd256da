"""Sparse matrices of scipy: the rows of a Jacobian, checked, and what a solve does with them."""

from typing import Any

import numpy as np

from lmoo._core.arrays import Array


def is_sparse(value: Any) -> bool:
    """Return whether value is a sparse matrix or array of scipy; scipy is not imported."""
    return hasattr(value, "tocsr") and hasattr(value, "nnz")


def sparse_module() -> Any:
    """Return ``scipy.sparse``; ImportError with what to install."""
    try:
        import scipy.sparse
    except ImportError as error:
        raise ImportError(
            "sparse Jacobians need scipy: install it by pip install 'lmoo[sparse]'"
        ) from error
    return scipy.sparse


def csr_rows(data: Array, columns: Any, first: Any, shape: tuple[int, int]) -> Any:
    """Return a csr_array of arrays that it may keep."""
    return sparse_module().csr_array((data, columns, first), shape=shape)


def as_rows(value: Any, shape: tuple[int, int], kept: Any = None) -> Any:
    """Return a Jacobian as a csr_array of float64, without entries that are there twice.

    Parameters
    ----------
    value : sparse matrix, sparse array or array_like
    shape : (int, int)
        The shape that it must have.
    kept : csr_array, optional
        An earlier one; its indices are used again if they are the same.

    Returns
    -------
    csr_array
        With memory of its own: the caller of the solver may change what it has returned.

    Raises
    ------
    TypeError
        It has another shape, or its entries are not real numbers.
    """
    sparse = sparse_module()
    expected = f"jacobian must return real numbers of shape {shape}"
    found = value if is_sparse(value) else np.asarray(value)
    if found.dtype.kind not in "biuf":
        raise TypeError(f"{expected}; it returned dtype {found.dtype}")
    if not is_sparse(found) and found.ndim == 1 and min(shape) == 1:
        found = found.reshape(shape)
    if found.shape != shape:
        hint = "; it is transposed" if found.shape == shape[::-1] else ""
        raise TypeError(f"{expected}; it returned shape {found.shape}{hint}")
    rows = sparse.csr_array(found)
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    data = np.array(rows.data, dtype=np.float64)
    if kept is not None and same_pattern(rows, kept):
        return sparse.csr_array((data, kept.indices, kept.indptr), shape=shape)
    outside = (rows.indices < 0) | (rows.indices >= shape[1])
    if outside.any():
        raise ValueError(
            f"jacobian must return column indices below {shape[1]}; one is "
            f"{rows.indices[outside][0]}"
        )
    return sparse.csr_array((data, rows.indices.copy(), rows.indptr.copy()), shape=shape)


def same_pattern(one: Any, other: Any) -> bool:
    """Return whether two csr_arrays store the same entries."""
    return np.array_equal(one.indptr, other.indptr) and np.array_equal(one.indices, other.indices)


def column_norms(rows: Any) -> Array:
    """Return the norms of the columns of a csr_array, without overflow of the squares, (n,)."""
    n = rows.shape[1]
    largest = np.zeros(n)
    with np.errstate(invalid="ignore"):
        np.maximum.at(largest, rows.indices, np.abs(rows.data))
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    with np.errstate(all="ignore"):
        squares = (rows.data / scale[rows.indices]) ** 2
        return scale * np.sqrt(np.bincount(rows.indices, squares, minlength=n))


def scaled_rows(rows: Any, factors: Array) -> Any:
    """Return a csr_array with each row multiplied by a factor, (m,)."""
    data = rows.data * np.repeat(factors, np.diff(rows.indptr))
    return csr_rows(data, rows.indices, rows.indptr, rows.shape)


def scaled_columns(rows: Any, factors: Array) -> Any:
    """Return a csr_array with each column multiplied by a factor, (n,); 0 times anything is 0."""
    by = factors[rows.indices]
    with np.errstate(invalid="ignore", over="ignore"):
        data = np.where(by == 0.0, 0.0, rows.data * by)
    return csr_rows(data, rows.indices, rows.indptr, rows.shape)
