"""Parts of the error of a column that can be in its row of R.

The errors of a column are those of its entries, in proportion to the sizes of the rows of J.  Its row of R is q^T J,
with a column q = J P R^-1 e_k of Q: a row of J that weighs much more than others determines the first rows of R, and
has almost no part in q.  At most the share

   sum_i |q_i| size_i          size_i = max_j |J_ij| / D_j

of the error counts.  Shares are computed for the rows of R that would be truncated for the error of a whole column.
As D, the sizes never decrease: a row that vanishes at a minimum is still as uncertain as it was.

Of a problem in blocks of rows, R is known only after the last block.  If it would be truncated, a second pass gives the
triangle S of the rows of J times their sizes, and later Jacobians give it in the same pass; then

   sum_i |q_i| size_i <= m^(1/2) |S P R^-1 e_k|.
"""

from libc.math cimport fabs, sqrt
from libc.string cimport memset

from lmoo._core.linalg cimport DENSE, dense_all, dense_share, lm_triangle
from lmoo._core.model cimport *
from lmoo._core.norms cimport enorm


cdef bint has_doubtful_rows(const lm_state *s) noexcept nogil:
    """Return whether the last row of the dense R would be truncated for the error of its whole column."""
    return s.linear == &DENSE and s.options.tests == LM_TESTS_ACCURATE and _is_doubtful(s, dense_all(s), s.n - 1)


cdef bint wants_shares(const lm_state *s) noexcept nogil:
    """Return whether a share can be less than 1 for a row of the dense R."""
    cdef const lm_triangle *t
    cdef ptrdiff_t k = s.n - 1
    if not has_doubtful_rows(s):
        return False
    t = dense_all(s)
    while k >= 0 and _is_doubtful(s, t, k):
        if _has_share(s, t, k):
            return True
        k -= 1
    return False


cdef inline bint _is_doubtful(const lm_state *s, const lm_triangle *t, ptrdiff_t k) noexcept nogil:
    return fabs(t.r[k + k * s.n]) <= s.column_error[t.ipvt[k]] * s.acnorm[t.ipvt[k]]


cdef inline bint _has_share(const lm_state *s, const lm_triangle *t, ptrdiff_t k) noexcept nogil:
    """Return whether a doubtful row of R is neither zero nor all error, and its column is one of differences."""
    cdef ptrdiff_t j = t.ipvt[k]
    return s.interval[j] > 0.0 and s.column_error[j] < 1.0 and t.r[k + k * s.n] != 0.0


cdef inline void remember_rows(lm_driver *d, const double *acnorm) noexcept nogil:
    """Increase d.row_sizes, the largest size of each row so far.  acnorm: n, the norms of the columns."""
    # Only differences have errors that truncate R.
    if not (d.streams or d.s.options.tests == LM_TESTS_MINPACK) and (d.s.models == 0 or _has_intervals(d.s)):
        _enlarge_rows(d, acnorm)


cdef inline bint _has_intervals(const lm_state *s) noexcept nogil:
    """Return whether a column of J is one of differences."""
    cdef ptrdiff_t j
    for j in range(s.n):
        if s.interval[j] != 0.0:
            return True
    return False


cdef void _enlarge_rows(lm_driver *d, const double *acnorm) noexcept nogil:
    cdef const lm_state *s = d.s
    cdef const lmoo_point *at = &d.point
    cdef const double *rows = at.rows if at.rows != NULL else d.fjac
    cdef ptrdiff_t down = at.row_stride if at.rows != NULL else 1
    cdef ptrdiff_t across = at.column_stride if at.rows != NULL else d.m
    cdef double size
    cdef ptrdiff_t i, j
    if s.models == 0:
        memset(d.row_sizes, 0, <size_t>d.m * sizeof(double))
    for j in range(d.n):
        if acnorm[j] == 0.0 or s.interval[j] == 0.0:
            continue
        size = 1.0 / max(s.diag[j], acnorm[j])
        if down == 1:
            _enlarge(d.m, rows + j * across, size, d.row_sizes)
            continue
        for i in range(d.m):
            d.row_sizes[i] = max(d.row_sizes[i], fabs(rows[i * down + j * across]) * size)


cdef inline void _enlarge(ptrdiff_t m, const double *column, double factor, double *sizes) noexcept nogil:
    """Increase the sizes to those of a contiguous column; the compiler uses vectors for this loop."""
    cdef ptrdiff_t i
    cdef double size
    for i in range(m):
        size = fabs(column[i]) * factor
        sizes[i] = size if size > sizes[i] else sizes[i]


cdef void share_errors(lm_driver *d) noexcept nogil:
    """Store the shares for a Jacobian in memory.  Uses d.trial, or d.work if the rows are in memory."""
    cdef const lm_state *s = d.s
    cdef const lm_triangle *t = dense_all(s)
    cdef double total
    cdef ptrdiff_t i, k = d.n - 1
    while k >= 0 and _is_doubtful(s, t, k):
        if _has_share(s, t, k):
            if d.factored:
                memset(d.trial, 0, <size_t>d.m * sizeof(double))
                d.trial[k] = 1.0
                times_q(d, d.trial)
                total = 0.0
                for i in range(d.m):
                    total += fabs(d.trial[i]) * d.row_sizes[i]
            else:
                total = _share_of_rows(d, t, k)
            dense_share(s)[t.ipvt[k]] = min(total, 1.0)
        k -= 1


cdef double _share_of_rows(lm_driver *d, const lm_triangle *t, ptrdiff_t k) noexcept nogil:
    """Return the same sum from the rows of J."""
    cdef const lmoo_point *at = &d.point
    cdef const double *rows = at.rows if at.rows != NULL else d.fjac
    cdef ptrdiff_t down = at.row_stride if at.rows != NULL else 1
    cdef ptrdiff_t across = at.column_stride if at.rows != NULL else d.m
    cdef double *z = d.work
    cdef double total = 0.0
    cdef ptrdiff_t i
    _solve_unit(t, d.n, k, z)
    for i in range(d.m):
        total += fabs(_row_times(rows + i * down, across, t, k, z)) * d.row_sizes[i]
    return total


cdef void share_block_errors(lm_state *s, const double *sizes, ptrdiff_t m, double *work) noexcept nogil:
    """Store the shares for a problem in blocks of rows.

    sizes   S: n x n, column-major, zeros below the diagonal;  m: rows of J;  work: 2 n
    """
    cdef const lm_triangle *t = dense_all(s)
    cdef double *z = work + s.n
    cdef ptrdiff_t i, k = s.n - 1
    while k >= 0 and _is_doubtful(s, t, k):
        if _has_share(s, t, k):
            _solve_unit(t, s.n, k, z)
            for i in range(s.n):
                work[i] = _row_times(sizes + i, s.n, t, k, z)
            dense_share(s)[t.ipvt[k]] = min(sqrt(<double>m) * enorm(s.n, work), 1.0)
        k -= 1


cdef void _solve_unit(const lm_triangle *t, ptrdiff_t n, ptrdiff_t k, double *z) noexcept nogil:
    """Compute z = R^-1 e_k, k + 1 numbers."""
    cdef double total
    cdef ptrdiff_t i, j
    for i in range(k, -1, -1):
        total = 1.0 if i == k else 0.0
        for j in range(i + 1, k + 1):
            total -= t.r[i + j * n] * z[j]
        z[i] = total / t.r[i + i * n]


cdef inline double _row_times(const double *row, ptrdiff_t stride, const lm_triangle *t, ptrdiff_t k,
                              const double *z) noexcept nogil:
    """Return the product of a row of n columns with P z, where z has k + 1 entries."""
    cdef double total = 0.0
    cdef ptrdiff_t j
    for j in range(k + 1):
        total += row[t.ipvt[j] * stride] * z[j]
    return total
