"""Linear models written in Python, as a table for the iteration.

Each function of the table takes the GIL, calls the method of the same name and checks its value.  An exception is kept
and ends the solve, which raises it; until then the functions return NaN.
"""


cdef class LinearTable:
    """Base of linear models, each for one solve."""

    cdef int attach(self, lm_state *s) except -1:
        """Attach the model to a solve; raise ValueError if it has been attached before."""
        if self.state != NULL:
            raise ValueError("a linear model belongs to one solve; make a new one for each")
        self.state = s
        return 0

    cdef int reraise(self) except -1:
        """Raise the exception that ended the solve."""
        error, self.error = self.error, None
        raise error


cdef class PythonLinear(LinearTable):
    """A linear model in Python.

    Parameters
    ----------
    model : LinearModel
        A new object with the methods of `lmoo.LinearModel`.
    """

    def __cinit__(self, model):
        self.model = model
        self.table.size = sizeof(lmoo_linear)
        self.table.fill = _fill
        self.table.leave_out = _leave_out
        self.table.truncate = _truncate
        self.table.gradient = _gradient
        self.table.predict = _predict
        self.table.gram = _gram
        self.table.damped = _damped
        self.table.damped_on_face = _damped_on_face
        self.table.solve = _solve
        self.table.within = NULL
        self.table.triangle = _triangle

    cdef ptrdiff_t size(self) noexcept:
        return self.state.n

    cdef int fail(self, error) except -1:
        """Store the first exception, and end the solve."""
        if self.error is None:
            self.error = error
        self.state.failed = 1
        return 0

    cdef int put(self, value, double *out, str name) except -1:
        """Check n numbers that a method has returned, and copy them."""
        cdef ptrdiff_t j
        cdef const double[::1] checked
        array = np.ascontiguousarray(value, dtype=np.float64)
        if array.shape != (self.size(),):
            raise ValueError(
                f"{name} of {type(self.model).__name__} must return {self.size()} numbers; it returned shape "
                f"{array.shape}")
        checked = array
        for j in range(self.size()):
            out[j] = checked[j]
        return 0


cdef object _mask(const int *active, ptrdiff_t n):
    """Return which parameters are free, (n,) bool."""
    cdef ptrdiff_t j
    return np.array([active[j] == 0 for j in range(n)], dtype=bool)


cdef void _fill_nan(ptrdiff_t n, double *out) noexcept:
    cdef ptrdiff_t j
    for j in range(n):
        out[j] = NAN


cdef int _fill(void *model, ptrdiff_t m, double *a, ptrdiff_t lda, double *f) noexcept with gil:
    cdef PythonLinear self = <PythonLinear>model
    cdef cnp.npy_intp shape[2]
    cdef cnp.npy_intp strides[2]
    shape[0], shape[1] = m, self.size()
    strides[0], strides[1] = sizeof(double), lda * sizeof(double)
    if self.error is not None:
        return 1
    try:
        jac = cnp.PyArray_New(np.ndarray, 2, shape, cnp.NPY_DOUBLE, strides, a, 0, 0, None)
        self.model._fill(jac, new_vector(m, f))
        return 0
    except BaseException as error:
        self.fail(error)
        return 1


cdef void _leave_out(void *model, const int *active) noexcept with gil:
    cdef PythonLinear self = <PythonLinear>model
    try:
        self.model._leave_out(_mask(active, self.size()))
    except BaseException as error:
        self.fail(error)


cdef ptrdiff_t _truncate(void *model, const double *column_error, double fnorm, double *newton,
                         double *error) noexcept with gil:
    cdef PythonLinear self = <PythonLinear>model
    newton[0] = error[0] = NAN
    if self.error is not None:
        return 0
    try:
        rank, newton[0], error[0] = self.model._truncate(new_vector(self.size(), column_error), fnorm)
        return rank
    except BaseException as raised:
        self.fail(raised)
        return 0


cdef void _gradient(void *model, const double *p, double fnorm, double *out) noexcept with gil:
    cdef PythonLinear self = <PythonLinear>model
    cdef ptrdiff_t n = self.size()
    _fill_nan(n, out)
    if self.error is not None:
        return
    try:
        self.put(self.model._gradient(None if p == NULL else new_vector(n, p), fnorm), out, "gradient")
    except BaseException as error:
        self.fail(error)


cdef void _predict(void *model, const double *p, int all, double fnorm, double *norm,
                   double *slope) noexcept with gil:
    cdef PythonLinear self = <PythonLinear>model
    norm[0] = slope[0] = NAN
    if self.error is not None:
        return
    try:
        norm[0], slope[0] = self.model._predict(new_vector(self.size(), p), fnorm)
    except BaseException as error:
        self.fail(error)


cdef void _gram(void *model, const double *v, double *out) noexcept with gil:
    cdef PythonLinear self = <PythonLinear>model
    _fill_nan(self.size(), out)
    if self.error is not None:
        return
    try:
        self.put(self.model._product(new_vector(self.size(), v)), out, "product")
    except BaseException as error:
        self.fail(error)


cdef void _damped(void *model, double par, const double *diag, double *p) noexcept with gil:
    cdef PythonLinear self = <PythonLinear>model
    _fill_nan(self.size(), p)
    if self.error is not None:
        return
    try:
        self.put(self.model._damped(par, new_vector(self.size(), diag)), p, "solve")
    except BaseException as error:
        self.fail(error)


cdef void _damped_on_face(void *model, const int *active, const double *moved, double par, const double *diag,
                          double *p) noexcept with gil:
    cdef PythonLinear self = <PythonLinear>model
    cdef ptrdiff_t n = self.size()
    _fill_nan(n, p)
    if self.error is not None:
        return
    try:
        self.put(self.model._damped_on_face(_mask(active, n), new_vector(n, moved), par, new_vector(n, diag)), p,
                 "solve")
    except BaseException as error:
        self.fail(error)


cdef int _solve(void *model, double par, const double *diag, const double *g, double *x) noexcept with gil:
    cdef PythonLinear self = <PythonLinear>model
    cdef ptrdiff_t n = self.size()
    if self.error is not None:
        return 1
    try:
        found = self.model._solve(par, new_vector(n, diag), new_vector(n, g))
        if found is None:
            return 1
        self.put(found, x, "solve")
        return 0
    except BaseException as error:
        self.fail(error)
        return 1


cdef void _triangle(void *model, double *r, int *ipvt, double *qtf) noexcept with gil:
    cdef PythonLinear self = <PythonLinear>model
    cdef ptrdiff_t j, n = self.size()
    cdef const double[::1, :] factor
    _fill_nan(n * n, r)
    _fill_nan(n, qtf)
    for j in range(n):
        ipvt[j] = <int>j
    try:
        found, right = self.model._triangle()
        factor = np.asfortranarray(found, dtype=np.float64)
        if factor.shape[0] != n or factor.shape[1] != n:
            raise ValueError(f"triangle of {type(self.model).__name__} must return ({n}, {n}) numbers")
        memcpy(r, &factor[0, 0], <size_t>(n * n) * sizeof(double))
        self.put(right, qtf, "triangle")
    except BaseException as error:
        self.fail(error)
