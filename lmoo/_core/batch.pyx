"""The driver of many small solves at once: each asks for what it wants, all are answered together.

Every fit has a driver and an iteration of its own, those of a single solve, so a fit whose residual
has the same bits takes the same steps.  In a round each fit that has not ended asks for f at one
point: a trial, or x + h e_j of a difference; whoever calls evaluates all of them in one go.
"""

from libc.string cimport memcpy, memset

import numpy as np

cimport numpy as cnp

from lmoo._core.differences cimport (
    DIFFERENCES_ASK, differences_begin, differences_next, lm_columns, lm_differences,
)
from lmoo._core.driver cimport *
from lmoo._core.iteration cimport *
from lmoo._core.model cimport *
from lmoo._core.norms cimport all_finite

cnp.import_array()

cdef enum:
    ASKS_TRIAL = 1
    ASKS_COLUMN = 2
    ASKS_JACOBIAN = 3
    ENDED = 0

ctypedef struct lm_fit:
    lm_driver d
    lm_columns columns
    int asks


cdef void _start(lm_fit *fit, const lm_options *options, const lmoo_problem *problem, bint analytic,
                 const double *x0, lm_state *state, double *doubles) noexcept nogil:
    """Begin one fit, in memory of the caller's.

    x0       n doubles, finite
    state    lm_state_bytes(n);  doubles: driver_doubles(m, n) + m n
    """
    cdef ptrdiff_t m = problem.m, n = problem.n
    memset(fit, 0, sizeof(lm_fit))
    fit.d.s, fit.d.n, fit.d.problem = state, n, problem
    lm_attach(state, n)
    lm_start(state, options, x0, NULL)
    driver_place(&fit.d, m, doubles, doubles + driver_doubles(m, n))
    fit.asks = ASKS_TRIAL
    fit.d.s.nfev += 1


cdef void _go_on(lm_fit *fit, const lm_differences *differences, bint analytic) noexcept nogil:
    """Take the iteration to the next thing it asks for."""
    cdef int request
    while True:
        request = driver_advance(&fit.d)
        if request == LM_DONE:
            fit.asks = ENDED
            return
        if request == LM_RESIDUAL:
            fit.asks = ASKS_TRIAL
            fit.d.s.nfev += 1
            return
        if request == LM_LINEARIZE or request == LM_REFINE:
            driver_begin_model(&fit.d, request == LM_REFINE or fit.d.s.refined)
            if analytic:
                fit.d.s.options.refine = 0
                fit.asks = ASKS_JACOBIAN
                return
            differences_begin(&fit.d.point, differences, &fit.columns)
            if _next_column(fit, differences, 0):
                return
        else:
            # Nobody here knows curvature, or a step that is asked for.
            lm_refuse(fit.d.s)


cdef bint _next_column(lm_fit *fit, const lm_differences *differences, int code) noexcept nogil:
    """Go on with the differences; False when the model has been answered."""
    code = differences_next(&fit.d.point, differences, &fit.columns, code)
    if code == DIFFERENCES_ASK:
        fit.asks = ASKS_COLUMN
        fit.d.s.nfev += 1
        return True
    driver_answer_model(&fit.d, code)
    return False


cdef const double *_wanted(const lm_fit *fit) noexcept nogil:
    """The point that the fit asks about."""
    if fit.asks == ASKS_TRIAL:
        return fit.d.s.trial
    return fit.d.point.x_work if fit.asks == ASKS_COLUMN else fit.d.s.x


cdef void _answer(lm_fit *fit, const lm_differences *differences, bint analytic, bint bad,
                  const double *f) noexcept nogil:
    """f at the wanted point, m doubles, to be copied; or bad."""
    cdef ptrdiff_t m = fit.d.m
    if fit.asks == ASKS_TRIAL:
        memcpy(fit.d.trial, f, <size_t>m * sizeof(double))
        if bad:
            lm_refuse(fit.d.s)
        else:
            driver_answer_residual(&fit.d)
    else:
        memcpy(fit.columns.out, f, <size_t>m * sizeof(double))
        if _next_column(fit, differences, bad or not all_finite(m, f)):
            return
    _go_on(fit, differences, analytic)


cdef class Batch:
    """Many solves of one shape.

    Parameters
    ----------
    x0 : (k, n) float64 array, contiguous, finite
    m : int
        Residuals of each.
    ftol, xtol, gtol, factor, maxfev, tests
        As for a `Loop`.
    epsfcn : float
        Relative error of the residual; 0 stands for that of doubles.
    nominal : bool
        Differences with MINPACK's steps.
    analytic : bool
        Jacobians are asked for, instead of differences.
    """

    cdef lm_options options
    cdef lm_differences differences
    cdef lmoo_problem problem
    cdef bint analytic
    cdef readonly ptrdiff_t count, m, n
    cdef object states, doubles, fits   # the memory of all fits
    cdef size_t state_bytes, fit_doubles

    def __cinit__(self, const double[:, ::1] x0, ptrdiff_t m, double ftol, double xtol, double gtol,
                  double factor, ptrdiff_t maxfev, int tests, double epsfcn, bint nominal,
                  bint analytic):
        cdef ptrdiff_t k, n = x0.shape[1]
        self.count, self.m, self.n, self.analytic = x0.shape[0], m, n, analytic
        memset(&self.options, 0, sizeof(lm_options))
        self.options.size = sizeof(lm_options)
        self.options.ftol, self.options.xtol, self.options.gtol = ftol, xtol, gtol
        self.options.factor, self.options.maxfev, self.options.tests = factor, maxfev, tests
        self.options.epsfcn = 2.0**-52
        self.options.refine = tests == LM_TESTS_ACCURATE and not analytic
        memset(&self.differences, 0, sizeof(lm_differences))
        self.differences.epsfcn, self.differences.nominal = epsfcn, nominal
        self.differences.refines = self.options.refine
        memset(&self.problem, 0, sizeof(lmoo_problem))
        self.problem.size = sizeof(lmoo_problem)
        self.problem.m, self.problem.n, self.problem.precision = m, n, 2.0**-52
        self.state_bytes = lm_state_bytes(n)
        self.fit_doubles = driver_doubles(m, n) + <size_t>(m * n)
        self.states = np.zeros(self.count * self.state_bytes // 8)
        self.doubles = np.zeros(self.count * self.fit_doubles)
        self.fits = np.zeros(self.count * sizeof(lm_fit), dtype=np.uint8)
        cdef lm_fit *fits = self.all_fits()
        cdef char *states = cnp.PyArray_BYTES(<cnp.ndarray>self.states)
        cdef double *doubles = <double *>cnp.PyArray_DATA(<cnp.ndarray>self.doubles)
        with nogil:
            for k in range(self.count):
                _start(fits + k, &self.options, &self.problem, analytic, &x0[k, 0],
                       <lm_state *>(states + <size_t>k * self.state_bytes),
                       doubles + <size_t>k * self.fit_doubles)

    cdef lm_fit *all_fits(self):
        return <lm_fit *>cnp.PyArray_DATA(<cnp.ndarray>self.fits)

    def wanted(self, bint jacobians):
        """Return who asks, (k,) intp, and where, (k, n): for f, or for a Jacobian."""
        cdef lm_fit *fits = self.all_fits()
        cdef ptrdiff_t k, count = 0
        cdef cnp.ndarray who = np.empty(self.count, dtype=np.intp)
        cdef cnp.ndarray points = np.empty((self.count, self.n))
        cdef Py_ssize_t *w = <Py_ssize_t *>cnp.PyArray_DATA(who)
        cdef double *x = <double *>cnp.PyArray_DATA(points)
        with nogil:
            for k in range(self.count):
                if fits[k].asks != ENDED and (fits[k].asks == ASKS_JACOBIAN) == jacobians:
                    w[count] = k
                    memcpy(x + count * self.n, _wanted(fits + k),
                           <size_t>self.n * sizeof(double))
                    count += 1
        return who[:count], points[:count]

    def answer(self, const Py_ssize_t[::1] who, const double[:, ::1] f,
               const unsigned char[::1] bad):
        """Give those who asked their f, (k, m); bad (k,) where there is none."""
        cdef lm_fit *fits = self.all_fits()
        cdef ptrdiff_t k
        with nogil:
            for k in range(who.shape[0]):
                _answer(fits + who[k], &self.differences, self.analytic, bad[k], &f[k, 0])

    def answer_jacobians(self, const Py_ssize_t[::1] who, const double[:, :, ::1] jacobians,
                         const unsigned char[::1] bad):
        """Give those who asked their Jacobians, (k, n, m); bad (k,) where there is none."""
        cdef lm_fit *fits = self.all_fits()
        cdef lm_fit *fit
        cdef ptrdiff_t k
        cdef size_t size = <size_t>(self.m * self.n) * sizeof(double)
        with nogil:
            for k in range(who.shape[0]):
                fit = fits + who[k]
                memcpy(fit.d.fjac, &jacobians[k, 0, 0], size)
                driver_answer_model(&fit.d, bad[k])
                _go_on(fit, &self.differences, self.analytic)

    def end(self, const Py_ssize_t[::1] who, int status):
        """End these fits where they are."""
        cdef lm_fit *fits = self.all_fits()
        cdef ptrdiff_t k
        for k in range(who.shape[0]):
            lm_stop(fits[who[k]].d.s, status)
            fits[who[k]].asks = ENDED

    def collect(self, x, fnorm, status, counts, r, ipvt, qtf, acnorm, error):
        """Write what came of the fits into arrays of k rows.

        x, qtf, acnorm (k, n), fnorm, error (k,), r (k, n, n) float64, upper triangles; ipvt (k, n)
        int32; status (k,) and counts (k, 3), nfev, njev, nit, int64.
        """
        cdef double[:, ::1] xs = x, qtfs = qtf, norms = acnorm
        cdef double[::1] fnorms = fnorm, errors = error
        cdef double[:, :, ::1] rs = r
        cdef int[:, ::1] permutations = ipvt
        cdef long long[::1] statuses = status
        cdef long long[:, ::1] numbers = counts
        cdef lm_fit *fits = self.all_fits()
        cdef const lm_state *s
        cdef ptrdiff_t k, i, j, n = self.n
        for k in range(self.count):
            s = fits[k].d.s
            fnorms[k], errors[k], statuses[k] = s.fnorm, s.jacobian_error, s.status
            numbers[k, 0], numbers[k, 1], numbers[k, 2] = s.nfev, fits[k].d.njev, s.nit
            for j in range(n):
                xs[k, j], qtfs[k, j], norms[k, j] = s.x[j], s.model.qtf[j], s.model.acnorm[j]
                permutations[k, j] = s.model.ipvt[j]
                for i in range(n):
                    rs[k, i, j] = s.model.r[i + j * n] if i <= j else 0.0
