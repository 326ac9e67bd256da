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

ctypedef struct lm_columns:
    # How far differences have come.
    ptrdiff_t j         # the column
    int phase, central
    int first           # what is asked for is the first value of column j
    double root, h, step, lower
    double *out         # where f at point.x_work is wanted
    double eps          # relative error of f
    double noise        # norm of the error of f
    double size         # what a parameter contributes to f, as far as the last model tells
    double largest      # and the most that one does
    int tries           # intervals that column j has been taken with
    int restarted       # the noise of f has been seen in this Jacobian, which has begun anew
    double last_h, last_second  # the interval before, and the second difference that it showed

cdef enum:
    # What differences_next returns when it wants f at point.x_work, in out.
    DIFFERENCES_ASK = 2

cdef void differences_begin(lmoo_point *at, const lm_differences *d, lm_columns *w) noexcept nogil
cdef int differences_next(lmoo_point *at, const lm_differences *d, lm_columns *w,
                          int code) noexcept nogil
cdef bint differences_skips(const lmoo_point *at, ptrdiff_t j) noexcept nogil
cdef ptrdiff_t differences_points(const lmoo_point *at, const lm_differences *d,
                                  const lm_columns *w, double *x) noexcept nogil
cdef int differences_take(lmoo_point *at, const lm_differences *d, lm_columns *w,
                          ptrdiff_t *nfev) noexcept nogil
cdef int analytic(lmoo_point *at, void *context) noexcept nogil
cdef int differences(lmoo_point *at, void *context) noexcept nogil
