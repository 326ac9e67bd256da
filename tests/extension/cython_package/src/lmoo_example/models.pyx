# cython: language_level=3, boundscheck=False, wraparound=False
"""Models for lmoo in Cython: problems, a Jacobian strategy, a step strategy, a driver."""

from cpython.pycapsule cimport PyCapsule_New
from libc.math cimport exp, sqrt
from libc.stdlib cimport free, malloc

import numpy as np

from lmoo.capi cimport *


# Where the installed lmoo is of another kind than the one compiled for: an ImportError, here.
cdef const lmoo_api *LMOO = lmoo_import()


cdef class Decay(CompiledProblem):
    """a exp(-b t) + c, with its derivatives."""

    cdef double[::1] t, y
    cdef public int answer      # what c_residual returns where b is negative

    def __init__(self, t, y):
        super().__init__(m=t.shape[0], n=3)
        self.t, self.y = t, y
        self.answer = LMOO_BAD_POINT

    cdef int c_residual(self, const double *x, double *fvec) noexcept nogil:
        cdef ptrdiff_t i
        if x[1] < 0.0:
            return self.answer
        for i in range(self.m):
            fvec[i] = x[0] * exp(-x[1] * self.t[i]) + x[2] - self.y[i]
        return LMOO_GOOD

    cdef int c_jacobian(self, const double *x, double *fjac) noexcept nogil:
        cdef ptrdiff_t i, m = self.m
        for i in range(m):
            fjac[i] = exp(-x[1] * self.t[i])
            fjac[i + m] = -x[0] * self.t[i] * fjac[i]
            fjac[i + 2 * m] = 1.0
        return LMOO_GOOD

    def __reduce__(self):
        return Decay, (np.asarray(self.t), np.asarray(self.y))


cdef class DecayWithoutJacobian(CompiledProblem):
    """The same, the derivatives being left to differences."""

    cdef double[::1] t, y

    def __init__(self, t, y):
        super().__init__(m=t.shape[0], n=3)
        self.t, self.y = t, y

    cdef int c_residual(self, const double *x, double *fvec) noexcept nogil:
        cdef ptrdiff_t i
        for i in range(self.m):
            fvec[i] = x[0] * exp(-x[1] * self.t[i]) + x[2] - self.y[i]
        return LMOO_GOOD


cdef class DecayBoth(DecayWithoutJacobian):
    """The same, f and J together."""

    cdef int c_both(self, const double *x, double *fvec, double *fjac) noexcept nogil:
        cdef ptrdiff_t i, m = self.m
        for i in range(m):
            fjac[i] = exp(-x[1] * self.t[i])
            fjac[i + m] = -x[0] * self.t[i] * fjac[i]
            fjac[i + 2 * m] = 1.0
            fvec[i] = x[0] * fjac[i] + x[2] - self.y[i]
        return LMOO_GOOD


cdef class Empty(CompiledProblem):
    """Overrides nothing."""


# ---- strategies as C tables -----------------------------------------------------------------

cdef int _one_sided(lmoo_point *at, void *context) noexcept nogil:
    """Forward differences with a step of 1e-7 times the context's double."""
    cdef double h = 1e-7 * (<double *>context)[0]
    cdef ptrdiff_t i, j
    cdef int code
    for j in range(at.n):
        at.x_work[j] = at.x[j]
    for j in range(at.n):
        at.x_work[j] = at.x[j] + h
        code = at.residual(at, at.x_work, at.fjac + j * at.m)
        if code != 0:
            return code
        at.x_work[j] = at.x[j]
        for i in range(at.m):
            at.fjac[i + j * at.m] = (at.fjac[i + j * at.m] - at.f[i]) / h
    at.relative_error = 1e-7
    return 0

cdef double scale = 1.0
cdef lmoo_jacobian one_sided_table
one_sided_table.size = sizeof(lmoo_jacobian)
one_sided_table.context = &scale
one_sided_table.evaluate = _one_sided
one_sided_table.refines = 0
one_sided = PyCapsule_New(&one_sided_table, b"lmoo_jacobian", NULL)


cdef void _begin(lm_state *s, void *context) noexcept nogil:
    LMOO.vector(s, LMOO_MEMORY)[0] = 1e-3

cdef int _propose(lm_state *s, void *context) noexcept nogil:
    """Marquardt's own: lambda down by ten after a good step, up by ten after a bad one."""
    cdef double par = 0.0 if LMOO.flag(s, LMOO_BELOW_NOISE)[0] else LMOO.vector(s, LMOO_MEMORY)[0]
    cdef double *step = LMOO.vector(s, LMOO_STEP)
    LMOO.damped(s, par, step)
    LMOO.predict_damped(s, step, par)
    LMOO.number(s, LMOO_PAR)[0] = par
    LMOO.flag(s, LMOO_NEWTON)[0] = par < 1e-10
    return LM_RESIDUAL

cdef void _update(lm_state *s, void *context) noexcept nogil:
    cdef bint good = LMOO.number(s, LMOO_RATIO)[0] > 1e-4
    LMOO.vector(s, LMOO_MEMORY)[0] *= 0.1 if good else 10.0
    LMOO.number(s, LMOO_DELTA)[0] = LMOO.number(s, LMOO_PNORM)[0] * (1.0 if good else 0.5)

cdef void _refused(lm_state *s, void *context) noexcept nogil:
    LMOO.vector(s, LMOO_MEMORY)[0] *= 10.0

cdef lmoo_step marquardt_table
marquardt_table.size = sizeof(lmoo_step)
marquardt_table.context = NULL
marquardt_table.begin = _begin
marquardt_table.propose = _propose
marquardt_table.update = _update
marquardt_table.refused = _refused
marquardt_table.wants_curvature = 0
marquardt = PyCapsule_New(&marquardt_table, b"lmoo_step", NULL)


# ---- a driver of one's own ------------------------------------------------------------------

cdef void _rosenbrock(const double *x, double *f) noexcept nogil:
    f[0] = 10.0 * (x[1] - x[0] * x[0])
    f[1] = 1.0 - x[0]


def solve_by_hand(double[::1] x0):
    """Rosenbrock's function, the iteration's requests being answered here."""
    cdef lm_options options
    cdef double f[2]
    cdef double a[4]
    cdef const double *x
    cdef lm_state *s = <lm_state *>malloc(LMOO.state_bytes(2, False, True))
    cdef int request
    if s == NULL:
        raise MemoryError()
    options.size = sizeof(lm_options)
    LMOO.default_options(&options, 2)
    LMOO.start(s, 2, &options, &x0[0], NULL)
    request = LMOO.advance(s)
    while request != LM_DONE:
        if request == LM_RESIDUAL:
            _rosenbrock(LMOO.vector(s, LMOO_TRIAL), f)
            LMOO.count(s, LMOO_NFEV)[0] += 1
            LMOO.residual(s, sqrt(f[0] * f[0] + f[1] * f[1]))
        elif request == LM_LINEARIZE or request == LM_REFINE:
            x = LMOO.vector(s, LMOO_X)
            _rosenbrock(x, f)
            a[0], a[1], a[2], a[3] = -20.0 * x[0], -1.0, 10.0, 0.0
            LMOO.linearize(s, 2, a, f)
        else:
            LMOO.refuse(s)
        request = LMOO.advance(s)
    found = np.array([LMOO.vector(s, LMOO_X)[0], LMOO.vector(s, LMOO_X)[1]])
    status, nfev = LMOO.flag(s, LMOO_STATUS)[0], LMOO.count(s, LMOO_NFEV)[0]
    free(s)
    return found, status, nfev


def solve_many(Decay problem, double[:, ::1] starts, bint twice=False):
    """Solve the same problem from each start, in place, without Python; returns the statuses."""
    cdef ptrdiff_t k, count = starts.shape[0]
    cdef lmoo_outcome outcome
    cdef void *work = malloc(LMOO.work_bytes(problem.m, problem.n))
    cdef int[::1] statuses = np.zeros(count, dtype=np.int32)
    if work == NULL:
        raise MemoryError()
    outcome.size = sizeof(lmoo_outcome)
    with nogil:
        for k in range(count):
            statuses[k] = LMOO.solve(problem.table, NULL, NULL, &starts[k, 0], NULL, work, &outcome)
    free(work)
    return np.asarray(statuses)
