"""What step strategies share."""

from lmoo._core.model cimport lm_state

cdef void predict(lm_state *s, const double *p) noexcept nogil
cdef void predict_damped(lm_state *s, const double *p, double par) noexcept nogil
cdef void damped_step(lm_state *s, double par, double *p) noexcept nogil
cdef bint damped_solve(lm_state *s, double par, const double *g, double *x) noexcept nogil
