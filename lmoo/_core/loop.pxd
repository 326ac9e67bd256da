"""One solve as a Python object."""

from lmoo._core.derivatives cimport Derivatives
from lmoo._core.driver cimport lm_driver
from lmoo._core.linearmodel cimport LinearTable
from lmoo._core.model cimport lm_state
from lmoo._core.residual cimport Source
from lmoo._core.stepping cimport Stepping

cdef class Loop:
    cdef lm_driver d
    cdef lm_state *s
    cdef size_t bytes           # of the state
    cdef Source fun
    cdef Derivatives derivatives
    cdef Stepping stepping
    cdef LinearTable linear     # None: the dense one
    cdef object stopped
    cdef ptrdiff_t m, n
    cdef object memory          # the driver's, in one array
    cdef object buffer          # the (n, m) array that owns the Jacobian
    cdef bint running           # step is being executed
    cdef int enter(self) except -1
    cdef int fail(self) except -1
    cdef int allocate(self, ptrdiff_t m) except -1
    cdef int begin(self) except -1
    cdef int step(self) except -1
    cdef object stored_vectors(self, stored, bint needed, bint curved)
    cdef int restore_vectors(self, vectors, jacobian) except -1
