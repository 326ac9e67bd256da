"""The user's residual, called from the compiled loop.

Whatever the user's function does with its argument or with the array it returned, the solver's
memory is out of its reach: the x it gets is a new array, and what it returns is copied at once.
"""

cimport cython
from cpython.object cimport PyObject
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

import numpy as np

cimport numpy as cnp

from lmoo._core.norms cimport first_not_finite

cnp.import_array()

cdef extern from "Python.h":
    size_t PY_VECTORCALL_ARGUMENTS_OFFSET
    object PyObject_Vectorcall(object func, PyObject **args, size_t nargsf, PyObject *names)


cdef object own_vector(ptrdiff_t n, const double *x):
    """Return a new float64 array with the n doubles at x."""
    cdef cnp.npy_intp size = n
    cdef cnp.ndarray array = cnp.PyArray_SimpleNew(1, &size, cnp.NPY_DOUBLE)
    memcpy(cnp.PyArray_DATA(array), x, <size_t>n * sizeof(double))
    return array


def as_vector(value, str name, bint scalar):
    """Return what a residual returned as a contiguous float64 vector, and its precision.

    A value that cannot be one is a TypeError or a ValueError naming the function.
    """
    expected = f"{name} must return a 1-D array of real numbers"
    if value is None:
        raise TypeError(f"{expected}; it returned None")
    try:
        array = np.asarray(value)
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


@cython.no_gc_clear
cdef class Residual:
    """A Python callable and its arguments.

    Parameters
    ----------
    func : callable
        ``func(x, *args, **kwargs)``, returning m real numbers.
    args, kwargs : tuple, dict
        Held for the life of this object.
    name : str
        What messages call it.
    scalar : bool
        Whether a scalar may stand for one number.
    bad_point : type
        The exception by which the callable says that it cannot be evaluated at x.
    """

    def __cinit__(self, func, tuple args, dict kwargs, str name, bint scalar, bad_point):
        cdef size_t i
        self.func, self.name, self.scalar, self.bad_point = func, name, scalar, bad_point
        self.rest = args + tuple(kwargs.values())
        self.names = tuple(kwargs) if kwargs else None
        self.nargs = 1 + len(args)
        self.m = -1
        self.eps = 2.0**-52
        # One place before the arguments belongs to whoever is called.
        self.stack = <PyObject **>malloc((2 + len(self.rest)) * sizeof(PyObject *))
        if self.stack == NULL:
            raise MemoryError()
        for i in range(len(self.rest)):
            self.stack[2 + i] = <PyObject *>self.rest[i]

    def __dealloc__(self):
        free(self.stack)

    cdef object call(self, object x):
        """Call the function with an x of the caller's making."""
        cdef PyObject *names = NULL if self.names is None else <PyObject *>self.names
        self.stack[1] = <PyObject *>x
        self.nfev += 1
        return PyObject_Vectorcall(
            self.func, self.stack + 1, self.nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, names)

    cdef int begin(self, ptrdiff_t n, const double *x) except -1:
        """Evaluate for the first time, which tells m; 1 where the function refused the point."""
        try:
            value = self.call(own_vector(n, x))
        except self.bad_point as error:
            self.refusal = error
            return 1
        self.first, self.eps = as_vector(value, self.name, self.scalar)
        # A float64 array comes back from the conversion as itself: it is the user's.
        self.first = np.array(self.first)
        self.m = self.first.shape[0]
        return 0

    cdef int evaluate(self, ptrdiff_t n, const double *x, double *f) except -1:
        """f(x), m doubles, to f; 1 where the point is bad: refused, or not finite."""
        cdef object value
        try:
            value = self.call(own_vector(n, x))
        except self.bad_point:
            return 1
        self.take(value, f)
        return first_not_finite(self.m, f) >= 0

    cdef int take(self, object value, double *f) except -1:
        """Copy what the function returned."""
        cdef cnp.ndarray array
        if not (cnp.PyArray_Check(value) and cnp.PyArray_ISCARRAY_RO(value)
                and cnp.PyArray_TYPE(value) == cnp.NPY_DOUBLE and cnp.PyArray_NDIM(value) == 1):
            value, self.eps = as_vector(value, self.name, self.scalar)
        array = <cnp.ndarray>value
        if cnp.PyArray_DIM(array, 0) != self.m:
            raise ValueError(f"{self.name} must return as many numbers at every call: "
                             f"{self.m} at the first, now {cnp.PyArray_DIM(array, 0)}")
        memcpy(f, cnp.PyArray_DATA(array), <size_t>self.m * sizeof(double))
        return 0
