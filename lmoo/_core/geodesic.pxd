"""Geodesic acceleration."""

from lmoo._core.model cimport lm_state, lmoo_step

cdef lmoo_step GEODESIC
cdef int geodesic_propose(lm_state *s, void *context) noexcept nogil
