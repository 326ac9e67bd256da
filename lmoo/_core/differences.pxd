"""Compiled Jacobian strategies: the problem's own, and differences."""

from libc.stddef cimport size_t
from lmoo._core.model cimport lmoo_jacobian, lmoo_point

ctypedef struct lm_differences:
    int own             # the problem's own Jacobian, where it has one
    int central         # instead of forward differences
    int nominal         # step and divide exactly as MINPACK does
    int refines         # forward differences may be followed by central ones
    double epsfcn       # relative error of the residual; 0: the precision in which it comes
    const double *typical   # n sizes that |x_j| is taken to be at least, or NULL

cdef int analytic(lmoo_point *at, void *context) noexcept nogil
cdef int differences(lmoo_point *at, void *context) noexcept nogil
