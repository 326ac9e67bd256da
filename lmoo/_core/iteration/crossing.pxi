"""Steps across infinity, for solves that started on the wrong side of it.

a (1 - exp(-b t)) approaches a straight line for b -> 0 with a b constant.  If a has the wrong sign at the start, the line
is the best that can be reached on this side, and the radius limits each of thousands of steps towards it.  The minimum
is on the other side, with the other signs of a and b, and f continues there (search.pxi).

The way leads to infinity if the Gauss-Newton step increases a parameter by at least twice its size: for 1 / x_j, by
which f changes more evenly, this step x_j / (1 - p_j / x_j) - x_j is a change of sign.  Once in LM_VALLEY accepted steps
that the radius has limited, the point opposite x is then tried.  If it does not reduce |f|^2 visibly, the iteration
continues as if it had not been tried.
"""

from libc.math cimport fabs

from lmoo._core.model cimport *
from lmoo._core.norms cimport copy

cdef enum:
    # In extrapolated: a step across infinity.
    CROSSING = 3


cdef bint crossing_propose(lm_state *s) noexcept nogil:
    """Propose a step across infinity, unless one was tried lately; return False if there is none."""
    cdef bint grows = False
    cdef ptrdiff_t j
    if s.curved != 0 or s.below_noise or s.crossed > 0 and s.steps + 1 - s.crossed < LM_VALLEY:
        return False
    damped(s, 0.0, s.velocity)
    for j in range(s.n):
        grows |= s.velocity[j] * s.x[j] > 0.0 and fabs(s.velocity[j]) >= 2.0 * fabs(s.x[j])
    if not grows:
        return False
    s.crossed = s.steps + 1
    copy(s.n, s.x, s.trial)
    if not go_beyond_infinity(s, 1.0) or cut_by_bounds(s):
        return False
    for j in range(s.n):
        s.step[j] = s.trial[j] - s.x[j]
    s.par = 0.0
    s.newton = 0
    s.extrapolated = CROSSING
    return True


cdef bint crossing_fails(lm_state *s) noexcept nogil:
    """Return whether the trial point is that of a step across infinity, and no better than x.

    The linear model says nothing about such a step: its reduction is taken as the predicted one.
    """
    if s.extrapolated != CROSSING:
        return False
    if not s.actred > s.noise:
        return True
    s.prered = s.actred
    s.dirder = -s.actred
    s.ratio = 1.0
    return False


cdef int crossing_drop(lm_state *s) noexcept nogil:
    """Propose another step, as if the one across infinity had not been tried."""
    s.ratio = s.actred = 0.0
    if s.nfev >= s.options.maxfev:
        return _done(s, LM_MAXFEV)
    return _propose(s)
