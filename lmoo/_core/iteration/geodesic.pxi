"""More's steps, bent: geodesic acceleration.

With v the step of More's strategy, the damped second-order correction

    (J^T J + par D^2) a = -J^T f_vv,      p = v + a / 2,

follows the curvature of the manifold of residuals; it costs one evaluation.  Transtrum, Sethna
(2012), "Improvements to the Levenberg-Marquardt algorithm for nonlinear least-squares
minimization", arXiv:1201.5885, section 3.  Where 2 |D a| > ALPHA |D v| the series cannot be trusted,
and v is taken as it is.
"""

from libc.string cimport memcpy

from lmoo._core.model cimport *
from lmoo._core.norms cimport scaled_norm

cdef double ALPHA = 0.75


cdef int geodesic_propose(lm_state *s, void *context) noexcept nogil:
    cdef ptrdiff_t j
    cdef double speed
    if s.curved == 0:
        more_propose(s, context)
        if s.below_noise:
            return LM_RESIDUAL
        memcpy(s.velocity, s.step, <size_t>s.n * sizeof(double))
        return LM_CURVATURE
    # The reduction is predicted for v, which solves the damped problem.
    predict_damped(s, s.velocity, s.par)
    if s.curved < 0 or s.linear.solve(s.model, s.par, s.diag, s.curvature, s.acceleration) != 0:
        return LM_RESIDUAL
    speed = scaled_norm(s.n, s.diag, s.velocity, s.wa2)
    if 2.0 * scaled_norm(s.n, s.diag, s.acceleration, s.wa2) <= ALPHA * speed:
        for j in range(s.n):
            s.step[j] = s.velocity[j] - 0.5 * s.acceleration[j]
    return LM_RESIDUAL


cdef lmoo_step GEODESIC
GEODESIC.size = sizeof(lmoo_step)
GEODESIC.context = NULL
GEODESIC.begin = NULL
GEODESIC.propose = geodesic_propose
GEODESIC.update = more_update
GEODESIC.refused = more_refused
GEODESIC.wants_curvature = 1
