"""Bounds on the parameters: a linear model of those that are free, and steps that stay inside.

At x a parameter is held where it is fixed, or where it stands at a bound that the gradient J^T f
pushes it against, or that its column of J, being no more than error, cannot lead away from.  The model
that the iteration, its strategies and its tests see is that of the others,

    J_free P = Q R,  (Q^T f)[:n],       the columns of those held being zero,

made from the triangle of J in O(n^3), so that all which holds without bounds holds on the face: where
it stops, the projected gradient is zero.  A step that leaves the box gives way to

    min |J p + f|^2 + par |D p|^2,      lower <= x + p <= upper,

with the strategy's own par, by an active-set method on the triangle: from p = 0 towards the minimum of
a face, up to the first bound; there that bound joins; a bound whose multiplier has the wrong sign is
let go.  Each point reduces the model, so the step does.

Kanzow, Yamashita, Fukushima (2004), "Levenberg-Marquardt methods with strong local convergence
properties for solving nonlinear equations with convex constraints", J. Comput. Appl. Math. 172,
section 2 (the constrained method); Stark, Parker (1995), "Bounded-variable least-squares: an algorithm
and applications", Computational Statistics 10 (the subproblem).
"""

from libc.math cimport INFINITY, fabs
from libc.string cimport memcpy, memset

from lmoo._core.model cimport *
from lmoo._core.norms cimport column_norms, scaled_norm
from lmoo._core.qr cimport put_diagonal, qrfac
from lmoo._core.steps cimport damped_step, predict
from lmoo._core.units cimport divide_columns, multiply_triangle

cdef enum:
    AT_LOWER = -1
    FREE = 0
    AT_UPPER = 1
    FIXED = 2

# How much of the way to a bound a step goes at first.
cdef double SHORT = 0.5
# A multiplier of less than this, relative to |J_j| |f|, is rounding.
cdef double NO_MULTIPLIER = 1e-12


# ---- memory ---------------------------------------------------------------------------------

cdef size_t bounds_doubles(ptrdiff_t n) noexcept nogil:
    """Doubles that bounds_attach lays out."""
    return <size_t>(2 * n * n + 12 * n + 5 * ((n + 1) // 2))


cdef void bounds_attach(lm_state *s, double *next) noexcept nogil:
    """Point what bounds want into bounds_doubles(n), which need not be there while none are."""
    cdef ptrdiff_t n = s.n
    s.lower = next
    s.upper = next + n
    s.gradient = next + 2 * n
    s.shift = next + 3 * n
    s.target = next + 4 * n
    s.bounds_work = next + 5 * n
    s.full.qtf = next + 8 * n
    s.full.acnorm = next + 9 * n
    s.face.qtf = next + 10 * n
    s.face.acnorm = next + 11 * n
    s.full.r = next + 12 * n
    s.face.r = s.full.r + n * n
    s.full.ipvt = <int *>(s.face.r + n * n)
    s.face.ipvt = s.full.ipvt + 2 * ((n + 1) // 2)
    s.held = s.face.ipvt + 2 * ((n + 1) // 2)
    s.working = s.held + 2 * ((n + 1) // 2)
    s.near = s.working + 2 * ((n + 1) // 2)


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
    """s.model is J's: keep it as s.full, and leave that of the free columns in its place."""
    cdef ptrdiff_t j, n = s.n
    cdef int hold
    cdef bint any = False
    memcpy(s.full.r, s.model.r, <size_t>(n * n) * sizeof(double))
    memcpy(s.full.qtf, s.model.qtf, <size_t>n * sizeof(double))
    memcpy(s.full.acnorm, s.model.acnorm, <size_t>n * sizeof(double))
    memcpy(s.full.ipvt, s.model.ipvt, <size_t>n * sizeof(int))
    _gradient(s)
    for j in range(n):
        hold = _hold(s, j)
        if hold != s.held[j]:
            # Another face: what the steps on the last one came to says nothing here.
            s.last_pnorm, s.contraction = 0.0, 1.0
        s.held[j] = hold
        any |= hold != FREE
    if any:
        _restrict(s, s.held, NULL, &s.model)


cdef int _hold(const lm_state *s, ptrdiff_t j) noexcept nogil:
    # A slope of which the sign is not known is none: that of a square at 0, from differences.
    # Of the error a tenth is the estimate, the rest safety.
    cdef double unknown = 0.1 * s.column_error[j] * s.full.acnorm[j] * s.fnorm
    cdef bint lost = s.column_error[j] == 1.0 and s.full.acnorm[j] == 0.0
    if s.lower[j] == s.upper[j]:
        return FIXED
    if s.x[j] <= s.lower[j] and (lost or s.gradient[j] > -unknown):
        return AT_LOWER
    return AT_UPPER if s.x[j] >= s.upper[j] and (lost or s.gradient[j] < unknown) else FREE


cdef void _gradient(lm_state *s) noexcept nogil:
    """J^T f = P R^T (Q^T f)[:n], of all parameters."""
    cdef ptrdiff_t i, j, n = s.n
    cdef double total
    for j in range(n):
        total = 0.0
        for i in range(j + 1):
            total += s.full.r[i + j * n] * s.full.qtf[i]
        s.gradient[s.full.ipvt[j]] = total


cdef void _restrict(lm_state *s, const int *held, const double *moved, lm_model *model) noexcept nogil:
    """The model of J with the columns of those held at zero, f being moved by what they move.

    held    n, FREE for the columns that stay;  moved: n, how far those held go, or NULL for nowhere
    model   another than s.full, written whole
    """
    cdef ptrdiff_t i, j, k, n = s.n
    cdef double *f = s.bounds_work
    cdef const double *column
    memcpy(f, s.full.qtf, <size_t>n * sizeof(double))
    for k in range(n):
        j = s.full.ipvt[k]
        column = s.full.r + k * n
        memset(model.r + j * n, 0, <size_t>n * sizeof(double))
        if held[j] == FREE:
            memcpy(model.r + j * n, column, <size_t>(k + 1) * sizeof(double))
        elif moved != NULL and moved[j] != 0.0:
            for i in range(k + 1):
                f[i] += column[i] * moved[j]
    column_norms(n, n, model.r, n, model.acnorm)
    divide_columns(s, s.full.acnorm, n, model.r, NULL)
    column_norms(n, n, model.r, n, s.wa1)
    qrfac(n, n, model.r, n, model.ipvt, f + n, s.wa1, f + 2 * n, f, model.qtf)
    put_diagonal(n, model.r, n, f + n)
    multiply_triangle(s, s.full.acnorm, model.r, model.ipvt)


# ---- steps ----------------------------------------------------------------------------------

cdef void bounds_confine(lm_state *s) noexcept nogil:
    """Make s.step one that stays inside, with prered and dirder; s.confined tells whether it was not."""
    cdef double proposed = scaled_norm(s.n, s.diag, s.step, s.wa2)
    s.confined = 0
    _start_from_held(s)
    if not _leaves(s):
        memset(s.near, 0, <size_t>s.n * sizeof(int))
        return
    s.confined = 1
    s.newton = 0
    _confine(s)
    if s.prered <= 0.0:
        # A step that is bent or extrapolated follows more than this model, which its part inside need not reduce.
        _start_from_held(s)
        damped_step(s, s.par, s.step)
        _confine(s)
    _note_bounds_met(s)
    _limit(s, 2.0 * proposed)


cdef void _start_from_held(lm_state *s) noexcept nogil:
    cdef ptrdiff_t j
    for j in range(s.n):
        s.working[j] = s.held[j]
        if s.held[j] != FREE:
            s.step[j] = 0.0


cdef void _confine(lm_state *s) noexcept nogil:
    """The step that is confined to the box, bounds that it meets for the first time being nearer."""
    cdef ptrdiff_t n = s.n, rounds = 3 * n + 10
    memcpy(s.target, s.step, <size_t>n * sizeof(double))
    memset(s.shift, 0, <size_t>n * sizeof(double))
    while rounds > 0 and (_to_first_bound(s) or _let_go(s)):
        rounds -= 1
        _minimum_of_face(s)
    memcpy(s.step, s.shift, <size_t>n * sizeof(double))
    _predict_in_full(s)


cdef void _limit(lm_state *s, double most) noexcept nogil:
    """Shorten a step of which |D p| is more than this.

    The minimum of a face may be far away where that of the whole is near; what lies between is inside as well.
    """
    cdef ptrdiff_t j
    cdef double size = scaled_norm(s.n, s.diag, s.step, s.wa2)
    if not size > most:
        return
    for j in range(s.n):
        s.step[j] *= most / size
        s.working[j] = FREE
    _predict_in_full(s)


cdef double _room(const lm_state *s, ptrdiff_t j, int side) noexcept nogil:
    """How far parameter j may go from x towards its bound on this side, with its sign.

    A step that meets a bound for the first time stops short of it; the next one may be on it.  On the
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
        if s.held[j] != FREE or s.working[j] == FREE:
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
    """Go from shift towards target; True where a bound is met, which joins the working set."""
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


cdef bint _let_go(lm_state *s) noexcept nogil:
    """Free the parameter that its bound holds back most, in units of D; False where none is."""
    cdef ptrdiff_t i, j, k, n = s.n, worst = -1
    cdef double *w = s.bounds_work
    cdef double total, pull, most = 0.0
    # w = R P^T shift + Q^T f, so that J^T (J shift + f) = P R^T w.
    memcpy(w, s.full.qtf, <size_t>n * sizeof(double))
    for k in range(n):
        for i in range(k + 1):
            w[i] += s.full.r[i + k * n] * s.shift[s.full.ipvt[k]]
    for k in range(n):
        j = s.full.ipvt[k]
        if s.working[j] != AT_LOWER and s.working[j] != AT_UPPER:
            continue
        total = s.par * s.diag[j] * s.diag[j] * s.shift[j]
        for i in range(k + 1):
            total += s.full.r[i + k * n] * w[i]
        pull = total * s.working[j]
        if pull > NO_MULTIPLIER * s.full.acnorm[j] * s.fnorm and pull / s.diag[j] > most:
            worst, most = j, pull / s.diag[j]
    if worst >= 0:
        s.working[worst] = FREE
    return worst >= 0


cdef void _minimum_of_face(lm_state *s) noexcept nogil:
    """target: min |J p + f|^2 + par |D p|^2 with the working set where shift has it."""
    cdef lm_model kept = s.model
    cdef ptrdiff_t j
    _restrict(s, s.working, s.shift, &s.face)
    s.model = s.face
    damped_step(s, s.par, s.target)
    s.model = kept
    for j in range(s.n):
        if s.working[j] != FREE:
            s.target[j] = s.shift[j]


cdef void _predict_in_full(lm_state *s) noexcept nogil:
    """prered and dirder of s.step, in which those held may move."""
    cdef lm_model kept = s.model
    s.model = s.full
    predict(s, s.step)
    s.model = kept


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


cdef bint bounds_met(const lm_state *s) noexcept nogil:
    """Whether x stands at a bound at which the last good point did not stand."""
    cdef ptrdiff_t j
    for j in range(s.n):
        if s.x[j] != s.base[j] and (s.x[j] == s.lower[j] or s.x[j] == s.upper[j]):
            return True
    return False


cdef bint bounds_inside(const lm_state *s, const double *x) noexcept nogil:
    """Whether x, n doubles, may be evaluated."""
    cdef ptrdiff_t j
    if s.bounded:
        for j in range(s.n):
            if not s.lower[j] <= x[j] <= s.upper[j]:
                return False
    return True
