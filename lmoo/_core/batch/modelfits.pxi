"""Many small solves of compiled problems, from start to end without the GIL.

A few slots hold a fit each; one that has ended makes room for the next, so the memory at work stays in
the cache however many fits there are.  Each goes on by itself until its Jacobian is full; then it waits
until there are as many as a vector has lanes (evaluate/lanes.pxi).  Its bits are those of the fit alone.
"""

from libc.stdint cimport PTRDIFF_MAX
from libc.string cimport memcpy

import numpy as np

from lmoo.errors import EvaluationError

cimport numpy as cnp

from lmoo._core.abi1 cimport CompiledProblem
from lmoo._core.evaluate cimport differences
from lmoo._core.evaluate cimport *
from lmoo._core.iteration cimport APART, lm_refuse
from lmoo._core.evaluate cimport FITS, lanes_answer, lanes_step
from lmoo._core.model cimport *
from lmoo._core.norms cimport norms_of
from lmoo._core.evaluate cimport VECTORS, vectors_answer_norm, vectors_begin_model

cnp.import_array()

cdef enum:
    SLOTS = 64
    IDLE = -1


cdef int _fill_jacobian(lm_driver *d, bint high_accuracy) noexcept nogil:
    """Fill the Jacobian and leave its factorisation to the lanes."""
    cdef int code
    if vectors_begin_model(d, high_accuracy) < 0:
        return FAILED
    code = d.strategy.evaluate(&d.point, d.strategy.context)
    if code == 0:
        (<lm_fit *>d).asks = WAITS
        return PAUSED
    if code < 0:
        if d.code == 0:
            d.code = code
        return FAILED
    lm_refuse(d.s)
    return 0


cdef int _wait_for_step(lm_driver *d) noexcept nogil:
    (<lm_fit *>d).asks = ASKS_STEP
    return PAUSED


cdef lm_evaluator FILLING = VECTORS
FILLING.linearize = _fill_jacobian
FILLING.step = _wait_for_step
# For models that evaluate several fits at once.
cdef lm_evaluator TOGETHER = FILLING
TOGETHER.residual = _ask_residual


cdef class SlotFits(SolveBatch):
    """Solves of compiled problems of one shape.

    Parameters
    ----------
    first : (s, n) float64 array, contiguous, finite
        The first of the starting values, as many as there are to be slots, 1 to 64.
    m, ftol, xtol, gtol, factor, maxfev, tests, epsfcn, central, refines, bounds, loss
        As for `SolveBatch`.
    use_jacobian : bool
        The problems' own derivatives, where they have any.
    x0 : (k, n) array
        All starting values.
    """

    cdef const double[:, ::1] starts
    cdef lmoo_problem problems[SLOTS]
    cdef ptrdiff_t which[SLOTS]
    cdef lmoo_jacobian strategy
    cdef bint joint         # problem.both is to be called for every trial point
    cdef bint together      # the trial points of several fits are evaluated at once
    cdef ptrdiff_t trials[FITS]
    cdef ptrdiff_t trial_count
    cdef lm_lanes limited   # fits that wait for steps within their radii

    def __cinit__(self, first, m, ftol, xtol, gtol, factor, maxfev, tests, epsfcn, central, refines,
                  bounds, loss, bint use_jacobian, const double[:, ::1] x0 not None, *rest):
        assert self.count <= SLOTS
        self.options.step = &APART
        self.limited = self.lanes
        self.starts = x0
        self.differences.use_jacobian = use_jacobian
        self.strategy.size = sizeof(lmoo_jacobian)
        self.strategy.evaluate = differences
        self.strategy.context = &self.differences
        self.strategy.refines = self.options.refine

    cdef void bind(self, ptrdiff_t slot, ptrdiff_t k) noexcept nogil:
        """Make the slot's problem that of fit k; subclasses implement it."""

    cdef const double *weights_at(self, ptrdiff_t slot) noexcept nogil:
        """Weights of the points of the slot's problem; NULL where all count."""
        return NULL

    cdef void answer_trials(self) noexcept nogil:
        """Answer the requests of the slots in `trials`, which waited for each other."""

    cdef void begin(self, ptrdiff_t slot, ptrdiff_t k) noexcept nogil:
        """Give a slot to fit k."""
        cdef lm_fit *fit
        self.bind(slot, k)
        self.start(slot, &self.starts[k, 0], k)
        fit = fit_at(self, slot)
        fit.loss.weights = self.weights_at(slot)
        fit.d.problem, fit.d.strategy = &self.problems[slot], &self.strategy
        fit.d.countdown = PTRDIFF_MAX
        fit.d.evaluator = &TOGETHER if self.together else &FILLING
        fit.d.joint = self.joint
        fit.asks = RUNS
        self.which[slot] = k

    cdef bint wait(self, ptrdiff_t slot, lm_fit *fit) noexcept nogil:
        """Put a fit that has paused to those that wait for the same; answer these and return True if they are enough."""
        cdef lm_lanes *lanes = &self.limited if fit.asks == ASKS_STEP else &self.lanes
        if fit.asks == ASKS_TRIAL:
            self.trials[self.trial_count] = slot
            self.trial_count += 1
            if self.trial_count < FITS:
                return False
            self.answer_trials()
            return True
        lanes.drivers[lanes.count] = &fit.d
        lanes.count += 1
        if lanes.count < FITS:
            return False
        if fit.asks == ASKS_STEP:
            self.answer_steps()
        else:
            self.answer_models()
        return True

    cdef void answer_steps(self) noexcept nogil:
        """Answer the fits that wait for steps."""
        cdef int l
        for l in range(self.limited.count):
            (<lm_fit *>self.limited.drivers[l]).asks = RUNS
        lanes_step(&self.limited)

    cdef void answer_models(self) noexcept nogil:
        """Answer the fits that wait for linear models."""
        cdef int l
        for l in range(self.lanes.count):
            (<lm_fit *>self.lanes.drivers[l]).asks = RUNS
        lanes_answer(&self.lanes)

    def run(self, const unsigned char[::1] skip not None, const double[::1] degrees not None, bint known,
            double[:, ::1] x not None, double[::1] fnorm not None, long long[::1] status not None,
            long long[:, ::1] counts not None, double[:, ::1] stderr not None,
            double[:, :, ::1] covariance, int[::1] codes not None,
            unsigned char[::1] singular not None):
        """Solve all and write the results, k rows each.

        skip       fits that are not to be solved: of these nothing is written
        degrees    of freedom of each fit
        known      whether the standard deviation of the residual is known to be 1
        counts     (k, 3): nfev, njev, nit
        codes      negative where the model ended the fit
        singular   1 where stderr and covariance could not be written, J being singular
        """
        cdef cnp.ndarray work = np.empty(uncertainty_doubles(self.n))
        cdef double *w = <double *>cnp.PyArray_DATA(work)
        cdef ptrdiff_t slot, k, next = 0, active = 0, total = skip.shape[0]
        cdef bint answered
        cdef double deviation
        cdef lm_fit *fit
        cdef const lm_state *s
        with nogil:
            for slot in range(self.count):
                self.which[slot] = IDLE
            while True:
                active, answered = 0, False
                for slot in range(self.count):
                    while True:
                        if self.which[slot] == IDLE:
                            while next < total and skip[next]:
                                next += 1
                            if next == total:
                                break
                            self.begin(slot, next)
                            next += 1
                        fit = fit_at(self, slot)
                        if fit.asks != RUNS:
                            active += 1
                            break
                        if driver_run(&fit.d, False) == PAUSED:
                            active += 1
                            answered |= self.wait(slot, fit)
                            break
                        k, s = self.which[slot], fit.d.s
                        self.which[slot] = IDLE
                        memcpy(&x[k, 0], s.x, <size_t>self.n * sizeof(double))
                        fnorm[k], status[k], codes[k] = s.fnorm, s.status, fit.d.code
                        counts[k, 0], counts[k, 1], counts[k, 2] = s.nfev, fit.d.njev, s.nit
                        if known:
                            deviation = 1.0 if degrees[k] >= 0.0 else INFINITY
                        else:
                            deviation = self.deviation_at(slot, degrees[k])
                        singular[k] = uncertainty(
                            s, deviation, w, &stderr[k, 0],
                            NULL if covariance is None else &covariance[k, 0, 0])
                if active == 0:
                    break
                # Vectors that are not full wait for the fits that go on.
                if not answered:
                    self.answer_steps()
                    self.answer_models()
                    self.answer_trials()


cdef class ModelFits(SlotFits):
    """Solves of one compiled model.

    Parameters
    ----------
    As for `SlotFits`, and

    model : CurveModel
    t : (1 or k, variables, m) array
    y : (k, m) array
    weights : (1 or k, m) array or None
        All float64 and contiguous.
    separation : Separation or None
        Linear parameters that are eliminated; x0, bounds and results are then those of the others.
    rest : CurveModel or None
        The model with derivatives by the others, where that of `model` has those by the linear ones alone.
    """

    cdef CurveModel model
    cdef CurveModel rest
    cdef Separation separation
    cdef lm_curve others[SLOTS]
    cdef const double *t
    cdef const double *y
    cdef const double *weights
    cdef ptrdiff_t t_stride, weights_stride
    cdef lm_curve curves[SLOTS]

    def __cinit__(self, first, m, ftol, xtol, gtol, factor, maxfev, tests, epsfcn, central, refines,
                  bounds, loss, own, x0, CurveModel model not None, const double[:, :, ::1] t not None,
                  const double[:, ::1] y not None, const double[:, ::1] weights,
                  Separation separation=None, CurveModel rest=None):
        self.model, self.separation = model, separation
        self.rest = model if rest is None else rest
        self.t = &t[0, 0, 0]
        self.y = &y[0, 0]
        self.t_stride = 0 if t.shape[0] == 1 else t.shape[1] * t.shape[2]
        self.memory += [t, y, weights]
        self.weights, self.weights_stride = NULL, 0
        if weights is not None:
            self.weights = &weights[0, 0]
            self.weights_stride = 0 if weights.shape[0] == 1 else self.m
        self.problem.residual = curve_residual
        self.problem.jacobian = curve_jacobian
        if model.table.both != NULL and self.differences.use_jacobian:
            self.problem.both = curve_both
            self.joint = separation is None
            self.together = self.joint and model.table.many != NULL

    cdef void bind(self, ptrdiff_t slot, ptrdiff_t k) noexcept nogil:
        cdef lm_curve *c = &self.curves[slot]
        cdef lmoo_problem rest = self.problem
        c.model = &self.model.table
        c.t = self.t + k * self.t_stride
        c.y = self.y + k * self.m
        c.weights = NULL
        if self.weights != NULL:
            c.weights = self.weights + k * self.weights_stride
        self.problems[slot] = self.problem
        self.problems[slot].user_data = c
        if self.separation is not None:
            self.others[slot] = c[0]
            self.others[slot].model = &self.rest.table
            rest.user_data = &self.others[slot]
            self.separation.bind(slot, &self.problems[slot], &rest)

    cdef const double *weights_at(self, ptrdiff_t slot) noexcept nogil:
        return self.curves[slot].weights

    cdef void answer_trials(self) noexcept nogil:
        cdef const double *t[FITS]
        cdef const double *x[FITS]
        cdef double *f[FITS]
        cdef double *fjac[FITS]
        cdef double norms[FITS]
        cdef lm_driver *d
        cdef ptrdiff_t l, m = self.m, n = self.n, count = self.trial_count
        if count == 0:
            return
        for l in range(count):
            d = &fit_at(self, self.trials[l]).d
            t[l], x[l], f[l], fjac[l] = self.curves[self.trials[l]].t, d.s.trial, d.trial, d.fjac
        self.model.table.many(count, m, n, t, x, f, fjac, self.model.table.user_data)
        self.trial_count = 0
        for l in range(count):
            curve_weigh(&self.curves[self.trials[l]], m, n, f[l], fjac[l])
        norms_of(count, m, f, norms)
        for l in range(count):
            d = &fit_at(self, self.trials[l]).d
            fit_at(self, self.trials[l]).asks = RUNS
            d.s.nfev += 1
            d.fresh = True
            # A built-in loss cannot fail.
            vectors_answer_norm(d, norms[l])

    def full(self, const double[:, ::1] z not None):
        """Return all parameters of the fits at z, (k, n), with the best values of the linear ones; nan at bad points.
        """
        cdef ptrdiff_t k
        cdef double[::1] f = np.empty(self.m)
        cdef double[:, ::1] out = np.full((z.shape[0], self.model.table.n), np.nan)
        cdef size_t size = <size_t>self.model.table.n * sizeof(double)
        with nogil:
            for k in range(z.shape[0]):
                self.bind(0, k)
                if self.problems[0].residual(self.m, self.n, &z[k, 0], &f[0], self.problems[0].user_data) == 0:
                    memcpy(&out[k, 0], self.separation.parts[0].x, size)
        return np.asarray(out)


cdef class ProblemFits(SlotFits):
    """Solves of one compiled problem, each with data of its own.

    Parameters
    ----------
    As for `SlotFits`, and

    compiled : CompiledProblem
    data : (k, bytes) uint8 array, contiguous, or None
        What the functions get as user_data: row k for fit k; None: what the problem has.
    """

    cdef CompiledProblem compiled
    cdef const unsigned char *data
    cdef ptrdiff_t data_stride

    def __cinit__(self, first, m, ftol, xtol, gtol, factor, maxfev, tests, epsfcn, central, refines,
                  bounds, loss, own, x0, CompiledProblem compiled not None, const unsigned char[:, ::1] data):
        self.compiled = compiled
        self.problem = (<const lmoo_problem *>compiled.table)[0]
        self.data, self.data_stride = NULL, 0
        self.memory.append(data)
        if data is not None:
            self.data = &data[0, 0]
            self.data_stride = data.shape[1]

    cdef void bind(self, ptrdiff_t slot, ptrdiff_t k) noexcept nogil:
        self.problems[slot] = self.problem
        if self.data != NULL:
            self.problems[slot].user_data = <void *>(self.data + k * self.data_stride)

    def residual(self, ptrdiff_t k, const double[::1] x not None):
        """Return the residual of fit k at x, (m,)."""
        cdef double[::1] f = np.empty(self.m)
        cdef int code
        self.bind(0, k)
        with nogil:
            code = self.problems[0].residual(self.m, self.n, &x[0], &f[0],
                                             self.problems[0].user_data)
        if code != 0:
            raise EvaluationError(f"residual returned {code}")
        return np.asarray(f)
