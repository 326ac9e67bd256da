"""When to stop, once a trial point has been judged: MINPACK's tests, and the accurate ones.

MINPACK's compare reductions of |f|^2, which rounding hides long before x is as good as it can
get: an error e in x changes |f|^2 by e^2 only.  The accurate ones look at Gauss-Newton steps,

    xtol    |D p| <= xtol |D x|, or the steps contract at such a rate that what is left of them is
    ftol    |(Q^T f)[:n]|^2 <= ftol |f|^2: what the model promises a full step would bring
            (the squared relative offset of Bates, Watts 1988, "Nonlinear regression analysis",
            section 2.2.3, but for the degrees of freedom)

and take a step whose reduction drowns in rounding on the model's word, as long as steps contract.
A trust region that collapses where the model still promises a reduction is no success.
"""

from libc.math cimport fabs

from lmoo._core.model cimport *

cdef double EPSMCH = 2.0**-52


cdef int stopping(lm_state *s) noexcept nogil:
    """Return the status that ends the iteration here, or LM_RUNNING."""
    cdef int status
    if s.options.tests == LM_TESTS_ACCURATE:
        status = _after_step(s) if s.accepted else _after_rejection(s)
        if status == LM_RUNNING and s.nfev >= s.options.maxfev:
            status = LM_MAXFEV
        return status
    status = _converged_like_minpack(s)
    return status if status != LM_RUNNING else _failed_like_minpack(s)


# ---- MINPACK's ------------------------------------------------------------------------------

cdef int _converged_like_minpack(const lm_state *s) noexcept nogil:
    """lmder: both reductions at most ftol, delta at most xtol |D x|."""
    cdef bint ftol = fabs(s.actred) <= s.options.ftol and s.prered <= s.options.ftol \
        and 0.5 * s.ratio <= 1.0
    cdef bint xtol = s.delta <= s.options.xtol * s.xnorm
    # Not MINPACK's: delta that shrank round bad points says nothing about convergence.
    if xtol and s.refused:
        return LM_DOMAIN
    if ftol and xtol:
        return LM_FTOL_XTOL
    if ftol:
        return LM_FTOL
    return LM_XTOL if xtol else LM_RUNNING


cdef int _failed_like_minpack(const lm_state *s) noexcept nogil:
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


# ---- the accurate ones ----------------------------------------------------------------------

cdef double _rounding(const lm_state *s) noexcept nogil:
    """Relative error of |f| from rounding x and numbers of the size of J_j x_j."""
    cdef double largest = 0.0
    cdef ptrdiff_t j
    for j in range(s.n):
        largest = max(largest, fabs(s.model.acnorm[j] * s.x[j]))
    return s.options.epsfcn * (1.0 + largest / s.fnorm)


cdef bint within_rounding(const lm_state *s) noexcept nogil:
    """Whether neither reduction can be told from rounding errors."""
    cdef double noise = 4.0 * _rounding(s)
    return s.prered <= noise and fabs(s.actred) <= noise


cdef double _promise(const lm_state *s) noexcept nogil:
    """Relative reduction of |f|^2 that the last model promises for a full Gauss-Newton step."""
    return (s.newton / s.base_fnorm) * (s.newton / s.base_fnorm)


cdef int _after_step(lm_state *s) noexcept nogil:
    """The trial has become x."""
    cdef double rate, rounding, last = s.last_pnorm
    cdef bint newton = s.par == 0.0
    s.last_pnorm = s.pnorm if newton else 0.0
    if s.fnorm == 0.0:
        return LM_GTOL
    rounding = _rounding(s)
    # Below the square of its rounding error the gradient is noise.
    if _promise(s) <= max(s.options.ftol, rounding * rounding) \
            and fabs(s.actred) <= max(s.options.ftol, 4.0 * rounding):
        return LM_FTOL
    if not newton:
        return LM_RUNNING
    if s.pnorm <= s.options.xtol * s.xnorm:
        return LM_XTOL
    if last > 0.0:
        rate = s.pnorm / last
        if rate < 0.5 and s.pnorm * rate / (1.0 - rate) <= s.options.xtol * s.xnorm:
            return LM_XTOL
        # Nothing to be seen of a reduction any more, and the steps have ceased to contract.
        if rate > 0.5 and s.prered <= rounding and within_rounding(s):
            return LM_FTOL
    return LM_RUNNING


cdef int _after_rejection(const lm_state *s) noexcept nogil:
    """x stays, the trust region has shrunk."""
    if s.delta > max(s.options.xtol, EPSMCH) * s.xnorm:
        return LM_RUNNING
    if s.refused:
        return LM_DOMAIN
    if _promise(s) <= max(s.options.ftol, 100.0 * _rounding(s)):
        return LM_XTOL
    return LM_NO_PROGRESS if s.delta <= EPSMCH * s.xnorm else LM_RUNNING
