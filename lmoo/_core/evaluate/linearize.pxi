"""From the Jacobian to the linear model: its factorisation, and products with it.

MINPACK's qrfac factors the whole Jacobian in place.  A large one is folded into a triangle by one pass over its rows
(fold.pyx).  Linear models other than the dense one are given the Jacobian unchanged.
"""

from libc.math cimport NAN
from libc.string cimport memcpy, memset

from cpython.pystate cimport PyThreadState

from lmoo._core.linalg cimport DENSE, dense_all, dense_fill_triangle, dense_times_transpose
from lmoo._core.fold cimport fold_begin_part, fold_part_begin, fold_parts, fold_parts_bytes, fold_scaled, merge_parts
from lmoo._core.iteration cimport lm_linearized, lm_refuse, lm_sound
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
    return <size_t>(5 * n) + folding + _overlap_doubles(m, n)


cdef inline size_t _overlap_doubles(ptrdiff_t m, ptrdiff_t n) noexcept nogil:
    return <size_t>(fold_parts(m, n) * n)


cdef double *overlaps_of_part(lm_driver *d, ptrdiff_t p) noexcept nogil:
    """Return the n sums of add_overlaps for a part of the rows, at the end of d.work."""
    return d.work + linearize_doubles(d.m, d.n) - _overlap_doubles(d.m, d.n) + p * d.n


cdef bint folds_rows(const lm_driver *d) noexcept nogil:
    """Return whether the model is computed by one pass over the rows."""
    return <double>d.m * d.n * d.n > LARGE and d.s.linear == &DENSE


cdef const double *weigh_model(lm_driver *d) noexcept nogil:
    """Return the residual of the linear model; with a loss, scale the rows of d.fjac unless they are scaled already.

    Rows that are elsewhere, or not stored, are scaled when they are folded.
    """
    if d.loss == NULL:
        return d.f
    if not d.weighted and not d.streams and d.point.rows == NULL:
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
    overlaps_of(s, m, fjac, 1, m, NULL, f, acnorm)
    if s.linear.fill(s.model, m, fjac, m, f) != 0:
        lm_refuse(s)
        return
    lm_linearized(s)


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
    overlaps_of(s, m, a, 1, m, NULL, f, acnorm)
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
    if has_doubtful_rows(d.s):
        share_errors(d)
    return True


cdef void times_q(const lm_driver *d, double *v) noexcept nogil:
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
    cdef int code = _fold_parts(d)
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
    _store_overlaps(d, acnorm)
    dense_fill_triangle(d.s, t, acnorm, acnorm + n)
    if has_doubtful_rows(d.s) and not d.streams:
        share_errors(d)
    return 1


cdef void _store_overlaps(lm_driver *d, const double *acnorm) noexcept nogil:
    """Store the overlaps after a fold; those of rows that are not in memory from the sums of the parts."""
    cdef const lmoo_point *at = &d.point
    cdef const double *f = d.f if d.loss == NULL else d.loss.model
    cdef double *sums = overlaps_of_part(d, 0)
    cdef ptrdiff_t j, p
    if not d.streams and at.rows != NULL:
        overlaps_of(d.s, d.m, at.rows, at.row_stride, at.column_stride, _root_of_rows(d), f, acnorm)
    elif not d.streams:
        overlaps_of(d.s, d.m, d.fjac, 1, d.m, _root_of_rows(d), f, acnorm)
    elif d.s.options.tests == LM_TESTS_ACCURATE:
        for p in range(1, fold_parts(d.m, d.n)):
            for j in range(d.n):
                sums[j] += sums[j + p * d.n]
        store_overlaps(d.s, sums, acnorm)


cdef int _fold_parts(lm_driver *d) noexcept nogil:
    """Fold all rows to the triangle at d.work, by threads if worthwhile; return 1 if they cannot be evaluated."""
    cdef ptrdiff_t p, parts = fold_parts(d.m, d.n)
    cdef PyThreadState *thread
    cdef int code
    weigh_model(d)
    if d.streams:
        memset(overlaps_of_part(d, 0), 0, _overlap_doubles(d.m, d.n) * sizeof(double))
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
    cdef const double *rows = at.rows if at.rows != NULL else d.fjac
    cdef ptrdiff_t down = at.row_stride if at.rows != NULL else 1
    cdef ptrdiff_t across = at.column_stride if at.rows != NULL else d.m
    cdef ptrdiff_t begin = fold_part_begin(p, d.m, d.n), end = fold_part_begin(p + 1, d.m, d.n)
    fold_model_rows(d, begin, end - begin, rows + begin * down, down, across, fold_begin_part(p, d.n, d.work), NULL)


cdef void fold_model_rows(lm_driver *d, ptrdiff_t begin, ptrdiff_t count, const double *a, ptrdiff_t down,
                          ptrdiff_t across, double *t, double *overlaps) noexcept nogil:
    """Fold rows of J, at a, and of the model's residual, those from begin on, into t.

    overlaps: as for fold_with_overlaps
    """
    cdef const double *f = d.f if d.loss == NULL else d.loss.model
    cdef const double *root = _root_of_rows(d)
    if root != NULL:
        root += begin
    fold_with_overlaps(count, d.n, a, down, across, root, f + begin, d.s.fnorm, t, t + d.n * d.n + d.n, overlaps)


cdef const double *_root_of_rows(lm_driver *d) noexcept nogil:
    """Return the factors by which a loss scales the rows, NULL if they are scaled already.

    A problem's own rows are not scaled where they are not stored.
    """
    return d.loss.root if d.loss != NULL and (d.streams or not d.weighted) else NULL


cdef void fold_with_overlaps(ptrdiff_t m, ptrdiff_t n, const double *a, ptrdiff_t down, ptrdiff_t across,
                             const double *root, const double *f, double fnorm, double *t, double *work,
                             double *overlaps) noexcept nogil:
    """Fold m rows and add their overlaps, a few blocks at a time, which are then in the cache.

    a, root, f, t, work   as for fold_scaled;  overlaps: as the sums of add_overlaps, NULL: they are not added
    """
    cdef ptrdiff_t begin = 0, count, most = rows_at_once(n)
    cdef const double *factors = NULL
    while begin < m:
        count = min(most, m - begin)
        if root != NULL:
            factors = root + begin
        fold_scaled(count, n, a + begin * down, down, across, factors, f + begin, t, work)
        if overlaps != NULL:
            add_overlaps(count, n, a + begin * down, down, across, factors, f + begin, fnorm, overlaps)
        begin += count


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
