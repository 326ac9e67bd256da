"""The secant step: the sum of the Gauss-Newton steps that remain, as far as the last move shows them.

Near a minimum x* the Gauss-Newton step is p(x) = -(I - M) (x - x*) up to terms of second order, where

   M = -(J^T J)^-1 sum f_i f_i''

multiplies the distance from x* in each step.  With the last move dx, of any kind, and the difference dp of the
Gauss-Newton steps at its ends, M dx = dx + dp, and the secant step is

   p - c (dx + dp),     c = argmin |N (p - c dp)|,

where N contains the current norms of the columns of J.  Anderson (1965), "Iterative procedures for nonlinear integral
equations", J. ACM 12, with one difference; in one dimension this is Aitken's method.

   (I - M)^-1 (M (p - c dp) + c e)

remains after it, where e is the error of M dx.  This error is measured.  The reduction of a quadratic function is the
mean of the slopes at both ends; a cubic term changes their difference by a third of what it changes the slope at the
end, which shows M.  The secant step is taken if less is expected to remain after it than after the Gauss-Newton step
and than before it.  Its reduction is minus its slope, as for any step to the minimum of a quadratic function.

If the radius limits the step, Gauss-Newton steps may overshoot, by M with an eigenvalue below -1; the secant step does
not, and is taken if it is within the radius.
"""

from libc.math cimport fabs, sqrt

from lmoo._core.model cimport *
from lmoo._core.norms cimport copy, scaled_norm

# Largest rate of contraction that is relied on: with a larger one the sum is too long for the accuracy of the rate.
cdef double FASTEST = 0.95


cdef void secant_extrapolate(lm_state *s) noexcept nogil:
    """Replace s.step by the secant step if that is within the radius and expected to be better.

    A step that the radius limits is replaced only near a minimum.  Uses wa1, wa2 and acceleration.
    """
    cdef double *newton = s.acceleration
    cdef double share, remainder, prered = s.prered, dirder = s.dirder
    cdef bint known = s.known_newton
    cdef ptrdiff_t j
    if s.newton:
        copy(s.n, s.step, newton)
    else:
        damped(s, 0.0, newton)
    for j in range(s.n):
        s.wa1[j] = newton[j] - s.newton_step[j]
        s.newton_step[j] = newton[j]
    s.known_newton = 1
    s.secant_error = _secant_error(s) if known else 1.0
    if known and (s.newton or s.offset <= LARGE_REDUCTION) and _secant(s, newton, &share, &remainder):
        for j in range(s.n):
            newton[j] -= share * s.wa2[j]
        predict(s, newton, False)
        if s.dirder < 0.0 and (s.newton or scaled_norm(s.n, s.diag, newton, s.wa2) <= s.delta):
            copy(s.n, newton, s.step)
            s.prered = -s.dirder
            s.newton, s.par = 1, 0.0
            s.extrapolated = 1
            s.remainder = remainder / _norm(s, s.step)
            return
    s.prered, s.dirder = prered, dirder


cdef double _secant_error(lm_state *s) noexcept nogil:
    """Return the error of M dx over |N dx|; that of the move before, which was longer, if noise hides it."""
    cdef double cubic, square
    predict(s, s.last_step, True)
    cubic = fabs(s.last_actred + s.last_dirder + s.dirder)
    square = -(s.prered + 2.0 * s.dirder)
    if cubic <= s.noise:
        return s.secant_error
    return 3.0 * cubic / square if square > 0.0 else 1.0


cdef bint _secant(lm_state *s, const double *p, double *share, double *remainder) noexcept nogil:
    """Compute c, what remains after the secant step, and M dx in wa2; return False if the Gauss-Newton step is better.

    p: the Gauss-Newton step, n doubles, read only.  wa1: dp, overwritten
    """
    cdef double moved = 0.0, change = 0.0, along = 0.0, turned = 0.0, size = 0.0, rest = 0.0, error = 0.0
    cdef double rate, left, step, last, dp
    cdef ptrdiff_t j
    for j in range(s.n):
        step, last, dp = s.free_norms[j] * p[j], s.free_norms[j] * s.last_step[j], s.free_norms[j] * s.wa1[j]
        moved += last * last
        change += dp * dp
        size += step * step
        along += step * dp
        turned += last * dp
    moved, change = sqrt(moved), sqrt(change)
    if not (moved > 0.0 and change > 0.0):
        return False
    share[0] = along / change / change
    left = -turned / moved / moved
    for j in range(s.n):
        s.wa2[j] = s.last_step[j] + s.wa1[j]
        s.wa1[j] = p[j] - share[0] * s.wa1[j]
        last, step = s.free_norms[j] * s.wa2[j], s.free_norms[j] * s.wa1[j]
        error += last * last
        rest += step * step
    rate = sqrt(error) / moved
    remainder[0] = rate * sqrt(rest) + fabs(share[0]) * s.secant_error * moved
    if not remainder[0] < min(rate, 1.0) * sqrt(size):
        return False
    remainder[0] /= max(left, 1.0 - FASTEST)
    s.linear_rate = min(rate + s.secant_error, FASTEST)
    return True


cdef double _norm(const lm_state *s, const double *p) noexcept nogil:
    """Return |N p|."""
    cdef double total = 0.0
    cdef ptrdiff_t j
    for j in range(s.n):
        total += s.free_norms[j] * p[j] * (s.free_norms[j] * p[j])
    return sqrt(total)
