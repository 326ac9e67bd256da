"""Bounds on the parameters."""

from lmoo._core.model cimport lm_state

cdef size_t bounds_doubles(ptrdiff_t n) noexcept nogil
cdef void bounds_attach(lm_state *s, double *next) noexcept nogil
cdef void bounds_start(lm_state *s, const double *lower, const double *upper) noexcept nogil
cdef void bounds_new_model(lm_state *s) noexcept nogil
cdef void bounds_confine(lm_state *s) noexcept nogil
cdef void bounds_place(lm_state *s) noexcept nogil
cdef bint bounds_inside(const lm_state *s, const double *x) noexcept nogil
