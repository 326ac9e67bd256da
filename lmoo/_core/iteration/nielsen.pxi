"""Nielsen's step strategy: no radius, but lambda itself follows the ratio.

    mu *= max(1/3, 1 - (2 ratio - 1)^3),  nu = 2        after a step that is taken
    mu *= nu,  nu *= 2                                  after one that is not

Nielsen (1999), "Damping parameter in Marquardt's method", IMM-REP-1999-05, Technical University of
Denmark, with More's D for the identity; Madsen, Nielsen, Tingleff (2004), "Methods for non-linear
least squares problems", section 3.2.

memory: mu, nu.
"""

from lmoo._core.model cimport *

# mu at the start, relative to the diagonal of D^-1 J^T J D^-1, which is 1.
cdef double TAU = 1.0
# The damping takes no more than this share of the predicted reduction: as good as Gauss-Newton.
cdef double NEGLIGIBLE = 1e-3


cdef void nielsen_begin(lm_state *s, void *context) noexcept nogil:
    s.memory[0] = TAU
    s.memory[1] = 2.0


cdef int nielsen_propose(lm_state *s, void *context) noexcept nogil:
    s.par = 0.0 if s.below_noise else s.memory[0]
    s.linear.damped(s.model, s.par, s.diag, s.step)
    predict_damped(s, s.step, s.par)
    # prered = |w|^2 + 2 par |D p|^2 and -dirder = |w|^2 + par |D p|^2, both over |f|^2.
    s.newton = s.prered + s.dirder <= NEGLIGIBLE * s.prered
    return LM_RESIDUAL


cdef void nielsen_update(lm_state *s, void *context) noexcept nogil:
    cdef double t = 2.0 * s.ratio - 1.0
    if s.ratio >= LEAST_RATIO:
        s.memory[0] *= max(1.0 / 3.0, 1.0 - t * t * t)
        s.memory[1] = 2.0
        s.delta = 2.0 * s.pnorm
    else:
        _damp(s)


cdef void nielsen_refused(lm_state *s, void *context) noexcept nogil:
    if s.reverted:
        # The step had been taken, and mu had come down for it, by as much as this.
        s.memory[0] *= 3.0
    _damp(s)


cdef void _damp(lm_state *s) noexcept nogil:
    s.memory[0] *= s.memory[1]
    s.memory[1] *= 2.0
    # This strategy does not use the radius, but the iteration sees from it that steps have no effect.
    s.delta = min(s.delta, 0.5 * s.pnorm)


cdef lmoo_step NIELSEN
NIELSEN.size = sizeof(lmoo_step)
NIELSEN.context = NULL
NIELSEN.begin = nielsen_begin
NIELSEN.propose = nielsen_propose
NIELSEN.update = nielsen_update
NIELSEN.refused = nielsen_refused
NIELSEN.wants_curvature = 0
