"""The end of an iteration, and what is tried before it: more accurate derivatives, fewer parameters, other points."""

from libc.float cimport DBL_MIN
from libc.math cimport fabs, isfinite, sqrt
from libc.string cimport memset

from lmoo._core.model cimport *
from lmoo._core.norms cimport copy

# Factor by which the line is lengthened along which the error of f is measured.
cdef double LONGER_PROBE = 16.0
# Terms of f are on a way to infinity if they cancel to less than one part in so many.
cdef double CANCELLING = 1e3


cdef int _finish(lm_state *s, int status) noexcept nogil:
    """Stop, unless a last step below noise is useful: the gradient is known more accurately than |f|^2 shows."""
    if status != LM_FTOL or s.options.tests != LM_TESTS_ACCURATE or _wants_refinement(s) \
            or s.options.step.update != DEFAULT.update or s.finished == s.steps + 1 or hidden_steps_fail(s) \
            or is_flat(s) or s.offset > max(s.noise, NEAR_ENOUGH):
        return _stop_or_refine(s, status)
    s.finished = <int>s.steps + 1
    s.below_noise = 1
    s.rejections = 0
    return _propose(s)


cdef int _measure_differences(lm_state *s) noexcept nogil:
    """Request differences with measured intervals after several rejected steps, if the derivatives are differences."""
    s.measured = 1
    if not _wants_refinement(s):
        return _propose(s)
    s.measuring = 1
    return LM_REFINE


cdef int _stop_or_refine(lm_state *s, int status) noexcept nogil:
    """Stop, unless more accurate derivatives, a measurement of the error of f or a search can continue the iteration.

    Before a failure the error of |f| is measured, which may be the cause; before a success other points are searched.
    """
    s.status = status
    if _wants_refinement(s) and s.fnorm != 0.0 and status != LM_MAXFEV and not is_all_error(s) \
            and not ends_accurately(s, status):
        return LM_REFINE
    memset(s.velocity, 0, <size_t>s.n * sizeof(double))
    if _may_end_at_infinity(s, status) and _leave_out_endless(s):
        if s.offset <= max(s.noise, NEAR_ENOUGH):
            s.status = status = LM_FTOL
            if _wants_last_step(s):
                return _last_step(s, True)
        elif not s.accepted and s.finished != s.steps + 1:
            # The other parameters are not yet at their minimum.
            s.finished = <int>s.steps + 1
            s.status, s.below_noise, s.rejections = LM_RUNNING, 1, 0
            return _propose(s)
    elif status == LM_FTOL and (s.ending == 1 or s.accepted and not s.newton) and _wants_last_step(s):
        return _last_step(s, False)
    if status == LM_NO_PROGRESS and s.probe == 0 and s.nfev < s.options.maxfev:
        noise_begin(s)
        return LM_RESIDUAL
    return _end(s, status)


cdef int _end(lm_state *s, int status) noexcept nogil:
    """Stop; before a success, and on a plateau, other points are searched."""
    s.status = status
    if (1 <= status <= 4 or status == LM_FLAT) and s.options.tests == LM_TESTS_ACCURATE and s.fnorm > DBL_MIN / EPSMCH:
        if s.rank < _free(s):
            _follow_cancellation(s)
        return kinks_verify(s, 0)
    return LM_DONE


cdef void _follow_cancellation(lm_state *s) noexcept nogil:
    """Put a direction that does not change f into velocity, if there are large terms that cancel: a way to infinity.

    Far on this way the model shows its direction, but no reduction: that is below rounding.  With a minute damping
    the solution of a linear system is this direction.
    """
    cdef double largest = 0.0, norm = 0.0, slope = 0.0
    cdef ptrdiff_t j
    s.linear.predict(s.model, s.x, False, s.fnorm, &norm, &slope)
    for j in range(s.n):
        largest = max(largest, fabs(s.free_norms[j] * s.x[j]) / s.fnorm)
        s.wa1[j] = s.diag[j] * s.diag[j] * s.x[j] if s.free_norms[j] > 0.0 else 0.0
    if not largest > CANCELLING * (1.0 + norm) or s.linear.solve(s.model, 1e-30, s.diag, s.wa1, s.wa2) != 0:
        return
    norm = 0.0
    for j in range(s.n):
        norm = max(norm, fabs(s.wa2[j] / s.x[j])) if s.x[j] != 0.0 else norm
    for j in range(s.n):
        s.velocity[j] = s.wa2[j] / norm if isfinite(norm) and norm > 0.0 else 0.0


cdef bint _wants_last_step(lm_state *s) noexcept nogil:
    """Return whether a Gauss-Newton step without a visible reduction may be useful.

    The gradient is known more accurately than |f|^2 shows.
    """
    return s.ending <= 1 and s.finished <= s.steps and s.options.step.propose == DEFAULT.propose \
        and s.nfev < s.options.maxfev and not is_flat(s)


cdef int _last_step(lm_state *s, bint ends) noexcept nogil:
    """Request a Gauss-Newton step, or first the model at x for it.

    ends: the iteration ends with this step; else it continues, as the step may show that x was no minimum
    """
    if s.accepted:
        s.ending = 1
        return LM_LINEARIZE
    s.ending = 2 if ends else 3
    s.finished = <int>s.steps + 1
    s.below_noise = 1
    s.rejections = s.idle = 0
    if not ends:
        s.status = LM_RUNNING
    return _propose(s)


cdef bint _may_end_at_infinity(const lm_state *s, int status) noexcept nogil:
    """Return whether the model predicts a visible reduction that steps do not bring, though J is that of f."""
    return s.options.tests == LM_TESTS_ACCURATE and s.offset > max(s.noise, NEAR_ENOUGH) \
        and (status == LM_FTOL or status == LM_NO_PROGRESS and _shows_descent(s))


cdef bint _shows_descent(const lm_state *s) noexcept nogil:
    """Return whether steps have confirmed J: the last one reduced |f|^2 visibly, and as predicted, or many reduced it.

    Half of the slope is half of the predicted reduction for a Gauss-Newton step, and a quarter for a short one.  Where
    bad points have reduced the radius, they end the way, not f.
    """
    return s.wall == 0.0 and s.last_actred > s.noise and (s.good >= IDLE or s.last_actred >= -0.5 * s.last_dirder)


cdef bint _leave_out_endless(lm_state *s) noexcept nogil:
    """Truncate the model until its Gauss-Newton step does not run away; return whether it has been truncated.

    At a minimum at infinity the reduction that the model predicts is that of a direction along which no step of this
    length can be tested.  It is the weakest one: that which is left out if the columns are taken to be less accurate.
    The first Gauss-Newton step, which has the direction of the way, is put into velocity.
    """
    cdef double *errors = s.curvature
    cdef double newton = sqrt(s.offset)
    cdef int rank = s.rank
    cdef bint more = True
    copy(s.n, s.column_error, errors)
    while more and s.rank > 0 and runs_away(s):
        if s.rank == rank:
            copy(s.n, s.acceleration, s.velocity)
        more = _increase_errors(s)
        s.rank = <int>s.linear.truncate(s.model, s.column_error, s.fnorm, &newton, &s.jacobian_error)
    copy(s.n, errors, s.column_error)
    if s.rank < rank:
        s.rank = <int>s.linear.truncate(s.model, s.column_error, s.fnorm, &newton, &s.jacobian_error)
    if s.rank < rank:
        # Rank 0: all free parameters run away; nothing else is left to fit.
        s.offset = newton * newton
        return True
    memset(s.velocity, 0, <size_t>s.n * sizeof(double))
    return False


cdef bint _increase_errors(lm_state *s) noexcept nogil:
    """Increase the errors of the columns tenfold, to 1 if the parameter runs away; return False at their limits."""
    cdef bint more = False
    cdef double limit
    cdef ptrdiff_t j
    for j in range(s.n):
        limit = 1.0 if is_endless(s, j) else UNCERTAIN
        more |= s.column_error[j] < limit
        s.column_error[j] = max(s.column_error[j], min(10.0 * max(s.column_error[j], EPSMCH), limit))
    return more


cdef int _probed(lm_state *s, int answer) noexcept nogil:
    """Process a value of |f| on the line along the last step; the last value gives the error of |f|."""
    cdef double found, known = 0.25 * s.noise * s.fnorm
    if answer == ANSWER_BAD:
        s.probe = PROBED
        return _leave_out_hidden(s)
    if noise_take(s):
        if s.nfev < s.options.maxfev:
            return LM_RESIDUAL
        s.probe = PROBED
        return LM_DONE
    found = noise_found(s)
    if found <= 2.0 * known:
        # The error is not larger than assumed, or f is constant or smooth on this short line.
        if s.nfev >= s.options.maxfev or not noise_lengthen(s, LONGER_PROBE):
            return _leave_out_hidden(s)
        s.probe = 1
        noise_place(s)
        return LM_RESIDUAL
    s.least_noise = found
    assess(s)
    s.status = exhausted(s)
    if s.status != LM_NO_PROGRESS:
        return _stop_or_refine(s, s.status)
    s.status = LM_RUNNING
    s.probe = s.rejections = 0
    return LM_REFINE if s.options.refine else _propose(s)


cdef int _leave_out_hidden(lm_state *s) noexcept nogil:
    """Continue without the parameters whose effect on f is below its rounding or unknown, if no step reduces |f|.

    A rate far from its value may have such a column, if all exponentials have decayed: the step that it needs cannot be
    found, but the other parameters can be fitted.
    """
    cdef bint hidden = False, seen = False, unknown
    cdef ptrdiff_t j
    if s.options.tests != LM_TESTS_ACCURATE or s.left_out:
        return LM_DONE
    for j in range(s.n):
        if s.free_norms[j] > 0.0:
            unknown = s.column_error[j] == 1.0 or is_hidden_column(s, j, s.free_norms[j])
            hidden |= unknown
            seen |= not unknown
    if not (hidden and seen):
        return LM_DONE
    s.left_out = 1
    s.status = LM_RUNNING
    s.rejections = s.refused = s.probe = s.idle = 0
    s.wall = 0.0
    s.delta = max(s.delta, s.options.factor * s.xnorm)
    return LM_LINEARIZE


cdef bint is_hidden_column(const lm_state *s, ptrdiff_t j, double norm) noexcept nogil:
    """Return whether a change of x_j by |x_j| changes f by no more than its error, for a column of this norm."""
    return s.x[j] != 0.0 and norm * fabs(s.x[j]) <= max(EPSMCH, 0.25 * s.noise) * s.fnorm


cdef int _search(lm_state *s) noexcept nogil:
    """Request a point of the search (search.pxi); end the iteration after the last one."""
    if search_place(s):
        return LM_RESIDUAL
    return LM_DONE


cdef int _searched(lm_state *s, int answer) noexcept nogil:
    """Process |f| at a point of the search.  The best point is evaluated again at the end and becomes x."""
    if search_take(s, answer != ANSWER_BAD):
        return _search(s)
    if answer == ANSWER_BAD:
        return LM_DONE
    if s.found == MOST_FOUND:
        return _done(s, LM_FLAT)
    s.found += 1
    return _move_to_trial(s)
