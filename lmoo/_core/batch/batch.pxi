"""Many small solves of one shape at once: each asks for what it wants, all are answered together.

Every fit has a driver and an iteration of its own, those of a single solve, so a fit whose residual
has the same bits takes the same steps.  In a round each fit that has not ended asks for the model at
one point, a trial, or at those of all columns of a difference; the caller evaluates all of them in one
call.  Jacobians that are full wait until there are as many as a vector has lanes (evaluate/lanes.pxi).
"""

from libc.math cimport INFINITY, sqrt
from libc.string cimport memcpy, memset

import numpy as np

cimport numpy as cnp

from lmoo._core.evaluate cimport (
    DIFFERENCES_ASK, differences_begin, differences_next, differences_points, differences_skips,
    differences_take, lm_columns, lm_differences,
)
from lmoo._core.linalg cimport lm_dense, lm_triangle
from lmoo._core.evaluate cimport *
from lmoo._core.iteration cimport *
from lmoo._core.evaluate cimport FITS, lanes_answer, lanes_doubles
from lmoo._core.evaluate cimport linearize_answer
from lmoo._core.evaluate cimport (
    LM_LOSS_LINEAR, LossKernel, loss_deviation, loss_doubles, loss_place, loss_sums, multiply_rows,
)
from lmoo._core.model cimport *
from lmoo._core.evaluate cimport (
    vectors_answer_curvature, vectors_answer_residual, vectors_begin_curvature, vectors_begin_model,
    vectors_doubles, vectors_place, vectors_weigh_differences,
)
from lmoo._core.weights cimport weigh_residual

cnp.import_array()

cdef enum:
    ENDED = 0
    ASKS_TRIAL = 1
    ASKS_COLUMNS = 2    # the first value of every column
    ASKS_COLUMN = 3     # a further one of one column
    ASKS_JACOBIAN = 4
    WAITS = 5           # for its linear model
    ASKS_CURVATURE = 6


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
        A built-in loss, with which each fit begins.
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
        cdef size_t doubles = vectors_doubles(m, n) + <size_t>(m * n)
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

    cdef lm_fit *at(self, ptrdiff_t k) noexcept nogil:
        return <lm_fit *>(self.first + <size_t>k * self.stride)

    cdef void start(self, ptrdiff_t k, const double *x0, ptrdiff_t which) noexcept nogil:
        """Begin one fit, with the bounds of number `which`: its driver, its state and its arrays lie one
        after the other."""
        cdef lm_fit *fit = self.at(k)
        cdef ptrdiff_t m = self.m, n = self.n
        cdef lm_state *s = <lm_state *>(<char *>fit + (sizeof(lm_fit) + 7) // 8 * 8)
        cdef double *doubles = <double *>(<char *>s + self.state_bytes)
        memset(fit, 0, sizeof(lm_fit))
        fit.d.s, fit.d.n, fit.d.problem = s, n, &self.problem
        if self.edges != NULL:
            self.options.lower = self.edges + which * self.edges_stride
            self.options.upper = self.options.lower + n
        lm_start(s, n, &self.options, x0, NULL)
        vectors_place(&fit.d, m, doubles, doubles + vectors_doubles(m, n))
        if self.loss.kind != LM_LOSS_LINEAR:
            fit.loss, fit.d.loss = self.loss, &fit.loss
            loss_place(&fit.loss, m, doubles + vectors_doubles(m, n) + m * n)
        fit.asks = ASKS_TRIAL

    @property
    def done(self):
        """Whether all have ended."""
        cdef ptrdiff_t k
        for k in range(self.count):
            if self.at(k).asks != ENDED:
                return False
        return True

    def end(self, const Py_ssize_t[::1] who, int status):
        """End these fits where they are."""
        cdef ptrdiff_t k
        for k in range(who.shape[0]):
            lm_stop(self.at(who[k]).d.s, status)
            self.at(who[k]).d.s.status = status
            self.at(who[k]).asks = ENDED

    def collect(self, double[:, ::1] x not None, double[::1] fnorm not None,
                long long[::1] status not None, long long[:, ::1] counts not None):
        """Write x (k, n), fnorm (k,), status (k,) and counts (k, 3), nfev, njev, nit."""
        cdef const lm_state *s
        cdef ptrdiff_t k
        with nogil:
            for k in range(self.count):
                s = self.at(k).d.s
                memcpy(&x[k, 0], s.x, <size_t>self.n * sizeof(double))
                fnorm[k], status[k] = s.fnorm, s.status
                counts[k, 0], counts[k, 1], counts[k, 2] = s.nfev, self.at(k).d.njev, s.nit

    cdef double deviation_at(self, ptrdiff_t k, double degrees) noexcept nogil:
        """The standard deviation by which (J^T J)^-1 of the last model becomes the covariance of fit k."""
        cdef const lm_driver *d = &self.at(k).d
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
        # The model has h where J^T J has none.
        return loss_deviation(sums, count, degrees) * sqrt(sums[3] / count)

    def standard_deviations(self, const double[::1] degrees not None):
        """Return these standard deviations of all fits, (k,), from their degrees of freedom."""
        cdef double[::1] out = np.empty(self.count)
        cdef ptrdiff_t k
        for k in range(self.count):
            out[k] = self.deviation_at(k, degrees[k])
        return np.asarray(out)

    def scale(self, ptrdiff_t k):
        """Return C of the loss of one fit; None where there is none."""
        return self.at(k).loss.scale if self.loss.kind != LM_LOSS_LINEAR else None

    def uncertainty(self, const double[::1] deviation not None, double[:, ::1] stderr not None,
                    double[:, :, ::1] covariance):
        """Write standard errors (k, n), and covariances (k, n, n) where they are wanted.

        deviation   (k,), of the residual of each fit; where it is not finite all comes out inf

        Returns the fits, a list, whose last Jacobian is singular to the error of its entries: of
        these nothing is written.
        """
        cdef ptrdiff_t k, n = self.n
        cdef cnp.ndarray work = np.empty(uncertainty_doubles(n))
        cdef double *w = <double *>cnp.PyArray_DATA(work)
        cdef cnp.ndarray singular = np.zeros(self.count, dtype=np.uint8)
        cdef unsigned char *flag = <unsigned char *>cnp.PyArray_DATA(singular)
        with nogil:
            for k in range(self.count):
                flag[k] = uncertainty(self.at(k).d.s, deviation[k], w, &stderr[k, 0],
                                          NULL if covariance is None else &covariance[k, 0, 0])
        return np.flatnonzero(singular).tolist()

    def limits(self, ptrdiff_t k):
        """Return lower, upper, fixed, active_mask and the gradient of one fit, as `Result` has them;
        nothing without bounds."""
        cdef const lm_state *s = self.at(k).d.s
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
                "active_mask": np.asarray(active), "_gradient": np.asarray(gradient) if self.at(k).d.njev else None}

    def factor(self, ptrdiff_t k):
        """Return (r, ipvt, qtf, acnorm, error, held) of one fit's last Jacobian; held: bool or None."""
        cdef const lm_state *s = self.at(k).d.s
        cdef ptrdiff_t i, j, n = self.n
        cdef const lm_triangle *t = &(<const lm_dense *>s.model).free
        cdef double[:, ::1] r = np.zeros((n, n))
        cdef double[::1] qtf = np.empty(n), acnorm = np.empty(n)
        cdef int[::1] ipvt = np.empty(n, dtype=np.int32)
        for j in range(n):
            qtf[j], acnorm[j], ipvt[j] = t.qtf[j], s.free_norms[j], t.ipvt[j]
            for i in range(j + 1):
                r[i, j] = t.r[i + j * n]
        held = np.array([s.active[j] != 0 for j in range(n)]) if s.bounded else None
        return (np.asarray(r), np.asarray(ipvt), np.asarray(qtf), np.asarray(acnorm),
                s.jacobian_error, held)


# ---- answered from outside ------------------------------------------------------------------

cdef int _ask_residual(lm_driver *d) noexcept nogil:
    (<lm_fit *>d).asks = ASKS_TRIAL
    return PAUSED


cdef int _ask_jacobian(lm_driver *d, bint high_accuracy) noexcept nogil:
    vectors_begin_model(d, high_accuracy)
    if (<Batch>d.owner).ask(<lm_fit *>d):
        return PAUSED
    return linearize_answer(d, 0)


cdef int _ask_curvature(lm_driver *d) noexcept nogil:
    (<lm_fit *>d).asks = ASKS_CURVATURE
    return PAUSED if vectors_begin_curvature(d) else 0


cdef lm_evaluator ASKING
ASKING.residual = _ask_residual
ASKING.linearize = _ask_jacobian
ASKING.curvature = _ask_curvature
ASKING.step = refuse_request


cdef class Batch(SolveBatch):
    """Solves whose models are evaluated by the caller, for all of them at once.

    Parameters
    ----------
    As for `SolveBatch`, and

    analytic : bool
        Jacobians are asked for, instead of differences.
    y : (k, m) float64 array, contiguous
        What the models are to come to; kept.
    weights : (k, m) or (1, m) float64 array, contiguous, or None
        By which residuals are multiplied; 0 for those that do not count.  Kept.
    """

    cdef bint analytic
    cdef const double *y
    cdef const double *weights
    cdef ptrdiff_t weights_stride       # from fit to fit; 0 where all have the same
    cdef ptrdiff_t next                 # who is looked at first in the next round

    def __cinit__(self, x0, m, ftol, xtol, gtol, factor, maxfev, tests, epsfcn, central, refines,
                  bounds, loss, bint analytic, const double[:, ::1] y not None, const double[:, ::1] weights):
        cdef ptrdiff_t k
        self.analytic, self.y, self.weights = analytic, &y[0, 0], NULL
        self.memory.append(y)
        if weights is not None:
            self.weights = &weights[0, 0]
            self.weights_stride = 0 if weights.shape[0] == 1 else self.m
            self.memory.append(weights)
            for k in range(self.count):
                self.at(k).loss.weights = self.weights + k * self.weights_stride
        if analytic:
            self.options.refine = 0
            for k in range(self.count):
                self.at(k).d.s.options.refine = 0
        for k in range(self.count):
            self.at(k).d.evaluator, self.at(k).d.owner = &ASKING, <void *>self

    def wanted(self, bint jacobians, ptrdiff_t most):
        """Return who asks, (r,) intp, and where, (r, n): for models, or for Jacobians.

        A fit that asks for several stands there several times, one after the other.  Those come first
        that have waited longest; r is about `most` at the most, so that what is made of them stays in
        the cache.  Nobody: r = 0.
        """
        cdef cnp.ndarray who = np.empty(most + self.n, dtype=np.intp)
        cdef cnp.ndarray points = np.empty((most + self.n, self.n))
        cdef Py_ssize_t *w = <Py_ssize_t *>cnp.PyArray_DATA(who)
        cdef double *x = <double *>cnp.PyArray_DATA(points)
        cdef ptrdiff_t rows = 0, seen = 0
        cdef int asks
        with nogil:
            while rows < most and seen < self.count:
                asks = self.at(self.next).asks
                if asks != ENDED and (asks == ASKS_JACOBIAN) == jacobians:
                    rows += self.points(self.next, w + rows, x + rows * self.n)
                seen += 1
                self.next = self.next + 1 if self.next + 1 < self.count else 0
        return who[:rows], points[:rows]

    cdef ptrdiff_t points(self, ptrdiff_t k, Py_ssize_t *who, double *x) noexcept nogil:
        """Write the points that a fit asks for, and its number; returns how many."""
        cdef lm_fit *fit = self.at(k)
        cdef const double *point = fit.d.s.trial
        cdef ptrdiff_t j, rows
        if fit.asks == ASKS_COLUMNS:
            rows = differences_points(&fit.d.point, &self.differences, &fit.columns, x)
            for j in range(rows):
                who[j] = k
            return rows
        who[0] = k
        if fit.asks != ASKS_TRIAL and fit.asks != ASKS_CURVATURE:
            point = fit.d.point.x_work if fit.asks == ASKS_COLUMN else fit.d.s.x
        for j in range(self.n):
            x[j] = point[j]
        return 1

    def answer(self, const Py_ssize_t[::1] who, const double[:, :] values):
        """Give those who asked their models, (r, m), in the order of `wanted`; a row that has an
        entry which is not finite is that of a bad point."""
        cdef ptrdiff_t j, row = 0
        cdef lm_fit *fit
        with nogil:
            while row < who.shape[0]:
                fit = self.at(who[row])
                if fit.asks == ASKS_COLUMNS:
                    for j in range(self.n):
                        if differences_skips(&fit.d.point, j):
                            continue
                        self.residual(who[row], &values[row, 0], values.strides[1],
                                      fit.d.fjac + j * self.m)
                        if fit.d.weighted:
                            multiply_rows(self.m, fit.loss.root, fit.d.fjac + j * self.m,
                                          fit.d.fjac + j * self.m)
                        row += 1
                    self.columns(fit)
                    continue
                if fit.asks == ASKS_TRIAL:
                    fit.d.s.nfev += 1
                    self.residual(who[row], &values[row, 0], values.strides[1], fit.d.trial)
                    vectors_answer_residual(&fit.d)
                    self.go_on(fit)
                elif fit.asks == ASKS_CURVATURE:
                    fit.d.s.nfev += 1
                    self.residual(who[row], &values[row, 0], values.strides[1], fit.d.trial)
                    vectors_answer_curvature(&fit.d, False)
                    self.go_on(fit)
                elif fit.asks == ASKS_COLUMN:
                    self.residual(who[row], &values[row, 0], values.strides[1], fit.columns.out)
                    if fit.d.weighted:
                        multiply_rows(self.m, fit.loss.root, fit.columns.out, fit.columns.out)
                    self.columns(fit)
                row += 1
            self.flush()

    cdef inline void residual(self, ptrdiff_t k, const double *value, ptrdiff_t stride,
                              double *f) noexcept nogil:
        """f = weights (value - y)."""
        cdef const double *y = self.y + k * self.m
        cdef ptrdiff_t i
        if stride == sizeof(double):
            for i in range(self.m):
                f[i] = value[i] - y[i]
        else:
            for i in range(self.m):
                f[i] = (<const double *>(<const char *>value + i * stride))[0] - y[i]
        if self.weights != NULL:
            weigh_residual(self.m, self.weights + k * self.weights_stride, f)

    cdef bint ask(self, lm_fit *fit) noexcept nogil:
        """Ask for the Jacobian; False where no column of it is wanted, as all parameters are fixed."""
        fit.asks = ASKS_JACOBIAN
        if self.analytic:
            return True
        if fit.d.loss != NULL:
            vectors_weigh_differences(&fit.d)
        differences_begin(&fit.d.point, &self.differences, &fit.columns)
        fit.asks = ASKS_COLUMNS
        # The first column: its value is what comes in first.
        return differences_next(&fit.d.point, &self.differences, &fit.columns, 0) != 0

    cdef void columns(self, lm_fit *fit) noexcept nogil:
        """Take the value that has come in, and others of the same round, as far as they go."""
        cdef int code = differences_take(&fit.d.point, &self.differences, &fit.columns,
                                         &fit.d.s.nfev)
        if code == DIFFERENCES_ASK:
            fit.asks = ASKS_COLUMN
        elif code == 0:
            self.wait(fit)
        else:
            linearize_answer(&fit.d, code)
            self.go_on(fit)

    cdef void wait(self, lm_fit *fit) noexcept nogil:
        """The Jacobian is full: the linear model is made when there is company."""
        fit.asks = WAITS
        self.lanes.drivers[self.lanes.count] = &fit.d
        self.lanes.count += 1
        if self.lanes.count == FITS:
            self.flush()

    cdef void flush(self) noexcept nogil:
        """Make the models that are waited for."""
        cdef lm_driver *drivers[FITS]
        cdef int l, count = self.lanes.count
        if count == 0:
            return
        memcpy(drivers, self.lanes.drivers, sizeof(drivers))
        lanes_answer(&self.lanes)
        for l in range(count):
            # A fit begins with its driver.
            self.go_on(<lm_fit *>drivers[l])

    cdef void go_on(self, lm_fit *fit) noexcept nogil:
        """Take the iteration to the next thing it asks for."""
        if driver_run(&fit.d, False) != PAUSED:
            fit.asks = ENDED

    def answer_jacobians(self, const Py_ssize_t[::1] who, const double[:, :, :] jacobians):
        """Give those who asked the derivatives of their models, (r, n, m)."""
        cdef ptrdiff_t row, i, j, k, m = self.m
        cdef double *column
        with nogil:
            for row in range(who.shape[0]):
                k = who[row]
                if self.at(k).asks != ASKS_JACOBIAN:
                    continue
                for j in range(self.n):
                    column = self.at(k).d.fjac + j * m
                    for i in range(m):
                        column[i] = jacobians[row, j, i]
                    if self.weights != NULL:
                        weigh_residual(m, self.weights + k * self.weights_stride, column)
                self.wait(self.at(k))
            self.flush()
