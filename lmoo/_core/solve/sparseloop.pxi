"""Solves whose Jacobian is a sparse matrix, which is never stored as a dense one.

Residuals are vectors in memory, as in evaluate/vectors.pxi.  The Jacobian is a matrix in Python, of a kind that the
linear model knows; the model, a `LinearModel` with ``sparse = True``, has the operations that the loop needs of it:

    _rows(value, shape)     the matrix in the form of the model, checked, with memory of its own
    _column_norms(matrix)   (n,)
    _scaled(matrix, root)   its rows multiplied by factors
    _without(matrix, which) columns set to zero
"""


cdef int _linearize_sparse(lm_driver *d, bint high_accuracy) except -1 with gil:
    """Implement lm_evaluator.linearize; -1 if an exception is set."""
    if d.stop:
        return FAILED
    return (<SparseLoop>d.owner).linearize(high_accuracy)


cdef int _linearize_sparse_apart(lm_driver *d, bint high_accuracy) except -1 with gil:
    """The same; evaluations for Jacobians do not count towards maxfev."""
    cdef ptrdiff_t nfev = d.s.nfev
    cdef int outcome = _linearize_sparse(d, high_accuracy)
    d.s.options.maxfev += d.s.nfev - nfev
    return outcome


cdef void _transposed(lm_driver *d, const double *v, double *out) noexcept with gil:
    """Implement lm_driver.transposed."""
    cdef SparseLoop loop = <SparseLoop>d.owner
    cdef const double[::1] found
    cdef ptrdiff_t j
    try:
        found = np.ascontiguousarray(loop.rows.T @ new_vector(loop.m, v))
        memcpy(out, &found[0], <size_t>loop.n * sizeof(double))
    except Exception:
        for j in range(loop.n):
            out[j] = NAN


cdef lm_evaluator SPARSE
SPARSE.residual = VECTORS.residual
SPARSE.linearize = <linearize_function><void *>_linearize_sparse
SPARSE.curvature = VECTORS.curvature
SPARSE.step = pause_at_request
cdef lm_evaluator SPARSE_APART = SPARSE
SPARSE_APART.linearize = <linearize_function><void *>_linearize_sparse_apart


cdef class SparseLoop(Loop):
    """A solve with a sparse Jacobian; its ``linear`` is a PythonLinear with a model for sparse matrices."""

    sparse = True

    def __cinit__(self, *args):
        self.model = (<PythonLinear?>self.linear).model
        self.d.evaluator, self.d.owner, self.d.transposed = &SPARSE, <void *>self, _transposed

    cdef int allocate(self, ptrdiff_t m) except -1:
        """Allocate memory for four vectors of m residuals, and O(n)."""
        cdef const lm_evaluator *evaluator = self.d.evaluator
        self.memory = np.zeros(4 * m + 6 * self.n)
        vectors_place(&self.d, m, <double *>cnp.PyArray_DATA(<cnp.ndarray>self.memory), NULL)
        self.d.evaluator = evaluator
        # A strategy for dense matrices has no buffer here.
        self.derivatives.attach(self.fun, np.empty((0, 0)))
        if self.kernel is not None:
            self.kernel.place(m, m)
        self.m = m
        return 0

    def count_jacobians_apart(self):
        self.d.evaluator = &SPARSE_APART

    cdef object scaled(self, value):
        """Return the rows of the linear model from the Jacobian of the strategy."""
        rows = self.model._rows(value, (self.m, self.n))
        if self.d.loss != NULL and not self.d.weighted:
            rows = self.model._scaled(rows, new_vector(self.m, self.d.loss.root))
        return rows

    cdef int linearize(self, bint high_accuracy) except -1:
        """Answer LM_LINEARIZE or LM_REFINE."""
        cdef lm_state *s = self.s
        cdef const double[::1] norms
        cdef const double[::1] sums
        cdef ptrdiff_t j
        if vectors_begin_model(&self.d, high_accuracy) < 0:
            reraise()
        value = (<Called>self.derivatives).sparse(&self.d.point)
        if value is None:
            lm_refuse(s)
            return 0
        rows = self.scaled(value)
        self.rows = rows
        norms = self.model._column_norms(rows)
        if not lm_sound(s, &norms[0]):
            lm_refuse(s)
            return 0
        if linearize_errors(&self.d, &norms[0]):
            dropped = np.array([s.column_error[j] == 1.0 for j in range(self.n)])
            self.rows = rows = self.model._without(rows, dropped)
            norms = np.where(dropped, 0.0, norms)
        memcpy(s.acnorm, &norms[0], <size_t>self.n * sizeof(double))
        residual = new_vector(self.m, self.d.f if self.d.loss == NULL else self.d.loss.model)
        self.model._fill(rows, residual)
        if s.options.tests == LM_TESTS_ACCURATE:
            sums = self.model._overlaps(rows, residual, s.fnorm)
            store_overlaps(s, &sums[0], &norms[0])
        # The curvature may be computed.
        self.d.folded = True
        lm_linearized(s)
        return 0

    def rows_at_end(self):
        """Return the Jacobian of the linear model at x, a sparse matrix, and its residual, evaluated once more.

        None if the Jacobian cannot be evaluated.
        """
        self.enter()
        try:
            if vectors_begin_model(&self.d, self.s.refined) < 0:
                reraise()
            value = (<Called>self.derivatives).sparse(&self.d.point)
            if value is None:
                return None
            rows = self.scaled(value)
        finally:
            self.running = False
        return rows, new_vector(self.m, self.d.f if self.d.loss == NULL else self.d.loss.model)

    def out_of_jacobian(self):
        """Return the last Jacobian, also if it was refused; empty before the first."""
        return np.empty((0, self.n)) if self.rows is None else self.rows
