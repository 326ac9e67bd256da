"""What step strategies share."""

from lmoo._core.model cimport lm_state

cdef void predict(lm_state *s, const double *p, bint all) noexcept nogil
cdef void predict_damped(lm_state *s, const double *p, double par) noexcept nogil
cdef void damped(lm_state *s, double par, double *p) noexcept nogil
cdef double step_within(lm_state *s, double delta, double par, double *p) noexcept nogil
