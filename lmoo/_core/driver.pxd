"""The driver: it answers what the iteration asks, for any problem given as a table of functions."""

from lmoo._core.model cimport lm_state, lmoo_jacobian, lmoo_point, lmoo_problem

ctypedef struct lm_driver:
    lm_state *s
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
    bint folded         # fjac holds the Jacobian of the model
    bint own            # the problem's own Jacobian has been used
    bint eager          # residuals are evaluated with the Jacobian, by problem.both
    bint fresh          # fjac holds the problem's own Jacobian at the last trial point
    bint threads        # there is an interpreter, whose threads may be used
    bint python         # problem.residual is Python code: the thread holds the GIL
    ptrdiff_t njev      # Jacobians evaluated
    int code            # negative: what the user's function ended the solve with
    # Looking up from the work.
    bint stop           # set from outside, at any time
    bint watching       # for Ctrl-C
    ptrdiff_t countdown, interval
    double looked       # when, in milliseconds

cdef size_t driver_doubles(ptrdiff_t m, ptrdiff_t n) noexcept nogil
cdef void driver_place(lm_driver *d, ptrdiff_t m, double *memory, double *fjac) noexcept nogil
cdef int driver_step(lm_driver *d) noexcept nogil
cdef int driver_seek(lm_driver *d) noexcept nogil
cdef int driver_advance(lm_driver *d) noexcept nogil
cdef bint driver_begin_curvature(lm_driver *d) noexcept nogil
cdef void driver_answer_curvature(lm_driver *d, bint bad) noexcept nogil
cdef bint wants_curvature(const lm_state *s) noexcept nogil
cdef bint driver_wants_curvature(const lm_driver *d) noexcept nogil
cdef void driver_begin_model(lm_driver *d, bint better) noexcept nogil
cdef int driver_answer_model(lm_driver *d, int code) noexcept nogil
cdef bint driver_tell_errors(lm_driver *d, const double *acnorm) noexcept nogil
cdef void driver_answer_residual(lm_driver *d) noexcept nogil
cdef bint tell_errors(lm_state *s, const double *acnorm, double relative, double precision,
                      double noise, ptrdiff_t m) noexcept nogil
cdef void drop_columns(lm_state *s, ptrdiff_t m, double *a, double *acnorm) noexcept nogil
