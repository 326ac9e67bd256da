"""Factorisations that do not depend on the units of the parameters.

Pivots are chosen by the norms of columns, and so, to the rounding of R, by the units of the parameters.  Each column
is multiplied by a power of two, without an error, so that it has a norm near 1 in the scale D of the trust region; R
is brought back to the units of J afterwards:

    J diag(1 / 2^e) P = Q S,   R = S P^T diag(2^e) P,   2^e <= 2 D_j < 2^(e + 1)

Units that are other powers of two then change no bit but the exponents.  MINPACK's tests go with MINPACK's pivots.
"""

from libc.math cimport isfinite
from libc.stdint cimport uint64_t
from libc.string cimport memcpy

from lmoo._core.model cimport *
from lmoo._core.norms cimport enorm

cdef double SMALL = 1e-120
# As they are stored: of 2^-1020 and 2^1020, which have inverses.
cdef enum:
    LEAST_EXPONENT = 3
    LARGEST_EXPONENT = 2043


cdef double unit_of(const lm_state *s, const double *acnorm, ptrdiff_t j) noexcept nogil:
    """The power of two by which column j is divided.  acnorm: n, norms of the columns, for the first model."""
    cdef double size = s.diag[j] if s.diag[j] > 0.0 else acnorm[j]
    cdef uint64_t exponent
    if s.options.tests == LM_TESTS_MINPACK or not (size > 0.0 and isfinite(size)):
        return 1.0
    # frexp and ldexp are calls; they would take a tenth of a small fit's time.
    memcpy(&exponent, &size, sizeof(double))
    exponent = min(max((exponent >> 52) + 1, LEAST_EXPONENT), LARGEST_EXPONENT) << 52
    memcpy(&size, &exponent, sizeof(double))
    return size


cdef void divide_columns(const lm_state *s, const double *acnorm, ptrdiff_t m, double *a,
                         double *norms) noexcept nogil:
    """Divide the columns of a, m x n, by their units, and norms, n, unless it is NULL."""
    cdef ptrdiff_t i, j
    cdef double factor
    for j in range(s.n):
        factor = 1.0 / unit_of(s, acnorm, j)
        if factor != 1.0:
            for i in range(m):
                a[i + j * m] *= factor
        if norms != NULL:
            # Where squares under- or overflow the norm has been rounded otherwise.
            norms[j] = acnorm[j] * factor if SMALL < factor < 1.0 / SMALL else enorm(m, a + j * m)


cdef void multiply_columns(const lm_state *s, const double *acnorm, ptrdiff_t m, double *a) noexcept nogil:
    """Undo divide_columns."""
    cdef ptrdiff_t i, j
    cdef double unit
    for j in range(s.n):
        unit = unit_of(s, acnorm, j)
        if unit != 1.0:
            for i in range(m):
                a[i + j * m] *= unit


cdef void multiply_triangle(const lm_state *s, const double *acnorm, double *r, const int *ipvt) noexcept nogil:
    """Bring S to the units of J: column j of r, n x n, is that of parameter ipvt[j]."""
    cdef ptrdiff_t i, j, n = s.n
    cdef double unit
    for j in range(n):
        unit = unit_of(s, acnorm, ipvt[j])
        if unit != 1.0:
            for i in range(j + 1):
                r[i + j * n] *= unit
