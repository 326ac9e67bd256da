"""Trial points away from x, evaluated before a solve ends as a success.

For each parameter that has no effect at x, for example on a plateau: x_j divided and multiplied by 10 and by 100 (at a
jump of f by 1.01 and 1.1), at a bound also -x_j, also with each of the parameters at active bounds moved off its bound in
turn, as an amplitude of 0 removes the effect of other parameters.  For each parameter at an active bound: the opposite
bound, as a phase may continue there, and -x_j, as a width may enter by its square.  The best of these points becomes x.

If several parameters have no effect, one may hide the other: an amplitude is without effect where its exponential has
decayed, and with a smaller rate it is much too large.  Where a factor of one parameter i has made f larger, another one j
is changed as well, to -x_j and smaller by the growth of |f|, and to the minimum of the parabola through these values and
|f|^2 at x, which is that for x_j = 0; also to its bounds and by factors.  For i the change that has changed f by |f| where
its column was largest, and a tenth of it, are tried besides the factors.

A parameter whose column shows a visible reduction, though the whole step runs away, is changed alone.

If x is on its way to infinity, the other side of infinity: a exp(b t) + c approaches a straight line for b -> 0 with
a b constant, and continues with the other signs of a and b.  On the way parameters are alpha + beta / u, as a and c, or
gamma u, as b, for u -> 0.  The Gauss-Newton step p has the direction of the way, so that it gives beta / u and gamma u.
The points are those for -u, -10 u ... -10^8 u, and -u, -3 u ... -3^8 u if a bound ends the way.  Near infinity f changes
little from u to -u.  If it does not, x is at a minimum at which J is singular, or a parameter enters by its reciprocal,
and no other of these points is tried.

A parameter that enters as 1 / x, as a decay time, may be too large by many orders of magnitude: the Gauss-Newton step
for 1 / x leads to x / (1 - p / x).  This point is tried for each parameter whose step is endless; away from infinity,
for the one with the longest step, relative to its size.

A search has at most a quarter of the evaluations that the solve has had, or LEAST_POINTS if these are more.
"""

from libc.math cimport copysign, fabs, isfinite, sqrt

from lmoo._core.model cimport *
from lmoo._core.norms cimport copy

# Factors for a parameter without an effect: one and two orders of magnitude, and the other sign.
cdef double[5] FACTORS
FACTORS[:] = [0.1, 10.0, 0.01, 100.0, -1.0]
# The same for a parameter at a jump of f: just beyond it, and farther.
cdef double[5] NEAR
NEAR[:] = [1.0 / 1.01, 1.01, 1.0 / 1.1, 1.1, -1.0]
# Factors for the first one of two parameters without effect, and for the other one.
cdef double[6] FIRST
FIRST[:] = [0.1, 0.01, -0.1, -0.01, 10.0, 100.0]
cdef double[2] OTHER
OTHER[:] = [-10.0, 100.0]
# Least relative reduction of |f|^2 by such a point.
cdef double LEAST_FOUND = 1e-9
# Largest growth of |f|^2 from one side of infinity to the other.
cdef double MOST_GROWTH = 1.0
# Factor between the points beyond infinity, and the same if a bound ends the way: it ends far from infinity.
cdef double FARTHER = 10.0
cdef double FARTHER_AT_BOUND = 3.0
# Most points, as a share of the evaluations of the solve.
cdef double MOST_POINTS = 0.25

cdef enum:
    # With more, looking for candidates alone, n^3 steps, would take longer than the solve.
    MOST_PARAMETERS = 500
    # Points beyond infinity.  Half of the digits of u are known.
    BEYOND = 9
    LEAST_POINTS = 100
    # For two parameters without effect: factors of the first one and its size where it had an effect; points of the
    # other one for each.
    CHANGES = 8
    POINTS_OF_OTHER = 7
    # In probes: `nfev` at which the search ends; whether pairs are tried; factor between points beyond infinity, 0: none.
    LAST_NFEV = 0
    WITH_PAIRS
    AT_INFINITY
    # |f|^2 over that at x with one parameter changed, and with the other one as well.
    ONE_CHANGED
    BOTH_CHANGED
    # The same for the best point.
    BEST_ONE
    BEST_BOTH


cdef ptrdiff_t search_trials(ptrdiff_t n) noexcept nogil:
    """Return the number of points for n parameters, of which most do not exist."""
    if n > MOST_PARAMETERS:
        return BEYOND + n
    return _pairs(n) + CHANGES * POINTS_OF_OTHER * n * n


cdef inline ptrdiff_t _pairs(ptrdiff_t n) noexcept nogil:
    """Return the index of the first point with two changed parameters."""
    return BEYOND + n + 7 * n + 5 * n * n


cdef bint search_place(lm_state *s) noexcept nogil:
    """Put the next point, or after the last one the best, into s.trial; return False if there is none."""
    cdef ptrdiff_t trials = search_trials(s.n), pairs = _pairs(s.n)
    if s.search == 0 and not _may_search(s):
        return False
    # The best point is evaluated again.
    while s.search < trials and s.nfev + 1 < s.options.maxfev and <double>s.nfev < s.probes[LAST_NFEV]:
        if s.search == pairs and s.best != 0:
            # Another point is better already.
            break
        s.search += 1
        if _candidate(s, s.search - 1):
            return True
    if s.best == 0:
        s.search = 0
        return False
    s.probes[ONE_CHANGED], s.probes[BOTH_CHANGED] = s.probes[BEST_ONE], s.probes[BEST_BOTH]
    s.search = <int>trials + 1
    _candidate(s, s.best - 1)
    return True


cdef bint search_take(lm_state *s, bint good) noexcept nogil:
    """Process |f(trial)|, where good is False for a bad point; return False after the best point was evaluated again.

    A phase on the opposite bound, or a parameter with the other sign, must leave |f| unchanged; other points must reduce
    it.
    """
    cdef ptrdiff_t trial = s.search - 1, singles = BEYOND + 2 * s.n, pairs = _pairs(s.n)
    cdef double square = (s.fnorm1 / s.fnorm) * (s.fnorm1 / s.fnorm)
    cdef double drop = 1.0 - square, visible = max(s.noise, LEAST_FOUND)
    cdef bint opposite = s.n <= MOST_PARAMETERS and singles + 4 * s.n <= trial < singles + 6 * s.n \
        and not _has_no_effect(s, (trial - singles) % s.n)
    if trial == search_trials(s.n):
        s.search = s.best = 0
        return False
    if trial == 0 and not (good and drop >= -MOST_GROWTH) and not cut_by_bounds(s):
        _keep_largest_velocity(s)
    if s.n <= MOST_PARAMETERS and trial >= pairs and (trial - pairs) % POINTS_OF_OTHER <= 1:
        s.probes[ONE_CHANGED + (trial - pairs) % POINTS_OF_OTHER] = square if good and square - 1.0 > visible else 0.0
    if good and drop > (-s.noise if opposite else visible) and (s.best == 0 or drop > s.drop):
        s.best, s.drop = s.search, drop
        s.probes[BEST_ONE], s.probes[BEST_BOTH] = s.probes[ONE_CHANGED], s.probes[BOTH_CHANGED]
    return True


cdef bint _may_search(lm_state *s) noexcept nogil:
    """Begin a search; return False if there is nothing to search for."""
    cdef bint found = _leads_to_infinity(s)
    cdef ptrdiff_t j
    if is_all_error(s):
        # f cannot be reduced.
        return False
    s.probes[LAST_NFEV] = <double>s.nfev + max(<double>LEAST_POINTS, MOST_POINTS * <double>s.nfev)
    s.probes[WITH_PAIRS] = 0.0
    s.probes[AT_INFINITY] = FARTHER
    if s.n > MOST_PARAMETERS:
        return found
    if s.bounded and not found and crossing_beyond_bounds(s):
        s.probes[AT_INFINITY] = FARTHER_AT_BOUND
    if s.rank < _free(s):
        _permit_pairs(s)
    for j in range(s.n):
        if s.bounded and s.active[j] != 0 or _has_no_effect(s, j) or _descends_alone(s, j):
            found = True
    return found


cdef void _permit_pairs(lm_state *s) noexcept nogil:
    """Permit pairs of parameters without effect.

    A fit with fixed parameters may be one of a profile, which continues from the fit before: it must not end far from
    it.
    """
    cdef ptrdiff_t j, found = 0
    for j in range(s.n):
        if s.bounded and s.lower[j] == s.upper[j]:
            return
        found += _may_be_paired(s, j)
    if found > 1:
        s.probes[WITH_PAIRS] = 1.0


cdef bint _descends_alone(const lm_state *s, ptrdiff_t j) noexcept nogil:
    """Return whether column j, of a model that lacks directions, shows a reduction that is visible."""
    cdef double cosine = _cosine(s, j)
    return s.rank < _free(s) and cosine * cosine > max(s.noise, NEAR_ENOUGH)


cdef double _cosine(const lm_state *s, ptrdiff_t j) noexcept nogil:
    """Return J_j^T f / (|J_j| |f|) at base; 0 for a column that is left out."""
    if not s.free_norms[j] > 0.0:
        return 0.0
    return s.gradient[j] / (s.base_fnorm if s.bounded else 1.0) / s.free_norms[j]


cdef bint _may_be_paired(const lm_state *s, ptrdiff_t j) noexcept nogil:
    return _has_no_effect(s, j) and not is_at_jump(s, j)


cdef bint _candidate(lm_state *s, ptrdiff_t trial) noexcept nogil:
    """Put the point with this index into s.trial; return False if it does not exist."""
    cdef ptrdiff_t n = s.n, j
    if trial < BEYOND:
        copy(n, s.x, s.trial)
        return s.probes[AT_INFINITY] != 0.0 and go_beyond_infinity(s, s.probes[AT_INFINITY]**<double>trial)
    trial -= BEYOND
    if trial < n:
        j = trial
        copy(n, s.x, s.trial)
        # The step of a reciprocal; that of x_j cannot be tested.
        if fabs(s.velocity[j]) > ENDLESS * fabs(s.x[j]):
            _change(s, j, s.x[j] / (1.0 - s.velocity[j] / s.x[j]))
        return s.trial[j] != s.x[j]
    trial -= n
    j = trial % n
    trial //= n
    if trial == 0:
        copy(n, s.x, s.trial)
        if _descends_alone(s, j):
            _change(s, j, s.x[j] - _cosine(s, j) * (s.fnorm / s.free_norms[j]))
        return s.trial[j] != s.x[j]
    trial -= 1
    if trial < 5:
        return _move_without_effect(s, j, trial) or trial == 4 and _mirror(s, j)
    trial -= 5
    if trial == 0:
        copy(n, s.x, s.trial)
        s.trial[j] = _opposite_bound(s, j)
        return s.trial[j] != s.x[j]
    trial -= 1
    if trial < 5 * n:
        return _move_without_effect(s, j, trial // n) and _move_off_bound(s, trial % n)
    trial = (trial - 5 * n) * n + j
    j = trial // POINTS_OF_OTHER
    return _move_pair(s, j // n % n, j % n, j // n // n, trial % POINTS_OF_OTHER)


cdef bint _move_without_effect(lm_state *s, ptrdiff_t j, ptrdiff_t k) noexcept nogil:
    """Change parameter j, if it has no effect, by factor k; return False if the point does not exist."""
    # At a bound, too: it is active only because no step can be based on it.  The other sign is tried there only: that
    # of a rate which runs away would overflow.
    if not _has_no_effect(s, j) \
            or k == 4 and not (s.bounded and (s.x[j] <= s.lower[j] or s.x[j] >= s.upper[j])):
        return False
    copy(s.n, s.x, s.trial)
    _change(s, j, NEAR[k] * s.x[j] if is_at_jump(s, j) else FACTORS[k] * s.x[j])
    return s.trial[j] != s.x[j]


cdef bint _move_pair(lm_state *s, ptrdiff_t i, ptrdiff_t j, ptrdiff_t change, ptrdiff_t point) noexcept nogil:
    """Change two parameters without effect, i alone for point 0; return False if the point does not exist."""
    cdef double size = _size_with_effect(s, i), one = s.probes[ONE_CHANGED], both = s.probes[BOTH_CHANGED], share, slope
    if s.probes[WITH_PAIRS] == 0.0 or i == j or not _may_be_paired(s, i) or not _may_be_paired(s, j) \
            or change < 2 and size == 0.0:
        return False
    copy(s.n, s.x, s.trial)
    _change(s, i, size if change == 0 else 0.1 * size if change == 1 else FIRST[change - 2] * s.x[i])
    if point == 0:
        # Once for all others.
        return s.trial[i] != s.x[i] and j == _first_other(s, i)
    # Without an effect, or if the minimum for this change is known.
    if one == 0.0 or not isfinite(one) or point > 4 and s.best > _pairs(s.n) and s.search <= search_trials(s.n):
        return False
    share = -1.0 / sqrt(one)
    if point == 1:
        _change(s, j, share * s.x[j])
    elif point == 2:
        slope = (both - 1.0 - share * share * (one - 1.0)) / (share - share * share)
        _change(s, j, -0.5 * slope / (one - 1.0 - slope) * s.x[j])
        return both != 0.0 and isfinite(s.trial[j])
    elif point == 3 or point == 4:
        if not s.bounded:
            return False
        _change(s, j, s.lower[j] if point == 3 else s.upper[j])
    else:
        _change(s, j, OTHER[point - 5] * s.x[j])
    return isfinite(s.trial[j]) and s.trial[j] != s.x[j]


cdef double _size_with_effect(const lm_state *s, ptrdiff_t j) noexcept nogil:
    """Return the change of x_j that has changed f by |f| where its column was largest, with its sign; 0 if unknown."""
    if s.options.user_scale or not s.diag[j] > 0.0:
        return 0.0
    return copysign(s.fnorm / s.diag[j], s.x[j])


cdef ptrdiff_t _first_other(const lm_state *s, ptrdiff_t i) noexcept nogil:
    """Return the first parameter other than i that may be changed together with it."""
    cdef ptrdiff_t j
    for j in range(s.n):
        if j != i and _may_be_paired(s, j):
            return j
    return i


cdef bint _leads_to_infinity(const lm_state *s) noexcept nogil:
    """Return whether x is on its way to infinity, in the direction s.velocity."""
    cdef ptrdiff_t j
    for j in range(s.n):
        if s.velocity[j] != 0.0:
            return True
    return False


cdef void _keep_largest_velocity(lm_state *s) noexcept nogil:
    """Leave the parameter that changes most, relative to its size, in velocity; forget the way to infinity."""
    cdef ptrdiff_t j, most = 0
    for j in range(1, s.n):
        if fabs(s.velocity[j] * s.x[most]) > fabs(s.velocity[most] * s.x[j]):
            most = j
    for j in range(s.n):
        if j != most:
            s.velocity[j] = 0.0
    s.probes[AT_INFINITY] = 0.0


cdef bint go_beyond_infinity(lm_state *s, double factor) noexcept nogil:
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


cdef bint cut_by_bounds(const lm_state *s) noexcept nogil:
    """Return whether bounds may have changed the trial point."""
    cdef ptrdiff_t j
    if s.bounded:
        for j in range(s.n):
            if s.trial[j] != s.x[j] and (s.trial[j] <= s.lower[j] or s.trial[j] >= s.upper[j]):
                return True
    return False


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


cdef bint _mirror(lm_state *s, ptrdiff_t j) noexcept nogil:
    """Change the sign of a parameter at an active bound, as a width may enter by its square; return False if that is
    not within the bounds."""
    if not s.bounded or s.active[j] == 0 or s.found == MOST_FOUND or _has_no_effect(s, j) \
            or not s.lower[j] < -s.x[j] < s.upper[j]:
        return False
    copy(s.n, s.x, s.trial)
    s.trial[j] = -s.x[j]
    return True


cdef bint _has_no_effect(const lm_state *s, ptrdiff_t j) noexcept nogil:
    return s.column_error[j] == 1.0 or s.acnorm[j] == 0.0


cdef double _opposite_bound(const lm_state *s, ptrdiff_t j) noexcept nogil:
    """Return the bound opposite the active one of parameter j, if it is finite; else x_j."""
    cdef double other
    if not s.bounded or s.active[j] == 0 or s.found == MOST_FOUND or _has_no_effect(s, j):
        return s.x[j]
    other = s.upper[j] if s.x[j] == s.lower[j] else s.lower[j]
    return other if isfinite(other) else s.x[j]
