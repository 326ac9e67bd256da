"""The residual, the Jacobian and the triangle of one block of rows, see rows.pxi."""


ctypedef int (*residual_callback)(lmoo_point *at, const double *x, double *f) noexcept nogil


ctypedef struct block_driver:
    PyObject *fun       # the block's Residual, borrowed
    lm_state *s         # members for a strategy; counts its evaluations
    const double *root  # factors of the residuals for a strategy; NULL for none


cdef class RefusedError(Exception):
    """A block cannot be evaluated at this point.

    Attributes
    ----------
    error : BaseException or None
        The exception of the user's function.
    entry, value : int, float
        The first entry of the residual that is not finite, and its value; -1 if all are finite.
    evaluations : int
    """

    cdef readonly object error
    cdef readonly ptrdiff_t entry, evaluations
    cdef readonly double value

    def __init__(self, error, ptrdiff_t entry, double value, ptrdiff_t evaluations):
        self.error, self.entry, self.value, self.evaluations = error, entry, value, evaluations


cdef cnp.ndarray _first(Residual fun, ptrdiff_t n, const double *x):
    """Return the residual of a block of unknown length; it may be the user's own array."""
    if fun.begin(n, x):
        raise RefusedError(fun.refusal, -1, 0.0, 0)
    value = fun.first
    fun.first = None
    return <cnp.ndarray>value


cdef double _norm(cnp.ndarray value, LossKernel loss) except? -1.0:
    """Return |f|, or the root of twice the cost with a loss; raise RefusedError if it is not finite."""
    cdef ptrdiff_t i, m = cnp.PyArray_DIM(value, 0)
    cdef const double *f = <const double *>cnp.PyArray_DATA(value)
    cdef double norm
    if loss is not None:
        if loss.table.kind == LM_LOSS_CALLED:
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

    Raise RefusedError if it cannot be evaluated.
    """
    cdef cnp.ndarray value = _first(fun, x.shape[0], &x[0])
    cdef double norm = _norm(value, loss)
    return cnp.PyArray_DIM(value, 0), norm, fun.table.precision


def block_triangle(Residual fun not None, Derivatives jac not None, const double[::1] x not None,
                   bint high_accuracy, ptrdiff_t models, double fnorm,
                   double start_fnorm, ptrdiff_t rows, double least_noise,
                   const double[::1] acnorm not None, const double[::1] length not None,
                   const double[::1] diag not None, const double[:, ::1] bounds, bint with_sizes,
                   LossKernel loss=None):
    """Return the results of one block at x.

    They are (rows, |f|, precision, triangle, evaluations, relative_error, noise, error, interval, curvature, sizes, sums,
    overlaps).

    fun, jac   new, of this block;  x: n doubles, n >= 1
    high_accuracy, models, fnorm, start_fnorm, rows, least_noise, acnorm, length, diag, bounds
               members of the iteration's state for the strategy, of the whole problem; rows: 0 if unknown
    triangle   (n, n + 1), Fortran-ordered, [R | q] on and above the diagonal, zeros below; new
    noise, error, interval, curvature, sizes   as in `PartialQR`; sizes only if with_sizes is set
    overlaps   (n,), sum_i |f_i J_ij| / fnorm; see evaluate/overlaps.pxi

    Raise RefusedError if it cannot be evaluated.
    """
    cdef ptrdiff_t n = x.shape[0]
    cdef cnp.ndarray f = np.array(_first(fun, n, &x[0]))
    cdef double norm = _norm(f, loss)
    cdef ptrdiff_t m = cnp.PyArray_DIM(f, 0)
    cdef cnp.ndarray t = np.zeros((n, n + 1), order="F"), overlaps = np.zeros(n)
    cdef const double *model = <const double *>cnp.PyArray_DATA(f)
    cdef const double *root = NULL
    cdef block_driver d
    cdef lmoo_point at
    sums = None if loss is None else np.zeros(4)
    if m == 0:
        return (m, norm, fun.table.precision, t, 0, 0.0, 0.0, np.zeros(n), np.full(n, np.inf), np.zeros(n),
                None, sums, overlaps)
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
        at.high_accuracy, at.relative_error = high_accuracy, 0.0
        # Called with the GIL; -1 if an exception is set.
        at.residual = <residual_callback><void *>_evaluate_block
        at.jacobian = _no_jacobian
        at.driver = &d
        at.column_error, at.interval, at.length = d.s.column_error, d.s.interval, d.s.length
        at.share = sqrt(<double>m / rows) if rows > m else 1.0
        fun.refusal = None
        if loss is not None:
            _apply_loss(loss, f, sums)
            model, root = loss.table.model, loss.table.root
            if jac.weighs:
                # As for problems without blocks, see evaluate/vectors.pxi.
                d.root, at.f, root = root, loss.table.weighted, NULL
        matrix = jac.of_block(&at, fun)
        _fold(matrix, root, model, fnorm, t, overlaps)
        if not all_finite(n * (n + 1), <const double *>cnp.PyArray_DATA(t)):
            raise RefusedError(None, -1, 0.0, d.s.nfev)
        measured = not np.array_equal(new_vector(n, d.s.length), length)
        return (m, norm, fun.table.precision, t, d.s.nfev, at.relative_error, at.noise,
                _errors(t, new_vector(n, d.s.column_error)),
                new_vector(n, d.s.interval),
                _curvature(t, new_vector(n, d.s.length)) if measured else np.zeros(n),
                _sizes(matrix, root, new_vector(n, d.s.interval), np.asarray(diag)) if with_sizes else None, sums,
                overlaps)
    finally:
        free(d.s)


cdef int _apply_loss(LossKernel loss, cnp.ndarray f, sums) except -1:
    """Compute the factors of the rows of a block and its sums with a loss."""
    cdef ptrdiff_t m = cnp.PyArray_DIM(f, 0)
    cdef const double *values = <const double *>cnp.PyArray_DATA(f)
    cdef double[::1] out = sums
    loss.place(m, m)
    if loss_rows(&loss.table, m, values) < 0 or loss_sums(&loss.table, m, values, &out[0]) < 0:
        reraise()
    return 0


cdef object _curvature(triangle, length):
    """Return the norms of the second derivatives by each parameter, |J_j| / L_j; 0 if L is unknown."""
    norms = _norms(triangle)
    return np.divide(norms, length, out=np.zeros_like(norms), where=length > 0.0)


cdef object _sizes(matrix, const double *root, interval, diag):
    """Return the triangle of the rows times their sizes in units of D; None if no column is a difference.

    root: factors of the rows, NULL for 1
    """
    known = (interval > 0.0) & (diag > 0.0)
    if not known.any():
        return None
    if root != NULL:
        matrix = matrix * new_vector(len(matrix), root)[:, None]
    cdef cnp.ndarray sizes = np.max(np.abs(matrix[:, known]) / diag[known], axis=1)
    cdef cnp.ndarray zeros = np.zeros(len(matrix))
    n = len(diag)
    t = np.zeros((n, n + 1), order="F")
    _fold(matrix, <const double *>cnp.PyArray_DATA(sizes), <const double *>cnp.PyArray_DATA(zeros), 0.0, t, np.zeros(n))
    return t


cdef object _errors(triangle, errors):
    """Return the norms of the errors of the columns from the relative errors; 0 for exact columns."""
    return np.multiply(_norms(triangle), errors, out=np.zeros_like(errors), where=errors > 0.0)


cdef object _norms(triangle):
    """Return the norms of the columns of J from R."""
    cdef const double[::1, :] t = triangle
    cdef ptrdiff_t j, n = t.shape[0]
    cdef double[::1] norms = np.empty(n)
    for j in range(n):
        norms[j] = enorm(j + 1, &t[0, j])
    return np.asarray(norms)


cdef object filled_block(Derivatives jac, lmoo_point *at, Residual fun):
    """Return the Jacobian that a strategy writes."""
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


cdef int _evaluate_block(lmoo_point *at, const double *x, double *f) except -1:
    """Implement lmoo_point.residual: values that are not finite are a bad point."""
    cdef block_driver *d = <block_driver *>at.driver
    cdef int bad
    d.s.nfev += 1
    bad = (<Residual>d.fun).evaluate(at.n, x, f)
    if not bad and d.root != NULL:
        multiply_rows(at.m, d.root, f, f)
    return bad or not all_finite(at.m, f)


cdef int _no_jacobian(lmoo_point *at) noexcept nogil:
    """Implement lmoo_point.jacobian: there is no compiled one."""
    return LMOO_NOT_PROVIDED
