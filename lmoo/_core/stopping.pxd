"""When to stop."""

from lmoo._core.model cimport lm_state

cdef int stopping(lm_state *s) noexcept nogil
cdef bint within_rounding(const lm_state *s) noexcept nogil
