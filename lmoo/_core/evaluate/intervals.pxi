"""Intervals of differences: the optimum for what is known of f, within the bounds, see differences.pxi."""

from libc.float cimport DBL_MIN
from libc.math cimport cbrt, fabs, isfinite, sqrt

from lmoo._core.model cimport *

# Growth of the interval if a column is not distinguished from the error of f: the cube root of the range between the
# two.  Also its largest growth if no second difference was significant: longer intervals would miss features of f.
cdef double LONGER = 1e4


cdef void _measure(lmoo_point *at, lm_columns *w, double eps) noexcept nogil:
    """Set the error of f, and the size of the contribution of a parameter to f.

    The terms of f are as large as |J_k x_k|, and rounded.  The contribution is the median of these sizes:
    that of a parameter far from 0, as the position of a peak, is no measure of its scale, nor is that of one that is 0.
    It is |f| at the start, or now, if that is larger.
    """
    cdef const lm_state *s = at.state
    cdef const double *norms = _column_norms(s)
    cdef double *sizes = at.x_work
    cdef double size, largest = s.fnorm
    cdef ptrdiff_t i, j, count = 0
    if s.models > 0:
        for j in range(at.n):
            size = norms[j] * fabs(at.x[j])
            if size == 0.0 or not isfinite(size):
                continue
            largest = max(largest, size)
            i = count
            while i > 0 and sizes[i - 1] > size:
                sizes[i] = sizes[i - 1]
                i -= 1
            sizes[i] = size
            count += 1
    w.size = max(max(s.fnorm, min(s.start_fnorm, largest)), sizes[count // 2] if count > 0 else 0.0)
    w.largest = largest
    w.noise = max(eps * largest, s.least_noise * sqrt(<double>at.m)) * at.share
    if s.least_noise > 0.0 and largest > 0.0:
        w.root = _root(w, max(eps, min(w.noise / (largest * at.share), 1.0)))


cdef inline double _root(const lm_columns *w, double eps) noexcept nogil:
    """Return the interval, relative to x_j, for a relative error of f, if nothing else is known."""
    return cbrt(eps) if w.central else sqrt(eps)


cdef const double *_column_norms(const lm_state *s) noexcept nogil:
    return s.acnorm if s.bounded else s.free_norms


cdef double _first_step(const lmoo_point *at, const lm_differences *d, const lm_columns *w,
                        ptrdiff_t j) noexcept nogil:
    """Return the first point of column j, relative to x_j: negative if a bound is near."""
    cdef double h = _interval(at, d, w, j)
    # A subnormal interval is lost in x_j + h, or in the quotient.
    return _with_room(at, w, j, h if h >= DBL_MIN else w.root)


cdef double _interval(const lmoo_point *at, const lm_differences *d, const lm_columns *w,
                      ptrdiff_t j) noexcept nogil:
    """Return the best known interval for column j."""
    cdef double size = fabs(at.x[j])
    cdef double norm = _column_norms(at.state)[j] * at.share
    cdef double length = _length(at, d, w, j)
    if d.minpack_compatible or at.state.models == 0 or not (isfinite(norm) and norm > 0.0) or length == 0.0:
        return w.root * (max(size, d.typical[j]) if d.typical != NULL else size)
    # No interval is better than L if the column consists of errors.
    return max(min(_best(w, length, norm), length), 2.0 * EPSMCH * size)


cdef inline double _best(const lm_columns *w, double length, double norm) noexcept nogil:
    """Return the interval that balances the errors."""
    cdef double share = w.noise / norm / length
    return length * (cbrt(3.0 * share) if w.central else 2.0 * sqrt(share))


cdef double _length(const lmoo_point *at, const lm_differences *d, const lm_columns *w,
                    ptrdiff_t j) noexcept nogil:
    """Return L of parameter j, measured, or the change of x_j that changes f by a contribution; 0 if unknown.

    If a column has become much smaller, the latter would be much larger than the size of the parameter.
    """
    cdef double norm = _column_norms(at.state)[j], length
    if at.length[j] > 0.0:
        return at.length[j]
    if d.typical != NULL:
        return max(fabs(at.x[j]), d.typical[j])
    if at.state.models == 0 or not norm > 0.0:
        return 0.0
    length = w.size / norm
    # A parameter that diverges changes by its own size; one that converges to 0 does not.
    if not at.state.options.user_scale and at.state.diag[j] > 0.0:
        length = min(length, max(fabs(at.x[j]), w.size / at.state.diag[j]))
    return length


cdef double _with_room(const lmoo_point *at, const lm_columns *w, ptrdiff_t j,
                       double h) noexcept nogil:
    """Return h > 0, or -h, or a shorter interval that is within the bounds of parameter j."""
    cdef const lm_state *s = at.state
    cdef double right, left, room
    if not s.bounded:
        return h
    right, left = s.upper[j] - at.x[j], at.x[j] - s.lower[j]
    if right >= h and (left >= h or not w.central):
        return h
    # One side only: the third formula needs twice the interval, if half the distance to the bound changes x_j.
    room = max(right, left)
    if w.central and at.x[j] + 0.5 * room != at.x[j] and at.x[j] - 0.5 * room != at.x[j]:
        room *= 0.5
    return min(h, room) if right >= left else -min(h, room)


cdef double _inside(const lmoo_point *at, ptrdiff_t j, double value) noexcept nogil:
    """Return value limited to the bounds of x_j, which rounding must not exceed."""
    cdef const lm_state *s = at.state
    return min(max(value, s.lower[j]), s.upper[j]) if s.bounded else value


cdef bint _has_both_sides(const lmoo_point *at, ptrdiff_t j, double h) noexcept nogil:
    cdef const lm_state *s = at.state
    return not s.bounded or h > 0.0 and at.x[j] - s.lower[j] >= h and s.upper[j] - at.x[j] >= h


cdef double _longer(const lmoo_point *at, const lm_columns *w, double h) noexcept nogil:
    """Return a longer interval, at most the size of the parameter if it is not 0."""
    cdef double size = fabs(at.x[w.j])
    return min(LONGER * h, max(size, h)) if size > 0.0 else LONGER * h
