"""Bounds on the parameters: the active bounds, and steps that stay within the bounds.

At x a parameter is active if it is fixed, or if it is at a bound and either the gradient J^T f pushes it against this
bound, or its column of J is no larger than its error, so that no step can be based on it.  The linear model leaves out
the active parameters; the iteration, the step strategies and the tests use the free ones only.  At convergence the
projected gradient is zero.  A step that leaves the bounds is replaced by the solution of

   min |J p + f|^2 + par |D p|^2,      lower <= x + p <= upper,

with the par of the strategy, by an active-set method: from p = 0 towards the minimum over the free subspace, up to the
first bound, which joins the working set; a bound whose multiplier has the wrong sign is released.  Each point reduces
the model, so the step does.  So is a step within the bounds after which the model leads off an active bound: the
gradient at x may push a parameter against its bound, and the minimum be inside.

Kanzow, Yamashita, Fukushima (2004), "Levenberg-Marquardt methods with strong local convergence
properties for solving nonlinear equations with convex constraints", J. Comput. Appl. Math. 172,
section 2 (the constrained method); Stark, Parker (1995), "Bounded-variable least-squares: an algorithm
and applications", Computational Statistics 10 (the subproblem).
"""

from libc.math cimport INFINITY, fabs, sqrt
from libc.string cimport memcpy, memset

from lmoo._core.model cimport *
from lmoo._core.norms cimport scaled_norm

cdef enum:
    AT_LOWER = -1
    FREE = 0
    AT_UPPER = 1
    FIXED = 2

# Share of the distance to a bound that a first step towards it may use.
cdef double SHORT = 0.7
cdef enum:
    MANY = 100              # parameters, beyond which bounds are exchanged together
    PATIENCE = 3            # exchanges of all without a gain before one alone is exchanged
    MOST_EXCHANGES = 100
# A multiplier of less than this, relative to |J_j| |f|, is rounding.
cdef double NO_MULTIPLIER = 1e-12


# ---- memory ---------------------------------------------------------------------------------

cdef size_t bounds_doubles(ptrdiff_t n) noexcept nogil:
    """Return the doubles that bounds_attach uses."""
    return <size_t>(4 * n + 3 * ((n + 1) // 2))


cdef void bounds_attach(lm_state *s, double *next) noexcept nogil:
    """Set the pointers of the arrays for bounds to bounds_doubles(n) doubles."""
    cdef ptrdiff_t n = s.n, ints = 2 * ((n + 1) // 2)
    s.lower, s.upper = next, next + n
    s.shift, s.target = next + 2 * n, next + 3 * n
    s.active = <int *>(next + 4 * n)
    s.working = s.active + ints
    s.near = s.working + ints


cdef void bounds_start(lm_state *s, const double *lower, const double *upper) noexcept nogil:
    """Store the bounds, n doubles each, copied.

    NULL stands for no bounds on that side; NaN for a parameter that is fixed at its value.
    """
    cdef ptrdiff_t j
    s.bounded = 1
    memset(s.lower, 0, bounds_doubles(s.n) * sizeof(double))
    for j in range(s.n):
        s.lower[j] = -INFINITY if lower == NULL else lower[j]
        s.upper[j] = INFINITY if upper == NULL else upper[j]
        if s.lower[j] != s.lower[j] or s.upper[j] != s.upper[j]:
            s.lower[j] = s.upper[j] = s.x[j]


# ---- the model of the free parameters -------------------------------------------------------

cdef void bounds_new_model(lm_state *s) noexcept nogil:
    """Determine the active parameters from the linear model of all columns, and leave them out of it."""
    cdef ptrdiff_t j
    cdef int activity
    s.linear.gradient(s.model, NULL, 1.0, s.gradient)
    for j in range(s.n):
        activity = _activity(s, j)
        if activity != s.active[j]:
            # The active set has changed: the rate of the previous steps does not apply.
            s.last_pnorm, s.contraction, s.linear_rate = 0.0, 1.0, 0.0
            s.known_newton = 0
        s.active[j] = activity
        s.free_norms[j] = s.acnorm[j] if activity == FREE else 0.0
    s.linear.leave_out(s.model, s.active)


cdef int _activity(const lm_state *s, ptrdiff_t j) noexcept nogil:
    # A slope smaller than its error counts as zero: for example that of x^2 at 0, from differences.
    # The estimated error is a tenth of column_error; the rest is a safety factor.
    cdef double unknown = 0.1 * s.column_error[j] * s.acnorm[j] * s.fnorm
    cdef bint lost = s.column_error[j] == 1.0 and s.acnorm[j] == 0.0
    if s.lower[j] == s.upper[j]:
        return FIXED
    if s.x[j] <= s.lower[j] and (lost or s.gradient[j] > -unknown):
        return AT_LOWER
    return AT_UPPER if s.x[j] >= s.upper[j] and (lost or s.gradient[j] < unknown) else FREE


# ---- steps ----------------------------------------------------------------------------------

cdef void bounds_limit_step(lm_state *s) noexcept nogil:
    """Limit s.step to the bounds, with its prered and dirder; set s.limited if it has changed."""
    cdef double proposed = scaled_norm(s.n, s.diag, s.step, s.wa2)
    s.limited = 0
    _start_from_active(s)
    if not _leaves(s) and not _may_release(s):
        memset(s.near, 0, <size_t>s.n * sizeof(int))
        return
    s.limited = 1
    s.newton = 0
    _minimize_within(s)
    if s.prered <= 0.0:
        # A bent or extrapolated step is not based on this model alone; its part within the bounds may not reduce the
        # model.
        _start_from_active(s)
        s.linear.damped(s.model, s.par, s.diag, s.step)
        _minimize_within(s)
    _note_approached_bounds(s)
    _limit_length(s, 2.0 * proposed)


cdef void _start_from_active(lm_state *s) noexcept nogil:
    cdef ptrdiff_t j
    for j in range(s.n):
        s.working[j] = s.active[j]
        if s.active[j] != FREE:
            s.step[j] = 0.0


cdef void _minimize_within(lm_state *s) noexcept nogil:
    """Minimise the damped model within the bounds; the step stops short of a newly active bound."""
    cdef ptrdiff_t n = s.n, rounds = 3 * n + 10
    if n > MANY:
        if _minimize_at_once(s):
            memcpy(s.step, s.target, <size_t>n * sizeof(double))
            predict(s, s.step, True)
            return
        # What is reached in some rounds reduces the model as well.
        rounds = MANY
        memcpy(s.working, s.active, <size_t>n * sizeof(int))
    memcpy(s.target, s.step, <size_t>n * sizeof(double))
    memset(s.shift, 0, <size_t>n * sizeof(double))
    while rounds > 0 and (_to_first_bound(s) or _release(s)):
        rounds -= 1
        s.linear.damped_on_face(s.model, s.working, s.shift, s.par, s.diag, s.target)
    memcpy(s.step, s.shift, <size_t>n * sizeof(double))
    predict(s, s.step, True)


cdef bint _minimize_at_once(lm_state *s) noexcept nogil:
    """The minimum within the box to s.target, by exchanging all bounds that are wrong at once; False where that does
    not end.

    With many parameters one bound after the other would take as many factorisations as there are bounds.  Where
    the number of wrong ones does not fall, one alone is exchanged, which ends for a positive definite matrix.
    Judice, Pires (1994), "A block principal pivoting algorithm for large-scale strictly monotone linear
    complementarity problems", Computers Ops. Res. 21.
    """
    cdef ptrdiff_t j, count, last, least = s.n + 1, n = s.n
    cdef int patience = PATIENCE, rounds
    cdef double pull
    memcpy(s.target, s.step, <size_t>n * sizeof(double))
    memset(s.shift, 0, <size_t>n * sizeof(double))
    for rounds in range(MOST_EXCHANGES):
        s.linear.gradient(s.model, s.target, s.fnorm, s.wa1)
        count, last = 0, -1
        for j in range(n):
            # What is wrong is marked in wa2: where the parameter has to go.
            s.wa2[j] = s.working[j]
            if s.working[j] == FREE:
                if s.target[j] < min(_room(s, j, AT_LOWER), 0.0):
                    s.wa2[j] = AT_LOWER
                elif s.target[j] > max(_room(s, j, AT_UPPER), 0.0):
                    s.wa2[j] = AT_UPPER
            elif s.working[j] != FIXED:
                pull = (s.wa1[j] + s.par * s.diag[j] * s.diag[j] * s.target[j] / s.fnorm) * s.working[j]
                # In the first round the step need not be a minimum.
                if rounds > 0 and pull > NO_MULTIPLIER * s.acnorm[j]:
                    s.wa2[j] = FREE
            if s.wa2[j] != s.working[j]:
                count += 1
                last = j
        if count == 0 and rounds > 0:
            return True
        if 0 < count < least:
            least, patience = count, PATIENCE
        else:
            patience -= 1
        for j in range(n):
            if s.wa2[j] == s.working[j] or patience < 0 and j != last:
                continue
            s.working[j] = <int>s.wa2[j]
            s.shift[j] = 0.0 if s.working[j] == FREE else _room(s, j, s.working[j])
        s.linear.damped_on_face(s.model, s.working, s.shift, s.par, s.diag, s.target)
    return False


cdef void _limit_length(lm_state *s, double most) noexcept nogil:
    """Shorten a step with |D p| > most.

    The minimum over a subspace may be far away although that over all parameters is near; all points between are within
    the bounds.
    """
    cdef ptrdiff_t j
    cdef double size = scaled_norm(s.n, s.diag, s.step, s.wa2)
    if not size > most:
        return
    for j in range(s.n):
        s.step[j] *= most / size
        s.working[j] = FREE
    predict(s, s.step, True)


cdef double _room(const lm_state *s, ptrdiff_t j, int side) noexcept nogil:
    """Return the signed distance that parameter j may move from x towards its bound on this side.

    A step that would make a bound active for the first time stops before it; the next one may reach it.  On the bound
    the model may be degenerate, as a peak of height 0, so that no step can leave it.
    """
    cdef double room = (s.lower[j] if side == AT_LOWER else s.upper[j]) - s.x[j]
    return room if _may_become_active(s, j, side) else SHORT * room


cdef bint _may_become_active(const lm_state *s, ptrdiff_t j, int side) noexcept nogil:
    """Return whether a step may end on this bound: the last one stopped before it, or x is within xtol of it."""
    cdef double bound = s.lower[j] if side == AT_LOWER else s.upper[j]
    return s.near[j] == side or fabs(bound - s.x[j]) <= s.options.xtol * fabs(s.x[j])


cdef void _note_approached_bounds(lm_state *s) noexcept nogil:
    """Record the bounds that this step approaches; release those that the last step did not approach."""
    cdef ptrdiff_t j
    for j in range(s.n):
        if s.active[j] != FREE or s.working[j] == FREE:
            s.near[j] = FREE
        elif not _may_become_active(s, j, s.working[j]):
            s.near[j] = s.working[j]
            s.working[j] = FREE


cdef bint _leaves(const lm_state *s) noexcept nogil:
    cdef ptrdiff_t j
    for j in range(s.n):
        if not s.lower[j] <= s.x[j] + s.step[j] <= s.upper[j]:
            return True
    return False


cdef bint _to_first_bound(lm_state *s) noexcept nogil:
    """Move from shift towards target; return True if a bound is reached, which joins the working set."""
    cdef ptrdiff_t j
    cdef double share, first = 1.0
    for j in range(s.n):
        first = min(first, _share(s, j))
    for j in range(s.n):
        if s.working[j] != FREE:
            continue
        share = _share(s, j)
        if share <= first and share < 1.0:
            s.working[j] = AT_LOWER if s.target[j] < s.shift[j] else AT_UPPER
            s.shift[j] = _room(s, j, s.working[j])
        else:
            s.shift[j] += first * (s.target[j] - s.shift[j])
    return first < 1.0


cdef double _share(const lm_state *s, ptrdiff_t j) noexcept nogil:
    """Return the share of the way from shift to target that parameter j can move; at least 1 for all of it."""
    cdef double way = s.target[j] - s.shift[j], room
    if s.working[j] != FREE or way == 0.0:
        return 1.0
    room = _room(s, j, AT_LOWER if way < 0.0 else AT_UPPER) - s.shift[j]
    if room == 0.0 or (room < 0.0) != (way < 0.0):
        return 0.0
    return room / way if fabs(room) < fabs(way) else 1.0


cdef bint _release(lm_state *s) noexcept nogil:
    """Release the parameter with the largest multiplier, in units of D; return False if there is none."""
    cdef ptrdiff_t worst = _to_release(s, s.shift)
    if worst >= 0:
        s.working[worst] = FREE
    return worst >= 0


cdef bint _may_release(lm_state *s) noexcept nogil:
    """Return whether a step along the active bounds ends where the model leads off one of them."""
    cdef ptrdiff_t j
    for j in range(s.n):
        if s.working[j] == AT_LOWER or s.working[j] == AT_UPPER:
            return _to_release(s, s.step) >= 0
    return False


cdef ptrdiff_t _to_release(lm_state *s, const double *p) noexcept nogil:
    """Return the parameter whose multiplier after the step p leads off its bound, the largest in units of D; -1: none.

    Multipliers that are errors, or whose release would not reduce |f|^2 visibly, do not count: the bounds that are
    active at the end are those of the last model.
    """
    cdef ptrdiff_t j, worst = -1
    cdef double pull, most = 0.0, least = max(NO_MULTIPLIER, sqrt(s.noise))
    s.linear.gradient(s.model, p, s.fnorm, s.wa1)
    for j in range(s.n):
        if s.working[j] != AT_LOWER and s.working[j] != AT_UPPER:
            continue
        pull = (s.wa1[j] + s.par * s.diag[j] * s.diag[j] * p[j] / s.fnorm) * s.working[j]
        if pull > max(least, 0.1 * s.column_error[j]) * s.acnorm[j] and pull / s.diag[j] > most:
            worst, most = j, pull / s.diag[j]
    return worst


cdef void bounds_place(lm_state *s) noexcept nogil:
    """Move s.trial, x + step, onto its active bounds, and back within the others if rounding has moved it out."""
    cdef ptrdiff_t j
    for j in range(s.n):
        if s.working[j] == AT_LOWER:
            s.trial[j] = s.lower[j]
        elif s.working[j] == AT_UPPER:
            s.trial[j] = s.upper[j]
        else:
            s.trial[j] = min(max(s.trial[j], s.lower[j]), s.upper[j])


cdef bint bounds_inside(const lm_state *s, const double *x) noexcept nogil:
    """Return whether x, n doubles, is within the bounds."""
    cdef ptrdiff_t j
    if s.bounded:
        for j in range(s.n):
            if not s.lower[j] <= x[j] <= s.upper[j]:
                return False
    return True
