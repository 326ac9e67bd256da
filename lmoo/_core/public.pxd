"""The declarations of lmoo.h for modules that are compiled separately: lm_state is opaque."""

cdef extern from "lmoo.h" nogil:
    ctypedef struct lm_state

include "api.pxi"
