"""Jacobian strategies as objects: compiled ones, and those that call Python."""

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.string cimport memcpy

import numpy as np

cimport numpy as cnp

from lmoo._core.evaluate cimport analytic, differences
from lmoo._core.model cimport *

cnp.import_array()

ctypedef int (*evaluate_function)(lmoo_point *point, void *context) noexcept nogil


cdef class Derivatives:
    """Base: one strategy, bound to one problem, as a table that the driver calls.

    Attributes
    ----------
    noise : float
        Relative error of the residual, where the user told it.
    """

    cdef int attach(self, Source fun, object out) except -1:
        """Get to know the solve: the problem, and the (n, m) array that is the Jacobian's buffer."""
        return 0


cdef class Differences(Derivatives):
    """Forward or central differences of the residual, see evaluate/differences.pxi; shared by all solves.

    Parameters
    ----------
    use_jacobian : bool
        The problem's own Jacobian instead, where it has one.
    central : bool
    epsfcn : float
        Relative error of the residual; 0 stands for the precision in which it comes.
    typical : (n,) float64 array or None
        |x_j| is taken to be at least this; None lets the linear model tell.
    minpack_compatible : bool
        Step and divide exactly as MINPACK does.
    can_refine : bool
        Forward differences may be followed by central ones.
    """

    def __cinit__(self, bint use_jacobian, bint central, double epsfcn, typical, bint minpack_compatible,
                  bint can_refine):
        cdef const double[::1] sizes
        self.noise = self.options.epsfcn = epsfcn
        self.options.use_jacobian, self.options.central = use_jacobian, central
        self.options.minpack_compatible, self.options.refines = minpack_compatible, can_refine
        if typical is not None:
            self.typical = sizes = typical
            self.options.typical = &sizes[0]
        self.table.size = sizeof(lmoo_jacobian)
        self.table.context = &self.options
        self.table.evaluate = differences
        self.table.refines = can_refine


cdef class OwnJacobian(Derivatives):
    """The Jacobian of a compiled problem."""

    def __cinit__(self):
        self.table.size = sizeof(lmoo_jacobian)
        self.table.evaluate = analytic


cdef class Foreign(Derivatives):
    """A strategy that is a C table, in a capsule named "lmoo_jacobian"."""

    def __cinit__(self, capsule):
        self.capsule = capsule
        cdef const lmoo_jacobian *table = <const lmoo_jacobian *>PyCapsule_GetPointer(
            capsule, b"lmoo_jacobian")
        memcpy(&self.table, table, min(table.size, sizeof(lmoo_jacobian)))
        self.table.size = sizeof(lmoo_jacobian)


cdef int _call_strategy(lmoo_point *at, void *context) except -1 with gil:
    """lmoo_jacobian.evaluate of a strategy in Python."""
    return (<Called>context).fill(at)


cdef class Called(Derivatives):
    """Base of the strategies that call Python; each belongs to one solve."""

    def __cinit__(self, *args):
        self.table.size = sizeof(lmoo_jacobian)
        self.table.context = <void *>self
        # The driver takes -1 for an exception that is set.
        self.table.evaluate = <evaluate_function><void *>_call_strategy

    cdef int attach(self, Source fun, object out) except -1:
        self.fun, self.out = fun, out.T
        return 0

    cdef int fill(self, lmoo_point *at) except -1:
        raise NotImplementedError

    cdef int refuse(self, lmoo_point *at, error) except -1:
        """The user has no derivatives at this point."""
        code = getattr(error, "code", None)
        if code is not None and code < 0:
            raise error
        self.fun.refusal = error if at.state.models == 0 else None
        return LMOO_BAD_POINT


cdef class Rows(Called):
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

    cdef int fill(self, lmoo_point *at) except -1:
        # The last one is not needed any more, and there need not be two.
        self.array = None
        cdef object array = self.matrix(at)
        if array is None:
            return LMOO_BAD_POINT
        if not (at.takes_rows and self.lend(at, array)):
            self.out[...] = array
        return 0

    cdef object matrix(self, lmoo_point *at):
        """The Jacobian, (m, n), where the callable put it; None at a bad point."""
        cdef ptrdiff_t m = self.fun.table.m     # at.m, but for rows of zeros behind them
        cdef tuple shape = (at.n, m) if self.columns else (m, at.n)
        try:
            value = self.func(own_vector(at.n, at.x), *self.args, **self.kwargs)
        except self.bad_point as error:
            self.refuse(at, error)
            return None
        array = self.checked(value, shape)
        return array.T if self.columns else array

    cdef bint lend(self, lmoo_point *at, array) except -1:
        """Let the driver read the (m, n) array where it lies; False where it cannot."""
        cdef cnp.ndarray rows = array
        if array.dtype != np.float64 or not (array.flags.aligned and array.dtype.isnative):
            return False
        if any(stride % 8 for stride in array.strides):
            return False
        self.array = rows
        at.rows = <const double *>cnp.PyArray_DATA(rows)
        at.row_stride, at.column_stride = array.strides[0] // 8, array.strides[1] // 8
        return True

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


cdef class Custom(Called):
    """A strategy written in Python: ``func(x, f, out)`` returns the evaluations it cost, or None.

    relative_error is that of the entries it writes, 0 where they are as good as the residual.
    """

    def __cinit__(self, func, bad_point, double relative_error):
        self.func, self.bad_point, self.relative_error = func, bad_point, relative_error

    cdef int fill(self, lmoo_point *at) except -1:
        # The count is the driver's; this strategy is asked on its behalf.
        cdef lm_state *s = <lm_state *>at.state
        # What is not written must not pass for a derivative.
        self.out.fill(np.nan)
        refusal = None
        try:
            cost = self.func(own_vector(at.n, at.x), own_vector(self.fun.table.m, at.f), self.out)
        except self.bad_point as error:
            refusal, cost = error, getattr(error, "evaluations", 0)
        # Added to a count that the solve stops by: a wrong one may keep it from ending.
        evaluations = 0 if cost is None else int(cost)
        if not 0 <= evaluations <= 2**53:
            raise ValueError(
                "evaluate must return the number of evaluations of the residual that it made, or "
                f"None for 0; it told {cost!r}")
        s.nfev += evaluations
        if refusal is not None:
            return self.refuse(at, refusal)
        at.relative_error = self.relative_error
        return 0
