"""The part of f that a column of J meets, from which the rounding of |f|^2 follows.

   overlap_j = 10 sum_i |f_i J_ij| / (|f| |J_j|),     at most 1

Terms J_ij x_j are rounded in each row, and |f|^2 changes by the sum over the rows of 2 f_i times their errors.  Where all
rows are alike, overlap_j is 1: the factor allows for terms of the residual that J does not show.  It is small if few
rows determine |J_j|, as those of a large weight, and their residuals are small: the errors of these rows do not hide
what the other rows show.  They are computed only where a test could depend on them.
"""

from libc.float cimport DBL_MIN
from libc.math cimport fabs

from lmoo._core.iteration cimport rounding_counts
from lmoo._core.model cimport *

cdef double SAFETY = 10.0


cdef void add_overlaps(ptrdiff_t m, ptrdiff_t n, const double *a, ptrdiff_t down, ptrdiff_t across,
                       const double *root, const double *f, double fnorm, double *sums) noexcept nogil:
    """Add sum_i |f_i J_ij| / fnorm to n sums, for m rows.

    a      J, entry (i, j) at a[i down + j across], but for factors of its rows
    root   these factors, m doubles, not negative; NULL for 1
    """
    cdef double inverse = 1.0 / fnorm if fnorm >= DBL_MIN else 0.0, factor
    cdef ptrdiff_t i, j
    if down == 1:
        for j in range(n):
            sums[j] += _column_overlap(m, a + j * across, f, inverse) if root == NULL \
                else _scaled_overlap(m, a + j * across, root, f, inverse)
        return
    for i in range(m):
        factor = fabs(f[i] * inverse)
        if root != NULL:
            factor *= root[i]
        for j in range(n):
            sums[j] += factor * fabs(a[i * down + j * across])


cdef inline double _column_overlap(ptrdiff_t m, const double *column, const double *f, double factor) noexcept nogil:
    """Return the sum of |column_i f_i factor| from four sums, which a processor can compute at the same time."""
    cdef double s0 = 0.0, s1 = 0.0, s2 = 0.0, s3 = 0.0
    cdef ptrdiff_t i = 0
    while i + 4 <= m:
        s0 += fabs(f[i] * factor * column[i])
        s1 += fabs(f[i + 1] * factor * column[i + 1])
        s2 += fabs(f[i + 2] * factor * column[i + 2])
        s3 += fabs(f[i + 3] * factor * column[i + 3])
        i += 4
    while i < m:
        s0 += fabs(f[i] * factor * column[i])
        i += 1
    return (s0 + s2) + (s1 + s3)


cdef inline double _scaled_overlap(ptrdiff_t m, const double *column, const double *root, const double *f,
                                   double factor) noexcept nogil:
    """Return the same sum of a column whose entries have the factors root."""
    cdef double s0 = 0.0, s1 = 0.0, s2 = 0.0, s3 = 0.0
    cdef ptrdiff_t i = 0
    while i + 4 <= m:
        s0 += fabs(f[i] * factor * root[i] * column[i])
        s1 += fabs(f[i + 1] * factor * root[i + 1] * column[i + 1])
        s2 += fabs(f[i + 2] * factor * root[i + 2] * column[i + 2])
        s3 += fabs(f[i + 3] * factor * root[i + 3] * column[i + 3])
        i += 4
    while i < m:
        s0 += fabs(f[i] * factor * root[i] * column[i])
        i += 1
    return (s0 + s2) + (s1 + s3)


cdef void store_overlaps(lm_state *s, const double *sums, const double *acnorm) noexcept nogil:
    """Store the overlaps.  sums: n, by add_overlaps, of all rows; acnorm: n, the norms of the columns."""
    cdef double overlap
    cdef ptrdiff_t j
    for j in range(s.n):
        overlap = SAFETY * sums[j] / acnorm[j] if acnorm[j] > 0.0 and s.fnorm >= DBL_MIN else 1.0
        s.overlap[j] = overlap if overlap < 1.0 else 1.0


cdef void overlaps_of(lm_state *s, ptrdiff_t m, const double *a, ptrdiff_t down, ptrdiff_t across,
                      const double *root, const double *f, const double *acnorm) noexcept nogil:
    """Compute and store the overlaps for J in memory, 1 where no test depends on them.

    a, root: J, as for add_overlaps;  f: m, the residual of the model
    """
    cdef bint counts = s.options.tests == LM_TESTS_ACCURATE and rounding_counts(s, acnorm)
    cdef ptrdiff_t j
    for j in range(s.n):
        s.overlap[j] = 0.0 if counts else 1.0
    if counts:
        add_overlaps(m, s.n, a, down, across, root, f, s.fnorm, s.overlap)
        store_overlaps(s, s.overlap, acnorm)
