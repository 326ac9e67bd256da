"""The user's residual, called from the compiled loop.

The user's function has no access to the memory of the solver: its x is a new array, and its value is copied at once.
"""


cdef extern from "Python.h":
    size_t PY_VECTORCALL_ARGUMENTS_OFFSET
    # The result as a plain pointer: NULL if the exception is set, without cost otherwise.
    PyObject *PyObject_Vectorcall(PyObject *func, PyObject **args, size_t nargsf, PyObject *names)
    int PyErr_ExceptionMatches(PyObject *kind)

cdef extern from "solve/reuse.h":
    bint lmoo_can_refill(PyObject *array, ptrdiff_t n)


MASKED = "leave these points out of the data, or return a number for each"


cdef int reraise() except -1:
    """Raise the exception that a C call has set."""
    return -1


cdef object new_vector(ptrdiff_t n, const double *x):
    """Return a new float64 array with the n doubles at x."""
    cdef cnp.npy_intp size = n
    cdef cnp.ndarray array = cnp.PyArray_SimpleNew(1, &size, cnp.NPY_DOUBLE)
    memcpy(cnp.PyArray_DATA(array), x, <size_t>n * sizeof(double))
    return array


cdef bint is_vector(object value):
    """Return whether value is an array that can be copied without conversion."""
    return (cnp.PyArray_CheckExact(value) and cnp.PyArray_TYPE(<cnp.ndarray>value) == cnp.NPY_DOUBLE
            and cnp.PyArray_NDIM(<cnp.ndarray>value) == 1
            and cnp.PyArray_ISCARRAY_RO(<cnp.ndarray>value))


cdef cnp.ndarray floats(list x0):
    """Return a list of floats as a vector, None for other lists; faster than np.array, which accepts more types."""
    cdef cnp.npy_intp i, size = len(x0)
    if size == 0:
        return None
    for i in range(size):
        if type(x0[i]) is not float:
            return None
    cdef cnp.ndarray array = cnp.PyArray_SimpleNew(1, &size, cnp.NPY_DOUBLE)
    for i in range(size):
        (<double *>cnp.PyArray_DATA(array))[i] = x0[i]
    return array


def start(x0, bint flatten):
    """Return x0 as a new float64 vector, and the index of its first entry that is not finite, or -1.

    Raise TypeError if it is not an array of real numbers; ValueError if it is not 1-D or is empty, unless flatten is
    set.
    """
    cdef cnp.ndarray x = floats(x0) if type(x0) is list else None
    if x is not None:
        return x, first_not_finite(cnp.PyArray_SIZE(x), <double *>cnp.PyArray_DATA(x))
    if type(x0) is not cnp.ndarray:
        x0 = refuse_masked("x0", x0)
    try:
        x = cnp.PyArray_FROM_O(x0)
    except ValueError as error:
        raise TypeError(f"x0 must be an array of real numbers: {error}") from error
    if not (cnp.PyArray_ISFLOAT(x) or cnp.PyArray_ISINTEGER(x) or cnp.PyArray_ISBOOL(x)):
        raise TypeError(f"x0 must be real numbers; it is of dtype {x.dtype}: {x0!r}")
    if cnp.PyArray_NDIM(x) != 1:
        if not flatten:
            raise ValueError(f"x0 must be 1-D and not empty; its shape is {(<object>x).shape}")
        x = cnp.PyArray_Ravel(x, cnp.NPY_CORDER)
    if not flatten and cnp.PyArray_SIZE(x) == 0:
        raise ValueError("x0 must be 1-D and not empty; its shape is (0,)")
    x = cnp.PyArray_FROM_OTF(
        x, cnp.NPY_DOUBLE, cnp.NPY_ARRAY_CARRAY | cnp.NPY_ARRAY_ENSURECOPY
        | cnp.NPY_ARRAY_FORCECAST)
    return x, first_not_finite(cnp.PyArray_SIZE(x), <double *>cnp.PyArray_DATA(x))


def is_finite(array):
    """Return whether all entries of a float64 array are finite."""
    cdef cnp.ndarray values = cnp.PyArray_FROM_OTF(array, cnp.NPY_DOUBLE, cnp.NPY_ARRAY_CARRAY_RO)
    return bool(all_finite(cnp.PyArray_SIZE(values), <const double *>cnp.PyArray_DATA(values)))


cdef bint _is_finite_vector(value):
    """Return whether value is a contiguous vector of finite numbers in double precision."""
    if type(value) is not cnp.ndarray or cnp.PyArray_TYPE(value) != cnp.NPY_DOUBLE or cnp.PyArray_NDIM(value) != 1:
        return False
    if not cnp.PyArray_CHKFLAGS(value, cnp.NPY_ARRAY_CARRAY_RO) or not cnp.PyArray_ISNOTSWAPPED(value):
        return False
    return all_finite(cnp.PyArray_SIZE(value), <const double *>cnp.PyArray_DATA(<cnp.ndarray>value))


def finite_curve(t, y, sigma, bint copied=True):
    """Return y and sigma, which may be None, where the data of a curve are vectors of numbers; else None.

    These are two or more finite numbers in double precision each, and those of sigma are such that `check_positive`
    takes them: there is nothing to convert, to leave out or to complain of.  They are copies; or y itself and a view of
    sigma, for a problem that ends with the call.
    """
    cdef ptrdiff_t i, m
    cdef const double *values = NULL
    if not (_is_finite_vector(t) and _is_finite_vector(y) and (sigma is None or _is_finite_vector(sigma))):
        return None
    m = cnp.PyArray_SIZE(y)
    if m < 2 or cnp.PyArray_SIZE(t) != m or (sigma is not None and cnp.PyArray_SIZE(sigma) != m):
        return None
    if sigma is not None:
        values = <const double *>cnp.PyArray_DATA(<cnp.ndarray>sigma)
        for i in range(m):
            if values[i] < DBL_MIN:
                return None
    if not copied:
        return y, None if sigma is None else sigma.view()
    return (new_vector(m, <const double *>cnp.PyArray_DATA(<cnp.ndarray>y)),
            None if sigma is None else new_vector(m, values))


def is_single(value):
    """Return whether value is a numpy or pandas array in single precision."""
    dtype = getattr(value, "dtype", None)
    # pandas' types of numbers with missing values have an attribute for the type of their numbers.
    return getattr(dtype, "numpy_dtype", dtype) == np.float32


def as_vector(value, str name, bint scalar):
    """Return the value of a residual as a contiguous float64 vector, and its precision.

    Raise TypeError or ValueError, with the name of the function, if it cannot be converted.
    """
    expected = f"{name} must return a 1-D array of real numbers"
    if value is None:
        raise TypeError(f"{expected}; it returned None")
    value = refuse_masked(f"what {name} returns", value, MASKED)
    try:
        array = np.asarray(plain(value))
    except ValueError as error:
        raise TypeError(f"{expected}; what it returned is no array: {error}") from error
    if array.dtype.kind not in "biuf":
        kind = {"c": "complex numbers", "U": "a str or several", "O": "Python objects"}.get(
            array.dtype.kind, "no numbers")
        raise TypeError(f"{expected}; it returned {kind} (dtype {array.dtype})")
    if array.ndim == 0 and scalar:
        array = array.reshape(1)
    if array.ndim != 1:
        shape = "a scalar" if array.ndim == 0 else f"shape {array.shape}"
        raise TypeError(f"{expected}; it returned {shape}")
    eps = float(np.finfo(array.dtype).eps) if array.dtype.kind == "f" else 2.0**-52
    return np.ascontiguousarray(array, dtype=np.float64), max(eps, 2.0**-52)


cdef int _evaluate(ptrdiff_t m, ptrdiff_t n, const double *x, double *fvec,
                   void *user_data) except -1:
    """Implement lmoo_problem.residual by a Python callable."""
    return (<Residual>user_data).evaluate(n, x, fvec)


cdef class Source:
    """A problem as a table of functions for the driver.

    Attributes
    ----------
    m : int
        Number of residuals, -1 if the first evaluation determines it.
    name : str
        What messages call the residual.
    refusal : BaseException or None
        The exception with which the user's function refused the starting point.
    """

    @property
    def m(self):
        return self.table.m


@cython.no_gc_clear
cdef class Residual(Source):
    """A Python callable and its arguments.

    Parameters
    ----------
    func : callable
        ``func(x, *args, **kwargs)``, returning m real numbers.
    args, kwargs : tuple, dict
        Kept for the lifetime of this object.
    name : str
        What messages call it.
    scalar : bool
        Whether a scalar is accepted as a vector of one number.
    bad_point : type
        The exception that the callable raises if it cannot be evaluated at x.
    """

    def __cinit__(self, func, tuple args, dict kwargs, str name, bint scalar, bad_point):
        cdef Py_ssize_t i
        self.func, self.name, self.scalar, self.bad_point = func, name, scalar, bad_point
        self.rest = args + tuple(kwargs.values())
        self.names = tuple(kwargs) if kwargs else None
        self.nargs = <size_t>(1 + len(args))
        self.python = True
        self.table.size = sizeof(lmoo_problem)
        self.table.m = -1
        self.table.user_data = <void *>self
        # The driver holds the GIL when it calls this; -1 if an exception is set.
        self.table.residual = <lmoo_residual_function><void *>_evaluate
        self.table.precision = 2.0**-52
        # The called function may use one entry before the arguments.
        self.stack = <PyObject **>malloc(<size_t>(2 + len(self.rest)) * sizeof(PyObject *))
        if self.stack == NULL:
            raise MemoryError()
        for i in range(len(self.rest)):
            self.stack[2 + i] = <PyObject *>self.rest[i]

    def __dealloc__(self):
        free(self.stack)

    cdef int place(self, ptrdiff_t n, const double *x) except -1:
        """Put x into the arguments of the call, as an array that the user may keep or change.

        The array of the previous call is used again only if this object has the only reference to it.
        """
        if lmoo_can_refill(<PyObject *>self.x, n):
            memcpy(cnp.PyArray_DATA(<cnp.ndarray>self.x), x, <size_t>n * sizeof(double))
        else:
            self.x = new_vector(n, x)
        self.stack[1] = <PyObject *>self.x
        return 0

    cdef PyObject *call(self) noexcept:
        """Call the function; return a new reference, or NULL with its exception set."""
        cdef PyObject *names = NULL if self.names is None else <PyObject *>self.names
        return PyObject_Vectorcall(<PyObject *>self.func, self.stack + 1,
                                   self.nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, names)

    def offer(self, value):
        """Set the value of the function at x0, where it is then not evaluated again."""
        self.offered = value

    cdef int begin(self, ptrdiff_t n, const double *x) except -1:
        """Evaluate for the first time, which determines m; return 1 if the function refused the point."""
        cdef PyObject *returned
        if self.offered is not None:
            self.first, self.table.precision = as_vector(self.offered, self.name, self.scalar)
            self.offered = None
            self.table.m = cnp.PyArray_DIM(<cnp.ndarray>self.first, 0)
            return 0
        self.place(n, x)
        returned = self.call()
        if returned == NULL:
            try:
                reraise()
            except self.bad_point as error:
                self.refusal = error
                return 1
        value = <object>returned
        Py_DECREF(value)
        if not is_vector(value):
            value, self.table.precision = as_vector(value, self.name, self.scalar)
        self.first = value
        self.table.m = cnp.PyArray_DIM(<cnp.ndarray>value, 0)
        return 0

    cdef int evaluate(self, ptrdiff_t n, const double *x, double *f) except -1:
        """Compute f(x), m doubles; return 1 if the function refused the point."""
        cdef PyObject *value
        self.place(n, x)
        value = self.call()
        if value == NULL:
            if not PyErr_ExceptionMatches(<PyObject *>self.bad_point):
                return -1
            PyErr_Clear()
            return 1
        try:
            self.take(<object>value, f)
        finally:
            Py_DECREF(<object>value)
        # A function without Python code would never check for Ctrl-C.
        PyErr_CheckSignals()
        return 0

    cdef int take(self, object value, double *f) except -1:
        """Copy the value of the function."""
        cdef cnp.ndarray array
        if not is_vector(value):
            value, self.table.precision = as_vector(value, self.name, self.scalar)
        array = <cnp.ndarray>value
        if cnp.PyArray_DIM(array, 0) != self.table.m:
            raise ValueError(f"{self.name} must return as many numbers at every call: "
                             f"{self.table.m} at the first, now {cnp.PyArray_DIM(array, 0)}")
        memcpy(f, cnp.PyArray_DATA(array), <size_t>self.table.m * sizeof(double))
        return 0
