"""Tall problems: the rows come in blocks, and of each block a triangle is all that is kept.

    block b      [J_b | f_b] = Q_b [R_b | q_b]                     (fold.pyx)
    merged       the rows of [R_b | q_b] of several b, folded into that of the first
    the model    R' P = Q R of what is left, qtf, |f|              (pivot_triangle)

Demmel, Grigori, Hoemmen, Langou (2012), "Communication-optimal parallel and sequential QR and LU
factorizations", SIAM J. Sci. Comput. 34, section 4: any tree of merges gives the R of the whole,
backward stable.  Whoever calls keeps to one tree, so that the bits do not depend on who computed
what.

A block is evaluated where it lies (`block_norm`, `block_triangle`), possibly in another process;
`RowLoop` answers what the iteration asks from passes over all blocks.  Memory: one block's
Jacobian with its residual for each block at work, O(n^2) besides.
"""

from cpython.exc cimport PyErr_Occurred
from cpython.object cimport PyObject
from libc.math cimport isfinite, sqrt
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

import numpy as np

cimport numpy as cnp

from lmoo._core.iteration cimport bounds_start
from lmoo._core.linalg cimport dense_fill_triangle
from lmoo._core.evaluate cimport FAILED, lm_driver, lm_evaluator, pause_at_request, refuse_request
from lmoo._core.fold cimport fold, fold_work_bytes
from lmoo._core.iteration cimport *
from lmoo._core.evaluate cimport drop_columns, tell_errors
from lmoo._core.evaluate cimport LossKernel, loss_norm, loss_rows, loss_sums, multiply_rows
from lmoo._core.model cimport *
from lmoo._core.norms cimport all_finite, enorm, first_not_finite

cnp.import_array()

cdef double EPSMCH = 2.0**-52

ctypedef int (*residual_callback)(lmoo_point *at, const double *x, double *f) noexcept nogil
ctypedef int (*residual_function)(lm_driver *d) noexcept nogil
ctypedef int (*linearize_function)(lm_driver *d, bint high_accuracy) noexcept nogil


# ---- one block ------------------------------------------------------------------------------

ctypedef struct block_driver:
    PyObject *fun       # the block's Residual, borrowed
    lm_state *s         # what a strategy may ask of the state; counts its evaluations
    const double *root  # by which a strategy wants residuals multiplied; NULL where it does not


cdef class RefusedError(Exception):
    """The block cannot be evaluated here.

    Attributes
    ----------
    error : BaseException or None
        What user code raised to say so.
    entry, value : int, float
        The first entry of the residual that is not finite, where there is one; else -1.
    evaluations : int
    """

    cdef readonly object error
    cdef readonly ptrdiff_t entry, evaluations
    cdef readonly double value

    def __init__(self, error, ptrdiff_t entry, double value, ptrdiff_t evaluations):
        self.error, self.entry, self.value, self.evaluations = error, entry, value, evaluations


cdef cnp.ndarray _first(Residual fun, ptrdiff_t n, const double *x):
    """The residual of a block whose length is not known yet; maybe in memory that is the user's."""
    if fun.begin(n, x):
        raise RefusedError(fun.refusal, -1, 0.0, 0)
    value = fun.first
    fun.first = None
    return <cnp.ndarray>value


cdef double _norm(cnp.ndarray value, LossKernel loss) except? -1.0:
    """|f|, or the root of twice the cost with a loss, which is to be finite."""
    cdef ptrdiff_t i, m = cnp.PyArray_DIM(value, 0)
    cdef const double *f = <const double *>cnp.PyArray_DATA(value)
    cdef double norm
    if loss is not None:
        loss.place(m, m)
        norm = loss_norm(&loss.table, m, f)
        if norm < 0.0:
            reraise()
    else:
        with nogil:
            norm = enorm(m, f)
    if not isfinite(norm):
        i = first_not_finite(m, f)
        raise RefusedError(None, i, norm if i < 0 else f[i], 0)
    return norm


def block_norm(Residual fun not None, const double[::1] x not None, LossKernel loss=None):
    """Return (rows, |f|, precision) of one block at x.

    fun   new, of this block;  x: n doubles, n >= 1;  loss: new, or None
    RefusedError where it cannot be evaluated.
    """
    cdef cnp.ndarray value = _first(fun, x.shape[0], &x[0])
    cdef double norm = _norm(value, loss)
    return cnp.PyArray_DIM(value, 0), norm, fun.table.precision


def block_triangle(Residual fun not None, Derivatives jac not None, const double[::1] x not None,
                   bint high_accuracy, ptrdiff_t models, double fnorm,
                   double start_fnorm, ptrdiff_t rows, double least_noise,
                   const double[::1] acnorm not None, const double[::1] length not None,
                   const double[::1] diag not None, const double[:, ::1] bounds,
                   LossKernel loss=None):
    """Return what one block at x gives: (rows, |f|, precision, triangle, evaluations, relative_error,
    noise, error, interval, curvature, sums).

    fun, jac   new, of this block;  x: n doubles, n >= 1
    high_accuracy, models, fnorm, start_fnorm, rows, least_noise, acnorm, length, diag, bounds
               what a strategy asks of the iteration's state, all of it of the whole; rows: 0 for unknown
    triangle   (n, n + 1), Fortran-ordered, [R | q] on and above the diagonal, zeros below; new
    noise, error, interval, curvature   as `Part` has them
    RefusedError where it cannot be evaluated.
    """
    cdef ptrdiff_t n = x.shape[0]
    cdef cnp.ndarray f = np.array(_first(fun, n, &x[0]))
    cdef double norm = _norm(f, loss)
    cdef ptrdiff_t m = cnp.PyArray_DIM(f, 0)
    cdef cnp.ndarray t = np.zeros((n, n + 1), order="F")
    cdef block_driver d
    cdef lmoo_point at
    sums = None if loss is None else np.zeros(4)
    if m == 0:
        return (m, norm, fun.table.precision, t, 0, 0.0, 0.0, np.zeros(n), np.full(n, np.inf), np.zeros(n),
                sums)
    d.root = NULL
    d.fun = <PyObject *>fun
    d.s = <lm_state *>calloc(1, lm_state_bytes(n, True, True))
    if d.s == NULL:
        raise MemoryError()
    try:
        lm_attach(d.s, n)
        d.s.models, d.s.fnorm, d.s.start_fnorm = models, fnorm, start_fnorm
        d.s.least_noise = least_noise
        if bounds is not None:
            bounds_start(d.s, &bounds[0, 0], &bounds[1, 0])
        memcpy(d.s.acnorm, &acnorm[0], <size_t>n * sizeof(double))
        memcpy(d.s.length, &length[0], <size_t>n * sizeof(double))
        memcpy(d.s.diag, &diag[0], <size_t>n * sizeof(double))
        memset(&at, 0, sizeof(lmoo_point))
        at.size = sizeof(lmoo_point)
        at.m, at.n = m, n
        at.x, at.f = &x[0], <const double *>cnp.PyArray_DATA(f)
        at.state = d.s
        at.precision = max(fun.table.precision, EPSMCH)
        at.better, at.relative_error = high_accuracy, 0.0
        # Called with the GIL; -1 says that an exception is set.
        at.residual = <residual_callback><void *>_evaluate_block
        at.jacobian = _no_jacobian
        at.driver = &d
        at.column_error, at.interval, at.length = d.s.column_error, d.s.interval, d.s.length
        at.share = sqrt(<double>m / rows) if rows > m else 1.0
        fun.refusal = None
        if loss is not None:
            _weigh(loss, f, sums)
            if isinstance(jac, Differences):
                # As for problems in one piece, see evaluate/vectors.pxi.
                d.root, at.f = loss.table.root, loss.table.weighted
        matrix = _own(<Rows>jac, &at, fun) if isinstance(jac, Rows) else _filled(jac, &at, fun)
        if loss is not None:
            if d.root == NULL:
                matrix = matrix * own_vector(m, loss.table.root)[:, None]
            f = own_vector(m, loss.table.model)
        _fold(matrix, f, t)
        if not all_finite(n * (n + 1), <const double *>cnp.PyArray_DATA(t)):
            raise RefusedError(None, -1, 0.0, d.s.nfev)
        measured = not np.array_equal(own_vector(n, d.s.length), length)
        return (m, norm, fun.table.precision, t, d.s.nfev, at.relative_error, at.noise,
                _errors(t, own_vector(n, d.s.column_error)),
                own_vector(n, d.s.interval),
                _curvature(t, own_vector(n, d.s.length)) if measured else np.zeros(n), sums)
    finally:
        free(d.s)


cdef int _weigh(LossKernel loss, cnp.ndarray f, sums) except -1:
    """Let the loss weigh the rows of a block, and write its sums."""
    cdef ptrdiff_t m = cnp.PyArray_DIM(f, 0)
    cdef const double *values = <const double *>cnp.PyArray_DATA(f)
    cdef double[::1] out = sums
    if loss_rows(&loss.table, m, values) < 0 or loss_sums(&loss.table, m, values, &out[0]) < 0:
        reraise()
    return 0


cdef object _curvature(triangle, length):
    """Norms of the second derivatives by each parameter, |J_j| / L_j; 0 where L is not known."""
    norms = _norms(triangle)
    return np.divide(norms, length, out=np.zeros_like(norms), where=length > 0.0)


cdef object _errors(triangle, errors):
    """Norms of the errors of the columns, from the relative ones; 0 of what is exact."""
    return np.multiply(_norms(triangle), errors, out=np.zeros_like(errors), where=errors > 0.0)


cdef object _norms(triangle):
    """Norms of the columns of J, from R."""
    cdef const double[::1, :] t = triangle
    cdef ptrdiff_t j, n = t.shape[0]
    cdef double[::1] norms = np.empty(n)
    for j in range(n):
        norms[j] = enorm(j + 1, &t[0, j])
    return np.asarray(norms)


cdef object _own(Rows jac, lmoo_point *at, Residual fun):
    """The Jacobian that a callable returns, not copied where it can be read as it is."""
    jac.attach(fun, np.empty((0, 0)))     # nothing is written
    matrix = jac.matrix(at)
    if matrix is None:
        raise RefusedError(fun.refusal, -1, 0.0, at.state.nfev)
    matrix = np.asarray(matrix, dtype=np.float64)
    if not matrix.flags.aligned or any(stride % 8 for stride in matrix.strides):
        return matrix.copy()
    return matrix


cdef object _filled(Derivatives jac, lmoo_point *at, Residual fun):
    """The Jacobian that a strategy writes."""
    cdef cnp.ndarray buffer = np.empty((at.n, at.m))
    cdef cnp.ndarray work = np.empty(at.n + at.m)
    cdef int code
    jac.attach(fun, buffer)
    at.fjac = <double *>cnp.PyArray_DATA(buffer)
    at.x_work = <double *>cnp.PyArray_DATA(work)
    at.f_work = at.x_work + at.n
    code = jac.table.evaluate(at, jac.table.context)
    if code > 0:
        raise RefusedError(fun.refusal, -1, 0.0, at.state.nfev)
    if code < 0:
        if PyErr_Occurred():
            reraise()
        error = fun.bad_point(f"jacobian, or what it calls, ended the solve: it returned {code}")
        error.code = code
        raise error
    return buffer.T


cdef int _fold(matrix, cnp.ndarray f, cnp.ndarray t) except -1:
    """Fold [matrix | f] into t."""
    cdef const double[:, :] a = matrix
    cdef const double *right = <const double *>cnp.PyArray_DATA(f)
    cdef double *triangle = <double *>cnp.PyArray_DATA(t)
    cdef ptrdiff_t m = a.shape[0], n = a.shape[1]
    cdef ptrdiff_t row_stride = a.strides[0] // 8, column_stride = a.strides[1] // 8
    cdef double *work = <double *>malloc(fold_work_bytes(n))
    if work == NULL:
        raise MemoryError()
    with nogil:
        fold(m, n, &a[0, 0], row_stride, column_stride, right, triangle, work)
    free(work)
    return 0


cdef int _evaluate_block(lmoo_point *at, const double *x, double *f) except -1:
    """lmoo_point.residual: an evaluation that must be finite."""
    cdef block_driver *d = <block_driver *>at.driver
    cdef int bad
    d.s.nfev += 1
    bad = (<Residual>d.fun).evaluate(at.n, x, f)
    if not bad and d.root != NULL:
        multiply_rows(at.m, d.root, f, f)
    return bad or not all_finite(at.m, f)


cdef int _no_jacobian(lmoo_point *at) noexcept nogil:
    """lmoo_point.jacobian: there is no compiled one."""
    return LMOO_NOT_PROVIDED


# ---- merging --------------------------------------------------------------------------------

def merge_norms(norms):
    """Return the norm of a vector from those of its parts, as safely as enorm, in their order."""
    cdef const double[::1] parts = np.array(norms, dtype=np.float64)
    return enorm(parts.shape[0], &parts[0])


def merge_triangles(list triangles not None):
    """Return the triangle of the stacked rows of some triangles, one at least, which are left alone."""
    cdef cnp.ndarray t = np.array(triangles[0], dtype=np.float64, order="F")
    if len(triangles) > 1:
        rest = np.asfortranarray(np.concatenate(triangles[1:]))
        _fold(rest[:, :-1], rest[:, -1], t)
    return t


# ---- the solve ------------------------------------------------------------------------------

cdef class RowSource(Source):
    """A problem that is evaluated in passes over its blocks, for one solve.

    Parameters
    ----------
    passes : object
        ``residual(x)`` and ``linearize(x, ...)``, with the arguments of block_triangle, evaluate all
        blocks and return an object with ``rows``, ``blocks``, ``norm``, ``precision``,
        ``refusal`` (an exception, or None), and for a model ``triangle``, ``evaluations``,
        ``relative_error``, ``noise``, ``error``, ``interval``, ``curvature``.
    """

    cdef object passes

    def __cinit__(self, passes):
        self.passes, self.name, self.python = passes, "residual", True
        self.table.size = sizeof(lmoo_problem)
        self.table.m = -1
        self.table.precision = EPSMCH


# As plain C functions: -1 says that an exception is set, which the caller of the solve raises.

cdef int _measure(lm_driver *d) except -1:
    """lm_evaluator.residual; called with the GIL."""
    if d.stop:
        return FAILED
    return (<RowLoop>d.owner).measure()


cdef int _linearize(lm_driver *d, bint high_accuracy) except -1:
    """lm_evaluator.linearize; called with the GIL."""
    if d.stop:
        return FAILED
    return (<RowLoop>d.owner).linearize(high_accuracy)


cdef lm_evaluator ROWS
ROWS.residual = <residual_function><void *>_measure
ROWS.linearize = <linearize_function><void *>_linearize
# It would take a second pass over the Jacobian: the strategy does without.
ROWS.curvature = refuse_request
ROWS.step = pause_at_request


cdef class RowLoop(Loop):
    """One solve of a problem in blocks; its ``fun`` is a RowSource."""

    cdef readonly ptrdiff_t rows, blocks    # of a pass; 0 before the first
    cdef readonly object sums               # of the loss, at the point of the last model; else None

    def __cinit__(self, *args):
        # The triangle, and work space to pivot it.
        self.memory = np.empty(
            self.n * self.n + 5 * self.n + fold_work_bytes(self.n) // sizeof(double))
        self.d.evaluator, self.d.owner = &ROWS, <void *>self

    cdef int measure(self) except -1:
        """Answer LM_RESIDUAL by a pass that evaluates residuals only."""
        cdef lm_state *s = self.s
        s.nfev += 1
        found = (<RowSource>self.fun).passes.residual(own_vector(self.n, s.trial))
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
        self.d.njev += 1
        found = (<RowSource>self.fun).passes.linearize(
            own_vector(n, s.x), high_accuracy, s.models, s.fnorm, s.start_fnorm, self.rows, s.least_noise,
            own_vector(n, lm_column_norms(s)), own_vector(n, s.length), own_vector(n, s.diag),
            self.bounds)
        s.nfev += found.evaluations
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
        if self.tell_errors(found, work):
            drop_columns(s, n, t, work)
        if self.linear is None:
            dense_fill_triangle(s, t, work, work + n)
        else:
            memcpy(s.acnorm, work, <size_t>n * sizeof(double))
            if s.linear.fill(s.model, n, t, n, t + n * n) != 0:
                lm_refuse(s)
                return 0
        lm_linearized(s)
        return 0

    cdef bint tell_errors(self, found, const double *acnorm) except? True:
        """What the blocks have measured, to the state; see evaluate/driver.pxi."""
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
        return tell_errors(s, acnorm, found.relative_error,
                           max(<double>found.precision, self.d.noise), found.noise, self.rows)

    cdef int refused(self, found) except -1:
        """Take a pass in: 1 where the point was bad; the rows are to be those of the first."""
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
                f"blocks must give as many rows at every pass: {self.rows} in {self.blocks} blocks "
                f"at the first, now {found.rows} in {found.blocks}")
        return 0

    # ---- results ----------------------------------------------------------------------------

    @property
    def observations(self):
        """Rows of the residual; 0 where there is none."""
        return self.rows if self.d.evaluated else 0

    @property
    def residual(self):
        """Empty: the rows are not kept."""
        return np.empty(0)

    def snapshot(self):
        """The whole state of the solve, as plain data."""
        stored = {**Loop.snapshot(self), "rows": (self.rows, self.blocks), "sums": self.sums}
        stored["checksum"] = checksum(stored)
        return stored

    def restore(self, stored):
        """Take a snapshot of a solve of the same problem and go on from there, as `Loop.restore`."""
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
        """None: the rows are not kept."""
        if field(stored, "vectors") is not None or field(stored, "jacobian") is not None:
            raise ValueError("vectors of the stored solve must be None, as it is one in blocks")
        if needed and field(stored, "rows")[0] == 0:
            raise ValueError("rows of the stored solve must be positive; it is 0")
        return None
