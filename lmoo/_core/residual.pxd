"""The user's residual, called from the compiled loop."""

from cpython.object cimport PyObject

cdef class Residual:
    cdef object func, names, bad_point, x
    cdef tuple rest
    cdef PyObject **stack
    cdef size_t nargs
    cdef readonly str name
    cdef bint scalar
    cdef readonly ptrdiff_t m       # -1 until the first evaluation
    cdef readonly ptrdiff_t nfev
    cdef readonly double eps        # of the precision in which the residual comes
    cdef object first               # the first value, until the loop has taken it
    cdef public object refusal      # what the user raised to refuse the starting point
    cdef int place(self, ptrdiff_t n, const double *x) except -1
    cdef PyObject *call(self) noexcept
    cdef int begin(self, ptrdiff_t n, const double *x) except -1
    cdef int evaluate(self, ptrdiff_t n, const double *x, double *f) except -1
    cdef int take(self, object value, double *f) except -1

cdef object own_vector(ptrdiff_t n, const double *x)
