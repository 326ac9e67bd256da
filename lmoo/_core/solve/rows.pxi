"""Tall problems in blocks of rows, of which only the triangles are kept.

   block b      [J_b | f_b] = Q_b [R_b | q_b]                     (fold.pyx)
   merged       the rows of [R_b | q_b] of several b, folded into that of the first
   the model    R' P = Q R of the result, qtf, |f|                (pivot_triangle)

Demmel, Grigori, Hoemmen, Langou (2012), "Communication-optimal parallel and sequential QR and LU
factorizations", SIAM J. Sci. Comput. 34, section 4: any tree of merges gives the R of the whole, backward stable.  The
caller always uses the same tree, so that the bits do not depend on the distribution of the work.

A block is evaluated in the process that has its data (`block_norm`, `block_triangle` in block.pxi); `RowLoop` answers
the requests of the iteration by passes over all blocks.  Memory: the Jacobian and the residual of each block that is
being evaluated, and O(n^2).
"""


ctypedef int (*residual_function)(lm_driver *d) noexcept nogil
ctypedef int (*linearize_function)(lm_driver *d, bint high_accuracy) noexcept nogil


cdef class RowSource(Source):
    """A problem that is evaluated in passes over its blocks, for one solve.

    Parameters
    ----------
    passes : object
        ``residual(x)`` and ``linearize(x, ...)``, with the arguments of block_triangle, evaluate all
        blocks and return an object with ``rows``, ``blocks``, ``norm``, ``precision``,
        ``refusal`` (an exception, or None), and for a model ``triangle``, ``evaluations``,
        ``relative_error``, ``noise``, ``error``, ``interval``, ``curvature``, ``sizes``.
    """

    cdef object passes

    def __cinit__(self, passes):
        self.passes, self.name, self.python = passes, "residual", True
        self.table.size = sizeof(lmoo_problem)
        self.table.m = -1
        self.table.precision = EPSMCH


# Called as plain C functions; -1 if an exception is set, which the caller of the solve raises.

cdef int _measure(lm_driver *d) except -1:
    """Implement lm_evaluator.residual; called with the GIL."""
    if d.stop:
        return FAILED
    return (<RowLoop>d.owner).measure()


cdef int _linearize(lm_driver *d, bint high_accuracy) except -1:
    """Implement lm_evaluator.linearize; called with the GIL."""
    if d.stop:
        return FAILED
    return (<RowLoop>d.owner).linearize(high_accuracy)


cdef lm_evaluator ROWS
ROWS.residual = <residual_function><void *>_measure
ROWS.linearize = <linearize_function><void *>_linearize
# The curvature would need a second pass over the Jacobian; the strategy works without it.
ROWS.curvature = refuse_request
ROWS.step = pause_at_request


cdef object _linearized_blocks(RowLoop loop, bint high_accuracy, const double *scale, bint with_sizes):
    """Return the result of a pass that folds every block; scale: n, the units of the sizes of rows."""
    cdef lm_state *s = loop.s
    cdef ptrdiff_t n = loop.n
    loop.d.njev += 1
    found = (<RowSource>loop.fun).passes.linearize(
        new_vector(n, s.x), high_accuracy, s.models, s.fnorm, s.start_fnorm, loop.rows, s.least_noise,
        new_vector(n, lm_column_norms(s)), new_vector(n, s.length), new_vector(n, scale), loop.bounds, with_sizes)
    s.nfev += found.evaluations
    return found


cdef class RowLoop(Loop):
    """A solve of a problem in blocks; its ``fun`` is a RowSource."""

    cdef readonly ptrdiff_t rows, blocks    # of a pass; 0 before the first
    cdef readonly object sums               # of the loss, at the point of the last model; else None

    def __cinit__(self, *args):
        # The triangle, and work space for pivoting.
        self.memory = np.empty(
            self.n * self.n + 5 * self.n + fold_work_bytes(self.n) // sizeof(double))
        self.d.evaluator, self.d.owner = &ROWS, <void *>self

    cdef int measure(self) except -1:
        """Answer LM_RESIDUAL by a pass that evaluates the residuals."""
        cdef lm_state *s = self.s
        s.nfev += 1
        found = (<RowSource>self.fun).passes.residual(new_vector(self.n, s.trial))
        if self.refused(found):
            return 0
        self.fun.table.precision = found.precision
        if not s.started:
            self.d.evaluated = True
            if s.options.tests == LM_TESTS_ACCURATE:
                s.options.epsfcn = max(max(self.fun.table.precision, EPSMCH), self.d.noise)
        if isfinite(<double>found.norm):
            lm_residual(s, found.norm)
        else:
            lm_refuse(s)
        return 0

    cdef int linearize(self, bint high_accuracy) except -1:
        """Answer LM_LINEARIZE or LM_REFINE by a pass that folds every block."""
        cdef lm_state *s = self.s
        cdef ptrdiff_t j, n = self.n
        cdef double *t = <double *>cnp.PyArray_DATA(<cnp.ndarray>self.memory)
        cdef double *work = t + n * n + n
        cdef const double[::1, :] triangle
        cdef const double[::1, :] sizes
        cdef const double[::1] overlaps
        found = _linearized_blocks(self, high_accuracy, s.diag, s.models > 0 and wants_shares(s))
        if self.refused(found):
            return 0
        triangle = found.triangle
        self.sums = found.sums
        memcpy(t, &triangle[0, 0], <size_t>(n * n + n) * sizeof(double))
        for j in range(n):
            work[j] = enorm(j + 1, t + j * n)
        if not lm_sound(s, work):
            lm_refuse(s)
            return 0
        if self.store_errors(found, work):
            drop_columns(s, n, t, work)
        if found.overlaps is not None:
            overlaps = found.overlaps
            store_overlaps(s, &overlaps[0], work)
        if self.linear is None:
            dense_fill_triangle(s, t, work, work + n)
            if found.sizes is None and wants_shares(s):
                found = _linearized_blocks(self, high_accuracy, s.acnorm, True)
                if self.refused(found):
                    return 0
            if found.sizes is not None:
                sizes = found.sizes
                share_block_errors(s, &sizes[0, 0], self.rows, work)
        else:
            memcpy(s.acnorm, work, <size_t>n * sizeof(double))
            if s.linear.fill(s.model, n, t, n, t + n * n) != 0:
                lm_refuse(s)
                return 0
        lm_linearized(s)
        return 0

    cdef bint store_errors(self, found, const double *acnorm) except? True:
        """Store the errors that the blocks have measured in the state, see evaluate/linearize.pxi."""
        cdef lm_state *s = self.s
        cdef const double[::1] error = found.error
        cdef const double[::1] interval = found.interval
        cdef const double[::1] curvature = found.curvature
        cdef ptrdiff_t j
        for j in range(self.n):
            s.column_error[j] = error[j] / acnorm[j] if acnorm[j] > 0.0 else 0.0
            s.interval[j] = interval[j] if isfinite(interval[j]) else 0.0
            if curvature[j] > 0.0:
                s.length[j] = acnorm[j] / curvature[j]
        return store_errors(s, acnorm, found.relative_error,
                           max(<double>found.precision, self.d.noise), found.noise, self.rows)

    cdef int refused(self, found) except -1:
        """Process the result of a pass; return 1 at a bad point.  The rows must be those of the first pass."""
        if found.refusal is not None:
            self.fun.refusal = found.refusal if self.s.models == 0 else None
            lm_refuse(self.s)
            return 1
        if self.rows == 0:
            if found.rows < 1:
                raise TypeError(
                    f"Improper input: {self.fun.name} input vector length N={self.n} exceeds its "
                    f"output vector length M={found.rows}")
            self.rows, self.blocks = found.rows, found.blocks
        if found.rows != self.rows or found.blocks != self.blocks:
            raise ValueError(
                f"blocks must have the same number of rows in every pass: {self.rows} in {self.blocks} blocks "
                f"in the first, now {found.rows} in {found.blocks}")
        return 0

    # ---- results ----------------------------------------------------------------------------

    @property
    def observations(self):
        """The number of rows of the residual; 0 before the first evaluation."""
        return self.rows if self.d.evaluated else 0

    @property
    def residual(self):
        """An empty array: the rows are not kept."""
        return np.empty(0)

    def snapshot(self):
        """Return the whole state of the solve as plain data."""
        stored = {**Loop.snapshot(self), "rows": (self.rows, self.blocks), "sums": self.sums}
        stored["checksum"] = checksum(stored)
        return stored

    def restore(self, stored):
        """Replace the state by a snapshot of a solve of the same problem, as `Loop.restore`."""
        rows = field(stored, "rows")
        if type(rows) is not tuple or len(rows) != 2:
            raise ValueError(f"rows of the stored solve must be a pair of counts; it is {rows!r}")
        parts = dict(zip(("rows", "blocks"), rows))
        rows, blocks = count(parts, "rows"), count(parts, "blocks")
        if 0 < rows < self.n:
            raise ValueError(
                f"rows of the stored solve must be at least the {self.n} parameters; it is {rows}")
        sums = field(stored, "sums")
        if sums is not None:
            sums = vector(sums, "sums", (4,))
        Loop.restore(self, stored)
        self.rows, self.blocks, self.sums = rows, blocks, sums

    cdef object stored_vectors(self, stored, bint needed, bint curved):
        """Return None: the rows are not kept."""
        if field(stored, "vectors") is not None or field(stored, "jacobian") is not None:
            raise ValueError("vectors of the stored solve must be None for a problem in blocks")
        if needed and field(stored, "rows")[0] == 0:
            raise ValueError("rows of the stored solve must be positive; it is 0")
        return None
