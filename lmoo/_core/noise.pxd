"""The error of |f|, measured."""

from lmoo._core.model cimport lm_state

cdef void noise_place(lm_state *s) noexcept nogil
cdef bint noise_lengthen(lm_state *s, double factor) noexcept nogil
cdef bint noise_take(lm_state *s) noexcept nogil
cdef double noise_found(lm_state *s) noexcept nogil
cdef void noise_begin(lm_state *s) noexcept nogil
