"""Covariances from the factor of an arrow linear model, in columns scaled to norm 1.

With W_k = R_k^-1 S_k and C = (T^T T)^-1 the blocks of (J^T J)^-1 are

    shared, shared      C
    own k, shared       -W_k C
    own k, own l        W_k C W_l^T, and R_k^-1 R_k^-T where k = l

L has the unit vectors of the shared parameters and the -W_k as rows.  L C L^T then has all blocks, except for the last
term.  A row of -W_k has entries for the shared parameters that group k touches; these are kept.  Directions
that are not determined are left out, as in a basic solution.
"""


cdef ptrdiff_t _invert(ptrdiff_t r, const double *a, ptrdiff_t ld, double *out) noexcept nogil:
    """out = R^-1, r x r, column-major with leading dimension r."""
    cdef ptrdiff_t i, j, l
    cdef double total
    memset(out, 0, <size_t>(r * r) * sizeof(double))
    for j in range(r):
        out[j + j * r] = 1.0 / a[j + j * ld]
        for i in range(j - 1, -1, -1):
            total = 0.0
            for l in range(i + 1, j + 1):
                total += a[i + l * ld] * out[l + j * r]
            out[i + j * r] = -total / a[i + i * ld]
    return r


def arrow_statistics(const ptrdiff_t[::1] first not None, const ptrdiff_t[::1] span, const int[::1] columns,
                     const double[::1] blocks not None,
                     const int[::1] order not None, const int[::1] rank not None,
                     const double[:, :] t not None, const int[::1] torder not None, ptrdiff_t trank,
                     const double[::1] norms not None, const unsigned char[::1] excluded not None, double limit):
    """Return (L, G, C, undetermined).

    first, blocks, order, rank, t, torder, trank, norms    as `ArrowLinear.factor` returns them
    span, columns  the shared parameters that groups touch, None: all
    excluded       (n,), parameters that are not free
    limit          of the share in a direction that is not determined, above which a parameter is not

    L              -W_k of one group after the other, p x w each, row-major; 0 in rows of parameters that are excluded,
                   or without a pivot
    G              R_k^-1 R_k^-T of one group after the other, p x p each
    C              (s, s)
    undetermined   (n,) uint8
    """
    cdef ptrdiff_t s = t.shape[0], groups = first.shape[0] - 1, n = norms.shape[0]
    cdef ptrdiff_t i, j, k, l, p, r, c, g, width, place = 0, at = 0, lifted = 0, widest = 1, nulls = 0
    cdef double total, size
    cdef double[::1] lift
    cdef double *row
    cdef int[::1] every = np.arange(s, dtype=np.int32)
    cdef const int *touched = &every[0]
    cdef double[::1] gram
    cdef double[:, ::1] covariance = np.zeros((s, s))
    cdef unsigned char[::1] undetermined = np.zeros(n, dtype=np.uint8)
    cdef double[::1, :] scaled = np.zeros((s, s), order="F")
    cdef double[::1, :] inverse = np.zeros((s, s), order="F")
    cdef double[::1, :] null = np.zeros((s, s), order="F")
    cdef double[::1] work
    cdef double *triangle
    cdef double *inverted
    cdef double *w
    total = 0
    for k in range(groups):
        p = first[k + 1] - first[k]
        widest = max(widest, p)
        at += p * p
        lifted += p * (s if span is None else span[k + 1] - span[k])
    lift = np.zeros(max(lifted, 1))
    gram = np.zeros(max(at, 1))
    work = np.zeros(2 * widest * widest + widest * s + widest)
    triangle, inverted, w = &work[0], &work[widest * widest], &work[2 * widest * widest]
    # Shared parameters.
    for j in range(s):
        size = norms[torder[j]]
        for i in range(min(j + 1, trank)):
            scaled[i, j] = t[i, j] / size if size > 0.0 else 0.0
    if trank > 0:
        _invert(trank, &scaled[0, 0], s, &inverse[0, 0])
    for i in range(trank):
        for j in range(trank):
            total = 0.0
            for l in range(max(i, j), trank):
                total += (&inverse[0, 0])[i + l * trank] * (&inverse[0, 0])[j + l * trank]
            covariance[torder[i], torder[j]] = total
    for j in range(trank, s):
        if excluded[torder[j]]:
            continue
        # -T11^-1 T12 and 1, of norm 1.
        size = 1.0
        null[torder[j], nulls] = 1.0
        for i in range(trank):
            total = 0.0
            for l in range(i, trank):
                total -= (&inverse[0, 0])[i + l * trank] * scaled[l, j]
            null[torder[i], nulls] = total
            size += total * total
        for i in range(s):
            null[i, nulls] /= sqrt(size)
            undetermined[i] |= fabs(null[i, nulls]) > limit
        nulls += 1
    # Groups.
    at = lifted = 0
    for k in range(groups):
        p, r, g, width = first[k + 1] - first[k], rank[k], s + first[k], s
        if span is not None:
            width, touched = span[k + 1] - span[k], &columns[0] + span[k]
        c = 0
        for i in range(p):
            c += excluded[g + i] == 0
        for j in range(c):
            size = norms[g + order[first[k] + j]]
            for i in range(min(j + 1, r)):
                triangle[i + j * p] = blocks[place + i + j * p] / size if size > 0.0 else 0.0
        _invert(r, triangle, p, inverted)
        for i in range(r):
            for j in range(r):
                total = 0.0
                for l in range(max(i, j), r):
                    total += inverted[i + l * r] * inverted[j + l * r]
                gram[at + order[first[k] + i] * p + order[first[k] + j]] = total
            row = &lift[0] + lifted + order[first[k] + i] * width
            for j in range(width):
                total, size = 0.0, norms[touched[j]]
                if size > 0.0 and not excluded[touched[j]]:
                    for l in range(i, r):
                        total += inverted[i + l * r] * (blocks[place + l + (p + j) * p] / size)
                row[j] = -total
        for j in range(r, c):
            # A direction of this group that is not determined.
            size = 1.0
            for i in range(r):
                total = 0.0
                for l in range(i, r):
                    total += inverted[i + l * r] * triangle[l + j * p]
                w[i] = total
                size += total * total
            undetermined[g + order[first[k] + j]] = 1
            for i in range(r):
                undetermined[g + order[first[k] + i]] |= fabs(w[i]) > limit * sqrt(size)
        for j in range(nulls):
            for i in range(r):
                total = 0.0
                row = &lift[0] + lifted + order[first[k] + i] * width
                for l in range(width):
                    total += row[l] * null[touched[l], j]
                undetermined[g + order[first[k] + i]] |= fabs(total) > limit
        place += p * (p + width + 1)
        at += p * p
        lifted += p * width
    return (np.asarray(lift)[:lifted], np.asarray(gram)[:at], np.asarray(covariance), np.asarray(undetermined))


def arrow_variances(const ptrdiff_t[::1] first not None, const ptrdiff_t[::1] span, const int[::1] columns,
                    const double[::1] lift not None, const double[::1] gram not None,
                    const double[:, ::1] covariance not None):
    """Return the diagonal of L C L^T + G, (n,), of which no entry is negative."""
    cdef ptrdiff_t i, j, k, l, p, s = covariance.shape[0], width = s, lifted = 0, at = 0, groups = first.shape[0] - 1
    cdef int[::1] every = np.arange(s, dtype=np.int32)
    cdef const int *touched = &every[0]
    cdef const double *row
    cdef double total, inner
    cdef double[::1] out = np.empty(s + first[groups])
    for j in range(s):
        out[j] = max(covariance[j, j], 0.0)
    for k in range(groups):
        p = first[k + 1] - first[k]
        if span is not None:
            width, touched = span[k + 1] - span[k], &columns[0] + span[k]
        for i in range(p):
            row = &lift[0] + lifted
            total = 0.0
            for j in range(width):
                inner = 0.5 * covariance[touched[j], touched[j]] * row[j]
                for l in range(j):
                    inner += covariance[touched[j], touched[l]] * row[l]
                total += 2.0 * inner * row[j]
            out[s + first[k] + i] = max(total + gram[at + i * p + i], 0.0)
            lifted += width
        at += p * p
    return np.asarray(out)


def arrow_blocks(const ptrdiff_t[::1] first not None, const double[::1] lift not None, const double[::1] gram not None,
                 const double[:, ::1] covariance not None, const double[::1] unit not None,
                 const unsigned char[::1] undetermined not None, const ptrdiff_t[::1] where not None):
    """Return the blocks of U (L C L^T + G) U of the shared parameters with those of each group, (groups, n, n).

    All groups have as many own parameters, p, and touch all shared ones.

    unit           the diagonal of U, (s + p groups,)
    undetermined   (s + p groups,); their variances are inf and their covariances nan
    where          (s + p,), the place of each parameter of a block: shared ones from 0, own ones behind these
    """
    cdef ptrdiff_t groups = first.shape[0] - 1, s = covariance.shape[0], p = first[1], n = s + p
    cdef ptrdiff_t i, j, k, l, a, b
    cdef bint lost
    cdef double total
    cdef const double *row
    cdef double[:, :, ::1] out = np.empty((groups, n, n))
    cdef double[:, ::1] block = np.empty((n, n))
    cdef double[::1] units = np.empty(n)
    block[:s, :s] = covariance
    for k in range(groups):
        lost = False
        for a in range(n):
            i = a if a < s else a + k * p
            units[a] = unit[i]
            lost |= undetermined[i]
        for i in range(p):
            row = &lift[0] + (k * p + i) * s
            for j in range(s):
                total = 0.0
                for l in range(s):
                    total += row[l] * covariance[l, j]
                block[s + i, j] = block[j, s + i] = total
        for i in range(p):
            row = &lift[0] + (k * p + i) * s
            for j in range(i + 1):
                total = gram[(k * p + i) * p + j]
                for l in range(s):
                    total += row[l] * block[s + j, l]
                block[s + i, s + j] = block[s + j, s + i] = total
        for i in range(n):
            for j in range(n):
                a, b = where[i], where[j]
                out[k, i, j] = block[a, b] * units[a] * units[b]
        if lost:
            for i in range(n):
                a = where[i]
                if undetermined[a if a < s else a + k * p]:
                    out[k, i, :] = NAN
                    out[k, :, i] = NAN
            for i in range(n):
                a = where[i]
                if undetermined[a if a < s else a + k * p]:
                    out[k, i, i] = INFINITY
    return np.asarray(out)


def arrow_lifted(const ptrdiff_t[::1] first not None, const ptrdiff_t[::1] span, const int[::1] columns,
                 const double[::1] lift not None, const double[::1] v not None):
    """Return L v for own parameters, (n - s,)."""
    cdef ptrdiff_t i, j, k, width = v.shape[0], lifted = 0, groups = first.shape[0] - 1
    cdef int[::1] every = np.arange(width, dtype=np.int32)
    cdef const int *touched = &every[0]
    cdef double[::1] out = np.zeros(max(first[groups], 1))
    for k in range(groups):
        if span is not None:
            width, touched = span[k + 1] - span[k], &columns[0] + span[k]
        for i in range(first[k], first[k + 1]):
            for j in range(width):
                out[i] += lift[lifted + j] * v[touched[j]]
            lifted += width
    return np.asarray(out)[:first[groups]]
