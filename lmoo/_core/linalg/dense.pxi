"""The dense linear model: the triangle of a QR factorisation of J.

   J P = Q R,   qtf = (Q^T f)[:n],   R n x n,

O(n^2) numbers for any m.  More' (1978), "The Levenberg-Marquardt algorithm: implementation and theory", sections 3 and
5.  The operations are those of lmoo_linear in lmoo.h, in the order of MINPACK's if MINPACK has them.

With bounds there are three triangles: that of all columns, that of the free ones, which most operations use, and one
for the faces of the bounded subproblem.  Columns that are left out are zero; R is factored again from the triangle of
all columns, in O(n^3).
"""

from libc.float cimport DBL_MIN
from libc.math cimport fabs, sqrt
from libc.string cimport memcpy, memset

from lmoo._core.fold cimport pivot_triangle
from lmoo._core.model cimport *
from lmoo._core.norms cimport column_norms, enorm


# ---- memory ---------------------------------------------------------------------------------

cdef inline ptrdiff_t _doubles_of_ints(ptrdiff_t n) noexcept nogil:
    return (n + 1) // 2


cdef size_t dense_doubles(ptrdiff_t n, bint bounded) noexcept nogil:
    """Return the doubles that dense_attach uses."""
    cdef ptrdiff_t header = <ptrdiff_t>(sizeof(lm_dense) // sizeof(double)) + 1
    cdef ptrdiff_t one = n * n + n + _doubles_of_ints(n)
    return <size_t>(header + 5 * n + (one if not bounded else 3 * one + 3 * n))


cdef void dense_attach(lm_state *s, double *memory) noexcept nogil:
    """Set s.model and its pointers to memory of dense_doubles(n, bounded) doubles; the part for bounds is last."""
    cdef lm_dense *d = <lm_dense *>memory
    cdef ptrdiff_t n = s.n
    cdef double *next = memory + sizeof(lm_dense) // sizeof(double) + 1
    d.s, s.model = s, d
    d.sdiag, d.wa1, d.wa2, d.units, d.share = next, next + n, next + 2 * n, next + 3 * n, next + 4 * n
    next = _place(&d.all, n, next + 5 * n)
    d.free = d.all
    if s.bounded:
        next = _place(&d.free, n, next)
        next = _place(&d.face, n, next)
        d.work = next


cdef double *_place(lm_triangle *t, ptrdiff_t n, double *next) noexcept nogil:
    t.r, t.qtf = next, next + n * n
    t.ipvt = <int *>(next + n * n + n)
    return next + n * n + n + _doubles_of_ints(n)


# ---- factorisation of J -----------------------------------------------------------------------

cdef int _fill(void *model, ptrdiff_t m, double *a, ptrdiff_t lda, double *f) noexcept nogil:
    """Implement lmoo_linear.fill by qrfac in units of D, in place: it is called by lmoo only, which allows this.

    On return a contains R in those units strictly above the diagonal, the Householder vectors on and below it;
    f is Q^T f.
    """
    cdef lm_dense *d = <lm_dense *>model
    cdef lm_state *s = d.s
    cdef lm_triangle *t = &d.all
    cdef ptrdiff_t i, j, n = s.n
    units_of(s, s.acnorm, d.units)
    divide_columns(n, d.units, m, a, s.acnorm, d.wa1)
    for j in range(n):
        s.acnorm[j] = d.wa1[j] * d.units[j]
    qrfac(m, n, a, lda, t.ipvt, d.sdiag, d.wa1, d.wa2, f, t.qtf)
    for j in range(n):
        for i in range(j):
            t.r[i + j * n] = a[i + j * lda]
        t.r[j + j * n] = d.sdiag[j]
    multiply_triangle(n, d.units, t.r, t.ipvt)
    dense_share_all(s)
    return 0


cdef void dense_fill_triangle(lm_state *s, double *t, double *acnorm, double *work) noexcept nogil:
    """Compute the model from a triangle without pivots, [R | Q^T f].

    t       n x (n + 1), column-major, overwritten;  acnorm: n, the norms of its columns;  work: 3 n
    """
    cdef lm_dense *d = <lm_dense *>s.model
    cdef ptrdiff_t n = s.n
    units_of(s, acnorm, d.units)
    divide_columns(n, d.units, n, t, NULL, NULL)
    pivot_triangle(n, t, d.all.ipvt, s.acnorm, d.all.qtf, work)
    multiply_triangle(n, d.units, t, d.all.ipvt)
    memcpy(s.acnorm, acnorm, <size_t>n * sizeof(double))
    memcpy(d.all.r, t, <size_t>(n * n) * sizeof(double))
    dense_share_all(s)


cdef void dense_share_all(lm_state *s) noexcept nogil:
    """Preset the shares of the errors of columns: all of an error may be along the row of R."""
    cdef ptrdiff_t j
    for j in range(s.n):
        (<lm_dense *>s.model).share[j] = 1.0


# ---- columns that are left out --------------------------------------------------------------

cdef void _leave_out(void *model, const int *active) noexcept nogil:
    """Implement lmoo_linear.leave_out."""
    cdef lm_dense *d = <lm_dense *>model
    cdef ptrdiff_t j, n = d.s.n
    for j in range(n):
        if active[j] != 0:
            _factor_free(d, active, NULL, &d.free)
            return
    memcpy(d.free.r, d.all.r, <size_t>(n * n) * sizeof(double))
    memcpy(d.free.qtf, d.all.qtf, <size_t>n * sizeof(double))
    memcpy(d.free.ipvt, d.all.ipvt, <size_t>n * sizeof(int))


cdef void _factor_free(lm_dense *d, const int *active, const double *moved, lm_triangle *out) noexcept nogil:
    """Factor the columns with active[j] = 0, for f + J moved of the others; moved may be NULL."""
    cdef lm_state *s = d.s
    cdef ptrdiff_t i, j, k, n = s.n
    cdef double *f = d.work
    cdef const double *column
    memcpy(f, d.all.qtf, <size_t>n * sizeof(double))
    for k in range(n):
        j = d.all.ipvt[k]
        column = d.all.r + k * n
        memset(out.r + j * n, 0, <size_t>n * sizeof(double))
        if active[j] == 0:
            memcpy(out.r + j * n, column, <size_t>(k + 1) * sizeof(double))
        elif moved != NULL and moved[j] != 0.0:
            for i in range(k + 1):
                f[i] += column[i] * moved[j]
    units_of(s, s.acnorm, d.units)
    divide_columns(n, d.units, n, out.r, NULL, NULL)
    column_norms(n, n, out.r, n, d.wa1)
    qrfac(n, n, out.r, n, out.ipvt, f + n, d.wa1, f + 2 * n, f, out.qtf)
    put_diagonal(n, out.r, n, f + n)
    multiply_triangle(n, d.units, out.r, out.ipvt)


cdef ptrdiff_t _truncate(void *model, const double *column_error, double fnorm, double *newton,
                         double *error) noexcept nogil:
    """Implement lmoo_linear.truncate."""
    cdef lm_dense *d = <lm_dense *>model
    cdef lm_triangle *t = &d.free
    cdef ptrdiff_t k, rank = _truncated_rank(d, t, column_error, d.s.free_norms)
    error[0] = 0.0
    for k in range(rank):
        error[0] = max(error[0], column_error[t.ipvt[k]])
    newton[0] = enorm(rank, t.qtf) / fnorm
    return rank


cdef ptrdiff_t _truncated_rank(lm_dense *d, lm_triangle *t, const double *column_error,
                               const double *norms) noexcept nogil:
    """Set the last rows of R to zero that are not larger than the error of J, and return the rank.

    A column that is all error is left out whatever the share of its error along its row.
    """
    cdef ptrdiff_t j, k, n = d.s.n, rank = n
    while rank > 0:
        j = t.ipvt[rank - 1]
        if column_error[j] < 1.0 and fabs(t.r[(rank - 1) * (n + 1)]) > column_error[j] * d.share[j] * norms[j]:
            break
        rank -= 1
    for k in range(rank, n):
        for j in range(rank, k + 1):
            t.r[j + k * n] = 0.0
    return rank


# ---- products -------------------------------------------------------------------------------

cdef inline double _row(const lm_triangle *t, ptrdiff_t n, ptrdiff_t i, const double *p) noexcept nogil:
    """Return entry i of R P^T p."""
    cdef ptrdiff_t j
    cdef double total = 0.0
    for j in range(i, n):
        total += t.r[i + j * n] * p[t.ipvt[j]]
    return total


cdef void _apply(const lm_triangle *t, ptrdiff_t n, const double *p, double *w) noexcept nogil:
    """Compute w = R P^T p, by rows: for a few parameters vectors along columns would wait for each other."""
    cdef ptrdiff_t i
    for i in range(n):
        w[i] = _row(t, n, i, p)


cdef inline void _apply_transpose(const lm_triangle *t, ptrdiff_t n, const double *w, double *out) noexcept nogil:
    """Compute out = P R^T w."""
    cdef ptrdiff_t i, j
    cdef double total
    for j in range(n):
        total = 0.0
        for i in range(j + 1):
            total += t.r[i + j * n] * w[i]
        out[t.ipvt[j]] = total


cdef void dense_times_transpose(const lm_state *s, const double *w, double *out) noexcept nogil:
    """Compute out = P R^T w for all columns: J^T v if w = (Q^T v)[:n]."""
    _apply_transpose(&(<lm_dense *>s.model).all, s.n, w, out)


cdef void _gradient(void *model, const double *p, double fnorm, double *out) noexcept nogil:
    """Implement lmoo_linear.gradient: P R^T (R P^T p + qtf) / fnorm."""
    cdef lm_dense *d = <lm_dense *>model
    cdef ptrdiff_t i, n = d.s.n
    cdef double *w = d.wa1
    if p != NULL:
        _apply(&d.all, n, p, w)
        for i in range(n):
            w[i] = (w[i] + d.all.qtf[i]) / fnorm
        _apply_transpose(&d.all, n, w, out)
    # As for lmpar.
    elif n == 3:
        _gradient_of(3, &d.all, fnorm, w, out)
    elif n == 2:
        _gradient_of(2, &d.all, fnorm, w, out)
    elif n == 4:
        _gradient_of(4, &d.all, fnorm, w, out)
    elif n == 5:
        _gradient_of(5, &d.all, fnorm, w, out)
    else:
        _gradient_of(n, &d.all, fnorm, w, out)


cdef inline void _gradient_of(ptrdiff_t n, const lm_triangle *t, double fnorm, double *w, double *out) noexcept nogil:
    cdef ptrdiff_t i
    for i in range(n):
        w[i] = t.qtf[i] / fnorm
    _apply_transpose(t, n, w, out)


cdef void _predict(void *model, const double *p, int all, double fnorm, double *norm,
                   double *slope) noexcept nogil:
    """Implement lmoo_linear.predict with w = R P^T p."""
    cdef lm_dense *d = <lm_dense *>model
    cdef const lm_triangle *t = &d.all if all else &d.free
    cdef ptrdiff_t n = d.s.n
    # As for lmpar.
    if n == 3:
        _predict_of(3, t, p, fnorm, d.wa1, norm, slope)
    elif n == 2:
        _predict_of(2, t, p, fnorm, d.wa1, norm, slope)
    elif n == 4:
        _predict_of(4, t, p, fnorm, d.wa1, norm, slope)
    elif n == 5:
        _predict_of(5, t, p, fnorm, d.wa1, norm, slope)
    else:
        _predict_of(n, t, p, fnorm, d.wa1, norm, slope)


cdef inline void _predict_of(ptrdiff_t n, const lm_triangle *t, const double *p, double fnorm, double *w,
                             double *norm, double *slope) noexcept nogil:
    cdef ptrdiff_t i
    cdef double total = 0.0, inverse = 1.0 / max(fnorm, DBL_MIN)
    for i in range(n):
        w[i] = _row(t, n, i, p)
        total += w[i] * inverse * (t.qtf[i] * inverse)
    norm[0] = enorm(n, w) / fnorm
    slope[0] = total


cdef void _gram(void *model, const double *v, double *out) noexcept nogil:
    """Implement lmoo_linear.gram."""
    cdef lm_dense *d = <lm_dense *>model
    _apply(&d.all, d.s.n, v, d.wa1)
    _apply_transpose(&d.all, d.s.n, d.wa1, out)


# ---- steps ----------------------------------------------------------------------------------

cdef double _within(void *model, const double *diag, double delta, double par, double *p) noexcept nogil:
    """Implement lmoo_linear.within by MINPACK's lmpar."""
    cdef lm_dense *d = <lm_dense *>model
    cdef ptrdiff_t j, n = d.s.n
    par = lmpar(n, d.free.r, n, d.free.ipvt, diag, d.free.qtf, delta, par, p, d.sdiag, d.wa1, d.wa2)
    for j in range(n):
        p[j] = -p[j]
    return par


cdef void _damped(void *model, double par, const double *diag, double *p) noexcept nogil:
    """Implement lmoo_linear.damped by qrsolv, which leaves S below the diagonal of R."""
    cdef lm_dense *d = <lm_dense *>model
    _damped_of(d, &d.free, par, diag, p)


cdef void _damped_of(lm_dense *d, lm_triangle *t, double par, const double *diag, double *p) noexcept nogil:
    cdef double root = sqrt(par)
    cdef ptrdiff_t j, n = d.s.n
    for j in range(n):
        d.wa1[j] = root * diag[j]
    qrsolv(n, t.r, n, t.ipvt, d.wa1, t.qtf, p, d.sdiag, d.wa2)
    for j in range(n):
        p[j] = -p[j]


cdef void _damped_on_face(void *model, const int *active, const double *moved, double par, const double *diag,
                          double *p) noexcept nogil:
    """Implement lmoo_linear.damped_on_face."""
    cdef lm_dense *d = <lm_dense *>model
    cdef ptrdiff_t j
    _factor_free(d, active, moved, &d.face)
    # What is error in the model of all free parameters is error on the face.
    _truncated_rank(d, &d.face, d.s.column_error, d.s.acnorm)
    _damped_of(d, &d.face, par, diag, p)
    for j in range(d.s.n):
        if active[j] != 0:
            p[j] = moved[j]


cdef int _solve(void *model, double par, const double *diag, const double *g, double *x) noexcept nogil:
    """Implement lmoo_linear.solve by S^T S = P^T (J^T J + par D^2) P."""
    cdef lm_dense *d = <lm_dense *>model
    cdef const double *r = d.free.r
    cdef const int *ipvt = d.free.ipvt
    cdef ptrdiff_t i, j, n = d.s.n
    cdef double total
    cdef double *y = d.wa1
    _damped(model, par, diag, x)
    for j in range(n):
        if d.sdiag[j] == 0.0:
            return 1
    # S^T y = P^T g, and S z = y in place; S^T's columns are r's below the diagonal.
    for j in range(n):
        total = g[ipvt[j]]
        for i in range(j):
            total -= r[j + i * n] * y[i]
        y[j] = total / d.sdiag[j]
    for j in range(n - 1, -1, -1):
        total = y[j]
        for i in range(j + 1, n):
            total -= r[i + j * n] * y[i]
        y[j] = total / d.sdiag[j]
    for j in range(n):
        x[ipvt[j]] = y[j]
    return 0


cdef void _triangle(void *model, double *r, int *ipvt, double *qtf) noexcept nogil:
    """Implement lmoo_linear.triangle."""
    cdef lm_dense *d = <lm_dense *>model
    cdef ptrdiff_t j, n = d.s.n
    memset(r, 0, <size_t>(n * n) * sizeof(double))
    for j in range(n):
        memcpy(r + j * n, d.free.r + j * n, <size_t>(j + 1) * sizeof(double))
    memcpy(ipvt, d.free.ipvt, <size_t>n * sizeof(int))
    memcpy(qtf, d.free.qtf, <size_t>n * sizeof(double))


cdef lmoo_linear DENSE
DENSE.size = sizeof(lmoo_linear)
DENSE.fill = _fill
DENSE.leave_out = _leave_out
DENSE.truncate = _truncate
DENSE.gradient = _gradient
DENSE.predict = _predict
DENSE.gram = _gram
DENSE.within = _within
DENSE.damped = _damped
DENSE.damped_on_face = _damped_on_face
DENSE.solve = _solve
DENSE.triangle = _triangle
