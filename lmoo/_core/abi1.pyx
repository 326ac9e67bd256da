"""The compiled interface, version 1: problems in compiled code, and lmoo's functions as a table."""

from cpython.pycapsule cimport PyCapsule_New
from libc.stdlib cimport calloc, free

import numpy as np

from lmoo._core.signatures import ClassSignature

from lmoo._core cimport evaluate, fold as folding, iteration, linalg
from lmoo._core.norms cimport column_norms, enorm
from lmoo._core.model cimport *

from lmoo.errors import EvaluationError


# What the table's functions are given is the problem itself: as an argument, it needs no GIL.

cdef int _residual(ptrdiff_t m, ptrdiff_t n, const double *x, double *fvec,
                   CompiledProblem self) noexcept nogil:
    return self.c_residual(x, fvec)


cdef int _jacobian(ptrdiff_t m, ptrdiff_t n, const double *x, double *fjac,
                   CompiledProblem self) noexcept nogil:
    return self.c_jacobian(x, fjac)


cdef int _both(ptrdiff_t m, ptrdiff_t n, const double *x, double *fvec, double *fjac,
               CompiledProblem self) noexcept nogil:
    return self.c_both(x, fvec, fjac)


cdef class CompiledProblem:
    """Base of problems in compiled code, to be subclassed in Cython.

    Override ``c_residual``, and ``c_jacobian`` where the derivatives are known (or ``c_both``, which
    does both at once)::

        from lmoo.capi cimport CompiledProblem

        cdef class Decay(CompiledProblem):
            cdef int c_residual(self, const double *x, double *fvec) noexcept nogil: ...
            cdef int c_jacobian(self, const double *x, double *fjac) noexcept nogil: ...

    Each returns 0, a positive number where x is a bad point, a negative one to end the solve with
    `EvaluationError`.  fjac is column-major: fjac[i + j * m] is the derivative of residual i by
    parameter j.  They run without the GIL, and at once in several threads where several solve the
    same problem.

    Parameters
    ----------
    m, n : int
        Numbers of residuals and of parameters, m >= n >= 1.

    Attributes
    ----------
    m, n : int
    provides_jacobian : bool
        Whether the problem has derivatives of its own.
    """

    # Names for reports; a subclass may have its own.
    parameter_names = None
    __signature__ = ClassSignature("m", "n")

    def __cinit__(self, *args, **kwargs):
        self.table = <lmoo_problem *>calloc(1, sizeof(lmoo_problem))
        if self.table == NULL:
            raise MemoryError()
        self.table.size = sizeof(lmoo_problem)
        self.table.user_data = <void *>self
        self.table.residual = <lmoo_residual_function><void *>_residual

    def __init__(self, m, n):
        for name, value in (("m", m), ("n", n)):
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
                raise TypeError(f"{name} must be an integer; it is {value!r}")
        if not m >= n >= 1:
            raise ValueError(f"m must be at least n, and n at least 1; m is {m}, n is {n}")
        self.m, self.n = m, n
        self.table.m, self.table.n = m, n
        # Before __init__ the methods are still this class's own.
        if <void *>self.c_jacobian != <void *>CompiledProblem.c_jacobian:
            self.table.jacobian = <lmoo_jacobian_function><void *>_jacobian
        if <void *>self.c_both != <void *>CompiledProblem.c_both:
            self.table.both = <lmoo_both_function><void *>_both

    def __dealloc__(self):
        free(self.table)

    cdef int c_residual(self, const double *x, double *fvec) noexcept nogil:
        return LMOO_NOT_PROVIDED

    cdef int c_jacobian(self, const double *x, double *fjac) noexcept nogil:
        return LMOO_NOT_PROVIDED

    cdef int c_both(self, const double *x, double *fvec, double *fjac) noexcept nogil:
        return LMOO_NOT_PROVIDED

    cdef int c_reserved1(self, void *argument) noexcept nogil:
        return LMOO_NOT_PROVIDED

    cdef int c_reserved2(self, void *argument) noexcept nogil:
        return LMOO_NOT_PROVIDED

    cdef int c_reserved3(self, void *argument) noexcept nogil:
        return LMOO_NOT_PROVIDED

    cdef int c_reserved4(self, void *argument) noexcept nogil:
        return LMOO_NOT_PROVIDED

    @property
    def provides_jacobian(self):
        return self.table.jacobian != NULL or self.table.both != NULL

    def residual(self, x):
        """Return the m residuals at x, a float64 array; `EvaluationError` at a bad point."""
        cdef const double[::1] point = self._point(x)
        cdef double[::1] f = np.empty(self.m)
        cdef int code
        with nogil:
            code = self.table.residual(self.m, self.n, &point[0], &f[0], self.table.user_data)
        self._check(code, "residual")
        return np.asarray(f)

    def jacobian(self, x):
        """Return the derivatives at x, (m, n), Fortran-ordered; `EvaluationError` at a bad point."""
        cdef const double[::1] point = self._point(x)
        cdef double[::1] f
        cdef double[:, ::1] columns = np.empty((self.n, self.m))
        cdef int code = LMOO_NOT_PROVIDED
        cdef const lmoo_problem *p = <const lmoo_problem *>self.table
        if p.jacobian != NULL:
            with nogil:
                code = p.jacobian(self.m, self.n, &point[0], &columns[0, 0], p.user_data)
        elif p.both != NULL:
            f = np.empty(self.m)
            with nogil:
                code = p.both(self.m, self.n, &point[0], &f[0], &columns[0, 0], p.user_data)
        self._check(code, "jacobian")
        return np.asarray(columns).T

    def _point(self, x):
        if self.m == 0:
            raise TypeError(f"{type(self).__name__} must call super().__init__(m, n)")
        point = np.array(x, dtype=np.float64)
        if point.shape != (self.n,):
            raise ValueError(f"x must have shape ({self.n},); it has {point.shape}")
        return point

    def _check(self, int code, str name):
        if code == LMOO_NOT_PROVIDED:
            raise NotImplementedError(f"{type(self).__name__} provides no {name}")
        if code != 0:
            error = EvaluationError(f"{name} returned {code}")
            error.code = code
            raise error


cdef lmoo_api API
API.size = sizeof(lmoo_api)
API.version = LMOO_API_VERSION
API.state_bytes = iteration.lm_state_bytes
API.attach = iteration.lm_attach
API.start = iteration.lm_start
API.advance = iteration.lm_advance
API.residual = iteration.lm_residual
API.linearize = evaluate.lm_linearize
API.linearized = iteration.lm_linearized
API.curved = iteration.lm_curved
API.stepped = iteration.lm_stepped
API.refuse = iteration.lm_refuse
API.stop = iteration.lm_stop
API.default_options = evaluate.default_options
API.predict = iteration.predict
API.predict_damped = iteration.predict_damped
API.damped = iteration.damped
API.within = iteration.step_within
API.vector = evaluate.lm_vector
API.number = evaluate.lm_number
API.count = evaluate.lm_count
API.flag = evaluate.lm_flag
API.more = &iteration.MORE
API.nielsen = &iteration.NIELSEN
API.geodesic = &iteration.GEODESIC
API.enorm = enorm
API.column_norms = column_norms
API.qrfac = linalg.qrfac
API.qrsolv = linalg.qrsolv
API.lmpar = linalg.lmpar
API.fold_work_bytes = folding.fold_work_bytes
API.fold = folding.fold
API.pivot_triangle = folding.pivot_triangle
API.work_bytes = evaluate.work_bytes
API.solve = evaluate.solve_compiled
API.analytic = &evaluate.ANALYTIC
API.forward = &evaluate.FORWARD_DIFFERENCES
API.central = &evaluate.CENTRAL_DIFFERENCES
API.minpack_forward = &evaluate.MINPACK_DIFFERENCES

_api = PyCapsule_New(&API, b"lmoo._core.abi1._api", NULL)
