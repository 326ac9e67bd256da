"""The shared triangle where groups touch few of many shared columns: Cholesky first, QR for what that cannot decide.

Folding rows into a triangle takes s^2 operations for each row, s shared columns; the sum of A'^T A' takes w^2, w
columns that the row touches.  Its Cholesky factor, with pivots, in columns of norm 1, is accurate to eps over the
square of a pivot, so it stops at pivots of TAU.  For the columns A_2 that remain and the right side f

    X = R_11^-1 R_11^-T A_1^T [A_2 | f],     B = [A_2 | f] - A_1 X,     X += R_11^-1 R_11^-T A_1^T B

(Bjorck 1987, "Stability analysis of the method of seminormal equations for linear least squares problems", Linear
Algebra Appl. 88/89), and the rows of B, which are explicit, are folded into a triangle of these few columns:

    [T | q] = [R_11  R_11 X_2 | R_11 X_f]
              [       T_22    |   q_2   ]

So columns that are undetermined, or nearly, are seen to eps of their norms, as by QR: the position, the direction and
the scale of a scene of bundle adjustment are seven of them.
"""

# The smallest pivot of the Cholesky factor.
cdef double TAU = 1e-4

cdef enum:
    DENSE_ROWS = 32         # rows of a triangle that are one piece

ctypedef struct scatter:
    lm_arrow *a
    const double *scale     # s + 1: powers of two by which the columns are multiplied, and the right side
    const double *z         # (s + 1) x w, row-major: [X; -1], by shared parameters; the right side comes last
    ptrdiff_t w, rest       # columns of z, in whole vectors, and those that are of A_2


cdef void _gram_part(ptrdiff_t part, void *context) noexcept nogil:
    """The sum of A'^T A' over a part, in part.t; the rows are scaled."""
    cdef scatter *c = <scatter *>context
    cdef lm_arrow_part *w = &c.a.part[part]
    cdef lm_piece *piece
    cdef double *row = w.kept.values
    cdef ptrdiff_t i, j, k, ld, s = c.a.shared
    memset(w.t, 0, <size_t>(s * (s + 1)) * sizeof(double))
    for k in range(w.kept.count):
        piece = &w.kept.pieces[k]
        ld = _padded(piece.width)
        for i in range(piece.rows):
            for j in range(piece.width):
                row[j + i * ld] *= c.scale[piece.columns[j]]
            row[piece.width + i * ld] *= c.scale[s]
        lmoo_add_gram(piece.rows, piece.width, row, ld, piece.columns, s, w.t, s, w.rows)
        row += piece.rows * ld


cdef void _normal_part(ptrdiff_t part, void *context) noexcept nogil:
    """The sum of -A'^T B over a part, s x w, row-major, in part.t."""
    cdef scatter *c = <scatter *>context
    cdef lm_arrow_part *w = &c.a.part[part]
    cdef lm_piece *piece
    cdef double *row = w.kept.values
    cdef ptrdiff_t k, start, count, ld, s = c.a.shared
    memset(w.t, 0, <size_t>(s * c.w) * sizeof(double))
    for k in range(w.kept.count):
        piece = &w.kept.pieces[k]
        ld, start = _padded(piece.width), 0
        while start < piece.rows:
            count = min(piece.rows - start, ARROW_ROWS)
            lmoo_times(count, piece.width, row, ld, piece.columns, s, c.z, c.w, w.rows)
            lmoo_add_transposed(count, piece.width, row, ld, piece.columns, w.rows, c.w, w.t)
            row += count * ld
            start += count


cdef void _rest_part(ptrdiff_t part, void *context) noexcept nogil:
    """The triangle of -B of a part, rest x (rest + 1), in part.t."""
    cdef scatter *c = <scatter *>context
    cdef lm_arrow_part *w = &c.a.part[part]
    cdef lm_piece *piece
    cdef double *row = w.kept.values
    cdef ptrdiff_t k, start, count, ld, waiting = 0, s = c.a.shared
    memset(w.t, 0, <size_t>(c.rest * (c.rest + 1)) * sizeof(double))
    for k in range(w.kept.count):
        piece = &w.kept.pieces[k]
        ld, start = _padded(piece.width), 0
        while start < piece.rows:
            count = min(piece.rows - start, ARROW_ROWS - waiting)
            lmoo_times(count, piece.width, row, ld, piece.columns, s, c.z, c.w, w.rows + waiting * c.w)
            row += count * ld
            start += count
            waiting += count
            if waiting == ARROW_ROWS:
                _fold_rest(c, w, waiting)
                waiting = 0
    _fold_rest(c, w, waiting)


cdef void _fold_rest(const scatter *c, lm_arrow_part *w, ptrdiff_t rows) noexcept nogil:
    """Fold rows of -B into the triangle of a part."""
    cdef double *right = w.rows + ARROW_ROWS * c.w
    cdef ptrdiff_t i
    for i in range(rows):
        right[i] = w.rows[i * c.w + c.rest]
    if rows > 0:
        fold(rows, c.rest, w.rows, c.w, 1, right, w.t, w.fold_work)


cdef void _scattered_triangle(lm_arrow *a, lm_arrow_factor *to, const int *active, const double *norms,
                              const double *least) noexcept nogil:
    """Make the triangle of the rows that are kept, which are scaled by this.

    active   n, or NULL: columns that are left out
    norms    s: what columns are measured by in the choice of pivots
    least    by parameter, a remaining norm that is none;  NULL: 0
    """
    cdef scatter c
    cdef ptrdiff_t i, j, p, n = 0, out, r, s = a.shared
    cdef int *order = to.torder
    cdef double *h = a.part[0].t
    cdef double *g = a.gram
    cdef double work = 3.0 * (a.touched + 1) * (a.touched + a.widest)
    for j in range(s):
        n += active == NULL or active[j] == 0
        a.scale[j] = _power(norms[j])
    out, i = n, 0
    for j in range(s):
        if active == NULL or active[j] == 0:
            order[i] = <int>j
            i += 1
        else:
            order[out] = <int>j
            out += 1
    a.scale[s] = _power(_largest_right(a))
    c.a, c.scale, c.z = a, a.scale, a.z
    arrow_each(a, _gram_part, &c, work)
    for p in range(1, a.parts):
        for i in range(s * (s + 1)):
            h[i] += a.part[p].t[i]
    for j in range(n + 1):
        for i in range(min(j + 1, n)):
            g[i + j * s] = h[order[i] + (order[j] if j < n else s) * s]
    r = lmoo_cholesky(n, g, s, a.pivots, order, TAU * TAU)
    c.rest = n - r
    c.w = _padded(c.rest)
    _solve_rest(a, &c, order, r, False)
    arrow_each(a, _normal_part, &c, work)
    for p in range(1, a.parts):
        for i in range(s * c.w):
            h[i] += a.part[p].t[i]
    _solve_rest(a, &c, order, r, True)
    if c.rest > 0:
        arrow_each(a, _rest_part, &c, work)
        for p in range(1, a.parts):
            merge(c.rest, a.part[p].t, h, a.part[0].fold_work)
    _assemble(a, &c, to, r, norms, least)


cdef double _power(double size) noexcept nogil:
    """Return the power of two by which a number of this size becomes about 1."""
    cdef int exponent = 0
    if size == 0.0 or not isfinite(size):
        return 1.0
    frexp(size, &exponent)
    return ldexp(1.0, -exponent)


cdef double _largest_right(const lm_arrow *a) noexcept nogil:
    """Return the largest magnitude on the right side of the rows that are kept."""
    cdef lm_rows *kept
    cdef double *row
    cdef double largest = 0.0
    cdef ptrdiff_t i, k, p
    for p in range(a.parts):
        kept = &a.part[p].kept
        row = kept.values
        for k in range(kept.count):
            for i in range(kept.pieces[k].rows):
                largest = max(largest, fabs(row[kept.pieces[k].width]))
                row += _padded(kept.pieces[k].width)
    return largest


cdef void _solve_rest(lm_arrow *a, const scatter *c, const int *order, ptrdiff_t r, bint again) noexcept nogil:
    """Z = [X; -1] from R_11^T X = A_1^T [A_2 | f] in a.gram, or their correction by -A_1^T B in the first part's t."""
    cdef ptrdiff_t i, j, l, s = a.shared
    cdef double *z = a.z
    cdef const double *g = a.gram
    cdef double *y = a.pivots
    cdef double *column
    cdef double total
    if not again:
        memset(z, 0, <size_t>((s + 1) * c.w) * sizeof(double))
        for l in range(c.rest):
            z[order[r + l] * c.w + l] = -1.0
        z[s * c.w + c.rest] = -1.0
    for l in range(c.rest + 1):
        column = a.gram + (r + l) * s
        if again:
            for i in range(r):
                total = -a.part[0].t[order[i] * c.w + l]
                for j in range(i):
                    total -= g[j + i * s] * y[j]
                y[i] = total / g[i + i * s]
                column[i] += y[i]
        else:
            copy(r, column, y)
        for i in range(r - 1, -1, -1):
            y[i] /= g[i + i * s]
            for j in range(i):
                y[j] -= g[j + i * s] * y[i]
            z[order[i] * c.w + l] += y[i]


cdef void _assemble(lm_arrow *a, const scatter *c, lm_arrow_factor *to, ptrdiff_t r, const double *norms,
                    const double *least) noexcept nogil:
    """[T | q] from R in a.gram and the triangle of the rest in the first part's t, in the units of the rows."""
    cdef ptrdiff_t i, j, l, s = a.shared, rest = c.rest, rank = 0
    cdef int *order = to.torder
    cdef double *t = to.t
    cdef double *q = t + s * s
    cdef double *h = a.part[0].t
    cdef const double *column
    for l in range(rest):
        a.was[order[r + l]] = <int>(r + l)
        for i in range(l + 1):
            h[i + l * rest] /= c.scale[order[r + l]]
        memset(h + l * rest + l + 1, 0, <size_t>(rest - l - 1) * sizeof(double))
    rank = r
    if rest > 0:
        rank += _triangularize(rest, rest, rest + 1, h, rest, order + r, norms, least)
    memset(t, 0, <size_t>(s * (s + 1)) * sizeof(double))
    for j in range(r + rest):
        column = a.gram + (j if j < r else a.was[order[j]]) * s
        for i in range(min(j + 1, r)):
            t[i + j * s] = column[i] / c.scale[order[j]]
        for i in range(r, min(j + 1, rank)):
            t[i + j * s] = h[i - r + (j - r) * rest]
    for i in range(rank):
        q[i] = (a.gram[i + (r + rest) * s] if i < r else h[i - r + rest * rest]) / c.scale[s]
    to.trank = rank
    _cut(a, to, least)


cdef void _cut(const lm_arrow *a, lm_arrow_factor *to, const double *least) noexcept nogil:
    """Leave out the last rows of a triangle with pivots, from the first on whose pivot is not larger than its least."""
    cdef ptrdiff_t i, j, s = a.shared
    for i in range(to.trank):
        if least != NULL and fabs(to.t[i + i * s]) <= least[to.torder[i]]:
            to.trank = i
            break
    for j in range(s + 1):
        for i in range(to.trank, s):
            to.t[i + j * s] = 0.0


# ---- rows that are no group's ---------------------------------------------------------------

cdef void _keep_triangle(lm_arrow *a, const lm_arrow_factor *source, const int *active,
                         const double *moved) noexcept nogil:
    """Keep the rows of a triangle: columns that are active as far as they are moved, on the right side."""
    cdef ptrdiff_t i, j, g, start = 0, count, s = a.shared, ld = _padded(s)
    cdef const double *t = source.t
    cdef double *row
    while start < source.trank:
        count = min(source.trank - start, DENSE_ROWS)
        row = _keep(a, &a.part[0], a.every, s, count)
        if row == NULL:
            return
        for i in range(start, start + count):
            row[s] = t[i + s * s]
            for j in range(i, s):
                g = source.torder[j]
                if active == NULL or active[g] == 0:
                    row[g] = t[i + j * s]
                elif moved != NULL:
                    row[s] += t[i + j * s] * moved[g]
            row += ld
        start += count


cdef void _keep_diagonal(lm_arrow *a, const int *active, double root, const double *diag) noexcept nogil:
    """Keep the rows root D of the columns that are not active."""
    cdef ptrdiff_t j
    cdef double *row
    for j in range(a.shared):
        if active == NULL or active[j] == 0:
            row = _keep(a, &a.part[0], a.every + j, 1, 1)
            if row == NULL:
                return
            row[0] = root * diag[j]
