"""What the compiled interface reads and writes of a state, by name; lmoo.h says what each name means."""

from lmoo._core.model cimport *


cdef double *lm_vector(lm_state *s, int which) noexcept nogil:
    """Return a vector of the state; NULL where there is none of this name."""
    if which == LMOO_X:
        return s.x
    elif which == LMOO_TRIAL:
        return s.trial
    elif which == LMOO_BASE:
        return s.base
    elif which == LMOO_DIAG:
        return s.diag
    elif which == LMOO_STEP:
        return s.step
    elif which == LMOO_VELOCITY:
        return s.velocity
    elif which == LMOO_ACCELERATION:
        return s.acceleration
    elif which == LMOO_CURVATURE:
        return s.curvature
    elif which == LMOO_COLUMN_NORMS:
        return s.free_norms
    elif which == LMOO_MEMORY:
        return s.memory
    return NULL


cdef double *lm_number(lm_state *s, int which) noexcept nogil:
    """Return a number of the state."""
    if which == LMOO_FNORM:
        return &s.fnorm
    elif which == LMOO_FNORM1:
        return &s.fnorm1
    elif which == LMOO_BASE_FNORM:
        return &s.base_fnorm
    elif which == LMOO_DELTA:
        return &s.delta
    elif which == LMOO_PAR:
        return &s.par
    elif which == LMOO_XNORM:
        return &s.xnorm
    elif which == LMOO_PNORM:
        return &s.pnorm
    elif which == LMOO_GNORM:
        return &s.gnorm
    elif which == LMOO_ACTRED:
        return &s.actred
    elif which == LMOO_PRERED:
        return &s.prered
    elif which == LMOO_DIRDER:
        return &s.dirder
    elif which == LMOO_RATIO:
        return &s.ratio
    return NULL


cdef ptrdiff_t *lm_count(lm_state *s, int which) noexcept nogil:
    """Return a count of the state."""
    if which == LMOO_NFEV:
        return &s.nfev
    elif which == LMOO_NIT:
        return &s.nit
    elif which == LMOO_STEPS:
        return &s.steps
    elif which == LMOO_MODELS:
        return &s.models
    return NULL


cdef int *lm_flag(lm_state *s, int which) noexcept nogil:
    """Return a flag or a code of the state."""
    if which == LMOO_STATUS:
        return &s.status
    elif which == LMOO_REQUEST:
        return &s.request
    elif which == LMOO_ACCEPTED:
        return &s.accepted
    elif which == LMOO_REVERTED:
        return &s.reverted
    elif which == LMOO_REFUSED:
        return &s.refused
    elif which == LMOO_REFINED:
        return &s.refined
    elif which == LMOO_CURVED:
        return &s.curved
    elif which == LMOO_NEWTON:
        return &s.newton
    elif which == LMOO_BELOW_NOISE:
        return &s.below_noise
    return NULL
