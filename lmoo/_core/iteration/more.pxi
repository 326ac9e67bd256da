"""More's step strategy: a trust-region radius, and the lambda that limits the step to it.

Each step p solves  min |J p + f|^2 + par |D p|^2  with |D p| close to delta or par = 0; delta
follows the ratio of the actual to the predicted reduction of |f|^2.  More' (1978), "The
Levenberg-Marquardt algorithm: implementation and theory", sections 4 and 5, with MINPACK's
constants.
"""

from libc.float cimport DBL_MAX

from lmoo._core.model cimport *


cdef int more_propose(lm_state *s, void *context) noexcept nogil:
    """Compute the step within delta, or the Gauss-Newton step if its reduction is below noise."""
    s.par = step_within(s, DBL_MAX if s.below_noise else s.delta, s.par, s.step)
    s.newton = s.par == 0.0
    predict_damped(s, s.step, s.par)
    return LM_RESIDUAL


cdef void more_update(lm_state *s, void *context) noexcept nogil:
    """Reduce delta by the minimum of a parabola through the known values, or increase it."""
    cdef double temp
    if s.ratio <= 0.25:
        temp = 0.5
        if s.actred < 0.0:
            temp = 0.5 * s.dirder / (s.dirder + 0.5 * s.actred)
        if 0.1 * s.fnorm1 >= s.fnorm or temp < 0.1:
            temp = 0.1
        s.delta = temp * min(s.delta, s.pnorm / 0.1)
        s.par /= temp
    elif s.par == 0.0 or s.ratio >= 0.75:
        s.delta = s.pnorm / 0.5
        s.par *= 0.5


cdef void more_refused(lm_state *s, void *context) noexcept nogil:
    s.par /= SHORTEN


cdef lmoo_step MORE
MORE.size = sizeof(lmoo_step)
MORE.context = NULL
MORE.begin = NULL
MORE.propose = more_propose
MORE.update = more_update
MORE.refused = more_refused
MORE.wants_curvature = 0
