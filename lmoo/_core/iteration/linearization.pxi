"""New linear models: scaling, the test of the gradient, more accurate derivatives, Jacobians that are refused."""

from libc.float cimport DBL_MIN
from libc.math cimport fabs, isfinite, sqrt
from libc.string cimport memcmp

from lmoo._core.model cimport *
from lmoo._core.norms cimport copy, enorm, scaled_norm

# A parameter diverges if one step changes it by more than this factor times its size.  The size of a parameter that
# is 0 is the change that changes f by |f|.
cdef double RUNS_AWAY = 4.0
# A column whose norm grows by this factor in the first step was rounding error before, if a change of f by so many |f|
# belongs to the step.
cdef double GROWN = 1e10
cdef double TOO_FAR = 1e3
# The curvature along a step is needed for the last steps only, whose predicted reduction is at most this.
cdef double BEND_BELOW = 1e-8


cdef int _new_model(lm_state *s) noexcept nogil:
    """Process the model at x: update the scaling, test the gradient, propose a step."""
    cdef bint first = s.models == 0
    cdef double newton = 0.0
    cdef int rank
    s.models += 1
    if s.request == LM_REFINE:
        _refined(s)
    elif s.options.tests == LM_TESTS_ACCURATE:
        # s.bend increases the predicted reduction of the next step.  Other strategies do not use it: the last step
        # would be the rejected one.
        s.bend = 0.0
        if not first and s.prered <= BEND_BELOW and s.options.step.update == DEFAULT.update:
            s.bend = _bend(s)
    copy(s.n, s.x, s.base)
    s.base_fnorm, s.base_reached, s.base_idle = s.fnorm, s.reached, s.idle
    if s.bounded:
        bounds_new_model(s)
    if first or s.steps == 0 and s.request == LM_REFINE and not s.refined:
        # Columns that were zero with forward differences may be nonzero now.
        _first_radius(s)
    if first:
        if s.options.step.begin != NULL:
            s.options.step.begin(s, s.options.step.context)
    s.gnorm = _gradient_norm(s)
    if s.gnorm <= s.options.gtol:
        return _stop_or_refine(s, LM_FLAT if _is_constant(s) else LM_GTOL)
    if not s.options.user_scale:
        _rescale(s)
    if s.options.tests == LM_TESTS_ACCURATE:
        if not s.measured and _has_lost_columns(s):
            return _measure_differences(s)
        rank = <int>s.linear.truncate(s.model, s.column_error, s.fnorm, &newton, &s.jacobian_error)
        # Gauss-Newton steps with and without a direction cannot be compared.
        s.known_newton &= rank == s.rank
        s.rank = rank
        s.offset = newton * newton
        assess(s)
        if s.rank == 0 and _may_move(s):
            # J is not larger than its error.  If f has underflowed or is all rounding, this is expected at a minimum.
            return _stop_or_refine(s, LM_GTOL if s.fnorm <= DBL_MIN / EPSMCH
                                   or s.least_noise == 0.0 and is_all_error(s) else LM_FLAT)
        if hidden_steps_fail(s):
            return _stop_or_refine(s, LM_FTOL)
        if s.ending == 1:
            return _stop_or_refine(s, LM_FTOL)
    return _propose(s)


cdef double _bend(lm_state *s) noexcept nogil:
    """Return the second derivative of |f|^2 / 2 along the last step p, from the gradients at both ends, over |J p|^2.

    Return 0 unless it exceeds that of the model by a tenth, and by more than the error of the gradients: only then do
    Gauss-Newton steps overshoot.
    """
    cdef double square, excess
    predict(s, s.last_step, True)
    square = -(s.prered + 2.0 * s.dirder)
    excess = s.dirder - s.last_dirder - square
    if square <= 0.0 or excess <= max(0.1 * square, 10.0 * gradient_error(s) * sqrt(square)):
        return 0.0
    return 1.0 + excess / square


cdef void _refined(lm_state *s) noexcept nogil:
    """Prepare for a model from more accurate derivatives: increase a radius that inaccurate ones have reduced."""
    s.delta = max(s.delta, 0.01 * s.xnorm)
    # The next step also corrects the accumulated effect of the inaccurate derivatives: its length shows no rate.
    s.last_pnorm = 0.0
    if s.measuring:
        # Forward differences are continued with the measured intervals.
        s.measuring = s.known_newton = 0
        return
    s.refined = 1
    s.hidden_offset, s.failed_hidden = 0.0, 0


cdef int _bad_model(lm_state *s) noexcept nogil:
    """Return to the last good point if J cannot be evaluated at x, and shorten the step."""
    if s.request == LM_REFINE:
        return _not_refined(s)
    if s.models == 0:
        return _done(s, LM_START_NOT_FINITE)
    if s.fnorm == 0.0:
        return _done(s, LM_GTOL)
    copy(s.n, s.base, s.x)
    s.fnorm = s.base_fnorm
    # What the refused point has gained does not count as progress.
    s.base_idle += 1
    s.reached, s.idle = s.base_reached, s.base_idle
    s.xnorm = _size_of_x(s)
    s.reverted = 1
    return _shorten(s)


cdef int _not_refined(lm_state *s) noexcept nogil:
    """Continue without more accurate derivatives: stop for the reason in s.status, or use the less accurate ones."""
    if s.status != LM_RUNNING:
        return LM_DONE
    s.options.refine = s.measuring = 0
    # The current model is that of x, or still that of the previous point.
    if memcmp(s.x, s.base, <size_t>s.n * sizeof(double)) == 0:
        return _propose(s)
    return LM_LINEARIZE


cdef const double *lm_column_norms(const lm_state *s) noexcept nogil:
    """Return the norms of all columns of the last J."""
    return s.acnorm


cdef double _size_of_x(lm_state *s) noexcept nogil:
    """Return |D x| over the parameters that are not fixed."""
    cdef ptrdiff_t j
    if not s.bounded:
        return scaled_norm(s.n, s.diag, s.x, s.wa2)
    for j in range(s.n):
        s.wa2[j] = s.diag[j] * s.x[j] if s.lower[j] < s.upper[j] else 0.0
    return enorm(s.n, s.wa2)


cdef double _range_of_x(lm_state *s) noexcept nogil:
    """Return |D x| with parameters no larger than twice the way to their farther bound.

    A place of 1660 between bounds 40 apart cannot change by its size: the other parameters would get its radius.
    """
    cdef ptrdiff_t j
    if not s.bounded:
        return s.xnorm
    for j in range(s.n):
        s.wa2[j] = 0.0
        if s.lower[j] < s.upper[j]:
            s.wa2[j] = s.diag[j] * min(fabs(s.x[j]), 2.0 * max(s.x[j] - s.lower[j], s.upper[j] - s.x[j]))
    return enorm(s.n, s.wa2)


cdef void _first_radius(lm_state *s) noexcept nogil:
    """Set D and delta from the first model."""
    cdef const double *acnorm = lm_column_norms(s)
    cdef bint accurate = s.options.tests == LM_TESTS_ACCURATE
    cdef ptrdiff_t j
    if not s.options.user_scale:
        for j in range(s.n):
            s.diag[j] = acnorm[j]
            if s.diag[j] == 0.0:
                # A step that changes x_j by |x_j| then has the length |f|, for any unit of x_j.
                s.diag[j] = s.fnorm / fabs(s.x[j]) if accurate and s.x[j] != 0.0 else 1.0
    s.xnorm = _size_of_x(s)
    s.delta = s.options.factor * _range_of_x(s)
    # |D x| has the unit of f.  It gives no scale if x0 is at or near 0; |f| then sets the scale.
    if accurate and not s.options.user_scale:
        s.delta = max(s.delta, 0.1 * s.options.factor * s.fnorm)
    if s.delta == 0.0:
        s.delta = s.options.factor
    if not s.delta <= LARGEST_RADIUS:
        s.delta = LARGEST_RADIUS


cdef bint _is_constant(const lm_state *s) noexcept nogil:
    """Return whether f depends on none of the parameters that are not fixed: x is on a plateau, not at a minimum."""
    cdef const double *acnorm = lm_column_norms(s)
    cdef ptrdiff_t j
    # If f has underflowed, it cannot be reduced.
    if s.options.tests == LM_TESTS_MINPACK or s.fnorm <= DBL_MIN / EPSMCH:
        return False
    for j in range(s.n):
        if acnorm[j] != 0.0 and not (s.bounded and s.lower[j] == s.upper[j]):
            return False
    return _may_move(s)


cdef bint _may_move(const lm_state *s) noexcept nogil:
    """Return whether a parameter is free: neither fixed nor at an active bound."""
    return _free(s) > 0


cdef void _rescale(lm_state *s) noexcept nogil:
    """Increase D to the norms of the columns of J; it never decreases (More' 1978, section 6)."""
    cdef const double *acnorm = lm_column_norms(s)
    cdef ptrdiff_t j
    for j in range(s.n):
        s.diag[j] = max(s.diag[j], acnorm[j])


cdef bint lm_sound(lm_state *s, const double *acnorm) noexcept nogil:
    """Return whether the iteration can continue from a Jacobian at x with these norms of its columns.

    It cannot if a norm is not finite, or if the first step was based on a column of rounding errors: its D_j is then
    increased.  With the accurate tests it cannot either if a parameter has diverged and a column has vanished, so that a
    change that used to change f by |f| has no visible effect now: the step led to a plateau, where the gradient gives no
    direction.
    """
    cdef const double *last = lm_column_norms(s)
    cdef bint vanished = False
    cdef double size
    cdef ptrdiff_t j
    for j in range(s.n):
        if not isfinite(acnorm[j]):
            return False
        vanished |= acnorm[j] < EPSMCH * last[j]
    if s.models == 1 and _first_step_was_error(s, acnorm):
        return False
    if not vanished or s.options.tests != LM_TESTS_ACCURATE or s.models == 0:
        return True
    for j in range(s.n):
        size = last[j] * fabs(s.base[j]) if s.base[j] != 0.0 else s.base_fnorm
        if last[j] * fabs(s.x[j] - s.base[j]) > RUNS_AWAY * size:
            return False
    return True


cdef bint _first_step_was_error(lm_state *s, const double *acnorm) noexcept nogil:
    """Return whether a column of the first J consisted of rounding errors; D_j becomes the norm of the column at x.

    An angle has no effect between equal axes.  The terms of its exact derivative cancel to 1e-16 of their size, and with
    this D_j the first step changes it by 1e15.
    """
    cdef const double *last = lm_column_norms(s)
    cdef bint found = False
    cdef ptrdiff_t j
    if s.options.tests != LM_TESTS_ACCURATE or s.options.user_scale:
        return False
    for j in range(s.n):
        if acnorm[j] > GROWN * last[j] > 0.0 and acnorm[j] * fabs(s.x[j] - s.base[j]) > TOO_FAR * s.base_fnorm:
            s.diag[j] = max(s.diag[j], acnorm[j])
            found = True
    return found


cdef double _gradient_norm(lm_state *s) noexcept nogil:
    """Return the largest |J_j^T f| / (|J_j| |f|) over the free columns j, 0 if f = 0; without bounds set the gradient."""
    cdef double *gradient = s.wa1 if s.bounded else s.gradient
    cdef double gnorm = 0.0
    cdef ptrdiff_t j
    if s.fnorm == 0.0:
        return 0.0
    s.linear.gradient(s.model, NULL, s.fnorm, gradient)
    for j in range(s.n):
        if s.free_norms[j] != 0.0:
            gnorm = max(gnorm, fabs(gradient[j] / s.free_norms[j]))
    return gnorm


cdef bint _has_lost_columns(const lm_state *s) noexcept nogil:
    """Return whether differences give columns that are all error, which measured intervals may avoid."""
    cdef ptrdiff_t j
    if not _wants_refinement(s):
        return False
    for j in range(s.n):
        if s.column_error[j] == 1.0 and not (s.bounded and s.active[j]) and not is_at_jump(s, j):
            return True
    return False


cdef bint _wants_refinement(const lm_state *s) noexcept nogil:
    """Return whether more accurate derivatives may be requested.

    refine of 2: only if the model has directions along which J is error.
    """
    return not s.refined and s.options.tests == LM_TESTS_ACCURATE \
        and s.options.refine != 0 and (s.options.refine != 2 or s.rank < _free(s))


cdef ptrdiff_t _free(const lm_state *s) noexcept nogil:
    """Return the number of parameters that are neither fixed nor at an active bound."""
    cdef ptrdiff_t j, free = s.n
    if s.bounded:
        for j in range(s.n):
            free -= s.active[j] != 0
    return free
