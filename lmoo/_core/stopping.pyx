"""When to stop: MINPACK's tests, and those that go on to what double precision holds."""

from libc.math cimport fabs, sqrt

from lmoo._core.model cimport *

cdef double EPSMCH = 2.0**-52


cdef int converged_like_minpack(const lm_state *s) noexcept nogil:
    """MINPACK's lmder: both reductions at most ftol, delta at most xtol |D x|."""
    cdef bint ftol = fabs(s.actred) <= s.options.ftol and s.prered <= s.options.ftol \
        and 0.5 * s.ratio <= 1.0
    cdef bint xtol = s.delta <= s.options.xtol * s.xnorm
    if xtol and s.refused:
        return LM_DOMAIN
    if ftol and xtol:
        return LM_FTOL_XTOL
    if ftol:
        return LM_FTOL
    return LM_XTOL if xtol else LM_RUNNING


cdef int failed_like_minpack(const lm_state *s) noexcept nogil:
    """Out of evaluations, or at the limit of double precision: the last true one wins."""
    cdef int status = LM_RUNNING
    if s.nfev >= s.options.maxfev:
        status = LM_MAXFEV
    if fabs(s.actred) <= EPSMCH and s.prered <= EPSMCH and 0.5 * s.ratio <= 1.0:
        status = LM_FTOL_SMALL
    if s.delta <= EPSMCH * s.xnorm:
        status = LM_XTOL_SMALL
    if s.gnorm <= EPSMCH:
        status = LM_GTOL_SMALL
    return status


cdef bint within_rounding(const lm_state *s) noexcept nogil:
    return False


cdef int converged_accurately(lm_state *s) noexcept nogil:
    return converged_like_minpack(s)
