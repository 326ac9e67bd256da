"""Points that no step leads to, tried before a solve ends as a success.

Of the parameters that have no effect at x, on a plateau perhaps: x_j divided and multiplied by 10 and by 100, with each
of the parameters at active bounds moved off its bound in turn, as an amplitude of 0 is what takes the effect of others
away.  Of the parameters at active bounds: the opposite bound, where a phase continues.  The best of these points is taken.
"""

from libc.math cimport isfinite

from lmoo._core.model cimport *
from lmoo._core.norms cimport copy

# Factors for a parameter without an effect: one and two orders of magnitude.
cdef double[4] FACTORS
FACTORS[:] = [0.1, 10.0, 0.01, 100.0]
# What that must take away from |f|^2, relatively.
cdef double LEAST_FOUND = 1e-9

cdef enum:
    # With more, looking for candidates alone, n^3 steps, would take longer than the solve.
    MOST_PARAMETERS = 500


cdef bint search_place(lm_state *s) noexcept nogil:
    """Put the next point into s.trial, or the best one if there are no more; False if there is none."""
    cdef ptrdiff_t trials = s.n * (4 * s.n + 5)
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
    """Take in |f(trial)|, good unless that is a bad point; False once this was the best point again.

    A phase on the opposite bound is to leave |f| unchanged, other points are to lower it.
    """
    cdef ptrdiff_t trial = s.search - 1, ways = 4 * s.n + 5
    cdef double drop = 1.0 - (s.fnorm1 / s.fnorm) * (s.fnorm1 / s.fnorm)
    if trial == s.n * ways:
        s.search = s.best = 0
        return False
    if good and drop > (-s.noise if trial % ways == ways - 1 else max(s.noise, LEAST_FOUND)) \
            and (s.best == 0 or drop > s.drop):
        s.best, s.drop = s.search, drop
    return True


cdef bint _may_search(const lm_state *s) noexcept nogil:
    cdef ptrdiff_t j
    if s.n > MOST_PARAMETERS:
        return False
    for j in range(s.n):
        if s.bounded and s.active[j] != 0 or _has_no_effect(s, j):
            return True
    return False


cdef bint _candidate(lm_state *s, ptrdiff_t trial) noexcept nogil:
    """Put this one of them into s.trial; False where there is none."""
    cdef ptrdiff_t j = trial // (4 * s.n + 5), k = trial % (4 * s.n + 5)
    copy(s.n, s.x, s.trial)
    if k == 4 * s.n + 4:
        s.trial[j] = _across(s, j)
    elif not (s.bounded and s.active[j] != 0) and _has_no_effect(s, j):
        _change(s, j, FACTORS[k % 4] * s.x[j])
        if k >= 4 and not _take_off(s, k // 4 - 1):
            return False
    return s.trial[j] != s.x[j]


cdef void _change(lm_state *s, ptrdiff_t j, double value) noexcept nogil:
    """Of the trial point, parameter j, within its bounds."""
    s.trial[j] = min(max(value, s.lower[j]), s.upper[j]) if s.bounded else value


cdef bint _take_off(lm_state *s, ptrdiff_t j) noexcept nogil:
    """Take parameter j of the trial point off the bound that holds it, by what changes f by a tenth of its size.

    Where that turns the gradient, the cosine of which is more than 0.05, |f| shows it.
    """
    cdef double way
    if not s.bounded or s.active[j] == 0 or _has_no_effect(s, j):
        return False
    way = 0.1 * s.fnorm / s.acnorm[j]
    _change(s, j, s.x[j] + (way if s.x[j] == s.lower[j] else -way))
    return s.trial[j] != s.x[j]


cdef bint _has_no_effect(const lm_state *s, ptrdiff_t j) noexcept nogil:
    return s.column_error[j] == 1.0 or s.acnorm[j] == 0.0


cdef double _across(const lm_state *s, ptrdiff_t j) noexcept nogil:
    """The bound opposite the one that holds parameter j, where there is one; x_j otherwise."""
    cdef double other
    if not s.bounded or s.active[j] == 0 or s.found == MOST_FOUND or _has_no_effect(s, j):
        return s.x[j]
    other = s.upper[j] if s.x[j] == s.lower[j] else s.lower[j]
    return other if isfinite(other) else s.x[j]
