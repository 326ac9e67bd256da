"""The error of |f|, from values along a short line.

    v_k = |f(x + k p / 8)| / |f(x)|,  k = 0 ... 7

where p has the direction of the last step and the length of the first one that was refused at x: on that
scale something was in the way.  Where those values show no error, p is made longer, as f may be constant on a
shorter scale than that of its errors.

The differences of order i of a smooth function vanish as i grows; those of errors with the deviation
sigma have the mean square sigma^2 (2 i)! / (i!)^2.  Where three orders in a row give the same sigma to a
factor of 4, and the differences of the first of them have both signs, that is the error.

More', Wild (2011), "Estimating computational noise", SIAM J. Sci. Comput. 33, algorithm ECnoise: the
number of values and the factor are theirs.
"""

from libc.math cimport fabs, sqrt

from lmoo._core.model cimport *

cdef enum:
    VALUES = 8

cdef double ALIKE = 4.0
# Of f, relatively, along the line: the differences of order i of a smooth function are then of the size of its power
# i, and further apart than a factor of 4.
cdef double LARGEST_CHANGE = 0.01


cdef void noise_place(lm_state *s) noexcept nogil:
    """The next point at which |f| is wanted, on the way of the last step: to trial."""
    cdef ptrdiff_t j
    cdef double share = s.probe / <double>VALUES * _stretch(s)
    for j in range(s.n):
        s.trial[j] = s.x[j] + share * s.step[j]
        if s.bounded:
            s.trial[j] = min(max(s.trial[j], s.lower[j]), s.upper[j])


cdef double _stretch(const lm_state *s) noexcept nogil:
    """How many times the last step the line is; no more than what keeps f smooth along it."""
    cdef double change = 0.0, wanted = s.probe_scale
    cdef ptrdiff_t j
    for j in range(s.n):
        change += fabs(s.model.acnorm[j] * s.step[j])
    if s.pnorm > 0.0:
        wanted *= max(s.refused_length / s.pnorm, 1.0)
    if change * wanted > LARGEST_CHANGE * s.fnorm:
        wanted = LARGEST_CHANGE * s.fnorm / change
    return wanted


cdef bint noise_take(lm_state *s) noexcept nogil:
    """Take |f(trial)| in; False when there are enough, and probe is VALUES."""
    s.probes[s.probe] = s.fnorm1 / s.fnorm - 1.0
    s.probe += 1
    if s.probe == VALUES:
        return False
    noise_place(s)
    return True


cdef double noise_found(lm_state *s) noexcept nogil:
    """The error of |f|, absolute; 0 where the values show none."""
    cdef double sigma[VALUES]
    cdef bint signs[VALUES]
    cdef double factor = 1.0, total, least, most
    cdef int i, k
    s.probes[0] = 0.0
    for i in range(1, VALUES):
        total = 0.0
        least = most = 0.0
        factor *= i / (2.0 * (2.0 * i - 1.0))
        for k in range(VALUES - i):
            s.probes[k] = s.probes[k + 1] - s.probes[k]
            total += s.probes[k] * s.probes[k]
            least, most = min(least, s.probes[k]), max(most, s.probes[k])
        sigma[i] = sqrt(factor * total / (VALUES - i))
        signs[i] = least < 0.0 < most
    for i in range(1, VALUES - 2):
        least = min(sigma[i], min(sigma[i + 1], sigma[i + 2]))
        most = max(sigma[i], max(sigma[i + 1], sigma[i + 2]))
        if signs[i] and 0.0 < most <= ALIKE * least:
            return sigma[i] * s.fnorm
    return 0.0
