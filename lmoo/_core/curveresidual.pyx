"""The residual of a model and a curve, called from the compiled loop.

    w (f(t, x[0], ..., x[n-1]) - y)

Called as a residual in Python it would cost a frame, an unpacking of x, and two array operations
more at each evaluation, which for a short curve is as much as the model itself.
"""

cimport cython

from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF

cimport numpy as cnp

from lmoo._core.residual cimport Residual, own_vector

cnp.import_array()

cdef extern from "Python.h":
    void PyErr_SetObject(object kind, object value)

cdef extern from "numpy/arrayobject.h":
    object PyArray_Scalar(void *data, cnp.dtype descr, object base)


@cython.no_gc_clear
cdef class CurveResidual(Residual):
    """A model and its curve.

    Parameters
    ----------
    func : callable
        ``func(t, *parameters)``; parameters are np.float64, whose arithmetic is that of arrays.
    args : tuple
        n of anything: the places of the parameters.
    kwargs, name, scalar, bad_point
        As for `Residual`.
    """

    cdef object t, weighted
    cdef cnp.dtype descr
    cdef list parameters
    cdef const double[::1] y, w
    cdef ptrdiff_t count

    def bind(self, t, const double[::1] y not None, const double[::1] w, weighted):
        """Give it the data; the same object again.

        y : (m,);  w : (m,) or None
        weighted : callable
            Makes the residual of whatever is not an array of m doubles, or raises.
        """
        self.t, self.y, self.w, self.weighted = t, y, w, weighted
        self.count = y.shape[0]
        self.descr = cnp.PyArray_DescrFromType(cnp.NPY_DOUBLE)
        self.parameters = [None] * (self.nargs - 1)
        return self

    cdef int place(self, ptrdiff_t n, const double *x) except -1:
        """Put t and the parameters where the call takes them from."""
        cdef ptrdiff_t j
        self.stack[1] = <PyObject *>self.t
        for j in range(n):
            value = PyArray_Scalar(<void *>&x[j], self.descr, None)
            self.parameters[j] = value
            self.stack[2 + j] = <PyObject *>value
        return 0

    cdef PyObject *call(self) noexcept:
        """Return the residual, a new reference, or NULL with its exception set."""
        cdef PyObject *returned = Residual.call(self)
        if returned == NULL:
            return NULL
        try:
            residual = self.subtract(<object>returned)
            Py_INCREF(residual)
            return <PyObject *>residual
        except BaseException as error:
            PyErr_SetObject(type(error), error)
            return NULL
        finally:
            Py_DECREF(<object>returned)

    cdef object subtract(self, object value):
        """w (value - y), a new array."""
        cdef ptrdiff_t i
        cdef const double *v
        cdef double *out
        if not self.is_plain(value):
            return self.weighted(value)
        v = <const double *>cnp.PyArray_DATA(<cnp.ndarray>value)
        residual = own_vector(self.count, v)
        out = <double *>cnp.PyArray_DATA(<cnp.ndarray>residual)
        for i in range(self.count):
            out[i] = v[i] - self.y[i]
        if self.w is not None:
            for i in range(self.count):
                out[i] *= self.w[i]
        return residual

    cdef bint is_plain(self, object value):
        """Whether value is a vector of m doubles."""
        return (type(value) is cnp.ndarray
                and cnp.PyArray_TYPE(<cnp.ndarray>value) == cnp.NPY_DOUBLE
                and cnp.PyArray_NDIM(<cnp.ndarray>value) == 1
                and cnp.PyArray_ISCARRAY_RO(<cnp.ndarray>value)
                and cnp.PyArray_DIM(<cnp.ndarray>value, 0) == self.count)
