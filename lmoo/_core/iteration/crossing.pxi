"""Steps across infinity, for solves that started on the wrong side of it.

a (1 - exp(-b t)) approaches a straight line for b -> 0 with a b constant.  If a has the wrong sign at the start, the line
is the best that can be reached on this side, and the radius limits each of thousands of steps towards it.  The minimum
is on the other side, with the other signs of a and b, and f continues there (search.pxi).

The way leads to infinity if the Gauss-Newton step p increases a parameter by at least twice its size, while another one
changes its sign: for 1 / x_j, by which f changes more evenly, the step to x_j / (1 - p_j / x_j) is a change of sign, too.
After LM_VALLEY accepted steps that the radius has limited, the point opposite x is then tried where a step was rejected.
If it does not reduce |f|^2 noticeably, the iteration continues as if it had not been tried.  At most n such steps are
taken: if both sides lead to infinity, there is no minimum on either.
"""

from libc.math cimport fabs

from lmoo._core.model cimport *
from lmoo._core.norms cimport copy

cdef enum:
    # In extrapolated: a step across infinity.
    CROSSING = 3

# Least relative reduction of |f|^2 by a step across infinity.  Where both sides are as good, as for constant data, the
# other one is a way to infinity again.
cdef double LEAST_GAIN = 1e-3


cdef bint crossing_propose(lm_state *s) noexcept nogil:
    """Propose a step across infinity, unless one was looked for at this x; return False if there is none."""
    cdef bint grows = False, vanishes = False
    cdef ptrdiff_t j
    if s.below_noise or s.rank < _free(s) or s.crossings >= s.n or s.crossed == s.steps + 1:
        return False
    s.crossed = s.steps + 1
    damped(s, 0.0, s.velocity)
    for j in range(s.n):
        grows |= s.velocity[j] * s.x[j] > 0.0 and fabs(s.velocity[j]) >= 2.0 * fabs(s.x[j])
        vanishes |= s.velocity[j] * s.x[j] < 0.0 and fabs(s.velocity[j]) >= fabs(s.x[j])
    if not (grows and vanishes):
        return False
    copy(s.n, s.x, s.trial)
    if not go_beyond_infinity(s, 1.0) or cut_by_bounds(s):
        return False
    for j in range(s.n):
        s.step[j] = s.trial[j] - s.x[j]
    s.par_before, s.par = s.par, 0.0
    s.newton = 0
    s.extrapolated = CROSSING
    return True


cdef bint crossing_fails(lm_state *s) noexcept nogil:
    """Return whether the trial point is that of a step across infinity, and no better than x.

    The linear model says nothing about such a step: its reduction is taken as the predicted one.
    """
    if s.extrapolated != CROSSING:
        return False
    if not s.actred > max(s.noise, LEAST_GAIN):
        return True
    s.crossings += 1
    s.prered = s.actred
    s.dirder = -s.actred
    s.ratio = 1.0
    return False


cdef int crossing_drop(lm_state *s) noexcept nogil:
    """Propose another step, as if the one across infinity had not been tried."""
    s.ratio = s.actred = 0.0
    s.par = s.par_before
    if s.nfev >= s.options.maxfev:
        return _done(s, LM_MAXFEV)
    return _propose(s)
