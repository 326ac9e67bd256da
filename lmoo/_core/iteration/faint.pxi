"""Columns of an exact Jacobian at x0 that may consist of rounding errors.

The angle of an ellipse has no effect where both axes are equal.  The terms of its derivative cancel, and rounding errors
are left of them: a column of 1e-16 |f|.  With this D_j the first step would change the angle by 1e15.  A column is faint
if x_j has to change by very many times its size to change f by |f|.  An offset that starts near 0 has such a column, too.
What it is shows the point at which the model predicts this change: if |f| stays as it is, the column is error, and the
parameter is left out while its column is faint.

Differences need no such point: the intervals that are tried for them are lengthened until f changes.
"""

from libc.math cimport fabs

from lmoo._core.model cimport *
from lmoo._core.norms cimport copy

# Largest effect of a change of x_j by its size, in units of the rounding error of f, at which a column may be error: the
# terms that cancel can be larger than f by this factor.
cdef double LARGEST_TERMS = 1e4
# Least change of |f|^2 that confirms a column, relative to the predicted one.
cdef double CONFIRMS = 0.01


cdef int faint_look(lm_state *s, ptrdiff_t j) noexcept nogil:
    """Request f at the point that shows what the faint column j or the next one is; after the last one process J."""
    if s.examined:
        return _new_model(s)
    if s.n <= MOST_PARAMETERS and s.options.tests == LM_TESTS_ACCURATE and not s.options.user_scale:
        while j < s.n and s.nfev + 1 < s.options.maxfev:
            if is_faint(s, j, s.acnorm[j]) and _change_f_by_its_size(s, j):
                s.probe = PROBED + 1 + (1 + POINTS) * <int>s.n + <int>j
                return LM_RESIDUAL
            j += 1
    s.probe = 0
    s.examined = 1
    for j in range(s.n):
        if s.length[j] == FAINT:
            return LM_LINEARIZE
    return _new_model(s)


cdef bint is_faint(const lm_state *s, ptrdiff_t j, double norm) noexcept nogil:
    """Return whether column j, of this norm, is exact and may consist of rounding errors."""
    cdef double size = fabs(s.x[j]) if s.x[j] != 0.0 else 1.0
    return s.interval[j] == 0.0 and 0.0 < norm * size <= LARGEST_TERMS * EPSMCH * s.fnorm


cdef bint _change_f_by_its_size(lm_state *s, ptrdiff_t j) noexcept nogil:
    """Move parameter j alone so that the model predicts growth of |f|^2 by |f|^2 or more; return False if it is fixed.

    The predicted growth is put into probes.
    """
    cdef double way, share
    s.linear.gradient(s.model, NULL, s.fnorm, s.wa1)
    way = s.fnorm / s.acnorm[j] if s.wa1[j] >= 0.0 else -s.fnorm / s.acnorm[j]
    copy(s.n, s.x, s.trial)
    _change(s, j, s.x[j] + way)
    share = (s.trial[j] - s.x[j]) / way
    s.probes[0] = share * (2.0 * fabs(s.wa1[j] / s.acnorm[j]) + share)
    return share > 0.0


cdef int faint_answer(lm_state *s, int answer) noexcept nogil:
    """Process |f| at this point."""
    cdef ptrdiff_t j = s.probe - PROBED - 1 - (1 + POINTS) * s.n
    if answer != ANSWER_BAD and fabs(_growth(s)) < CONFIRMS * s.probes[0]:
        s.length[j] = FAINT
    return faint_look(s, j + 1)
