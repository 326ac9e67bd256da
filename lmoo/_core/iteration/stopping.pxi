"""When to stop, once a trial point has been judged: MINPACK's tests, and the accurate ones.

MINPACK's compare reductions of |f|^2, which rounding hides long before x is as good as it can
get: an error e in x changes |f|^2 by e^2 only.  The accurate ones look at what the model predicts for
a full Gauss-Newton step, and at the steps themselves:

    offset = |J p|^2 / |f|^2,     p the Gauss-Newton step: the squared cosine between f and the span of J
              (the relative offset of Bates, Watts 1988, "Nonlinear regression analysis", section
              2.2.3, but for the degrees of freedom)

    ftol    offset <= ftol, or no more than the error of the gradient
    xtol    |p_j| <= xtol |x_j| for each parameter, or the steps contract at such a rate that what is
            left of them is

Two measured numbers decide what can be seen: the error of |f|, and the errors of the columns of J.
Reductions are compared with

    noise = 4 max(eps (|f| + max_j |J_j x_j|), measured error of |f|) / |f|,

four errors of |f|, two for each of the squares that are compared.  A step whose reduction is below noise
is judged by the relaxed ratio (actred + noise) / (prered + noise) of Sun, Nocedal (2023), "A trust region
method for noisy unconstrained optimization", Math. Programming 202.  A trust region that collapses
where the model still predicts a visible reduction is no success.
"""

from libc.float cimport DBL_MIN
from libc.math cimport fabs

from lmoo._core.model cimport *
from lmoo._core.norms cimport enorm


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


# MINPACK's differences step by this much of x: where x is as much nearer 0 than it was they step below the spacing of
# the numbers in f.
cdef double FADED = 1.5e-8


cdef int _converged_like_minpack(const lm_state *s) noexcept nogil:
    """lmder: both reductions at most ftol, delta at most xtol |D x|."""
    cdef bint ftol = fabs(s.actred) <= s.options.ftol and s.prered <= s.options.ftol \
        and 0.5 * s.ratio <= 1.0
    cdef bint xtol = s.delta <= s.options.xtol * s.xnorm
    # Not MINPACK's: a radius that bad points have shrunk, and a step that it has cut or that lacks a parameter,
    # say nothing about convergence.
    if s.refused or s.wall > 0.0 and (s.step_par > 0.0 or has_faded_column(s)):
        return LM_DOMAIN if xtol else LM_RUNNING
    if ftol and xtol:
        return LM_FTOL_XTOL
    if ftol:
        return LM_FTOL
    return LM_XTOL if xtol else LM_RUNNING


cdef bint has_faded_column(const lm_state *s) noexcept nogil:
    """Whether a column of J has shrunk so far below its largest that differences may have lost it."""
    cdef ptrdiff_t j
    if s.options.user_scale:
        return False
    for j in range(s.n):
        if s.free_norms[j] < FADED * s.diag[j]:
            return True
    return False


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

# Where the noise is larger than this, f itself is no more than errors.
cdef double ALL_NOISE = 0.04
# A cosine that is known no better than this is not known: x would be uncertain by as many standard
# errors, times the root of the degrees of freedom.
cdef double UNCERTAIN = 0.01
# Where no step brings anything, an offset below this is that of a minimum at which the curvature is not that of the
# model: x is within 1e-4 standard errors of it, times the root of the degrees of freedom.
cdef double NEAR_ENOUGH = 1e-8
# A step that has removed this much of |f|^2 is no sign of an end, however short it is, nor has it a place in a
# sequence that contracts at a steady rate.
cdef double LARGE_REDUCTION = 0.1
# A parameter is as well known as xtol asks for where what is left changes f by less than this times xtol |f|: that
# much of its standard error, as if that were a thirtieth of the parameter.
cdef double OWN_ERROR = 30.0
# Less than this of |f|^2, relatively, in as many steps is no progress.
cdef double PROGRESS = 1e-10

# Of the relaxed ratio, for a step that brings nothing that can be seen: where as little was predicted.
cdef double RELAXED_RATIO = 0.25

cdef enum:
    # Steps below noise in a row after which more was predicted, until no more is asked.
    MOST_FAILED = 5
    IDLE = 20


cdef double _rounding(const lm_state *s) noexcept nogil:
    """Relative error of |f| from rounding x and numbers of the size of J_j x_j, or as measured."""
    cdef double largest = 0.0
    cdef ptrdiff_t j
    for j in range(s.n):
        largest = max(largest, fabs(s.free_norms[j] * s.x[j]) / s.fnorm)
    return max(s.options.epsfcn * (1.0 + largest), s.least_noise / s.fnorm)


cdef void assess(lm_state *s) noexcept nogil:
    """Whether |f|^2 can show the reduction that the new model predicts, offset."""
    s.noise = 4.0 * _rounding(s)
    s.below_noise = s.offset <= min(s.noise, ALL_NOISE)


cdef bint is_hidden(const lm_state *s) noexcept nogil:
    """Whether the step is so short that nothing can be seen of it, longer ones having been refused."""
    return s.rejections > 0 and not s.below_noise and s.actred <= s.noise \
        and s.prered <= (1.0 / RELAXED_RATIO - 1.0) * s.noise


cdef double relaxed_ratio(lm_state *s, bint *taken) noexcept nogil:
    """Actual over predicted reduction, both increased by what errors of f can hide; and whether the step is to be
    taken for that."""
    cdef double hidden = min(s.noise, ALL_NOISE)
    cdef double ratio = (s.actred + hidden) / (s.prered + hidden) if s.prered + hidden > 0.0 else 0.0
    # A Gauss-Newton step of which nothing need be seen is refused only where more than errors speaks against it.
    cdef bint good = ratio > (0.0 if s.below_noise else RELAXED_RATIO)
    if s.below_noise:
        if good:
            s.hidden_offset = s.offset
        else:
            s.below_noise = 0
    # What is hidden once must not add up.
    taken[0] = good and s.fnorm1 <= s.reached * (1.0 + 0.5 * hidden)
    return ratio


cdef bint hidden_steps_fail(lm_state *s) noexcept nogil:
    """Whether the new model's step would be below noise, had not the last ones led to no better models.

    Where the residual is large and Gauss-Newton steps do not contract, they swing round the minimum for
    ever, as no growth of |f| is seen: here, where there is no less to be seen either, is as good a point
    as any.
    """
    if s.hidden_offset > 0.0:
        s.failed_hidden = s.failed_hidden + 1 if s.offset >= s.hidden_offset else 0
    s.hidden_offset = 0.0
    return s.below_noise and s.failed_hidden >= MOST_FAILED


cdef double gradient_error(const lm_state *s) noexcept nogil:
    """By how much a cosine is uncertain: the relative error of f, and that of J."""
    return max(min(s.noise, UNCERTAIN), min(s.jacobian_error, UNCERTAIN))


cdef bint is_all_error(const lm_state *s) noexcept nogil:
    """Whether f at x is no more than errors, as at an exact fit: better derivatives then change nothing."""
    return 4.0 * _rounding(s) > ALL_NOISE


cdef bint is_flat(const lm_state *s) noexcept nogil:
    """Whether the offset is no more than ftol, or than the error of the gradient."""
    cdef double error = gradient_error(s)
    return s.noise > ALL_NOISE or s.offset <= max(s.options.ftol, error * error)


cdef bint _nothing_to_see(const lm_state *s) noexcept nogil:
    """Whether the gradient predicts no reduction that |f|^2 could show.

    Where J is nearly singular at a minimum with f != 0, the reduction that is predicted for a Gauss-Newton
    step does not come and never becomes small; that of a step along one parameter is gnorm^2.  It is compared with the
    rounding of J x, the parameters' terms together: on the way to infinity terms grow that cancel, and their rounding
    would hide any gradient.
    """
    cdef double error = gradient_error(s), norm = 0.0, slope = 0.0, rounding
    if s.gnorm * s.gnorm > max(s.noise, error * error):
        return False
    s.linear.predict(s.model, s.x, False, s.fnorm, &norm, &slope)
    rounding = 4.0 * max(s.options.epsfcn * (1.0 + norm), s.least_noise / s.fnorm)
    return s.gnorm * s.gnorm <= max(min(rounding, s.noise), error * error)


cdef int _after_step(lm_state *s) noexcept nogil:
    """The trial has become x."""
    cdef bint newton = s.newton, alike = s.last_pnorm > 0.0
    cdef double norm = _current_norm(s) if newton else 0.0
    cdef double rate = _rate(s, norm), left = 1.0
    if s.fnorm < s.reached * (1.0 - 0.5 * max(PROGRESS, s.noise)):
        s.reached, s.idle = s.fnorm, 0
    s.last_pnorm = norm
    s.contraction = rate
    # Zero, or so small that what belongs to it underflows.
    if s.fnorm <= DBL_MIN / EPSMCH and s.fnorm <= EPSMCH * s.start_fnorm:
        return LM_GTOL
    if s.offset <= max(s.options.ftol, min(0.0625 * s.noise * s.noise, 1e-4)) \
            and fabs(s.actred) <= max(s.options.ftol, s.noise):
        return LM_FTOL
    if s.actred > LARGE_REDUCTION and s.noise <= ALL_NOISE:
        return LM_RUNNING
    if not newton:
        return LM_FTOL if s.prered <= s.noise and _nothing_to_see(s) else _idle(s)
    if s.since == 1 and s.linear_rate != 0.0:
        # What the extrapolation has left goes on at the rate that it was made with.
        left = fabs(s.linear_rate / (1.0 - s.linear_rate))
    elif s.extrapolated == 1:
        left = min(s.remainder, 1.0)
    elif rate < 0.5:
        left = rate / (1.0 - rate)
    if _settled(s, left):
        return LM_XTOL
    # The steps have ceased to contract: what they follow is error.
    if alike and rate > 0.5 and is_flat(s):
        return LM_FTOL
    return _idle(s)


cdef int _idle(lm_state *s) noexcept nogil:
    """Count the steps that come to nothing: at a kink of f, or on the way to a minimum at infinity.

    Those do not count that the radius has cut and that were as good as the model said; of those of which it
    said that nothing would be seen, which may lead off a plateau, a tenth.  On the way to a wall of bad
    points only those of the latter count that a bound cuts short: along a gradient that is not small they
    end at no minimum.  Where short steps come to nothing though the gradient is not small, J is not that of f.
    """
    cdef bint to_wall = s.wall > 0.0 and s.delta > NEAR_ENOUGH * s.xnorm
    if s.fnorm != s.reached and (s.step_par == 0.0 or s.ratio < 0.75):
        s.idle += 10
    elif s.fnorm != s.reached and s.prered <= s.noise and (not to_wall or s.limited):
        s.idle += 1
    if s.idle < 10 * IDLE:
        return LM_RUNNING
    if to_wall and s.bounded and s.gnorm * s.gnorm > NEAR_ENOUGH:
        return LM_DOMAIN
    # Steps that all succeed and that the radius alone limits: wherever they lead, it is not here.
    if s.good >= IDLE and s.offset > max(s.noise, NEAR_ENOUGH):
        return LM_NO_PROGRESS
    # Nor where bad points have shrunk the radius.
    if s.wall > 0.0 and not to_wall:
        return exhausted(s)
    if s.ratio >= 0.75 or s.gnorm * s.gnorm <= NEAR_ENOUGH or s.delta > NEAR_ENOUGH * s.xnorm:
        return LM_FTOL
    return exhausted(s)


cdef double _current_norm(const lm_state *s) noexcept nogil:
    """|N p|, N being the norms of the columns as they are now."""
    cdef ptrdiff_t j
    for j in range(s.n):
        s.wa2[j] = s.free_norms[j] * s.step[j]
    return enorm(s.n, s.wa2)


cdef bint _settled(const lm_state *s, double left) noexcept nogil:
    """Whether what is left of the steps, as a share of this one, changes no parameter by more than xtol.

    Nor may it change f by more than xtol |f|, or its error: a parameter that goes to 0 has no other
    scale.
    """
    cdef double hidden = max(OWN_ERROR * s.options.xtol, 0.25 * s.noise) * s.fnorm, p
    cdef ptrdiff_t j
    for j in range(s.n):
        p = left * fabs(s.step[j])
        if p > s.options.xtol * fabs(s.x[j]) and p * s.free_norms[j] > hidden:
            return False
    return True


cdef double _rate(const lm_state *s, double norm) noexcept nogil:
    """By how much Gauss-Newton steps have shrunk, this one having that norm; 1 where that is not known.

    Across a change to better derivatives, after which last_pnorm is negative, the worse of the last
    two rates counts: either may be small by chance.
    """
    if not s.newton or s.last_pnorm == 0.0:
        return 1.0
    if s.last_pnorm > 0.0:
        return min(norm / s.last_pnorm, 1.0)
    return max(s.contraction, min(norm / -s.last_pnorm, 1.0))


cdef bint is_rounding(const lm_state *s) noexcept nogil:
    """Whether the last step changes each parameter by no more than rounding does.

    A radius that is small beside |D x| does not tell: it may be large beside the share of a parameter whose column
    is tiny, as that of a rate is where all exponentials have decayed.
    """
    cdef double size
    cdef ptrdiff_t j
    for j in range(s.n):
        size = fabs(s.x[j]) if s.x[j] != 0.0 else s.fnorm / s.diag[j]
        if fabs(s.step[j]) > s.options.epsfcn * size:
            return False
    return True


cdef bint _nowhere(const lm_state *s, double share) noexcept nogil:
    """Whether the step changes no parameter by more than this share."""
    cdef ptrdiff_t j
    for j in range(s.n):
        if fabs(s.step[j]) > share * fabs(s.x[j]):
            return False
    return True


cdef int _after_rejection(const lm_state *s) noexcept nogil:
    """x stays, the trust region has shrunk."""
    if s.refused:
        return LM_DOMAIN if _nowhere(s, max(s.options.xtol, EPSMCH)) else LM_RUNNING
    # Of the next step no reduction could be seen: there is none to be had from here.
    return exhausted(s) if s.prered <= s.noise or _nowhere(s, EPSMCH) else LM_RUNNING


cdef int exhausted(const lm_state *s) noexcept nogil:
    """The status where no step from x brings a reduction that can be seen."""
    if is_flat(s) or _nothing_to_see(s) or s.offset <= max(s.noise, NEAR_ENOUGH):
        return LM_FTOL
    return LM_NO_PROGRESS
