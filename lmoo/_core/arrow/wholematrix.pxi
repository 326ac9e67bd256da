"""The arrow linear model from and to whole matrices, for small problems."""


cdef int _fill(void *model, ptrdiff_t m, double *jac, ptrdiff_t lda, double *f) noexcept nogil:
    """lmoo_linear.fill: rows are sorted by the group whose own columns they have entries in."""
    cdef lm_arrow *a = <lm_arrow *>model
    cdef ptrdiff_t i, j, k, p, count, s = a.shared, base, width, taken = 0
    cdef const int *columns
    cdef double *matrix
    cdef ptrdiff_t ld = max(m, 1)
    cdef bint here
    matrix = <double *>calloc(<size_t>(ld * (a.widest + s + 2)), sizeof(double))
    if matrix == NULL:
        return 1
    arrow_begin(a)
    for k in range(a.groups + 1):
        p = _own(a, k) if k < a.groups else 0
        width, columns = s, a.every
        if k < a.groups:
            width, columns = _width(a, k), _columns(a, k)
        base = s + a.first[k]
        count = 0
        for i in range(m):
            here = _row_group(a, i, jac, lda) == (k if k < a.groups else -1)
            if not here:
                continue
            for j in range(p):
                matrix[count + j * ld] = jac[i + (base + j) * lda]
            taken += k == a.groups or _touches(a, k, i, jac, lda)
            for j in range(width):
                matrix[count + (p + j) * ld] = jac[i + columns[j] * lda]
            matrix[count + (p + width) * ld] = f[i]
            count += 1
        if k < a.groups:
            arrow_block(a, &a.part[_part_of(a, k)], k, count, matrix, ld)
        else:
            arrow_rows(a, &a.part[0], count, matrix, ld)
    free(matrix)
    if taken < m:
        return 1
    arrow_finish(a, a.s.acnorm)
    arrow_take(a)
    return 0


cdef bint _touches(const lm_arrow *a, ptrdiff_t k, ptrdiff_t i, const double *jac, ptrdiff_t lda) noexcept nogil:
    """Whether row i has entries in no other shared columns than those that group k touches."""
    cdef ptrdiff_t j
    for j in range(a.shared):
        if jac[i + j * lda] != 0.0 and _slot(a, k, j) < 0:
            return False
    return True


cdef ptrdiff_t _row_group(const lm_arrow *a, ptrdiff_t i, const double *jac, ptrdiff_t lda) noexcept nogil:
    """The group that row i belongs to; -1 where it has entries in shared columns alone, -2 where in several groups."""
    cdef ptrdiff_t j, k, found = -1
    for k in range(a.groups):
        for j in range(a.shared + a.first[k], a.shared + a.first[k + 1]):
            if jac[i + j * lda] != 0.0:
                if found not in (-1, k):
                    return -2
                found = k
    return found


cdef void _triangle(void *model, double *r, int *ipvt, double *qtf) noexcept nogil:
    """lmoo_linear.triangle: own parameters first, group by group; n x n, which a solve does not ask for."""
    cdef lm_arrow *a = <lm_arrow *>model
    cdef ptrdiff_t i, j, k, p, g, at, s = a.shared, n = a.n
    cdef const double *block
    _need_free(a)
    memset(r, 0, <size_t>(n * n) * sizeof(double))
    for k in range(a.groups):
        p = _own(a, k)
        block = a.free.blocks + a.place[k]
        g = a.first[k]
        for i in range(p):
            ipvt[g + i] = <int>(s + g + a.free.order[g + i])
            qtf[g + i] = block[i + (p + _width(a, k)) * p]
            for j in range(i, p):
                r[g + i + (g + j) * n] = block[i + j * p]
            for j in range(s):
                at = _slot(a, k, a.free.torder[j])
                if at >= 0:
                    r[g + i + (n - s + j) * n] = block[i + (p + at) * p]
    for i in range(s):
        ipvt[n - s + i] = a.free.torder[i]
        qtf[n - s + i] = a.free.t[i + s * s]
        for j in range(i, s):
            r[n - s + i + (n - s + j) * n] = a.free.t[i + j * s]
