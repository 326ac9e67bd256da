"""The default step strategy: More's, with four additions for slow convergence.

*Valleys.*  If the radius has limited LM_VALLEY = 10 steps in a row, the path is curved.  Steps are then corrected by
the second derivative along them: geodesic acceleration (geodesic.pxi), one more evaluation per step.

*Infinity.*  Once in as many steps, one to the other side of infinity is tried if the steps lead there, and one in the
logarithm of a parameter if they change it by more than its size (crossing.pxi).

*Linear contraction.*  At a minimum with f != 0 Gauss-Newton steps contract linearly; the secant step sums those that
remain (secant.pxi).

*Curvature below the noise.*  If |f|^2 does not show any more that Gauss-Newton steps overshoot, the gradients at both
ends of the last step do: a step along it is divided by the curvature there, relative to |J p|^2, any other one by the
mean of this curvature and 1.
"""

from libc.float cimport DBL_MAX
from libc.math cimport INFINITY, fabs, isfinite, sqrt

from lmoo._core.model cimport *
from lmoo._core.norms cimport scaled_norm

# Least cosine between two steps of one direction.
cdef double SAME_DIRECTION = 0.95


# Difference from 1 of a ratio up to which f is linear within the errors of forward differences.
cdef double LINEAR = 1e-6
# Largest growth of the radius.
cdef double LONGEST = 10.0
# Largest curvature along the last step by which steps in other directions are divided.  With a larger one J is nearly
# singular in that direction.
cdef double MOST_BENT = 10.0
# Largest growth for steps whose reduction is below noise, within the range of double precision.
cdef double LARGEST_GROWTH = 1e150


cdef int default_propose(lm_state *s, void *context) noexcept nogil:
    if s.cut >= LM_VALLEY:
        if s.curved == 0 and (s.rejections > 0 or s.extrapolated == LOGARITHMIC) and logarithmic_propose(s):
            return LM_RESIDUAL
        if s.rejections == 0:
            return _propose_in_valley(s, context)
        if crossing_propose(s):
            return LM_RESIDUAL
    s.par = step_within(s, DBL_MAX if s.below_noise else s.delta, s.par, s.step)
    default_limited(s)
    return LM_RESIDUAL


cdef int _propose_apart(lm_state *s, void *context) noexcept nogil:
    """As default_propose, but request a step that the radius limits, to be answered as lanes_step does.

    In memory[0] is the number of the model whose Gauss-Newton step, with the other sign, lanes_answer has put into
    acceleration; 0 if there is none.
    """
    cdef bint known = s.memory[0] == s.models and s.rank == s.n and not s.bounded
    cdef double size = INFINITY, par = 0.0
    cdef ptrdiff_t j
    # All that follows uses the memory of acceleration.
    s.memory[0] = 0.0
    if s.reverted or s.cut >= LM_VALLEY:
        # reverted is for this answer, and would be lost.
        return default_propose(s, context)
    if known:
        for j in range(s.n):
            s.step[j] = -s.acceleration[j]
        size = scaled_norm(s.n, s.diag, s.step, s.wa2)
    if not isfinite(size):
        par = step_within(s, DBL_MAX, s.par, s.step)
        size = scaled_norm(s.n, s.diag, s.step, s.wa2)
    if not s.below_noise and (par != 0.0 or not size - s.delta <= 0.1 * s.delta):
        return LM_STEP
    s.par = par
    default_limited(s)
    return LM_RESIDUAL


cdef int _propose_in_valley(lm_state *s, void *context) noexcept nogil:
    cdef int request
    s.known_newton = 0
    request = geodesic_propose(s, context)
    s.extrapolated = 2 if s.par > 0.0 else 0
    return request


cdef void default_limited(lm_state *s) noexcept nogil:
    """Complete a proposal whose s.step and s.par are those within the radius."""
    s.extrapolated = 0
    s.newton = s.par == 0.0
    predict_damped(s, s.step, s.par)
    if s.rejections == 0:
        secant_extrapolate(s)
    if s.newton and s.below_noise and s.extrapolated == 0:
        _follow_curvature(s)


cdef void default_update(lm_state *s, void *context) noexcept nogil:
    """Update par and delta as More's strategy does; increase a radius that is much too small."""
    cdef double length = s.pnorm, growth
    more_update(s, context)
    cdef bint linear = fabs(1.0 - s.ratio) <= LINEAR
    if (s.good >= LM_VALLEY or linear) and s.step_par > 0.0 and s.ratio >= 0.75:
        # The error of the ratio grows with the length of the step at least in proportion: at this length it would be a
        # quarter.
        s.delta = max(s.delta, length * min(0.25 / max(fabs(1.0 - s.ratio), 1e-10), LONGEST))
        s.par *= length / s.delta
    if s.step_par > 0.0 and s.ratio >= 0.75 and s.prered < s.noise:
        # The reduction of so short a step is below noise, whatever its ratio: a longer one is visible.
        growth = LARGEST_GROWTH
        if s.prered > s.noise / LARGEST_GROWTH:
            growth = 4.0 * s.noise / s.prered
        s.delta = max(s.delta, min(length * growth, LARGEST_RADIUS))
        s.par *= length / s.delta


cdef double _along_last(const lm_state *s, double *cosine) noexcept nogil:
    """Return the component of this step along the last one, relative to it, and the cosine between the two.

    Norms are those of the columns of the current J.  Return 0 if one of the steps is zero.
    """
    cdef double square = 0.0, last = 0.0, product = 0.0, p, q
    cdef ptrdiff_t j
    for j in range(s.n):
        p = s.free_norms[j] * s.step[j]
        q = s.free_norms[j] * s.last_step[j]
        square += p * p
        last += q * q
        product += p * q
    cosine[0] = 0.0
    if not (square > 0.0 and last > 0.0):
        return 0.0
    cosine[0] = product / sqrt(square) / sqrt(last)
    return product / last


cdef void _follow_curvature(lm_state *s) noexcept nogil:
    """Scale a Gauss-Newton step below noise by the curvature along the last step.

    If the residual is large, a full step may end as far beyond the minimum as it started before it, or farther.  In
    another direction the curvature is between that of the model and this one; 2 / (1 + bend) contracts for both.
    """
    cdef double cosine
    cdef bint aligned
    _along_last(s, &cosine)
    aligned = fabs(cosine) >= SAME_DIRECTION
    if s.bend == 0.0 or s.bend > MOST_BENT and not aligned:
        return
    _multiply(s, 1.0 / s.bend if aligned else 2.0 / (1.0 + s.bend))
    # In other directions the steps may contract as slowly, without a change of sign.
    s.linear_rate = min(s.bend - 1.0, FASTEST)
    s.remainder = 1.0


cdef void _multiply(lm_state *s, double factor) noexcept nogil:
    """Multiply a Gauss-Newton step and its prediction by a factor, which divides the curvature along it."""
    cdef ptrdiff_t j
    for j in range(s.n):
        s.step[j] *= factor
    s.prered *= factor
    s.dirder *= factor
    s.extrapolated = 1


cdef lmoo_step DEFAULT
DEFAULT.size = sizeof(lmoo_step)
DEFAULT.context = NULL
DEFAULT.begin = NULL
DEFAULT.propose = default_propose
DEFAULT.update = default_update
DEFAULT.refused = more_refused
DEFAULT.wants_curvature = 2

# For callers that compute the limited steps of several fits together.
cdef lmoo_step APART = DEFAULT
APART.propose = _propose_apart
