"""Parameters at 0 where f has a kink, as amplitudes that enter as |x|.

Where |f|^2 is least at such a kink, the model on either side of 0 has a gradient towards the other side, and steps that
cross 0 fail until the radius stops the other parameters as well.  If two steps in a row from one point have failed and
cross 0, f is evaluated on the other side, half-way to 0 and at 0.  If it is least at 0, and this is a kink, the parameter
is set to 0 and keeps this value, as at a jump (jumps.pxi), and the others are fitted.  Before a success f is evaluated on
both sides; if it decreases, or is smooth, the parameter varies again.

At a kink |f|^2 grows in proportion to the distance, at a smooth minimum with its square.
"""

from libc.math cimport fabs

from lmoo._core.model cimport *
from lmoo._core.norms cimport copy

# Least growth of |f|^2 at half the distance, relative to that at the distance: it is 1/2 at a kink, 1/4 if f is smooth.
cdef double HALF_GROWTH = 0.35
# Distance from 0 at which f is evaluated before a success, in units of the change that changes f by |f|.
cdef double BESIDE = 1e-3

cdef enum:
    # Points of a parameter, in this order, for kinks_cross and for kinks_verify.
    OTHER_SIDE = 0
    NEARER
    AT_ZERO
    ABOVE
    BELOW
    HALF_WAY
    POINTS
    # Parameters set to 0 in a solve.
    MOST_KINKS = 8


cdef inline bint _is_at_kink(const lm_state *s, ptrdiff_t j) noexcept nogil:
    return is_at_jump(s, j) and s.x[j] == 0.0


cdef bint kinks_ahead(const lm_state *s) noexcept nogil:
    """Return whether the step that has failed may cross a kink: |f|^2 has not grown by much."""
    return s.rejections == 2 and s.options.tests == LM_TESTS_ACCURATE and s.options.step.update == DEFAULT.update \
        and s.kinks < MOST_KINKS and s.noise <= ALL_NOISE and _growth(s) <= LARGE_REDUCTION


cdef int kinks_cross(lm_state *s) noexcept nogil:
    """Request f on the other side of 0 for the parameter that dominates the step, if it crosses 0; else propose a step."""
    cdef ptrdiff_t j, most = 0
    cdef double total = 0.0
    for j in range(s.n):
        total += fabs(s.free_norms[j] * s.step[j])
        if fabs(s.free_norms[j] * s.step[j]) > fabs(s.free_norms[most] * s.step[most]):
            most = j
    if s.x[most] * (s.x[most] + s.step[most]) < 0.0 and 3.0 * fabs(s.free_norms[most] * s.step[most]) > total:
        return _point(s, most, OTHER_SIDE, -s.x[most] if fabs(s.step[most]) > 2.0 * fabs(s.x[most])
                      else s.x[most] + s.step[most])
    return _not_at_kink(s)


cdef int _not_at_kink(lm_state *s) noexcept nogil:
    s.probe = 0
    return _propose(s)


cdef int kinks_verify(lm_state *s, ptrdiff_t j) noexcept nogil:
    """Request f beside the kink of parameter j or the next one; search other points after the last one."""
    while j < s.n and s.nfev < s.options.maxfev:
        if _is_at_kink(s, j):
            return _point(s, j, ABOVE, BESIDE * (s.fnorm / s.diag[j]))
        j += 1
    s.probe = 0
    return _search(s)


cdef int _point(lm_state *s, ptrdiff_t j, int point, double value) noexcept nogil:
    copy(s.n, s.x, s.trial)
    s.trial[j] = min(max(value, s.lower[j]), s.upper[j]) if s.bounded else value
    s.probe = PROBED + 1 + <int>s.n + POINTS * <int>j + point
    return LM_RESIDUAL


cdef int kinks_answer(lm_state *s, int answer) noexcept nogil:
    """Process |f| at such a point."""
    cdef ptrdiff_t j = (s.probe - PROBED - 1 - s.n) // POINTS
    cdef int point = (s.probe - PROBED - 1 - s.n) % POINTS
    cdef double growth = _growth(s) if answer != ANSWER_BAD else 1.0
    if s.nfev >= s.options.maxfev and point < AT_ZERO:
        return _done(s, LM_MAXFEV)
    if point == OTHER_SIDE:
        s.probes[0] = s.fnorm1
        return _not_at_kink(s) if answer == ANSWER_BAD else _point(s, j, NEARER, 0.5 * s.x[j])
    if point == NEARER:
        s.probes[1] = s.fnorm1
        return _not_at_kink(s) if answer == ANSWER_BAD else _point(s, j, AT_ZERO, 0.0)
    if point == AT_ZERO:
        # Growth from 0.
        growth = (s.fnorm / s.fnorm1) * (s.fnorm / s.fnorm1) - 1.0
        if answer == ANSWER_BAD or not growth > s.noise or s.fnorm1 >= s.probes[0] \
                or (s.probes[1] / s.fnorm1) * (s.probes[1] / s.fnorm1) - 1.0 < HALF_GROWTH * growth:
            return _not_at_kink(s)
        s.kinks += 1
        s.length[j] = AT_JUMP
        return _move_to_trial(s)
    if -growth > max(s.noise, LEAST_FOUND):
        s.length[j] = 0.0
        return _move_to_trial(s)
    if s.nfev >= s.options.maxfev:
        return kinks_verify(s, s.n)
    if point < HALF_WAY:
        s.probes[0] = growth
        return _point(s, j, point + 1, (-1.0 if point == ABOVE else -0.5) * BESIDE * (s.fnorm / s.diag[j]))
    if growth <= max(s.noise, HALF_GROWTH * s.probes[0]):
        # Not a kink.
        s.length[j] = 0.0
        s.probe = s.rejections = s.idle = 0
        s.status = LM_RUNNING
        return LM_LINEARIZE
    return kinks_verify(s, j + 1)


cdef int _move_to_trial(lm_state *s) noexcept nogil:
    """Make the trial point, which reduces |f|, the current point, and request the model there."""
    cdef ptrdiff_t j
    for j in range(s.n):
        s.step[j] = s.trial[j] - s.x[j]
    s.newton = s.known_newton = s.probe = s.ending = 0
    s.step_par = s.last_pnorm = 0.0
    s.status = LM_RUNNING
    _accept(s)
    s.reached, s.idle, s.rejections = s.fnorm, 0, 0
    s.delta = max(s.delta, s.options.factor * s.xnorm)
    return LM_LINEARIZE if s.nfev < s.options.maxfev else _done(s, LM_MAXFEV)
