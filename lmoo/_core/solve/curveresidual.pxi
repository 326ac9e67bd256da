"""The residual of a model and a dataset, called from the compiled loop.

   w (f(t, x[0], ..., x[n-1]) - y)

A residual in Python would need one more frame, an unpacking of x and two array operations at each evaluation.  For few
points these cost as much as the model itself.
"""


cdef extern from "Python.h":
    void PyErr_SetObject(object kind, object value)

cdef extern from "numpy/arrayscalars.h":
    """
    static inline PyObject *lmoo_float64(double value)
    {
        PyObject *scalar = PyArrayScalar_New(Double);
        if (scalar != NULL)
            PyArrayScalar_ASSIGN(scalar, Double, value);
        return scalar;
    }
    """
    object lmoo_float64(double value)

cdef extern from "solve/reuse.h":
    bint lmoo_can_refill(PyObject *array, ptrdiff_t n)


@cython.no_gc_clear
cdef class CurveResidual(Residual):
    """A model and its dataset.

    Parameters
    ----------
    func : callable
        ``func(t, *parameters)``; parameters are np.float64, whose arithmetic is that of arrays.
    args : tuple
        n placeholders for the parameters.
    kwargs, name, scalar, bad_point
        As for `Residual`.
    """

    cdef object t, data, weighted
    cdef list parameters
    cdef const double *y
    cdef const double *w
    cdef ptrdiff_t count

    def bind(self, t, cnp.ndarray y not None, cnp.ndarray w, weighted):
        """Set the data; return this object.

        y : (m,);  w : (m,) or None
            float64, contiguous; kept.  TypeError otherwise.
        weighted : callable
            Computes the residual from a value that is not an array of m doubles, or raises.
        """
        self.t, self.data, self.weighted = t, (y, w), weighted
        self.count = cnp.PyArray_SIZE(y)
        if not self.is_plain(y) or not (w is None or self.is_plain(w)):
            raise TypeError("y and sigma must be float64 vectors of the same size")
        self.y, self.w = <const double *>cnp.PyArray_DATA(y), NULL
        if w is not None:
            self.w = <const double *>cnp.PyArray_DATA(w)
        self.parameters = [None] * (self.nargs - 1)
        return self

    cdef int place(self, ptrdiff_t n, const double *x) except -1:
        """Put t and the parameters into the arguments of the call."""
        cdef ptrdiff_t j
        self.stack[1] = <PyObject *>self.t
        for j in range(n):
            value = lmoo_float64(x[j])
            self.parameters[j] = value
            self.stack[2 + j] = <PyObject *>value
        return 0

    cdef PyObject *call(self) noexcept:
        """Return the residual, a new reference, or NULL with its exception set."""
        cdef PyObject *returned = Residual.call(self)
        if returned == NULL:
            return NULL
        if lmoo_can_refill(returned, self.count):
            # There is no other reference to the array.
            self.subtract(<const double *>cnp.PyArray_DATA(<cnp.ndarray>returned),
                          <double *>cnp.PyArray_DATA(<cnp.ndarray>returned))
            return returned
        try:
            residual = self.difference(<object>returned)
            Py_INCREF(residual)
            return <PyObject *>residual
        except BaseException as error:
            PyErr_SetObject(type(error), error)
            return NULL
        finally:
            Py_DECREF(<object>returned)

    cdef object difference(self, object value):
        """Return w (value - y), a new array."""
        if not self.is_plain(value):
            return self.weighted(value)
        residual = new_vector(self.count, self.y)
        self.subtract(<const double *>cnp.PyArray_DATA(<cnp.ndarray>value),
                      <double *>cnp.PyArray_DATA(<cnp.ndarray>residual))
        return residual

    cdef void subtract(self, const double *value, double *out) noexcept:
        """Compute out = w (value - y); out may be value."""
        cdef ptrdiff_t i
        for i in range(self.count):
            out[i] = value[i] - self.y[i]
        if self.w != NULL:
            for i in range(self.count):
                out[i] *= self.w[i]

    cdef bint is_plain(self, object value):
        """Return whether value is a vector of m doubles."""
        return (type(value) is cnp.ndarray
                and cnp.PyArray_TYPE(<cnp.ndarray>value) == cnp.NPY_DOUBLE
                and cnp.PyArray_NDIM(<cnp.ndarray>value) == 1
                and cnp.PyArray_ISCARRAY_RO(<cnp.ndarray>value)
                and cnp.PyArray_DIM(<cnp.ndarray>value, 0) == self.count)
