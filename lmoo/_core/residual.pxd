"""The user's residual, called from the compiled loop."""

from cpython.object cimport PyObject

from lmoo._core.model cimport lmoo_problem

cdef class Source:
    cdef lmoo_problem table
    cdef readonly str name
    cdef bint python                # the table's functions want the GIL
    cdef public object refusal      # what the user raised to refuse the starting point

cdef class Residual(Source):
    cdef object func, names, bad_point, x
    cdef tuple rest
    cdef PyObject **stack
    cdef size_t nargs
    cdef bint scalar
    cdef object offered             # a value at x0 that is known already
    cdef object first               # the first value, until the loop has taken it
    cdef int place(self, ptrdiff_t n, const double *x) except -1
    cdef PyObject *call(self) noexcept
    cdef int begin(self, ptrdiff_t n, const double *x) except -1
    cdef int evaluate(self, ptrdiff_t n, const double *x, double *f) except -1
    cdef int take(self, object value, double *f) except -1

cdef object own_vector(ptrdiff_t n, const double *x)
