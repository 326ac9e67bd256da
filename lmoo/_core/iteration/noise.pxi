"""The error of |f|, from values along a short line.

    v_k = |f(x + k p / 8)| / |f(x)| - 1,  k = 0 ... 7

p has the direction of the last step that was refused, and its length or a multiple of it.  Along a line so short a
smooth function is a parabola: what is left of the values when the best one is taken away,

    sigma^2 = sum (v_k - parabola(k))^2 / 5,

is the error of |f|, where it makes up a good part of how much the values vary.  Where it does not, they vary as f does,
and it is not its error that is in the way.

Cf. More', Wild (2011), "Estimating computational noise", SIAM J. Sci. Comput. 33, who take differences of higher
order; with a direction in which something is known to be wrong the parabola will do, and 8 values.
"""

from libc.float cimport DBL_MAX
from libc.math cimport fabs, sqrt

from lmoo._core.model cimport *

cdef enum:
    VALUES = 8

# Less than this of the range of the values is no error but the shape of f.
cdef double LEAST_SHARE = 0.1
# By how much f and each parameter may change along the line, relatively, for it to be short.
cdef double LARGEST_CHANGE = 0.01
# And by how much it may be seen to change, where J tells less than it does.
cdef double LARGEST_RANGE = 0.1


cdef void noise_begin(lm_state *s) noexcept nogil:
    """The first line: the last step, or as much of it as is short."""
    s.probe = 1
    s.probe_scale = min(1.0, _longest(s))
    noise_place(s)


cdef double _longest(const lm_state *s) noexcept nogil:
    """The multiple of the last step that changes a parameter by LARGEST_CHANGE of its size.

    Where f depends on a parameter so little that J shows nothing, as on the rate of exponentials that have decayed, f
    may still vary wildly over longer ways.
    """
    cdef double longest = DBL_MAX, size
    cdef ptrdiff_t j
    for j in range(s.n):
        size = fabs(s.x[j]) if s.x[j] != 0.0 else s.fnorm / s.diag[j]
        if LARGEST_CHANGE * size < longest * fabs(s.step[j]):
            longest = LARGEST_CHANGE * size / fabs(s.step[j])
    return longest


cdef void noise_place(lm_state *s) noexcept nogil:
    """The next point at which |f| is wanted: to trial."""
    cdef ptrdiff_t j
    cdef double share = s.probe / <double>VALUES * s.probe_scale
    for j in range(s.n):
        s.trial[j] = s.x[j] + share * s.step[j]
        if s.bounded:
            s.trial[j] = min(max(s.trial[j], s.lower[j]), s.upper[j])


cdef bint noise_lengthen(lm_state *s, double factor) noexcept nogil:
    """Make the line that much longer; False where it would not be short any more."""
    cdef double change = 0.0
    cdef ptrdiff_t j
    for j in range(s.n):
        change += fabs(s.free_norms[j] * s.step[j])
    s.probe_scale *= factor
    if s.probe_scale > _longest(s):
        return False
    return change * s.probe_scale <= LARGEST_CHANGE * s.fnorm


cdef bint noise_take(lm_state *s) noexcept nogil:
    """Take |f(trial)| in; False when there are enough, and probe is VALUES."""
    s.probes[s.probe] = s.fnorm1 / s.fnorm - 1.0
    s.probe += 1
    if s.probe == VALUES:
        return False
    noise_place(s)
    return True


cdef double noise_found(lm_state *s) noexcept nogil:
    """The error of |f|, absolute; negative where the values vary as a smooth function does."""
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
