"""Tests that end the iteration after a trial point: MINPACK's, and the accurate ones.

MINPACK's tests compare reductions of |f|^2.  Rounding hides these long before x has the accuracy that double precision
allows: an error e in x changes |f|^2 by e^2 only.  The accurate tests use the prediction of the model for a full
Gauss-Newton step, and the steps themselves:

   offset = |J p|^2 / |f|^2,     p the Gauss-Newton step: the squared cosine between f and the span of J
             (the relative offset of Bates, Watts 1988, "Nonlinear regression analysis", section
             2.2.3, but for the degrees of freedom)

   ftol    offset <= ftol, or no more than the error of the gradient
   xtol    |p_j| <= xtol |x_j| for each parameter, or the rate of contraction of the steps predicts this for the
           sum of the remaining ones

Two measured numbers determine which reductions are visible: the error of |f|, and the errors of the columns of J.
Reductions are compared with

   noise = 4 max(eps (|f| + max_j |J_j x_j|), measured error of |f|) / |f|,

four errors of |f|, two for each of the squares that are compared.  A row of a large weight may make up |J_j x_j|, and
its residual be small: it hides a reduction in the other rows only by the square of its error.  Success is therefore
decided with

   rounding = 4 max(eps (|f| + max_j overlap_j |J_j x_j|) + 4 error^2 |f|, measured error of |f|) / |f|,
   error = eps (|f| + max_j |J_j x_j|) / |f|,

at most the noise, with the overlaps of evaluate/overlaps.pxi.  A step whose reduction is below noise is assessed by
the relaxed ratio (actred + noise) / (prered + noise) of Sun, Nocedal (2023), "A trust region method for noisy
unconstrained optimization", Math. Programming 202.  If the trust region collapses while the model still predicts a
visible reduction, the solve has failed.
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


# ---- the accurate tests ---------------------------------------------------------------------

# With more noise than this, f consists of errors.
cdef double ALL_NOISE = 0.04
# Upper limit of the error of a cosine.  With a larger one, x would be uncertain by as many standard errors, times the
# root of the degrees of freedom.
cdef double UNCERTAIN = 0.01
# If no step reduces |f|, an offset below this is accepted as a minimum whose curvature differs from that of the
# model: x is within 1e-4 standard errors of it, times the root of the degrees of freedom.
cdef double NEAR_ENOUGH = 1e-8
# A step that has reduced |f|^2 by this share is not a sign of convergence, however short it is, and is not part of a
# sequence that contracts at a steady rate.
cdef double LARGE_REDUCTION = 0.1
# A parameter is also accepted if the remaining steps change f by less than this times xtol |f|.  The standard error is
# then taken to be a thirtieth of the parameter.
cdef double STANDARD_ERROR_SHARE = 30.0
# Gradient and covariance of a result are those of the point before the last step.  A secant step that leaves less than
# this share may end a solve only as if it left this share, so that their relative errors are below 100 xtol.
cdef double LEAST_REMAINDER = 0.01
# A smaller relative reduction of |f|^2 in IDLE steps is no progress.
cdef double PROGRESS = 1e-11

# The same if a parameter runs away, towards a minimum at infinity: in 1000 (n + 1) such steps, the default of maxfev,
# |f|^2 would be reduced by a ten thousandth.
cdef double ENDLESS_PROGRESS = 4e-7
# A parameter runs away if the Gauss-Newton step is more than this times its size: as far as the search goes.
cdef double ENDLESS = 100.0

# Least relaxed ratio of a step that is accepted without a visible reduction.
cdef double RELAXED_RATIO = 0.25

cdef enum:
    # Most steps below noise in a row after which the predicted reduction has not decreased.
    MOST_FAILED = 5
    IDLE = 20


cdef double _rounding(const lm_state *s, double *by_rows) noexcept nogil:
    """Return the relative error of |f| from rounding x and numbers of the size of J_j x_j, or the measured one.

    by_rows: the same from the overlaps, which count the error of each row by its residual
    """
    cdef double largest = 0.0, met = 0.0, measured = s.least_noise / s.fnorm, size, error
    cdef bint at_bound
    cdef ptrdiff_t j
    for j in range(s.n):
        # A parameter at an active bound is part of the numbers that are rounded.
        at_bound = s.bounded and (s.active[j] == AT_LOWER or s.active[j] == AT_UPPER)
        size = fabs((s.acnorm[j] if at_bound else s.free_norms[j]) * s.x[j])
        largest, met = max(largest, size), max(met, s.overlap[j] * size)
    error = s.options.epsfcn * (1.0 + largest / s.fnorm)
    by_rows[0] = max(min(error, s.options.epsfcn * (1.0 + met / s.fnorm) + 4.0 * error * error), measured)
    return max(error, measured)


cdef bint rounding_counts(const lm_state *s, const double *norms) noexcept nogil:
    """Return whether a test depends on s.rounding: the noise, which is not smaller, exceeds half of a tolerance.

    norms: n, of the columns of J at x, read only
    """
    cdef double noise = 0.0
    cdef ptrdiff_t j
    for j in range(s.n):
        noise = max(noise, fabs(norms[j] * s.x[j]))
    noise = 8.0 * s.options.epsfcn * (1.0 + noise / s.fnorm)
    return not (noise <= min(ALL_NOISE, 4.0 * STANDARD_ERROR_SHARE * s.options.xtol)
                and 0.0625 * noise * noise <= s.options.ftol)


cdef void assess(lm_state *s) noexcept nogil:
    """Set the noise, and whether the reduction predicted by the new model, offset, is below it."""
    cdef double by_rows
    s.noise = 4.0 * _rounding(s, &by_rows)
    s.rounding = 4.0 * by_rows
    s.below_noise = s.offset <= min(s.noise, ALL_NOISE)


cdef bint is_hidden(const lm_state *s) noexcept nogil:
    """Return whether a step after rejected ones is so short that its reduction is below noise."""
    return s.rejections > 0 and not s.below_noise and s.actred <= s.noise \
        and s.prered <= (1.0 / RELAXED_RATIO - 1.0) * s.noise


cdef double relaxed_ratio(lm_state *s, bint *taken) noexcept nogil:
    """Return the actual over the predicted reduction, both increased by the noise; set whether the step is accepted."""
    cdef double hidden = min(s.noise, ALL_NOISE)
    cdef double ratio = (s.actred + hidden) / (s.prered + hidden) if s.prered + hidden > 0.0 else 0.0
    # A Gauss-Newton step below noise is rejected only if |f|^2 grows by more than the noise.
    cdef bint good = ratio > (0.0 if s.below_noise else RELAXED_RATIO)
    if s.below_noise:
        if good:
            s.hidden_offset = s.offset
        else:
            s.below_noise = 0
    # Increases of |f| below noise must not accumulate.
    taken[0] = good and s.fnorm1 <= s.reached * (1.0 + 0.5 * hidden)
    return ratio


cdef bint hidden_steps_fail(lm_state *s) noexcept nogil:
    """Return whether the next step would be below noise although the last such steps have not reduced the offset.

    If the residual is large, Gauss-Newton steps may not contract.  As no growth of |f| is visible, they would oscillate
    about the minimum without end.  The current point is then as good as any of them.
    """
    if s.hidden_offset > 0.0:
        s.failed_hidden = s.failed_hidden + 1 if s.offset >= s.hidden_offset else 0
    s.hidden_offset = 0.0
    return s.below_noise and s.failed_hidden >= MOST_FAILED


cdef double gradient_error(const lm_state *s) noexcept nogil:
    """Return the error of a cosine between f and a column: the larger of the relative errors of f and of J."""
    return max(min(s.noise, UNCERTAIN), min(s.jacobian_error, UNCERTAIN))


cdef bint is_all_error(const lm_state *s) noexcept nogil:
    """Return whether f at x consists of errors, as at an exact fit: more accurate derivatives then change nothing."""
    cdef double by_rows
    return 4.0 * _rounding(s, &by_rows) > ALL_NOISE


cdef bint is_flat(const lm_state *s) noexcept nogil:
    """Return whether the offset is at most ftol, or at most the error of the gradient."""
    cdef double error = gradient_error(s)
    return s.rounding > ALL_NOISE or s.offset <= max(s.options.ftol, error * error)


cdef bint _predicts_nothing_visible(const lm_state *s) noexcept nogil:
    """Return whether the gradient predicts no reduction that is visible in |f|^2.

    If J is nearly singular at a minimum with f != 0, the reduction predicted for a Gauss-Newton step is not realised
    and never becomes small; that of a step along one parameter is gnorm^2.  It is compared with the rounding of J x,
    the sum of the parameters' terms: if the parameters diverge, terms that cancel grow, and the sum of their
    roundings would hide any gradient.
    """
    cdef double error = gradient_error(s), norm = 0.0, slope = 0.0, rounding
    if s.gnorm * s.gnorm > max(s.noise, error * error):
        return False
    s.linear.predict(s.model, s.x, False, s.fnorm, &norm, &slope)
    rounding = 4.0 * max(s.options.epsfcn * (1.0 + norm), s.least_noise / s.fnorm)
    return s.gnorm * s.gnorm <= max(min(rounding, s.noise), error * error)


cdef int _after_step(lm_state *s) noexcept nogil:
    """Return the status after an accepted step."""
    cdef bint newton = s.newton, alike = s.last_pnorm > 0.0
    cdef double norm = _current_norm(s) if newton else 0.0
    cdef double rate = _rate(s, norm), left = 1.0
    if s.fnorm < s.reached * (1.0 - 0.5 * max(PROGRESS, s.noise)) and (
            s.fnorm < s.reached * (1.0 - 0.5 * ENDLESS_PROGRESS) or s.offset <= ENDLESS_PROGRESS or not runs_away(s)):
        s.reached, s.idle = s.fnorm, 0
    s.last_pnorm = norm
    s.contraction = rate
    # f is zero, or so small that its square underflows.
    if s.fnorm <= DBL_MIN / EPSMCH and s.fnorm <= EPSMCH * s.start_fnorm:
        # Gradient and covariance are those of the point before the last step, if this was short.
        return LM_GTOL if s.fnorm != 0.0 or s.nfev >= s.options.maxfev or is_settled(s, LEAST_REMAINDER) else LM_RUNNING
    if s.offset <= max(s.options.ftol, min(0.0625 * s.rounding * s.rounding, 1e-4)) \
            and fabs(s.actred) <= max(s.options.ftol, s.noise):
        return LM_FTOL
    if s.actred > LARGE_REDUCTION and s.rounding <= ALL_NOISE:
        return LM_RUNNING
    if not newton:
        return LM_FTOL if s.prered <= s.noise and _predicts_nothing_visible(s) else _idle(s)
    if s.since == 1 and s.linear_rate != 0.0:
        # What remains after a secant step contracts at its rate.
        left = fabs(s.linear_rate / (1.0 - s.linear_rate))
    elif s.extrapolated == 1:
        left = min(max(s.remainder, LEAST_REMAINDER), 1.0)
    elif rate < 0.5:
        left = rate / (1.0 - rate)
    if is_settled(s, left) or _wants_refinement(s) and differences_suffice(s, max(left, LEAST_REMAINDER)):
        return LM_XTOL
    # The steps do not contract any more: they follow errors.
    if alike and rate > 0.5 and is_flat(s):
        return LM_FTOL
    return _idle(s)


cdef int _idle(lm_state *s) noexcept nogil:
    """Count the steps without progress, at a kink of f or towards a minimum at infinity; return the status.

    Steps that the radius has limited and whose ratio is near 1 do not count.  If the model predicted a reduction below
    noise for them, as on a plateau, each counts as a tenth.  If short steps make no progress though the gradient is not
    small, J is not the derivative of f.
    """
    if s.fnorm != s.reached and (s.step_par == 0.0 or s.ratio < 0.75):
        s.idle += 10
    elif s.fnorm != s.reached and s.prered <= s.noise:
        s.idle += 1
    if s.idle < 10 * IDLE:
        return LM_RUNNING
    # All steps succeed and only the radius limits them: there is no minimum near x.
    if s.good >= IDLE and s.offset > max(s.noise, NEAR_ENOUGH):
        return LM_NO_PROGRESS
    # Bad points have reduced the radius to nothing.
    if s.wall > 0.0 and s.delta <= NEAR_ENOUGH * s.xnorm:
        return LM_FTOL if exhausted(s) == LM_FTOL else LM_DOMAIN
    if s.ratio >= 0.75 or s.gnorm * s.gnorm <= NEAR_ENOUGH or s.delta > NEAR_ENOUGH * s.xnorm:
        return LM_FTOL
    return exhausted(s)


cdef bint runs_away(lm_state *s) noexcept nogil:
    """Return whether the Gauss-Newton step is longer than ENDLESS sizes of a parameter: it cannot be tested.

    The step is put into acceleration.
    """
    cdef ptrdiff_t j
    damped(s, 0.0, s.acceleration)
    for j in range(s.n):
        if is_endless(s, j):
            return True
    return False


cdef bint is_endless(const lm_state *s, ptrdiff_t j) noexcept nogil:
    """Return whether parameter j runs away in the step at acceleration.

    The size of a parameter near 0 is the change that has changed f by |f|.
    """
    return s.free_norms[j] > 0.0 \
        and not fabs(s.acceleration[j]) <= ENDLESS * max(fabs(s.x[j]), s.fnorm / s.diag[j])


cdef double _current_norm(const lm_state *s) noexcept nogil:
    """Return |N p|, where N contains the current norms of the columns."""
    cdef ptrdiff_t j
    for j in range(s.n):
        s.wa2[j] = s.free_norms[j] * s.step[j]
    return enorm(s.n, s.wa2)


cdef bint is_settled(const lm_state *s, double left) noexcept nogil:
    """Return whether the remaining steps, as a share of this one, change no parameter by more than xtol.

    A change of a parameter is also accepted if it changes f by no more than xtol |f|, or than its error: a parameter
    that converges to 0 has no other scale.
    """
    cdef double hidden = max(STANDARD_ERROR_SHARE * s.options.xtol, 0.25 * s.rounding) * s.fnorm, p
    cdef ptrdiff_t j
    for j in range(s.n):
        p = left * fabs(s.step[j])
        if p > s.options.xtol * fabs(s.x[j]) and p * s.free_norms[j] > hidden:
            return False
    return True


cdef double _rate(const lm_state *s, double norm) noexcept nogil:
    """Return the ratio of the norms of the last two Gauss-Newton steps; 1 if it is unknown."""
    return min(norm / s.last_pnorm, 1.0) if s.newton and s.last_pnorm > 0.0 else 1.0


cdef double size_of(const lm_state *s, ptrdiff_t j) noexcept nogil:
    """Return the size of parameter j; of one that is 0, the change that has changed f by |f|."""
    return fabs(s.x[j]) if s.x[j] != 0.0 else s.fnorm / s.diag[j]


cdef bint changes_nothing(const lm_state *s, double share) noexcept nogil:
    """Return whether the step changes no parameter by more than this share of its size.

    A radius that is small relative to |D x| does not show this: it may be large relative to the term of a parameter
    whose column is tiny, as that of a rate if all exponentials have decayed.
    """
    cdef ptrdiff_t j
    for j in range(s.n):
        if fabs(s.step[j]) > share * size_of(s, j):
            return False
    return True


cdef int _after_rejection(const lm_state *s) noexcept nogil:
    """Return the status after a rejected step."""
    if s.refused:
        return at_wall(s) if changes_nothing(s, max(s.options.xtol, EPSMCH)) else LM_RUNNING
    # The reduction of the next step would not be visible.
    return exhausted(s) if s.prered <= s.noise else LM_RUNNING


cdef int exhausted(const lm_state *s) noexcept nogil:
    """Return the status if no step from x brings a visible reduction."""
    if is_flat(s) or _predicts_nothing_visible(s) or s.offset <= max(s.noise, NEAR_ENOUGH):
        return LM_FTOL
    return LM_NO_PROGRESS


cdef int at_wall(const lm_state *s) noexcept nogil:
    """Return the status if bad points have reduced the radius to nothing; without a visible gradient x is a minimum."""
    return LM_FTOL if s.offset <= s.noise or is_flat(s) else LM_DOMAIN
