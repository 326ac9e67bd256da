"""What step strategies share: predictions of the model, and the damped step.

With w = R P^T p the model says of a step p

    |J p + f|^2 - |f|^2 = 2 w^T (Q^T f)[:n] + |w|^2,

and of a p that solves (J^T J + par D^2) p = -J^T f that this is -(|w|^2 + 2 par |D p|^2), a sum
without cancellation (More' 1978, section 4).
"""

from libc.math cimport sqrt

from lmoo._core.model cimport lm_state
from lmoo._core.norms cimport enorm, scaled_norm
from lmoo._core.qr cimport qrsolv


cdef void _apply(lm_state *s, const double *p) noexcept nogil:
    """w = R P^T p to wa1."""
    cdef ptrdiff_t i, j, n = s.n
    cdef double pj
    for j in range(n):
        s.wa1[j] = 0.0
        pj = p[s.model.ipvt[j]]
        for i in range(j + 1):
            s.wa1[i] += s.model.r[i + j * n] * pj


cdef void predict(lm_state *s, const double *p) noexcept nogil:
    """prered, the relative reduction of |f|^2 predicted for any step p, and dirder, its slope.

    p: n doubles, read only.  Uses wa1.
    """
    cdef double square = 0.0, slope = 0.0, w
    cdef ptrdiff_t i
    _apply(s, p)
    for i in range(s.n):
        w = s.wa1[i] / s.fnorm
        square += w * w
        slope += w * (s.model.qtf[i] / s.fnorm)
    s.prered = -(2.0 * slope + square)
    s.dirder = slope


cdef void predict_damped(lm_state *s, const double *p, double par) noexcept nogil:
    """The same for a p that solves (J^T J + par D^2) p = -J^T f.

    p: n doubles, read only.  Uses wa1 and wa2.
    """
    cdef double temp1, temp2 = 0.0
    _apply(s, p)
    temp1 = enorm(s.n, s.wa1) / s.fnorm
    if par != 0.0:
        temp2 = (sqrt(par) * scaled_norm(s.n, s.diag, p, s.wa2)) / s.fnorm
    s.prered = temp1 * temp1 + temp2 * temp2 / 0.5
    s.dirder = -(temp1 * temp1 + temp2 * temp2)


cdef void damped_step(lm_state *s, double par, double *p) noexcept nogil:
    """p = -(J^T J + par D^2)^-1 J^T f, by qrsolv.

    p: n doubles.  Uses sdiag, wa1, wa2 and R's lower triangle, where S is left.
    """
    cdef double root = sqrt(par)
    cdef ptrdiff_t j
    for j in range(s.n):
        s.wa1[j] = root * s.diag[j]
    qrsolv(s.n, s.model.r, s.n, s.model.ipvt, s.wa1, s.model.qtf, p, s.sdiag, s.wa2)
    for j in range(s.n):
        p[j] = -p[j]


cdef bint damped_solve(lm_state *s, double par, const double *g, double *x) noexcept nogil:
    """x = (J^T J + par D^2)^-1 g, by S^T S = P^T (J^T J + par D^2) P; False where it is singular.

    g, x: n doubles, g read only.  Uses sdiag, wa1, wa2 and R's lower triangle, where S is left.
    """
    cdef const double *r = s.model.r
    cdef const int *ipvt = s.model.ipvt
    cdef ptrdiff_t i, j, n = s.n
    cdef double total
    cdef double *y = s.wa1
    damped_step(s, par, x)
    for j in range(n):
        if s.sdiag[j] == 0.0:
            return False
    # S^T y = P^T g, and S z = y in place; S^T's columns are r's below the diagonal.
    for j in range(n):
        total = g[ipvt[j]]
        for i in range(j):
            total -= r[j + i * n] * y[i]
        y[j] = total / s.sdiag[j]
    for j in range(n - 1, -1, -1):
        total = y[j]
        for i in range(j + 1, n):
            total -= r[i + j * n] * y[i]
        y[j] = total / s.sdiag[j]
    for j in range(n):
        x[ipvt[j]] = y[j]
    return True
