"""Standard errors and covariances from the last linear model of a solve."""

from lmoo._core.model cimport lm_state

cdef ptrdiff_t uncertainty_doubles(ptrdiff_t n) noexcept nogil
cdef bint uncertainty(const lm_state *s, double deviation, double *w, double *stderr,
                      double *covariance) noexcept nogil
