"""When to stop, once a trial point has been judged: MINPACK's tests, and the accurate ones.

MINPACK's compare reductions of |f|^2, which rounding hides long before x is as good as it can
get: an error e in x changes |f|^2 by e^2 only.  The accurate ones look at what the model promises
a full Gauss-Newton step, and at the steps themselves:

    promise = |(Q^T f)[:n]|^2 / |f|^2,      the squared cosine between f and the span of J
              (the relative offset of Bates, Watts 1988, "Nonlinear regression analysis", section
              2.2.3, but for the degrees of freedom)

    ftol    promise <= ftol, or no more than the error of the gradient
    xtol    |D p| <= xtol |D x|, or the steps contract at such a rate that what is left of them is

Where the promise is less than rounding can hide in |f|^2, the Gauss-Newton step is taken on the
model's word, unless |f| is seen to grow.  A trust region that collapses where the model still
promises a reduction is no success.
"""

from libc.math cimport fabs

from lmoo._core.model cimport *
from lmoo._core.norms cimport enorm

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

# Where the noise is larger than this, f itself is no more than rounding errors.
cdef double ALL_NOISE = 0.04
# What |f|^2 may grow by, relatively, in a step taken on the model's word: what rounding explains,
# and never more than this, or than the precision of f.
cdef double GROWTH = 1e-9

cdef enum:
    # Words in a row that were not kept, until no more is asked.
    BROKEN_WORDS = 5


cdef double _rounding(const lm_state *s) noexcept nogil:
    """Relative error of f from rounding x and numbers of the size of J_j x_j."""
    cdef double largest = 0.0
    cdef ptrdiff_t j
    for j in range(s.n):
        largest = max(largest, fabs(s.model.acnorm[j] * s.x[j]) / s.fnorm)
    return s.options.epsfcn * (1.0 + largest)


cdef void weigh(lm_state *s, ptrdiff_t rank) noexcept nogil:
    """What the new model, of this rank, promises, and whether |f|^2 could show it."""
    cdef double newton = enorm(rank, s.model.qtf) / s.fnorm
    s.promise = newton * newton
    s.noise = 4.0 * _rounding(s)
    s.trusting = s.promise <= min(s.noise, ALL_NOISE)


cdef void judge_by_word(lm_state *s) noexcept nogil:
    """Count the step as a good one unless |f| grew; then the trust region is to find a better."""
    if s.actred >= -min(100.0 * s.noise, max(GROWTH, 10.0 * s.options.epsfcn)):
        s.ratio = 1.0
        s.word = s.promise
    else:
        s.trusting = 0


cdef bint no_more_words(lm_state *s) noexcept nogil:
    """Whether the new model would be trusted, had not the last ones that were led astray.

    A word is kept if what the next model promises is less.  Where the residual is large and Gauss and
    Newton's steps do not contract, they swing round the minimum for ever, as no growth of |f| is seen:
    here, where there is no less to be seen either, is as good a point as any.
    """
    if s.word > 0.0:
        s.broken_words = s.broken_words + 1 if s.promise >= s.word else 0
    s.word = 0.0
    return s.trusting and s.broken_words >= BROKEN_WORDS


cdef bint _is_flat(const lm_state *s) noexcept nogil:
    """Whether the promise is no more than ftol, or than the error of the gradient.

    The cosine is uncertain by the relative error of f, and by that of J.
    """
    cdef double error = max(s.noise, s.jacobian_error)
    return s.noise > ALL_NOISE or s.promise <= max(s.options.ftol, error * error)


cdef bint _nothing_to_see(const lm_state *s) noexcept nogil:
    """Whether the gradient promises no reduction that |f|^2 could show.

    Where J is nearly singular at a minimum with f != 0, the promise of a Gauss-Newton step is not
    kept and never becomes small; that of a step along one parameter is gnorm^2.
    """
    return s.gnorm * s.gnorm <= max(s.noise, s.jacobian_error * s.jacobian_error)


cdef int _after_step(lm_state *s) noexcept nogil:
    """The trial has become x."""
    cdef double rate = _rate(s)
    cdef bint newton = s.newton, alike = s.last_pnorm > 0.0
    s.last_pnorm = s.pnorm if newton else 0.0
    s.contraction = rate
    if s.fnorm == 0.0:
        return LM_GTOL
    if s.promise <= max(s.options.ftol, min(0.0625 * s.noise * s.noise, 1e-4)) \
            and fabs(s.actred) <= max(s.options.ftol, s.noise):
        return LM_FTOL
    if not newton:
        return LM_FTOL if s.prered <= s.noise and _nothing_to_see(s) else LM_RUNNING
    if s.pnorm <= s.options.xtol * s.xnorm:
        return LM_XTOL
    if rate < 0.5 and s.pnorm * rate / (1.0 - rate) <= s.options.xtol * s.xnorm:
        return LM_XTOL
    # The steps have ceased to contract: what they follow is error.
    if alike and rate > 0.5 and _is_flat(s):
        return LM_FTOL
    return LM_RUNNING


cdef double _rate(const lm_state *s) noexcept nogil:
    """By how much Gauss-Newton steps have shrunk, 1 where that is not known.

    Across a change to better derivatives, after which last_pnorm is negative, the worse of the last
    two rates counts: either may be small by chance.
    """
    if not s.newton or s.last_pnorm == 0.0:
        return 1.0
    if s.last_pnorm > 0.0:
        return min(s.pnorm / s.last_pnorm, 1.0)
    return max(s.contraction, min(s.pnorm / -s.last_pnorm, 1.0))


cdef int _after_rejection(const lm_state *s) noexcept nogil:
    """x stays, the trust region has shrunk."""
    if s.refused:
        return LM_DOMAIN if s.delta <= max(s.options.xtol, EPSMCH) * s.xnorm else LM_RUNNING
    # Of the next step no reduction could be seen: there is none to be had from here.
    if s.prered <= s.noise or s.delta <= EPSMCH * s.xnorm:
        if _is_flat(s) or _nothing_to_see(s) or s.promise <= s.noise:
            return LM_FTOL
        return LM_NO_PROGRESS
    return LM_RUNNING
