"""MINPACK's tests of convergence."""

from libc.math cimport fabs

from lmoo._core.model cimport *

# Relative step of MINPACK's differences.  If a column has shrunk by this factor, the differences may be smaller than
# the spacing of the numbers in f.
cdef double FADED = 1.5e-8


cdef int _converged_like_minpack(const lm_state *s) noexcept nogil:
    """Return the status of lmder's tests: both reductions at most ftol, delta at most xtol |D x|."""
    cdef bint ftol = fabs(s.actred) <= s.options.ftol and s.prered <= s.options.ftol \
        and 0.5 * s.ratio <= 1.0
    cdef bint xtol = s.delta <= s.options.xtol * s.xnorm
    cdef bint faded = s.wall > 0.0 and has_faded_column(s)
    # Not in MINPACK: a radius that bad points have reduced, and a step that it has limited or that lacks a parameter,
    # do not show convergence; a gradient does that predicts no reduction above ftol.
    if s.refused or s.wall > 0.0 and (s.step_par > 0.0 or faded):
        if not xtol:
            return LM_RUNNING
        return LM_XTOL if not faded and s.gnorm * s.gnorm <= s.options.ftol else LM_DOMAIN
    if ftol and xtol:
        return LM_FTOL_XTOL
    if ftol:
        return LM_FTOL
    return LM_XTOL if xtol else LM_RUNNING


cdef bint has_faded_column(const lm_state *s) noexcept nogil:
    """Return whether a column of J has shrunk so far below its largest norm that differences may have lost it."""
    cdef ptrdiff_t j
    if s.options.user_scale:
        return False
    for j in range(s.n):
        if s.free_norms[j] < FADED * s.diag[j]:
            return True
    return False


cdef int _failed_like_minpack(const lm_state *s) noexcept nogil:
    """Return the status if no evaluations are left or double precision limits progress; the last test has priority."""
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
