"""Rows of a new linear model: each group is reduced by its own columns, and the rest goes to the shared parameters."""


cdef void arrow_begin(lm_arrow *a) noexcept nogil:
    """Rows are to come: of each group once by arrow_block, and by arrow_rows, each part its own groups."""
    cdef ptrdiff_t p
    for p in range(a.parts):
        a.part[p].waiting = 0
        memset(a.part[p].t, 0, <size_t>(a.shared * (a.shared + 1)) * sizeof(double))


cdef void arrow_block(lm_arrow *a, lm_arrow_part *w, ptrdiff_t k, ptrdiff_t m, double *matrix,
                      ptrdiff_t ld) noexcept nogil:
    """Take in the rows of group k.

    w       the part that the group is in
    matrix  m x (p + s + 1), column-major, leading dimension ld: [J_k | A_k | f_k], overwritten
    """
    cdef ptrdiff_t i, p = _own(a, k)
    cdef int *order = a.next.order + a.first[k]
    for i in range(p):
        order[i] = <int>i
    a.next.rank[k] = <int>_triangularize(m, p, p + a.shared + 1, matrix, ld, order, NULL, NULL)
    _store(a, &a.next, k, a.next.rank[k], a.next.rank[k], matrix, p, ld)
    _push(a, w, a.next.rank[k], m, matrix + p * ld, ld)


cdef void arrow_rows(lm_arrow *a, lm_arrow_part *w, ptrdiff_t m, const double *matrix, ptrdiff_t ld) noexcept nogil:
    """Take in rows of the shared parameters alone: m x (s + 1), column-major, read only."""
    _push(a, w, 0, m, matrix, ld)


cdef void _store(const lm_arrow *a, lm_arrow_factor *to, ptrdiff_t k, ptrdiff_t rank, ptrdiff_t columns,
                 const double *matrix, ptrdiff_t c, ptrdiff_t ld) noexcept nogil:
    """Keep the first rows of what _triangularize left of group k, c of the p own columns being there.

    Columns from rank on, which have no pivot, stay: their rows above are part of the model.
    """
    cdef ptrdiff_t i, j, p = _own(a, k), s = a.shared
    cdef double *block = to.blocks + a.place[k]
    memset(block, 0, <size_t>(p * (p + s + 1)) * sizeof(double))
    for j in range(c):
        for i in range(min(j + 1, rank)):
            block[i + j * p] = matrix[i + j * ld]
    for j in range(s + 1):
        for i in range(rank):
            block[i + (p + j) * p] = matrix[i + (c + j) * ld]


cdef void arrow_finish(lm_arrow *a, double *norms) noexcept nogil:
    """All rows are in: norms of the columns, n, not finite where an entry is not."""
    cdef ptrdiff_t i, j, k, p, s = a.shared
    cdef const double *block
    cdef double size
    _merge_parts(a)
    memcpy(a.next.t, a.part[0].t, <size_t>(s * (s + 1)) * sizeof(double))
    a.next.trank = s
    for j in range(s):
        a.next.torder[j] = <int>j
        memset(a.next.t + j * s + j + 1, 0, <size_t>(s - 1 - j) * sizeof(double))
        norms[j] = enorm(j + 1, a.next.t + j * s)
        norms[j] *= norms[j]
    for k in range(a.groups):
        p = _own(a, k)
        block = a.next.blocks + a.place[k]
        for j in range(p):
            norms[s + a.first[k] + a.next.order[a.first[k] + j]] = enorm(min(j + 1, p), block + j * p)
        for j in range(s):
            for i in range(a.next.rank[k]):
                size = block[i + (p + j) * p]
                norms[j] += size * size
    for j in range(s):
        if 1e-280 < norms[j] < 1e280:
            norms[j] = sqrt(norms[j])
        else:
            norms[j] = _careful(a, j)


cdef void arrow_take(lm_arrow *a) noexcept nogil:
    """The rows that have come in are the model from now on; until then it was the last one."""
    cdef lm_arrow_factor last = a.all
    a.all, a.next = a.next, last
    a.stale, a.damped = True, False
    memset(a.left_out, 0, <size_t>a.n * sizeof(int))


cdef double _careful(const lm_arrow *a, ptrdiff_t j) noexcept nogil:
    """Norm of a shared column whose square overflows or underflows."""
    cdef ptrdiff_t k, p, s = a.shared
    cdef double total = enorm(j + 1, a.next.t + j * s)
    for k in range(a.groups):
        p = _own(a, k)
        total = hypot(total, enorm(p, a.next.blocks + a.place[k] + (p + j) * p))
    return total


cdef void arrow_drop(lm_arrow *a, ptrdiff_t j) noexcept nogil:
    """Set the column of parameter j to zero."""
    cdef ptrdiff_t i, k, p, s = a.shared, low = 0, high = a.groups
    if j < s:
        memset(a.next.t + j * s, 0, <size_t>s * sizeof(double))
        for k in range(a.groups):
            p = _own(a, k)
            memset(a.next.blocks + a.place[k] + (p + j) * p, 0, <size_t>p * sizeof(double))
        return
    j -= s
    while high - low > 1:
        k = (low + high) // 2
        if a.first[k] <= j:
            low = k
        else:
            high = k
    # Of groups without parameters of their own, which begin where the next does, the last is found.
    p = _own(a, low)
    for i in range(p):
        if a.next.order[a.first[low] + i] == j - a.first[low]:
            memset(a.next.blocks + a.place[low] + i * p, 0, <size_t>p * sizeof(double))
