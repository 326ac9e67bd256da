"""Many small solves of one shape at once."""

from lmoo._core.differences cimport lm_columns, lm_differences
from lmoo._core.driver cimport lm_driver
from lmoo._core.lanes cimport lm_lanes
from lmoo._core.losses cimport lm_loss
from lmoo._core.model cimport lm_options, lmoo_problem

ctypedef struct lm_fit:
    lm_driver d
    lm_columns columns
    lm_loss loss        # d.loss points to it, or is NULL
    int asks


cdef class Fleet:
    cdef lm_options options
    cdef lm_differences differences
    cdef lmoo_problem problem
    cdef lm_loss loss       # what each fit's begins as
    cdef readonly ptrdiff_t count, m, n
    cdef object memory      # of all fits, and what keeps their tables alive
    cdef char *first
    cdef size_t stride      # bytes from fit to fit
    cdef lm_lanes lanes
    cdef size_t state_bytes

    cdef lm_fit *at(self, ptrdiff_t k) noexcept nogil
    cdef double deviation_at(self, ptrdiff_t k, double degrees) noexcept nogil
    cdef void start(self, ptrdiff_t k, const double *x0) noexcept nogil

