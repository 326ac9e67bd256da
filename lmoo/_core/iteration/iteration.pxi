"""The Levenberg-Marquardt iteration, in reverse communication.

The iteration returns requests; it calls no function of the problem:

   lm_attach(s, n); lm_start(s, options, x0, diag)
   while True:
       request = lm_advance(s)
       LM_RESIDUAL               evaluate f at s.trial;  lm_residual(s, |f|) or lm_refuse(s)
       LM_LINEARIZE, LM_REFINE   evaluate J at s.x, fill the linear model;  lm_linearized(s) or lm_refuse(s)
       LM_CURVATURE              fill s.curvature for s.velocity;  lm_curved(s) or lm_refuse(s)
       LM_STEP                   fill s.step and s.par;  lm_stepped(s)
       LM_DONE                   s.status is the reason

Each step p solves  min |J p + f|^2 + par |D p|^2.  The step strategy updates par and the radius delta of the trust
region from the ratio of the actual to the predicted reduction of |f|^2.  The default is More's strategy (more.pxi) with
additions (valley.pxi); the options can name another one.  The iteration uses f and J only through the operations of the
linear model (lmoo_linear in lmoo.h; linalg/dense.pxi).

More' (1978), "The Levenberg-Marquardt algorithm: implementation and theory", algorithm 7.1, with the order of
operations of MINPACK's lmder.  Nothing is allocated; there are no Python objects and no arrays of length m.

A call of lm_advance without an answer returns the same request again.  The state is plain data, which can be stored
between any two calls.
"""

from lmoo._core.model cimport *

cdef enum:
    ANSWER_NONE = 0
    ANSWER_GOOD = 1
    ANSWER_BAD = 2

cdef enum:
    # Rejected steps in a row after which the intervals of differences are measured: they may be wrong.
    REJECTIONS = 3
    # In probe: the error of |f| has been measured at this point.  More by j + 1: parameter j is moved alone; more than
    # by n: points at a kink.
    PROBED = 8


# ---- answers --------------------------------------------------------------------------------

cdef void lm_residual(lm_state *s, double fnorm) noexcept nogil:
    """Answer LM_RESIDUAL with |f(trial)|, where every entry of f is finite."""
    s.fnorm1 = fnorm
    s.answer = ANSWER_GOOD


cdef void lm_linearized(lm_state *s) noexcept nogil:
    """Answer LM_LINEARIZE or LM_REFINE: the linear model and acnorm are those of s.x, and finite."""
    s.answer = ANSWER_GOOD


cdef void lm_curved(lm_state *s) noexcept nogil:
    """Answer LM_CURVATURE: s.curvature is J^T f_vv for the direction v = s.velocity."""
    s.answer = ANSWER_GOOD


cdef void lm_stepped(lm_state *s) noexcept nogil:
    """Answer LM_STEP: s.step and s.par are set."""
    s.answer = ANSWER_GOOD


cdef void lm_refuse(lm_state *s) noexcept nogil:
    """Answer any request: x is a bad point, or the request is not supported.  The linear model is unchanged."""
    s.answer = ANSWER_BAD


cdef void lm_stop(lm_state *s, int status) noexcept nogil:
    """End the iteration at its last good point."""
    if s.request != LM_DONE:
        s.request = _done(s, status)


# ---- requests -------------------------------------------------------------------------------

cdef int lm_advance(lm_state *s) noexcept nogil:
    """Process the answer and return the next request."""
    cdef int answer = s.answer
    s.answer = ANSWER_NONE
    if answer == ANSWER_NONE or s.request == LM_DONE:
        return s.request
    s.accepted = s.reverted = 0
    if s.request == LM_RESIDUAL:
        if 0 < s.probe < PROBED:
            s.request = _probed(s, answer)
        elif s.probe > PROBED + s.n:
            s.request = kinks_answer(s, answer)
        elif s.probe > PROBED:
            s.request = _moved_alone(s, answer)
        elif s.search > 0:
            s.request = _searched(s, answer)
        elif not s.started:
            s.request = _begin(s, answer)
        elif answer == ANSWER_BAD:
            s.request = _shorten(s)
        else:
            s.request = _assess_trial(s)
    elif s.request == LM_CURVATURE:
        s.curved = 1 if answer == ANSWER_GOOD else -1
        s.request = _ask_strategy(s)
    elif s.request == LM_STEP:
        s.request = _try(s) if answer == ANSWER_GOOD else _done(s, LM_STOPPED)
    elif answer == ANSWER_BAD:
        s.request = _bad_model(s)
    else:
        s.request = _new_model(s)
    if s.failed:
        s.request = _done(s, LM_STOPPED)
    return s.request


cdef int _done(lm_state *s, int status) noexcept nogil:
    s.status = status
    return LM_DONE


cdef int _begin(lm_state *s, int answer) noexcept nogil:
    """Process the residual at x0."""
    if answer == ANSWER_BAD:
        return _done(s, LM_START_NOT_FINITE)
    s.fnorm = s.reached = s.start_fnorm = s.fnorm1
    s.started = 1
    return LM_LINEARIZE
