"""When to stop."""

from lmoo._core.model cimport lm_state

cdef int converged_like_minpack(const lm_state *s) noexcept nogil
cdef int failed_like_minpack(const lm_state *s) noexcept nogil
cdef bint within_rounding(const lm_state *s) noexcept nogil
cdef int converged_accurately(lm_state *s) noexcept nogil
