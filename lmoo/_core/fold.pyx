"""The triangle of a tall Jacobian, block of rows by block of rows: one pass through memory.

A cache-sized block [J_b | f_b] is folded into the running triangle by Householder reflections,

    [ R  q ]          [ R'  q' ]
    [      ]  =  H^T  [        ],          and then   R' P = Q R pivots the n x n triangle,
    [ J_b f_b ]       [ 0   .  ]

which is the QR factorisation of J and (Q^T f)[:n], as stable as on the whole (Demmel, Grigori,
Hoemmen, Langou 2012, "Communication-optimal parallel and sequential QR and LU factorizations",
SIAM J. Sci. Comput. 34).  The columns of R' have the norms of those of J.
"""

from libc.string cimport memcpy, memset

from lmoo._core.norms cimport column_norms
from lmoo._core.qr cimport put_diagonal, qrfac

cdef extern from "simd.h" nogil:
    enum:
        LMOO_LANES
    void lmoo_fold_block(ptrdiff_t rows, ptrdiff_t n, double *block, double *t, ptrdiff_t ldt)

cdef extern from "<assert.h>" nogil:
    void c_assert "assert"(bint)

cdef ptrdiff_t CACHE_BYTES = 262144     # of a second-level cache, for the block


cdef ptrdiff_t fold_block_rows(ptrdiff_t n) noexcept nogil:
    """Rows of a block for n columns; a function of n alone, so results do not depend on more."""
    # As many as amortise what is done once a block, and no more than fit the first-level cache
    # where n is small.  An odd multiple of the lanes: columns a power of two apart would compete
    # for the same lines of a cache.
    cdef ptrdiff_t rows = min(max(CACHE_BYTES // (8 * (n + 1)), 72), 264) // LMOO_LANES
    return (rows - (1 - rows % 2)) * LMOO_LANES


cdef size_t fold_work_bytes(ptrdiff_t n) noexcept nogil:
    """Bytes of work space that fold and pivot_triangle need for n columns."""
    return <size_t>(max(fold_block_rows(n), 3) * (n + 1)) * sizeof(double)


cdef void fold(ptrdiff_t m, ptrdiff_t n, const double *a, ptrdiff_t row_stride,
               ptrdiff_t column_stride, const double *f, double *t, double *work) noexcept nogil:
    """Fold m rows of [A | f] into the triangle t.

    a      entry (i, j) at a[i * row_stride + j * column_stride], read only
    f      m doubles, read only
    t      n x (n + 1), column-major: [R | q] on and above the diagonal, zeros to begin with
    work   fold_work_bytes(n), the caller's
    """
    cdef ptrdiff_t rows = fold_block_rows(n), start = 0, count, padded
    while start < m:
        count = min(rows, m - start)
        c_assert(count >= 1)
        padded = count + (LMOO_LANES - count % LMOO_LANES) % LMOO_LANES
        c_assert(padded % LMOO_LANES == 0 and count <= padded <= rows)
        _pack(count, n, a + start * row_stride, row_stride, column_stride, f + start, work, padded)
        lmoo_fold_block(padded, n, work, t, n)
        start += count


cdef void _pack(ptrdiff_t count, ptrdiff_t n, const double *a, ptrdiff_t row_stride,
                ptrdiff_t column_stride, const double *f, double *block,
                ptrdiff_t rows) noexcept nogil:
    """Copy count rows of [A | f] into a block of rows >= count rows, column-major, zero-padded."""
    cdef ptrdiff_t i = 0, j
    if row_stride == 1:
        for j in range(n):
            memcpy(block + j * rows, a + j * column_stride, <size_t>count * sizeof(double))
    else:
        # Eight rows at a time, so that a column's cache line is written whole before the next.
        while i + LMOO_LANES <= count:
            _transpose(LMOO_LANES, n, a + i * row_stride, row_stride, column_stride, block + i, rows)
            i += LMOO_LANES
        _transpose(count - i, n, a + i * row_stride, row_stride, column_stride, block + i, rows)
    memcpy(block + n * rows, f, <size_t>count * sizeof(double))
    for j in range(n + 1):
        for i in range(count, rows):
            block[i + j * rows] = 0.0


cdef inline void _transpose(ptrdiff_t count, ptrdiff_t n, const double *a, ptrdiff_t row_stride,
                            ptrdiff_t column_stride, double *block,
                            ptrdiff_t rows) noexcept nogil:
    """Some rows of a into the columns of the block."""
    cdef ptrdiff_t i, j
    for j in range(n):
        for i in range(count):
            block[i + j * rows] = a[i * row_stride + j * column_stride]


cdef void pivot_triangle(ptrdiff_t n, double *t, int *ipvt, double *acnorm, double *qtf,
                         double *work) noexcept nogil:
    """Bring the folded triangle into the form of qrfac: R' P = Q R, qtf = Q^T q.

    t      n x (n + 1) as fold left it; on return its first n columns hold R on and above the
           diagonal and zeros below
    ipvt, acnorm, qtf   n each, as in qrfac;  work: 3 n doubles
    """
    cdef ptrdiff_t j
    cdef double *rdiag = work
    cdef double *q = work + 2 * n
    for j in range(n):
        q[j] = t[j + n * n]
        memset(t + j * n + j + 1, 0, <size_t>(n - 1 - j) * sizeof(double))
    column_norms(n, n, t, n, acnorm)
    qrfac(n, n, t, n, ipvt, rdiag, acnorm, work + n, q, qtf)
    put_diagonal(n, t, n, rdiag)
    for j in range(n):
        memset(t + j * n + j + 1, 0, <size_t>(n - 1 - j) * sizeof(double))
