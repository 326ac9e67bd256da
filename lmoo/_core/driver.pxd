"""The driver: it answers what the iteration asks, by an evaluator."""

from lmoo._core.model cimport lm_state, lmoo_jacobian, lmoo_point, lmoo_problem

cdef enum:
    FAILED = -1     # what an evaluation returns when the solve is to end
    PAUSED = 1

ctypedef struct lm_driver

ctypedef struct lm_evaluator:
    # Each answers one request of the iteration and returns 0; or PAUSED, leaving that to the caller of driver_run; or
    # FAILED, with d.code or a Python exception.
    int (*residual)(lm_driver *d) noexcept nogil
    int (*linearize)(lm_driver *d, bint better) noexcept nogil
    int (*curvature)(lm_driver *d) noexcept nogil
    int (*step)(lm_driver *d) noexcept nogil

ctypedef struct lm_driver:
    lm_state *s
    const lm_evaluator *evaluator
    void *owner         # an evaluator's own
    const lmoo_problem *problem
    const lmoo_jacobian *strategy
    ptrdiff_t m, n
    ptrdiff_t rows      # of the residual; m is n where there are fewer, and the rest is 0
    double *f           # f(s.x)
    double *previous    # f(s.base), while x has moved on from there
    double *trial       # f(s.trial); between trials, work space
    double *work
    double *u0          # n: the first entries of qrfac's Householder vectors
    double *fjac        # m x n, column-major
    lmoo_point point    # what the strategy is given
    double noise        # relative rounding of the residual, where the user told it
    bint evaluated      # f holds a residual
    bint factored       # fjac holds qrfac's factors of the model
    bint folded         # fjac holds the Jacobian of the model as it is
    bint has_jacobian   # the problem's own Jacobian has been used
    bint joint          # residuals are evaluated with the Jacobian, by problem.both
    bint fresh          # fjac holds the problem's own Jacobian at the last trial point
    bint threads        # there is an interpreter, whose threads may be used
    bint python         # problem.residual is Python code: the thread holds the GIL
    ptrdiff_t njev      # Jacobians evaluated
    int code            # negative: what the user's function ended the solve with
    # Checks for signals.
    bint stop           # set from outside, at any time
    bint watching       # for Ctrl-C
    ptrdiff_t countdown, interval
    double checked      # when, in milliseconds

cdef int driver_run(lm_driver *d, bint one_iteration) noexcept nogil
cdef int driver_advance(lm_driver *d) noexcept nogil
cdef int refuse_request(lm_driver *d) noexcept nogil
cdef int pause_at_request(lm_driver *d) noexcept nogil
cdef bint wants_curvature(const lm_state *s) noexcept nogil
