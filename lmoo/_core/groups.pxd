"""Problems of groups of rows, for the arrow linear model."""

from lmoo._core.arrow cimport ArrowLinear, lm_arrow
from lmoo._core.driver cimport lm_driver
from lmoo._core.loop cimport Loop
from lmoo._core.model cimport lm_state
from lmoo._core.residual cimport Source

cdef class Groups:
    cdef readonly ptrdiff_t shared, rows
    cdef readonly object own        # (groups,) intp: parameters of their own
    cdef double precision           # relative error of f
    cdef double relative, noise     # of the last Jacobian: relative error of its columns, norm of the error of f seen
    cdef bint exact                 # derivatives are no differences
    cdef bint refines               # there are better derivatives to ask for
    cdef double error               # relative error of f that the user has told
    cdef const double *weights      # of the rows, 0 for those that do not count; NULL where all do
    cdef readonly object refusal    # what a member raised to refuse the starting point
    cdef readonly ptrdiff_t differenced     # evaluations for the differences of the last Jacobian
    cdef int begin(self, const double *x) except -1
    cdef int residual(self, const double *x, double *f) except -1
    cdef int linearize(self, ArrowLoop loop, bint better) except -1
    cdef int finish(self, ArrowLoop loop, const double *norms) except -1

cdef class GroupSource(Source):
    cdef Groups groups

cdef class ArrowLoop(Loop):
    cdef ArrowLinear arrow
    cdef Groups groups
    cdef int place(self, ptrdiff_t m) except -1
    cdef int measure(self) except -1
    cdef int linearize(self, bint better) except -1
