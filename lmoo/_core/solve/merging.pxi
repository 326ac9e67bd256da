"""Triangles of blocks of rows: folding a block into one, merging them."""


cdef int _fold(matrix, const double *root, const double *f, double fnorm, cnp.ndarray t,
               cnp.ndarray overlaps) except -1:
    """Fold [matrix | f] into t and add to the overlaps, see evaluate/overlaps.pxi.

    root: factors of the rows of the matrix, NULL for 1;  f: a number for each row
    """
    cdef const double[:, :] a = matrix
    cdef double *triangle = <double *>cnp.PyArray_DATA(t)
    cdef double *sums = <double *>cnp.PyArray_DATA(overlaps)
    cdef ptrdiff_t m = a.shape[0], n = a.shape[1]
    cdef ptrdiff_t row_stride = a.strides[0] // 8, column_stride = a.strides[1] // 8
    cdef double *work = <double *>malloc(fold_work_bytes(n))
    if work == NULL:
        raise MemoryError()
    with nogil:
        fold_with_overlaps(m, n, &a[0, 0], row_stride, column_stride, root, f, fnorm, triangle, work, sums)
    free(work)
    return 0


def merge_norms(norms):
    """Return the norm of a vector from those of its parts, without over- or underflow, in their order."""
    cdef const double[::1] parts = np.array(norms, dtype=np.float64)
    return enorm(parts.shape[0], &parts[0])


def merge_triangles(list triangles not None):
    """Return the triangle of the stacked rows of at least one triangle; the arguments are unchanged."""
    cdef cnp.ndarray t = np.array(triangles[0], dtype=np.float64, order="F"), right
    if len(triangles) > 1:
        rest = np.asfortranarray(np.concatenate(triangles[1:]))
        right = rest[:, -1]
        _fold(rest[:, :-1], NULL, <const double *>cnp.PyArray_DATA(right), 0.0, t, np.zeros(rest.shape[1] - 1))
    return t
