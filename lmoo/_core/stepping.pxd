"""Step strategies as objects."""

from lmoo._core.model cimport lm_state, lmoo_step

cdef class Stepping:
    cdef lmoo_step table
    cdef public object memory       # a Python strategy's own, to be pickled with the solve
    cdef int ask(self, lm_state *s) except -1

cdef class Table(Stepping):
    cdef object capsule

cdef class Asked(Stepping):
    cdef object func

cdef object triangle_of(const lm_state *s)

cdef class StepModel:
    cdef lm_state *s                # a copy, so that it may outlive the call
    cdef readonly object memory
