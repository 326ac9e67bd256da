"""Compiled Jacobian strategies: the problem's own derivatives, and differences of its residual.

    J_j = (f(x + h e_j) - f(x)) / h,                   h = sqrt(eps) |x_j|      (MINPACK's fdjac2)
    J_j = (f(x + h e_j) - f(x - h e_j)) / (2 h),       h = cbrt(eps) |x_j|

with eps = max(epsfcn, 2^-52); see Dennis, Schnabel (1983), "Numerical methods for unconstrained
optimization and nonlinear equations", section 5.4, on the choice of h.  Where x + h e_j is a bad
point, x - h e_j is tried.

They ask for f and never call it, so that one driver may call it at once and another for many fits
together.
"""

from libc.math cimport cbrt, fabs, sqrt
from libc.string cimport memcpy

from lmoo._core.model cimport *
from lmoo._core.norms cimport all_zero

cdef enum:
    NONE
    FORWARD
    BACKWARD
    RIGHT
    LEFT

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
    cdef double eps = max(d.epsfcn if d.epsfcn > 0.0 else at.precision, EPSMCH)
    w.central = d.central or at.better and d.refines
    w.root = cbrt(eps) if w.central else sqrt(eps)
    at.relative_error = eps / w.root if w.central else w.root
    memcpy(at.x_work, at.x, <size_t>at.n * sizeof(double))
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
    return _next_column(at, d, w)


cdef int _next_column(lmoo_point *at, const lm_differences *d, lm_columns *w) noexcept nogil:
    w.j += 1
    if w.j == at.n:
        return 0
    w.first = True
    return _to_the_right(at, d, w, _first_step(at, d, w, w.j))


cdef double _first_step(const lmoo_point *at, const lm_differences *d, const lm_columns *w,
                        ptrdiff_t j) noexcept nogil:
    cdef double h = w.root * _size(at, d, j)
    return h if h != 0.0 else w.root


cdef double differences_first(const lmoo_point *at, const lm_differences *d, const lm_columns *w,
                              ptrdiff_t j) noexcept nogil:
    """x_j of the first point that column j is going to ask for; all others are those of at.x.

    For whoever evaluates all columns at once: what comes of it goes into the column of at.fjac, and is
    taken from there when differences_next asks and w.first is set.
    """
    return at.x[j] + _first_step(at, d, w, j)


cdef double _size(const lmoo_point *at, const lm_differences *d, ptrdiff_t j) noexcept nogil:
    """Size of parameter j, to which the step is relative; 0 where nothing is known."""
    cdef double size = fabs(at.x[j])
    cdef const lm_state *s = at.state
    if d.typical != NULL:
        return max(size, d.typical[j])
    if not d.nominal and s.models > 0 and s.model.acnorm[j] > 0.0:
        # At or near 0 a parameter's own size says nothing; this one changes f by its own size.
        size = max(size, min(s.base_fnorm / s.model.acnorm[j], 1.0))
    return size


cdef int _to_the_right(lmoo_point *at, const lm_differences *d, lm_columns *w,
                       double h) noexcept nogil:
    """Ask for f at x + h e_j, the first of a column's."""
    cdef ptrdiff_t j = w.j
    w.h = h
    at.x_work[j] = at.x[j] + h
    w.step = at.x_work[j] if w.central else h if d.nominal else at.x_work[j] - at.x[j]
    w.phase = RIGHT if w.central else FORWARD
    w.out = at.fjac + j * at.m
    return DIFFERENCES_ASK


cdef int _to_the_left(lmoo_point *at, const lm_differences *d, lm_columns *w) noexcept nogil:
    """x + h is bad: backward differences instead."""
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


cdef int _quotient(lmoo_point *at, const lm_differences *d, lm_columns *w,
                   const double *other) noexcept nogil:
    """The column, (f - other) / step, and on to the next one."""
    cdef double *column = at.fjac + w.j * at.m
    cdef double step = w.step, near_one = cbrt(EPSMCH) if w.central else sqrt(EPSMCH)
    cdef ptrdiff_t i
    at.x_work[w.j] = at.x[w.j]
    for i in range(at.m):
        column[i] = (column[i] - other[i]) / step
    # Nothing moved: either f does not know this parameter, or x + h was lost beside a number
    # near 1 (x - 3 at x = 1e-9); the step that suits a parameter near 1 tells.
    if not d.nominal and d.typical == NULL \
            and (w.h if w.central else fabs(step)) < 0.5 * near_one and all_zero(at.m, column):
        return _to_the_right(at, d, w, near_one)
    return _next_column(at, d, w)
