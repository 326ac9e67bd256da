"""The evaluator of problems whose residual is a vector in memory."""

from lmoo._core.driver cimport lm_driver, lm_evaluator

cdef lm_evaluator VECTORS
cdef size_t vectors_doubles(ptrdiff_t m, ptrdiff_t n) noexcept nogil
cdef void vectors_place(lm_driver *d, ptrdiff_t m, double *memory, double *fjac) noexcept nogil
cdef void vectors_answer_residual(lm_driver *d) noexcept nogil
cdef void vectors_begin_model(lm_driver *d, bint better) noexcept nogil
cdef bint vectors_begin_curvature(lm_driver *d) noexcept nogil
cdef void vectors_answer_curvature(lm_driver *d, bint bad) noexcept nogil
