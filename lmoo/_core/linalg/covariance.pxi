"""(J^T J)^-1 from the factor R of J P = Q R.

    (J^T J)^-1 = P R^-1 (P R^-1)^T

J^T J itself is never formed: that would square the condition number (Lawson, Hanson (1974),
"Solving least squares problems", chapter 12).
"""

from libc.math cimport isfinite


cdef int inverse_gram(ptrdiff_t n, const double *r, const int *ipvt, double *work,
                      double *out) noexcept nogil:
    """Write (J^T J)^-1 to out; 1 where R is singular or the inverse is not finite.

    r     n x n, column-major, R on and above the diagonal, read only;  ipvt: n ints, P
    work  n x n doubles of work space, the caller's
    out   n x n doubles, exactly symmetric on return
    """
    cdef ptrdiff_t i, j, k
    cdef double total
    if _invert(n, r, work):
        return 1
    for i in range(n):
        for j in range(i + 1):
            total = 0.0
            for k in range(i, n):
                total += work[i + k * n] * work[j + k * n]
            if not isfinite(total):
                return 1
            out[ipvt[i] + ipvt[j] * n] = total
            out[ipvt[j] + ipvt[i] * n] = total
    return 0


cdef int _invert(ptrdiff_t n, const double *r, double *inverse) noexcept nogil:
    """Column by column, R X = I by back substitution; 1 where a diagonal entry is zero."""
    cdef ptrdiff_t i, j, k
    cdef double total
    cdef double *column
    for j in range(n):
        if r[j + j * n] == 0.0:
            return 1
        column = inverse + j * n
        for i in range(n):
            column[i] = 0.0
        column[j] = 1.0 / r[j + j * n]
        k = j
        while k > 0:
            k -= 1
            total = 0.0
            for i in range(k + 1, j + 1):
                total -= r[k + i * n] * column[i]
            column[k] = total / r[k + k * n]
    return 0
