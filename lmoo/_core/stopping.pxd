"""When to stop."""

from lmoo._core.model cimport lm_state

cdef int stopping(lm_state *s) noexcept nogil
cdef int exhausted(const lm_state *s) noexcept nogil
cdef bint is_hidden(const lm_state *s) noexcept nogil
cdef bint is_all_error(const lm_state *s) noexcept nogil
cdef double gradient_error(const lm_state *s) noexcept nogil
cdef bint is_flat(const lm_state *s) noexcept nogil
cdef void assess(lm_state *s) noexcept nogil
cdef double relaxed_ratio(lm_state *s, bint *taken) noexcept nogil
cdef bint hidden_steps_fail(lm_state *s) noexcept nogil
cdef bint has_faded_column(const lm_state *s) noexcept nogil
cdef bint is_rounding(const lm_state *s) noexcept nogil
