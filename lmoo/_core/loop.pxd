"""The driver for problems written in Python."""

from lmoo._core.derivatives cimport Derivatives
from lmoo._core.model cimport lm_state
from lmoo._core.residual cimport Residual

cdef class Loop:
    cdef lm_state *s
    cdef Residual fun
    cdef Derivatives derivatives
    cdef ptrdiff_t m, n
    cdef double *memory         # one block: f, previous, trial, then the kernels' work
    cdef double *f              # f(s.x)
    cdef double *previous       # f(s.base), while x has moved on from there
    cdef double *trial
    cdef double *work
    cdef double *fjac           # m x n, column-major
    cdef object out             # the (m, n) array that owns it
    cdef bint factored          # fjac holds qrfac's factors of the model
    cdef readonly ptrdiff_t njev    # Jacobians evaluated
    cdef bint running           # step is being executed
    cdef int enter(self) except -1
    cdef int allocate(self) except -1
    cdef int begin(self) except -1
    cdef int evaluate(self) except -1
    cdef int linearize(self, bint better) except -1
    cdef bint factor_in_place(self) noexcept nogil
    cdef bint fold_rows(self) noexcept nogil
    cdef int step(self) except -1
