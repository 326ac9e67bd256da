"""Trial points: steps, bad points, acceptance and rejection (More' 1978, algorithm 7.1)."""

from libc.math cimport cbrt, fabs, sqrt

from lmoo._core.model cimport *
from lmoo._core.norms cimport all_finite, copy, scaled_norm

cdef double SHORTEN = 0.25      # factor of a step to a bad point
# Share of what steps towards bad points have gained below which the rest of the way is not worth evaluations.
cdef double AT_WALL = 1e-6
# Least ratio of a step of a parameter to the one before, in the other direction, that is no contraction.
cdef double ALTERNATING = 0.9


cdef int _propose(lm_state *s) noexcept nogil:
    """Request a new step from the model, delta and D."""
    s.curved = 0
    return _ask_strategy(s)


cdef int _ask_strategy(lm_state *s) noexcept nogil:
    """Call the step strategy; return the request that it needs first, or that for the trial point."""
    cdef int request
    s.prered = s.dirder = 0.0
    request = s.options.step.propose(s, s.options.step.context)
    return request if request != LM_RESIDUAL else _try(s)


cdef int _try(lm_state *s) noexcept nogil:
    """Set the trial point x + step."""
    cdef ptrdiff_t j
    s.step_par = s.par
    if s.bounded:
        bounds_limit_step(s)
    for j in range(s.n):
        s.trial[j] = s.x[j] + s.step[j]
    if s.bounded:
        bounds_place(s)
    # Near overflow the step may have entries that are not finite.
    if not all_finite(s.n, s.trial):
        s.pnorm = s.delta
        return _shorten(s)
    s.pnorm = scaled_norm(s.n, s.diag, s.step, s.wa2)
    if s.steps == 0 and not s.limited:
        s.delta = min(s.delta, s.pnorm)
    if s.prered == 0.0:
        predict(s, s.step, False)
    return LM_RESIDUAL


cdef int _shorten(lm_state *s) noexcept nogil:
    """Process a bad trial point: reduce the radius and propose a shorter step."""
    s.nit += 1
    if s.extrapolated >= CROSSING and not s.reverted:
        return crossing_drop(s)
    if s.ending == 2:
        return _end(s, LM_FTOL)
    s.refused += 1
    s.good = 0
    s.ratio = s.actred = 0.0
    s.last_pnorm = 0.0
    s.below_noise = 0
    s.wall = max(s.wall, s.delta)
    s.wall_seen = s.steps
    # A Jacobian that is refused, as on a plateau, is no wall: f exists beyond it.
    s.room = 0.0 if s.reverted else s.pnorm
    s.delta = SHORTEN * min(s.delta, s.pnorm)
    s.options.step.refused(s, s.options.step.context)
    # The steps are too short to change x, or to gain anything.
    if s.delta == 0.0 or _is_at_wall(s) or s.delta <= s.options.epsfcn * s.xnorm and (
            s.options.tests != LM_TESTS_ACCURATE or changes_nothing(s, s.options.epsfcn)):
        s.status = LM_DOMAIN
        return _leave_out_hidden(s)
    if s.nfev >= s.options.maxfev:
        return _done(s, LM_MAXFEV)
    return _propose(s)


cdef bint _is_at_wall(const lm_state *s) noexcept nogil:
    """Return whether what the model predicts on the way to a bad point is negligible against what this way has gained.

    Where bad points begin is located by bisection, and the steps on this way are limited by it.
    """
    return s.room > 0.0 and s.step_par > 0.0 and s.prered <= AT_WALL * s.gained


cdef void _keep_off_wall(lm_state *s) noexcept nogil:
    """After a good trial point, limit the radius to half of the way to the last bad point, if steps lead towards it."""
    cdef double cosine = 1.0
    if s.refused == 0:
        _along_last(s, &cosine)
        s.room *= scaled_norm(s.n, s.diag, s.last_step, s.wa2)
    s.room = s.room - s.pnorm if cosine >= SAME_DIRECTION else 0.0
    if s.room <= 0.0:
        # The way to the bad point is left, or passed.
        s.room = s.gained = 0.0
        return
    s.gained = max(s.gained, s.actred)
    s.delta = min(s.delta, 0.5 * s.room)
    # D may grow before the next step.
    s.room = 0.0 if _is_at_wall(s) else s.room / s.pnorm


cdef int _assess_trial(lm_state *s) noexcept nogil:
    """Compare the actual with the predicted reduction and accept or reject the trial point (More' 1978, 7.1)."""
    cdef bint accurate = s.options.tests == LM_TESTS_ACCURATE
    cdef bint taken, relaxed = False
    cdef double delta = s.delta
    cdef int status
    s.nit += 1
    s.actred = -1.0
    if 0.1 * s.fnorm1 < s.fnorm:
        s.actred = 1.0 - (s.fnorm1 / s.fnorm) * (s.fnorm1 / s.fnorm)
    s.ratio = s.actred / s.prered if s.prered != 0.0 else 0.0
    if crossing_fails(s):
        return crossing_drop(s)
    taken = s.ratio >= LEAST_RATIO and (s.prered > 0.0 or not accurate)
    if accurate:
        if is_hidden(s):
            return _finish(s, exhausted(s))
        s.ratio = relaxed_ratio(s, &relaxed)
        taken |= relaxed
    s.options.step.update(s, s.options.step.context)
    # A good step that a bound has limited is no reason to reduce the radius.  Neither is the failure of an extrapolated
    # or bent step: the step that it was made from may be good.
    if s.limited and s.ratio > 0.25 or s.extrapolated and not taken:
        s.delta = max(s.delta, delta)
    # Bad points that were met long ago are no wall, unless the steps still lead towards them.
    if s.delta >= s.wall and (accurate or not has_faded_column(s)) \
            or accurate and s.gained == 0.0 and s.steps - s.wall_seen >= IDLE:
        s.wall = s.room = s.gained = 0.0
    if taken:
        if accurate and s.room > 0.0:
            _keep_off_wall(s)
        if s.extrapolated == LOGARITHMIC:
            logarithmic_accept(s, delta)
        _accept(s)
    else:
        s.rejections += 1
        s.good = 0
    if s.ending == 2:
        return _end(s, LM_FTOL)
    status = stopping(s)
    if status != LM_RUNNING:
        return _stop_or_refine(s, status) if s.accepted else _finish(s, status)
    return _request_model(s) if s.accepted else _try_shorter(s)


cdef int _request_model(lm_state *s) noexcept nogil:
    """Request the model at the new point, by more accurate derivatives if the next step is expected to be the last."""
    cdef double left = max(s.contraction, LEAST_REMAINDER)
    if s.extrapolated == 1:
        left = min(s.contraction, s.remainder)
    # The last test solves n systems.
    if _wants_refinement(s) \
            and (is_error(s, s.offset * left * left) or s.newton and is_settled(s, left * left) or _is_too_fine(s)) \
            and not differences_suffice(s, 0.0):
        return LM_REFINE
    return LM_LINEARIZE


cdef bint _is_too_fine(const lm_state *s) noexcept nogil:
    """Return whether a step shorter than the intervals of differences has gained less than the model predicted.

    f changes its slope within the intervals, as near a root at which J is singular, and all further steps are as short.
    A J that is as accurate as central differences has no such intervals.
    """
    cdef double root = cbrt(s.options.epsfcn)
    return s.ratio < 0.75 and s.pnorm <= sqrt(s.options.epsfcn) * s.xnorm and s.jacobian_error > root * root


cdef int _try_shorter(lm_state *s) noexcept nogil:
    """Propose a shorter step, unless f jumps or has a kink ahead, or the derivatives are in doubt."""
    if jumps_ahead(s):
        return jumps_look(s, 0)
    if kinks_ahead(s):
        return kinks_cross(s)
    if s.rejections >= REJECTIONS and not s.measured:
        return _measure_differences(s)
    return _propose(s)


cdef void _accept(lm_state *s) noexcept nogil:
    cdef double scale
    if s.good >= LM_VALLEY and s.step_par > 0.0 and s.options.step.propose == DEFAULT.propose:
        _damp_alternating(s)
    copy(s.n, s.trial, s.x)
    copy(s.n, s.step, s.last_step)
    s.xnorm = _size_of_x(s)
    scale = (s.fnorm / s.fnorm1) * (s.fnorm / s.fnorm1)
    s.last_actred, s.last_dirder = s.actred * scale, s.dirder * scale
    s.fnorm = s.fnorm1
    s.steps += 1
    s.accepted = 1
    s.refused = s.probe = 0
    if s.below_noise or s.actred > s.noise:
        s.rejections = 0
    if s.extrapolated != LOGARITHMIC:
        s.cut = s.cut + 1 if s.step_par > 0.0 else 0
    s.good = min(s.good + 1, s.cut)
    s.since = 0 if s.extrapolated == 1 else s.since + 1


cdef void _damp_alternating(lm_state *s) noexcept nogil:
    """Increase D for parameters whose steps alternate, although the radius limits them.

    For such a parameter |f|^2 has a larger curvature than the model, as at the minimum of a width at 0 if f contains
    its square.  A radius that is small enough for it would stop the other parameters.
    """
    cdef ptrdiff_t j
    if s.options.user_scale:
        return
    for j in range(s.n):
        if s.step[j] * s.last_step[j] < 0.0 and fabs(s.step[j]) >= ALTERNATING * fabs(s.last_step[j]):
            s.diag[j] *= 2.0
