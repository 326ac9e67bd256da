"""The error of |f|, measured from values along a short line.

   v_k = |f(x + k p / 8)| / |f(x)| - 1,  k = 0 ... 7

p has the direction of the last rejected step, and its length or a multiple of it.  Along a short line a smooth function
is a parabola.  The residuals of the best parabola,

   sigma^2 = sum (v_k - parabola(k))^2 / 5,

give the error of |f|, if they are a sufficient share of the variation of the values.  Otherwise the values vary as a
smooth f does, and the error of f is not the reason for the rejected steps.

Cf. More', Wild (2011), "Estimating computational noise", SIAM J. Sci. Comput. 33, who use differences of higher order.
Here the direction is one in which the model is known to be wrong, so a parabola and 8 values are sufficient.
"""

from libc.float cimport DBL_MAX
from libc.math cimport fabs, sqrt

from lmoo._core.model cimport *

cdef enum:
    VALUES = 8

# Least share of sigma in the range of the values; a smaller sigma is the shape of f.
cdef double LEAST_SHARE = 0.1
# Largest relative change of f and of each parameter along a short line, as predicted by J.
cdef double LARGEST_CHANGE = 0.01
# Largest observed relative change of f: J may predict less.
cdef double LARGEST_RANGE = 0.1


cdef void noise_begin(lm_state *s) noexcept nogil:
    """Begin the first line: the last step, or the part of it that is short."""
    s.probe = 1
    s.probe_scale = min(1.0, _longest(s))
    noise_place(s)


cdef double _longest(const lm_state *s) noexcept nogil:
    """Return the multiple of the last step that changes a parameter by LARGEST_CHANGE of its size.

    J may show no effect of a parameter, as the rate of exponentials that have decayed; f may still vary strongly over
    longer distances.
    """
    cdef double longest = DBL_MAX
    cdef ptrdiff_t j
    for j in range(s.n):
        if LARGEST_CHANGE * size_of(s, j) < longest * fabs(s.step[j]):
            longest = LARGEST_CHANGE * size_of(s, j) / fabs(s.step[j])
    return longest


cdef void noise_place(lm_state *s) noexcept nogil:
    """Put the next point of the line into trial."""
    cdef ptrdiff_t j
    cdef double share = s.probe / <double>VALUES * s.probe_scale
    for j in range(s.n):
        s.trial[j] = s.x[j] + share * s.step[j]
        if s.bounded:
            s.trial[j] = min(max(s.trial[j], s.lower[j]), s.upper[j])


cdef bint noise_lengthen(lm_state *s, double factor) noexcept nogil:
    """Multiply the length of the line by a factor; return False if it would not be short any more."""
    cdef double change = 0.0
    cdef ptrdiff_t j
    for j in range(s.n):
        change += fabs(s.free_norms[j] * s.step[j])
    s.probe_scale *= factor
    if s.probe_scale > _longest(s):
        return False
    return change * s.probe_scale <= LARGEST_CHANGE * s.fnorm


cdef bint noise_take(lm_state *s) noexcept nogil:
    """Store |f(trial)|; return False after the last value, when probe is VALUES."""
    s.probes[s.probe] = s.fnorm1 / s.fnorm - 1.0
    s.probe += 1
    if s.probe == VALUES:
        return False
    noise_place(s)
    return True


cdef double noise_found(lm_state *s) noexcept nogil:
    """Return the absolute error of |f|; negative if the values vary as a smooth function."""
    cdef double mean = 0.0, slope = 0.0, bend = 0.0, rest = 0.0, least = 0.0, most = 0.0, t, u
    cdef int k
    s.probes[0] = 0.0
    for k in range(VALUES):
        least, most = min(least, s.probes[k]), max(most, s.probes[k])
        mean += s.probes[k] / VALUES
    # Legendre's polynomials on eight points: (2 k - 7), and k (k - 7) + 7, each over the sum of its squares.
    for k in range(VALUES):
        t, u = 2.0 * k - 7.0, k * (k - 7.0) + 7.0
        slope += t * (s.probes[k] - mean) / 168.0
        bend += u * (s.probes[k] - mean) / 168.0
    for k in range(VALUES):
        t, u = 2.0 * k - 7.0, k * (k - 7.0) + 7.0
        t = s.probes[k] - mean - slope * t - bend * u
        rest += t * t
    rest = sqrt(rest / (VALUES - 3))
    if not most - least <= LARGEST_RANGE:
        return -1.0
    return rest * s.fnorm if rest >= LEAST_SHARE * (most - least) else -1.0
