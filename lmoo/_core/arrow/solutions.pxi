"""Steps and solutions of linear systems by the factors of the arrow linear model."""


ctypedef struct substitution:
    lm_arrow *a
    const lm_arrow_factor *factor
    const double *shared    # s: the shared parameters
    const double *q         # n: right sides, in the places of own parameters; NULL: the factor's
    double *p


cdef void _back_part(ptrdiff_t part, void *context) noexcept nogil:
    """p_k = -R_k^-1 (q_k + S_k p_s)."""
    cdef substitution *b = <substitution *>context
    cdef const lm_arrow *a = b.a
    cdef ptrdiff_t i, j, k, p, r, base, width
    cdef const double *block
    cdef const int *order
    cdef const int *columns
    cdef double total
    cdef double *y = a.part[part].matrix
    for k in range(arrow_start(a, part), arrow_start(a, part + 1)):
        p, r, base = _own(a, k), b.factor.rank[k], a.shared + a.first[k]
        width, columns = _width(a, k), _columns(a, k)
        block = b.factor.blocks + a.place[k]
        order = b.factor.order + a.first[k]
        for i in range(r):
            total = block[i + (p + width) * p] if b.q == NULL else b.q[base + i]
            for j in range(width):
                total += block[i + (p + j) * p] * b.shared[columns[j]]
            y[i] = total
        for i in range(r - 1, -1, -1):
            y[i] /= block[i + i * p]
            for j in range(i):
                y[j] -= block[j + i * p] * y[i]
        for i in range(p):
            b.p[base + order[i]] = -y[i] if i < r else 0.0


cdef void _solution(lm_arrow *a, const lm_arrow_factor *factor, const double *q, const double *tq,
                    double *p) noexcept nogil:
    """p = -R^-1 q, with q of own parameters and tq of the shared ones, or both the factor's own where they are NULL."""
    cdef substitution b
    cdef ptrdiff_t i, j, s = a.shared, r = factor.trank
    cdef double *y = a.part[0].sums
    for i in range(r):
        y[i] = factor.t[i + s * s] if tq == NULL else tq[i]
    for i in range(r - 1, -1, -1):
        y[i] /= factor.t[i + i * s]
        for j in range(i):
            y[j] -= factor.t[j + i * s] * y[i]
    for i in range(s):
        p[factor.torder[i]] = -y[i] if i < r else 0.0
    b.a, b.factor, b.shared, b.q, b.p = a, factor, p, q, p
    arrow_each(a, _back_part, &b, _product_work(a))


cdef void _damped(void *model, double par, const double *diag, double *p) noexcept nogil:
    """lmoo_linear.damped."""
    cdef lm_arrow *a = <lm_arrow *>model
    _solution(a, _with_damping(a, par, diag), NULL, NULL, p)


cdef void _damped_on_face(void *model, const int *active, const double *moved, double par, const double *diag,
                          double *p) noexcept nogil:
    """lmoo_linear.damped_on_face."""
    cdef lm_arrow *a = <lm_arrow *>model
    cdef elimination e
    cdef ptrdiff_t j
    memset(&e, 0, sizeof(elimination))
    e.a, e.source, e.to, e.active, e.moved = a, &a.all, &a.work, active, moved
    e.root, e.diag = sqrt(par), diag
    if par == 0.0:
        for j in range(a.n):
            a.least[j] = a.s.column_error[j] * a.s.acnorm[j]
        e.least = a.least
    _eliminate(&e)
    a.damped = False
    _solution(a, &a.work, NULL, NULL, p)
    for j in range(a.n):
        if active[j] != 0:
            p[j] = moved[j]


ctypedef struct forward:
    lm_arrow *a
    const lm_arrow_factor *factor
    const double *g
    double *y


cdef void _forward_part(ptrdiff_t part, void *context) noexcept nogil:
    """y_k = R_k^-T g_k, and the sum of S_k^T y_k over the part."""
    cdef forward *b = <forward *>context
    cdef const lm_arrow *a = b.a
    cdef ptrdiff_t i, j, k, p, r, base, s = a.shared
    cdef const double *block
    cdef const int *order
    cdef const int *columns
    cdef double *sums = a.part[part].sums
    cdef double *y
    cdef double total
    memset(sums, 0, <size_t>s * sizeof(double))
    for k in range(arrow_start(a, part), arrow_start(a, part + 1)):
        p, r, base = _own(a, k), b.factor.rank[k], s + a.first[k]
        block = b.factor.blocks + a.place[k]
        order = b.factor.order + a.first[k]
        columns = _columns(a, k)
        y = b.y + base
        for i in range(r):
            y[i] = b.g[base + order[i]]
            for j in range(i):
                y[i] -= block[j + i * p] * y[j]
            y[i] /= block[i + i * p]
        for j in range(_width(a, k)):
            total = 0.0
            for i in range(r):
                total += block[i + (p + j) * p] * y[i]
            sums[columns[j]] += total


cdef int _solve(void *model, double par, const double *diag, const double *g, double *x) noexcept nogil:
    """lmoo_linear.solve."""
    cdef lm_arrow *a = <lm_arrow *>model
    cdef const lm_arrow_factor *factor = _with_damping(a, par, diag)
    cdef forward b
    cdef ptrdiff_t i, j, k, s = a.shared, free = 0, rank = factor.trank
    cdef double *y = a.part[0].sums + s
    if par == 0.0:
        for j in range(a.n):
            free += a.left_out[j] == 0
        for k in range(a.groups):
            rank += factor.rank[k]
        if rank < free:
            return 1
    b.a, b.factor, b.g, b.y = a, factor, g, a.wa
    arrow_each(a, _forward_part, &b, _product_work(a))
    for i in range(1, a.parts):
        for j in range(s):
            a.part[0].sums[j] += a.part[i].sums[j]
    for i in range(factor.trank):
        j = factor.torder[i]
        y[i] = g[j] - a.part[0].sums[j]
        for k in range(i):
            y[i] -= factor.t[k + i * s] * y[k]
        y[i] /= factor.t[i + i * s]
    # R x = y is -R^-1 q with q = -y.
    for i in range(factor.trank):
        y[i] = -y[i]
    for j in range(s, a.n):
        a.wa[j] = -a.wa[j]
    _solution(a, factor, a.wa, y, x)
    return 0
