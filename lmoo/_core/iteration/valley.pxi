"""The default step strategy: More's, with three additions where its steps tell that they are slow.

*Valleys.*  Where the radius has cut LM_VALLEY = 10 steps in a row the way is curved, and steps are bent by the second
derivative along them: geodesic acceleration (geodesic.pxi), one evaluation more a step.

*Linear contraction.*  At a minimum with a large residual Gauss-Newton steps contract at a steady rate q, in one
direction or with alternating signs.  Once two rates in a row agree, what is left of the sequence is p / (1 - q), q having the
sign of p^T N^2 p_-1 (Aitken 1926, "On Bernoulli's numerical solution of algebraic equations", Proc. Royal
Soc. Edinburgh 46), and that is the step.  The curvature along it is then not |J p|^2 but (1 - q) |J p|^2, by
which its reduction is predicted.

*Curvature below the noise.*  Where |f|^2 no longer shows that Gauss-Newton steps lead too far, the gradients at both
ends of the last one do: a step along it is divided by the curvature there, relative to |J p|^2.
"""

from libc.math cimport fabs, sqrt

from lmoo._core.model cimport *

# Two rates are the same to this, and two directions: the error of p / (1 - q) is then this share of it.
cdef double STEADY = 0.1
cdef double SAME_DIRECTION = 0.95
# Above this rate so much would be extrapolated that the rate itself is in doubt.
cdef double FASTEST = 0.95


# A ratio as near to 1 as the errors of forward differences let it be: f is linear as far as can be seen.
cdef double LINEAR = 1e-6
# The radius grows by this at the most.
cdef double LONGEST = 10.0
# Where steps are too short to be seen it grows to what shows, within what double precision can hold.
cdef double LARGEST_GROWTH = 1e150


cdef int default_propose(lm_state *s, void *context) noexcept nogil:
    cdef int request
    s.extrapolated = 0
    if s.cut >= LM_VALLEY and s.rejections == 0:
        request = geodesic_propose(s, context)
        s.extrapolated = 2 if s.par > 0.0 else 0
        return request
    request = more_propose(s, context)
    if s.newton and s.last_pnorm != 0.0 and s.rejections == 0:
        _extrapolate(s)
    if s.newton and s.below_noise and s.extrapolated == 0:
        _follow_curvature(s)
    return request


cdef void default_update(lm_state *s, void *context) noexcept nogil:
    """More's update, but for a radius that is much too short."""
    cdef double length = s.pnorm, growth
    more_update(s, context)
    cdef bint linear = fabs(1.0 - s.ratio) <= LINEAR
    if (s.good >= LM_VALLEY or linear) and s.step_par > 0.0 and s.ratio >= 0.75:
        # The error of the ratio is in proportion to the length of the step, at least: as long as this it
        # would be a quarter.
        s.delta = max(s.delta, length * min(0.25 / max(fabs(1.0 - s.ratio), 1e-10), LONGEST))
        s.par *= length / s.delta
    if s.step_par > 0.0 and s.ratio >= 0.75 and s.prered < s.noise:
        # So short a step shows nothing, whatever its ratio: a longer one will.
        growth = LARGEST_GROWTH
        if s.prered > s.noise / LARGEST_GROWTH:
            growth = 4.0 * s.noise / s.prered
        s.delta = max(s.delta, min(length * growth, LARGEST_RADIUS))
        s.par *= length / s.delta


cdef double _along_last(const lm_state *s, double *cosine) noexcept nogil:
    """The share of the last step that this one is, in the norms of the columns as they are now, and the cosine
    between the two; 0 where there is none."""
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
    """Make a Gauss-Newton step, of which no reduction will be seen, what the curvature along the last one asks for.

    With a large residual a full one may lead as far beyond the minimum as it was away, or farther.
    """
    cdef double cosine
    _along_last(s, &cosine)
    if fabs(cosine) < SAME_DIRECTION or s.bend == 0.0:
        return
    _multiply(s, 1.0 / s.bend)
    # Along other directions they may contract as slowly, and without a change of sign.
    s.linear_rate = min(s.bend - 1.0, FASTEST)
    s.remainder = 1.0


cdef void _multiply(lm_state *s, double factor) noexcept nogil:
    """Take so many Gauss-Newton steps at once; the curvature is the less."""
    cdef ptrdiff_t j
    for j in range(s.n):
        s.step[j] *= factor
    s.prered *= factor
    s.dirder *= factor
    s.extrapolated = 1


cdef void _extrapolate(lm_state *s) noexcept nogil:
    """Make the Gauss-Newton step what is left of a sequence that contracts at a steady rate."""
    cdef double rate, cosine, factor
    rate = _along_last(s, &cosine)
    if rate == 0.0:
        return
    factor = s.rate
    s.rate = rate
    s.steady = fabs(cosine) >= SAME_DIRECTION and fabs(rate - factor) <= STEADY * fabs(rate)
    if not s.steady or not -2.0 < rate < FASTEST:
        return
    s.linear_rate = rate
    # What the extrapolation leaves, as a share of the step: the error of the rate, and what goes another way.
    s.remainder = fabs(rate) * (fabs(rate - factor) / fabs(rate) + sqrt(max(1.0 - cosine * cosine, 0.0)))
    _multiply(s, 1.0 / (1.0 - rate))


cdef lmoo_step DEFAULT
DEFAULT.size = sizeof(lmoo_step)
DEFAULT.context = NULL
DEFAULT.begin = NULL
DEFAULT.propose = default_propose
DEFAULT.update = default_update
DEFAULT.refused = more_refused
DEFAULT.wants_curvature = 2
