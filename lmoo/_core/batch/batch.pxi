"""Many small solves of one shape, which are evaluated together.

Each fit has its own driver and iteration, those of a single solve.  A fit whose residual has the same bits therefore
takes the same steps.
"""

from libc.math cimport INFINITY, sqrt
from libc.string cimport memcpy, memset

import numpy as np

cimport numpy as cnp

from lmoo._core.evaluate cimport *
from lmoo._core.iteration cimport *
from lmoo._core.linalg cimport lm_dense, lm_triangle
from lmoo._core.model cimport *

cnp.import_array()

cdef enum:
    ENDED = 0
    ASKS_TRIAL = 1
    ASKS_COLUMNS = 2    # the first value of each column
    ASKS_COLUMN = 3     # a further value of one column
    ASKS_JACOBIAN = 4
    WAITS = 5           # for its linear model
    ASKS_CURVATURE = 6
    ASKS_STEP = 7       # within its radius
    RUNS = 8


cdef inline lm_fit *fit_at(SolveBatch batch, ptrdiff_t k) noexcept nogil:
    """Return fit k."""
    return <lm_fit *>(batch.first + <size_t>k * batch.stride)


cdef class SolveBatch:
    """The memory of many solves of one shape, and their results.

    Parameters
    ----------
    x0 : (k, n) float64 array, contiguous, finite
    m : int
        Residuals of each, at least n.
    ftol, xtol, gtol, factor, maxfev, tests
        As for a `Loop`.
    epsfcn, central, refines
        As for `Differences`.
    bounds
        As for a `Loop`, the same for all; or (2 k, n), a lower and an upper row for each fit.
    loss : LossKernel or None
        A built-in loss, copied for each fit.
    """

    def __cinit__(self, const double[:, ::1] x0, ptrdiff_t m, double ftol, double xtol, double gtol,
                  double factor, ptrdiff_t maxfev, int tests, double epsfcn, bint central,
                  bint refines, const double[:, ::1] bounds, LossKernel loss, *rest):
        cdef ptrdiff_t k, n = x0.shape[1]
        self.count, self.m, self.n = x0.shape[0], m, n
        memset(&self.options, 0, sizeof(lm_options))
        self.options.size = sizeof(lm_options)
        self.options.ftol, self.options.xtol, self.options.gtol = ftol, xtol, gtol
        self.options.factor, self.options.maxfev, self.options.tests = factor, maxfev, tests
        self.options.epsfcn = 2.0**-52
        self.options.refine = refines and not central
        memset(&self.differences, 0, sizeof(lm_differences))
        self.differences.epsfcn, self.differences.central = epsfcn, central
        self.differences.refines = self.options.refine
        memset(&self.problem, 0, sizeof(lmoo_problem))
        self.problem.size = sizeof(lmoo_problem)
        self.problem.m, self.problem.n, self.problem.precision = m, n, 2.0**-52
        self.state_bytes = lm_state_bytes(n, bounds is not None, True)
        self.edges = NULL
        if bounds is not None:
            assert bounds.shape[0] == 2 or bounds.shape[0] >= 2 * self.count
            assert bounds.shape[1] == n
            self.edges = &bounds[0, 0]
            self.edges_stride = 0 if bounds.shape[0] == 2 else 2 * n
        cdef size_t bytes_each = (sizeof(lm_fit) + 7) // 8 * 8 + self.state_bytes
        cdef size_t doubles = vectors_doubles(m, n, False) + <size_t>(m * n)
        self.loss.kind = LM_LOSS_LINEAR
        if loss is not None:
            assert loss.func is None
            self.loss = loss.table
            doubles += loss_doubles(m, False)
        bytes_each += doubles * sizeof(double)
        self.memory = [np.zeros(self.count * bytes_each // 8), np.empty(lanes_doubles(m, n)), bounds]
        self.lanes.m, self.lanes.n, self.lanes.count = m, n, 0
        self.lanes.memory = <double *>cnp.PyArray_DATA(<cnp.ndarray>self.memory[1])
        self.first = cnp.PyArray_BYTES(<cnp.ndarray>self.memory[0])
        self.stride = bytes_each
        with nogil:
            for k in range(self.count):
                self.start(k, &x0[k, 0], k)

    cdef void start(self, ptrdiff_t k, const double *x0, ptrdiff_t which) noexcept nogil:
        """Begin one fit, whose driver, state and arrays are contiguous, with the bounds of number `which`."""
        cdef lm_fit *fit = fit_at(self, k)
        cdef ptrdiff_t m = self.m, n = self.n
        cdef lm_state *s = <lm_state *>(<char *>fit + (sizeof(lm_fit) + 7) // 8 * 8)
        cdef double *doubles = <double *>(<char *>s + self.state_bytes)
        memset(fit, 0, sizeof(lm_fit))
        fit.d.s, fit.d.n, fit.d.problem = s, n, &self.problem
        fit.d.noise = self.differences.epsfcn
        if self.edges != NULL:
            self.options.lower = self.edges + which * self.edges_stride
            self.options.upper = self.options.lower + n
        lm_start(s, n, &self.options, x0, NULL)
        vectors_place(&fit.d, m, doubles, doubles + vectors_doubles(m, n, False))
        if self.loss.kind != LM_LOSS_LINEAR:
            fit.loss, fit.d.loss = self.loss, &fit.loss
            loss_place(&fit.loss, m, doubles + vectors_doubles(m, n, False) + m * n)
        fit.asks = ASKS_TRIAL

    @property
    def done(self):
        """Whether all fits have ended."""
        cdef ptrdiff_t k
        for k in range(self.count):
            if fit_at(self, k).asks != ENDED:
                return False
        return True

    def end(self, const Py_ssize_t[::1] who, int status):
        """End these fits at their current points."""
        cdef ptrdiff_t k
        for k in range(who.shape[0]):
            lm_stop(fit_at(self, who[k]).d.s, status)
            fit_at(self, who[k]).d.s.status = status
            fit_at(self, who[k]).asks = ENDED

    def collect(self, double[:, ::1] x not None, double[::1] fnorm not None,
                long long[::1] status not None, long long[:, ::1] counts not None):
        """Write x (k, n), fnorm (k,), status (k,) and counts (k, 3): nfev, njev, nit."""
        cdef const lm_state *s
        cdef ptrdiff_t k
        with nogil:
            for k in range(self.count):
                s = fit_at(self, k).d.s
                memcpy(&x[k, 0], s.x, <size_t>self.n * sizeof(double))
                fnorm[k], status[k] = s.fnorm, s.status
                counts[k, 0], counts[k, 1], counts[k, 2] = s.nfev, fit_at(self, k).d.njev, s.nit

    cdef double deviation_at(self, ptrdiff_t k, double degrees) noexcept nogil:
        """Return the factor s with which s^2 (J^T J)^-1 of the last model is the covariance of fit k."""
        cdef const lm_driver *d = &fit_at(self, k).d
        cdef double sums[4]
        cdef double count = 0.0
        cdef ptrdiff_t i
        if not degrees > 0.0:
            return INFINITY
        if d.loss == NULL:
            return d.s.fnorm / sqrt(degrees)
        if not d.evaluated:
            return INFINITY
        for i in range(self.m - d.loss.priors):
            count += d.loss.weights == NULL or d.loss.weights[i] != 0.0
        loss_sums(d.loss, self.m, d.f, sums)
        # J^T J of the model contains the factors h.
        return loss_deviation(sums, count, degrees) * sqrt(sums[3] / count)

    def standard_deviations(self, const double[::1] degrees not None):
        """Return the factors of deviation_at for all fits, (k,), from their degrees of freedom."""
        cdef double[::1] out = np.empty(self.count)
        cdef ptrdiff_t k
        for k in range(self.count):
            out[k] = self.deviation_at(k, degrees[k])
        return np.asarray(out)

    def scale(self, ptrdiff_t k):
        """Return C of the loss of one fit; None without a loss."""
        return fit_at(self, k).loss.scale if self.loss.kind != LM_LOSS_LINEAR else None

    def uncertainty(self, const double[::1] deviation not None, double[:, ::1] stderr not None,
                    double[:, :, ::1] covariance):
        """Write standard errors (k, n), and covariances (k, n, n) unless they are None.

        deviation   (k,), of the residual of each fit; if it is not finite, all results are inf

        Return the list of the fits whose last Jacobian is singular within the error of its entries; their results are
        not written.
        """
        cdef ptrdiff_t k, n = self.n
        cdef cnp.ndarray work = np.empty(uncertainty_doubles(n))
        cdef double *w = <double *>cnp.PyArray_DATA(work)
        cdef cnp.ndarray singular = np.zeros(self.count, dtype=np.uint8)
        cdef unsigned char *flag = <unsigned char *>cnp.PyArray_DATA(singular)
        with nogil:
            for k in range(self.count):
                flag[k] = uncertainty(fit_at(self, k).d.s, deviation[k], w, &stderr[k, 0],
                                          NULL if covariance is None else &covariance[k, 0, 0])
        return np.flatnonzero(singular).tolist()

    def limits(self, ptrdiff_t k):
        """Return lower, upper, fixed, active_mask and the gradient of one fit for a `Result`; {} without bounds."""
        cdef const lm_state *s = fit_at(self, k).d.s
        cdef ptrdiff_t j, n = self.n
        cdef double[:, ::1] edges = np.empty((2, n))
        cdef double[::1] gradient = np.empty(n)
        cdef signed char[::1] active = np.empty(n, dtype=np.int8)
        if not s.bounded:
            return {}
        for j in range(n):
            edges[0, j], edges[1, j], gradient[j] = s.lower[j], s.upper[j], s.gradient[j]
            active[j] = <signed char>s.active[j] if s.lower[j] < s.upper[j] else 0
        lower, upper = np.asarray(edges)
        return {"lower": lower, "upper": upper, "fixed": lower == upper,
                "active_mask": np.asarray(active), "_gradient": np.asarray(gradient) if fit_at(self, k).d.njev else None}

    def factor(self, ptrdiff_t k):
        """Return (r, ipvt, qtf, acnorm, error, active) of one fit's last Jacobian; active: None without bounds."""
        cdef const lm_state *s = fit_at(self, k).d.s
        cdef ptrdiff_t i, j, n = self.n
        cdef const lm_triangle *t = &(<const lm_dense *>s.model).free
        cdef double[:, ::1] r = np.zeros((n, n))
        cdef double[::1] qtf = np.empty(n), acnorm = np.empty(n)
        cdef int[::1] ipvt = np.empty(n, dtype=np.int32)
        for j in range(n):
            qtf[j], acnorm[j], ipvt[j] = t.qtf[j], s.free_norms[j], t.ipvt[j]
            for i in range(j + 1):
                r[i, j] = t.r[i + j * n]
        active = np.array([s.active[j] != 0 for j in range(n)]) if s.bounded else None
        return (np.asarray(r), np.asarray(ipvt), np.asarray(qtf), np.asarray(acnorm),
                s.jacobian_error, active)
