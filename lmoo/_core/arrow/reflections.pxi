"""Small factorisations by Householder reflections, with pivots."""


cdef void _reflect(ptrdiff_t m, ptrdiff_t i, ptrdiff_t width, double *a, ptrdiff_t ld, double norm) noexcept nogil:
    """Householder's reflection of column i, of which norm is that of the rows from i on, over the columns behind it."""
    cdef double *u = a + i + i * ld
    cdef double *column
    cdef double total
    cdef ptrdiff_t j, l, rows = m - i
    if u[0] < 0.0:
        norm = -norm
    for l in range(rows):
        u[l] /= norm
    u[0] += 1.0
    for j in range(i + 1, width):
        column = a + i + j * ld
        total = dot_in_lanes(rows, u, column) / u[0]
        for l in range(rows):
            column[l] -= total * u[l]
    u[0] = -norm


cdef ptrdiff_t _triangularize(ptrdiff_t m, ptrdiff_t c, ptrdiff_t width, double *a, ptrdiff_t ld, int *order,
                              const double *norms, const double *least) noexcept nogil:
    """Reduce the first c of the columns of a, m x width, column-major, to a triangle; returns its rows, the rank.

    order   c or more ints: the parameters of the columns, permuted with them
    norms   by parameter, what columns are measured by in the choice of pivots;  NULL: no pivots
    least   by parameter, a remaining norm that is none;  NULL: 0

    Below the diagonal there is what the reflections left.
    """
    cdef ptrdiff_t i = 0, j, l, best
    cdef double norm, found, size, most
    cdef double swap
    cdef int other
    while i < c and i < m:
        best, norm = i, enorm(m - i, a + i + i * ld)
        if norms != NULL:
            most = norm / norms[order[i]] if norms[order[i]] > 0.0 else 0.0
            for j in range(i + 1, c):
                found = enorm(m - i, a + i + j * ld)
                size = found / norms[order[j]] if norms[order[j]] > 0.0 else 0.0
                if size > most:
                    best, most, norm = j, size, found
        if norm == 0.0 or least != NULL and norm <= least[order[best]]:
            if norms != NULL or i == c - 1:
                break
            best, c = c - 1, c - 1
        if best != i:
            for l in range(m):
                swap = a[l + i * ld]
                a[l + i * ld] = a[l + best * ld]
                a[l + best * ld] = swap
            other = order[i]
            order[i] = order[best]
            order[best] = other
            if best == c:
                continue
        _reflect(m, i, width, a, ld, norm)
        i += 1
    return i
