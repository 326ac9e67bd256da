"""From the Jacobian to the linear model."""

from lmoo._core.driver cimport lm_driver
from lmoo._core.model cimport lm_state

cdef size_t linearize_doubles(ptrdiff_t m, ptrdiff_t n) noexcept nogil
cdef void lm_linearize(lm_state *s, ptrdiff_t m, double *fjac, double *f) noexcept nogil
cdef bint folds_rows(const lm_driver *d) noexcept nogil
cdef int linearize_answer(lm_driver *d, int code) noexcept nogil
cdef bint linearize_errors(lm_driver *d, const double *acnorm) noexcept nogil
cdef bint tell_errors(lm_state *s, const double *acnorm, double relative, double precision,
                      double noise, ptrdiff_t m) noexcept nogil
cdef void drop_columns(lm_state *s, ptrdiff_t m, double *a, double *acnorm) noexcept nogil
cdef void times_transpose(const lm_driver *d, double *v, double *out) noexcept nogil
