"""Compiled Jacobian strategies: the problem's own derivatives, and differences of its residual.

    J_j = (f(x + h e_j) - f(x)) / h,                   h = sqrt(eps) |x_j|      (MINPACK's fdjac2)
    J_j = (f(x + h e_j) - f(x - h e_j)) / (2 h),       h = cbrt(eps) |x_j|
    J_j = (4 f(x + h e_j) - f(x + 2 h e_j) - 3 f(x)) / (2 h)

with eps = max(epsfcn, 2^-52); see Dennis, Schnabel (1983), "Numerical methods for unconstrained
optimization and nonlinear equations", section 5.4, on the choice of h.  Where x + h e_j is a bad
point, x - h e_j is tried.  Where a bound is nearer than h, the other side is taken, by the third
formula instead of the second; where both are, h is as long as there is room.

They ask for f and never call it, so that one driver may call it at once and another for many fits
together.
"""

from libc.float cimport DBL_MIN
from libc.math cimport cbrt, fabs, sqrt
from libc.string cimport memcpy, memset

from lmoo._core.model cimport *
from lmoo._core.norms cimport all_finite, all_zero

cdef enum:
    NONE
    FORWARD
    BACKWARD
    RIGHT
    LEFT
    NEAR
    FAR

cdef double EPSMCH = 2.0**-52


cdef int analytic(lmoo_point *at, void *context) noexcept nogil:
    """The problem's own derivatives."""
    return at.jacobian(at)


cdef int differences(lmoo_point *at, void *context) noexcept nogil:
    """Forward or central differences; context: an lm_differences, read only."""
    cdef const lm_differences *d = <const lm_differences *>context
    cdef lm_columns w
    cdef int code
    if d.own:
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
    w.central = d.central or at.better and d.refines
    w.root = cbrt(eps) if w.central else sqrt(eps)
    at.relative_error = eps / w.root if w.central else w.root
    for j in range(at.n):
        at.x_work[j] = at.x[j]
    w.j, w.phase, w.first = -1, NONE, False


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
    w.first = True
    return _begin_column(at, d, w, _first_step(at, d, w, w.j))


cdef bint differences_skips(const lmoo_point *at, ptrdiff_t j) noexcept nogil:
    """Whether parameter j is fixed, and its column zero."""
    cdef const lm_state *s = at.state
    return s.bounded and s.lower[j] == s.upper[j]


cdef double _first_step(const lmoo_point *at, const lm_differences *d, const lm_columns *w,
                        ptrdiff_t j) noexcept nogil:
    """Where the first value of column j is wanted, relative to x_j: negative where a bound is near."""
    cdef double h = w.root * _size(at, d, j)
    # Less than a normal number is lost beside x_j, or in the quotient.
    return _with_room(at, w, j, h if h >= DBL_MIN else w.root)


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

    For whoever evaluates all columns at once, right after differences_begin: what comes of the points,
    each m numbers, goes into the columns of at.fjac, but for those that differences_skips; then
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


cdef double _size(const lmoo_point *at, const lm_differences *d, ptrdiff_t j) noexcept nogil:
    """Size of parameter j, to which the step is relative; 0 where nothing is known."""
    cdef double size = fabs(at.x[j])
    cdef const lm_state *s = at.state
    if d.typical != NULL:
        return max(size, d.typical[j])
    cdef double norm = s.full.acnorm[j] if s.bounded else s.model.acnorm[j]
    if not d.nominal and size < 1.0 and s.models > 0 and norm > 0.0:
        # At or near 0 a parameter's own size says nothing; this one changes f by its own size.
        size = max(size, min(s.base_fnorm / norm, 1.0))
    return size


cdef int _begin_column(lmoo_point *at, const lm_differences *d, lm_columns *w,
                       double h) noexcept nogil:
    """Ask for f at x + h e_j, the first of a column's."""
    cdef ptrdiff_t j = w.j
    w.h = h
    at.x_work[j] = _inside(at, j, at.x[j] + h)
    w.phase = FORWARD
    if w.central:
        w.phase = RIGHT if _has_both_sides(at, j, h) else NEAR
    w.step = at.x_work[j] if w.phase == RIGHT else h if d.nominal else at.x_work[j] - at.x[j]
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
    w.step = -w.h if d.nominal else at.x_work[w.j] - at.x[w.j]
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
    w.step -= at.x[w.j] if bad else w.lower
    if w.step == 0.0:
        return LMOO_BAD_POINT
    return _quotient(at, d, w, at.f if bad else at.f_work)


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
        column[i] = near + (near - far) * (h / (k - h))
    return _next_or_again(at, d, w, fabs(h))


cdef int _quotient(lmoo_point *at, const lm_differences *d, lm_columns *w,
                   const double *other) noexcept nogil:
    """The column, (f - other) / step, and on to the next one."""
    cdef double *column = at.fjac + w.j * at.m
    cdef double step = w.step
    cdef ptrdiff_t i
    at.x_work[w.j] = at.x[w.j]
    for i in range(at.m):
        column[i] = (column[i] - other[i]) / step
    return _next_or_again(at, d, w, fabs(w.h) if w.central else fabs(step))


cdef int _next_or_again(lmoo_point *at, const lm_differences *d, lm_columns *w,
                        double step) noexcept nogil:
    """The column is there: the next one, or the same by a longer step."""
    cdef double near_one = cbrt(EPSMCH) if w.central else sqrt(EPSMCH), longer
    cdef const double *column = at.fjac + w.j * at.m
    # Nothing moved: either f does not know this parameter, or x + h was lost beside a number
    # near 1 (x - 3 at x = 1e-9); the step that suits a parameter near 1 tells.
    if not d.nominal and d.typical == NULL and step < 0.5 * near_one and all_zero(at.m, column):
        longer = _with_room(at, w, w.j, near_one)
        if fabs(longer) > 2.0 * step:
            return _begin_column(at, d, w, longer)
    return _next_column(at, d, w)
