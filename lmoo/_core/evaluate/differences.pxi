"""Compiled Jacobian strategies: the problem's own derivatives, and differences of its residual.

    J_j = (f(x + h e_j) - f(x)) / h                                     (MINPACK's fdjac2)
    J_j = (f(x + h e_j) - f(x - h e_j)) / (2 h)
    J_j = (4 f(x + h e_j) - f(x + 2 h e_j) - 3 f(x)) / (2 h)

The interval h balances two errors.  With e the norm of the error of f, and L the length over which
the column changes by its own size, |f''| = |J_j| / L and |f'''| = |J_j| / L^2, they are, relative to |J_j|,

    h / (2 L) + 2 e / (h |J_j|)           least at   h = 2 (e L / |J_j|)^(1/2)      one-sided
    h^2 / (6 L^2) + e / (h |J_j|)         least at   h = (3 e L^2 / |J_j|)^(1/3)    central

(Gill, Murray, Saunders, Wright 1983, "Computing forward-difference intervals for numerical
optimization", SIAM J. Sci. Stat. Comput. 4; More', Wild 2012, "Estimating derivatives of noisy
simulations", ACM TOMS 38).  |J_j| is that of the last linear model.  Central differences measure L: the
second difference is h^2 |f''|.  Where that shows h to be far from the best, the column is taken again; L
is kept from one Jacobian to the next.  Until it is known, L is what changes f by the size that a
parameter contributes to it.  At the first Jacobian nothing is known, and h = sqrt(eps) |x_j| or
cbrt(eps) |x_j|.

Where x + h e_j is a bad point, x - h e_j is tried.  Where a bound is nearer than h, the other side is
taken, by the third formula instead of the second; where both are, h is as long as there is room.

They ask for f and never call it, so that one driver may call it at once and another for many fits
together.
"""

from libc.float cimport DBL_MIN
from libc.math cimport cbrt, fabs, isfinite, sqrt
from libc.string cimport memcpy, memset

from lmoo._core.model cimport *
from lmoo._core.norms cimport all_finite, all_zero, enorm

cdef enum:
    NONE
    FORWARD
    BACKWARD
    RIGHT
    LEFT
    NEAR
    FAR

    # Intervals that a column is taken with at the most.
    TRIES = 4
    # And where a parameter is 0 and has no effect: up to an interval of 1e20.
    TRIES_AT_ZERO = 8

# A second difference of less than this many errors of f shows nothing but those: they add up to
# 6^(1/2) errors where they are independent.
cdef double SEEN = 3.0
# A column is taken again where its error is this many times what the best interval would leave.
cdef double FAR_FROM_BEST = 10.0
# Where a column cannot be told from the error of f, the interval grows by this, the cube root of the
# range between the two; and by no more where it is no second difference that has told: it would pass all that f does.
cdef double LONGER = 1e4


cdef int analytic(lmoo_point *at, void *context) noexcept nogil:
    """The problem's own derivatives."""
    return at.jacobian(at)


cdef int differences(lmoo_point *at, void *context) noexcept nogil:
    """Forward or central differences; context: an lm_differences, read only."""
    cdef const lm_differences *d = <const lm_differences *>context
    cdef lm_columns w
    cdef int code
    if d.use_jacobian:
        code = at.jacobian(at)
        if code != LMOO_NOT_PROVIDED:
            return code
    differences_begin(at, d, &w)
    code = differences_next(at, d, &w, 0)
    while code == DIFFERENCES_ASK:
        code = differences_next(at, d, &w, at.residual(at, at.x_work, w.out))
    return code


cdef void differences_begin(lmoo_point *at, const lm_differences *d, lm_columns *w) noexcept nogil:
    """Begin the Jacobian at at.x.  w: the caller's, to be kept until the last column."""
    cdef ptrdiff_t j
    cdef double eps = max(d.epsfcn if d.epsfcn > 0.0 else at.precision, EPSMCH)
    w.eps = eps
    w.central = d.central or at.better and d.refines
    w.root = cbrt(eps) if w.central else sqrt(eps)
    if not d.minpack_compatible:
        _measure(at, w, eps)
    # What is known of the columns one by one is beside this.
    at.relative_error = eps if at.state.models > 0 or w.central else w.root
    if d.minpack_compatible:
        at.relative_error = w.root
    for j in range(at.n):
        at.x_work[j] = at.x[j]
        at.column_error[j] = at.interval[j] = 0.0
    at.noise = 0.0
    w.restarted = 0
    w.j, w.phase, w.first = -1, NONE, False


cdef void _measure(lmoo_point *at, lm_columns *w, double eps) noexcept nogil:
    """The error of f, and the size that a parameter contributes to f.

    The terms of f are as large as |J_k x_k|, and rounded.  What a parameter contributes is the median of those, as one
    that is far from 0, as the place of a peak, says nothing about its scale, nor does one that is 0; or |f| at the
    start, or now, where that is more.
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


cdef const double *_column_norms(const lm_state *s) noexcept nogil:
    return s.acnorm if s.bounded else s.free_norms


cdef int differences_next(lmoo_point *at, const lm_differences *d, lm_columns *w,
                          int code) noexcept nogil:
    """Go on: DIFFERENCES_ASK, 0 when at.fjac is full, positive at a bad point, or code < 0.

    code   how the evaluation went that was asked for: 0, positive at a bad point (not finite ones
           are), negative to end; 0 to begin with
    """
    w.first = False
    if code < 0:
        return code
    if w.phase == FORWARD:
        return _to_the_left(at, d, w) if code > 0 else _quotient(at, d, w, at.f)
    if w.phase == BACKWARD:
        return code if code > 0 else _quotient(at, d, w, at.f)
    if w.phase == RIGHT:
        return _then_left(at, w, code > 0)
    if w.phase == LEFT:
        return _central(at, d, w, code > 0)
    if w.phase == NEAR:
        return code if code > 0 else _farther(at, w)
    if w.phase == FAR:
        return code if code > 0 else _one_sided(at, d, w)
    return _next_column(at, d, w)


cdef int _next_column(lmoo_point *at, const lm_differences *d, lm_columns *w) noexcept nogil:
    w.j += 1
    while w.j < at.n and differences_skips(at, w.j):
        memset(at.fjac + w.j * at.m, 0, <size_t>at.m * sizeof(double))
        w.j += 1
    if w.j == at.n:
        return 0
    w.first, w.tries = True, 0
    return _begin_column(at, d, w, _first_step(at, d, w, w.j))


cdef bint differences_skips(const lmoo_point *at, ptrdiff_t j) noexcept nogil:
    """Whether parameter j is fixed, and its column zero."""
    cdef const lm_state *s = at.state
    return s.bounded and s.lower[j] == s.upper[j]


cdef double _first_step(const lmoo_point *at, const lm_differences *d, const lm_columns *w,
                        ptrdiff_t j) noexcept nogil:
    """Where the first value of column j is wanted, relative to x_j: negative where a bound is near."""
    cdef double h = _interval(at, d, w, j)
    # Less than a normal number is lost beside x_j, or in the quotient.
    return _with_room(at, w, j, h if h >= DBL_MIN else w.root)


cdef double _interval(const lmoo_point *at, const lm_differences *d, const lm_columns *w,
                      ptrdiff_t j) noexcept nogil:
    """The best interval for column j, as far as is known."""
    cdef double size = fabs(at.x[j])
    cdef double norm = _column_norms(at.state)[j] * at.share
    cdef double length = _length(at, d, w, j)
    if d.minpack_compatible or at.state.models == 0 or not (isfinite(norm) and norm > 0.0) or length == 0.0:
        return w.root * (max(size, d.typical[j]) if d.typical != NULL else size)
    # Where all is error, no interval is better than L.
    return max(min(_best(w, length, norm), length), 2.0 * EPSMCH * size)


cdef inline double _best(const lm_columns *w, double length, double norm) noexcept nogil:
    """The interval that balances the errors."""
    cdef double share = w.noise / norm / length
    return length * (cbrt(3.0 * share) if w.central else 2.0 * sqrt(share))


cdef double _length(const lmoo_point *at, const lm_differences *d, const lm_columns *w,
                    ptrdiff_t j) noexcept nogil:
    """L of parameter j: measured, or what changes f by the size of a contribution; 0: unknown.

    Where a column is much less than it was, that would be much further away than the parameter's own size.
    """
    cdef double norm = _column_norms(at.state)[j], length
    if at.length[j] > 0.0:
        return at.length[j]
    if d.typical != NULL:
        return max(fabs(at.x[j]), d.typical[j])
    if at.state.models == 0 or not norm > 0.0:
        return 0.0
    length = w.size / norm
    # A parameter that is on the way to infinity changes by its own size; one that goes to 0 does not.
    if not at.state.options.user_scale and at.state.diag[j] > 0.0:
        length = min(length, max(fabs(at.x[j]), w.size / at.state.diag[j]))
    return length


cdef double _with_room(const lmoo_point *at, const lm_columns *w, ptrdiff_t j,
                       double h) noexcept nogil:
    """h > 0, or -h, or what there is room for between the bounds of parameter j."""
    cdef const lm_state *s = at.state
    cdef double right, left, room
    if not s.bounded:
        return h
    right, left = s.upper[j] - at.x[j], at.x[j] - s.lower[j]
    if right >= h and (left >= h or not w.central):
        return h
    # One side only, on which the third formula goes twice as far, if half the room is any.
    room = max(right, left)
    if w.central and at.x[j] + 0.5 * room != at.x[j] and at.x[j] - 0.5 * room != at.x[j]:
        room *= 0.5
    return min(h, room) if right >= left else -min(h, room)


cdef ptrdiff_t differences_points(const lmoo_point *at, const lm_differences *d,
                                  const lm_columns *w, double *x) noexcept nogil:
    """Write the first points that the columns are going to ask for, and return how many: (k, n).

    For a caller that evaluates all columns at once, right after differences_begin: the residuals at the
    points, each m numbers, go into the columns of at.fjac, but for those that differences_skips; then
    differences_take goes on from there.
    """
    cdef ptrdiff_t i, j, n = at.n, row = 0
    for j in range(n):
        if differences_skips(at, j):
            continue
        for i in range(n):
            x[row * n + i] = at.x[i]
        x[row * n + j] = _inside(at, j, at.x[j] + _first_step(at, d, w, j))
        row += 1
    return row


cdef int differences_take(lmoo_point *at, const lm_differences *d, lm_columns *w,
                          ptrdiff_t *nfev) noexcept nogil:
    """differences_next, for the value that has come in and those of the first points behind it.

    nfev: counts them
    """
    cdef int code
    while True:
        nfev[0] += 1
        code = differences_next(at, d, w, not all_finite(at.m, w.out))
        if code != DIFFERENCES_ASK or not w.first:
            return code


cdef int _begin_column(lmoo_point *at, const lm_differences *d, lm_columns *w,
                       double h) noexcept nogil:
    """Ask for f at x + h e_j, the first of a column's."""
    cdef ptrdiff_t j = w.j
    w.h = h
    at.x_work[j] = _inside(at, j, at.x[j] + h)
    w.phase = FORWARD
    if w.central:
        w.phase = RIGHT if _has_both_sides(at, j, h) else NEAR
    w.step = at.x_work[j] if w.phase == RIGHT else h if d.minpack_compatible else at.x_work[j] - at.x[j]
    w.out = at.fjac + j * at.m
    return DIFFERENCES_ASK


cdef double _inside(const lmoo_point *at, ptrdiff_t j, double value) noexcept nogil:
    """What x_j may be, next to value: rounding is not to lead beyond a bound."""
    cdef const lm_state *s = at.state
    return min(max(value, s.lower[j]), s.upper[j]) if s.bounded else value


cdef bint _has_both_sides(const lmoo_point *at, ptrdiff_t j, double h) noexcept nogil:
    cdef const lm_state *s = at.state
    return not s.bounded or h > 0.0 and at.x[j] - s.lower[j] >= h and s.upper[j] - at.x[j] >= h


cdef int _to_the_left(lmoo_point *at, const lm_differences *d, lm_columns *w) noexcept nogil:
    """x + h is bad: backward differences instead."""
    if not _has_both_sides(at, w.j, w.h):
        return LMOO_BAD_POINT
    at.x_work[w.j] = at.x[w.j] - w.h
    w.step = -w.h if d.minpack_compatible else at.x_work[w.j] - at.x[w.j]
    w.phase = BACKWARD
    return DIFFERENCES_ASK


cdef int _then_left(lmoo_point *at, lm_columns *w, bint bad) noexcept nogil:
    """Central differences have f(x + h), or do without: now the other side."""
    if bad:
        memcpy(at.fjac + w.j * at.m, at.f, <size_t>at.m * sizeof(double))
        w.step = at.x[w.j]
    at.x_work[w.j] = w.lower = at.x[w.j] - w.h
    w.phase = LEFT
    w.out = at.f_work
    return DIFFERENCES_ASK


cdef int _central(lmoo_point *at, const lm_differences *d, lm_columns *w,
                  bint bad) noexcept nogil:
    """Both sides are known, or one of them."""
    cdef double *column = at.fjac + w.j * at.m
    cdef double plus, minus
    cdef ptrdiff_t i
    cdef bint only_left = w.step == at.x[w.j]
    w.step -= at.x[w.j] if bad else w.lower
    if w.step == 0.0:
        return LMOO_BAD_POINT
    if bad or only_left:
        return _quotient(at, d, w, at.f if bad else at.f_work)
    at.x_work[w.j] = at.x[w.j]
    for i in range(at.m):
        plus, minus = column[i], at.f_work[i]
        at.f_work[i] = (plus - at.f[i]) + (minus - at.f[i])
        column[i] = (plus - minus) / w.step
    return _assess(at, d, w, 0.5 * w.step)


cdef int _farther(lmoo_point *at, lm_columns *w) noexcept nogil:
    """The one side has f(x + h): now at twice the way."""
    at.x_work[w.j] = _inside(at, w.j, at.x[w.j] + 2.0 * w.step)
    w.lower = at.x_work[w.j]
    w.phase = FAR
    w.out = at.f_work
    return DIFFERENCES_ASK


cdef int _one_sided(lmoo_point *at, const lm_differences *d, lm_columns *w) noexcept nogil:
    """The parabola's slope at x through f(x), f(x + h), f(x + k), k being 2 h but for rounding.

    (f(x + h) - f) / h + ((f(x + h) - f) / h - (f(x + k) - f) / k) h / (k - h)
    """
    cdef double h = w.step, k = w.lower - at.x[w.j], near, far
    cdef double *column = at.fjac + w.j * at.m
    cdef ptrdiff_t i
    if h == 0.0:
        return LMOO_BAD_POINT
    if k == h:
        # There is no room for two.
        return _quotient(at, d, w, at.f)
    at.x_work[w.j] = at.x[w.j]
    for i in range(at.m):
        near = (column[i] - at.f[i]) / h
        far = (at.f_work[i] - at.f[i]) / k
        at.f_work[i] = (at.f_work[i] - column[i]) - (column[i] - at.f[i])
        column[i] = near + (near - far) * (h / (k - h))
    return _assess(at, d, w, fabs(h))


cdef int _assess(lmoo_point *at, const lm_differences *d, lm_columns *w, double h) noexcept nogil:
    """The column is there, its second difference in f_work: measure L and the column's error; take it
    again where h was far from the best."""
    cdef double *column = at.fjac + w.j * at.m
    cdef double norm = enorm(at.m, column), second = enorm(at.m, at.f_work)
    cdef double change = h * norm, error, best, length
    # f(x + h) is rounded as well, and may be larger than f.
    cdef double noise = max(w.noise, w.eps * change)
    cdef bint known = isfinite(change) and isfinite(second), seen
    cdef ptrdiff_t j
    if at.share < 1.0:
        # The terms of these rows may be larger than their share of all.
        noise = max(noise, w.eps * norm * fabs(at.x[w.j]))
    at.interval[w.j] = 2.0 * h
    if not known or all_zero(at.m, column):
        return _next_or_again(at, d, w, h)
    if d.minpack_compatible:
        return _next_column(at, d, w)
    if _look_for_noise(at, w, h, second) and not w.restarted:
        # All that came before took noise for curvature.
        w.restarted = 1
        for j in range(at.n):
            at.length[j] = min(at.length[j], 0.0)
            at.column_error[j] = at.interval[j] = 0.0
        w.j = -1
        return _next_column(at, d, w)
    w.tries += 1
    if change <= SEEN * noise and _is_seen_elsewhere(at, w, h):
        return _next_column(at, d, w)
    if change <= SEEN * noise:
        # Nothing but the error of f.
        return _again(at, d, w, h, _longer(at, w, h))
    seen = second > SEEN * noise
    if seen:
        at.length[w.j] = length = h * (change / second)
    else:
        # What no second difference has shown is no reason to go far beyond x.
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


cdef bint _is_seen_elsewhere(const lmoo_point *at, const lm_columns *w, double h) noexcept nogil:
    """Whether these rows are a part of the problem, in others of which the column is seen with this interval."""
    cdef const lm_state *s = at.state
    return at.share < 1.0 and s.models > 0 and h * _column_norms(s)[w.j] > SEEN * w.noise / at.share


cdef double _longer(const lmoo_point *at, const lm_columns *w, double h) noexcept nogil:
    """A longer interval, but within the size of the parameter, where it has one."""
    cdef double size = fabs(at.x[w.j])
    return min(LONGER * h, max(size, h)) if size > 0.0 else LONGER * h


cdef bint _look_for_noise(lmoo_point *at, lm_columns *w, double h, double second) noexcept nogil:
    """A second difference that does not shrink with its interval is error of f.

    As h^2 it shrinks where f is smooth, as h at a kink, as the root of h at the end of one; slower than its fourth
    root only where it is that.
    """
    cdef bint found = w.tries > 0 and h < w.last_h and second > SEEN * w.noise \
        and second > w.last_second * sqrt(sqrt(h / w.last_h))
    if found:
        w.noise = second / sqrt(6.0)
        at.noise = max(at.noise, w.noise)
    w.last_h, w.last_second = h, second
    return found


cdef int _again(lmoo_point *at, const lm_differences *d, lm_columns *w, double h,
                double better) noexcept nogil:
    """Take the column with a better interval, if there is room for it and it is another one."""
    better = _with_room(at, w, w.j, better)
    if w.tries >= TRIES or not isfinite(better) or 0.5 * h <= fabs(better) <= 2.0 * h \
            or fabs(better) <= 2.0 * EPSMCH * fabs(at.x[w.j]):
        return _next_column(at, d, w)
    return _begin_column(at, d, w, better)


cdef int _quotient(lmoo_point *at, const lm_differences *d, lm_columns *w,
                   const double *other) noexcept nogil:
    """The column, (f - other) / step, and on to the next one."""
    cdef double *column = at.fjac + w.j * at.m
    cdef double step = w.step, h = fabs(step), length
    cdef ptrdiff_t i
    at.x_work[w.j] = at.x[w.j]
    for i in range(at.m):
        column[i] = (column[i] - other[i]) / step
    at.interval[w.j] = h
    if not d.minpack_compatible and at.state.models > 0:
        length = _length(at, d, w, w.j)
        at.column_error[w.j] = 0.5 * h / length if length > 0.0 else 0.0
    elif not d.minpack_compatible and w.tries < TRIES and h * enorm(at.m, column) <= SEEN * w.noise \
            and not all_zero(at.m, column):
        # The first time there is no model to tell how long h must be to be seen.
        w.tries += 1
        return _again(at, d, w, h, _longer(at, w, h) if h >= sqrt(EPSMCH) else
                      max(_longer(at, w, h), sqrt(EPSMCH)))
    return _next_or_again(at, d, w, h)


cdef int _next_or_again(lmoo_point *at, const lm_differences *d, lm_columns *w,
                        double step) noexcept nogil:
    """The column is there: the next one, or the same by a longer step."""
    cdef double near_one = cbrt(EPSMCH) if w.central else sqrt(EPSMCH), longer
    cdef const double *column = at.fjac + w.j * at.m
    # At 0 there is no scale to begin with, and that of the parameter may be any.
    if d.minpack_compatible or d.typical != NULL or at.length[w.j] < 0.0 or not all_zero(at.m, column) \
            or _is_seen_elsewhere(at, w, step):
        return _next_column(at, d, w)
    if at.x[w.j] == 0.0 and w.tries < TRIES_AT_ZERO and step >= 0.5 * near_one:
        longer = _with_room(at, w, w.j, LONGER * step)
        if fabs(longer) > 2.0 * step and isfinite(longer):
            w.tries += 1
            return _begin_column(at, d, w, longer)
    # Nothing moved: either f does not know this parameter, or x + h was lost beside a number
    # near 1 (x - 3 at x = 1e-9); the step that suits a parameter near 1 tells.
    if step < 0.5 * near_one:
        longer = _with_room(at, w, w.j, near_one)
        if fabs(longer) > 2.0 * step and w.tries < TRIES:
            w.tries += 1
            return _begin_column(at, d, w, longer)
    # Not to be looked for again.
    at.length[w.j] = -1.0
    return _next_column(at, d, w)
