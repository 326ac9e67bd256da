"""From the Jacobian to the linear model: errors of its columns, and its factorisation.

MINPACK's qrfac factors the whole Jacobian in place.  A large one is folded into a triangle by one pass over its rows
(fold.pyx).  Linear models other than the dense one are given the Jacobian unchanged.
"""

from libc.math cimport NAN, fabs, sqrt
from libc.string cimport memcpy, memset

from cpython.pystate cimport PyThreadState

from lmoo._core.linalg cimport DENSE, dense_all, dense_fill_triangle, dense_share, dense_times_transpose, lm_triangle
from lmoo._core.fold cimport fold_part, fold_parts, fold_parts_bytes, merge_parts
from lmoo._core.iteration cimport is_hidden_column, lm_linearized, lm_refuse, lm_sound
from lmoo._core.model cimport *
from lmoo._core.norms cimport column_norms, enorm

cdef extern from "Python.h" nogil:
    PyThreadState *PyEval_SaveThread()
    void PyEval_RestoreThread(PyThreadState *state)

# Above this m n^2 the fold, which reads memory once, is faster than qrfac, which reads it n times, and releasing the
# GIL costs less than keeping it.
cdef double LARGE = 1e6
# Above this m n^2, about a millisecond, starting threads is worthwhile.
cdef double WORTH_THREADS = 2e7


cdef size_t linearize_doubles(ptrdiff_t m, ptrdiff_t n) noexcept nogil:
    """Return the doubles of work space at d.work."""
    cdef size_t folding = 0
    if <double>m * n * n > LARGE:
        folding = fold_parts_bytes(m, n) // sizeof(double) + <size_t>n
    return <size_t>(5 * n) + folding


cdef bint folds_rows(const lm_driver *d) noexcept nogil:
    """Return whether the model is computed by one pass over the rows."""
    return <double>d.m * d.n * d.n > LARGE and d.s.linear == &DENSE


cdef const double *weigh_model(lm_driver *d) noexcept nogil:
    """Return the residual of the linear model; with a loss, scale the rows of d.fjac unless they are scaled already."""
    if d.loss == NULL:
        return d.f
    if not d.weighted and not d.streams:
        scale_rows(d.rows, d.n, d.loss.root, d.fjac, d.m)
        d.weighted = True
        d.fresh = False
    return d.loss.model


cdef int linearize_answer(lm_driver *d, int code) noexcept nogil:
    """Answer LM_LINEARIZE: factor the complete Jacobian (code 0), or refuse the request (positive)."""
    cdef lmoo_point *at = &d.point
    cdef int good
    if code > 0:
        lm_refuse(d.s)
        return 0
    good = _fold_rows(d) if folds_rows(d) else _factor_in_place(d)
    if good < 0:
        return FAILED
    if good:
        lm_linearized(d.s)
    else:
        lm_refuse(d.s)
    return 0


cdef void lm_linearize(lm_state *s, ptrdiff_t m, double *fjac, double *f) noexcept nogil:
    """Answer LM_LINEARIZE or LM_REFINE with J and f, for any linear model; refuse if J is not finite.

    fjac  m x n, column-major;  f: m doubles; both are overwritten.  The columns are as accurate as f.
    """
    cdef double *acnorm = s.wa1
    column_norms(m, s.n, fjac, m, acnorm)
    if not lm_sound(s, acnorm):
        lm_refuse(s)
        return
    memset(s.column_error, 0, <size_t>s.n * sizeof(double))
    memset(s.interval, 0, <size_t>s.n * sizeof(double))
    store_errors(s, acnorm, 0.0, s.options.epsfcn, 0.0, m)
    memcpy(s.acnorm, acnorm, <size_t>s.n * sizeof(double))
    if s.linear.fill(s.model, m, fjac, m, f) != 0:
        lm_refuse(s)
        return
    lm_linearized(s)


# ---- errors of the columns -------------------------------------------------------------------

cdef bint linearize_errors(lm_driver *d, const double *acnorm) noexcept nogil:
    """Call store_errors for the Jacobian that the strategy has filled."""
    cdef const lmoo_point *at = &d.point
    return store_errors(d.s, acnorm, at.relative_error, max(at.precision, d.noise), at.noise, d.m)


cdef bint store_errors(lm_state *s, const double *acnorm, double relative, double precision,
                      double noise, ptrdiff_t m) noexcept nogil:
    """Store the errors of the columns in the state; the strategy has filled its column_error and interval.

    acnorm                n, the norms of the columns, read only
    relative, precision   relative errors of all columns, and of f
    noise                 norm of the error of f, if a strategy has measured it; else 0

    Return whether a column consists of error.  Its column_error is then 1, and it must be set to zero, as a step
    along it could have any length.
    """
    cdef double root = sqrt(<double>m), f_error = s.fnorm
    cdef bint all_error = False
    cdef ptrdiff_t j
    if s.options.tests == LM_TESTS_MINPACK:
        # These tests use J without changes.
        s.jacobian_error = 10.0 * max(max(relative, precision), EPSMCH * root)
        return False
    if noise / root > s.least_noise:
        # Intervals that were measured with a smaller error are measured again.
        s.least_noise, s.measured = noise / root, 0
    for j in range(s.n):
        if s.column_error[j] < 1.0:
            f_error = max(f_error, acnorm[j] * fabs(s.x[j]))
    # Roundings are independent of each other, and of any direction; a measured error need not be.
    s.along_error = max(precision * f_error / root, root * s.least_noise)
    f_error = max(precision * f_error, root * s.least_noise)
    relative = max(max(relative, precision), EPSMCH * root)
    s.jacobian_error = 0.0
    for j in range(s.n):
        if s.interval[j] > 0.0:
            if 2.0 * f_error < s.interval[j] * acnorm[j]:
                s.column_error[j] += 2.0 * f_error / s.interval[j] / acnorm[j]
            else:
                s.column_error[j] = 1.0
        if s.left_out and is_hidden_column(s, j, acnorm[j]):
            s.column_error[j] = 1.0
        if s.column_error[j] >= 1.0:
            s.column_error[j] = 1.0
            # Its interval was not suitable.
            s.length[j] = min(s.length[j], 0.0)
            all_error |= acnorm[j] > 0.0
            continue
        # Safety factor for sums of m products and further operations.
        s.column_error[j] = min(1.0, 10.0 * max(relative, s.column_error[j]))
        if s.column_error[j] == 1.0:
            s.length[j] = min(s.length[j], 0.0)
        s.jacobian_error = max(s.jacobian_error, s.column_error[j])
    return all_error


cdef void drop_columns(lm_state *s, ptrdiff_t m, double *a, double *acnorm) noexcept nogil:
    """Set the columns to zero that consist of error, by store_errors.  a: m x n, column-major; acnorm: n, its norms."""
    cdef ptrdiff_t j
    for j in range(s.n):
        if s.column_error[j] == 1.0:
            memset(a + j * m, 0, <size_t>m * sizeof(double))
            acnorm[j] = 0.0


# ---- factorisations ---------------------------------------------------------------------------

cdef bint _factor_in_place(lm_driver *d) noexcept nogil:
    """Factor the whole Jacobian; return False if it has an entry that is not finite."""
    cdef lm_state *s = d.s
    cdef ptrdiff_t j, m = d.m, n = d.n
    cdef double *a = d.fjac
    cdef double *acnorm = d.work
    cdef const double *r
    cdef const double *f = weigh_model(d)
    column_norms(m, n, a, m, acnorm)
    if not lm_sound(s, acnorm):
        return False
    if linearize_errors(d, acnorm):
        drop_columns(s, m, a, acnorm)
    remember_rows(d, acnorm)
    memcpy(s.acnorm, acnorm, <size_t>n * sizeof(double))
    memcpy(d.trial, f, <size_t>m * sizeof(double))
    if s.linear.fill(s.model, m, a, m, d.trial) != 0:
        return False
    if s.linear == &DENSE:
        r = dense_all(s).r
        for j in range(n):
            d.u0[j] = a[j + j * m]
            memcpy(a + j * m, r + j * n, <size_t>(j + 1) * sizeof(double))
    d.factored = s.linear == &DENSE
    d.folded = not d.factored
    if has_doubtful_rows(d):
        _share_errors(d)
    return True


cdef bint has_doubtful_rows(const lm_driver *d) noexcept nogil:
    """Return whether the last row of the dense R would be truncated for the error of its whole column."""
    cdef const lm_state *s = d.s
    return s.linear == &DENSE and s.options.tests == LM_TESTS_ACCURATE and _is_doubtful(s, dense_all(s), s.n - 1)


cdef void remember_rows(lm_driver *d, const double *acnorm) noexcept nogil:
    """Increase d.row_sizes, the largest size of each row so far, in units of D.  acnorm: n, the norms of the columns.

    As D, the sizes never decrease: a row that vanishes at a minimum is still as uncertain as it was.
    """
    cdef const lm_state *s = d.s
    cdef const lmoo_point *at = &d.point
    cdef const double *rows = at.rows if at.rows != NULL else d.fjac
    cdef ptrdiff_t down = at.row_stride if at.rows != NULL else 1
    cdef ptrdiff_t across = at.column_stride if at.rows != NULL else d.m
    cdef double size
    cdef ptrdiff_t i, j
    if d.streams or s.options.tests == LM_TESTS_MINPACK:
        return
    if s.models == 0:
        memset(d.row_sizes, 0, <size_t>d.m * sizeof(double))
    for j in range(d.n):
        # Only differences have errors that truncate R.
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


cdef void _share_errors(lm_driver *d) noexcept nogil:
    """Compute which part of the error of a column can be in its row of R, for the rows that are to be truncated.

    The errors of a column are those of its entries, in proportion to the sizes of the rows.  Its row of R is q^T J,
    with a column q of Q: a row of J that weighs much more than others determines the first rows of R, and has almost no
    part in q.  At most the share sum_i |q_i| row_sizes_i of the error counts.  Uses d.trial, or d.work if the rows are
    in memory.
    """
    cdef const lm_state *s = d.s
    cdef const lm_triangle *t = dense_all(s)
    cdef double total
    cdef ptrdiff_t i, j, k = d.n - 1
    while k >= 0 and _is_doubtful(s, t, k):
        j = t.ipvt[k]
        if s.interval[j] > 0.0 and s.column_error[j] < 1.0 and t.r[k + k * d.n] != 0.0:
            if d.factored:
                memset(d.trial, 0, <size_t>d.m * sizeof(double))
                d.trial[k] = 1.0
                _times_q(d, d.trial)
                total = 0.0
                for i in range(d.m):
                    total += fabs(d.trial[i]) * d.row_sizes[i]
            else:
                total = _share_of_rows(d, t, k)
            dense_share(s)[j] = min(total, 1.0)
        k -= 1


cdef double _share_of_rows(lm_driver *d, const lm_triangle *t, ptrdiff_t k) noexcept nogil:
    """Return the same sum from the rows of J, with q = J P R^-1 e_k."""
    cdef const lmoo_point *at = &d.point
    cdef const double *rows = at.rows if at.rows != NULL else d.fjac
    cdef ptrdiff_t down = at.row_stride if at.rows != NULL else 1
    cdef ptrdiff_t across = at.column_stride if at.rows != NULL else d.m
    cdef double *z = d.work
    cdef double total, q
    cdef ptrdiff_t i, j, n = d.n
    for i in range(k, -1, -1):
        total = 1.0 if i == k else 0.0
        for j in range(i + 1, k + 1):
            total -= t.r[i + j * n] * z[j]
        z[i] = total / t.r[i + i * n]
    total = 0.0
    for i in range(d.m):
        q = 0.0
        for j in range(k + 1):
            q += rows[i * down + t.ipvt[j] * across] * z[j]
        total += fabs(q) * d.row_sizes[i]
    return total


cdef inline bint _is_doubtful(const lm_state *s, const lm_triangle *t, ptrdiff_t k) noexcept nogil:
    return fabs(t.r[k + k * s.n]) <= s.column_error[t.ipvt[k]] * s.acnorm[t.ipvt[k]]


cdef void _times_q(const lm_driver *d, double *v) noexcept nogil:
    """Multiply v, m doubles, by Q, from qrfac's Householder vectors."""
    cdef ptrdiff_t i, j
    cdef double total
    cdef const double *u
    for j in range(d.n - 1, -1, -1):
        if d.u0[j] == 0.0:
            continue
        u = d.fjac + j * d.m
        total = d.u0[j] * v[j]
        for i in range(j + 1, d.m):
            total += u[i] * v[i]
        total /= d.u0[j]
        v[j] -= total * d.u0[j]
        for i in range(j + 1, d.m):
            v[i] -= total * u[i]


cdef int _fold_rows(lm_driver *d) noexcept nogil:
    """Compute the model by one pass over the rows, without the GIL.

    Return 1; 0 if an entry is not finite; FAILED if an interruption is to be raised.
    """
    cdef ptrdiff_t j, n = d.n
    cdef double *t = d.work
    cdef double *acnorm = t + n * n + n
    cdef int code
    code = _fold_parts(d)
    if code != 0:
        return min(code, 0)
    for j in range(n):
        acnorm[j] = enorm(j + 1, t + j * n)
    d.folded = d.point.rows == NULL
    if not lm_sound(d.s, acnorm):
        _copy_rows(d)
        return 0
    if linearize_errors(d, acnorm):
        drop_columns(d.s, n, t, acnorm)
        # The stored Jacobian differs from that of the model.
        d.folded = False
    remember_rows(d, acnorm)
    dense_fill_triangle(d.s, t, acnorm, acnorm + n)
    if has_doubtful_rows(d) and not d.streams:
        _share_errors(d)
    return 1


cdef int _fold_parts(lm_driver *d) noexcept nogil:
    """Fold all rows to the triangle at d.work, by threads if worthwhile; return 1 if they cannot be evaluated."""
    cdef ptrdiff_t p, parts = fold_parts(d.m, d.n)
    cdef PyThreadState *thread
    cdef int code
    weigh_model(d)
    if d.streams:
        code = stream_triangle(d)
        if code == 0:
            merge_parts(d.m, d.n, d.work)
        return code
    if d.threads and parts > 1 and <double>d.m * d.n * d.n > WORTH_THREADS:
        # Called as a plain C function; -1 if an exception is set.
        if (<run_function><void *>run_in_threads)(_fold_part, parts, d) < 0:
            return FAILED
        merge_parts(d.m, d.n, d.work)
        return 0
    thread = PyEval_SaveThread() if d.python else NULL
    for p in range(parts):
        _fold_part(p, d)
    merge_parts(d.m, d.n, d.work)
    if d.python:
        PyEval_RestoreThread(thread)
    return 0


ctypedef int (*run_function)(job_function job, ptrdiff_t count, void *context) noexcept nogil


cdef void _fold_part(ptrdiff_t p, void *context) noexcept nogil:
    """Fold one part of the rows, as a job of a thread."""
    cdef lm_driver *d = <lm_driver *>context
    cdef const lmoo_point *at = &d.point
    cdef const double *f = d.f if d.loss == NULL else d.loss.model
    if at.rows != NULL:
        fold_part(p, d.m, d.n, at.rows, at.row_stride, at.column_stride, f, d.work)
    else:
        fold_part(p, d.m, d.n, d.fjac, 1, d.m, f, d.work)


cdef void _copy_rows(lm_driver *d) noexcept nogil:
    """Copy a refused Jacobian to d.fjac, where the user can read it."""
    cdef const lmoo_point *at = &d.point
    cdef ptrdiff_t i, j
    if at.rows == NULL:
        return
    for j in range(d.n):
        for i in range(d.m):
            d.fjac[i + j * d.m] = at.rows[i * at.row_stride + j * at.column_stride]


# ---- products with the Jacobian -----------------------------------------------------------------

cdef void times_transpose(lm_driver *d, double *v, double *out) noexcept nogil:
    """Compute out = J^T v for all columns, from the contents of d.fjac; NaN if they are not available.

    v: m doubles, overwritten
    """
    cdef ptrdiff_t j
    if d.transposed != NULL:
        d.transposed(d, v, out)
    elif d.streams:
        if stream_times_transpose(d, v, out) != 0:
            for j in range(d.n):
                out[j] = NAN
    elif d.factored:
        _times_transpose_factored(d, v, out)
    else:
        _times_transpose(d, v, out)


cdef void _times_transpose_factored(const lm_driver *d, double *v, double *out) noexcept nogil:
    """Compute out = J^T v = P R^T (Q^T v)[:n] from qrfac's Householder vectors.  v is overwritten."""
    cdef ptrdiff_t i, j
    cdef double total
    cdef const double *u
    for j in range(d.n):
        if d.u0[j] == 0.0:
            continue
        u = d.fjac + j * d.m
        total = d.u0[j] * v[j]
        for i in range(j + 1, d.m):
            total += u[i] * v[i]
        total /= d.u0[j]
        v[j] -= total * d.u0[j]
        for i in range(j + 1, d.m):
            v[i] -= total * u[i]
    dense_times_transpose(d.s, v, out)


cdef void _times_transpose(const lm_driver *d, const double *v, double *out) noexcept nogil:
    """Compute out = J^T v, where fjac contains J."""
    cdef ptrdiff_t i, j
    cdef double total
    for j in range(d.n):
        total = 0.0
        for i in range(d.m):
            total += d.fjac[i + j * d.m] * v[i]
        out[j] = total
