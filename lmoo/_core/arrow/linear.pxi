"""The arrow linear model: groups of parameters that occur in rows of their own, and parameters that all rows share.

Rows of group k are [J_k | A_k | f_k], J_k its own p columns and A_k the s shared ones.  QR of J_k leaves

    Q_k^T [J_k | A_k | f_k] = [R_k | S_k | q_k]     p rows, which are kept
                              [ 0  | A'  | f' ]     rows that go into one triangle [T | q] for all groups

so that min |J p + f| is that of |T p_s + q|, and then R_k p_k = -(q_k + S_k p_s) for each group.  With damping the rows
sqrt(par) [D_k | 0 | 0] are added to [R_k | S_k | q_k], which is reduced again.  Time and memory are linear in the
number of groups; nothing is n x n.

Demmel, Schubert, Sommer, Cremers, Usenko (2021), "Square root bundle adjustment for large-scale
reconstruction", CVPR, section 4: the Schur complement by QR, which does not square the condition.  Columns are
pivoted within a group, relative to their norms; the rows of directions that a group does not determine go on
to the shared parameters without them, so that a group without enough data spoils no other.

The groups are worked on in parts, whose number depends on the number of groups alone, and so do results.
"""

from libc.math cimport fabs, hypot, isfinite, sqrt
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset

import numpy as np

cimport numpy as cnp

from lmoo._core.fold cimport fold, fold_work_bytes
from lmoo._core.iteration cimport lm_attach, lm_state_bytes
from lmoo._core.model cimport *
from lmoo._core.norms cimport copy, enorm
from lmoo._core.solve cimport new_vector
from lmoo._core.evaluate cimport job_function, run_in_threads

cnp.import_array()

cdef enum:
    # Groups of a part, below which there is one part alone.
    PART_GROUPS = 128

# Nanoseconds of work that pay for starting threads.
cdef double WORTH_THREADS = 3e5


# ---- parts ----------------------------------------------------------------------------------

cdef ptrdiff_t arrow_start(const lm_arrow *a, ptrdiff_t part) noexcept nogil:
    """The first group of a part; that of part a.parts is the number of groups."""
    return a.groups * part // a.parts


cdef void arrow_each(lm_arrow *a, job_function job, void *context, double work) noexcept nogil:
    """job(part, context) for all parts, on threads where that is worth it.  work: nanoseconds for a group, about."""
    cdef ptrdiff_t part
    if a.parts == 1 or <double>a.groups * work < WORTH_THREADS:
        for part in range(a.parts):
            job(part, context)
    else:
        _in_threads(a, job, context)


cdef inline double _product_work(const lm_arrow *a) noexcept nogil:
    """Nanoseconds, about, of a product with the rows of one group."""
    return 3.0 * (a.widest + 1) * (a.widest + a.shared + 1)


cdef void _in_threads(lm_arrow *a, job_function job, void *context) noexcept with gil:
    cdef ArrowLinear owner = <ArrowLinear>a.owner
    try:
        run_in_threads(job, a.parts, context)
    except BaseException as error:
        # An interruption; the work itself is done.
        if owner.error is None:
            owner.error = error
        a.s.failed = 1


cdef inline ptrdiff_t _own(const lm_arrow *a, ptrdiff_t k) noexcept nogil:
    return a.first[k + 1] - a.first[k]


# ---- small factorisations -------------------------------------------------------------------

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
        total = 0.0
        for l in range(rows):
            total += u[l] * column[l]
        total /= u[0]
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


cdef void _push(const lm_arrow *a, lm_arrow_part *w, ptrdiff_t first, ptrdiff_t last, const double *columns,
                ptrdiff_t ld) noexcept nogil:
    """Rows first to last of [A | f], s + 1 columns, wait to be folded into the shared triangle of this part."""
    cdef ptrdiff_t i, j, count, s = a.shared
    while first < last:
        if w.waiting == ARROW_ROWS:
            _flush(a, w)
        count = min(last - first, ARROW_ROWS - w.waiting)
        for j in range(s + 1):
            for i in range(count):
                w.rows[w.waiting + i + j * ARROW_ROWS] = columns[first + i + j * ld]
        w.waiting += count
        first += count


cdef void _flush(const lm_arrow *a, lm_arrow_part *w) noexcept nogil:
    fold(w.waiting, a.shared, w.rows, 1, ARROW_ROWS, w.rows + a.shared * ARROW_ROWS, w.t, w.fold_work)
    w.waiting = 0


cdef void _merge_parts(lm_arrow *a) noexcept nogil:
    """Fold the triangles of all parts into that of the first."""
    cdef ptrdiff_t p, s = a.shared
    cdef double *t
    for p in range(a.parts):
        if a.part[p].waiting > 0:
            _flush(a, &a.part[p])
    for p in range(1, a.parts):
        t = a.part[p].t
        fold(s, s, t, 1, s, t + s * s, a.part[0].t, a.part[0].fold_work)


# ---- taking rows in -------------------------------------------------------------------------

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


# ---- elimination ----------------------------------------------------------------------------

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
    w.waiting = 0
    memset(w.t, 0, <size_t>(e.a.shared * (e.a.shared + 1)) * sizeof(double))
    for k in range(arrow_start(e.a, part), arrow_start(e.a, part + 1)):
        _eliminate_group(e, w, k)


cdef void _eliminate_group(const elimination *e, lm_arrow_part *w, ptrdiff_t k) noexcept nogil:
    """Reduce [R_k | S_k | q_k] of the source with rows of damping, and let the rows that remain wait."""
    cdef lm_arrow *a = e.a
    cdef ptrdiff_t i, j, g, c = 0, out, rows, count, rank
    cdef ptrdiff_t p = _own(a, k), s = a.shared, base = s + a.first[k], r = e.source.rank[k], ld
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
    memset(matrix, 0, <size_t>(ld * (c + s + 1)) * sizeof(double))
    copy(r, block + (p + s) * p, matrix + (c + s) * ld)
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
                    matrix[j + (c + s) * ld] += block[j + i * p] * e.moved[g]
    for i in range(s):
        if e.active == NULL or e.active[i] == 0:
            copy(r, block + (p + i) * p, matrix + (c + i) * ld)
        elif e.moved != NULL and e.moved[i] != 0.0:
            for j in range(r):
                matrix[j + (c + s) * ld] += block[j + (p + i) * p] * e.moved[i]
    rank = _triangularize(rows, c, c + s + 1, matrix, ld, order, norms, least)
    e.to.rank[k] = <int>rank
    _store(a, e.to, k, rank, rank, matrix, c, ld)
    _push(a, w, rank, rows, matrix + c * ld, ld)


cdef void _eliminate(elimination *e) noexcept nogil:
    """The factor of the parameters that are not active, from that of others."""
    cdef lm_arrow *a = e.a
    cdef lm_arrow_part *w = &a.part[0]
    cdef ptrdiff_t i, j, s = a.shared, c = 0, count = 0, out, ld = s
    cdef double *t = e.to.t
    arrow_each(a, _eliminate_part, e, 2.0 * (a.widest + 1) * _product_work(a))
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


# ---- solutions ------------------------------------------------------------------------------

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
    cdef ptrdiff_t i, j, k, p, r, base, s = a.shared
    cdef const double *block
    cdef const int *order
    cdef double *y = a.part[part].matrix
    for k in range(arrow_start(a, part), arrow_start(a, part + 1)):
        p, r, base = _own(a, k), b.factor.rank[k], s + a.first[k]
        block = b.factor.blocks + a.place[k]
        order = b.factor.order + a.first[k]
        for i in range(r):
            y[i] = block[i + (p + s) * p] if b.q == NULL else b.q[base + i]
            for j in range(s):
                y[i] += block[i + (p + j) * p] * b.shared[j]
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
    cdef double *sums = a.part[part].sums
    cdef double *y
    memset(sums, 0, <size_t>s * sizeof(double))
    for k in range(arrow_start(a, part), arrow_start(a, part + 1)):
        p, r, base = _own(a, k), b.factor.rank[k], s + a.first[k]
        block = b.factor.blocks + a.place[k]
        order = b.factor.order + a.first[k]
        y = b.y + base
        for i in range(r):
            y[i] = b.g[base + order[i]]
            for j in range(i):
                y[i] -= block[j + i * p] * y[j]
            y[i] /= block[i + i * p]
        for j in range(s):
            for i in range(r):
                sums[j] += block[i + (p + j) * p] * y[i]


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


# ---- products -------------------------------------------------------------------------------

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
    cdef ptrdiff_t i, j, k, p, r, base, s = a.shared
    cdef const double *block
    cdef const int *order
    cdef double *sums = a.part[part].sums
    cdef double *w
    cdef double pj, total
    memset(sums, 0, <size_t>s * sizeof(double))
    for k in range(arrow_start(a, part), arrow_start(a, part + 1)):
        p, r, base = _own(a, k), b.factor.rank[k], s + a.first[k]
        block = b.factor.blocks + a.place[k]
        order = b.factor.order + a.first[k]
        w = b.w + base
        for i in range(p):
            w[i] = block[i + (p + s) * p] if b.with_q and i < r else 0.0
        if b.p != NULL:
            for j in range(p):
                pj = b.p[base + order[j]]
                for i in range(min(j + 1, r)):
                    w[i] += block[i + j * p] * pj
            for j in range(s):
                for i in range(r):
                    w[i] += block[i + (p + j) * p] * b.p[j]
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
        for j in range(s):
            for i in range(r):
                sums[j] += block[i + (p + j) * p] * w[i]


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
        q = b.factor.blocks + a.place[k] + (own + s) * own
        sum = 0.0
        for i in range(b.factor.rank[k]):
            sum += a.wa[s + a.first[k] + i] * (q[i] / fnorm)
        total += sum
    slope[0] = total


# ---- columns that are left out --------------------------------------------------------------

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
        block = a.free.blocks + a.place[k] + (p + s) * p
        for i in range(a.free.rank[k]):
            a.wa[s + a.first[k] + i] = block[i]
            error[0] = max(error[0], column_error[s + a.first[k] + a.free.order[a.first[k] + i]])
        rank += a.free.rank[k]
    newton[0] = enorm(a.n, a.wa) / fnorm
    return rank


# ---- whole matrices, for small problems -----------------------------------------------------

cdef int _fill(void *model, ptrdiff_t m, double *jac, ptrdiff_t lda, double *f) noexcept nogil:
    """lmoo_linear.fill: rows are sorted by the group whose own columns they have entries in."""
    cdef lm_arrow *a = <lm_arrow *>model
    cdef ptrdiff_t i, j, k, p, count, s = a.shared, base, width, taken = 0
    cdef double *matrix
    cdef ptrdiff_t ld = max(m, 1)
    cdef bint here
    matrix = <double *>calloc(<size_t>(ld * (a.widest + s + 2)), sizeof(double))
    if matrix == NULL:
        return 1
    arrow_begin(a)
    for k in range(a.groups + 1):
        p = _own(a, k) if k < a.groups else 0
        base = s + a.first[k]
        count = 0
        for i in range(m):
            here = _row_group(a, i, jac, lda) == (k if k < a.groups else -1)
            if not here:
                continue
            for j in range(p):
                matrix[count + j * ld] = jac[i + (base + j) * lda]
            for j in range(s):
                matrix[count + (p + j) * ld] = jac[i + j * lda]
            matrix[count + (p + s) * ld] = f[i]
            count += 1
        taken += count
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


cdef ptrdiff_t _part_of(const lm_arrow *a, ptrdiff_t k) noexcept nogil:
    cdef ptrdiff_t p = 0
    while arrow_start(a, p + 1) <= k:
        p += 1
    return p


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
    cdef ptrdiff_t i, j, k, p, g, s = a.shared, n = a.n
    cdef const double *block
    _need_free(a)
    memset(r, 0, <size_t>(n * n) * sizeof(double))
    for k in range(a.groups):
        p = _own(a, k)
        block = a.free.blocks + a.place[k]
        g = a.first[k]
        for i in range(p):
            ipvt[g + i] = <int>(s + g + a.free.order[g + i])
            qtf[g + i] = block[i + (p + s) * p]
            for j in range(i, p):
                r[g + i + (g + j) * n] = block[i + j * p]
            for j in range(s):
                r[g + i + (n - s + j) * n] = block[i + (p + a.free.torder[j]) * p]
    for i in range(s):
        ipvt[n - s + i] = a.free.torder[i]
        qtf[n - s + i] = a.free.t[i + s * s]
        for j in range(i, s):
            r[n - s + i + (n - s + j) * n] = a.free.t[i + j * s]


cdef lmoo_linear TABLE
TABLE.size = sizeof(lmoo_linear)
TABLE.fill = _fill
TABLE.leave_out = _leave_out
TABLE.truncate = _truncate
TABLE.gradient = _gradient
TABLE.predict = _predict
TABLE.gram = _gram
TABLE.damped = _damped
TABLE.damped_on_face = _damped_on_face
TABLE.solve = _solve
# Newton's method on |D p| with damped and solve (iteration/steps.pxi).
TABLE.within = NULL
TABLE.triangle = _triangle
ARROW = TABLE


# ---- the object -----------------------------------------------------------------------------

cdef class ArrowLinear(LinearTable):
    """An arrow linear model for one solve, with its memory.

    Parameters
    ----------
    shared : int
        Number of shared parameters, at least 1, which come first.
    own : (groups,) array of int
        Number of own parameters of each group; those of group k follow those of group k - 1.

    Attributes
    ----------
    n, shared, groups : int
    """

    def __cinit__(self, ptrdiff_t shared, own):
        cdef ptrdiff_t s = shared, total, p
        counts = np.ascontiguousarray(own, dtype=np.intp)
        if shared < 1 or counts.ndim != 1 or counts.size < 1 or counts.min() < 0:
            raise ValueError("an arrow model must have a shared parameter, and groups of 0 parameters or more")
        self.table = ARROW
        first = np.zeros(counts.size + 1, dtype=np.intp)
        np.cumsum(counts, out=first[1:])
        place = np.zeros(counts.size + 1, dtype=np.intp)
        np.cumsum(counts * (counts + s + 1), out=place[1:])
        self.memory = [first, place]
        self.a.owner = <void *>self
        self.a.shared = self.shared = s
        self.a.groups = self.groups = counts.size
        self.a.n = self.n = s + int(first[counts.size])
        self.a.widest = max(int(counts.max()), 1)
        self.a.first = <const ptrdiff_t *>cnp.PyArray_DATA(<cnp.ndarray>first)
        self.a.place = <const ptrdiff_t *>cnp.PyArray_DATA(<cnp.ndarray>place)
        self.a.parts = min(ARROW_PARTS, max(1, self.groups // PART_GROUPS))
        total = int(place[counts.size])
        self.place_factor(&self.a.all, total)
        self.place_factor(&self.a.next, total)
        self.place_factor(&self.a.free, total)
        self.place_factor(&self.a.work, total)
        self.a.diag = self.doubles(self.n)
        self.a.wa = self.doubles(self.n)
        self.a.least = self.doubles(self.n)
        self.a.left_out = self.ints(self.n)
        parts = np.zeros(self.a.parts * sizeof(lm_arrow_part), dtype=np.uint8)
        self.memory.append(parts)
        self.a.part = <lm_arrow_part *>cnp.PyArray_DATA(<cnp.ndarray>parts)
        for p in range(self.a.parts):
            self.a.part[p].t = self.doubles(s * (s + 1))
            self.a.part[p].rows = self.doubles(ARROW_ROWS * (s + 1))
            self.a.part[p].fold_work = self.doubles(fold_work_bytes(s) // sizeof(double) + 1)
            self.a.part[p].matrix = self.doubles(2 * self.a.widest * (self.a.widest + s + 1) + self.a.widest)
            self.a.part[p].sums = self.doubles(2 * s)

    cdef double *doubles(self, ptrdiff_t count):
        cdef cnp.ndarray array = np.zeros(max(count, 1))
        self.memory.append(array)
        return <double *>cnp.PyArray_DATA(array)

    cdef int *ints(self, ptrdiff_t count):
        cdef cnp.ndarray array = np.zeros(max(count, 1), dtype=np.int32)
        self.memory.append(array)
        return <int *>cnp.PyArray_DATA(array)

    cdef int place_factor(self, lm_arrow_factor *factor, ptrdiff_t total) except -1:
        factor.blocks = self.doubles(total)
        factor.order = self.ints(self.n - self.shared)
        factor.rank = self.ints(self.groups)
        factor.t = self.doubles(self.shared * (self.shared + 1))
        factor.torder = self.ints(self.shared)
        return 0

    cdef int attach(self, lm_state *s) except -1:
        LinearTable.attach(self, s)
        self.a.s = s
        return 0

    @property
    def parts(self):
        """The number of parts that the groups are worked on in."""
        return self.a.parts

    # ---- the factor at the end ----------------------------------------------------------------

    def factor(self, double error, const int[::1] active):
        """Return the factor of the last model as arrays: blocks, order, rank, T, its order, its rank, norms.

        error   relative error of the columns: what is less is not determined
        active  (n,), not 0 for parameters that are left out; None: none are
        """
        cdef ptrdiff_t s = self.shared
        self.reduce(error, active)
        blocks = new_vector(self.a.place[self.groups], self.a.free.blocks)
        order = np.array(<int[:max(self.n - s, 1)]>self.a.free.order)[:self.n - s]
        rank = np.array(<int[:self.groups]>self.a.free.rank)
        t = new_vector(s * (s + 1), self.a.free.t).reshape(s + 1, s).T
        return (blocks, order, rank, t, np.array(<int[:s]>self.a.free.torder), self.a.free.trank,
                new_vector(self.n, self.a.s.acnorm))

    cdef int reduce(self, double error, const int[::1] active) except -1:
        """Make the factor of the free columns."""
        cdef double[::1] errors = np.full(self.n, error)
        if active is None:
            memset(self.a.left_out, 0, <size_t>self.n * sizeof(int))
        else:
            memcpy(self.a.left_out, &active[0], <size_t>self.n * sizeof(int))
        _free(&self.a, &errors[0])
        # Later operations are to have the iteration's own truncation.
        self.a.stale = True
        return 0

    def dense_factor(self, double error, const int[::1] active):
        """Return (r, ipvt, qtf) of the last model, n x n; the arguments are those of `factor`."""
        self.reduce(error, active)
        self.a.stale = False
        found = self.triangle()
        self.a.stale = True
        return found

    # ---- operations one by one, for tests -----------------------------------------------------

    def begin(self):
        """Make a state of its own, for a model that belongs to no solve."""
        cdef lm_state *s
        self.own_state = np.zeros(lm_state_bytes(self.n, True, False) // 8 + 1)
        s = <lm_state *>cnp.PyArray_DATA(<cnp.ndarray>self.own_state)
        s.n, s.bounded, s.linear, s.model = self.n, 1, &self.table, &self.a
        lm_attach(s, self.n)
        self.attach(s)

    def fill(self, jac, f):
        """Take in a whole Jacobian, (m, n); False where it cannot be."""
        cdef double[::1, :] a = np.array(jac, dtype=np.float64, order="F")
        cdef double[::1] right = np.array(f, dtype=np.float64)
        return self.table.fill(&self.a, a.shape[0], &a[0, 0], a.shape[0], &right[0]) == 0

    def fill_groups(self, list blocks not None):
        """Take in the rows [J_k | A_k | f_k] of each group, (m, p + s + 1)."""
        cdef double[::1, :] block
        cdef ptrdiff_t k
        assert len(blocks) == self.groups
        arrow_begin(&self.a)
        for k in range(self.groups):
            block = np.array(blocks[k], dtype=np.float64, order="F")
            assert block.shape[1] == _own(&self.a, k) + self.shared + 1
            arrow_block(&self.a, &self.a.part[_part_of(&self.a, k)], k, block.shape[0], &block[0, 0], block.shape[0])
        arrow_finish(&self.a, self.a.s.acnorm)
        arrow_take(&self.a)

    def leave_out(self, const int[::1] active not None):
        self.table.leave_out(&self.a, &active[0])

    def truncate(self, const double[::1] column_error not None, double fnorm):
        cdef double newton = 0.0, error = 0.0
        memcpy(self.a.s.column_error, &column_error[0], <size_t>self.n * sizeof(double))
        rank = self.table.truncate(&self.a, &column_error[0], fnorm, &newton, &error)
        return rank, newton, error

    def gradient(self, const double[::1] p, double fnorm):
        cdef double[::1] out = np.empty(self.n)
        cdef const double *at = NULL
        if p is not None:
            at = &p[0]
        self.table.gradient(&self.a, at, fnorm, &out[0])
        return np.asarray(out)

    def predict(self, const double[::1] p not None, bint everything, double fnorm):
        cdef double norm = 0.0, slope = 0.0
        self.table.predict(&self.a, &p[0], everything, fnorm, &norm, &slope)
        return norm, slope

    def gram(self, const double[::1] v not None):
        cdef double[::1] out = np.empty(self.n)
        self.table.gram(&self.a, &v[0], &out[0])
        return np.asarray(out)

    def damped(self, double par, const double[::1] diag not None):
        cdef double[::1] out = np.empty(self.n)
        self.table.damped(&self.a, par, &diag[0], &out[0])
        return np.asarray(out)

    def damped_on_face(self, const int[::1] active not None, const double[::1] moved not None, double par,
                       const double[::1] diag not None):
        cdef double[::1] out = np.empty(self.n)
        self.table.damped_on_face(&self.a, &active[0], &moved[0], par, &diag[0], &out[0])
        return np.asarray(out)

    def solve(self, double par, const double[::1] diag not None, const double[::1] g not None):
        cdef double[::1] out = np.empty(self.n)
        if self.table.solve(&self.a, par, &diag[0], &g[0], &out[0]):
            return None
        return np.asarray(out)

    def triangle(self):
        r, ipvt, qtf = np.empty((self.n, self.n), order="F"), np.empty(self.n, dtype=np.int32), np.empty(self.n)
        cdef double[::1, :] to_r = r
        cdef int[::1] to_ipvt = ipvt
        cdef double[::1] to_qtf = qtf
        self.table.triangle(&self.a, &to_r[0, 0], &to_ipvt[0], &to_qtf[0])
        return r, ipvt, qtf
