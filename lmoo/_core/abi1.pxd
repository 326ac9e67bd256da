"""The compiled interface, version 1: frozen.

A subclass compiled against this file contains CompiledProblem's members and its table of methods.  Nothing here may be
changed, added or moved.  New members are added at the end of lmoo_problem; other changes need a module abi2, so that
modules compiled for this one get an ImportError.
"""

from lmoo._core.public cimport lmoo_problem

cdef class CompiledProblem:
    cdef readonly ptrdiff_t m, n
    cdef lmoo_problem *table
    cdef void *reserved1
    cdef void *reserved2
    cdef void *reserved3
    cdef void *reserved4
    cdef int c_residual(self, const double *x, double *fvec) noexcept nogil
    cdef int c_jacobian(self, const double *x, double *fjac) noexcept nogil
    cdef int c_both(self, const double *x, double *fvec, double *fjac) noexcept nogil
    cdef int c_reserved1(self, void *argument) noexcept nogil
    cdef int c_reserved2(self, void *argument) noexcept nogil
    cdef int c_reserved3(self, void *argument) noexcept nogil
    cdef int c_reserved4(self, void *argument) noexcept nogil
