"""Solves whose models are evaluated together by the caller.

In a round each fit that has not ended requests the model at one point, or at those of all columns of a difference.  The
caller evaluates all of them in one call.  Complete Jacobians wait until there are as many as a vector has lanes
(evaluate/lanes.pxi).
"""

import numpy as np

cimport numpy as cnp

from lmoo._core.evaluate cimport *
from lmoo._core.model cimport *
from lmoo._core.weights cimport weigh_residual


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
    """Solves whose models are evaluated together by the caller.

    Parameters
    ----------
    As for `SolveBatch`, and

    analytic : bool
        Jacobians are requested, instead of differences.
    y : (k, m) float64 array, contiguous
        The data that the models are fitted to; kept.
    weights : (k, m) or (1, m) float64 array, contiguous, or None
        Factors of the residuals; 0 for points that are not used.  Kept.
    """

    cdef bint analytic
    cdef const double *y
    cdef const double *weights
    cdef ptrdiff_t weights_stride       # from fit to fit; 0 if all have the same
    cdef ptrdiff_t next                 # the first fit of the next round

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
                fit_at(self, k).loss.weights = self.weights + k * self.weights_stride
        if analytic:
            self.options.refine = 0
            for k in range(self.count):
                fit_at(self, k).d.s.options.refine = 0
        for k in range(self.count):
            fit_at(self, k).d.evaluator, fit_at(self, k).d.owner = &ASKING, <void *>self

    def wanted(self, bint jacobians, ptrdiff_t most):
        """Return the fits with requests, (r,) intp, and their points, (r, n): for models, or for Jacobians.

        A fit that requests several points is listed several times in a row.  The fits that have waited longest come
        first; r is about `most` at most, so that the values of the model stay in the cache.  r = 0 if there are no
        requests.
        """
        cdef cnp.ndarray who = np.empty(most + self.n, dtype=np.intp)
        cdef cnp.ndarray points = np.empty((most + self.n, self.n))
        cdef Py_ssize_t *w = <Py_ssize_t *>cnp.PyArray_DATA(who)
        cdef double *x = <double *>cnp.PyArray_DATA(points)
        cdef ptrdiff_t rows = 0, seen = 0
        cdef int asks
        with nogil:
            while rows < most and seen < self.count:
                asks = fit_at(self, self.next).asks
                if asks != ENDED and (asks == ASKS_JACOBIAN) == jacobians:
                    rows += self.points(self.next, w + rows, x + rows * self.n)
                seen += 1
                self.next = self.next + 1 if self.next + 1 < self.count else 0
        return who[:rows], points[:rows]

    cdef ptrdiff_t points(self, ptrdiff_t k, Py_ssize_t *who, double *x) noexcept nogil:
        """Write the points that a fit requests, and its index for each; return their number."""
        cdef lm_fit *fit = fit_at(self, k)
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
        """Answer the requests with the values of the models, (r, m), in the order of `wanted`.

        A row with an entry that is not finite stands for a bad point.
        """
        cdef ptrdiff_t j, row = 0
        cdef lm_fit *fit
        with nogil:
            while row < who.shape[0]:
                fit = fit_at(self, who[row])
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
        """Compute f = weights (value - y)."""
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
        """Request the Jacobian; return False if none of its columns is needed, as all parameters are fixed."""
        fit.asks = ASKS_JACOBIAN
        if self.analytic:
            return True
        if fit.d.loss != NULL:
            vectors_weigh_differences(&fit.d)
        differences_begin(&fit.d.point, &self.differences, &fit.columns)
        fit.asks = ASKS_COLUMNS
        # The next value is that of the first column.
        return differences_next(&fit.d.point, &self.differences, &fit.columns, 0) != 0

    cdef void columns(self, lm_fit *fit) noexcept nogil:
        """Process the requested value, and as many others of the same round as possible."""
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
        """Add a fit with a complete Jacobian to the lanes; factor them when all lanes are used."""
        fit.asks = WAITS
        self.lanes.drivers[self.lanes.count] = &fit.d
        self.lanes.count += 1
        if self.lanes.count == FITS:
            self.flush()

    cdef void flush(self) noexcept nogil:
        """Compute the models of the waiting fits."""
        cdef lm_driver *drivers[FITS]
        cdef int l, count = self.lanes.count
        if count == 0:
            return
        memcpy(drivers, self.lanes.drivers, sizeof(drivers))
        lanes_answer(&self.lanes)
        for l in range(count):
            # The driver is the first member of a fit.
            self.go_on(<lm_fit *>drivers[l])

    cdef void go_on(self, lm_fit *fit) noexcept nogil:
        """Run the iteration until its next request."""
        if driver_run(&fit.d, False) != PAUSED:
            fit.asks = ENDED

    def answer_jacobians(self, const Py_ssize_t[::1] who, const double[:, :, :] jacobians):
        """Answer the requests for Jacobians with the derivatives of the models, (r, n, m)."""
        cdef ptrdiff_t row, i, j, k, m = self.m
        cdef double *column
        with nogil:
            for row in range(who.shape[0]):
                k = who[row]
                if fit_at(self, k).asks != ASKS_JACOBIAN:
                    continue
                for j in range(self.n):
                    column = fit_at(self, k).d.fjac + j * m
                    for i in range(m):
                        column[i] = jacobians[row, j, i]
                    if self.weights != NULL:
                        weigh_residual(m, self.weights + k * self.weights_stride, column)
                self.wait(fit_at(self, k))
            self.flush()
