"""Euclidean norms that neither overflow nor underflow, and tests for finiteness."""

cdef double enorm(ptrdiff_t n, const double *x) noexcept nogil
cdef void column_norms(ptrdiff_t m, ptrdiff_t n, const double *a, ptrdiff_t lda,
                       double *norms) noexcept nogil
cdef bint all_finite(ptrdiff_t n, const double *x) noexcept nogil
cdef bint all_zero(ptrdiff_t n, const double *x) noexcept nogil
cdef double scaled_norm(ptrdiff_t n, const double *d, const double *x, double *wa) noexcept nogil
cdef ptrdiff_t first_not_finite(ptrdiff_t n, const double *x) noexcept nogil
