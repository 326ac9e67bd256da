"""Factorisations that do not depend on the units of the parameters."""

from lmoo._core.model cimport lm_state

cdef double unit_of(const lm_state *s, const double *acnorm, ptrdiff_t j) noexcept nogil
cdef void divide_columns(const lm_state *s, const double *acnorm, ptrdiff_t m, double *a,
                         double *norms) noexcept nogil
cdef void multiply_columns(const lm_state *s, const double *acnorm, ptrdiff_t m, double *a) noexcept nogil
cdef void multiply_triangle(const lm_state *s, const double *acnorm, double *r, const int *ipvt) noexcept nogil
