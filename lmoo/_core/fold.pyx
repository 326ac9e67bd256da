"""The triangle of a tall Jacobian from blocks of rows, in one pass through memory.

A cache-sized block [J_b | f_b] is folded into the running triangle by Householder reflections,

   [ R  q ]          [ R'  q' ]
   [      ]  =  H^T  [        ],          and then   R' P = Q R pivots the n x n triangle,
   [ J_b f_b ]       [ 0   .  ]

which is the QR factorisation of J and (Q^T f)[:n], as stable as that of the whole matrix (Demmel, Grigori,
Hoemmen, Langou 2012, "Communication-optimal parallel and sequential QR and LU factorizations",
SIAM J. Sci. Comput. 34).  The columns of R' have the norms of those of J.

Many rows are folded in parts, each into its own triangle, and the triangles are merged in a fixed tree.  The parts are
distributed among threads.  As neither the parts nor the tree depend on the number of threads, the results do not
either.
"""

from libc.string cimport memcpy, memset

from lmoo._core.norms cimport column_norms
from lmoo._core.linalg cimport put_diagonal, qrfac_in_lanes

cdef extern from "fold/simd.h" nogil:
    enum:
        LMOO_LANES
    void lmoo_fold_block(ptrdiff_t rows, ptrdiff_t n, double *block, double *t, ptrdiff_t ldt,
                         const double *next, const double *end)

cdef extern from "<assert.h>" nogil:
    void c_assert "assert"(bint)

cdef enum:
    MOST_PARTS = 16

cdef ptrdiff_t CACHE_BYTES = 262144     # of a second-level cache, for the block


cdef ptrdiff_t fold_block_rows(ptrdiff_t n) noexcept nogil:
    """Return the rows of a block for n columns; they depend on n only, so that the results are reproducible."""
    # Enough rows for the work per block to be negligible, and few enough for the first-level cache if n is small.  An
    # odd multiple of the lanes: columns at a distance of a power of two would compete for the same lines of a cache.
    cdef ptrdiff_t rows = min(max(CACHE_BYTES // (8 * (n + 1)), 72), 264) // LMOO_LANES
    return (rows - (1 - rows % 2)) * LMOO_LANES


cdef ptrdiff_t fold_parts(ptrdiff_t m, ptrdiff_t n) noexcept nogil:
    """Return the number of parts, a power of two, for m rows of n columns."""
    cdef ptrdiff_t parts = 1
    # Parts are so long that merging two triangles is negligible compared with folding them.
    while parts < MOST_PARTS and m // (2 * parts) >= max(16 * n, 4096):
        parts *= 2
    return parts


cdef inline size_t _part_doubles(ptrdiff_t n) noexcept nogil:
    return <size_t>(n * n + n) + fold_work_bytes(n) // sizeof(double)


cdef size_t fold_parts_bytes(ptrdiff_t m, ptrdiff_t n) noexcept nogil:
    """Return the bytes of memory for all parts: their triangles, each with its work space."""
    return <size_t>fold_parts(m, n) * _part_doubles(n) * sizeof(double)


cdef ptrdiff_t fold_part_begin(ptrdiff_t p, ptrdiff_t m, ptrdiff_t n) noexcept nogil:
    """Return the first row of part p; m for p = fold_parts(m, n)."""
    return m * p // fold_parts(m, n)


cdef double *fold_begin_part(ptrdiff_t p, ptrdiff_t n, double *memory) noexcept nogil:
    """Return the triangle of part p, set to zero, which is followed by its work space; memory: as for fold_part."""
    cdef double *t = memory + <size_t>p * _part_doubles(n)
    memset(t, 0, <size_t>(n * n + n) * sizeof(double))
    return t


cdef void fold_part(ptrdiff_t p, ptrdiff_t m, ptrdiff_t n, const double *a, ptrdiff_t row_stride,
                    ptrdiff_t column_stride, const double *f, double *memory) noexcept nogil:
    """Fold the rows of part p of m; a, f as in fold, all m rows of them.

    memory   fold_parts_bytes(m, n), owned by the caller, with separate memory for each part: parts can
             be folded at the same time
    """
    cdef ptrdiff_t start = fold_part_begin(p, m, n), end = fold_part_begin(p + 1, m, n)
    cdef double *t = fold_begin_part(p, n, memory)
    fold(end - start, n, a + start * row_stride, row_stride, column_stride, f + start, t,
         t + n * n + n)


cdef void merge_parts(ptrdiff_t m, ptrdiff_t n, double *memory) noexcept nogil:
    """Merge the triangles of the parts in pairs, pairs of pairs and so on; the result is at memory."""
    cdef ptrdiff_t parts = fold_parts(m, n), p, distance = 1
    cdef double *t
    while distance < parts:
        for p in range(parts // (2 * distance)):
            t = memory + <size_t>(2 * p * distance) * _part_doubles(n)
            merge(n, t + <size_t>distance * _part_doubles(n), t, t + n * n + n)
        distance *= 2


cdef void merge(ptrdiff_t n, const double *other, double *t, double *work) noexcept nogil:
    """Fold one triangle into another: the triangle of all their rows.

    other   n x (n + 1), column-major, result of fold, read only; entries below the diagonal are ignored
    t       the same, updated;  work: fold_work_bytes(n), owned by the caller
    """
    cdef ptrdiff_t rows = fold_block_rows(n), start = 0, count, padded, i, j
    cdef double *column
    work = _aligned(work)
    while start < n:
        # The rows from start on are zero in the columns before start.
        count = min(rows, n - start)
        padded = count + (LMOO_LANES - count % LMOO_LANES) % LMOO_LANES
        for j in range(start, n + 1):
            column = work + (j - start) * padded
            for i in range(padded):
                column[i] = other[start + i + j * n] if i < count and start + i <= j else 0.0
        lmoo_fold_block(padded, n - start, work, t + start + start * n, n, NULL, NULL)
        start += count


cdef size_t fold_work_bytes(ptrdiff_t n) noexcept nogil:
    """Return the bytes of work space that fold and pivot_triangle need for n columns."""
    return <size_t>(max(fold_block_rows(n), 3) * (n + 1) + LMOO_LANES) * sizeof(double)


cdef inline double *_aligned(double *work) noexcept nogil:
    """Return the first aligned vector in the work space: a vector that straddles two cache lines costs two loads."""
    cdef size_t line = LMOO_LANES * sizeof(double)
    return <double *>((<size_t>work + line - 1) // line * line)


cdef void fold(ptrdiff_t m, ptrdiff_t n, const double *a, ptrdiff_t row_stride,
               ptrdiff_t column_stride, const double *f, double *t, double *work) noexcept nogil:
    """Fold m rows of [A | f] into the triangle t.

    a      entry (i, j) at a[i * row_stride + j * column_stride], read only
    f      m doubles, read only
    t      n x (n + 1), column-major: [R | q] on and above the diagonal, zeros to begin with
    work   fold_work_bytes(n), owned by the caller
    """
    fold_scaled(m, n, a, row_stride, column_stride, NULL, f, t, work)


cdef void fold_scaled(ptrdiff_t m, ptrdiff_t n, const double *a, ptrdiff_t row_stride, ptrdiff_t column_stride,
                      const double *root, const double *f, double *t, double *work) noexcept nogil:
    """Fold [diag(root) A | f] into the triangle t; root: m doubles, read only, NULL for 1."""
    cdef ptrdiff_t rows = fold_block_rows(n), start = 0, count, padded
    cdef const double *next
    cdef const double *end
    work = _aligned(work)
    while start < m:
        count = min(rows, m - start)
        c_assert(count >= 1)
        padded = count + (LMOO_LANES - count % LMOO_LANES) % LMOO_LANES
        c_assert(padded % LMOO_LANES == 0 and count <= padded <= rows)
        _pack(count, n, a + start * row_stride, row_stride, column_stride, f + start, work, padded)
        if root != NULL:
            _scale(count, n, root + start, work, padded)
        start += count
        next = end = NULL
        # Only contiguous rows can be prefetched.
        if column_stride == 1 and row_stride == n:
            next = a + start * n
            end = a + min(start + rows, m) * n
        lmoo_fold_block(padded, n, work, t, n, next, end)


cdef void _pack(ptrdiff_t count, ptrdiff_t n, const double *a, ptrdiff_t row_stride,
                ptrdiff_t column_stride, const double *f, double *block,
                ptrdiff_t rows) noexcept nogil:
    """Copy count rows of [A | f] into a block of rows >= count rows, column-major, zero-padded."""
    cdef ptrdiff_t i = 0, j
    if row_stride == 1:
        for j in range(n):
            memcpy(block + j * rows, a + j * column_stride, <size_t>count * sizeof(double))
    else:
        # Eight rows at a time, so that each cache line of a column is written completely at once.
        while i + LMOO_LANES <= count:
            _transpose(LMOO_LANES, n, a + i * row_stride, row_stride, column_stride, block + i, rows)
            i += LMOO_LANES
        _transpose(count - i, n, a + i * row_stride, row_stride, column_stride, block + i, rows)
    memcpy(block + n * rows, f, <size_t>count * sizeof(double))
    for j in range(n + 1):
        for i in range(count, rows):
            block[i + j * rows] = 0.0


cdef void _scale(ptrdiff_t count, ptrdiff_t n, const double *root, double *block, ptrdiff_t rows) noexcept nogil:
    """Multiply count rows of a block, which is in the cache, by their factors."""
    cdef ptrdiff_t i, j
    for j in range(n):
        for i in range(count):
            block[i + j * rows] *= root[i]


cdef inline void _transpose(ptrdiff_t count, ptrdiff_t n, const double *a, ptrdiff_t row_stride,
                            ptrdiff_t column_stride, double *block,
                            ptrdiff_t rows) noexcept nogil:
    """Copy count rows of a into the columns of the block."""
    cdef ptrdiff_t i, j
    for j in range(n):
        for i in range(count):
            block[i + j * rows] = a[i * row_stride + j * column_stride]


cdef void pivot_triangle(ptrdiff_t n, double *t, int *ipvt, double *acnorm, double *qtf,
                         double *work) noexcept nogil:
    """Convert the folded triangle to the form of qrfac: R' P = Q R, qtf = Q^T q.

    t      n x (n + 1), result of fold; on return its first n columns contain R on and above the
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
    qrfac_in_lanes(n, n, t, n, ipvt, rdiag, acnorm, work + n, q, qtf)
    put_diagonal(n, t, n, rdiag)
    for j in range(n):
        memset(t + j * n + j + 1, 0, <size_t>(n - 1 - j) * sizeof(double))
