"""The loop of a solve with the arrow linear model."""

ctypedef int (*residual_answer)(lm_driver *d) noexcept nogil
ctypedef int (*linearize_answer)(lm_driver *d, bint better) noexcept nogil


# Trial points are improved where their share of the predicted reduction is less, as that does not enlarge the radius.
cdef double GOOD_RATIO = 0.75
# Steps without this: most fits need no more.
cdef enum:
    FIRST_STEPS = 5

# Predicted reductions that are not compared, as rounding errors may be as large.
cdef double LEAST_PREDICTED = 1e-8


# As plain C functions: -1 says that an exception is set, which the caller of the solve raises.

cdef int _measure(lm_driver *d) except -1:
    """lm_evaluator.residual; called with the GIL."""
    if d.stop:
        return FAILED
    return (<ArrowLoop>d.owner).measure()


cdef int _linearize(lm_driver *d, bint better) except -1:
    """lm_evaluator.linearize; called with the GIL."""
    if d.stop:
        return FAILED
    return (<ArrowLoop>d.owner).linearize(better)


cdef lm_evaluator GROUPS
GROUPS.residual = <residual_answer><void *>_measure
GROUPS.linearize = <linearize_answer><void *>_linearize
# It would take the Jacobian once more: the strategy does without.
GROUPS.curvature = refuse_request
GROUPS.step = pause_at_request


cdef class ArrowLoop(Loop):
    """One solve with the arrow linear model.

    Parameters
    ----------
    fun : GroupSource
    linear : ArrowLinear
        New, of the shapes of the groups.
    The others are those of `Loop`.
    """

    def __cinit__(self, GroupSource fun, *args):
        self.groups = fun.groups
        self.arrow = <ArrowLinear?>self.linear
        assert self.arrow.n == self.n
        # Operations are given the model itself, not the object.
        self.s.model = &self.arrow.a
        self.d.evaluator, self.d.owner = &GROUPS, <void *>self
        # So that the base class does not allocate.
        self.memory = ()

    cdef int place(self, ptrdiff_t m) except -1:
        """Memory for m residuals, three times."""
        cdef double *memory
        self.memory = np.zeros(3 * max(m, 1))
        memory = <double *>cnp.PyArray_DATA(<cnp.ndarray>self.memory)
        self.d.f, self.d.previous, self.d.trial = memory, memory + m, memory + 2 * m
        self.m = self.d.m = self.d.rows = m
        if self.kernel is not None:
            self.kernel.place(m, m)
            self.kernel.table.weights = self.groups.weights
        return 0

    cdef int measure(self) except -1:
        """Answer LM_RESIDUAL."""
        cdef lm_state *s = self.s
        cdef bint bad
        s.nfev += 1
        if self.m < 0:
            bad = self.groups.begin(s.trial)
            if not bad:
                if self.groups.rows < 1:
                    raise ValueError("the problem has no residuals")
                self.fun.table.m = self.groups.rows
                self.place(self.groups.rows)
        else:
            bad = False
        bad = bad or self.groups.residual(s.trial, self.d.trial)
        if not bad and self.groups.settles and self.falls_short():
            bad = self.groups.settle(self)
        if bad:
            self.fun.refusal = self.groups.refusal
            lm_refuse(s)
            return 0
        self.fun.table.precision = self.groups.precision
        if vectors_answer_norm(&self.d, self.norm() if self.d.loss == NULL else -1.0) < 0:
            reraise()
        return 0

    cdef bint falls_short(self) noexcept:
        """Return whether the trial point of a step is worse than predicted, by more than rounding errors."""
        cdef lm_state *s = self.s
        cdef double ratio
        if s.nit < FIRST_STEPS or s.probe != 0 or s.search != 0 or s.prered < LEAST_PREDICTED or self.d.loss != NULL:
            return False
        ratio = self.norm() / s.fnorm
        return not 1.0 - ratio * ratio >= GOOD_RATIO * s.prered

    cdef double norm(self) noexcept:
        """Return the norm of the residual at the trial point."""
        return enorm(self.m, self.d.trial)

    cdef int linearize(self, bint better) except -1:
        """Answer LM_LINEARIZE or LM_REFINE."""
        cdef lm_state *s = self.s
        cdef lm_arrow *a = &self.arrow.a
        cdef double *norms = s.wa1
        cdef ptrdiff_t j
        self.d.njev += 1
        memset(s.column_error, 0, <size_t>self.n * sizeof(double))
        memset(s.interval, 0, <size_t>self.n * sizeof(double))
        if self.d.loss != NULL and loss_rows(self.d.loss, self.d.rows, self.d.f) < 0:
            reraise()
        arrow_begin(a)
        self.groups.differenced = 0
        if self.groups.linearize(self, better):
            self.fun.refusal = self.groups.refusal if s.models == 0 else None
            lm_refuse(s)
            return 0
        s.nfev += self.groups.differenced
        self.d.differenced += self.groups.differenced
        self.d.has_jacobian = self.groups.exact
        if self.groups.exact:
            # There is nothing better to be had.
            s.options.refine = 0
        arrow_finish(a, norms)
        if not lm_sound(s, norms):
            lm_refuse(s)
            return 0
        self.groups.finish(self, norms)
        if store_errors(s, norms, self.groups.relative, max(self.groups.precision, self.d.noise),
                       self.groups.noise, self.m):
            for j in range(self.n):
                if s.column_error[j] == 1.0 and norms[j] > 0.0:
                    arrow_drop(a, j)
                    norms[j] = 0.0
        arrow_add_parts(a)
        store_overlaps(s, a.overlaps, norms)
        arrow_take(a)
        memcpy(s.acnorm, norms, <size_t>self.n * sizeof(double))
        lm_linearized(s)
        return 0

    # ---- result --------------------------------------------------------------------

    def factor(self):
        """Return the factor of the last model of the free parameters, as `ArrowLinear.factor` does."""
        return self.arrow.factor(self.s.jacobian_error, self.fixed_or_active if self.s.bounded else None)

    @property
    def touched(self):
        """The shared parameters that the groups touch, `ArrowLinear.span` and `ArrowLinear.columns`."""
        return self.arrow.span, self.arrow.columns

    def dense_factor(self):
        """Return (r, ipvt, qtf), the factor of the last model of the free parameters as matrices."""
        return self.arrow.dense_factor(self.s.jacobian_error, self.fixed_or_active if self.s.bounded else None)

    def rows_at_end(self):
        raise TypeError("the Jacobian of a problem with an arrow linear model is never in memory as a whole")

    def out_of_jacobian(self):
        """Empty: there are blocks of it only."""
        return np.empty((0, 0))
