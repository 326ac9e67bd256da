"""The loop of a solve with errors in x, of which the parameters of the model are seen."""


cdef class PointLoop(ArrowLoop):
    """One solve with errors in x, of which the parameters of the model are seen.

    Of what the base classes have, x, bounds, fixed_or_active, gradient, acnorm and the factor are those of the n
    parameters of the model; the residual is, for each point, its distance from the curve in units of the errors,
    with the sign of that in y.
    """

    cdef object kept

    cdef int place(self, ptrdiff_t m) except -1:
        """Memory for the distances of the points and m residuals, three times."""
        cdef ptrdiff_t count = self.arrow.groups, length = m + count
        cdef double *memory
        self.memory = np.zeros(3 * length)
        memory = <double *>cnp.PyArray_DATA(<cnp.ndarray>self.memory)
        self.d.f, self.d.previous, self.d.trial = memory, memory + length, memory + 2 * length
        self.m, self.d.m, self.d.rows = m, length, count
        if self.kernel is not None:
            self.kernel.place(count, count)
            # The points are not what can be made small by their own parameters.
            self.kernel.table.parameters = self.arrow.shared
        return 0

    cdef double norm(self) noexcept:
        """Return the norm of the residuals, which are behind the distances."""
        return enorm(self.m, self.d.trial + self.arrow.groups)

    @property
    def observations(self):
        """Points; 0 where nothing has been evaluated."""
        return self.arrow.groups if self.d.evaluated else 0

    @property
    def x(self):
        return new_vector(self.arrow.shared, self.s.x)

    @property
    def compiled(self):
        """Whether the model runs compiled."""
        return (<PointGroups>self.groups).model is not None

    def true_points(self):
        """Return the estimates of the points, (k, m)."""
        return (<PointGroups>self.groups).true_points(new_vector(self.n, self.s.x))

    @property
    def residual(self):
        return new_vector(self.arrow.groups, self.d.f) if self.d.evaluated else np.empty(0)

    @property
    def bounds(self):
        edges = ArrowLoop.bounds.__get__(self)
        return None if edges is None else edges[:, :self.arrow.shared]

    @property
    def fixed_or_active(self):
        return ArrowLoop.fixed_or_active.__get__(self)[:self.arrow.shared]

    @property
    def gradient(self):
        return ArrowLoop.gradient.__get__(self)[:self.arrow.shared]

    def reduced(self):
        """Return (r, ipvt, qtf, acnorm) of the parameters, the points being at their best for each."""
        cdef ptrdiff_t s = self.arrow.shared
        if self.kept is None or self.kept[0] != self.d.njev:
            active = ArrowLoop.fixed_or_active.__get__(self) if self.s.bounded else None
            t, order = self.arrow.factor(self.s.jacobian_error, active)[3:5]
            r = np.asfortranarray(t[:, :s])
            norms = np.zeros(s)
            norms[order] = [enorm_of(column) for column in r.T]
            self.kept = (self.d.njev, (r, order.astype(np.int32), t[:, s].copy(), norms))
        return self.kept[1]

    def factors(self):
        """MINPACK's fjac, (n, points), with R alone."""
        n = self.arrow.shared
        packed = np.zeros((n, max(self.arrow.groups, n)))
        packed[:, :n] = self.reduced()[0].T
        return packed

    @property
    def r(self):
        return self.reduced()[0]

    @property
    def ipvt(self):
        return self.reduced()[1]

    @property
    def qtf(self):
        return self.reduced()[2]

    @property
    def acnorm(self):
        return self.reduced()[3]


cdef double enorm_of(column) except? -1.0:
    cdef const double[::1] values = np.ascontiguousarray(column)
    return enorm(values.shape[0], &values[0])
