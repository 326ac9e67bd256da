"""What step strategies share: predictions of the linear model, and damped steps.

The model says of a step p

    |J p + f|^2 - |f|^2 = 2 f^T J p + |J p|^2,

and of a p that solves (J^T J + par D^2) p = -J^T f that this is -(|J p|^2 + 2 par |D p|^2), a sum without
cancellation (More' 1978, section 4).
"""

from libc.float cimport DBL_MIN
from libc.math cimport fabs, sqrt

from lmoo._core.model cimport lm_state
from lmoo._core.norms cimport scaled_norm

cdef enum:
    MOST_STEPS = 10     # of Newton's method, as in MINPACK's lmpar


cdef void predict(lm_state *s, const double *p, bint all) noexcept nogil:
    """prered, the relative reduction of |f|^2 predicted for any step p, and dirder, its slope.

    p: n doubles, read only.  all: whether parameters that are left out may move.
    """
    cdef double norm = 0.0
    s.linear.predict(s.model, p, all, s.fnorm, &norm, &s.dirder)
    s.prered = -(2.0 * s.dirder + norm * norm)


cdef void predict_damped(lm_state *s, const double *p, double par) noexcept nogil:
    """The same for a p that solves (J^T J + par D^2) p = -J^T f.

    p: n doubles, read only.  Uses wa2.
    """
    cdef double temp1 = 0.0, temp2 = 0.0
    s.linear.predict(s.model, p, False, s.fnorm, &temp1, &s.dirder)
    if par != 0.0:
        temp2 = (sqrt(par) * scaled_norm(s.n, s.diag, p, s.wa2)) / s.fnorm
    s.prered = temp1 * temp1 + temp2 * temp2 / 0.5
    s.dirder = -(temp1 * temp1 + temp2 * temp2)


cdef void damped(lm_state *s, double par, double *p) noexcept nogil:
    """p = argmin |J p + f|^2 + par |D p|^2; n doubles."""
    s.linear.damped(s.model, par, s.diag, p)


cdef double step_within(lm_state *s, double delta, double par, double *p) noexcept nogil:
    """p, the damped step with |D p| close to delta, or that of Gauss and Newton; returns par."""
    if s.linear.within != NULL:
        return s.linear.within(s.model, s.diag, delta, par, p)
    return _within(s, delta, par, p)


cdef double _within(lm_state *s, double delta, double par, double *p) noexcept nogil:
    """More' (1978), section 5, from damped steps and solutions: Newton's method on phi(par) = |D p| - delta,

        phi' = -(D^2 p / |D p|)^T (J^T J + par D^2)^-1 (D^2 p / |D p|) |D p|,

    kept between bounds; the upper one is |D^-1 J^T f| / delta.  Uses wa1 and wa2.
    """
    cdef double lower = 0.0, upper = 0.0, phi, slope, size, before
    cdef ptrdiff_t j, k, n = s.n
    s.linear.damped(s.model, 0.0, s.diag, p)
    size = scaled_norm(n, s.diag, p, s.wa2)
    phi = size - delta
    if phi <= 0.1 * delta:
        return 0.0
    if _slope(s, 0.0, p, size, &slope):
        lower = phi / slope / delta * size
    s.linear.gradient(s.model, NULL, s.fnorm, s.wa1)
    for j in range(n):
        s.wa1[j] = s.wa1[j] / s.diag[j] if s.free_norms[j] != 0.0 else 0.0
        upper += s.wa1[j] * s.wa1[j]
    upper = sqrt(upper) * (s.fnorm / delta)
    if upper == 0.0:
        upper = DBL_MIN / min(delta, 0.1)
    par = min(max(par, lower), upper)
    if par == 0.0:
        par = upper * delta / size
    for k in range(MOST_STEPS):
        if par == 0.0:
            par = max(DBL_MIN, 0.001 * upper)
        s.linear.damped(s.model, par, s.diag, p)
        size = scaled_norm(n, s.diag, p, s.wa2)
        before, phi = phi, size - delta
        if fabs(phi) <= 0.1 * delta or lower == 0.0 and phi <= before < 0.0 or not _slope(s, par, p, size, &slope):
            break
        if phi > 0.0:
            lower = max(lower, par)
        else:
            upper = min(upper, par)
        par = max(lower, par + phi / slope / delta * size)
    return par


cdef bint _slope(lm_state *s, double par, const double *p, double size, double *slope) noexcept nogil:
    """-phi' at par, p being the step and size |D p|; False where there is none.  Uses wa1 and wa2."""
    cdef double total = 0.0
    cdef ptrdiff_t j
    for j in range(s.n):
        s.wa1[j] = s.diag[j] * s.diag[j] * (p[j] / size)
    if s.linear.solve(s.model, par, s.diag, s.wa1, s.wa2) != 0:
        return False
    for j in range(s.n):
        total += s.wa1[j] * s.wa2[j]
    slope[0] = total * size
    return total > 0.0
