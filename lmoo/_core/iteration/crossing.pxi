"""Steps across infinity, for solves that started on the wrong side of it, and steps in logarithms.

a (1 - exp(-b t)) approaches a straight line for b -> 0 with a b constant.  If a has the wrong sign at the start, the line
is the best that can be reached on this side, and the radius limits each of thousands of steps towards it.  The minimum
is on the other side, with the other signs of a and b, and f continues there (search.pxi).

The way leads to infinity if the Gauss-Newton step p increases a parameter by at least twice its size, while another one
changes its sign: for 1 / x_j, by which f changes more evenly, the step to x_j / (1 - p_j / x_j) is a change of sign, too.
After LM_VALLEY accepted steps that the radius has limited, the point opposite x is then tried where a step was rejected.
If it does not reduce |f|^2 noticeably, the iteration continues as if it had not been tried.  At most n such steps are
taken: if both sides lead to infinity, there is no minimum on either.

Steps in the logarithm of a parameter, for valleys as that of a exp(-b t) on an interval far from t = 0: f changes with
b (t - T), T in the interval, but a must follow as exp(b T), by many orders of magnitude.  If the Gauss-Newton step p changes
a parameter by more than its size, x_k exp(p_k / x_k) is as good an extrapolation as x_k + p_k, with the same J.  The step is
tried after LM_VALLEY limited steps where one was rejected, with p_k / x_k shortened to FIRST_LOGARITHM, and after each one
that succeeds with twice as much.

A bound may cut off the way to infinity, or the point opposite x, while the minimum beyond infinity is within the bounds.
The point is then the first of those farther from infinity that is within the bounds.  If the way ends at a bound, the
search tries points beyond infinity before the solve ends there.
"""

from libc.math cimport exp, fabs
from libc.string cimport memset

from lmoo._core.model cimport *
from lmoo._core.norms cimport all_finite, copy

cdef enum:
    # In extrapolated: a step across infinity, and one in the logarithm of a parameter.
    CROSSING = 3
    LOGARITHMIC

# Least relative reduction of |f|^2 by a step across infinity.  Where both sides are as good, as for constant data, the
# other one is a way to infinity again.
cdef double LEAST_GAIN = 1e-5
# The same by a step in a logarithm: on a way to infinity steps that gain less would overtake those that show its end.
cdef double LOGARITHM_GAIN = 1e-3
# Largest change of a logarithm, within the range of double precision.
cdef double LONGEST_LOGARITHM = 300.0
# The same in the first such step, which may be wrong: f must not overflow.
cdef double FIRST_LOGARITHM = 4.0


cdef bint crossing_propose(lm_state *s) noexcept nogil:
    """Propose a step across infinity, unless one was looked for at this x; return False if there is none."""
    if s.below_noise or s.rank < _free(s) or s.crossings >= s.n or s.crossed == s.steps + 1:
        return False
    s.crossed = s.steps + 1
    damped(s, 0.0, s.velocity)
    if not _leads_across(s, 1.0) or not _place_opposite(s):
        return False
    return _propose_trial(s, CROSSING)


cdef bint logarithmic_propose(lm_state *s) noexcept nogil:
    """Propose a step in the logarithm of the parameter that the Gauss-Newton step changes most, relative to its size.

    Return False unless it changes that parameter by more than its size, or if one was looked for at this x.
    """
    cdef double share
    cdef ptrdiff_t j, k
    # A point whose Jacobian was refused would be proposed again.
    if s.below_noise or s.refused or s.rank < _free(s) or s.logarithmic == s.steps + 1:
        return False
    # The largest change of the logarithm doubles after steps that succeed; after two failures two occasions are left out.
    if s.logarithmic == 0:
        s.memory[1] = FIRST_LOGARITHM
    elif s.memory[1] < 1.0 or s.extrapolated == LOGARITHMIC and s.rejections == 0:
        s.memory[1] = min(2.0 * s.memory[1], LONGEST_LOGARITHM)
    else:
        s.memory[1] *= 0.25
    s.logarithmic = s.steps + 1
    if s.memory[1] < 1.0:
        return False
    damped(s, 0.0, s.velocity)
    k = _most_relative(s)
    if k < 0:
        return False
    share = min(s.memory[1] / fabs(s.velocity[k] / s.x[k]), 1.0)
    for j in range(s.n):
        s.trial[j] = s.x[j] + share * s.velocity[j]
    s.trial[k] = s.x[k] * exp(share * s.velocity[k] / s.x[k])
    if not all_finite(s.n, s.trial) or cut_by_bounds(s):
        return False
    return _propose_trial(s, LOGARITHMIC)


cdef ptrdiff_t _most_relative(const lm_state *s) noexcept nogil:
    """Return the parameter that s.velocity changes most, relative to its size, and by more than that; -1: none."""
    cdef double most = 1.0
    cdef ptrdiff_t j, k = -1
    for j in range(s.n):
        if s.x[j] != 0.0 and fabs(s.velocity[j] / s.x[j]) > most:
            k, most = j, fabs(s.velocity[j] / s.x[j])
    return k


cdef void logarithmic_accept(lm_state *s, double delta) noexcept nogil:
    """Scale what depends on the size of the parameter that a step in its logarithm has changed; x is not updated yet.

    J_k x_k stays the same.  The ratio says nothing of shorter steps: those within delta changed parameters by shares of
    their sizes.
    """
    cdef ptrdiff_t k = _most_relative(s)
    cdef double before = s.xnorm
    if k < 0:
        # Of a stored state that was changed.
        return
    s.acnorm[k] /= fabs(s.trial[k] / s.x[k])
    s.free_norms[k] = s.acnorm[k]
    copy(s.n, s.trial, s.x)
    if before > 0.0:
        s.delta = min(delta * (_size_of_x(s) / before), LARGEST_RADIUS)


cdef bint _propose_trial(lm_state *s, int kind) noexcept nogil:
    cdef ptrdiff_t j
    for j in range(s.n):
        s.step[j] = s.trial[j] - s.x[j]
    s.par_before, s.par = s.par, 0.0
    s.newton = 0
    s.extrapolated = kind
    return True


cdef bint _leads_across(const lm_state *s, double least) noexcept nogil:
    """Return whether the Gauss-Newton step in velocity leads across infinity.

    least: change, as a share of its size, by which a parameter vanishes; twice that if it grows
    """
    cdef bint grows = False, vanishes = False
    cdef ptrdiff_t j
    for j in range(s.n):
        grows |= s.velocity[j] * s.x[j] > 0.0 and fabs(s.velocity[j]) >= 2.0 * least * fabs(s.x[j])
        vanishes |= s.velocity[j] * s.x[j] < 0.0 and fabs(s.velocity[j]) >= least * fabs(s.x[j])
    return grows and vanishes


cdef bint _place_opposite(lm_state *s) noexcept nogil:
    """Put the point opposite x into trial; where bounds cut it off, the first one within them, farther from infinity."""
    cdef ptrdiff_t k
    for k in range(BEYOND):
        copy(s.n, s.x, s.trial)
        if not go_beyond_infinity(s, FARTHER**<double>k):
            return False
        if not cut_by_bounds(s):
            return True
    return False


cdef bint crossing_beyond_bounds(lm_state *s) noexcept nogil:
    """Put the way to infinity that an active bound ends into velocity; return False if there is none.

    It has the direction of the Gauss-Newton step of all parameters that are not fixed, whose length says nothing: it
    ends far from infinity.
    """
    cdef bint ends = False
    cdef ptrdiff_t j
    for j in range(s.n):
        s.working[j] = FIXED if s.active[j] == FIXED else FREE
        s.shift[j] = 0.0
        ends |= s.active[j] == AT_LOWER or s.active[j] == AT_UPPER
    if not ends:
        return False
    s.linear.damped_on_face(s.model, s.working, s.shift, 0.0, s.diag, s.velocity)
    if _leads_across(s, 0.0):
        return True
    memset(s.velocity, 0, <size_t>s.n * sizeof(double))
    return False


cdef bint crossing_fails(lm_state *s) noexcept nogil:
    """Return whether the trial point is that of a step across infinity or in a logarithm, and no better than x.

    The linear model says nothing about such a step: its reduction is taken as the predicted one.
    """
    if s.extrapolated < CROSSING:
        return False
    if not s.actred > max(s.noise, LEAST_GAIN if s.extrapolated == CROSSING else LOGARITHM_GAIN):
        return True
    s.crossings += s.extrapolated == CROSSING
    s.prered = s.actred
    s.dirder = -s.actred
    s.ratio = 1.0
    return False


cdef int crossing_drop(lm_state *s) noexcept nogil:
    """Propose another step, as if this one had not been tried."""
    s.ratio = s.actred = 0.0
    s.par = s.par_before
    if s.nfev >= s.options.maxfev:
        return _done(s, LM_MAXFEV)
    return _propose(s)
