"""Jacobian strategies as objects."""

from lmoo._core.differences cimport lm_differences
from lmoo._core.model cimport lmoo_jacobian, lmoo_point
from lmoo._core.residual cimport Source

cdef class Derivatives:
    cdef lmoo_jacobian table
    cdef readonly double noise
    cdef int attach(self, Source fun, object out) except -1

cdef class Differences(Derivatives):
    cdef lm_differences options
    cdef object typical             # owns the sizes

cdef class OwnJacobian(Derivatives):
    pass

cdef class Foreign(Derivatives):
    cdef object capsule

cdef class Called(Derivatives):
    cdef Source fun
    cdef object out
    cdef int fill(self, lmoo_point *at) except -1
    cdef int refuse(self, lmoo_point *at, error) except -1

cdef class Rows(Called):
    cdef object func, bad_point
    cdef object held                # the array that the driver reads
    cdef tuple args
    cdef dict kwargs
    cdef readonly str name
    cdef bint columns
    cdef bint lend(self, lmoo_point *at, array) except -1
    cdef object matrix(self, lmoo_point *at)

cdef class Custom(Called):
    cdef object func, bad_point
    cdef double relative_error
