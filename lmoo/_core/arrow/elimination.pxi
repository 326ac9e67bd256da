"""Factors of the free columns and with damping, from those of all columns."""


ctypedef struct elimination:
    lm_arrow *a
    const lm_arrow_factor *source
    lm_arrow_factor *to
    const int *active       # n, or NULL
    const double *moved     # n, or NULL: where active parameters go
    double root             # of par; 0 without damping
    const double *diag
    const double *least     # n: norms that are none, where pivots are chosen; else NULL


cdef void _eliminate_part(ptrdiff_t part, void *context) noexcept nogil:
    cdef elimination *e = <elimination *>context
    cdef lm_arrow_part *w = &e.a.part[part]
    cdef ptrdiff_t k
    _forget(e.a, w)
    for k in range(arrow_start(e.a, part), arrow_start(e.a, part + 1)):
        _eliminate_group(e, w, k)


cdef void _eliminate_group(const elimination *e, lm_arrow_part *w, ptrdiff_t k) noexcept nogil:
    """Reduce [R_k | S_k | q_k] of the source with rows of damping, and let the rows that remain wait."""
    cdef lm_arrow *a = e.a
    cdef ptrdiff_t i, j, g, c = 0, out, rows, count, rank
    cdef ptrdiff_t p = _own(a, k), width = _width(a, k), base = a.shared + a.first[k], r = e.source.rank[k], ld
    cdef const int *columns = _columns(a, k)
    cdef const double *block = e.source.blocks + a.place[k]
    cdef const int *from_order = e.source.order + a.first[k]
    cdef int *order = e.to.order + a.first[k]
    cdef const double *norms = NULL
    cdef const double *least = NULL
    cdef double *matrix = w.matrix
    if e.least != NULL:
        norms, least = a.s.acnorm + base, e.least + base
    for i in range(p):
        c += e.active == NULL or e.active[base + from_order[i]] == 0
    rows = r + (c if e.root > 0.0 else 0)
    ld = max(rows, 1)
    memset(matrix, 0, <size_t>(ld * (c + width + 1)) * sizeof(double))
    copy(r, block + (p + width) * p, matrix + (c + width) * ld)
    count, out = 0, c
    for i in range(p):
        g = base + from_order[i]
        if e.active == NULL or e.active[g] == 0:
            copy(min(i + 1, r), block + i * p, matrix + count * ld)
            order[count] = from_order[i]
            if e.root > 0.0:
                matrix[r + count + count * ld] = e.root * e.diag[g]
            count += 1
        else:
            order[out] = from_order[i]
            out += 1
            if e.moved != NULL and e.moved[g] != 0.0:
                for j in range(min(i + 1, r)):
                    matrix[j + (c + width) * ld] += block[j + i * p] * e.moved[g]
    for i in range(width):
        g = columns[i]
        if e.active == NULL or e.active[g] == 0:
            copy(r, block + (p + i) * p, matrix + (c + i) * ld)
        elif e.moved != NULL and e.moved[g] != 0.0:
            for j in range(r):
                matrix[j + (c + width) * ld] += block[j + (p + i) * p] * e.moved[g]
    rank = _triangularize(rows, c, c + width + 1, matrix, ld, order, norms, least)
    e.to.rank[k] = <int>rank
    _store(a, e.to, k, rank, matrix, c, ld)
    _push(a, w, columns, width, rank, rows, matrix + c * ld, ld)


cdef void _eliminate(elimination *e) noexcept nogil:
    """The factor of the parameters that are not active, from that of others."""
    cdef lm_arrow *a = e.a
    arrow_each(a, _eliminate_part, e, 2.0 * (a.widest + 1) * _product_work(a))
    if a.scattered:
        _eliminate_scattered(e)
    else:
        _eliminate_folded(e)


cdef void _eliminate_scattered(elimination *e) noexcept nogil:
    """The triangle of the shared parameters, from kept rows."""
    cdef lm_arrow *a = e.a
    cdef const double *norms = a.s.acnorm
    cdef ptrdiff_t j, s = a.shared
    cdef bint same = e.source.pivoted and e.root == 0.0 and not _any_kept(a)
    for j in range(s):
        same &= e.active == NULL or e.active[j] == 0
    if same:
        # With pivots in the same order.
        memcpy(e.to.t, e.source.t, <size_t>(s * (s + 1)) * sizeof(double))
        memcpy(e.to.torder, e.source.torder, <size_t>s * sizeof(int))
        e.to.trank = e.source.trank
        _cut(a, e.to, e.least)
        return
    _keep_triangle(a, e.source, e.active, e.moved)
    if e.root > 0.0:
        _keep_diagonal(a, e.active, e.root, e.diag)
        for j in range(s):
            a.sizes[j] = hypot(a.s.acnorm[j], e.root * e.diag[j])
        norms = a.sizes
    if not a.s.failed:
        _scattered_triangle(a, e.to, e.active, norms, e.least)


cdef void _eliminate_folded(elimination *e) noexcept nogil:
    """The triangle of the shared parameters, from those of the parts."""
    cdef lm_arrow *a = e.a
    cdef lm_arrow_part *w = &a.part[0]
    cdef ptrdiff_t i, j, s = a.shared, c = 0, count = 0, out, ld = s
    cdef double *t = e.to.t
    # The source's own triangle, as rows.
    memset(t, 0, <size_t>(s * (s + 1)) * sizeof(double))
    memcpy(t + s * s, e.source.t + s * s, <size_t>s * sizeof(double))
    for i in range(s):
        j = e.source.torder[i]
        if e.active == NULL or e.active[j] == 0:
            copy(min(i + 1, s), e.source.t + i * s, t + j * s)
        elif e.moved != NULL and e.moved[j] != 0.0:
            for out in range(i + 1):
                t[out + s * s] += e.source.t[out + i * s] * e.moved[j]
    for i in range(e.source.trank, s):
        # Rows of directions that have been truncated.
        for j in range(s + 1):
            t[i + j * s] = 0.0
    _merge_parts(a)
    fold(s, s, t, 1, s, t + s * s, w.t, w.fold_work)
    if e.root > 0.0:
        memset(t, 0, <size_t>(s * (s + 1)) * sizeof(double))
        for j in range(s):
            if e.active == NULL or e.active[j] == 0:
                t[j + j * s] = e.root * e.diag[j]
        fold(s, s, t, 1, s, t + s * s, w.t, w.fold_work)
    # The free columns first.
    for j in range(s):
        c += e.active == NULL or e.active[j] == 0
    out = c
    memset(t, 0, <size_t>(s * (s + 1)) * sizeof(double))
    for j in range(s):
        if e.active == NULL or e.active[j] == 0:
            copy(j + 1, w.t + j * s, t + count * s)
            e.to.torder[count] = <int>j
            count += 1
        else:
            e.to.torder[out] = <int>j
            out += 1
    copy(s, w.t + s * s, t + s * s)
    # Columns of those that are active come behind the right side for once, and are zero.
    memcpy(t + c * s, w.t + s * s, <size_t>s * sizeof(double))
    e.to.trank = _triangularize(s, c, c + 1, t, ld, e.to.torder, NULL if e.least == NULL else a.s.acnorm, e.least)
    for i in range(e.to.trank):
        t[i + s * s] = t[i + c * s]
    for i in range(e.to.trank, s):
        t[i + s * s] = 0.0
    for j in range(s):
        for i in range(s):
            if j >= c or i > j or i >= e.to.trank:
                t[i + j * s] = 0.0


cdef void _free(lm_arrow *a, const double *column_error) noexcept nogil:
    """The factor of the columns that are not left out, without the directions that are no more than error."""
    cdef elimination e
    cdef ptrdiff_t j
    memset(&e, 0, sizeof(elimination))
    for j in range(a.n):
        a.least[j] = column_error[j] * a.s.acnorm[j]
    e.a, e.source, e.to, e.active, e.least = a, &a.all, &a.free, a.left_out, a.least
    _eliminate(&e)
    a.stale, a.damped = False, False


cdef void _need_free(lm_arrow *a) noexcept nogil:
    if a.stale:
        _free(a, a.s.column_error)


cdef const lm_arrow_factor *_with_damping(lm_arrow *a, double par, const double *diag) noexcept nogil:
    """The factor with rows sqrt(par) D."""
    cdef elimination e
    cdef size_t size = <size_t>a.n * sizeof(double)
    _need_free(a)
    if par == 0.0:
        return &a.free
    if a.damped and a.par == par and memcmp(a.diag, diag, size) == 0:
        return &a.work
    memset(&e, 0, sizeof(elimination))
    e.a, e.source, e.to, e.active = a, &a.free, &a.work, a.left_out
    e.root, e.diag = sqrt(par), diag
    _eliminate(&e)
    a.damped, a.par = True, par
    memcpy(a.diag, diag, size)
    return &a.work
