"""Ways to fill the Jacobian buffer."""

from lmoo._core.model cimport lm_state
from lmoo._core.residual cimport Residual

cdef class Derivatives:
    cdef readonly bint can_refine
    cdef readonly double noise      # relative error of the residual, where the user told it
    cdef int fill(self, Residual fun, const lm_state *s, const double *f, double *fjac, object out,
                  double *x, double *spare, bint better) except -1
    cdef double error(self, Residual fun, bint refined) noexcept

cdef class Differences(Derivatives):
    cdef bint central, nominal
    cdef object typical
    cdef int forward_column(self, Residual fun, const lm_state *s, const double *f, double *column,
                            double *x, ptrdiff_t j, double h) except -1
    cdef int central_column(self, Residual fun, const lm_state *s, const double *f, double *column,
                            double *x, double *other, ptrdiff_t j, double h) except -1
    cdef double scale(self, const lm_state *s, ptrdiff_t j) noexcept

cdef class Rows(Derivatives):
    cdef object func, bad_point
    cdef tuple args
    cdef dict kwargs
    cdef readonly str name
    cdef bint columns

cdef class Custom(Derivatives):
    cdef object func, bad_point
    cdef double relative_error
