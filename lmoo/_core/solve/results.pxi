"""Results of a solve: its numbers and arrays, and Jacobians and covariances at its end."""


cdef class LoopResults(BaseLoop):
    """A solve with its results."""

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
        """The relative error of the columns of J."""
        return self.s.jacobian_error

    @property
    def measured(self):
        """The errors that were measured: three arrays (n,), and that of |f|.

        The arrays are the relative errors of the columns of J, the intervals of differences, and the lengths over which
        the columns change.
        """
        cdef lm_state *s = self.s
        return (new_vector(self.n, s.column_error), new_vector(self.n, s.interval),
                new_vector(self.n, s.length), s.least_noise)

    @property
    def relative_offset(self):
        """The relative reduction of |f|^2 that the last model predicts for a Gauss-Newton step."""
        return self.s.offset

    @property
    def noise(self):
        """The relative size of changes of |f|^2 that rounding errors hide."""
        return self.s.noise

    @property
    def njev(self):
        """The number of evaluated Jacobians."""
        return self.d.njev

    @property
    def differenced(self):
        """The number of residuals evaluated for differences, which nfev includes."""
        return self.d.differenced

    def rows_at_end(self):
        """Return the Jacobian of the linear model at x, (m, n), and its residual, (m,), evaluated once more.

        With a loss both are scaled.  None if the Jacobian cannot be evaluated.
        """
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
                new_vector(self.m, self.d.f if self.d.loss == NULL else self.d.loss.model))

    cdef object streamed_rows(self):
        """Return rows_at_end for a problem whose Jacobian has not been stored."""
        cdef double[::1, :] rows
        jacobian = self.whole_jacobian()
        if jacobian is None:
            return None
        self.recall()
        if self.d.loss == NULL:
            return jacobian, new_vector(self.m, self.d.f)
        if loss_rows(self.d.loss, self.m, self.d.f) < 0:
            reraise()
        rows = jacobian
        scale_rows(self.m, self.n, self.d.loss.root, &rows[0, 0], self.m)
        return jacobian, new_vector(self.m, self.d.loss.model)

    cdef object whole_jacobian(self):
        """Return the Jacobian at x of a compiled problem, (m, n); None if it cannot be evaluated."""
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
        """The scale C of the loss; None without a loss."""
        return None if self.kernel is None else self.kernel.table.scale

    @property
    def has_jacobian(self):
        """Whether a compiled problem has provided the derivatives."""
        return bool(self.d.has_jacobian)

    @property
    def nit(self):
        return self.s.nit

    def take_refusal(self):
        """Return the exception with which the user's function refused the starting point, or None.

        A copy of it is kept: its traceback would keep alive everything that refers to this loop.
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
        """Whether there is a linear model."""
        return self.s.models > 0

    @property
    def x(self):
        """A copy of the current point."""
        return new_vector(self.n, self.s.x)

    @property
    def observations(self):
        """The number of entries of the residual; 0 before the first evaluation."""
        return self.m if self.d.evaluated else 0

    @property
    def residual(self):
        """A copy of f at x; empty before the first evaluation."""
        self.recall()
        return new_vector(self.m, self.d.f) if self.d.evaluated else np.empty(0)

    @property
    def qtf(self):
        return triangle_of(self.s)[2]

    @property
    def bounds(self):
        """The bounds, (2, n), equal for a fixed parameter; None without bounds."""
        if not self.s.bounded:
            return None
        return np.stack([new_vector(self.n, self.s.lower), new_vector(self.n, self.s.upper)])

    @property
    def fixed_or_active(self):
        """For each parameter, int32: -1 at an active lower bound, 1 at an active upper one, 2 if fixed, else 0."""
        cdef ptrdiff_t n = self.n
        return np.array(<int[:n]>self.s.active) if self.s.bounded else np.zeros(n, dtype=np.int32)

    @property
    def gradient(self):
        """J^T f = P R^T (Q^T f)[:n] of the last model, for all parameters; infinite if it overflows."""
        if self.s.bounded:
            return new_vector(self.n, self.s.gradient)
        cdef cnp.ndarray out = np.empty(self.n)
        self.s.linear.gradient(self.s.model, NULL, 1.0, <double *>cnp.PyArray_DATA(out))
        return out

    @property
    def acnorm(self):
        return new_vector(self.n, self.s.free_norms)

    @property
    def r(self):
        """A copy of R, (n, n), zeros below the diagonal."""
        return triangle_of(self.s)[0]

    @property
    def ipvt(self):
        """A copy of the permutation, int32, 0-based."""
        return triangle_of(self.s)[1]

    def out_of_jacobian(self):
        """Return a copy of the Jacobian buffer as the strategy left it, (m, n); empty before the first evaluation."""
        if self.d.streams:
            jacobian = self.whole_jacobian()
            return np.empty((0, self.n)) if jacobian is None else jacobian
        return np.array(self.buffer.T[:self.m]) if self.m >= 0 else np.empty((0, 0))

    def factors(self):
        """Return MINPACK's fjac, (n, m) C-contiguous, a copy.

        If the fold was used, or the last Jacobian was refused, there are no Householder vectors: the entries below R
        are zero.
        """
        if self.d.factored:
            return np.array(self.buffer)
        packed = np.zeros((self.n, self.m))
        packed[:, :self.n] = self.r.T
        return packed

    def covariance(self):
        """Return (J^T J)^-1 of the last model, or None if R is singular."""
        cdef ptrdiff_t n = self.n
        # One small array holds R, (Q^T f)[:n], the permutation and work space: for each of them a memory view would take
        # longer than the computation.
        cdef cnp.ndarray memory = np.empty(2 * n * n + 2 * n), out = np.empty((n, n))
        cdef double *r = <double *>cnp.PyArray_DATA(memory)
        cdef int *ipvt = <int *>(r + 2 * n * n + n)
        self.s.linear.triangle(self.s.model, r, ipvt, r + 2 * n * n)
        return None if inverse_gram(n, r, ipvt, r + n * n, <double *>cnp.PyArray_DATA(out)) else out

    def is_safe(self, cnp.ndarray inverse not None):
        """Return whether it is certain that J has full rank, and that nothing overflows in this inverse of J^T J.

        If the columns of J are scaled to norm 1, the diagonal of the inverse contains the variance inflation factors.
        Their sum is that of the inverse squares of the singular values (Stewart 1987, "Collinearity and least squares
        regression", Statistical Science 2).
        """
        cdef double inflation = 0.0, error = 100.0 * self.s.jacobian_error, norm, variance
        cdef ptrdiff_t j
        for j in range(self.n):
            norm = self.s.free_norms[j]
            variance = (<double *>cnp.PyArray_GETPTR2(inverse, j, j))[0]
            if not 1e-50 < norm < 1e50 and variance != 0.0:
                return False
            inflation += variance * norm * norm
        return 1e-50 < self.s.fnorm < 1e50 and inflation * error * error < 1.0

    def record(self):
        """Return the fields of the last iteration's record, in its order."""
        cdef lm_state *s = self.s
        return (s.nit, self.x, 0.5 * s.fnorm * s.fnorm, s.delta, s.step_par, self.gradient, s.gnorm,
                s.ratio, bool(s.accepted), self.s.nfev, self.d.njev)
