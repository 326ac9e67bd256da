"""Bounds on the parameters: which of them are active, and steps that stay inside.

At x a parameter is active where it is fixed, or where it is at a bound and the gradient J^T f pushes it against this
bound, or its column of J is no more than error and cannot lead away.  The linear model leaves the active parameters out,
and the iteration, its strategies and its tests see the free ones alone: where they stop, the projected gradient is zero.
A step that leaves the box is replaced by

    min |J p + f|^2 + par |D p|^2,      lower <= x + p <= upper,

with the strategy's own par, by an active-set method: from p = 0 towards the minimum over the free subspace, up to the first
bound, which joins the working set; a bound whose multiplier has the wrong sign is released.  Each point reduces the model,
so the step does.

Kanzow, Yamashita, Fukushima (2004), "Levenberg-Marquardt methods with strong local convergence
properties for solving nonlinear equations with convex constraints", J. Comput. Appl. Math. 172,
section 2 (the constrained method); Stark, Parker (1995), "Bounded-variable least-squares: an algorithm
and applications", Computational Statistics 10 (the subproblem).
"""

from libc.math cimport INFINITY, fabs
from libc.string cimport memcpy, memset

from lmoo._core.model cimport *
from lmoo._core.norms cimport scaled_norm

cdef enum:
    AT_LOWER = -1
    FREE = 0
    AT_UPPER = 1
    FIXED = 2

# How much of the way to a bound a step goes at first.
cdef double SHORT = 0.5
cdef enum:
    MANY = 100              # parameters, beyond which bounds are exchanged together
    PATIENCE = 3            # exchanges of all without a gain before one alone is exchanged
    MOST_EXCHANGES = 100
# A multiplier of less than this, relative to |J_j| |f|, is rounding.
cdef double NO_MULTIPLIER = 1e-12


# ---- memory ---------------------------------------------------------------------------------

cdef size_t bounds_doubles(ptrdiff_t n) noexcept nogil:
    """Doubles that bounds_attach lays out."""
    return <size_t>(4 * n + 3 * ((n + 1) // 2))


cdef void bounds_attach(lm_state *s, double *next) noexcept nogil:
    """Point what bounds want into bounds_doubles(n)."""
    cdef ptrdiff_t n = s.n, ints = 2 * ((n + 1) // 2)
    s.lower, s.upper = next, next + n
    s.shift, s.target = next + 2 * n, next + 3 * n
    s.active = <int *>(next + 4 * n)
    s.working = s.active + ints
    s.near = s.working + ints


cdef void bounds_start(lm_state *s, const double *lower, const double *upper) noexcept nogil:
    """Keep to these from now on; n doubles each, copied, NULL for none on that side, NaN for a
    parameter that is fixed where it is."""
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
    """The linear model is that of all columns: find the active parameters, and leave these out."""
    cdef ptrdiff_t j
    cdef int hold
    s.linear.gradient(s.model, NULL, 1.0, s.gradient)
    for j in range(s.n):
        hold = _hold(s, j)
        if hold != s.active[j]:
            # Another set: the results of steps with the last one say nothing here.
            s.last_pnorm, s.contraction = 0.0, 1.0
        s.active[j] = hold
        s.free_norms[j] = s.acnorm[j] if hold == FREE else 0.0
    s.linear.leave_out(s.model, s.active)


cdef int _hold(const lm_state *s, ptrdiff_t j) noexcept nogil:
    # A slope of which the sign is not known is none: that of a square at 0, from differences.
    # Of the error a tenth is the estimate, the rest safety.
    cdef double unknown = 0.1 * s.column_error[j] * s.acnorm[j] * s.fnorm
    cdef bint lost = s.column_error[j] == 1.0 and s.acnorm[j] == 0.0
    if s.lower[j] == s.upper[j]:
        return FIXED
    if s.x[j] <= s.lower[j] and (lost or s.gradient[j] > -unknown):
        return AT_LOWER
    return AT_UPPER if s.x[j] >= s.upper[j] and (lost or s.gradient[j] < unknown) else FREE


# ---- steps ----------------------------------------------------------------------------------

cdef void bounds_confine(lm_state *s) noexcept nogil:
    """Make s.step one that stays inside, with prered and dirder; s.limited tells whether it was not."""
    cdef double proposed = scaled_norm(s.n, s.diag, s.step, s.wa2)
    s.limited = 0
    _start_from_held(s)
    if not _leaves(s):
        memset(s.near, 0, <size_t>s.n * sizeof(int))
        return
    s.limited = 1
    s.newton = 0
    _confine(s)
    if s.prered <= 0.0:
        # A step that is bent or extrapolated follows more than this model, which its part inside need not reduce.
        _start_from_held(s)
        s.linear.damped(s.model, s.par, s.diag, s.step)
        _confine(s)
    _note_bounds_met(s)
    _limit(s, 2.0 * proposed)


cdef void _start_from_held(lm_state *s) noexcept nogil:
    cdef ptrdiff_t j
    for j in range(s.n):
        s.working[j] = s.active[j]
        if s.active[j] != FREE:
            s.step[j] = 0.0


cdef void _confine(lm_state *s) noexcept nogil:
    """The step within the box; bounds that are newly active are nearer."""
    cdef ptrdiff_t n = s.n, rounds = 3 * n + 10
    if n > MANY:
        if _confine_at_once(s):
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


cdef bint _confine_at_once(lm_state *s) noexcept nogil:
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
        if count == 0:
            return rounds > 0
        if count < least:
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


cdef void _limit(lm_state *s, double most) noexcept nogil:
    """Shorten a step of which |D p| is more than this.

    The minimum over a subspace may be far away where that over all parameters is near; what lies between is inside as
    well.
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
    """How far parameter j may go from x towards its bound on this side, with its sign.

    A step that would make a bound active for the first time stops short of it; the next one may reach it.  On the
    bound a model may be degenerate, as a peak of height 0 is, and not be left any more.
    """
    cdef double room = (s.lower[j] if side == AT_LOWER else s.upper[j]) - s.x[j]
    return room if _may_be_met(s, j, side) else SHORT * room


cdef bint _may_be_met(const lm_state *s, ptrdiff_t j, int side) noexcept nogil:
    """Whether a step may end on this bound: where the last one stopped short of it, or as good as on it."""
    cdef double bound = s.lower[j] if side == AT_LOWER else s.upper[j]
    return s.near[j] == side or fabs(bound - s.x[j]) <= s.options.xtol * fabs(s.x[j])


cdef void _note_bounds_met(lm_state *s) noexcept nogil:
    """Remember the bounds that this step goes towards, and put on them only what was near before."""
    cdef ptrdiff_t j
    for j in range(s.n):
        if s.active[j] != FREE or s.working[j] == FREE:
            s.near[j] = FREE
        elif not _may_be_met(s, j, s.working[j]):
            s.near[j] = s.working[j]
            s.working[j] = FREE


cdef bint _leaves(const lm_state *s) noexcept nogil:
    cdef ptrdiff_t j
    for j in range(s.n):
        if not s.lower[j] <= s.x[j] + s.step[j] <= s.upper[j]:
            return True
    return False


cdef bint _to_first_bound(lm_state *s) noexcept nogil:
    """Go from shift towards target; True where a bound is reached, which joins the working set."""
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
    """How much of the way from shift to target parameter j can go; 1 or more where all of it."""
    cdef double way = s.target[j] - s.shift[j], room
    if s.working[j] != FREE or way == 0.0:
        return 1.0
    room = _room(s, j, AT_LOWER if way < 0.0 else AT_UPPER) - s.shift[j]
    if room == 0.0 or (room < 0.0) != (way < 0.0):
        return 0.0
    return room / way if fabs(room) < fabs(way) else 1.0


cdef bint _release(lm_state *s) noexcept nogil:
    """Free the parameter that its bound holds back most, in units of D; False where there is none."""
    cdef ptrdiff_t j, worst = -1
    cdef double pull, most = 0.0
    s.linear.gradient(s.model, s.shift, s.fnorm, s.wa1)
    for j in range(s.n):
        if s.working[j] != AT_LOWER and s.working[j] != AT_UPPER:
            continue
        pull = (s.wa1[j] + s.par * s.diag[j] * s.diag[j] * s.shift[j] / s.fnorm) * s.working[j]
        if pull > NO_MULTIPLIER * s.acnorm[j] and pull / s.diag[j] > most:
            worst, most = j, pull / s.diag[j]
    if worst >= 0:
        s.working[worst] = FREE
    return worst >= 0


cdef void bounds_place(lm_state *s) noexcept nogil:
    """Put s.trial, x + step, where no rounding leads out: on the bound that it goes to, or inside."""
    cdef ptrdiff_t j
    for j in range(s.n):
        if s.working[j] == AT_LOWER:
            s.trial[j] = s.lower[j]
        elif s.working[j] == AT_UPPER:
            s.trial[j] = s.upper[j]
        else:
            s.trial[j] = min(max(s.trial[j], s.lower[j]), s.upper[j])


cdef bint bounds_inside(const lm_state *s, const double *x) noexcept nogil:
    """Whether x, n doubles, may be evaluated."""
    cdef ptrdiff_t j
    if s.bounded:
        for j in range(s.n):
            if not s.lower[j] <= x[j] <= s.upper[j]:
                return False
    return True
