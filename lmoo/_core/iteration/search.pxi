"""Trial points away from x, evaluated before a solve ends as a success.

For each parameter that has no effect at x, for example on a plateau: x_j divided and multiplied by 10 and by 100 (at a
jump of f by 1.01 and 1.1), at a bound also -x_j, also with each of the parameters at active bounds moved off its bound in
turn, as an amplitude of 0 removes the effect of other parameters.  For each parameter at an active bound: the opposite
bound, as a phase may continue there.  The best of these points becomes x.

If x is on its way to infinity, the other side of infinity: a exp(b t) + c approaches a straight line for b -> 0 with
a b constant, and continues with the other signs of a and b.  On the way parameters are alpha + beta / u, as a and c, or
gamma u, as b, for u -> 0.  The Gauss-Newton step p has the direction of the way, so that it gives beta / u and gamma u.
The points are those for -u, -10 u ... -10^8 u.

A parameter that enters as 1 / x, as a decay time, may be too large by many orders of magnitude: the Gauss-Newton step
for 1 / x leads to x / (1 - p / x).  This point is tried for each parameter whose step is endless.
"""

from libc.math cimport fabs, isfinite

from lmoo._core.model cimport *
from lmoo._core.norms cimport copy

# Factors for a parameter without an effect: one and two orders of magnitude, and the other sign.
cdef double[5] FACTORS
FACTORS[:] = [0.1, 10.0, 0.01, 100.0, -1.0]
# The same for a parameter at a jump of f: just beyond it, and farther.
cdef double[5] NEAR
NEAR[:] = [1.0 / 1.01, 1.01, 1.0 / 1.1, 1.1, -1.0]
# Least relative reduction of |f|^2 by such a point.
cdef double LEAST_FOUND = 1e-9

cdef enum:
    # With more, looking for candidates alone, n^3 steps, would take longer than the solve.
    MOST_PARAMETERS = 500
    # Points beyond infinity.  Half of the digits of u are known.
    BEYOND = 9


cdef ptrdiff_t search_trials(ptrdiff_t n) noexcept nogil:
    """Return the number of points for n parameters, of which most do not exist."""
    return n * (5 * n + 7) + BEYOND


cdef bint search_place(lm_state *s) noexcept nogil:
    """Put the next point, or after the last one the best, into s.trial; return False if there is none."""
    cdef ptrdiff_t trials = search_trials(s.n)
    if s.search == 0 and not _may_search(s):
        return False
    while s.search < trials and s.nfev < s.options.maxfev:
        s.search += 1
        if _candidate(s, s.search - 1):
            return True
    if s.best == 0:
        s.search = 0
        return False
    _candidate(s, s.best - 1)
    s.search = <int>trials + 1
    return True


cdef bint search_take(lm_state *s, bint good) noexcept nogil:
    """Process |f(trial)|, where good is False for a bad point; return False after the best point was evaluated again.

    A phase on the opposite bound must leave |f| unchanged; other points must reduce it.
    """
    cdef ptrdiff_t trial = s.search - 1, ways = 5 * s.n + 6
    cdef double drop = 1.0 - (s.fnorm1 / s.fnorm) * (s.fnorm1 / s.fnorm)
    cdef bint opposite = trial < s.n * ways and trial % ways == ways - 1
    if trial == search_trials(s.n):
        s.search = s.best = 0
        return False
    if good and drop > (-s.noise if opposite else max(s.noise, LEAST_FOUND)) \
            and (s.best == 0 or drop > s.drop):
        s.best, s.drop = s.search, drop
    return True


cdef bint _may_search(const lm_state *s) noexcept nogil:
    cdef ptrdiff_t j
    if _leads_to_infinity(s):
        return True
    if s.n > MOST_PARAMETERS:
        return False
    for j in range(s.n):
        if s.bounded and s.active[j] != 0 or _has_no_effect(s, j):
            return True
    return False


cdef bint _candidate(lm_state *s, ptrdiff_t trial) noexcept nogil:
    """Put the point with this index into s.trial; return False if it does not exist."""
    cdef ptrdiff_t j = trial // (5 * s.n + 6), k = trial % (5 * s.n + 6)
    copy(s.n, s.x, s.trial)
    if j >= s.n:
        trial -= s.n * (5 * s.n + 6)
        if trial < BEYOND:
            return _go_beyond_infinity(s, 10.0**<double>trial)
        j = trial - BEYOND
        # The step of a reciprocal; that of x_j cannot be tested.
        if fabs(s.velocity[j]) > ENDLESS * fabs(s.x[j]):
            _change(s, j, s.x[j] / (1.0 - s.velocity[j] / s.x[j]))
    elif k == 5 * s.n + 5:
        s.trial[j] = _opposite_bound(s, j)
    elif _has_no_effect(s, j):
        # At a bound, too: it is active only because no step can be based on it.  The other sign is tried there only:
        # that of a rate which runs away would overflow.
        if k % 5 == 4 and not (s.bounded and (s.x[j] <= s.lower[j] or s.x[j] >= s.upper[j])):
            return False
        _change(s, j, (NEAR[k % 5] if is_at_jump(s, j) else FACTORS[k % 5]) * s.x[j])
        if k >= 5 and not _move_off_bound(s, k // 5 - 1):
            return False
    return s.trial[j] != s.x[j]


cdef bint _leads_to_infinity(const lm_state *s) noexcept nogil:
    """Return whether x is on its way to infinity, in the direction s.velocity."""
    cdef ptrdiff_t j
    for j in range(s.n):
        if s.velocity[j] != 0.0:
            return True
    return False


cdef bint _go_beyond_infinity(lm_state *s, double factor) noexcept nogil:
    """Set the trial point for -factor u; return False if x is not on its way to infinity.

    p is that of the model at base.  If x_k = gamma u, -p_k / x_k is the relative change of 1 / u.  If there is no such
    parameter, alpha is taken to be 0 for the parameter that changes f most.
    """
    cdef const double *p = s.velocity
    cdef ptrdiff_t j, k = _most_changed(s, 0.0)
    cdef ptrdiff_t vanishing = _most_changed(s, 0.0 if k < 0 else -p[k] * s.base[k])
    cdef double way
    if k < 0:
        return False
    for j in range(s.n):
        way = (s.base[k] / p[k] if vanishing < 0 else -s.base[vanishing] / p[vanishing]) * p[j]
        if way * s.base[j] > 0.0:
            way *= -(1.0 + 1.0 / factor)
        else:
            way *= 1.0 + factor
        _change(s, j, s.base[j] + way)
        if not isfinite(s.trial[j]):
            return False
    return True


cdef ptrdiff_t _most_changed(const lm_state *s, double sign) noexcept nogil:
    """Return the parameter whose change by s.velocity changes f most; -1: none.

    sign: of the change of its size; 0 for either
    """
    cdef double most = 0.0, growth
    cdef ptrdiff_t j, k = -1
    for j in range(s.n):
        growth = s.velocity[j] * s.base[j]
        if growth != 0.0 and (sign == 0.0 or (growth > 0.0) == (sign > 0.0)) \
                and fabs(s.acnorm[j] * s.velocity[j]) > most:
            k, most = j, fabs(s.acnorm[j] * s.velocity[j])
    return k


cdef void _change(lm_state *s, ptrdiff_t j, double value) noexcept nogil:
    """Set parameter j of the trial point to value, limited by its bounds."""
    s.trial[j] = min(max(value, s.lower[j]), s.upper[j]) if s.bounded else value


cdef bint _move_off_bound(lm_state *s, ptrdiff_t j) noexcept nogil:
    """Move parameter j of the trial point off its active bound, by the distance that changes f by a tenth of |f|.

    If this changes the direction of the gradient by a cosine of more than 0.05, |f| shows it.
    """
    cdef double way
    if not s.bounded or s.active[j] == 0 or _has_no_effect(s, j):
        return False
    way = 0.1 * s.fnorm / s.acnorm[j]
    _change(s, j, s.x[j] + (way if s.x[j] == s.lower[j] else -way))
    return s.trial[j] != s.x[j]


cdef bint _has_no_effect(const lm_state *s, ptrdiff_t j) noexcept nogil:
    return s.column_error[j] == 1.0 or s.acnorm[j] == 0.0


cdef double _opposite_bound(const lm_state *s, ptrdiff_t j) noexcept nogil:
    """Return the bound opposite the active one of parameter j, if it is finite; else x_j."""
    cdef double other
    if not s.bounded or s.active[j] == 0 or s.found == MOST_FOUND or _has_no_effect(s, j):
        return s.x[j]
    other = s.upper[j] if s.x[j] == s.lower[j] else s.lower[j]
    return other if isfinite(other) else s.x[j]
