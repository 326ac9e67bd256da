"""A problem among others, with its residual and its own Jacobian strategy."""

ctypedef int (*residual_callback)(lmoo_point *at, const double *x, double *f) noexcept nogil


ctypedef struct lm_member:
    # What a strategy's calls back are given.
    void *fun               # the member's Source, borrowed
    lm_state *s             # of this member alone; counts its evaluations
    const double *root      # by which a strategy wants residuals multiplied; NULL where it does not
    int code                # negative: what a compiled function returned to end the solve
    bint own                # its own derivatives have been used


cdef int _evaluate(lmoo_point *at, const double *x, double *f) noexcept nogil:
    """lmoo_point.residual: an evaluation that must be finite; the GIL is held."""
    cdef lm_member *member = <lm_member *>at.driver
    cdef int code = (<evaluate_function><void *>_evaluate_source)(member.fun, at.m, at.n, x, f)
    member.s.nfev += 1
    if code < 0:
        member.code = code
        return code
    if code == 0 and member.root != NULL:
        multiply_rows(at.m, member.root, f, f)
    return code > 0 or not all_finite(at.m, f)


ctypedef int (*evaluate_function)(void *fun, ptrdiff_t m, ptrdiff_t n, const double *x, double *f) noexcept nogil


cdef int _evaluate_source(void *fun, ptrdiff_t m, ptrdiff_t n, const double *x, double *f) except? -1:
    """f at x of a Source; -1 with an exception set, or what its function returned."""
    cdef Source source = <Source>fun
    return source.table.residual(m, n, x, f, source.table.user_data)


cdef int _own_jacobian(lmoo_point *at) noexcept nogil:
    """lmoo_point.jacobian: that of a compiled member."""
    cdef lm_member *member = <lm_member *>at.driver
    cdef int code = (<jacobian_function><void *>_jacobian_of_source)(member.fun, at)
    if code != LMOO_NOT_PROVIDED:
        member.own = True
        if code < 0:
            member.code = code
    return code


ctypedef int (*jacobian_function)(void *fun, lmoo_point *at) noexcept nogil


cdef int _jacobian_of_source(void *fun, lmoo_point *at) except? -1:
    cdef Source source = <Source>fun
    cdef int code = LMOO_NOT_PROVIDED
    if source.table.jacobian != NULL:
        code = source.table.jacobian(at.m, at.n, at.x, at.fjac, source.table.user_data)
    if code == LMOO_NOT_PROVIDED and source.table.both != NULL:
        code = source.table.both(at.m, at.n, at.x, at.f_work, at.fjac, source.table.user_data)
    return code


cdef class Member:
    """A problem among others: its residual, its derivatives, and which parameters it has.

    Parameters
    ----------
    fun : Source
        New, of this problem alone.
    derivatives : Derivatives
    index : (n,) intp array
        Its parameters among those of the whole, in its own order.
    exact : bool
        Whether the derivatives are no differences.
    label : str
        What messages call it.
    priors : int, default 0
        How many of its last rows are priors.  They come behind the rows of all members, as the loss
        leaves the last rows as they are.
    """

    cdef Source fun
    cdef Derivatives derivatives
    cdef readonly object index, label
    cdef bint exact
    cdef ptrdiff_t n, m, row, priors, prior_row
    cdef const ptrdiff_t *where
    cdef ptrdiff_t own                  # parameters of its own
    cdef const ptrdiff_t *slot          # n: where its columns are in its block
    cdef object state, x, rows, slots
    cdef lm_state *s
    cdef double *at_x

    def __cinit__(self, Source fun not None, Derivatives derivatives not None, index, bint exact, str label,
                  ptrdiff_t priors=0):
        cdef cnp.ndarray array = np.ascontiguousarray(index, dtype=np.intp)
        self.fun, self.derivatives, self.exact, self.label = fun, derivatives, exact, label
        self.index, self.n = array, cnp.PyArray_SIZE(array)
        self.where = <const ptrdiff_t *>cnp.PyArray_DATA(array)
        self.m, self.priors = fun.table.m, priors
        self.state = np.zeros(lm_state_bytes(self.n, True, False) // 8 + 1)
        self.s = <lm_state *>cnp.PyArray_DATA(<cnp.ndarray>self.state)
        # A strategy does not ask for the model, and n x n numbers for each member would be most of the memory.
        self.s.linear = &ARROW
        lm_attach(self.s, self.n)
        self.x = np.zeros(self.n)
        self.at_x = <double *>cnp.PyArray_DATA(<cnp.ndarray>self.x)

    cdef object arrange(self, ptrdiff_t shared):
        """Place its columns: own ones, then the shared ones, ascending; return these shared parameters."""
        order = np.argsort(self.index, kind="stable")
        count = int(np.count_nonzero(self.index < shared))
        self.own = self.n - count
        self.slots = np.empty(self.n, dtype=np.intp)
        self.slots[order[:count]] = np.arange(self.own, self.n)
        self.slots[order[count:]] = np.arange(self.own)
        self.slot = <const ptrdiff_t *>cnp.PyArray_DATA(<cnp.ndarray>self.slots)
        return self.index[order[:count]]

    cdef void gather(self, const double *x) noexcept:
        cdef ptrdiff_t j
        for j in range(self.n):
            self.at_x[j] = x[self.where[j]]

    cdef double *space(self, ptrdiff_t which) noexcept:
        """Memory for the rows of a member with priors, one after the other; which: 0, 1 or 2."""
        return <double *>cnp.PyArray_DATA(<cnp.ndarray>self.rows) + which * self.m

    cdef const double *together(self, const double *f, ptrdiff_t which) noexcept:
        """Its rows of a vector of all rows, one after the other."""
        cdef double *out
        if self.priors == 0:
            return f + self.row
        out = self.space(which)
        memcpy(out, f + self.row, <size_t>(self.m - self.priors) * sizeof(double))
        memcpy(out + self.m - self.priors, f + self.prior_row, <size_t>self.priors * sizeof(double))
        return out

    cdef void apart(self, const double *rows, double *f) noexcept:
        """Put its rows into the vector of all rows."""
        memcpy(f + self.row, rows, <size_t>(self.m - self.priors) * sizeof(double))
        memcpy(f + self.prior_row, rows + self.m - self.priors, <size_t>self.priors * sizeof(double))

    cdef int fail(self, int code) except -1:
        """Raise what ended the solve."""
        if PyErr_Occurred():
            try:
                reraise()
            except Exception as error:
                error.add_note(f"in {self.label} of the joint problem")
                raise
        error = EvaluationError(f"{self.label} of the joint problem ended the solve: it returned {code}")
        error.code = code
        raise error
