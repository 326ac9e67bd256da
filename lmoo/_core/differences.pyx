"""Compiled Jacobian strategies: the problem's own derivatives, and differences of its residual.

    J_j = (f(x + h e_j) - f(x)) / h,                   h = sqrt(eps) |x_j|      (MINPACK's fdjac2)
    J_j = (f(x + h e_j) - f(x - h e_j)) / (2 h),       h = cbrt(eps) |x_j|

with eps = max(epsfcn, 2^-52); see Dennis, Schnabel (1983), "Numerical methods for unconstrained
optimization and nonlinear equations", section 5.4, on the choice of h.  Where x + h e_j is a bad
point, x - h e_j is tried.
"""

from libc.math cimport cbrt, fabs, sqrt
from libc.string cimport memcpy

from lmoo._core.model cimport *
from lmoo._core.norms cimport all_zero

cdef double EPSMCH = 2.0**-52


cdef int analytic(lmoo_point *at, void *context) noexcept nogil:
    """The problem's own derivatives."""
    return at.jacobian(at)


cdef int differences(lmoo_point *at, void *context) noexcept nogil:
    """Forward or central differences; context: an lm_differences, read only."""
    cdef const lm_differences *d = <const lm_differences *>context
    cdef bint central = d.central or at.better and d.refines
    cdef double eps, root, h
    cdef ptrdiff_t j
    cdef int code
    if d.own:
        code = at.jacobian(at)
        if code != LMOO_NOT_PROVIDED:
            return code
    eps = max(d.epsfcn if d.epsfcn > 0.0 else at.precision, EPSMCH)
    root = cbrt(eps) if central else sqrt(eps)
    at.relative_error = eps / root if central else root
    memcpy(at.x_work, at.x, <size_t>at.n * sizeof(double))
    for j in range(at.n):
        h = root * _size(at, d, j)
        if h == 0.0:
            h = root
        code = _central(at, d, j, h) if central else _forward(at, d, j, h)
        if code != 0:
            return code
    return 0


cdef double _size(const lmoo_point *at, const lm_differences *d, ptrdiff_t j) noexcept nogil:
    """Size of parameter j, to which the step is relative; 0 where nothing is known."""
    cdef double size = fabs(at.x[j])
    cdef const lm_state *s = at.state
    if d.typical != NULL:
        return max(size, d.typical[j])
    if not d.nominal and s.models > 0 and s.model.acnorm[j] > 0.0:
        # At or near 0 a parameter's own size says nothing; this one changes f by its own size.
        size = max(size, min(s.base_fnorm / s.model.acnorm[j], 1.0))
    return size


cdef int _forward(lmoo_point *at, const lm_differences *d, ptrdiff_t j, double h) noexcept nogil:
    """One column by forward differences, by backward ones where x + h is bad."""
    cdef double step
    cdef double *x = at.x_work
    cdef double *column = at.fjac + j * at.m
    cdef ptrdiff_t i
    cdef int code
    x[j] = at.x[j] + h
    step = h if d.nominal else x[j] - at.x[j]
    code = at.residual(at, x, column)
    if code > 0:
        x[j] = at.x[j] - h
        step = -h if d.nominal else x[j] - at.x[j]
        code = at.residual(at, x, column)
    x[j] = at.x[j]
    if code != 0:
        return code
    for i in range(at.m):
        column[i] = (column[i] - at.f[i]) / step
    # Nothing moved: either f does not know this parameter, or x + h was lost beside a number
    # near 1 (x - 3 at x = 1e-9); the step that suits a parameter near 1 tells.
    if not d.nominal and d.typical == NULL and fabs(step) < 0.5 * sqrt(EPSMCH) \
            and all_zero(at.m, column):
        return _forward(at, d, j, sqrt(EPSMCH))
    return 0


cdef int _central(lmoo_point *at, const lm_differences *d, ptrdiff_t j, double h) noexcept nogil:
    """One column by central differences, one-sided where one of the sides is bad."""
    cdef const double *left = at.f_work
    cdef double step, lower = at.x[j] - h
    cdef double *x = at.x_work
    cdef double *column = at.fjac + j * at.m
    cdef ptrdiff_t i
    cdef int code
    x[j] = at.x[j] + h
    step = x[j]
    code = at.residual(at, x, column)
    if code < 0:
        return code
    if code > 0:
        memcpy(column, at.f, <size_t>at.m * sizeof(double))
        step = at.x[j]
    x[j] = lower
    code = at.residual(at, x, at.f_work)
    x[j] = at.x[j]
    if code < 0:
        return code
    if code > 0:
        left = at.f
        lower = at.x[j]
    step -= lower
    if step == 0.0:
        return LMOO_BAD_POINT
    for i in range(at.m):
        column[i] = (column[i] - left[i]) / step
    if d.typical == NULL and h < 0.5 * cbrt(EPSMCH) and all_zero(at.m, column):
        return _central(at, d, j, cbrt(EPSMCH))
    return 0
