"""The driver: it answers what the iteration asks, by an evaluator.

``driver_run`` is the only loop there is; what differs from one kind of problem to the next is a table of four
functions, lm_evaluator: residual vectors in memory (vectors.pyx), blocks of rows (rows.pyx), fits by the thousand, whose
models are evaluated together (batch.pyx, modelfits.pyx).
"""

from lmoo._core.iteration cimport lm_advance, lm_refuse, lm_stop
from lmoo._core.model cimport *


cdef int driver_run(lm_driver *d, bint one_iteration) noexcept nogil:
    """Answer requests until the iteration has ended (0), the evaluator has left one unanswered or, with
    one_iteration, a trial point has been judged (PAUSED), or user code has ended the solve, with d.code or a Python
    exception (FAILED)."""
    cdef lm_state *s = d.s
    cdef const lm_evaluator *evaluator = d.evaluator
    cdef int request = driver_advance(d), outcome
    cdef ptrdiff_t nit = s.nit
    while request != LM_DONE and not (one_iteration and s.nit != nit):
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
    """lm_advance, with the residuals kept in step with x."""
    cdef int request
    if d.s.answer == 0:
        # Nothing has come in since the last time.
        return d.s.request
    request = lm_advance(d.s)
    if d.s.accepted:
        d.f, d.trial, d.previous = d.trial, d.previous, d.f
    elif d.s.reverted:
        d.f, d.previous = d.previous, d.f
        d.factored = d.folded = False
    return request


cdef int refuse_request(lm_driver *d) noexcept nogil:
    """lm_evaluator.step or .curvature of those that do without."""
    lm_refuse(d.s)
    return 0


cdef int pause_at_request(lm_driver *d) noexcept nogil:
    """lm_evaluator.step where the caller of driver_run answers."""
    return PAUSED


cdef bint wants_curvature(const lm_state *s) noexcept nogil:
    """Whether the step strategy may ask for curvature at x, which takes the Jacobian once more."""
    cdef int wants = s.options.step.wants_curvature
    return wants == 1 or wants == 2 and s.cut >= LM_VALLEY
