"""Whether one-sided differences are accurate enough to end with.

A one-sided difference over the interval h has the error h f_jj / 2, and that of f at both points over h.  Of the
gradient J^T f these change

   f^T f_jj h / 2,   |f^T f_jj| <= rate |J_j|^2,      and      2 e |f| / h,

where e is the error of f in the direction of f.  The rate at which Gauss-Newton steps contract is the size of f^T f''
relative to J^T J, see secant.pxi.  With d, the sum of both in each component, and independent signs, the solution is off
by

   delta_i^2 = sum_k ((J^T J)^-1_ik d_k)^2.

Central differences would take n evaluations more to reduce these errors.
"""

from libc.math cimport INFINITY, fabs, sqrt
from libc.string cimport memset

from lmoo._core.model cimport *

# Errors of the solution that are accepted, in xtol.
cdef double ENOUGH = 30.0


cdef double _propagate(lm_state *s) noexcept nogil:
    """Compute delta, in units of |f| / |J_j|, in curvature; return |J delta|^2 / |f|^2, and infinity if it is unknown."""
    cdef double *squares = s.curvature
    cdef double *error = s.wa1
    cdef double rate = max(max(s.contraction, LEAST_REMAINDER), s.linear_rate if s.extrapolated == 1 else 0.0)
    cdef double total = 0.0, size, cosine
    cdef ptrdiff_t i, j
    memset(squares, 0, <size_t>s.n * sizeof(double))
    memset(error, 0, <size_t>s.n * sizeof(double))
    for j in range(s.n):
        if s.bounded and s.active[j] != 0:
            continue
        # Central differences may tell a column from error that one-sided ones cannot.
        if s.n > MOST_PARAMETERS or s.interval[j] == 0.0 or s.column_error[j] == 1.0 or s.free_norms[j] == 0.0:
            return INFINITY
        size = s.interval[j] * s.free_norms[j]
        cosine = 0.5 * rate * (size / s.fnorm) + 2.0 * s.along_error / size
        error[j] = cosine * s.free_norms[j]
        if s.linear.solve(s.model, 0.0, s.diag, error, s.wa2) != 0:
            return INFINITY
        total += error[j] * s.wa2[j]
        error[j] = 0.0
        for i in range(s.n):
            size = s.free_norms[i] * s.wa2[i]
            squares[i] += size * size
    for j in range(s.n):
        squares[j] = sqrt(squares[j])
    return total


cdef bint is_error(lm_state *s, double offset) noexcept nogil:
    """Return whether a squared relative offset is within the error of the gradient."""
    cdef double error = gradient_error(s)
    return offset <= error * error and offset <= _propagate(s)


cdef bint differences_suffice(lm_state *s, double left) noexcept nogil:
    """Return whether more accurate derivatives than the last ones would change no parameter noticeably.

    left: share of the step that remains after it; it must not exceed the error of the solution either
    """
    cdef double most
    cdef ptrdiff_t j
    for j in range(s.n):
        # Known before n systems are solved for delta.
        if left * _in_residuals(s, j, s.step[j]) > ENOUGH * _accepted(s, j):
            return False
    if _propagate(s) == INFINITY:
        return False
    for j in range(s.n):
        most = _accepted(s, j)
        if s.curvature[j] > ENOUGH * most or left * _in_residuals(s, j, s.step[j]) > max(s.curvature[j], most):
            return False
    return True


cdef inline double _accepted(const lm_state *s, ptrdiff_t j) noexcept nogil:
    """Return the error of parameter j that the test for xtol accepts, in units of |f| / |J_j|."""
    return s.options.xtol * max(_in_residuals(s, j, s.x[j]), STANDARD_ERROR_SHARE)


cdef inline double _in_residuals(const lm_state *s, ptrdiff_t j, double value) noexcept nogil:
    """Return |value| for parameter j in units of |f| / |J_j|."""
    return fabs(value) * (s.free_norms[j] / s.fnorm)


cdef bint ends_accurately(lm_state *s, int status) noexcept nogil:
    """Return whether the errors of differences are within what the test accepts that has been passed."""
    if status == LM_XTOL:
        return differences_suffice(s, 0.0)
    if status == LM_GTOL:
        return _propagate(s) <= s.options.gtol * s.options.gtol
    return status == LM_FTOL and s.offset <= s.options.ftol and _propagate(s) <= s.options.ftol
