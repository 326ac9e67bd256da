"""Checks of a stored solve before it is resumed."""

from lmoo._core.model cimport lm_state

cdef int check_state(const lm_state *own, lm_state *s, bint asked) except -1
cdef object field(stored, str name)
cdef object count(stored, str name)
cdef object vector(value, str name, tuple shape)
