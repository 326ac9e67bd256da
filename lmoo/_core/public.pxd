"""What lmoo.h declares, for modules compiled outside: lm_state is opaque."""

cdef extern from "lmoo.h" nogil:
    ctypedef struct lm_state

include "api.pxi"
