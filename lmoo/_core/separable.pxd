"""Variable projection for problems in compiled code."""

from lmoo._core.abi1 cimport CompiledProblem
from lmoo._core.model cimport lmoo_problem

cdef enum:
    MOST_SLOTS = 64     # problems that a Separation has room for

ctypedef struct lm_separable:
    # What the reduced problem gets as user_data.
    const lmoo_problem *full    # the problem of all parameters, with derivatives
    ptrdiff_t k                 # parameters that are eliminated
    const int *linear           # k: their positions
    const int *other            # n - k: those of the others
    double *x                   # n: the point, with the best values of the linear parameters
    double *jac                 # m x n
    double *phi                 # m x k: Householder vectors of the scaled columns of the linear parameters
    double *f                   # m
    double *rdiag               # k each
    double *norms
    double *unit
    double *work
    double *qtf
    int *ipvt                   # k
    ptrdiff_t rank
    int there                   # whether factors and x are those of a point
    ptrdiff_t residuals         # evaluations of the full problem
    ptrdiff_t jacobians

cdef int separable_residual(ptrdiff_t m, ptrdiff_t n, const double *z, double *f,
                            void *user_data) noexcept nogil
cdef int separable_jacobian(ptrdiff_t m, ptrdiff_t n, const double *z, double *fjac,
                            void *user_data) noexcept nogil

cdef class Separation:
    cdef lm_separable parts[MOST_SLOTS]
    cdef lmoo_problem full[MOST_SLOTS]
    cdef ptrdiff_t m, n, k, slots
    cdef object memory, order
    cdef void bind(self, ptrdiff_t slot, lmoo_problem *problem) noexcept nogil

cdef class SeparableProblem(CompiledProblem):
    cdef Separation separation
    cdef CompiledProblem problem
