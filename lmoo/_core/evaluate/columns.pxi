"""Columns of differences: the values that each formula needs, and the measured error of the column."""

from libc.math cimport cbrt, exp, fabs, isfinite, log, sqrt
from libc.string cimport memcpy

from lmoo._core.model cimport *
from lmoo._core.norms cimport all_zero, enorm

# A second difference of fewer errors of f than this is not significant: independent errors add up to
# 6^(1/2) errors.
cdef double SEEN = 3.0
# More noise than this share of the size of f is none: the second difference shows features of f.
cdef double LARGEST_NOISE = 0.04
# A change of f on one side of x by more than this share of its size is the end of a plateau, a smaller one may be its
# rounding.
cdef double COARSEST = 0.01
# Longest interval for a column that seems to be zero, relative to the parameter.
cdef double LARGEST_SHARE = 0.1
# A column is computed again if its error is this many times that with the optimal interval.
cdef double FAR_FROM_BEST = 10.0


cdef int _begin_column(lmoo_point *at, const lm_differences *d, lm_columns *w,
                       double h) noexcept nogil:
    """Request f at x + h e_j, the first value of a column."""
    cdef ptrdiff_t j = w.j
    w.h = h
    at.x_work[j] = _inside(at, j, at.x[j] + h)
    w.phase = FORWARD
    if w.central:
        w.phase = RIGHT if _has_both_sides(at, j, h) else NEAR
    w.step = at.x_work[j] if w.phase == RIGHT else h if d.minpack_compatible else at.x_work[j] - at.x[j]
    w.out = at.fjac + j * at.m
    return DIFFERENCES_ASK


cdef int _to_the_left(lmoo_point *at, const lm_differences *d, lm_columns *w) noexcept nogil:
    """Request backward differences after a bad point x + h."""
    if not _has_both_sides(at, w.j, w.h):
        return _nearer(at, d, w)
    at.x_work[w.j] = at.x[w.j] - w.h
    w.step = -w.h if d.minpack_compatible else at.x_work[w.j] - at.x[w.j]
    w.phase = BACKWARD
    return DIFFERENCES_ASK


cdef int _nearer(lmoo_point *at, const lm_differences *d, lm_columns *w) noexcept nogil:
    """Begin the column again with the interval of the first Jacobian after bad points, if they are farther from x.

    The length that was measured is forgotten.
    """
    cdef double h = w.root * fabs(at.x[w.j])
    if d.minpack_compatible or w.tries >= TRIES or not 0.5 * fabs(w.h) > h > 0.0:
        return LMOO_BAD_POINT
    w.tries += 1
    at.length[w.j] = 0.0
    return _begin_column(at, d, w, _with_room(at, w, w.j, h))


cdef int _then_left(lmoo_point *at, lm_columns *w, bint bad) noexcept nogil:
    """Request f(x - h) for central differences; f(x + h) is known or bad."""
    if bad:
        memcpy(at.fjac + w.j * at.m, at.f, <size_t>at.m * sizeof(double))
        w.step = at.x[w.j]
    at.x_work[w.j] = w.lower = at.x[w.j] - w.h
    w.phase = LEFT
    w.out = at.f_work
    return DIFFERENCES_ASK


cdef int _central(lmoo_point *at, const lm_differences *d, lm_columns *w,
                  bint bad) noexcept nogil:
    """Compute the column from the values at both sides, or from one of them if the other is bad."""
    cdef double *column = at.fjac + w.j * at.m
    cdef double plus, minus
    cdef ptrdiff_t i
    cdef bint only_left = w.step == at.x[w.j]
    w.step -= at.x[w.j] if bad else w.lower
    if w.step == 0.0:
        return _nearer(at, d, w)
    if bad or only_left:
        return _quotient(at, d, w, at.f if bad else at.f_work)
    at.x_work[w.j] = at.x[w.j]
    for i in range(at.m):
        plus, minus = column[i], at.f_work[i]
        at.f_work[i] = (plus - at.f[i]) + (minus - at.f[i])
        column[i] = (plus - minus) / w.step
    return _assess(at, d, w, 0.5 * w.step)


cdef int _farther(lmoo_point *at, lm_columns *w) noexcept nogil:
    """Request f(x + 2 h) for the one-sided formula."""
    at.x_work[w.j] = _inside(at, w.j, at.x[w.j] + 2.0 * w.step)
    w.lower = at.x_work[w.j]
    w.phase = FAR
    w.out = at.f_work
    return DIFFERENCES_ASK


cdef int _one_sided(lmoo_point *at, const lm_differences *d, lm_columns *w) noexcept nogil:
    """Compute the slope at x of the parabola through f(x), f(x + h), f(x + k), where k is 2 h but for rounding.

    (f(x + h) - f) / h + ((f(x + h) - f) / h - (f(x + k) - f) / k) h / (k - h)
    """
    cdef double h = w.step, k = w.lower - at.x[w.j], near, far
    cdef double *column = at.fjac + w.j * at.m
    cdef ptrdiff_t i
    if h == 0.0:
        return LMOO_BAD_POINT
    if k == h:
        # The bound leaves room for one point only.
        return _quotient(at, d, w, at.f)
    at.x_work[w.j] = at.x[w.j]
    for i in range(at.m):
        near = (column[i] - at.f[i]) / h
        far = (at.f_work[i] - at.f[i]) / k
        at.f_work[i] = (at.f_work[i] - column[i]) - (column[i] - at.f[i])
        column[i] = near + (near - far) * (h / (k - h))
    return _assess(at, d, w, fabs(h))


cdef int _assess(lmoo_point *at, const lm_differences *d, lm_columns *w, double h) noexcept nogil:
    """Measure L and the error of a complete column from its second difference, which is in f_work.

    The column is computed again if h was far from the optimum.
    """
    cdef double *column = at.fjac + w.j * at.m
    cdef double norm = enorm(at.m, column), second = enorm(at.m, at.f_work)
    cdef double change = h * norm, error, best, length, noise
    cdef bint known = isfinite(change) and isfinite(second), seen
    at.interval[w.j] = 2.0 * h
    if known and not d.minpack_compatible and _does_not_shrink(at, w, h, change, second):
        if w.phase == LEFT and _jumps(at, w, h, change, second):
            return _across_jump(at, d, w, h)
        if _take_noise(at, w) and not w.restarted:
            return _restart(at, d, w)
    if not known or all_zero(at.m, column):
        return _next_or_again(at, d, w, h)
    if d.minpack_compatible:
        return _next_column(at, d, w)
    # f(x + h) is rounded as well, and may be larger than f.
    noise = max(w.noise, w.eps * change)
    if at.share < 1.0:
        # The terms of these rows may be larger than their share of |f|.
        noise = max(noise, w.eps * norm * fabs(at.x[w.j]))
    w.tries += 1
    if change <= SEEN * noise and _is_seen_elsewhere(at, w, h):
        return _next_column(at, d, w)
    if change <= SEEN * noise:
        # The column consists of the error of f.
        return _again(at, d, w, h, _longer(at, w, h))
    seen = second > SEEN * noise
    if seen:
        at.length[w.j] = length = h * (change / second)
    else:
        # No second difference was significant: this does not justify an interval far beyond x.
        length = max(max(fabs(at.x[w.j]), w.largest * at.share / norm), h)
        at.length[w.j] = min(length, max(h * (change / (SEEN * noise)), h))
    error = (h / length) * (h / length) / 6.0 + noise / change
    at.column_error[w.j] = (h / length) * (h / length) / 6.0
    best = min(_best(w, length, norm), length)
    if not seen:
        best = h if _is_seen_elsewhere(at, w, h) else min(best, LONGER * h)
    if error > FAR_FROM_BEST * 0.5 * (best / length) * (best / length):
        return _again(at, d, w, h, best)
    return _next_column(at, d, w)


cdef int _restart(lmoo_point *at, const lm_differences *d, lm_columns *w) noexcept nogil:
    """Compute all columns again after an error of f was found: the previous measurements of L included it."""
    cdef ptrdiff_t j
    w.restarted = 1
    for j in range(at.n):
        at.length[j] = min(at.length[j], 0.0)
        at.column_error[j] = at.interval[j] = 0.0
    w.j = -1
    return _next_column(at, d, w)


cdef bint _is_seen_elsewhere(const lmoo_point *at, const lm_columns *w, double h) noexcept nogil:
    """Return whether these rows are a block, and the column is significant with this interval in other blocks."""
    cdef const lm_state *s = at.state
    return at.share < 1.0 and s.models > 0 and h * _column_norms(s)[w.j] > SEEN * w.noise / at.share


cdef bint _does_not_shrink(const lmoo_point *at, lm_columns *w, double h, double change, double second) noexcept nogil:
    """Return whether the second difference over the shorter of the last two intervals shows an error of f, or a jump.

    Second differences change as h^2 if f is smooth, as h at a kink, as the root of h at the end of one; more slowly
    than the fourth root of h only if they are error.  They are also error if f does not change at all over the shorter
    interval, as values that were rounded.

    The error goes to w.error; 0 if the longer interval is the later one and the slope is not visible over it, which may
    be longer than the features of f, or if f changes on one side of x only: there a plateau ends.  Where a bound leaves
    room on one side only, it may end there as well.
    """
    cdef double shorter = second, longer = fabs(w.last_second), ratio = h / w.last_h if w.tries > 0 else 1.0
    cdef bint visible = ratio <= 1.0 or change >= second
    cdef bint one_sided_before = w.last_second < 0.0
    cdef bint one_sided = second > COARSEST * w.size * at.share and (w.phase != LEFT or _jumps(at, w, h, change, second))
    w.last_h, w.last_second = h, -second if one_sided else second
    if ratio > 1.0:
        shorter, longer, ratio, one_sided = longer, shorter, 1.0 / ratio, one_sided_before
    elif ratio < 1.0 and change == 0.0:
        shorter, one_sided = longer, one_sided_before
    w.error = shorter / sqrt(6.0) if visible and not one_sided else 0.0
    return ratio < 1.0 and shorter > SEEN * w.noise and shorter > longer * sqrt(sqrt(ratio))


cdef int _across_jump(lmoo_point *at, const lm_differences *d, lm_columns *w, double h) noexcept nogil:
    """Compute the column with a long interval, as f is rounded or jumps at x; drop it if f does so there too."""
    cdef double longer = _with_room(at, w, w.j, LARGEST_SHARE * fabs(at.x[w.j]))
    if h < 0.5 * fabs(longer) and w.tries < TRIES:
        w.tries += 1
        return _begin_column(at, d, w, longer)
    at.column_error[w.j] = 1.0
    return _next_column(at, d, w)


cdef bint _take_noise(lmoo_point *at, lm_columns *w) noexcept nogil:
    """Take w.error as the error of f; return False if it is so large that both intervals miss the features of f."""
    cdef double size = _size_of_others(at, w)
    if w.error == 0.0 or w.error > LARGEST_NOISE * size * at.share:
        return False
    # Where f is larger, its rounding is.
    w.eps = max(w.eps, w.error / (max(w.largest, size) * at.share))
    w.noise = w.error
    w.root = _root(w, w.eps)
    at.noise = max(at.noise, w.error)
    return True


cdef double _size_of_others(const lmoo_point *at, const lm_columns *w) noexcept nogil:
    """Return |f|, or the geometric mean of the contributions of the other parameters to f, if that is larger."""
    cdef const lm_state *s = at.state
    cdef double total = 0.0, size
    cdef ptrdiff_t j, count = 0
    if at.n == 1:
        return w.size
    for j in range(at.n):
        size = enorm(at.m, at.fjac + j * at.m) / at.share if j < w.j else _column_norms(s)[j]
        size *= fabs(at.x[j])
        if j != w.j and size > 0.0 and isfinite(size):
            total += log(size)
            count += 1
    return max(s.fnorm, exp(total / count) if count > 0 else 0.0)


cdef bint _jumps(const lmoo_point *at, const lm_columns *w, double h, double change, double second) noexcept nogil:
    """Return whether f changes by more than ten times as much on one side of x as on the other."""
    cdef const double *column = at.fjac + w.j * at.m
    cdef double product = 0.0, squares = 0.25 * second * second + change * change
    cdef ptrdiff_t i
    for i in range(at.m):
        product += at.f_work[i] * column[i]
    return squares - fabs(h * product) < 0.01 * (squares + fabs(h * product))


cdef int _again(lmoo_point *at, const lm_differences *d, lm_columns *w, double h,
                double interval) noexcept nogil:
    """Compute the column with another interval, if the bounds allow it and it differs enough; else continue."""
    interval = _with_room(at, w, w.j, interval)
    if w.tries >= TRIES or not isfinite(interval) or 0.5 * h <= fabs(interval) <= 2.0 * h \
            or fabs(interval) <= 2.0 * EPSMCH * fabs(at.x[w.j]):
        return _next_column(at, d, w)
    return _begin_column(at, d, w, interval)


cdef int _quotient(lmoo_point *at, const lm_differences *d, lm_columns *w,
                   const double *other) noexcept nogil:
    """Compute the column (f - other) / step and continue."""
    cdef double *column = at.fjac + w.j * at.m
    cdef double step = w.step, h = fabs(step), length
    cdef ptrdiff_t i
    at.x_work[w.j] = at.x[w.j]
    for i in range(at.m):
        column[i] = (column[i] - other[i]) / step
    at.interval[w.j] = h
    if not d.minpack_compatible and at.state.models > 0 and w.tries < TRIES \
            and h * enorm(at.m, column) > LONGER * w.size:
        # Over this interval f changes by much more than its size: a column that seemed to vanish made it too long, as
        # that of a rate whose exponentials have decayed, and grow on the other side.
        w.tries += 1
        return _again(at, d, w, h, w.root * fabs(at.x[w.j]))
    if not d.minpack_compatible and at.state.models > 0:
        length = _length(at, d, w, w.j)
        at.column_error[w.j] = 0.5 * h / length if length > 0.0 else 0.0
    elif not d.minpack_compatible and w.tries < TRIES and h * enorm(at.m, column) <= SEEN * w.noise \
            and not all_zero(at.m, column):
        # Without a model the interval for a significant column is unknown.
        w.tries += 1
        return _again(at, d, w, h, _longer(at, w, h) if h >= sqrt(EPSMCH) else
                      max(_longer(at, w, h), sqrt(EPSMCH)))
    return _next_or_again(at, d, w, h)


cdef int _next_or_again(lmoo_point *at, const lm_differences *d, lm_columns *w,
                        double step) noexcept nogil:
    """Continue with the next column, or with the same one and a longer step if it is zero."""
    cdef double near_one = cbrt(EPSMCH) if w.central else sqrt(EPSMCH), longer
    # In place of L for a column without an effect: intervals up to the longest of these formulas have been tried.
    cdef double gave_up = -2.0 if w.central else -1.0
    cdef const double *column = at.fjac + w.j * at.m
    # A parameter that is 0 has no known scale: intervals of any size are possible.
    if d.minpack_compatible or d.typical != NULL or at.length[w.j] <= gave_up or not all_zero(at.m, column) \
            or _is_seen_elsewhere(at, w, step):
        return _next_column(at, d, w)
    if at.x[w.j] == 0.0 and w.tries < TRIES_AT_ZERO and step >= 0.5 * near_one:
        longer = _with_room(at, w, w.j, LONGER * step)
        if fabs(longer) > 2.0 * step and isfinite(longer):
            w.tries += 1
            return _begin_column(at, d, w, longer)
    # The column is zero: either f does not depend on this parameter, or x + h was rounded away beside a number near 1
    # (x - 3 at x = 1e-9).  The step for a parameter near 1 decides between the two; one near the size of x, if f is
    # rounded.
    longer = near_one
    if step >= 0.5 * near_one:
        longer = min(LONGER * step, LARGEST_SHARE * fabs(at.x[w.j])) if w.central else 0.0
    longer = _with_room(at, w, w.j, longer)
    if fabs(longer) > 2.0 * step and w.tries < TRIES:
        w.tries += 1
        return _begin_column(at, d, w, longer)
    # No longer interval is tried in later Jacobians.
    at.length[w.j] = gave_up
    return _next_column(at, d, w)
