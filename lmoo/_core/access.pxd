"""What the compiled interface reads and writes of a state."""

from lmoo._core.model cimport lm_state

cdef double *lm_vector(lm_state *s, int which) noexcept nogil
cdef double *lm_number(lm_state *s, int which) noexcept nogil
cdef ptrdiff_t *lm_count(lm_state *s, int which) noexcept nogil
cdef int *lm_flag(lm_state *s, int which) noexcept nogil
