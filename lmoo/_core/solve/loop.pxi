"""One solve as a Python object: the driver with its memory, its problem and its strategies."""

from cpython.exc cimport PyErr_Occurred
from libc.math cimport isfinite
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

import numpy as np

cimport numpy as cnp

from lmoo._core.linalg cimport inverse_gram
from lmoo._core.evaluate cimport *
from lmoo._core.iteration cimport *
from lmoo._core.evaluate cimport LossKernel, can_stream, loss_rows, scale_rows, stream_doubles
from lmoo._core.model cimport *
from lmoo._core.evaluate cimport (
    vectors_answer_residual, vectors_doubles, vectors_linearize_again, vectors_place,
)

cnp.import_array()


cdef class Loop:
    """One solve.

    Parameters
    ----------
    fun : Source
        A Residual is to be new, as it holds what belongs to a solve.
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
        The lower bounds and the upper ones, x0 between them; NaN for a parameter that is fixed.
    linear : LinearTable or None
        A linear model, new; None is the dense one.
    stopped : type
        The exception for a compiled function that ends the solve; its ``code`` is what it returned.
    kernel : LossKernel or None
        The loss, new, as it holds what belongs to a solve; None: the sum of squares.
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
        self.d.threads = True
        self.d.interval = self.d.countdown = 1
        self.d.watching = not fun.python

    def __dealloc__(self):
        free(self.s)

    # ---- the solve --------------------------------------------------------------------------

    cdef int step(self) except -1:
        """Go on until a trial point has been judged (1) or the iteration has ended (0)."""
        cdef ptrdiff_t nit = self.s.nit
        cdef int outcome
        if self.memory is None:
            self.begin()
        while True:
            if self.d.python:
                outcome = driver_run(&self.d, True)
            else:
                with nogil:
                    outcome = driver_run(&self.d, True)
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
        """Raise what ended the solve: an exception that is set, or a compiled function's code."""
        if PyErr_Occurred():
            reraise()
        which = self.fun.name if self.s.request == LM_RESIDUAL else "jacobian, or what it calls,"
        if self.d.code == LMOO_NOT_PROVIDED:
            raise NotImplementedError(f"the compiled problem must provide {which.split(',')[0]}")
        error = self.stopped(f"{which} ended the solve: it returned {self.d.code}")
        error.code = self.d.code
        raise error

    def run(self):
        """Iterate to the end."""
        self.enter()
        try:
            while self.step():
                pass
        finally:
            self.running = False

    def advance(self):
        """One iteration; False where there was none left."""
        self.enter()
        try:
            return bool(self.step())
        finally:
            self.running = False

    cdef int enter(self) except -1:
        """User code, or another thread, must not go on with a solve that is evaluating."""
        if self.running:
            raise RuntimeError("this solve is already running")
        self.running = True
        self.d.code = 0
        return 0

    def stop(self, int status):
        """End the iteration at its last good point; one that is running, before it evaluates."""
        if self.running:
            self.d.stop = True
        else:
            lm_stop(self.s, status)

    cdef int begin(self) except -1:
        """Memory for m residuals; where m is not known, the first evaluation tells it."""
        cdef bint bad
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

    cdef int allocate(self, ptrdiff_t m) except -1:
        """All memory that depends on m.

        Fewer residuals than parameters get rows of zeros behind them, which change nothing.
        """
        cdef cnp.npy_intp shape[2]
        cdef ptrdiff_t padded = max(m, self.n)
        # By numpy, which asks for large pages where there is much.
        shape[0] = <cnp.npy_intp>vectors_doubles(padded, self.n)
        self.memory = cnp.PyArray_EMPTY(1, shape, cnp.NPY_DOUBLE, 0)
        if m < padded:
            self.memory.fill(0.0)
        self.d.streams = can_stream(self.d.problem, self.d.strategy, self.s, padded, self.n)
        shape[0], shape[1] = self.n, padded
        if self.d.streams:
            shape[0], shape[1] = 1, <cnp.npy_intp>stream_doubles(padded, self.n)
        self.buffer = cnp.PyArray_ZEROS(2, shape, cnp.NPY_DOUBLE, 0)
        vectors_place(&self.d, padded, <double *>cnp.PyArray_DATA(<cnp.ndarray>self.memory),
                     <double *>cnp.PyArray_DATA(<cnp.ndarray>self.buffer))
        self.derivatives.attach(self.fun, self.buffer if m == padded else self.buffer[:, :m])
        if self.kernel is not None:
            self.kernel.place(m, padded)
        self.m = self.d.rows = m
        return 0

    # ---- results ----------------------------------------------------------------------------

    @property
    def status(self):
        return self.s.status

    @property
    def done(self):
        return self.s.request == LM_DONE

    @property
    def nfev(self):
        return self.s.nfev

    @property
    def jacobian_error(self):
        """Relative error of the columns of J."""
        return self.s.jacobian_error

    @property
    def measured(self):
        """What is known of errors: those of the columns of J, relative, the intervals of differences, the lengths
        over which columns change, and the error of |f| that was measured."""
        cdef lm_state *s = self.s
        return (own_vector(self.n, s.column_error), own_vector(self.n, s.interval),
                own_vector(self.n, s.length), s.least_noise)

    @property
    def relative_offset(self):
        """By how much the last model predicts a Gauss-Newton step to reduce |f|^2, relatively."""
        return self.s.offset

    @property
    def noise(self):
        """A relative change of |f|^2 that cannot be seen."""
        return self.s.noise

    @property
    def njev(self):
        """Jacobians evaluated."""
        return self.d.njev

    @property
    def differenced(self):
        """Residuals evaluated for differences, which nfev counts as well."""
        return self.d.differenced

    def rows_at_end(self):
        """Return the Jacobian of the linear model at x, (m, n), and its residual, (m,), evaluated once more; with a
        loss both scaled.  None where it cannot be had."""
        cdef int code
        self.enter()
        try:
            if self.d.streams:
                return self.streamed_rows()
            code = vectors_linearize_again(&self.d)
        finally:
            self.running = False
        if code < 0:
            self.fail()
        if code > 0:
            return None
        return (np.array(self.buffer.T[:self.m]),
                own_vector(self.m, self.d.f if self.d.loss == NULL else self.d.loss.model))

    cdef object streamed_rows(self):
        """As rows_at_end, of a problem whose Jacobian has not been stored."""
        cdef double[::1, :] rows
        jacobian = self.whole_jacobian()
        if jacobian is None:
            return None
        if self.d.loss == NULL:
            return jacobian, own_vector(self.m, self.d.f)
        if loss_rows(self.d.loss, self.m, self.d.f) < 0:
            reraise()
        rows = jacobian
        scale_rows(self.m, self.n, self.d.loss.root, &rows[0, 0], self.m)
        return jacobian, own_vector(self.m, self.d.loss.model)

    cdef object whole_jacobian(self):
        """The Jacobian at x of a compiled problem, (m, n); None where it cannot be had."""
        cdef double[::1, :] out = np.empty((self.m, self.n), order="F")
        cdef int code
        with nogil:
            code = self.d.problem.rows(0, self.m, self.n, self.s.x, NULL, &out[0, 0], self.d.problem.user_data)
        if code < 0:
            self.d.code = code
            self.fail()
        return None if code > 0 else np.asarray(out)

    @property
    def scale(self):
        """C of the loss; None where there is none."""
        return None if self.kernel is None else self.kernel.table.scale

    @property
    def has_jacobian(self):
        """Whether the derivatives were those of a compiled problem."""
        return bool(self.d.has_jacobian)

    @property
    def nit(self):
        return self.s.nit

    def take_refusal(self):
        """What the user raised to refuse the starting point, or None.

        What is kept is a copy: its traceback would hold on to everything that holds this loop.
        """
        refusal = self.fun.refusal
        if refusal is not None:
            self.fun.refusal = self.stopped(*refusal.args)
        return refusal

    @property
    def maxfev(self):
        return self.s.options.maxfev

    @property
    def fnorm(self):
        return self.s.fnorm

    @property
    def gnorm(self):
        return self.s.gnorm

    @property
    def linearized(self):
        """Whether there is a linear model at all."""
        return self.s.models > 0

    @property
    def x(self):
        """The current point, a copy."""
        return own_vector(self.n, self.s.x)

    @property
    def observations(self):
        """Entries of the residual; 0 where there is none."""
        return self.m if self.d.evaluated else 0

    @property
    def residual(self):
        """f at x, a copy; empty where there is none."""
        return own_vector(self.m, self.d.f) if self.d.evaluated else np.empty(0)

    @property
    def qtf(self):
        return triangle_of(self.s)[2]

    @property
    def bounds(self):
        """The bounds, (2, n), equal for a parameter that is fixed; None where there are none."""
        if not self.s.bounded:
            return None
        return np.stack([own_vector(self.n, self.s.lower), own_vector(self.n, self.s.upper)])

    @property
    def fixed_or_active(self):
        """For each parameter, int32: -1 with its lower bound active, 1 with its upper, 2 fixed, else 0."""
        cdef ptrdiff_t n = self.n
        return np.array(<int[:n]>self.s.active) if self.s.bounded else np.zeros(n, dtype=np.int32)

    @property
    def gradient(self):
        """J^T f = P R^T (Q^T f)[:n] of the last model, with those held; infinite where it overflows.
        """
        if self.s.bounded:
            return own_vector(self.n, self.s.gradient)
        cdef double[::1] out = np.empty(self.n)
        self.s.linear.gradient(self.s.model, NULL, 1.0, &out[0])
        return np.asarray(out)

    @property
    def acnorm(self):
        return own_vector(self.n, self.s.free_norms)

    @property
    def r(self):
        """R, (n, n), zeros below the diagonal, a copy."""
        return triangle_of(self.s)[0]

    @property
    def ipvt(self):
        """The permutation, int32, 0-based, a copy."""
        return triangle_of(self.s)[1]

    def out_of_jacobian(self):
        """The Jacobian buffer as the strategy left it, (m, n), a copy; empty before that."""
        if self.d.streams:
            jacobian = self.whole_jacobian()
            return np.empty((0, self.n)) if jacobian is None else jacobian
        return np.array(self.buffer.T[:self.m]) if self.m >= 0 else np.empty((0, 0))

    def factors(self):
        """MINPACK's fjac, (n, m) C-contiguous, with its own memory.

        Where the fold was used, or the last Jacobian was refused, there are no Householder
        vectors: zeros below R.
        """
        if self.d.factored:
            return np.array(self.buffer)
        packed = np.zeros((self.n, self.m))
        packed[:, :self.n] = self.r.T
        return packed

    def covariance(self):
        """(J^T J)^-1 of the last model, or None where R is singular."""
        cdef ptrdiff_t n = self.n
        # R, (Q^T f)[:n] and work space in one array, as they are small.
        cdef double[::1] r = np.empty(2 * n * n + n)
        cdef int[::1] ipvt = np.empty(n, dtype=np.int32)
        out = np.empty((n, n))
        cdef double[:, ::1] inverse = out
        self.s.linear.triangle(self.s.model, &r[0], &ipvt[0], &r[2 * n * n])
        return None if inverse_gram(n, &r[0], &ipvt[0], &r[n * n], &inverse[0, 0]) else out

    def is_safe(self, const double[:, ::1] inverse not None):
        """Whether this inverse of J^T J is certainly of full rank and without overflow.

        For columns of J scaled to norm 1 its diagonal contains the variance inflation factors.  Their
        sum is the sum of the inverse squares of the singular values (Stewart 1987, "Collinearity and
        least squares regression", Statistical Science 2).
        """
        cdef double inflation = 0.0, error = 100.0 * self.s.jacobian_error, norm
        cdef ptrdiff_t j
        for j in range(self.n):
            norm = self.s.free_norms[j]
            if not 1e-50 < norm < 1e50 and inverse[j, j] != 0.0:
                return False
            inflation += inverse[j, j] * norm * norm
        return 1e-50 < self.s.fnorm < 1e50 and inflation * error * error < 1.0

    def record(self):
        """The last iteration: the fields of an iteration record, in its order."""
        cdef lm_state *s = self.s
        return (s.nit, self.x, 0.5 * s.fnorm * s.fnorm, s.delta, s.step_par, self.gradient, s.gnorm,
                s.ratio, bool(s.accepted), self.s.nfev, self.d.njev)

    # ---- storing a solve in the middle --------------------------------------------------------

    def snapshot(self):
        """The whole state of the solve, as plain data."""
        cdef size_t size = self.bytes
        if self.linear is not None:
            raise TypeError(
                "a solve with a linear model of its own cannot be stored before its end: the model is not part of "
                "what is stored")
        vectors = jacobian = None
        if self.m >= 0:
            vectors = (own_vector(self.m, self.d.f), own_vector(self.m, self.d.previous))
            if wants_curvature(self.s) and not self.d.streams:
                jacobian = (np.array(self.buffer), own_vector(self.n, self.d.u0))
        stored = {
            "version": LM_STATE_VERSION,
            "size": size,
            "state": (<char *>self.s)[:size],
            "vectors": vectors,
            "jacobian": jacobian,
            "flags": (bool(self.d.evaluated), bool(self.d.factored), bool(self.d.folded),
                      bool(self.d.has_jacobian)),
            "njev": self.d.njev,
            "precision": self.fun.table.precision,
            "step": None if self.stepping is None else self.stepping.memory,
            "loss": None if self.kernel is None else (self.kernel.table.scale, self.kernel.table.rounds),
        }
        stored["checksum"] = checksum(stored)
        return stored

    def restore(self, stored):
        """Take a snapshot of a solve of the same problem and go on from there.

        ValueError where it is of another format or solve, or is damaged; nothing has changed then.
        """
        cdef size_t size = self.bytes
        version, found = field(stored, "version"), field(stored, "size")
        if version != LM_STATE_VERSION or found != size:
            raise ValueError(
                f"the stored solve has format {version} and {found} bytes; this lmoo reads format "
                f"{LM_STATE_VERSION} and {size} bytes. Solve again, or use the lmoo that stored it")
        state = field(stored, "state")
        if type(state) is not bytes or len(state) != found:
            held = f"{len(state)} bytes" if type(state) is bytes else f"a {type(state).__name__}"
            raise ValueError(f"the stored solve has {held} where it says {size} bytes")
        if field(stored, "checksum") != checksum(stored):
            raise ValueError("the stored solve is damaged: its checksum differs. Solve again")
        cdef ptrdiff_t njev = count(stored, "njev")
        precision, flags = field(stored, "precision"), field(stored, "flags")
        # 0 is what a compiled problem has that says nothing of it.
        if type(precision) is not float or not 0.0 <= precision < 1.0:
            raise ValueError(
                f"precision of the stored solve must be a number from 0 to 1; it is {precision!r}")
        if type(flags) is not tuple or len(flags) != 4 or {type(flag) for flag in flags} != {bool}:
            raise ValueError(f"flags of the stored solve must be four bool; they are {flags!r}")
        memory = field(stored, "step")
        if type(memory) is not type(None if self.stepping is None else self.stepping.memory):
            raise ValueError(
                f"step of the stored solve must be what its strategy keeps; it is {memory!r}")
        loss = self.stored_loss(stored)
        cdef lm_state *s = <lm_state *>calloc(1, size)
        if s == NULL:
            raise MemoryError()
        try:
            memcpy(s, <const char *>state, size)
            if s.n != self.n or s.bounded != self.s.bounded:
                raise ValueError(
                    f"the stored solve is damaged: it has {s.n} parameters and bounds {bool(s.bounded)}, not "
                    f"{self.n} and {bool(self.s.bounded)}")
            s.linear, s.model = self.s.linear, self.s.model
            lm_attach(s, self.n)
            check_state(self.s, s, isinstance(self.stepping, Asked))
            s.options.step = self.s.options.step
            curved = wants_curvature(s) and (self.fun.python or not can_stream(
                self.d.problem, self.d.strategy, s, self.fun.table.m, self.n))
            parts = self.stored_vectors(stored, s.started or flags[0], curved)
            s.options.lower = s.options.upper = NULL
            s.options.size = sizeof(lm_options)
            memcpy(self.s, s, size)
            lm_attach(self.s, self.n)
        finally:
            free(s)
        self.fun.table.precision = precision
        self.d.evaluated, self.d.factored, self.d.folded, self.d.has_jacobian = flags
        self.d.njev = njev
        if self.stepping is not None:
            self.stepping.memory = memory
        if loss is not None:
            self.kernel.table.scale, self.kernel.table.rounds = loss
        if parts is not None:
            self.restore_vectors(parts[0], parts[1])

    cdef object stored_loss(self, stored):
        """Scale and rounds of the loss of a snapshot; None where there is no loss."""
        loss = field(stored, "loss")
        if (loss is None) != (self.kernel is None):
            raise ValueError(
                f"loss of the stored solve must be that of its solver; it is {loss!r}")
        if loss is not None and not (
                type(loss) is tuple and len(loss) == 2 and type(loss[0]) is float
                and 0.0 < loss[0] < np.inf and type(loss[1]) is int and 0 <= loss[1] < 2**20):
            raise ValueError(f"loss of the stored solve must be a scale and a count; it is {loss!r}")
        return loss

    cdef object stored_vectors(self, stored, bint needed, bint curved):
        """The vectors of a snapshot and its Jacobian; None where it is not to have any."""
        vectors, jacobian = field(stored, "vectors"), field(stored, "jacobian")
        if vectors is None:
            if needed or jacobian is not None:
                raise ValueError("vectors of the stored solve must hold the residual; it has none")
            return None
        if type(vectors) is not tuple or len(vectors) != 2:
            raise ValueError("vectors of the stored solve must be a pair; they are not")
        m = vectors[0].size if isinstance(vectors[0], np.ndarray) else -1
        if m < 1 or not self.fun.python and m != self.fun.table.m:
            raise ValueError(
                f"the residual of the stored solve has {m} entries; the problem has "
                f"{self.n if self.fun.python else self.fun.table.m}"
                f"{' at least' if self.fun.python else ''}")
        vectors = tuple(vector(part, "vectors", (m,)) for part in vectors)
        if not curved:
            if jacobian is not None:
                raise ValueError("the stored solve has a Jacobian, which its strategy does not use")
            return vectors, None
        if type(jacobian) is not tuple or len(jacobian) != 2:
            raise ValueError("jacobian of the stored solve must be a pair; it is not")
        return vectors, (vector(jacobian[0], "jacobian", (self.n, max(m, self.n))),
                         vector(jacobian[1], "jacobian", (self.n,)))

    cdef int restore_vectors(self, vectors, jacobian) except -1:
        cdef const double[::1] f = vectors[0]
        cdef const double[::1] previous = vectors[1]
        cdef const double[::1] u0
        cdef size_t size = <size_t>f.shape[0] * sizeof(double)
        self.fun.table.m = f.shape[0]
        self.allocate(f.shape[0])
        memcpy(self.d.f, &f[0], size)
        memcpy(self.d.previous, &previous[0], size)
        if self.kernel is not None and loss_rows(&self.kernel.table, self.m, self.d.f) < 0:
            reraise()
        if jacobian is not None:
            self.buffer[...], u0 = jacobian
            memcpy(self.d.u0, &u0[0], <size_t>self.n * sizeof(double))
        return 0
