"""The Levenberg-Marquardt iteration, in reverse communication: it asks, it never calls.

    lm_attach(s, n); lm_start(s, options, x0, diag)
    while True:
        request = lm_advance(s)
        LM_RESIDUAL               evaluate f at s.trial;  lm_residual(s, |f|) or lm_refuse(s)
        LM_LINEARIZE, LM_REFINE   evaluate J at s.x, fill the linear model;  lm_linearized(s) or lm_refuse(s)
        LM_CURVATURE              fill s.curvature for s.velocity;  lm_curved(s) or lm_refuse(s)
        LM_STEP                   fill s.step and s.par;  lm_stepped(s)
        LM_DONE                   s.status says why

Each step p solves  min |J p + f|^2 + par |D p|^2;  how par and the trust region's radius delta
follow the ratio of the actual to the predicted reduction of |f|^2 is decided by the step strategy: More's (more.pxi)
and additions to it (valley.pxi), unless the options name another.  Of f and J the iteration knows the operations of the
linear model alone (lmoo_linear in lmoo.h; linalg/dense.pxi).
More' (1978), "The Levenberg-Marquardt algorithm: implementation and theory", algorithm 7.1, with
the order of operations of MINPACK's lmder.  No allocation, no Python object, no array of length m.

A driver that asks again without having answered gets the same request: the state is data, and can
be stored between any two calls.
"""

from libc.float cimport DBL_MIN
from libc.math cimport fabs, isfinite, sqrt
from libc.string cimport memcmp, memcpy, memset

from lmoo._core.linalg cimport DENSE, dense_attach, dense_doubles
from lmoo._core.model cimport *
from lmoo._core.norms cimport all_finite, copy, enorm, scaled_norm

cdef enum:
    ANSWER_NONE = 0
    ANSWER_GOOD = 1
    ANSWER_BAD = 2

cdef double SHORTEN = 0.25      # a step to a bad point is shortened by this much
# A parameter that in one step changes by this much, relative to its size, or to what changes f by its size where
# it has none, runs away.
cdef double RUNS_AWAY = 4.0
# If the squared relative offset of a model, or the one expected of the next model, is below this, forward differences,
# whose relative error is about 1e-8, begin to slow down the convergence.
cdef double REFINE_BELOW = 1e-12
# A step that predicts more is not among the last ones, for which its curvature is wanted.
cdef double BEND_BELOW = 1e-8

# The line along which the error of f is measured grows by this factor.
cdef double LONGER_PROBE = 16.0

cdef enum:
    # Steps refused in a row after which differences are measured: their intervals may be wrong.
    REJECTIONS = 3
    PROBED = 8          # in probe: the error of |f| has been measured at this point

# ---- memory ---------------------------------------------------------------------------------

cdef size_t lm_state_bytes(ptrdiff_t n, bint bounded, bint dense) noexcept nogil:
    """Bytes of a state for n parameters, with all its arrays, and of the dense linear model behind it, with what that
    needs for bounds; whole doubles, so that more may follow."""
    return sizeof(lm_state) + (<size_t>(17 * n) + bounds_doubles(n)) * sizeof(double) \
        + (dense_doubles(n, bounded) * sizeof(double) if dense else 0)


cdef size_t lm_bytes(const lm_state *s) noexcept nogil:
    """Bytes of this state."""
    return lm_state_bytes(s.n, s.bounded, s.linear == &DENSE)


cdef void lm_attach(lm_state *s, ptrdiff_t n) noexcept nogil:
    """Point the state's arrays into its own block, which the caller owns; with the linear model that s.linear is,
    another than the dense one being elsewhere."""
    cdef double *next = <double *>(s + 1)
    s.n = n
    s.x = next
    s.trial = next + n
    s.base = next + 2 * n
    s.diag = next + 3 * n
    s.step = next + 4 * n
    s.velocity = next + 5 * n
    s.acceleration = next + 6 * n
    s.curvature = next + 7 * n
    s.wa1 = next + 8 * n
    s.wa2 = next + 9 * n
    s.acnorm = s.free_norms = next + 10 * n
    s.column_error = next + 11 * n
    s.length = next + 12 * n
    s.last_step = next + 13 * n
    s.interval = next + 14 * n
    if s.bounded:
        s.free_norms = next + 15 * n
    s.gradient = next + 16 * n
    bounds_attach(s, next + 17 * n)
    if s.linear == NULL:
        s.linear = &DENSE
    if s.linear == &DENSE:
        dense_attach(s, next + 17 * n + bounds_doubles(n))


# ---- the dialogue ---------------------------------------------------------------------------

cdef void lm_start(lm_state *s, ptrdiff_t n, const lm_options *options, const double *x0,
                   const double *diag) noexcept nogil:
    """Begin at x0.

    s        a block of lm_state_bytes, the caller's, written whole
    options  read once, copied, with its bounds; its step strategy and its linear model are to outlive the solve
    x0       n doubles, finite, within the bounds, copied
    diag     n positive doubles, copied; NULL where the scaling is to follow the columns of J
    """
    memset(s, 0, sizeof(lm_state))
    s.version = LM_STATE_VERSION
    memcpy(&s.options, options, min(options.size, sizeof(lm_options)))
    s.bounded = s.options.lower != NULL or s.options.upper != NULL
    s.linear, s.model = s.options.linear, s.options.model
    memset(s + 1, 0, lm_state_bytes(n, s.bounded, s.linear == NULL) - sizeof(lm_state))
    lm_attach(s, n)
    s.options.size = sizeof(lm_options)
    s.options.user_scale = diag != NULL
    if s.options.step == NULL:
        s.options.step = &MORE if s.options.tests == LM_TESTS_MINPACK else &DEFAULT
    copy(n, x0, s.trial)
    copy(n, x0, s.x)
    copy(n, x0, s.base)
    if diag != NULL:
        copy(n, diag, s.diag)
    if s.bounded:
        bounds_start(s, s.options.lower, s.options.upper)
        s.options.lower = s.options.upper = NULL
    s.request = LM_RESIDUAL


cdef void lm_residual(lm_state *s, double fnorm) noexcept nogil:
    """Answer LM_RESIDUAL: |f(trial)|, every entry of f being finite."""
    s.fnorm1 = fnorm
    s.answer = ANSWER_GOOD


cdef void lm_linearized(lm_state *s) noexcept nogil:
    """Answer LM_LINEARIZE or LM_REFINE: the linear model and acnorm are those of s.x, all of it finite."""
    s.answer = ANSWER_GOOD


cdef void lm_curved(lm_state *s) noexcept nogil:
    """Answer LM_CURVATURE: s.curvature is J^T f_vv, the direction v being s.velocity."""
    s.answer = ANSWER_GOOD


cdef void lm_stepped(lm_state *s) noexcept nogil:
    """Answer LM_STEP: s.step and s.par are set."""
    s.answer = ANSWER_GOOD


cdef void lm_refuse(lm_state *s) noexcept nogil:
    """Answer any request: the point is bad, or the request is not supported; the linear model is as it was."""
    s.answer = ANSWER_BAD


cdef void lm_stop(lm_state *s, int status) noexcept nogil:
    """End the iteration from outside, at its last good point."""
    if s.request != LM_DONE:
        s.request = _done(s, status)


cdef int lm_advance(lm_state *s) noexcept nogil:
    """Take the answer in and go on to the next request."""
    cdef int answer = s.answer
    s.answer = ANSWER_NONE
    if answer == ANSWER_NONE or s.request == LM_DONE:
        return s.request
    s.accepted = s.reverted = 0
    if s.request == LM_RESIDUAL:
        if 0 < s.probe < PROBED:
            s.request = _probed(s, answer)
        elif s.search > 0:
            s.request = _searched(s, answer)
        elif not s.started:
            s.request = _begin(s, answer)
        elif answer == ANSWER_BAD:
            s.request = _shorten(s)
        else:
            s.request = _judge(s)
    elif s.request == LM_CURVATURE:
        s.curved = 1 if answer == ANSWER_GOOD else -1
        s.request = _ask_strategy(s)
    elif s.request == LM_STEP:
        s.request = _try(s) if answer == ANSWER_GOOD else _done(s, LM_STOPPED)
    elif answer == ANSWER_BAD:
        s.request = _bad_model(s)
    else:
        s.request = _new_model(s)
    if s.failed:
        s.request = _done(s, LM_STOPPED)
    return s.request


cdef int _done(lm_state *s, int status) noexcept nogil:
    s.status = status
    return LM_DONE


# ---- points and models ----------------------------------------------------------------------

cdef int _begin(lm_state *s, int answer) noexcept nogil:
    """The residual at x0 is in."""
    if answer == ANSWER_BAD:
        return _done(s, LM_START_NOT_FINITE)
    s.fnorm = s.reached = s.start_fnorm = s.fnorm1
    s.started = 1
    return LM_LINEARIZE


cdef int _new_model(lm_state *s) noexcept nogil:
    """The model at x is in: scale, test the gradient, take the first or next step."""
    cdef bint first = s.models == 0
    cdef double newton = 0.0
    s.models += 1
    if s.request == LM_REFINE:
        _refined(s)
    elif s.options.tests == LM_TESTS_ACCURATE:
        # Steps predict no more where it is used, and other strategies do not: for them a last step would
        # be the one that was refused.
        s.bend = 0.0
        if not first and s.prered <= BEND_BELOW and s.options.step.propose == DEFAULT.propose:
            s.bend = _bend(s)
    copy(s.n, s.x, s.base)
    s.base_fnorm = s.fnorm
    if s.bounded:
        bounds_new_model(s)
    if first or s.steps == 0 and s.request == LM_REFINE and not s.refined:
        # Columns that forward differences have lost may be there now.
        _first_radius(s)
    if first:
        if s.options.step.begin != NULL:
            s.options.step.begin(s, s.options.step.context)
    s.gnorm = _gradient_norm(s)
    if s.gnorm <= s.options.gtol:
        return _stop_or_refine(s, LM_FLAT if _is_constant(s) else LM_GTOL)
    if not s.options.user_scale:
        _rescale(s)
    if s.options.tests == LM_TESTS_ACCURATE:
        if not s.measured and _has_lost_columns(s):
            return _look(s)
        s.rank = <int>s.linear.truncate(s.model, s.column_error, s.fnorm, &newton, &s.jacobian_error)
        s.offset = newton * newton
        assess(s)
        if s.rank == 0 and _may_move(s):
            # Nothing but the error of J; where f has underflowed there is nothing else.
            return _stop_or_refine(s, LM_FLAT if s.fnorm > DBL_MIN / EPSMCH else LM_GTOL)
        if hidden_steps_fail(s):
            return _stop_or_refine(s, LM_FTOL)
        if _wants_refinement(s) and s.offset <= REFINE_BELOW:
            return LM_REFINE
    return _propose(s)


cdef double _bend(lm_state *s) noexcept nogil:
    """Second derivative of |f|^2 / 2 along the last step p, by the gradients at both its ends, over |J p|^2.

    0 where it is not more than the model has, by a tenth and by more than the error of the gradients: steps then do
    not lead too far.
    """
    cdef double before = s.dirder * (s.base_fnorm / s.fnorm) * (s.base_fnorm / s.fnorm), square, excess
    predict(s, s.last_step, True)
    square = -(s.prered + 2.0 * s.dirder)
    excess = s.dirder - before - square
    if square <= 0.0 or excess <= max(0.1 * square, 10.0 * gradient_error(s) * sqrt(square)):
        return 0.0
    return 1.0 + excess / square


cdef void _refined(lm_state *s) noexcept nogil:
    """Better derivatives make a model of their own: the radius that the worse ones ruined is no bound for
    it."""
    s.delta = max(s.delta, 0.01 * s.xnorm)
    if s.measuring:
        # Forward differences go on, with the intervals that have been measured.
        s.measuring = 0
        s.last_pnorm = 0.0
        return
    s.refined = 1
    # The next step corrects what the error of the worse ones has added up to; it is longer than it
    # would be, and how far the next goes can be told from the steps before all the same.
    s.last_pnorm = -s.last_pnorm
    s.hidden_offset, s.failed_hidden = 0.0, 0


cdef int _bad_model(lm_state *s) noexcept nogil:
    """J cannot be had at x: back to the last good point, and a shorter step from there."""
    if s.request == LM_REFINE:
        return _not_refined(s)
    if s.models == 0:
        return _done(s, LM_START_NOT_FINITE)
    copy(s.n, s.base, s.x)
    s.fnorm = s.base_fnorm
    s.xnorm = _size_of_x(s)
    s.reverted = 1
    return _shorten(s)


cdef int _not_refined(lm_state *s) noexcept nogil:
    """The better derivatives cannot be had: stop for the reason there was, or go on with the worse.
    """
    if s.status != LM_RUNNING:
        return LM_DONE
    s.options.refine = s.measuring = 0
    # The model may be that of x already, or still that of the point before.
    if memcmp(s.x, s.base, <size_t>s.n * sizeof(double)) == 0:
        return _propose(s)
    return LM_LINEARIZE


cdef const double *lm_column_norms(const lm_state *s) noexcept nogil:
    """Norms of all columns of the last J."""
    return s.acnorm


cdef double _size_of_x(lm_state *s) noexcept nogil:
    """|D x|, of parameters that may move: one that is fixed says nothing of their steps."""
    cdef ptrdiff_t j
    if not s.bounded:
        return scaled_norm(s.n, s.diag, s.x, s.wa2)
    for j in range(s.n):
        s.wa2[j] = s.diag[j] * s.x[j] if s.lower[j] < s.upper[j] else 0.0
    return enorm(s.n, s.wa2)


cdef void _first_radius(lm_state *s) noexcept nogil:
    """D and delta from the first model."""
    cdef const double *acnorm = lm_column_norms(s)
    cdef bint accurate = s.options.tests == LM_TESTS_ACCURATE
    cdef ptrdiff_t j
    if not s.options.user_scale:
        for j in range(s.n):
            s.diag[j] = acnorm[j]
            if s.diag[j] == 0.0:
                # A step by its own size is as long as f, whatever the units.
                s.diag[j] = s.fnorm / fabs(s.x[j]) if accurate and s.x[j] != 0.0 else 1.0
    s.xnorm = _size_of_x(s)
    s.delta = s.options.factor * s.xnorm
    # |D x| has the unit of f and says nothing of x0 at or near 0: there |f| sets the scale.
    if accurate and not s.options.user_scale:
        s.delta = max(s.delta, 0.1 * s.options.factor * s.fnorm)
    if s.delta == 0.0:
        s.delta = s.options.factor
    if not s.delta <= LARGEST_RADIUS:
        s.delta = LARGEST_RADIUS


cdef bint _is_constant(const lm_state *s) noexcept nogil:
    """Whether f depends on no parameter at all that may move: no minimum, but a plateau."""
    cdef const double *acnorm = lm_column_norms(s)
    cdef ptrdiff_t j
    # Where f has underflowed there is nothing to be moved.
    if s.options.tests == LM_TESTS_MINPACK or s.fnorm <= DBL_MIN / EPSMCH:
        return False
    for j in range(s.n):
        if acnorm[j] != 0.0 and not (s.bounded and s.lower[j] == s.upper[j]):
            return False
    return _may_move(s)


cdef bint _may_move(const lm_state *s) noexcept nogil:
    """Whether there is a free parameter, neither fixed nor at an active bound."""
    cdef ptrdiff_t j
    for j in range(s.n):
        if not s.bounded or s.active[j] == 0:
            return True
    return False


cdef void _rescale(lm_state *s) noexcept nogil:
    """D grows with the columns of J and never shrinks (More' 1978, section 6)."""
    cdef const double *acnorm = lm_column_norms(s)
    cdef ptrdiff_t j
    for j in range(s.n):
        s.diag[j] = max(s.diag[j], acnorm[j])


cdef bint lm_sound(const lm_state *s, const double *acnorm) noexcept nogil:
    """Whether a Jacobian at x with these norms of its columns can be gone on from.

    Not where one is not finite; nor, but for MINPACK's tests, where a parameter has run away and a column has
    vanished, so that what changed f by its size before now changes nothing that can be seen: the step led onto
    a plateau, where the gradient means nothing.
    """
    cdef const double *last = lm_column_norms(s)
    cdef bint vanished = False
    cdef double size
    cdef ptrdiff_t j
    for j in range(s.n):
        if not isfinite(acnorm[j]):
            return False
        vanished |= acnorm[j] < EPSMCH * last[j]
    if not vanished or s.options.tests != LM_TESTS_ACCURATE or s.models == 0:
        return True
    for j in range(s.n):
        size = last[j] * fabs(s.base[j]) if s.base[j] != 0.0 else s.base_fnorm
        if last[j] * fabs(s.x[j] - s.base[j]) > RUNS_AWAY * size:
            return False
    return True


cdef double _gradient_norm(lm_state *s) noexcept nogil:
    """Largest |J_j^T f| / (|J_j| |f|) over the free columns j, 0 where f = 0."""
    cdef double gnorm = 0.0
    cdef ptrdiff_t j
    if s.fnorm == 0.0:
        return 0.0
    s.linear.gradient(s.model, NULL, s.fnorm, s.wa1)
    for j in range(s.n):
        if s.free_norms[j] != 0.0:
            gnorm = max(gnorm, fabs(s.wa1[j] / s.free_norms[j]))
    return gnorm


# ---- steps ----------------------------------------------------------------------------------

cdef int _propose(lm_state *s) noexcept nogil:
    """A new step is wanted, from the model, delta and D."""
    s.curved = 0
    return _ask_strategy(s)


cdef int _ask_strategy(lm_state *s) noexcept nogil:
    """The strategy's step, or what it wants to know first."""
    cdef int request
    s.prered = s.dirder = 0.0
    request = s.options.step.propose(s, s.options.step.context)
    return request if request != LM_RESIDUAL else _try(s)


cdef int _try(lm_state *s) noexcept nogil:
    """The next trial point: x + step."""
    cdef ptrdiff_t j
    s.step_par = s.par
    if s.bounded:
        bounds_confine(s)
    for j in range(s.n):
        s.trial[j] = s.x[j] + s.step[j]
    if s.bounded:
        bounds_place(s)
    # Where all is near overflow there may be a step that is no number.
    if not all_finite(s.n, s.trial):
        s.pnorm = s.delta
        return _shorten(s)
    s.pnorm = scaled_norm(s.n, s.diag, s.step, s.wa2)
    if s.steps == 0 and not s.limited:
        s.delta = min(s.delta, s.pnorm)
    if s.prered == 0.0:
        predict(s, s.step, False)
    return LM_RESIDUAL


cdef int _shorten(lm_state *s) noexcept nogil:
    """The trial was a bad point: the same direction or one nearer the gradient, a shorter step."""
    s.nit += 1
    s.refused += 1
    s.good = 0
    s.ratio = s.actred = 0.0
    s.last_pnorm = 0.0
    s.below_noise = 0
    s.wall = max(s.wall, s.delta)
    s.delta = SHORTEN * min(s.delta, s.pnorm)
    s.options.step.refused(s, s.options.step.context)
    # There is nowhere left to go that is not bad.
    if s.delta == 0.0 or s.delta <= s.options.epsfcn * s.xnorm and (
            s.options.tests != LM_TESTS_ACCURATE or is_rounding(s)):
        s.status = LM_DOMAIN
        return _give_up(s)
    if s.nfev >= s.options.maxfev:
        return _done(s, LM_MAXFEV)
    return _propose(s)


cdef int _judge(lm_state *s) noexcept nogil:
    """Compare what the trial point brought with what the model predicted (More' 1978, 7.1)."""
    cdef bint accurate = s.options.tests == LM_TESTS_ACCURATE
    cdef bint taken, relaxed = False
    cdef double delta = s.delta
    cdef int status
    s.nit += 1
    s.actred = -1.0
    if 0.1 * s.fnorm1 < s.fnorm:
        s.actred = 1.0 - (s.fnorm1 / s.fnorm) * (s.fnorm1 / s.fnorm)
    s.ratio = s.actred / s.prered if s.prered != 0.0 else 0.0
    taken = s.ratio >= LEAST_RATIO and (s.prered > 0.0 or not accurate)
    if accurate:
        if is_hidden(s):
            return _finish(s, exhausted(s))
        s.ratio = relaxed_ratio(s, &relaxed)
        taken |= relaxed
    s.options.step.update(s, s.options.step.context)
    # A good step that a bound cut short says nothing against longer ones along it.
    # Nor does an extrapolated or a bent step that fails say anything against the step that it comes from.
    if s.limited and s.ratio > 0.25 or s.extrapolated and not taken:
        s.delta = max(s.delta, delta)
    if s.delta >= s.wall and (accurate or not has_faded_column(s)):
        s.wall = 0.0
    if taken:
        _accept(s)
    else:
        s.rejections += 1
        s.good = 0
    status = stopping(s)
    if status != LM_RUNNING:
        return _stop_or_refine(s, status) if s.accepted else _finish(s, status)
    if not s.accepted:
        return _look(s) if s.rejections >= REJECTIONS and not s.measured else _propose(s)
    if _wants_refinement(s) and s.offset * s.contraction * s.contraction <= REFINE_BELOW:
        return LM_REFINE
    return LM_LINEARIZE


cdef int _finish(lm_state *s, int status) noexcept nogil:
    """No step brings a reduction that can be seen: one more, of which none need be seen, where the gradient is known
    better than that."""
    if status != LM_FTOL or s.options.tests != LM_TESTS_ACCURATE or _wants_refinement(s) \
            or s.bend == 0.0 or s.finished == s.steps + 1 or hidden_steps_fail(s) or is_flat(s):
        return _stop_or_refine(s, status)
    s.finished = <int>s.steps + 1
    s.below_noise = 1
    s.rejections = 0
    return _propose(s)


cdef bint _has_lost_columns(const lm_state *s) noexcept nogil:
    """Whether differences give columns that are all error, which measured intervals may save."""
    cdef ptrdiff_t j
    if not _wants_refinement(s):
        return False
    for j in range(s.n):
        if s.column_error[j] == 1.0 and not (s.bounded and s.active[j]):
            return True
    return False


cdef int _look(lm_state *s) noexcept nogil:
    """Steps are refused in a row: measure the differences before going on, where that can be done."""
    s.measured = 1
    if not _wants_refinement(s):
        return _propose(s)
    s.measuring = 1
    return LM_REFINE


cdef bint _wants_refinement(const lm_state *s) noexcept nogil:
    return s.options.refine and not s.refined and s.options.tests == LM_TESTS_ACCURATE


cdef void _accept(lm_state *s) noexcept nogil:
    copy(s.n, s.trial, s.x)
    copy(s.n, s.step, s.last_step)
    s.xnorm = _size_of_x(s)
    s.fnorm = s.fnorm1
    s.steps += 1
    s.accepted = 1
    s.refused = s.probe = 0
    if s.below_noise or s.actred > s.noise:
        s.rejections = 0
    s.cut = s.cut + 1 if s.step_par > 0.0 else 0
    s.good = min(s.good + 1, s.cut)
    s.since = 0 if s.extrapolated == 1 else s.since + 1


cdef int _stop_or_refine(lm_state *s, int status) noexcept nogil:
    """Before stopping on derivatives that could be better, ask for those; before failing, see whether it is
    the error of f that is in the way."""
    s.status = status
    if _wants_refinement(s) and s.fnorm != 0.0 and status != LM_MAXFEV and not is_all_error(s):
        return LM_REFINE
    if status == LM_NO_PROGRESS and s.probe == 0 and s.nfev < s.options.maxfev:
        noise_begin(s)
        return LM_RESIDUAL
    if 1 <= status <= 4 and s.options.tests == LM_TESTS_ACCURATE and s.fnorm > DBL_MIN / EPSMCH:
        return _search(s)
    return LM_DONE


cdef int _probed(lm_state *s, int answer) noexcept nogil:
    """Another value of |f| on the way of the last step; the last of them tells the error of |f|."""
    cdef double found, known = 0.25 * s.noise * s.fnorm
    if answer == ANSWER_BAD:
        s.probe = PROBED
        return _give_up(s)
    if noise_take(s):
        return LM_RESIDUAL
    found = noise_found(s)
    if found <= 2.0 * known:
        # No more than was known, or f is constant or smooth on a scale so short.
        if s.nfev >= s.options.maxfev or not noise_lengthen(s, LONGER_PROBE):
            return _give_up(s)
        s.probe = 1
        noise_place(s)
        return LM_RESIDUAL
    s.least_noise = found
    assess(s)
    s.status = exhausted(s)
    if s.status != LM_NO_PROGRESS:
        return _stop_or_refine(s, s.status)
    # Go on as with better derivatives: the radius has been ruined by errors that were not known.
    s.status = LM_RUNNING
    s.probe = s.rejections = 0
    s.delta = max(s.delta, 0.01 * s.xnorm)
    return LM_REFINE if s.options.refine else _propose(s)


cdef int _give_up(lm_state *s) noexcept nogil:
    """No step from x leads on: go on without the parameters that have no effect on f but below its rounding.

    A rate far from its value may have such a column, where all exponentials have decayed: the step that it needs is
    not to be found, but the other parameters can be fitted.
    """
    cdef bint hidden = False, seen = False
    cdef ptrdiff_t j
    if s.options.tests != LM_TESTS_ACCURATE or s.left_out:
        return LM_DONE
    for j in range(s.n):
        if s.free_norms[j] > 0.0:
            hidden |= is_hidden_column(s, j, s.free_norms[j])
            seen |= not is_hidden_column(s, j, s.free_norms[j])
    if not (hidden and seen):
        return LM_DONE
    s.left_out = 1
    s.status = LM_RUNNING
    s.rejections = s.refused = s.probe = s.idle = 0
    s.wall = 0.0
    s.delta = max(s.delta, s.options.factor * s.xnorm)
    return LM_LINEARIZE


cdef bint is_hidden_column(const lm_state *s, ptrdiff_t j, double norm) noexcept nogil:
    """Whether a parameter whose column has this norm changes f by its size by no more than rounding."""
    return s.x[j] != 0.0 and norm * fabs(s.x[j]) <= EPSMCH * s.fnorm


# ---- points that no step leads to -----------------------------------------------------------

cdef int _search(lm_state *s) noexcept nogil:
    """Before a success, try values that no step from x leads to (search.pxi), and continue from the best of them."""
    if search_place(s):
        return LM_RESIDUAL
    return LM_DONE


cdef int _searched(lm_state *s, int answer) noexcept nogil:
    """One of these values is known; the last one is the best again, which becomes x."""
    cdef ptrdiff_t j
    if search_take(s, answer != ANSWER_BAD):
        return _search(s)
    if answer == ANSWER_BAD:
        return LM_DONE
    if s.found == MOST_FOUND:
        return _done(s, LM_FLAT)
    for j in range(s.n):
        s.step[j] = s.trial[j] - s.x[j]
    s.newton = 0
    s.step_par = s.last_pnorm = 0.0
    s.found += 1
    s.status = LM_RUNNING
    _accept(s)
    s.reached, s.idle = s.fnorm, 0
    s.delta = max(s.delta, s.options.factor * s.xnorm)
    return LM_LINEARIZE
