"""The end of an iteration, and what is tried before it: more accurate derivatives, fewer parameters, other points."""

from libc.float cimport DBL_MIN
from libc.math cimport fabs

from lmoo._core.model cimport *

# Factor by which the line is lengthened along which the error of f is measured.
cdef double LONGER_PROBE = 16.0


cdef int _finish(lm_state *s, int status) noexcept nogil:
    """Stop, unless a last step below noise is useful: the gradient is known more accurately than |f|^2 shows."""
    if status != LM_FTOL or s.options.tests != LM_TESTS_ACCURATE or _wants_refinement(s) \
            or s.bend == 0.0 or s.finished == s.steps + 1 or hidden_steps_fail(s) or is_flat(s):
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
    if _wants_refinement(s) and s.fnorm != 0.0 and status != LM_MAXFEV and not is_all_error(s):
        return LM_REFINE
    if status == LM_NO_PROGRESS and s.probe == 0 and s.nfev < s.options.maxfev:
        noise_begin(s)
        return LM_RESIDUAL
    if 1 <= status <= 4 and s.options.tests == LM_TESTS_ACCURATE and s.fnorm > DBL_MIN / EPSMCH:
        return _search(s)
    return LM_DONE


cdef int _probed(lm_state *s, int answer) noexcept nogil:
    """Process a value of |f| on the line along the last step; the last value gives the error of |f|."""
    cdef double found, known = 0.25 * s.noise * s.fnorm
    if answer == ANSWER_BAD:
        s.probe = PROBED
        return _leave_out_hidden(s)
    if noise_take(s):
        return LM_RESIDUAL
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
    # Continue as with more accurate derivatives: errors that were not known have reduced the radius.
    s.status = LM_RUNNING
    s.probe = s.rejections = 0
    s.delta = max(s.delta, 0.01 * s.xnorm)
    return LM_REFINE if s.options.refine else _propose(s)


cdef int _leave_out_hidden(lm_state *s) noexcept nogil:
    """Continue without the parameters whose effect on f is below its rounding, if no step reduces |f|.

    A rate far from its value may have such a column, if all exponentials have decayed: the step that it needs cannot be
    found, but the other parameters can be fitted.
    """
    cdef bint hidden = False, seen = False
    cdef ptrdiff_t j
    if s.options.tests != LM_TESTS_ACCURATE or s.left_out:
        return LM_DONE
    for j in range(s.n):
        if s.free_norms[j] > 0.0:
            hidden |= is_hidden_column(s, j, s.free_norms[j])
            seen |= not is_hidden_column(s, j, s.free_norms[j])
    if not (hidden and seen):
        return LM_DONE
    s.left_out = 1
    s.status = LM_RUNNING
    s.rejections = s.refused = s.probe = s.idle = 0
    s.wall = 0.0
    s.delta = max(s.delta, s.options.factor * s.xnorm)
    return LM_LINEARIZE


cdef bint is_hidden_column(const lm_state *s, ptrdiff_t j, double norm) noexcept nogil:
    """Return whether a change of x_j by |x_j| changes f by no more than rounding, for a column of this norm."""
    return s.x[j] != 0.0 and norm * fabs(s.x[j]) <= EPSMCH * s.fnorm


cdef int _search(lm_state *s) noexcept nogil:
    """Request a point of the search (search.pxi); end the iteration after the last one."""
    if search_place(s):
        return LM_RESIDUAL
    return LM_DONE


cdef int _searched(lm_state *s, int answer) noexcept nogil:
    """Process |f| at a point of the search.  The best point is evaluated again at the end and becomes x."""
    cdef ptrdiff_t j
    if search_take(s, answer != ANSWER_BAD):
        return _search(s)
    if answer == ANSWER_BAD:
        return LM_DONE
    if s.found == MOST_FOUND:
        return _done(s, LM_FLAT)
    for j in range(s.n):
        s.step[j] = s.trial[j] - s.x[j]
    s.newton = s.known_newton = 0
    s.step_par = s.last_pnorm = 0.0
    s.found += 1
    s.status = LM_RUNNING
    _accept(s)
    s.reached, s.idle = s.fnorm, 0
    s.delta = max(s.delta, s.options.factor * s.xnorm)
    return LM_LINEARIZE
