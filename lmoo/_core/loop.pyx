"""The driver for problems written in Python: it answers what the iteration asks.

``step`` is the whole of it, and reads like the algorithm.  Memory: the state (n^2), three residual
vectors, one Jacobian buffer, all made once a solve; nothing is allocated afterwards but the x that
user code gets as its own.
"""

from libc.math cimport isfinite, sqrt
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

import numpy as np

cimport numpy as cnp

from lmoo._core.covariance cimport inverse_gram
from lmoo._core.derivatives cimport Derivatives
from lmoo._core.fold cimport fold, fold_work_bytes, pivot_triangle
from lmoo._core.iteration cimport *
from lmoo._core.model cimport *
from lmoo._core.norms cimport column_norms, enorm
from lmoo._core.qr cimport put_diagonal, qrfac
from lmoo._core.residual cimport Residual, own_vector

cnp.import_array()

# Above this m n^2 the fold's one pass through memory beats MINPACK's n, and letting go of the
# GIL costs less than keeping it.
cdef double LARGE = 1e6
cdef double EPSMCH = 2.0**-52


cdef class Loop:
    """One solve of a problem given by Python callables.

    Parameters
    ----------
    fun : Residual
        New: its counts become those of the solve.
    jac : Derivatives
    x0 : (n,) float64 array, contiguous, finite
    diag : (n,) float64 array of positive numbers, or None
    ftol, xtol, gtol, factor, epsfcn : float
    maxfev : int
    tests : int
        LM_TESTS_MINPACK (0) or LM_TESTS_ACCURATE (1), see stopping.pyx.
    """

    def __cinit__(self, Residual fun, Derivatives jac, cnp.ndarray x0, diag, double ftol,
                  double xtol, double gtol, double factor, ptrdiff_t maxfev, int tests):
        cdef lm_options options
        cdef const double[::1] scale
        self.fun, self.derivatives = fun, jac
        cdef const double *start = <const double *>cnp.PyArray_DATA(x0)
        self.n = cnp.PyArray_SIZE(x0)
        self.m = -1
        self.s = <lm_state *>calloc(1, lm_state_bytes(self.n))
        if self.s == NULL:
            raise MemoryError()
        lm_attach(self.s, self.n)
        options.ftol, options.xtol, options.gtol, options.factor = ftol, xtol, gtol, factor
        options.maxfev, options.tests, options.refine = maxfev, tests, jac.can_refine
        options.epsfcn = 2.0**-52
        options.user_scale = 0
        if diag is None:
            lm_start(self.s, &options, start, NULL)
        else:
            scale = diag
            lm_start(self.s, &options, start, &scale[0])

    def __dealloc__(self):
        free(self.s)
        free(self.memory)

    # ---- the solve --------------------------------------------------------------------------

    cdef int step(self) except -1:
        """Go on until a trial point has been judged (1) or the iteration has ended (0)."""
        cdef lm_state *s = self.s
        cdef int request = lm_advance(s)
        cdef ptrdiff_t nit = s.nit
        while request != LM_DONE and s.nit == nit:
            if request == LM_RESIDUAL:
                if self.m < 0:
                    self.begin()
                else:
                    self.evaluate()
            else:
                self.linearize(request == LM_REFINE or s.refined)
            s.nfev = self.fun.nfev
            request = lm_advance(s)
            if s.accepted:
                self.f, self.trial, self.previous = self.trial, self.previous, self.f
            elif s.reverted:
                self.f, self.previous = self.previous, self.f
        return request != LM_DONE or s.nit != nit

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
        return 0

    def stop(self, int status):
        """End the iteration at its last good point."""
        lm_stop(self.s, status)

    cdef int begin(self) except -1:
        """The first residual: it tells m."""
        cdef bint bad = self.fun.begin(self.n, self.s.trial)
        if not bad:
            if self.fun.m < self.n:
                raise TypeError(
                    f"Improper input: {self.fun.name} input vector length N={self.n} exceeds its "
                    f"output vector length M={self.fun.m}")
            self.m = self.fun.m
            self.allocate()
            self.fun.take(self.fun.first, self.trial)
            self.fun.first = None
            memcpy(self.f, self.trial, <size_t>self.m * sizeof(double))
            bad = not isfinite(enorm(self.m, self.f))
            if self.s.options.tests == LM_TESTS_ACCURATE:
                self.s.options.epsfcn = max(self.fun.eps, self.derivatives.noise)
        if bad:
            lm_refuse(self.s)
        else:
            lm_residual(self.s, enorm(self.m, self.f))
        return 0

    cdef int allocate(self) except -1:
        """All memory that depends on m."""
        cdef size_t m = <size_t>self.m, n = <size_t>self.n
        cdef cnp.npy_intp shape[2]
        cdef size_t kernels = n * n + 5 * n + fold_work_bytes(self.n) // sizeof(double)
        self.memory = <double *>malloc((3 * m + kernels) * sizeof(double))
        if self.memory == NULL:
            raise MemoryError()
        self.f, self.previous, self.trial = self.memory, self.memory + m, self.memory + 2 * m
        self.work = self.memory + 3 * m
        shape[0], shape[1] = self.n, self.m
        buffer = cnp.PyArray_ZEROS(2, shape, cnp.NPY_DOUBLE, 0)
        self.fjac = <double *>cnp.PyArray_DATA(<cnp.ndarray>buffer)
        self.out = buffer.T
        return 0

    cdef int evaluate(self) except -1:
        """Answer LM_RESIDUAL."""
        cdef double fnorm
        if self.fun.evaluate(self.n, self.s.trial, self.trial):
            lm_refuse(self.s)
            return 0
        fnorm = enorm(self.m, self.trial)
        if isfinite(fnorm):
            lm_residual(self.s, fnorm)
        else:
            lm_refuse(self.s)
        return 0

    cdef int linearize(self, bint better) except -1:
        """Answer LM_LINEARIZE or LM_REFINE: fill the Jacobian, factor it, hand over the model."""
        cdef bint good
        self.factored = False
        self.njev += 1
        # The trial has been judged, so its memory is free.
        if self.derivatives.fill(self.fun, self.s, self.f, self.fjac, self.out, self.work,
                                 self.trial, better):
            lm_refuse(self.s)
            return 0
        if <double>self.m * self.n * self.n > LARGE:
            with nogil:
                good = self.fold_rows()
        else:
            good = self.factor_in_place()
        if good:
            # Sums of m products, and what follows from them, are good to some ten times this.
            self.s.jacobian_error = 10.0 * max(self.derivatives.error(self.fun, better),
                                               EPSMCH * sqrt(<double>self.m))
            lm_linearized(self.s)
        else:
            lm_refuse(self.s)
        return 0

    cdef bint factor_in_place(self) noexcept nogil:
        """The model by qrfac on the whole Jacobian; False where an entry is not finite."""
        cdef ptrdiff_t i, j, m = self.m, n = self.n
        cdef double *a = self.fjac
        cdef double *acnorm = self.work + n
        column_norms(m, n, a, m, acnorm)
        if not lm_sound(self.s, acnorm):
            return False
        memcpy(self.s.model.acnorm, acnorm, <size_t>n * sizeof(double))
        memcpy(self.trial, self.f, <size_t>m * sizeof(double))
        qrfac(m, n, a, m, self.s.model.ipvt, self.work, self.s.model.acnorm, acnorm, self.trial,
              self.s.model.qtf)
        put_diagonal(n, a, m, self.work)
        for j in range(n):
            for i in range(j + 1):
                self.s.model.r[i + j * n] = a[i + j * m]
        self.factored = True
        return True

    cdef bint fold_rows(self) noexcept nogil:
        """The model by one pass over the rows; False where an entry is not finite."""
        cdef ptrdiff_t j, m = self.m, n = self.n
        cdef double *t = self.work
        cdef double *block = t + n * n + n
        cdef double *acnorm = block
        memset(t, 0, <size_t>(n * n + n) * sizeof(double))
        fold(m, n, self.fjac, 1, m, self.f, t, block)
        for j in range(n):
            acnorm[j] = enorm(j + 1, t + j * n)
        if not lm_sound(self.s, acnorm):
            return False
        pivot_triangle(n, t, self.s.model.ipvt, self.s.model.acnorm, self.s.model.qtf, block)
        memcpy(self.s.model.r, t, <size_t>(n * n) * sizeof(double))
        return True

    # ---- what came of it --------------------------------------------------------------------

    @property
    def status(self):
        return self.s.status

    @property
    def done(self):
        return self.s.request == LM_DONE

    @property
    def nfev(self):
        return self.fun.nfev

    @property
    def jacobian_error(self):
        """Relative error of the columns of J."""
        return self.s.jacobian_error

    @property
    def nit(self):
        return self.s.nit

    def take_refusal(self):
        """What the user raised to refuse the starting point, or None.

        What is kept is a copy: its traceback would hold on to everything that holds this loop.
        """
        refusal = self.fun.refusal
        if refusal is not None:
            self.fun.refusal = self.fun.bad_point(*refusal.args)
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
    def residual(self):
        """f at x, a copy; empty before the first evaluation."""
        return own_vector(self.m, self.f) if self.m >= 0 else np.empty(0)

    @property
    def qtf(self):
        return own_vector(self.n, self.s.model.qtf)

    @property
    def gradient(self):
        """J^T f = P R^T (Q^T f)[:n] of the last model; infinite where it overflows."""
        cdef ptrdiff_t i, j, n = self.n
        cdef double[::1] out = np.empty(n)
        cdef double total
        for j in range(n):
            total = 0.0
            for i in range(j + 1):
                total += self.s.model.r[i + j * n] * self.s.model.qtf[i]
            out[self.s.model.ipvt[j]] = total
        return np.asarray(out)

    @property
    def acnorm(self):
        return own_vector(self.n, self.s.model.acnorm)

    @property
    def r(self):
        """R, (n, n), zeros below the diagonal, a copy."""
        cdef ptrdiff_t n = self.n
        return np.triu(np.asarray(<double[:n, :n]>self.s.model.r).T)

    @property
    def ipvt(self):
        """The permutation, int32, 0-based, a copy."""
        cdef ptrdiff_t n = self.n
        return np.array(<int[:n]>self.s.model.ipvt, dtype=np.int32)

    def out_of_jacobian(self):
        """The Jacobian buffer as the strategy left it, (m, n), a copy; empty before that."""
        return np.array(self.out) if self.out is not None else np.empty((0, 0))

    def factors(self):
        """MINPACK's fjac, (n, m) C-contiguous, with its own memory.

        Where the fold was used, or the last Jacobian was refused, there are no Householder
        vectors: zeros below R.
        """
        if self.factored:
            return np.array(self.out.T, order="C")
        packed = np.zeros((self.n, self.m))
        packed[:, :self.n] = self.r.T
        return packed

    def covariance(self):
        """(J^T J)^-1 of the last model, or None where R is singular."""
        cdef ptrdiff_t n = self.n
        cdef double[:, ::1] out = np.empty((n, n))
        cdef double[:, ::1] work = np.empty((n, n))
        if inverse_gram(n, self.s.model.r, self.s.model.ipvt, &work[0, 0], &out[0, 0]):
            return None
        return np.asarray(out)

    def record(self):
        """The last iteration: the fields of an iteration record, in its order."""
        cdef lm_state *s = self.s
        return (s.nit, self.x, 0.5 * s.fnorm * s.fnorm, s.delta, s.step_par, self.gradient, s.gnorm,
                s.ratio, bool(s.accepted), self.fun.nfev, self.njev)

    # ---- storing a solve in the middle --------------------------------------------------------

    def snapshot(self):
        """Everything that the solve has come to, as plain data."""
        cdef size_t size = lm_state_bytes(self.n)
        vectors = None
        if self.m >= 0:
            vectors = (self.residual, own_vector(self.m, self.previous))
        return {
            "version": LM_STATE_VERSION,
            "size": size,
            "state": (<char *>self.s)[:size],
            "vectors": vectors,
            "nfev": self.fun.nfev,
            "njev": self.njev,
            "eps": self.fun.eps,
        }

    def restore(self, dict stored):
        """Take a snapshot of a solve of the same problem and go on from there."""
        cdef size_t size = lm_state_bytes(self.n)
        cdef bytes state = stored["state"]
        if stored["version"] != LM_STATE_VERSION or stored["size"] != size:
            raise ValueError(
                f"the stored solve has format {stored['version']} and {stored['size']} bytes; "
                f"this lmoo reads format {LM_STATE_VERSION} and {size} bytes")
        if len(state) != <Py_ssize_t>size:
            raise ValueError(f"the stored solve has {len(state)} bytes where it says {size}")
        memcpy(self.s, <const char *>state, size)
        lm_attach(self.s, self.n)
        self.fun.nfev, self.fun.eps = stored["nfev"], stored["eps"]
        self.njev = stored["njev"]
        if stored["vectors"] is not None:
            f, previous = stored["vectors"]
            self.m = self.fun.m = len(f)
            self.allocate()
            self.fun.take(f, self.f)
            self.fun.take(previous, self.previous)
