"""Euclidean norms that neither overflow nor underflow, and tests for finiteness.

    enorm(x) = (x_0^2 + ... + x_{n-1}^2)^(1/2)

More' (1978), "The Levenberg-Marquardt algorithm: implementation and theory", section on
MINPACK's ENORM; Blue (1978), "A portable Fortran program to find the Euclidean norm of a
vector", ACM TOMS 4.
"""

from libc.math cimport fabs, isfinite, sqrt

# Within these bounds of the sum of squares nothing that counts has overflowed or been lost to
# underflow, so the plain sum is as good as the scaled one (and rounds as MINPACK's middle sum does).
cdef double SMALL_SUM = 1e-280
cdef double LARGE_SUM = 1e300


cdef double enorm(ptrdiff_t n, const double *x) noexcept nogil:
    """Euclidean norm of x.

    n: length, >= 0.  x: n doubles, read only, the caller's.
    NaN in x gives NaN, an infinity without NaN gives infinity.
    """
    cdef double total = 0.0
    cdef ptrdiff_t i
    for i in range(n):
        total += x[i] * x[i]
    if SMALL_SUM < total < LARGE_SUM or total == 0.0 and all_zero(n, x):
        return sqrt(total)
    return careful_norm(n, x)


cdef bint all_zero(ptrdiff_t n, const double *x) noexcept nogil:
    cdef ptrdiff_t i
    for i in range(n):
        if x[i] != 0.0:
            return False
    return True


cdef double careful_norm(ptrdiff_t n, const double *x) noexcept nogil:
    """Largest magnitude times the norm of x divided by it: one pass more, no overflow."""
    cdef double largest = 0.0, scaled, total = 0.0
    cdef ptrdiff_t i
    for i in range(n):
        if x[i] != x[i]:
            return x[i]
        largest = max(largest, fabs(x[i]))
    if largest == 0.0 or not isfinite(largest):
        return largest
    for i in range(n):
        scaled = x[i] / largest
        total += scaled * scaled
    return largest * sqrt(total)


cdef double scaled_norm(ptrdiff_t n, const double *d, const double *x, double *wa) noexcept nogil:
    """|D x|, D diagonal.  d, x: n doubles, read only.  wa: n doubles, receives D x."""
    cdef ptrdiff_t j
    for j in range(n):
        wa[j] = d[j] * x[j]
    return enorm(n, wa)


cdef ptrdiff_t first_not_finite(ptrdiff_t n, const double *x) noexcept nogil:
    """Index of the first entry of x that is NaN or infinite, -1 where there is none."""
    cdef ptrdiff_t i
    for i in range(n):
        if not isfinite(x[i]):
            return i
    return -1
