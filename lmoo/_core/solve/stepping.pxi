"""Step strategies as Python objects: compiled ones, and those written in Python."""


cdef class Stepping:
    """Base: a step strategy as a table that the iteration calls."""

    cdef int ask(self, lm_state *s) except -1:
        """Answer LM_STEP."""
        raise NotImplementedError


cdef class Table(Stepping):
    """A compiled strategy: "default", "more", "nielsen", "geodesic", or a capsule named "lmoo_step"."""

    def __cinit__(self, which):
        cdef const lmoo_step *table
        self.capsule = which
        if which == "default":
            table = &DEFAULT
        elif which == "more":
            table = &MORE
        elif which == "nielsen":
            table = &NIELSEN
        elif which == "geodesic":
            table = &GEODESIC
        else:
            table = <const lmoo_step *>PyCapsule_GetPointer(which, b"lmoo_step")
        memcpy(&self.table, table, min(table.size, sizeof(lmoo_step)))
        self.table.size = sizeof(lmoo_step)


cdef int _ask(lm_state *s, void *context) noexcept nogil:
    return LM_STEP


cdef class Asked(Stepping):
    """A strategy in Python: a function ``func(model)`` that returns a step and its lambda.

    Between its steps the radius is updated as by More's strategy.
    """

    def __cinit__(self, func):
        self.func, self.memory, self.asks = func, {}, True
        self.table.size = sizeof(lmoo_step)
        self.table.propose = _ask
        self.table.update = more_update
        self.table.refused = more_refused

    cdef int ask(self, lm_state *s) except -1:
        cdef StepModel model = _model(s, self.memory)
        cdef const double[::1] step
        answer = self.func(model)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise TypeError(f"propose must return a step and its lambda; it returned {answer!r}")
        step = _step_of(answer[0], s.n)
        par = answer[1]
        if not (isinstance(par, (int, float, np.number)) and 0.0 <= par < np.inf):
            raise ValueError(f"propose must return a lambda that is not negative; it is {par!r}")
        memcpy(s.step, &step[0], <size_t>s.n * sizeof(double))
        s.par = par
        s.newton = s.par == 0.0
        s.delta = model.s.delta
        return 0


cdef object _step_of(value, ptrdiff_t n):
    array = np.array(value, dtype=np.float64)
    if array.shape != (n,) or not np.isfinite(array).all():
        raise ValueError(f"propose must return a step of {n} finite numbers; it is {value!r}")
    return array


cdef StepModel _model(const lm_state *s, memory):
    cdef StepModel model = StepModel.__new__(StepModel)
    model.s = <lm_state *>malloc(lm_bytes(s))
    if model.s == NULL:
        raise MemoryError()
    memcpy(model.s, s, lm_bytes(s))
    lm_attach(model.s, s.n)
    model.memory = memory
    return model


cdef object triangle_of(const lm_state *s):
    """Return R, (n, n), with zeros below the diagonal, the permutation, and (Q^T f)[:n] of the linear model."""
    cdef cnp.npy_intp shape[2]
    shape[0] = shape[1] = s.n
    cdef cnp.ndarray r = cnp.PyArray_EMPTY(2, shape, cnp.NPY_DOUBLE, 1)
    cdef cnp.ndarray ipvt = cnp.PyArray_EMPTY(1, shape, cnp.NPY_INT, 0)
    cdef cnp.ndarray qtf = cnp.PyArray_EMPTY(1, shape, cnp.NPY_DOUBLE, 0)
    # Memory views would take longer than the copies.
    s.linear.triangle(s.model, <double *>cnp.PyArray_DATA(r), <int *>cnp.PyArray_DATA(ipvt),
                      <double *>cnp.PyArray_DATA(qtf))
    return r, ipvt, qtf


cdef class StepModel:
    """The linear model at x, and the result of the last step, for a step strategy.

    It is a copy, which the strategy may keep.  J P = Q R; D is the diagonal scaling.

    Attributes
    ----------
    x, diag : (n,) float64 arrays
        The current point and D.
    r, ipvt, qtf : (n, n) float64, (n,) int32, (n,) float64 arrays
        R, the permutation, and the first n entries of Q^T f.
    gradient : (n,) float64 array
        ``J.T @ f``.
    fnorm : float
        Norm of the residual at x.
    delta : float
        Radius of the trust region, in units of ``|D step|``; may be set.
    lambda_ : float
        That of the last step, updated as by More's strategy.
    ratio : float
        Actual over predicted reduction of the last step, 0 if its point was bad.
    accepted : bool
        Whether the last step was accepted; False before the first.
    refused : int
        The number of bad points since the last accepted step.
    iteration : int
        The number of assessed trial points; 0 at the first step.
    memory : dict
        Data of the strategy for this solve; pickled with it.
    """

    __signature__ = ClassSignature()

    def __dealloc__(self):
        free(self.s)

    @property
    def x(self):
        return new_vector(self.s.n, self.s.x)

    @property
    def diag(self):
        return new_vector(self.s.n, self.s.diag)

    @property
    def r(self):
        return triangle_of(self.s)[0]

    @property
    def ipvt(self):
        return triangle_of(self.s)[1]

    @property
    def qtf(self):
        return triangle_of(self.s)[2]

    @property
    def gradient(self):
        cdef double[::1] out = np.empty(self.s.n)
        self.s.linear.gradient(self.s.model, NULL, 1.0, &out[0])
        return np.asarray(out)

    @property
    def fnorm(self):
        return self.s.fnorm

    @property
    def delta(self):
        return self.s.delta

    @delta.setter
    def delta(self, double value):
        if not 0.0 < value < np.inf:
            raise ValueError(f"delta must be positive and finite; it is {value!r}")
        self.s.delta = value

    @property
    def lambda_(self):
        return self.s.par

    @property
    def ratio(self):
        return self.s.ratio

    @property
    def accepted(self):
        return self.s.steps > 0 and self.s.refused == 0 and self.s.ratio >= 1e-4

    @property
    def refused(self):
        return self.s.refused

    @property
    def iteration(self):
        return self.s.nit

    def damped(self, double lambda_):
        """Return the step p that solves ``(J^T J + lambda D^2) p = -J^T f``."""
        cdef double[::1] p = np.empty(self.s.n)
        if not 0.0 <= lambda_ < np.inf:
            raise ValueError(f"lambda_ must not be negative; it is {lambda_!r}")
        self.s.linear.damped(self.s.model, lambda_, self.s.diag, &p[0])
        return np.asarray(p)

    def within(self, double delta):
        """Return More's step for this radius, ``|D p| <= 1.1 delta``, and its lambda."""
        cdef double[::1] p = np.empty(self.s.n)
        if not delta > 0.0:
            raise ValueError(f"delta must be positive; it is {delta!r}")
        par = step_within(self.s, delta, self.s.par, &p[0])
        return np.asarray(p), par

    def predicted_reduction(self, p):
        """Return the relative reduction of ``sum(f**2)`` that the model predicts for a step p."""
        cdef const double[::1] step = _step_of(p, self.s.n)
        predict(self.s, &step[0], False)
        return self.s.prered
