"""Euclidean norms that neither overflow nor underflow, and tests for finiteness.

    enorm(x) = (x_0^2 + ... + x_{n-1}^2)^(1/2)

More' (1978), "The Levenberg-Marquardt algorithm: implementation and theory", section on
MINPACK's ENORM; Blue (1978), "A portable Fortran program to find the Euclidean norm of a
vector", ACM TOMS 4.

The functions are inline in every module that uses them: most norms are of a few numbers, and a call from module to
module costs as much as such a norm.
"""

from libc.math cimport fabs, isfinite, sqrt

cdef extern from "finite.h":
    const double SMALL_SUM "LMOO_SMALL_SUM"
    const double LARGE_SUM "LMOO_LARGE_SUM"

cdef enum:
    # Longest sums that are computed in order, as MINPACK's, so that counts of evaluations agree with MINPACK's.
    IN_ORDER = 256
    LONG = 2048


cdef inline double enorm(ptrdiff_t n, const double *x) noexcept nogil:
    """Return the Euclidean norm of x.

    n: length, >= 0.  x: n doubles, read only.
    NaN in x gives NaN, an infinity without NaN gives infinity.
    """
    return norm_of_sum(sum_of_squares(n, x), n, x)


cdef inline double sum_of_squares(ptrdiff_t n, const double *x) noexcept nogil:
    """Return the sum of squares: in order as in MINPACK if x is short, else in lanes, and by halves.

    In one running sum of a million terms the rounding errors would reach 1e-12.
    """
    cdef double total = 0.0
    cdef ptrdiff_t i
    # Apart, so that compilers inline the short sum.
    if n > IN_ORDER:
        return long_sum_of_squares(n, x)
    for i in range(n):
        total += x[i] * x[i]
    return total


cdef inline double long_sum_of_squares(ptrdiff_t n, const double *x) noexcept nogil:
    """Implement sum_of_squares for more than IN_ORDER numbers."""
    if n > LONG:
        return long_sum_of_squares(n // 2, x) + long_sum_of_squares(n - n // 2, x + n // 2)
    return dot_in_lanes(n, x, x)


cdef inline double dot_in_lanes(ptrdiff_t n, const double *x, const double *y) noexcept nogil:
    """Return x^T y from eight independent sums, which a processor can compute at the same time."""
    cdef double s0 = 0.0, s1 = 0.0, s2 = 0.0, s3 = 0.0, s4 = 0.0, s5 = 0.0, s6 = 0.0, s7 = 0.0
    cdef ptrdiff_t i = 0
    while i + 8 <= n:
        s0 += x[i] * y[i]
        s1 += x[i + 1] * y[i + 1]
        s2 += x[i + 2] * y[i + 2]
        s3 += x[i + 3] * y[i + 3]
        s4 += x[i + 4] * y[i + 4]
        s5 += x[i + 5] * y[i + 5]
        s6 += x[i + 6] * y[i + 6]
        s7 += x[i + 7] * y[i + 7]
        i += 8
    while i < n:
        s0 += x[i] * y[i]
        i += 1
    return ((s0 + s4) + (s1 + s5)) + ((s2 + s6) + (s3 + s7))


cdef inline void column_norms(ptrdiff_t m, ptrdiff_t n, const double *a, ptrdiff_t lda,
                       double *norms) noexcept nogil:
    """Compute the norms of the columns of a, m x n, column-major, leading dimension lda, read only.

    Three columns at a time give the processor three independent chains of additions; each norm is enorm of its column
    to the last bit.
    """
    cdef double s0, s1, s2
    cdef const double *c
    cdef ptrdiff_t i, j = 0
    while j + 3 <= n and m <= IN_ORDER:
        c = a + j * lda
        s0 = s1 = s2 = 0.0
        for i in range(m):
            s0 += c[i] * c[i]
            s1 += c[i + lda] * c[i + lda]
            s2 += c[i + 2 * lda] * c[i + 2 * lda]
        norms[j] = norm_of_sum(s0, m, c)
        norms[j + 1] = norm_of_sum(s1, m, c + lda)
        norms[j + 2] = norm_of_sum(s2, m, c + 2 * lda)
        j += 3
    while j < n:
        norms[j] = enorm(m, a + j * lda)
        j += 1


cdef inline void norms_of(ptrdiff_t count, ptrdiff_t m, const double **x, double *norms) noexcept nogil:
    """Compute enorm of several vectors of length m, four independent chains of additions at a time."""
    cdef double s0, s1, s2, s3
    cdef ptrdiff_t i, l = 0
    while l + 4 <= count and m <= IN_ORDER:
        s0 = s1 = s2 = s3 = 0.0
        for i in range(m):
            s0 += x[l][i] * x[l][i]
            s1 += x[l + 1][i] * x[l + 1][i]
            s2 += x[l + 2][i] * x[l + 2][i]
            s3 += x[l + 3][i] * x[l + 3][i]
        norms[l] = norm_of_sum(s0, m, x[l])
        norms[l + 1] = norm_of_sum(s1, m, x[l + 1])
        norms[l + 2] = norm_of_sum(s2, m, x[l + 2])
        norms[l + 3] = norm_of_sum(s3, m, x[l + 3])
        l += 4
    while l < count:
        norms[l] = enorm(m, x[l])
        l += 1


cdef inline double norm_of_sum(double total, ptrdiff_t n, const double *x) noexcept nogil:
    """Return the norm of x from its sum of squares, or by careful_norm if that may have over- or underflowed."""
    return sqrt(total) if SMALL_SUM < total < LARGE_SUM else careful_norm(n, x)


cdef inline bint all_zero(ptrdiff_t n, const double *x) noexcept nogil:
    """Return whether every entry of x is zero."""
    cdef ptrdiff_t i
    for i in range(n):
        if x[i] != 0.0:
            return False
    return True


cdef inline double careful_norm(ptrdiff_t n, const double *x) noexcept nogil:
    """Return the largest magnitude times the norm of x divided by it: one more pass, without overflow."""
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


cdef inline void copy(ptrdiff_t n, const double *x, double *to) noexcept nogil:
    """Copy n doubles, a few; a call of memcpy would take longer."""
    cdef ptrdiff_t j
    for j in range(n):
        to[j] = x[j]


cdef inline double scaled_norm(ptrdiff_t n, const double *d, const double *x, double *wa) noexcept nogil:
    """Return |D x|, D diagonal.  d, x: n doubles, read only.  wa: n doubles, receives D x."""
    cdef double total = 0.0
    cdef ptrdiff_t j
    for j in range(n):
        wa[j] = d[j] * x[j]
        total += wa[j] * wa[j]
    # As enorm.
    return norm_of_sum(total if n <= IN_ORDER else long_sum_of_squares(n, wa), n, wa)


cdef extern from "finite.h" nogil:
    bint all_finite "lmoo_all_finite"(ptrdiff_t n, const double *x)


cdef inline ptrdiff_t first_not_finite(ptrdiff_t n, const double *x) noexcept nogil:
    """Return the index of the first entry of x that is NaN or infinite, -1 if there is none."""
    cdef ptrdiff_t i
    for i in range(n):
        if not isfinite(x[i]):
            return i
    return -1
