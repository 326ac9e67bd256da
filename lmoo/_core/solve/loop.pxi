"""The iteration of a solve: the driver with its memory, its problem and its strategies.

`Loop` (snapshot.pxi) is a `LoopResults` (results.pxi), which is a `BaseLoop`.
"""


cdef int _linearize_apart(lm_driver *d, bint high_accuracy) noexcept nogil:
    """Implement lm_evaluator.linearize; evaluations for Jacobians do not count towards maxfev."""
    cdef ptrdiff_t nfev = d.s.nfev
    cdef int outcome = VECTORS.linearize(d, high_accuracy)
    d.s.options.maxfev += d.s.nfev - nfev
    return outcome


cdef lm_evaluator JACOBIANS_APART
JACOBIANS_APART.residual = VECTORS.residual
JACOBIANS_APART.linearize = _linearize_apart
JACOBIANS_APART.curvature = VECTORS.curvature
JACOBIANS_APART.step = VECTORS.step


cdef class BaseLoop:
    """A solve that can be iterated.

    Parameters
    ----------
    fun : Source
        A Residual must be new, as it contains data of the solve.
    jac : Derivatives
    x0 : (n,) float64 array, contiguous, finite
    diag : (n,) float64 array of positive numbers, or None
    ftol, xtol, gtol, factor : float
    maxfev : int
    tests : int
        LM_TESTS_MINPACK (0) or LM_TESTS_ACCURATE (1), see iteration/stopping.pxi.
    step : Stepping or None
        The step strategy; None is More's.
    bounds : (2, n) float64 array, contiguous, or None
        The lower bounds and the upper ones, x0 between them; NaN for a fixed parameter.
    linear : LinearTable or None
        A new linear model; None is the dense one.
    stopped : type
        The exception for a compiled function that ends the solve; its ``code`` is the value of the function.
    kernel : LossKernel or None
        A new loss, as it contains data of the solve; None: the sum of squares.
    """

    def __cinit__(self, Source fun, Derivatives jac, cnp.ndarray x0, diag, double ftol,
                  double xtol, double gtol, double factor, ptrdiff_t maxfev, int tests,
                  Stepping step, const double[:, ::1] bounds, LinearTable linear, stopped,
                  LossKernel kernel=None):
        cdef lm_options options
        cdef const double[::1] scale
        cdef const double *start = <const double *>cnp.PyArray_DATA(x0)
        self.fun, self.derivatives, self.stepping, self.stopped = fun, jac, step, stopped
        self.linear = linear
        self.m = -1
        self.n = self.d.n = cnp.PyArray_SIZE(x0)
        self.bytes = lm_state_bytes(self.n, bounds is not None, linear is None)
        self.s = self.d.s = <lm_state *>calloc(1, self.bytes)
        if self.s == NULL:
            raise MemoryError()
        options.size = sizeof(lm_options)
        options.ftol, options.xtol, options.gtol, options.factor = ftol, xtol, gtol, factor
        options.maxfev, options.tests, options.refine = maxfev, tests, jac.table.refines
        options.epsfcn = 2.0**-52
        options.step = NULL if step is None else &step.table
        options.linear, options.model = NULL, NULL
        if linear is not None:
            linear.attach(self.s)
            options.linear, options.model = &linear.table, <void *>linear
        options.lower = options.upper = NULL
        if bounds is not None:
            assert bounds.shape[0] == 2 and bounds.shape[1] == self.n
            options.lower, options.upper = &bounds[0, 0], &bounds[1, 0]
        if diag is None:
            lm_start(self.s, self.n, &options, start, NULL)
        else:
            scale = diag
            lm_start(self.s, self.n, &options, start, &scale[0])
        self.kernel = kernel
        self.d.loss = NULL if kernel is None else &kernel.table
        self.d.problem, self.d.strategy = &fun.table, &jac.table
        self.d.python, self.d.noise = fun.python, jac.noise
        self.d.weighs_differences = jac.weighs
        self.d.threads = True
        self.d.interval = self.d.countdown = 1
        self.d.watching = not fun.python

    def __dealloc__(self):
        free(self.s)

    # ---- the solve --------------------------------------------------------------------------

    cdef int step(self, bint one_iteration) except -1:
        """Continue until the iteration has ended (0) or, with one_iteration, a trial point has been assessed (1).

        A step strategy in Python may return 1 without one_iteration, too.
        """
        cdef ptrdiff_t nit = self.s.nit
        cdef int outcome
        if self.memory is None:
            self.begin()
        while True:
            if self.d.python:
                outcome = driver_run(&self.d, one_iteration)
            else:
                with nogil:
                    outcome = driver_run(&self.d, one_iteration)
            if outcome < 0:
                self.fail()
            if self.s.failed:
                self.linear.reraise()
            if self.s.request != LM_STEP:
                return outcome
            self.stepping.ask(self.s)
            lm_stepped(self.s)
            if self.s.nit != nit:
                return 1

    cdef int fail(self) except -1:
        """Raise the reason why the solve ended: the exception that is set, or one for a compiled function's code."""
        if PyErr_Occurred():
            reraise()
        which = self.fun.name if self.s.request == LM_RESIDUAL else "jacobian, or what it calls,"
        if self.d.code == LMOO_NOT_PROVIDED:
            raise NotImplementedError(f"the compiled problem must provide {which.split(',')[0]}")
        error = self.stopped(f"{which} ended the solve: it returned {self.d.code}")
        error.code = self.d.code
        raise error

    def run(self):
        """Iterate until the end."""
        self.enter()
        try:
            while self.step(False):
                pass
        except WrongKindError as error:
            self.end_for_other_kind(error)
        finally:
            self.running = False

    def advance(self):
        """Run one iteration; return False if the solve has ended."""
        self.enter()
        try:
            return bool(self.step(True))
        except WrongKindError as error:
            self.end_for_other_kind(error)
            return False
        finally:
            self.running = False

    def end_for_other_kind(self, error):
        """End the solve at its start, for a loop for the other kind of Jacobian."""
        f = self.residual
        error.residual = f.astype(np.float32) if self.fun.table.precision > 2.0**-52 else f
        self.found = error.with_traceback(None)
        lm_stop(self.s, LM_STOPPED)

    def offer(self, found):
        """Begin with what another loop has evaluated at x0: a WrongKindError."""
        (<Residual?>self.fun).offer(found.residual)
        (<Rows?>self.derivatives).offer(found.jacobian)

    cdef int enter(self) except -1:
        """Raise RuntimeError if the solve is evaluating: user code or another thread must not continue it."""
        if self.running:
            raise RuntimeError("this solve is already running")
        self.running = True
        self.d.code = 0
        return 0

    def count_jacobians_apart(self):
        """Do not count evaluations for Jacobians towards maxfev."""
        self.d.evaluator = &JACOBIANS_APART

    def stop(self, int status):
        """End the iteration at its last good point; a running one before its next evaluation."""
        if self.running:
            self.d.stop = True
        else:
            lm_stop(self.s, status)

    cdef int begin(self) except -1:
        """Allocate memory for m residuals; if m is unknown, the first evaluation determines it."""
        cdef bint bad
        if self.m >= 0:
            return self.recall()
        if not self.fun.python:
            self.allocate(self.fun.table.m)
            return 0
        if self.s.request != LM_RESIDUAL:
            return 0
        self.s.nfev += 1
        bad = (<Residual>self.fun).begin(self.n, self.s.trial)
        if bad:
            lm_refuse(self.s)
            return 0
        if self.fun.table.m < (self.n if self.s.options.tests == LM_TESTS_MINPACK else 1):
            raise TypeError(
                f"Improper input: {self.fun.name} input vector length N={self.n} exceeds its "
                f"output vector length M={self.fun.table.m}")
        self.allocate(self.fun.table.m)
        (<Residual>self.fun).take((<Residual>self.fun).first, self.d.trial)
        (<Residual>self.fun).first = None
        if vectors_answer_residual(&self.d) < 0:
            reraise()
        return 0

    def release(self):
        """Free the vectors of m numbers of a solve that has ended, if its problem can evaluate them again.

        They are evaluated again, without being counted, when one of them is needed.
        """
        if self.d.streams and self.s.request == LM_DONE and not self.running:
            self.memory = self.buffer = None
            self.d.f = self.d.trial = self.d.fjac = NULL
            self.derivatives.attach(self.fun, np.empty((0, 0)))
            if self.kernel is not None:
                self.kernel.memory = None

    cdef int recall(self) except -1:
        """Evaluate the residual again that `release` has freed."""
        cdef int code
        if self.memory is not None or self.m < 0:
            return 0
        self.allocate(self.m)
        with nogil:
            code = driver_again(&self.d)
        if code != 0:
            self.fail()
        return 0

    cdef int allocate(self, ptrdiff_t m) except -1:
        """Allocate all memory that depends on m.

        Fewer residuals than parameters are padded with rows of zeros, which change no result.
        """
        cdef cnp.npy_intp shape[2]
        cdef ptrdiff_t padded = max(m, self.n)
        cdef const lm_evaluator *evaluator = self.d.evaluator
        # Allocated by numpy, which requests large pages for large arrays.
        self.d.streams = can_stream(self.d.problem, self.d.strategy, self.s, padded, self.n)
        shape[0] = <cnp.npy_intp>vectors_doubles(padded, self.n, self.d.streams)
        self.memory = cnp.PyArray_EMPTY(1, shape, cnp.NPY_DOUBLE, 0)
        if m < padded:
            self.memory.fill(0.0)
        shape[0], shape[1] = self.n, padded
        if self.d.streams:
            shape[0], shape[1] = 1, <cnp.npy_intp>stream_doubles(padded, self.n)
        self.buffer = cnp.PyArray_ZEROS(2, shape, cnp.NPY_DOUBLE, 0)
        vectors_place(&self.d, padded, <double *>cnp.PyArray_DATA(<cnp.ndarray>self.memory),
                     <double *>cnp.PyArray_DATA(<cnp.ndarray>self.buffer))
        if evaluator != NULL:
            self.d.evaluator = evaluator
        self.derivatives.attach(self.fun, self.buffer if m == padded else self.buffer[:, :m])
        if self.kernel is not None:
            self.kernel.place(m, padded)
        self.m = self.d.rows = m
        return 0
