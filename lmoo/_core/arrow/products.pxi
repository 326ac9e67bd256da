"""Products with the Jacobian by the factors of the arrow linear model: gradient, predictions, truncation."""


ctypedef struct product:
    lm_arrow *a
    const lm_arrow_factor *factor
    const double *p         # NULL: 0
    bint with_q
    double scale            # what results are divided by
    double *w               # n: J p, or J p + f, in the factor's rows
    double *out             # n, or NULL: the transpose times that


cdef void _product_part(ptrdiff_t part, void *context) noexcept nogil:
    cdef product *b = <product *>context
    cdef const lm_arrow *a = b.a
    cdef ptrdiff_t i, j, k, p, r, base, width, s = a.shared
    cdef const double *block
    cdef const int *order
    cdef const int *columns
    cdef double *sums = a.part[part].sums
    cdef double *w
    cdef double pj, total
    memset(sums, 0, <size_t>s * sizeof(double))
    for k in range(arrow_start(a, part), arrow_start(a, part + 1)):
        p, r, base = _own(a, k), b.factor.rank[k], s + a.first[k]
        block = b.factor.blocks + a.place[k]
        order = b.factor.order + a.first[k]
        width, columns = _width(a, k), _columns(a, k)
        w = b.w + base
        for i in range(p):
            w[i] = block[i + (p + width) * p] if b.with_q and i < r else 0.0
        if b.p != NULL:
            for j in range(p):
                pj = b.p[base + order[j]]
                for i in range(min(j + 1, r)):
                    w[i] += block[i + j * p] * pj
            for j in range(width):
                pj = b.p[columns[j]]
                for i in range(r):
                    w[i] += block[i + (p + j) * p] * pj
        if b.scale != 1.0:
            for i in range(r):
                w[i] /= b.scale
        if b.out == NULL:
            continue
        for j in range(p):
            total = 0.0
            for i in range(min(j + 1, r)):
                total += block[i + j * p] * w[i]
            b.out[base + order[j]] = total
        for j in range(width):
            total = 0.0
            for i in range(r):
                total += block[i + (p + j) * p] * w[i]
            sums[columns[j]] += total


cdef void _product(product *b) noexcept nogil:
    """w = (J p + f) / scale in the rows of the factor, and out = J^T w."""
    cdef lm_arrow *a = b.a
    cdef ptrdiff_t i, j, k, s = a.shared
    cdef const double *t = b.factor.t
    cdef double total
    arrow_each(a, _product_part, b, _product_work(a))
    for i in range(s):
        b.w[i] = t[i + s * s] if b.with_q and i < b.factor.trank else 0.0
    if b.p != NULL:
        for j in range(s):
            for i in range(min(j + 1, b.factor.trank)):
                b.w[i] += t[i + j * s] * b.p[b.factor.torder[j]]
    for i in range(s):
        b.w[i] /= b.scale
    if b.out == NULL:
        return
    for j in range(s):
        k = b.factor.torder[j]
        total = 0.0
        for i in range(min(j + 1, b.factor.trank)):
            total += t[i + j * s] * b.w[i]
        for i in range(a.parts):
            total += a.part[i].sums[k]
        b.out[k] = total


cdef void _gradient(void *model, const double *p, double fnorm, double *out) noexcept nogil:
    """lmoo_linear.gradient."""
    cdef lm_arrow *a = <lm_arrow *>model
    cdef product b
    b.a, b.factor, b.p, b.with_q, b.scale, b.w, b.out = a, &a.all, p, True, fnorm, a.wa, out
    _product(&b)


cdef void _gram(void *model, const double *v, double *out) noexcept nogil:
    """lmoo_linear.gram."""
    cdef lm_arrow *a = <lm_arrow *>model
    cdef product b
    b.a, b.factor, b.p, b.with_q, b.scale, b.w, b.out = a, &a.all, v, False, 1.0, a.wa, out
    _product(&b)


cdef void _predict(void *model, const double *p, int all, double fnorm, double *norm,
                   double *slope) noexcept nogil:
    """lmoo_linear.predict."""
    cdef lm_arrow *a = <lm_arrow *>model
    cdef product b
    cdef ptrdiff_t i, k, own, s = a.shared
    cdef const double *q
    cdef double total = 0.0, sum
    if not all:
        _need_free(a)
    b.a, b.factor, b.p, b.with_q = a, &a.all if all else &a.free, p, False
    b.scale, b.w, b.out = fnorm, a.wa, NULL
    _product(&b)
    norm[0] = enorm(a.n, a.wa)
    for i in range(b.factor.trank):
        total += a.wa[i] * (b.factor.t[i + s * s] / fnorm)
    for k in range(a.groups):
        own = _own(a, k)
        q = b.factor.blocks + a.place[k] + (own + _width(a, k)) * own
        sum = 0.0
        for i in range(b.factor.rank[k]):
            sum += a.wa[s + a.first[k] + i] * (q[i] / fnorm)
        total += sum
    slope[0] = total


cdef void _leave_out(void *model, const int *active) noexcept nogil:
    """lmoo_linear.leave_out."""
    cdef lm_arrow *a = <lm_arrow *>model
    memcpy(a.left_out, active, <size_t>a.n * sizeof(int))
    a.stale, a.damped = True, False


cdef ptrdiff_t _truncate(void *model, const double *column_error, double fnorm, double *newton,
                         double *error) noexcept nogil:
    """lmoo_linear.truncate."""
    cdef lm_arrow *a = <lm_arrow *>model
    cdef ptrdiff_t i, k, p, s = a.shared, rank
    cdef const double *block
    _free(a, column_error)
    error[0] = 0.0
    memset(a.wa, 0, <size_t>a.n * sizeof(double))
    rank = a.free.trank
    for i in range(rank):
        a.wa[i] = a.free.t[i + s * s]
        error[0] = max(error[0], column_error[a.free.torder[i]])
    for k in range(a.groups):
        p = _own(a, k)
        block = a.free.blocks + a.place[k] + (p + _width(a, k)) * p
        for i in range(a.free.rank[k]):
            a.wa[s + a.first[k] + i] = block[i]
            error[0] = max(error[0], column_error[s + a.first[k] + a.free.order[a.first[k] + i]])
        rank += a.free.rank[k]
    newton[0] = enorm(a.n, a.wa) / fnorm
    return rank
