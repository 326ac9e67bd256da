"""Covariances from the factor of an arrow linear model, in columns scaled to norm 1.

With W_k = R_k^-1 S_k and C = (T^T T)^-1 the blocks of (J^T J)^-1 are

    shared, shared      C
    own k, shared       -W_k C
    own k, own l        W_k C W_l^T, and R_k^-1 R_k^-T where k = l

so that L C L^T with n x s numbers L, the unit vectors of the shared parameters and -W_k, has all of them but for the
last term.  Directions that are not determined are left out, as in a basic solution.
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


def arrow_statistics(const ptrdiff_t[::1] first not None, const double[::1] blocks not None,
                     const int[::1] order not None, const int[::1] rank not None,
                     const double[:, :] t not None, const int[::1] torder not None, ptrdiff_t trank,
                     const double[::1] norms not None, const unsigned char[::1] excluded not None, double limit):
    """Return (L, G, C, undetermined).

    first, blocks, order, rank, t, torder, trank, norms    as `ArrowLinear.factor` returns them
    excluded       (n,), parameters that are not free
    limit          of the share in a direction that is not determined, above which a parameter is not

    L              (n, s); 0 in rows of parameters that are excluded, or without a pivot
    G              R_k^-1 R_k^-T of one group after the other, p x p each
    C              (s, s)
    undetermined   (n,) uint8
    """
    cdef ptrdiff_t s = t.shape[0], groups = first.shape[0] - 1, n = norms.shape[0]
    cdef ptrdiff_t i, j, k, l, p, r, c, g, place = 0, at = 0, widest = 1, nulls = 0
    cdef double total, size
    cdef double[:, ::1] lift = np.zeros((n, s))
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
    for i in range(s):
        if not excluded[i]:
            lift[i, i] = 1.0
    # Groups.
    at = 0
    for k in range(groups):
        p, r, g = first[k + 1] - first[k], rank[k], s + first[k]
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
            for j in range(s):
                total = 0.0
                if norms[j] > 0.0 and not excluded[j]:
                    for l in range(i, r):
                        total += inverted[i + l * r] * (blocks[place + l + (p + j) * p] / norms[j])
                lift[g + order[first[k] + i], j] = -total
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
                for l in range(s):
                    total += lift[g + order[first[k] + i], l] * null[l, j]
                undetermined[g + order[first[k] + i]] |= fabs(total) > limit
        place += p * (p + s + 1)
        at += p * p
    return np.asarray(lift), np.asarray(gram)[:at], np.asarray(covariance), np.asarray(undetermined)
