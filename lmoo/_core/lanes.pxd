"""The linear models of several fits of one shape at once."""

from lmoo._core.driver cimport lm_driver

cdef enum:
    FITS = 8    # as LMOO_FITS of lanes.h

ctypedef struct lm_lanes:
    ptrdiff_t m, n
    double *memory              # lanes_doubles(m, n), the caller's
    int count
    lm_driver *drivers[FITS]    # whose Jacobians are filled, borrowed

cdef size_t lanes_doubles(ptrdiff_t m, ptrdiff_t n) noexcept nogil
cdef void lanes_answer(lm_lanes *w) noexcept nogil
