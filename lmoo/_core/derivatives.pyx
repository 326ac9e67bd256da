"""Ways to fill the Jacobian buffer: m x n, column-major.

``fill`` returns 0, or 1 where the derivatives cannot be had at this point; entries that are not
finite are found by the factorisation that follows.  Evaluations are counted by the residual.
"""

from libc.math cimport cbrt, fabs, sqrt
from libc.string cimport memcpy

import numpy as np

cimport numpy as cnp

from lmoo._core.model cimport lm_state
from lmoo._core.norms cimport all_zero
from lmoo._core.residual cimport Residual, own_vector

cnp.import_array()

cdef double EPSMCH = 2.0**-52


cdef class Derivatives:
    """Base: one strategy, bound to one problem; it holds nothing of a solve."""

    cdef int fill(self, Residual fun, const lm_state *s, const double *f, double *fjac, object out,
                  double *x, double *spare, bint better) except -1:
        """Derivatives at s.x.

        f: m doubles, f(s.x).  fjac: m x n, column-major, the memory of out, an (m, n) array.
        x, spare: n and m doubles of work space.  better: the iteration asks for the best there is.
        """
        raise NotImplementedError

    cdef double error(self, Residual fun, bint refined) noexcept:
        """Relative error of a column of J, from rounding and from the method."""
        return max(fun.eps, self.noise)


cdef class Differences(Derivatives):
    """Forward or central differences of the residual.

    J_j = (f(x + h e_j) - f(x)) / h,                   h = sqrt(eps) |x_j|      (MINPACK's fdjac2)
    J_j = (f(x + h e_j) - f(x - h e_j)) / (2 h),       h = cbrt(eps) |x_j|

    with eps = max(epsfcn, 2^-52); see Dennis, Schnabel (1983), section 5.4, on the choice of h.

    Parameters
    ----------
    central : bool
    epsfcn : float
        Relative error of the residual; 0 stands for the precision in which it comes.
    typical : (n,) float64 array or None
        |x_j| is taken to be at least this; None lets the linear model tell.
    nominal : bool
        Step and divide exactly as MINPACK does.
    can_refine : bool
        Forward differences may be followed by central ones.
    """

    def __cinit__(self, bint central, double epsfcn, typical, bint nominal, bint can_refine):
        self.central, self.noise, self.typical = central, epsfcn, typical
        self.nominal, self.can_refine = nominal, can_refine

    cdef int fill(self, Residual fun, const lm_state *s, const double *f, double *fjac, object out,
                  double *x, double *spare, bint better) except -1:
        cdef ptrdiff_t j, n = s.n, m = fun.m
        cdef double eps = max(self.noise if self.noise > 0.0 else fun.eps, EPSMCH)
        cdef bint central = self.central or better and self.can_refine
        cdef double root = cbrt(eps) if central else sqrt(eps)
        cdef double h
        cdef int bad
        memcpy(x, s.x, <size_t>n * sizeof(double))
        for j in range(n):
            h = root * self.scale(s, j)
            if h == 0.0:
                h = root
            if central:
                bad = self.central_column(fun, s, f, fjac + j * m, x, spare, j, h)
            else:
                bad = self.forward_column(fun, s, f, fjac + j * m, x, j, h)
            if bad:
                return 1
        return 0

    cdef double error(self, Residual fun, bint refined) noexcept:
        cdef double eps = max(self.noise if self.noise > 0.0 else fun.eps, EPSMCH)
        return eps / cbrt(eps) if self.central or refined else sqrt(eps)

    cdef double scale(self, const lm_state *s, ptrdiff_t j) noexcept:
        """Size of parameter j, to which the step is relative; 0 where nothing is known."""
        cdef double size = fabs(s.x[j])
        if self.typical is not None:
            return max(size, <double>self.typical[j])
        if not self.nominal and s.models > 0 and s.model.acnorm[j] > 0.0:
            # At or near 0 a parameter's own size says nothing; this one changes f by its own size.
            size = max(size, min(s.base_fnorm / s.model.acnorm[j], 1.0))
        return size

    cdef int forward_column(self, Residual fun, const lm_state *s, const double *f, double *column,
                            double *x, ptrdiff_t j, double h) except -1:
        """One column by forward differences, by backward ones where x + h is bad."""
        cdef double step
        cdef ptrdiff_t i
        x[j] = s.x[j] + h
        step = h if self.nominal else x[j] - s.x[j]
        if fun.evaluate(s.n, x, column):
            x[j] = s.x[j] - h
            step = -h if self.nominal else x[j] - s.x[j]
            if fun.evaluate(s.n, x, column):
                x[j] = s.x[j]
                return 1
        x[j] = s.x[j]
        for i in range(fun.m):
            column[i] = (column[i] - f[i]) / step
        # Nothing moved: either f does not know this parameter, or x + h was lost beside a number
        # near 1 (x - 3 at x = 1e-9); the step that suits a parameter near 1 tells.
        if not self.nominal and self.typical is None and fabs(step) < 0.5 * sqrt(EPSMCH) \
                and all_zero(fun.m, column):
            return self.forward_column(fun, s, f, column, x, j, sqrt(EPSMCH))
        return 0

    cdef int central_column(self, Residual fun, const lm_state *s, const double *f, double *column,
                            double *x, double *other, ptrdiff_t j, double h) except -1:
        """One column by central differences, one-sided where one of the sides is bad."""
        cdef const double *left = other
        cdef double step, lower = s.x[j] - h
        cdef ptrdiff_t i
        x[j] = s.x[j] + h
        step = x[j]
        if fun.evaluate(s.n, x, column):
            memcpy(column, f, <size_t>fun.m * sizeof(double))
            step = s.x[j]
        x[j] = lower
        if fun.evaluate(s.n, x, other):
            left = f
            lower = s.x[j]
        x[j] = s.x[j]
        step -= lower
        if step == 0.0:
            return 1
        for i in range(fun.m):
            column[i] = (column[i] - left[i]) / step
        if self.typical is None and h < 0.5 * cbrt(EPSMCH) and all_zero(fun.m, column):
            return self.central_column(fun, s, f, column, x, other, j, cbrt(EPSMCH))
        return 0


cdef class Rows(Derivatives):
    """A callable that returns the Jacobian: (m, n), or (n, m) with columns=True.

    Parameters
    ----------
    func : callable
        ``func(x, *args, **kwargs)``.
    args, kwargs : tuple, dict
    name : str
        What messages call it.
    columns : bool
        The array has a row a parameter, which is the layout of the buffer.
    bad_point : type
        The exception that says that x cannot be evaluated.
    """

    def __cinit__(self, func, tuple args, dict kwargs, str name, bint columns, bad_point):
        self.func, self.args, self.kwargs, self.name = func, args, kwargs, name
        self.columns, self.bad_point = columns, bad_point

    cdef int fill(self, Residual fun, const lm_state *s, const double *f, double *fjac, object out,
                  double *x, double *spare, bint better) except -1:
        cdef ptrdiff_t n = s.n
        cdef tuple shape = (n, fun.m) if self.columns else (fun.m, n)
        try:
            value = self.func(own_vector(s.n, s.x), *self.args, **self.kwargs)
        except self.bad_point as error:
            fun.refusal = error if s.models == 0 else None
            return 1
        array = self.checked(value, shape)
        if self.columns:
            out.T[...] = array
        else:
            out[...] = array
        return 0

    def checked(self, value, tuple shape):
        """Return value as an array of this shape; TypeError that shows both where it is not."""
        expected = f"{self.name} must return a real array of shape {shape}"
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise TypeError(f"{expected}; what it returned is no array: {error}") from error
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{expected}; it returned dtype {array.dtype}")
        if array.ndim == 1 and array.size == max(shape) and min(shape) == 1:
            array = array.reshape(shape)
        if array.shape != shape:
            hint = "; it is transposed" if array.shape == shape[::-1] else ""
            raise TypeError(f"{expected}; it returned shape {array.shape}{hint}")
        return array


cdef class Custom(Derivatives):
    """A strategy written in Python: ``func(x, f, out)`` returns the evaluations it cost, or None.

    relative_error is that of the entries it writes, 0 where they are as good as the residual.
    """

    def __cinit__(self, func, bad_point, double relative_error):
        self.func, self.bad_point, self.relative_error = func, bad_point, relative_error

    cdef int fill(self, Residual fun, const lm_state *s, const double *f, double *fjac, object out,
                  double *x, double *spare, bint better) except -1:
        # What is not written must not pass for a derivative.
        out.fill(np.nan)
        try:
            cost = self.func(own_vector(s.n, s.x), own_vector(fun.m, f), out)
        except self.bad_point as error:
            fun.nfev += int(getattr(error, "evaluations", 0))
            fun.refusal = error if s.models == 0 else None
            return 1
        if cost is not None:
            fun.nfev += int(cost)
        return 0

    cdef double error(self, Residual fun, bint refined) noexcept:
        return max(fun.eps, self.relative_error)
