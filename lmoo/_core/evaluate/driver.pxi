"""The driver: it answers the requests of the iteration by an evaluator.

``driver_run`` is the only loop.  Kinds of problems differ in a table of four functions, lm_evaluator: residual
vectors in memory (vectors.pxi), blocks of rows (solve/rows.pxi), thousands of fits whose models are evaluated together
(batch/batch.pxi, batch/modelfits.pxi).
"""

from libc.math cimport fabs

from lmoo._core.iteration cimport lm_advance, lm_refuse, lm_stop
from lmoo._core.model cimport *

# Relative change of an estimated scale up to which it counts as unchanged.
cdef double SAME_SCALE = 1e-9

cdef enum:
    MOST_ROUNDS = 60    # of estimates of the scale


cdef int driver_run(lm_driver *d, bint one_iteration) noexcept nogil:
    """Answer requests until the iteration ends.

    Return 0 at its end; PAUSED if the evaluator has not answered or, with one_iteration, after a trial point;
    FAILED if user code has ended the solve, with d.code or a Python exception.
    """
    cdef lm_state *s = d.s
    cdef const lm_evaluator *evaluator = d.evaluator
    cdef int request = driver_advance(d), outcome
    cdef ptrdiff_t nit = s.nit
    while request != LM_DONE and not (one_iteration and s.nit != nit):
        if request < 0:
            return FAILED
        if request == LM_RESIDUAL:
            outcome = evaluator.residual(d)
        elif request == LM_CURVATURE:
            outcome = evaluator.curvature(d)
        elif request == LM_STEP:
            outcome = evaluator.step(d)
        else:
            outcome = evaluator.linearize(d, request == LM_REFINE or s.refined)
        if outcome == PAUSED:
            return PAUSED
        if outcome < 0:
            if not d.stop or d.code != 0:
                return FAILED
            lm_stop(s, LM_STOPPED)
        request = driver_advance(d)
    return PAUSED if one_iteration and s.nit != nit else 0


cdef int driver_advance(lm_driver *d) noexcept nogil:
    """Call lm_advance; exchange the residuals with the points, and estimate the scale of a loss at the end.

    Return the request; FAILED if the residual of an earlier point, to which the iteration returns, cannot be evaluated.
    """
    cdef int request
    if d.s.answer == 0:
        # There is no answer since the last call.
        return d.s.request
    request = lm_advance(d.s)
    if d.s.accepted:
        d.f, d.trial = d.trial, d.f
        if d.previous != NULL:
            d.trial, d.previous = d.previous, d.trial
    elif d.s.reverted:
        if d.previous != NULL:
            d.f, d.previous = d.previous, d.f
        elif driver_again(d) != 0:
            return FAILED
        d.factored = d.folded = False
    if request == LM_DONE and d.loss != NULL and d.loss.tuning > 0.0:
        request = _rescale(d)
    return request


cdef int driver_again(lm_driver *d) noexcept nogil:
    """Evaluate f(s.x) once more, for rows that are not stored; return 0 or FAILED.  It is not counted."""
    cdef int code = stream_residual(d, d.s.x, d.f)
    if code > 0:
        # This point had a residual.
        d.code = code
    return FAILED if code != 0 else 0


cdef int _rescale(lm_driver *d) noexcept nogil:
    """Estimate the scale of the loss at the end of an iteration, and continue with it unless it is unchanged.

    Location and scale in turn, as Huber, Ronchetti (2009), "Robust statistics", section 7.8; each minimum is that of
    one cost.  The radius, D and the measured intervals of differences are kept.
    """
    cdef lm_state *s = d.s
    cdef double scale
    if not 1 <= s.status <= 4 or d.loss.rounds >= MOST_ROUNDS or s.nfev >= s.options.maxfev:
        return LM_DONE
    d.loss.rounds += 1
    scale = loss_estimate(d.loss, d.rows, d.n, d.f, d.trial)
    if fabs(scale - d.loss.scale) <= SAME_SCALE * d.loss.scale:
        return LM_DONE
    d.loss.scale = scale
    d.fresh = False
    s.fnorm = s.reached = s.base_reached = s.start_fnorm = s.base_fnorm = loss_norm(d.loss, d.rows, d.f)
    s.status = LM_RUNNING
    s.request = LM_LINEARIZE
    s.delta = max(s.delta, 0.01 * s.xnorm)
    s.last_pnorm = s.hidden_offset = s.bend = 0.0
    s.contraction = s.prered = 1.0
    s.known_newton = s.failed_hidden = s.idle = s.rejections = s.search = s.best = s.found = s.finished = 0
    s.probe = s.measured = s.measuring = s.below_noise = s.extrapolated = s.since = s.refused = s.ending = 0
    return LM_LINEARIZE


cdef int refuse_request(lm_driver *d) noexcept nogil:
    """Refuse a request: lm_evaluator.step or .curvature of evaluators that do not support it."""
    lm_refuse(d.s)
    return 0


cdef int pause_at_request(lm_driver *d) noexcept nogil:
    """Leave a request to the caller of driver_run: lm_evaluator.step."""
    return PAUSED


cdef bint wants_curvature(const lm_state *s) noexcept nogil:
    """Return whether the step strategy may request the curvature at x, which needs J once more."""
    cdef int wants = s.options.step.wants_curvature
    return wants == 1 or wants == 2 and s.cut >= LM_VALLEY
