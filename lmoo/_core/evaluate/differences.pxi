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
simulations", ACM TOMS 38).  |J_j| is that of the last linear model.  Central differences measure L: the second
difference is h^2 |f''|.  If this shows that h is far from the optimum, the column is computed again; L is kept from one
Jacobian to the next.  Until it is known, L is the change of x_j that changes f by the contribution of a parameter to f.
At the first Jacobian nothing is known, and h = sqrt(eps) |x_j| or cbrt(eps) |x_j|, with the error that was measured.

If x + h e_j is a bad point, x - h e_j is tried, then the interval of the first Jacobian, if it is shorter: a column
without a visible effect makes h long.  If a bound is nearer than h, the other side is used, with the third formula
instead of the second; if both bounds are, h is the larger distance to a bound.

The functions request f and never call it.  One driver may therefore evaluate it at once, and another one for many fits
together.
"""

from libc.math cimport sqrt
from libc.string cimport memset

from lmoo._core.iteration cimport is_at_jump
from lmoo._core.model cimport *
from lmoo._core.norms cimport all_finite

cdef enum:
    NONE
    FORWARD
    BACKWARD
    RIGHT
    LEFT
    NEAR
    FAR

    # Most intervals tried for a column.
    TRIES = 4
    # The same for a parameter that is 0 and has no effect: up to an interval of 1e20.
    TRIES_AT_ZERO = 8


cdef int analytic(lmoo_point *at, void *context) noexcept nogil:
    """Evaluate the problem's own derivatives."""
    return at.jacobian(at)


cdef int differences(lmoo_point *at, void *context) noexcept nogil:
    """Compute forward or central differences; context: an lm_differences, read only."""
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
    """Begin the Jacobian at at.x.  w: owned by the caller, kept until the last column."""
    cdef ptrdiff_t j
    cdef double eps = max(d.epsfcn if d.epsfcn > 0.0 else at.precision, EPSMCH)
    w.eps = eps
    w.central = d.central or at.high_accuracy and d.refines
    w.root = _root(w, eps)
    if not d.minpack_compatible:
        _measure(at, w, eps)
    # Relative error of all columns; column_error and interval contain that of each.
    at.relative_error = eps if at.state.models > 0 or w.central else w.root
    if d.minpack_compatible:
        at.relative_error = w.root
    for j in range(at.n):
        at.x_work[j] = at.x[j]
        at.column_error[j] = at.interval[j] = 0.0
    at.noise = 0.0
    w.restarted = 0
    w.j, w.phase, w.first = -1, NONE, False


cdef int differences_next(lmoo_point *at, const lm_differences *d, lm_columns *w,
                          int code) noexcept nogil:
    """Continue: return DIFFERENCES_ASK, 0 when at.fjac is complete, positive at a bad point, or code < 0.

    code   result of the requested evaluation: 0, positive at a bad point (including values that are not finite),
           negative to end the solve; 0 in the first call
    """
    w.first = False
    if code < 0:
        return code
    if w.phase == FORWARD:
        return _to_the_left(at, d, w) if code > 0 else _quotient(at, d, w, at.f)
    if w.phase == BACKWARD:
        return _nearer(at, d, w) if code > 0 else _quotient(at, d, w, at.f)
    if w.phase == RIGHT:
        return _then_left(at, w, code > 0)
    if w.phase == LEFT:
        return _central(at, d, w, code > 0)
    if w.phase == NEAR:
        return _nearer(at, d, w) if code > 0 else _farther(at, w)
    if w.phase == FAR:
        return _nearer(at, d, w) if code > 0 else _one_sided(at, d, w)
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
    """Return whether parameter j is fixed, or keeps its value at a jump of f, so that its column is zero."""
    cdef const lm_state *s = at.state
    return s.bounded and s.lower[j] == s.upper[j] or is_at_jump(s, j)


cdef ptrdiff_t differences_points(const lmoo_point *at, const lm_differences *d,
                                  const lm_columns *w, double *x) noexcept nogil:
    """Write the first points of all columns, (k, n), and return k.

    For a caller that evaluates all columns at once, immediately after differences_begin.  It writes the residuals at
    the points, m numbers each, into the columns of at.fjac that differences_skips does not exclude; differences_take
    then continues.
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
    """Call differences_next for the value at w.out and for the first values of the columns after it.

    Columns that are computed again, as an error of f was found, begin at other points than those of differences_points.

    nfev: increased by their number
    """
    cdef int code
    while True:
        nfev[0] += 1
        code = differences_next(at, d, w, not all_finite(at.m, w.out))
        if code != DIFFERENCES_ASK or not w.first or w.restarted:
            return code
