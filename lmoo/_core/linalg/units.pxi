"""Factorisations that do not depend on the units of the parameters.

Pivots are selected by the norms of columns, so they, and the rounding of R, depend on the units of the parameters.
Each column is multiplied by a power of two, without rounding, so that its norm is near 1 in the scale D of the trust
region. R is converted back to the units of J afterwards:

   J diag(1 / 2^e) P = Q S,   R = S P^T diag(2^e) P,   2^e <= 2 D_j < 2^(e + 1)

Other units by powers of two then change only the exponents of the results.  With MINPACK's tests the pivots are
MINPACK's.
"""

from libc.math cimport isfinite
from libc.stdint cimport uint64_t
from libc.string cimport memcpy

from lmoo._core.model cimport *
from lmoo._core.norms cimport enorm

cdef double SMALL = 1e-120
# Biased exponents of 2^-1020 and 2^1020, whose inverses are normal.
cdef enum:
    LEAST_EXPONENT = 3
    LARGEST_EXPONENT = 2043


cdef void units_of(const lm_state *s, const double *acnorm, double *units) noexcept nogil:
    """Compute the powers of two by which the columns are divided.

    acnorm   n, the norms of the columns, which are used for the first model
    units    n, on return the powers of two
    """
    cdef ptrdiff_t j
    cdef double size
    for j in range(s.n):
        size = s.diag[j] if s.diag[j] > 0.0 else acnorm[j]
        units[j] = 1.0
        if s.options.tests != LM_TESTS_MINPACK and size > 0.0 and isfinite(size):
            units[j] = _power_above(size)


cdef inline double _power_above(double size) noexcept nogil:
    """Return the power of two above a size; within the limits of its inverse."""
    cdef uint64_t exponent
    # Calls of frexp and ldexp would take a tenth of the time of a small fit.
    memcpy(&exponent, &size, sizeof(double))
    exponent = min(max((exponent >> 52) + 1, LEAST_EXPONENT), LARGEST_EXPONENT) << 52
    memcpy(&size, &exponent, sizeof(double))
    return size


cdef void divide_columns(ptrdiff_t n, const double *units, ptrdiff_t m, double *a, const double *acnorm,
                         double *norms) noexcept nogil:
    """Divide the columns of a, m x n, by their units.

    acnorm   n, the norms of the columns before
    norms    n, on return those after; NULL if they are not needed
    """
    cdef ptrdiff_t i, j
    cdef double factor
    for j in range(n):
        factor = 1.0 / units[j]
        if factor != 1.0:
            for i in range(m):
                a[i + j * m] *= factor
        if norms != NULL:
            # Where squares under- or overflow, a norm is computed in another way, and is rounded differently.
            norms[j] = acnorm[j] * factor if SMALL < factor < 1.0 / SMALL else enorm(m, a + j * m)


cdef void multiply_triangle(ptrdiff_t n, const double *units, double *r, const int *ipvt) noexcept nogil:
    """Convert S to the units of J.  Column j of r, n x n, belongs to parameter ipvt[j]."""
    cdef ptrdiff_t i, j
    for j in range(n):
        for i in range(j + 1):
            r[i + j * n] *= units[ipvt[j]]
