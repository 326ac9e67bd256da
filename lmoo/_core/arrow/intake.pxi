"""Rows of a new linear model: each group is reduced by its own columns, and the rest goes to the shared parameters."""


cdef void arrow_begin(lm_arrow *a) noexcept nogil:
    """Rows are to come: of each group once by arrow_block, and by arrow_rows, each part its own groups."""
    cdef ptrdiff_t p
    a.fnorm = a.s.fnorm if a.s != NULL else 0.0
    memset(a.overlaps, 0, <size_t>a.n * sizeof(double))
    for p in range(a.parts):
        _forget(a, &a.part[p])
        memset(a.part[p].overlaps, 0, <size_t>a.shared * sizeof(double))


cdef void arrow_block(lm_arrow *a, lm_arrow_part *w, ptrdiff_t k, ptrdiff_t m, double *matrix,
                      ptrdiff_t ld) noexcept nogil:
    """Take in the rows of group k.

    w       the part that the group is in
    matrix  m x (p + w + 1), column-major, leading dimension ld: [J_k | A_k | f_k], overwritten; w shared columns that
            the group touches
    """
    cdef ptrdiff_t i, rank, p = _own(a, k), width = _width(a, k)
    cdef int *order = a.next.order + a.first[k]
    cdef const int *columns = _columns(a, k)
    cdef const double *f = matrix + (p + width) * ld
    add_overlaps(m, p, matrix, 1, ld, NULL, f, a.fnorm, a.overlaps + a.shared + a.first[k])
    for i in range(width):
        add_overlaps(m, 1, matrix + (p + i) * ld, 1, ld, NULL, f, a.fnorm, w.overlaps + columns[i])
    for i in range(p):
        order[i] = <int>i
    rank = _triangularize(m, p, p + width + 1, matrix, ld, order, NULL, NULL)
    a.next.rank[k] = <int>rank
    _store(a, &a.next, k, rank, matrix, p, ld)
    matrix += p * ld
    if a.scattered and m - rank > width:
        # As few rows as there are columns.
        memset(w.t, 0, <size_t>(width * (width + 1)) * sizeof(double))
        fold(m - rank, width, matrix + rank, 1, ld, matrix + rank + width * ld, w.t, w.fold_work)
        matrix, ld, rank, m = w.t, width, 0, width
    _push(a, w, _columns(a, k), width, rank, m, matrix, ld)


cdef void arrow_rows(lm_arrow *a, lm_arrow_part *w, ptrdiff_t m, const double *matrix, ptrdiff_t ld) noexcept nogil:
    """Take in rows of the shared parameters alone: m x (s + 1), column-major, read only."""
    _push(a, w, a.every, a.shared, 0, m, matrix, ld)


cdef void _store(const lm_arrow *a, lm_arrow_factor *to, ptrdiff_t k, ptrdiff_t rank, const double *matrix,
                 ptrdiff_t c, ptrdiff_t ld) noexcept nogil:
    """Keep the first rows of what _triangularize left of group k, c of the p own columns being there.

    Columns from rank on, which have no pivot, stay: their rows above are part of the model.
    """
    cdef ptrdiff_t i, j, p = _own(a, k), width = _width(a, k)
    cdef double *block = to.blocks + a.place[k]
    memset(block, 0, <size_t>(p * (p + width + 1)) * sizeof(double))
    for j in range(c):
        for i in range(min(j + 1, rank)):
            block[i + j * p] = matrix[i + j * ld]
    for j in range(width + 1):
        for i in range(rank):
            block[i + (p + j) * p] = matrix[i + (c + j) * ld]


ctypedef struct column_norms:
    lm_arrow *a
    double *norms           # n; of own columns


cdef void _norms_part(ptrdiff_t part, void *context) noexcept nogil:
    """Norms of the own columns of a part, and in part.sums squares of the shared ones."""
    cdef column_norms *c = <column_norms *>context
    cdef lm_arrow *a = c.a
    cdef lm_arrow_part *w = &a.part[part]
    cdef const int *columns
    cdef const double *block
    cdef const double *row = w.kept.values
    cdef const lm_piece *piece
    cdef double total
    cdef ptrdiff_t i, j, k, p, s = a.shared
    memset(w.sums, 0, <size_t>s * sizeof(double))
    for k in range(arrow_start(a, part), arrow_start(a, part + 1)):
        p, columns = _own(a, k), _columns(a, k)
        block = a.next.blocks + a.place[k]
        for j in range(p):
            c.norms[s + a.first[k] + a.next.order[a.first[k] + j]] = enorm(min(j + 1, p), block + j * p)
        for j in range(_width(a, k)):
            total = 0.0
            for i in range(a.next.rank[k]):
                total += block[i + (p + j) * p] * block[i + (p + j) * p]
            w.sums[columns[j]] += total
    for k in range(w.kept.count):
        piece = &w.kept.pieces[k]
        for i in range(piece.rows):
            for j in range(piece.width):
                w.sums[piece.columns[j]] += row[j] * row[j]
            row += _padded(piece.width)


cdef void arrow_finish(lm_arrow *a, double *norms) noexcept nogil:
    """All rows are in: norms of the columns, n, not finite where an entry is not."""
    cdef ptrdiff_t j, p, s = a.shared
    cdef column_norms c
    cdef bint finite = True
    if not a.scattered:
        _merge_parts(a)
        memcpy(a.next.t, a.part[0].t, <size_t>(s * (s + 1)) * sizeof(double))
        a.next.trank = s
        for j in range(s):
            a.next.torder[j] = <int>j
            memset(a.next.t + j * s + j + 1, 0, <size_t>(s - 1 - j) * sizeof(double))
    c.a, c.norms = a, norms
    arrow_each(a, _norms_part, &c, _product_work(a))
    for j in range(s):
        norms[j] = 0.0
        if not a.scattered:
            norms[j] = enorm(j + 1, a.next.t + j * s)
            norms[j] *= norms[j]
        for p in range(a.parts):
            norms[j] += a.part[p].sums[j]
        if 1e-280 < norms[j] < 1e280:
            norms[j] = sqrt(norms[j])
        else:
            norms[j] = _careful(a, j)
        finite &= isfinite(norms[j])
    a.next.pivoted = a.scattered and finite
    if a.next.pivoted:
        _scattered_triangle(a, &a.next, NULL, norms, NULL)


cdef void arrow_add_parts(lm_arrow *a) noexcept nogil:
    """Add the overlaps of the shared columns in all parts: a.overlaps are then those of all rows."""
    cdef ptrdiff_t p, j
    for p in range(a.parts):
        for j in range(a.shared):
            a.overlaps[j] += a.part[p].overlaps[j]


cdef void arrow_take(lm_arrow *a) noexcept nogil:
    """The rows that have come in are the model from now on; until then it was the last one."""
    cdef lm_arrow_factor last = a.all
    a.all, a.next = a.next, last
    a.stale, a.damped = True, False
    memset(a.left_out, 0, <size_t>a.n * sizeof(int))


cdef double _careful(const lm_arrow *a, ptrdiff_t j) noexcept nogil:
    """Norm of a shared column whose square overflows or underflows."""
    cdef const lm_piece *piece
    cdef const double *row
    cdef ptrdiff_t i, k, l, p, s = a.shared
    cdef double total = 0.0
    if not a.scattered:
        total = enorm(j + 1, a.next.t + j * s)
    for k in range(a.groups):
        p, l = _own(a, k), _slot(a, k, j)
        if l >= 0:
            total = hypot(total, enorm(p, a.next.blocks + a.place[k] + (p + l) * p))
    for p in range(a.parts):
        row = a.part[p].kept.values
        for k in range(a.part[p].kept.count):
            piece = &a.part[p].kept.pieces[k]
            l = _found(piece.columns, piece.width, j)
            for i in range(piece.rows):
                if l >= 0:
                    total = hypot(total, row[l])
                row += _padded(piece.width)
    return total


cdef ptrdiff_t _found(const int *columns, ptrdiff_t width, ptrdiff_t j) noexcept nogil:
    """Return the place of j among ascending columns; -1 if it is not there."""
    cdef ptrdiff_t low = 0, high = width, middle
    while low < high:
        middle = (low + high) // 2
        if columns[middle] < j:
            low = middle + 1
        else:
            high = middle
    return low if low < width and columns[low] == j else -1


cdef ptrdiff_t _slot(const lm_arrow *a, ptrdiff_t k, ptrdiff_t j) noexcept nogil:
    """Return the place of shared column j among those that group k touches; -1 if it does not."""
    return j if a.span == NULL else _found(_columns(a, k), _width(a, k), j)


cdef void arrow_drop(lm_arrow *a, ptrdiff_t j) noexcept nogil:
    """Set the column of parameter j to zero."""
    cdef ptrdiff_t i, k, l, p, s = a.shared, low = 0, high = a.groups
    if j < s:
        a.next.pivoted = False
        for i in range(s):
            if a.next.torder[i] == j:
                memset(a.next.t + i * s, 0, <size_t>s * sizeof(double))
        for k in range(a.groups):
            p, l = _own(a, k), _slot(a, k, j)
            if l >= 0:
                memset(a.next.blocks + a.place[k] + (p + l) * p, 0, <size_t>p * sizeof(double))
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
