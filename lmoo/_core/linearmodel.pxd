"""Linear models as objects."""

from lmoo._core.model cimport lm_state, lmoo_linear

cdef class LinearTable:
    cdef lmoo_linear table      # its functions are given the object itself
    cdef lm_state *state        # of the solve that it belongs to
    cdef object error           # what ended it
    cdef int attach(self, lm_state *s) except -1
    cdef int reraise(self) except -1

cdef class PythonLinear(LinearTable):
    cdef object model
    cdef ptrdiff_t size(self) noexcept
    cdef int fail(self, error) except -1
    cdef int put(self, value, double *out, str name) except -1
