"""Errors of the columns of a Jacobian, from what its strategy has measured."""

from libc.math cimport fabs, sqrt
from libc.string cimport memset

from lmoo._core.iteration cimport is_at_jump, is_hidden_column
from lmoo._core.model cimport *


cdef bint linearize_errors(lm_driver *d, const double *acnorm) noexcept nogil:
    """Call store_errors for the Jacobian that the strategy has filled."""
    cdef const lmoo_point *at = &d.point
    return store_errors(d.s, acnorm, at.relative_error, max(at.precision, d.noise), at.noise, d.m)


cdef bint store_errors(lm_state *s, const double *acnorm, double relative, double precision,
                      double noise, ptrdiff_t m) noexcept nogil:
    """Store the errors of the columns in the state; the strategy has filled its column_error and interval.

    acnorm                n, the norms of the columns, read only
    relative, precision   relative errors of all columns, and of f
    noise                 norm of the error of f, if a strategy has measured it; else 0

    Return whether a column consists of error.  Its column_error is then 1, and it must be set to zero, as a step
    along it could have any length.
    """
    cdef double root = sqrt(<double>m), f_error = s.fnorm
    cdef bint all_error = False
    cdef ptrdiff_t j
    if s.options.tests == LM_TESTS_MINPACK:
        # These tests use J without changes.
        s.jacobian_error = 10.0 * max(max(relative, precision), EPSMCH * root)
        return False
    if noise / root > s.least_noise:
        # Intervals that were measured with a smaller error are measured again.
        s.least_noise, s.measured = noise / root, 0
    for j in range(s.n):
        if s.column_error[j] < 1.0:
            f_error = max(f_error, acnorm[j] * fabs(s.x[j]))
    # Roundings are independent of each other, and of any direction; a measured error need not be.
    s.along_error = max(precision * f_error / root, root * s.least_noise)
    f_error = max(precision * f_error, root * s.least_noise)
    relative = max(max(relative, precision), EPSMCH * root)
    s.jacobian_error = 0.0
    for j in range(s.n):
        if s.interval[j] > 0.0:
            if 2.0 * f_error < s.interval[j] * acnorm[j]:
                s.column_error[j] += 2.0 * f_error / s.interval[j] / acnorm[j]
            else:
                s.column_error[j] = 1.0
        if is_at_jump(s, j) or s.left_out and is_hidden_column(s, j, acnorm[j]):
            s.column_error[j] = 1.0
        if s.column_error[j] >= 1.0:
            s.column_error[j] = 1.0
            # Its interval was not suitable.
            s.length[j] = min(s.length[j], 0.0)
            all_error |= acnorm[j] > 0.0
            continue
        # Safety factor for sums of m products and further operations.
        s.column_error[j] = min(1.0, 10.0 * max(relative, s.column_error[j]))
        if s.column_error[j] == 1.0:
            s.length[j] = min(s.length[j], 0.0)
            # It may be error: it is left out if no step with it has reduced |f|.
            all_error |= s.left_out != 0 and acnorm[j] > 0.0
        s.jacobian_error = max(s.jacobian_error, s.column_error[j])
    return all_error


cdef void drop_columns(lm_state *s, ptrdiff_t m, double *a, double *acnorm) noexcept nogil:
    """Set the columns to zero that consist of error, by store_errors.  a: m x n, column-major; acnorm: n, its norms."""
    cdef ptrdiff_t j
    for j in range(s.n):
        if s.column_error[j] == 1.0:
            memset(a + j * m, 0, <size_t>m * sizeof(double))
            acnorm[j] = 0.0
