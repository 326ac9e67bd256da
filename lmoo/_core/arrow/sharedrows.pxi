"""Rows of the shared parameters that are left of the groups: kept, or folded into a triangle for each part.

Where the groups touch most of the shared columns, rows wait in blocks that are folded.  Where they touch few of many,
the model is scattered: rows are kept as they are, with the columns that they touch, for arrow/scattered.pxi.
"""


cdef void _push(lm_arrow *a, lm_arrow_part *w, const int *columns, ptrdiff_t width, ptrdiff_t first, ptrdiff_t last,
                const double *matrix, ptrdiff_t ld) noexcept nogil:
    """Take rows first to last of [A | f], width + 1 columns, which belong to the shared parameters `columns`."""
    cdef ptrdiff_t i, j, count, next, s = a.shared
    cdef double *row
    if first >= last:
        return
    if a.scattered:
        row = _keep(a, w, columns, width, last - first)
        if row != NULL:
            for i in range(first, last):
                for j in range(width + 1):
                    row[j] = matrix[i + j * ld]
                row += _padded(width)
        return
    while first < last:
        if w.waiting == ARROW_ROWS:
            _flush(a, w)
        count = min(last - first, ARROW_ROWS - w.waiting)
        next = 0
        for j in range(width + 1):
            # Columns before this one that are not touched.
            while next < (columns[j] if j < width else s):
                memset(w.rows + w.waiting + next * ARROW_ROWS, 0, <size_t>count * sizeof(double))
                next += 1
            for i in range(count):
                w.rows[w.waiting + i + next * ARROW_ROWS] = matrix[first + i + j * ld]
            next += 1
        w.waiting += count
        first += count


cdef void _flush(const lm_arrow *a, lm_arrow_part *w) noexcept nogil:
    fold(w.waiting, a.shared, w.rows, 1, ARROW_ROWS, w.rows + a.shared * ARROW_ROWS, w.t, w.fold_work)
    w.waiting = 0


cdef void _forget(const lm_arrow *a, lm_arrow_part *w) noexcept nogil:
    """No rows of this part have come yet."""
    w.waiting = 0
    w.kept.used = 0
    w.kept.count = 0
    if not a.scattered:
        memset(w.t, 0, <size_t>(a.shared * (a.shared + 1)) * sizeof(double))


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


# ---- rows that are kept ---------------------------------------------------------------------

cdef inline ptrdiff_t _padded(ptrdiff_t width) noexcept nogil:
    """Return the length of a row that is kept: width columns and the right side, in whole vectors."""
    return (width + 1 + LMOO_LANES - 1) // LMOO_LANES * LMOO_LANES


cdef double *_keep(lm_arrow *a, lm_arrow_part *w, const int *columns, ptrdiff_t width, ptrdiff_t rows) noexcept nogil:
    """Return memory for rows that are kept, zeros, row-major; NULL where there is none, which ends the solve."""
    cdef lm_rows *kept = &w.kept
    cdef size_t size = <size_t>(rows * _padded(width)), room
    cdef void *memory
    cdef double *found
    if kept.used + size > kept.room:
        room = max(kept.used + size, kept.room + kept.room // 2)
        memory = realloc(kept.values, room * sizeof(double))
        if memory == NULL:
            _end_without_memory(a)
            return NULL
        kept.values, kept.room = <double *>memory, room
    if kept.count == kept.places:
        room = max(64, kept.places + kept.places // 2)
        memory = realloc(kept.pieces, room * sizeof(lm_piece))
        if memory == NULL:
            _end_without_memory(a)
            return NULL
        kept.pieces, kept.places = <lm_piece *>memory, room
    kept.pieces[kept.count].columns, kept.pieces[kept.count].width = columns, width
    kept.pieces[kept.count].rows = rows
    kept.count += 1
    found = kept.values + kept.used
    kept.used += size
    memset(found, 0, size * sizeof(double))
    return found


cdef bint _any_kept(const lm_arrow *a) noexcept nogil:
    cdef ptrdiff_t p
    for p in range(a.parts):
        if a.part[p].kept.count > 0:
            return True
    return False
