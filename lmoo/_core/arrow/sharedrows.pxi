"""Rows of the shared parameters, which are folded into one triangle for each part."""


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
