"""More's step strategy, the default."""

from lmoo._core.model cimport lm_state, lmoo_step

cdef lmoo_step MORE
cdef int more_propose(lm_state *s, void *context) noexcept nogil
cdef void more_update(lm_state *s, void *context) noexcept nogil
cdef void more_refused(lm_state *s, void *context) noexcept nogil
