"""Points that no step leads to."""

from lmoo._core.model cimport lm_state

cdef enum:
    # Times that the search may find something; if that is lost again the model has no minimum here.
    MOST_FOUND = 3

cdef bint search_place(lm_state *s) noexcept nogil
cdef bint search_take(lm_state *s, bint good) noexcept nogil
