"""The kernels as Python functions on arrays, for tests and for those who study them."""


import numpy as np

from lmoo._core.linalg cimport inverse_gram
from lmoo._core.fold cimport (
    fold_block_rows, fold_part, fold_parts, fold_parts_bytes, merge_parts, pivot_triangle,
)
from lmoo._core.linalg cimport lmpar as c_lmpar
from lmoo._core.norms cimport column_norms, enorm as c_enorm
from lmoo._core.linalg cimport put_diagonal, qrfac as c_qrfac, qrsolv as c_qrsolv
from lmoo._core.evaluate cimport run_in_threads


def enorm(const double[::1] x not None):
    """Euclidean norm of x, which neither overflows nor underflows."""
    return c_enorm(x.shape[0], &x[0]) if x.shape[0] else 0.0


cdef object _matrix(value, str order):
    """Return value as a float64 matrix with at least as many rows as columns, and one column."""
    return _checked(np.array(value, dtype=np.float64, order=order))


cdef object _checked(matrix):
    """The matrix, if it is one with at least as many rows as columns, and one column."""
    if matrix.ndim != 2 or not matrix.shape[0] >= matrix.shape[1] >= 1:
        raise ValueError("a must be a matrix with at least as many rows as columns, and one "
                         f"column; its shape is {matrix.shape}")
    return matrix


cdef double[::1] _vector(value, ptrdiff_t n, str name):
    vector = np.array(value, dtype=np.float64)
    if vector.shape != (n,):
        raise ValueError(f"{name} must have shape ({n},); it has {vector.shape}")
    return vector


def qrfac(a, f=None):
    """QR factorisation with column pivoting of a, (m, n) with m >= n.

    Returns
    -------
    fjac : (m, n) array, Fortran-ordered: R on and above the diagonal, Householder vectors below
    ipvt : (n,) int32 array, ``a[:, ipvt] = Q R``
    acnorm : (n,) array, the norms of the columns of a
    qtf : (n,) array, ``(Q^T f)[:n]``; zeros without f
    """
    cdef double[::1, :] fjac = _matrix(a, "F")
    cdef ptrdiff_t m = fjac.shape[0], n = fjac.shape[1]
    cdef double[::1] wa = np.zeros(m) if f is None else _vector(f, m, "f")
    cdef int[::1] ipvt = np.empty(n, dtype=np.int32)
    cdef double[::1] rdiag = np.empty(n)
    cdef double[::1] acnorm = np.empty(n)
    cdef double[::1] work = np.empty(n)
    cdef double[::1] qtf = np.empty(n)
    column_norms(m, n, &fjac[0, 0], m, &acnorm[0])
    c_qrfac(m, n, &fjac[0, 0], m, &ipvt[0], &rdiag[0], &acnorm[0], &work[0], &wa[0], &qtf[0])
    put_diagonal(n, &fjac[0, 0], m, &rdiag[0])
    return np.asarray(fjac), np.asarray(ipvt), np.asarray(acnorm), np.asarray(qtf)


cdef struct rows_to_fold:
    ptrdiff_t m, n, row_stride, column_stride
    const double *a
    const double *f
    double *memory


cdef void _fold_part(ptrdiff_t p, void *context) noexcept nogil:
    cdef const rows_to_fold *w = <const rows_to_fold *>context
    fold_part(p, w.m, w.n, w.a, w.row_stride, w.column_stride, w.f, w.memory)


def fold(a, f):
    """The same model by the fold, in parts and by threads: (R, ipvt, acnorm, qtf), R (n, n)."""
    matrix, right = np.asarray(a, dtype=np.float64), np.asarray(f, dtype=np.float64)
    # A large one is not to be copied but where its rows are no whole number of doubles apart.
    if any(stride % 8 for stride in matrix.strides):
        matrix = matrix.copy()
    cdef const double[:, :] rows = _checked(matrix)
    cdef ptrdiff_t m = rows.shape[0], n = rows.shape[1]
    if right.shape != (m,):
        raise ValueError(f"f must have shape ({m},); it has {right.shape}")
    cdef const double[::1] vector = np.ascontiguousarray(right)
    cdef double[::1] memory = np.empty(fold_parts_bytes(m, n) // sizeof(double))
    cdef int[::1] ipvt = np.empty(n, dtype=np.int32)
    cdef double[::1] acnorm = np.empty(n)
    cdef double[::1] qtf = np.empty(n)
    cdef rows_to_fold work
    work.m, work.n, work.a, work.f, work.memory = m, n, &rows[0, 0], &vector[0], &memory[0]
    work.row_stride, work.column_stride = rows.strides[0] // 8, rows.strides[1] // 8
    run_in_threads(_fold_part, fold_parts(m, n), &work)
    with nogil:
        merge_parts(m, n, &memory[0])
        pivot_triangle(n, &memory[0], &ipvt[0], &acnorm[0], &qtf[0], &memory[n * n + n])
    r = np.asarray(memory)[:n * n].reshape(n, n).T.copy()
    return r, np.asarray(ipvt), np.asarray(acnorm), np.asarray(qtf)


cdef tuple _factor(r, ipvt):
    """R as the kernels want it, with room below the diagonal, and the permutation."""
    matrix = np.array(r, dtype=np.float64, order="F")
    permutation = np.asarray(ipvt)
    n = permutation.size
    if matrix.shape != (n, n) or n == 0:
        raise ValueError(f"r must be n x n for the n entries of ipvt; its shape is {matrix.shape}, "
                         f"n is {n}")
    if permutation.dtype.kind not in "iu" or sorted(permutation) != list(range(n)):
        raise ValueError(f"ipvt must be a permutation of range({n}); it is {ipvt!r}")
    return matrix, np.ascontiguousarray(permutation, dtype=np.int32)


def qrsolv(r, ipvt, diag, qtb):
    """Solve min |A x - b|^2 + |D x|^2 from A P = Q R; returns x."""
    matrix, permutation = _factor(r, ipvt)
    cdef double[::1, :] rr = matrix
    cdef int[::1] p = permutation
    cdef ptrdiff_t n = p.shape[0]
    cdef double[::1] d = _vector(diag, n, "diag"), q = _vector(qtb, n, "qtb")
    cdef double[::1] x = np.empty(n), sdiag = np.empty(n), wa = np.empty(n)
    c_qrsolv(n, &rr[0, 0], n, &p[0], &d[0], &q[0], &x[0], &sdiag[0], &wa[0])
    return np.asarray(x)


def lmpar(r, ipvt, diag, qtb, double delta, double par=0.0):
    """The Levenberg-Marquardt parameter and step for radius delta; returns (par, x)."""
    matrix, permutation = _factor(r, ipvt)
    cdef double[::1, :] rr = matrix
    cdef int[::1] p = permutation
    cdef ptrdiff_t n = p.shape[0]
    cdef double[::1] d = _vector(diag, n, "diag"), q = _vector(qtb, n, "qtb")
    cdef double[::1] x = np.empty(n), sdiag = np.empty(n), wa1 = np.empty(n), wa2 = np.empty(n)
    if not delta > 0.0 or not par >= 0.0:
        raise ValueError(f"delta must be positive and par not negative; they are {delta}, {par}")
    par = c_lmpar(n, &rr[0, 0], n, &p[0], &d[0], &q[0], delta, par, &x[0], &sdiag[0],
                  &wa1[0], &wa2[0])
    return par, np.asarray(x)


def covariance(r, ipvt):
    """(J^T J)^-1 from the factor of J; None where R is singular."""
    matrix, permutation = _factor(r, ipvt)
    cdef double[::1, :] rr = matrix
    cdef int[::1] p = permutation
    cdef ptrdiff_t n = p.shape[0]
    cdef double[:, ::1] work = np.empty((n, n)), out = np.empty((n, n))
    if inverse_gram(n, &rr[0, 0], &p[0], &work[0, 0], &out[0, 0]):
        return None
    return np.asarray(out)


def block_rows(ptrdiff_t n):
    """Rows of a block of the fold for n columns, n >= 1."""
    if n < 1:
        raise ValueError(f"n must be at least 1; it is {n}")
    return fold_block_rows(n)
