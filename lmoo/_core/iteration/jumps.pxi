"""Parameters at a jump of f, as the time of an onset between two points of the data.

Up to a jump f is as smooth as anywhere, and the model is good; steps beyond it fail, however short they are, and the
radius shrinks to the distance of the jump.  Which parameters cause it is found by moving each of them alone, by its
part of the step that has failed, and by halving this way: those that cause half of the increase of |f|^2, on a
negligible part of the way, keep their values.  The others are fitted, and before the solve ends, points on both sides
are tried, see search.pxi.
"""

from libc.math cimport fabs, isfinite

from lmoo._core.model cimport *
from lmoo._core.norms cimport copy

# An increase of |f|^2 by more than this times the predicted reduction is a jump: at a kink it is a multiple that does
# not grow as steps shorten.
cdef double BEYOND_PREDICTED = 10.0
# Growth of |f|^2 that may be noise which has not been measured yet.
cdef double SMALLEST_JUMP = 0.01
# Longest step, relative to the last one.  In this step the error of a model that has predicted the last one to a tenth
# is below the predicted reduction, if f is smooth.
cdef double LENGTHENED = 2.5

cdef enum:
    # In probes: the ends of the way on which |f|^2 grows, as shares of the step; the growth there, and on all of it.
    LOW = 0
    HIGH
    LOW_GROWTH
    HIGH_GROWTH
    WHOLE
    HALVED
    # The growth after the last rejected step, and its length.
    LAST_GROWTH
    LAST_PNORM
    # Most rejected steps in a row after which f is examined for a jump.
    MOST_LOOKS = 4
    # Half of the growth on this power of a half of the way is a jump.  An exponential whose exponent changes by 1e6
    # grows by less, and is no jump.
    HALVINGS = 24


cdef bint jumps_ahead(lm_state *s) noexcept nogil:
    """Return whether the step that has failed shows a jump.

    It does if |f|^2 grows as much as after a longer one, or if the last step, in the same direction, was as predicted.
    """
    cdef double growth = _growth(s), last_growth = s.probes[LAST_GROWTH], last_pnorm = s.probes[LAST_PNORM]
    # Other steps, as extrapolated ones, may fail for another reason.
    cdef bint plain = s.step_par > 0.0 and not (s.limited or s.extrapolated)
    s.probes[LAST_GROWTH], s.probes[LAST_PNORM] = growth, s.pnorm if plain else 0.0
    if s.options.tests != LM_TESTS_ACCURATE or not plain or s.noise > ALL_NOISE \
            or not growth > max(SMALLEST_JUMP, BEYOND_PREDICTED * s.prered):
        return False
    if s.rejections > 1:
        return s.rejections <= MOST_LOOKS and s.pnorm <= 0.5 * last_pnorm \
            and 0.5 * last_growth <= growth <= 2.0 * last_growth
    return _is_like_last(s)


cdef bint _is_like_last(const lm_state *s) noexcept nogil:
    """Return whether the step has the direction of the last one, and the model has predicted that one to a tenth."""
    cdef double cosine, length, predicted = -s.last_dirder
    if s.steps == 0 or max(s.prered, s.last_actred) > LARGE_REDUCTION:
        return False
    length = _along_last(s, &cosine)
    # The slope is half of the predicted reduction for a short step, and all of it for a Gauss-Newton step.
    return cosine >= SAME_DIRECTION and length <= LENGTHENED and 0.9 * predicted <= s.last_actred <= 2.2 * predicted


cdef inline double _growth(const lm_state *s) noexcept nogil:
    """Return the relative growth of |f|^2 at the trial point."""
    return (s.fnorm1 / s.fnorm) * (s.fnorm1 / s.fnorm) - 1.0


cdef int jumps_look(lm_state *s, ptrdiff_t j) noexcept nogil:
    """Request f with parameter j moved alone, or with the next one that has an effect; end after the last one."""
    while j < s.n:
        # A parameter may still come closer to 0, where f can jump as well.
        if s.step[j] != 0.0 and s.free_norms[j] != 0.0 and fabs(s.step[j]) <= LARGEST_CHANGE * fabs(s.x[j]):
            s.probes[LOW] = s.probes[LOW_GROWTH] = s.probes[HALVED] = 0.0
            s.probes[HIGH] = 1.0
            return _move_alone(s, j, 1.0)
        j += 1
    return _looked(s)


cdef int _move_alone(lm_state *s, ptrdiff_t j, double share) noexcept nogil:
    copy(s.n, s.x, s.trial)
    s.trial[j] += share * s.step[j]
    s.probe = PROBED + 1 + <int>j
    return LM_RESIDUAL


cdef int _moved_alone(lm_state *s, int answer) noexcept nogil:
    """Process |f| with one parameter moved: halve the way on which |f|^2 grows, until it is a jump or is not."""
    cdef ptrdiff_t j = s.probe - PROBED - 1
    cdef double *way = s.probes
    cdef double growth = _growth(s), middle = 0.5 * (way[LOW] + way[HIGH])
    if answer == ANSWER_BAD or not isfinite(growth) or s.nfev >= s.options.maxfev:
        return jumps_look(s, j + 1)
    if way[HALVED] == 0.0:
        way[WHOLE] = way[HIGH_GROWTH] = growth
    elif growth - way[LOW_GROWTH] >= way[HIGH_GROWTH] - growth:
        way[HIGH], way[HIGH_GROWTH] = middle, growth
    else:
        way[LOW], way[LOW_GROWTH] = middle, growth
    if way[WHOLE] < 0.5 * s.probes[LAST_GROWTH] or way[HIGH_GROWTH] - way[LOW_GROWTH] < 0.5 * way[WHOLE]:
        return jumps_look(s, j + 1)
    if way[HALVED] < HALVINGS:
        way[HALVED] += 1.0
        return _move_alone(s, j, 0.5 * (way[LOW] + way[HIGH]))
    s.length[j] = AT_JUMP
    return jumps_look(s, j + 1)


cdef int _looked(lm_state *s) noexcept nogil:
    """Continue without the parameters at the jump, if there are some and others."""
    cdef bint found = False, left = False
    cdef ptrdiff_t j
    s.probe = 0
    for j in range(s.n):
        if s.free_norms[j] != 0.0:
            found |= is_at_jump(s, j)
            left |= not is_at_jump(s, j)
    if s.nfev >= s.options.maxfev:
        return _done(s, LM_MAXFEV)
    if found and left:
        s.rejections = s.refused = s.idle = s.known_newton = 0
        s.last_pnorm = 0.0
        s.delta = max(s.delta, s.options.factor * s.xnorm)
        return LM_LINEARIZE
    for j in range(s.n):
        # All are at jumps: they vary again.
        if is_at_jump(s, j):
            s.length[j] = 0.0
    return _propose(s)
