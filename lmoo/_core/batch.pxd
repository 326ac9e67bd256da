"""Many small solves of one shape, and curve models in compiled code."""

from lmoo._core.abi1 cimport CompiledProblem
from lmoo._core.evaluate cimport lm_columns, lm_differences, lm_driver, lm_lanes, lm_loss
from lmoo._core.model cimport lm_options, lmoo_model, lmoo_problem


# ---- batch/batch.pxi: Many small solves of one shape, which are evaluated together.

ctypedef struct lm_fit:
    lm_driver d
    lm_columns columns
    lm_loss loss        # the target of d.loss, unless that is NULL
    int asks


cdef class SolveBatch:
    cdef lm_options options
    cdef lm_differences differences
    cdef lmoo_problem problem
    cdef lm_loss loss       # copied for each fit
    cdef readonly ptrdiff_t count, m, n
    cdef object memory      # of all fits, and objects that their tables refer to
    cdef char *first
    cdef size_t stride      # bytes from fit to fit
    cdef lm_lanes lanes
    cdef size_t state_bytes
    cdef const double *edges            # lower and upper bounds, or NULL
    cdef ptrdiff_t edges_stride         # from fit to fit; 0 where all have the same

    cdef double deviation_at(self, ptrdiff_t k, double degrees) noexcept nogil
    cdef void start(self, ptrdiff_t k, const double *x0, ptrdiff_t which) noexcept nogil


# ---- batch/separable.pxi: Variable projection for problems in compiled code.

cdef enum:
    MOST_SLOTS = 64     # problems that a Separation has room for

ctypedef struct lm_separable:
    # What the reduced problem gets as user_data.
    const lmoo_problem *full    # the problem of all parameters, with derivatives by the linear ones
    const lmoo_problem *rest    # the same, with derivatives by the others
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

cdef class Separation:
    cdef lm_separable parts[MOST_SLOTS]
    cdef lmoo_problem full[MOST_SLOTS]
    cdef lmoo_problem rest[MOST_SLOTS]
    cdef ptrdiff_t m, n, k, slots
    cdef object memory, order
    cdef void bind(self, ptrdiff_t slot, lmoo_problem *problem, const lmoo_problem *rest) noexcept nogil

cdef class SeparableProblem(CompiledProblem):
    cdef Separation separation
    cdef CompiledProblem problem


# ---- batch/curvemodel.pxi: Models of curves in compiled code.

ctypedef struct lm_curve:
    # The user_data of a residual that is computed from a model.
    const lmoo_model *model
    const double *t         # variables x m
    const double *y         # m
    const double *weights   # m, or NULL
    ptrdiff_t m             # for curve_rows
    const lmoo_model *second    # second derivatives along v as the values of a model of (x, v), or NULL

cdef class CurveModel:
    cdef lmoo_model table
    cdef object kept
