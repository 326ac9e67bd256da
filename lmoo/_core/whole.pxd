"""A whole solve of a compiled problem, for callers in C."""

from lmoo._core.differences cimport lm_differences
from lmoo._core.model cimport lm_options, lmoo_jacobian, lmoo_outcome, lmoo_problem

cdef lmoo_jacobian ANALYTIC, FORWARD, CENTRAL, MINPACK_FORWARD

cdef void default_options(lm_options *options, ptrdiff_t n) noexcept nogil
cdef size_t work_bytes(ptrdiff_t m, ptrdiff_t n) noexcept nogil
cdef int solve(const lmoo_problem *problem, const lmoo_jacobian *jacobian,
               const lm_options *options, double *x, const double *diag, void *work,
               lmoo_outcome *outcome) noexcept nogil
