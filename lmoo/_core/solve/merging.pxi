"""Triangles of blocks of rows: folding a block into one, merging them."""


cdef int _fold(matrix, cnp.ndarray f, cnp.ndarray t) except -1:
    """Fold [matrix | f] into t."""
    cdef const double[:, :] a = matrix
    cdef const double *right = <const double *>cnp.PyArray_DATA(f)
    cdef double *triangle = <double *>cnp.PyArray_DATA(t)
    cdef ptrdiff_t m = a.shape[0], n = a.shape[1]
    cdef ptrdiff_t row_stride = a.strides[0] // 8, column_stride = a.strides[1] // 8
    cdef double *work = <double *>malloc(fold_work_bytes(n))
    if work == NULL:
        raise MemoryError()
    with nogil:
        fold(m, n, &a[0, 0], row_stride, column_stride, right, triangle, work)
    free(work)
    return 0


def merge_norms(norms):
    """Return the norm of a vector from those of its parts, without over- or underflow, in their order."""
    cdef const double[::1] parts = np.array(norms, dtype=np.float64)
    return enorm(parts.shape[0], &parts[0])


def merge_triangles(list triangles not None):
    """Return the triangle of the stacked rows of at least one triangle; the arguments are unchanged."""
    cdef cnp.ndarray t = np.array(triangles[0], dtype=np.float64, order="F")
    if len(triangles) > 1:
        rest = np.asfortranarray(np.concatenate(triangles[1:]))
        _fold(rest[:, :-1], rest[:, -1], t)
    return t
