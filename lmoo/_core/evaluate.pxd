"""From the iteration's requests to values: losses, differences, the driver, factorisation of the Jacobian."""

from libc.stddef cimport size_t
from lmoo._core.model cimport lm_options, lm_state, lmoo_jacobian, lmoo_outcome, lmoo_point, lmoo_problem


# ---- evaluate/losses.pxi: Robust losses: the cost sum rho(z), z = (f / C)^2, and the scaling of rows that makes it a linear model.

ctypedef int (*lm_rho_function)(ptrdiff_t m, const double *z, double *rho, void *context) noexcept nogil

cdef enum:
    LM_LOSS_LINEAR
    LM_LOSS_HUBER
    LM_LOSS_SOFT_L1
    LM_LOSS_CAUCHY
    LM_LOSS_ARCTAN
    LM_LOSS_TUKEY
    LM_LOSS_CALLED

ctypedef struct lm_loss:
    int kind
    double scale            # C
    double tuning           # C over the estimated deviation of f, where C is estimated; else 0
    lm_rho_function rho     # of LM_LOSS_CALLED
    void *context
    double *root            # m: sqrt(h) of each row, by which rows of J are multiplied
    double *weighted        # m: root f, which differences are taken of
    double *model           # m: what stands for f in the linear model
    double *values          # 4 m: z and rho of LM_LOSS_CALLED
    const double *weights   # m, or NULL: entries of f with the weight 0 do not count for C
    int rounds              # times that C has been estimated
    ptrdiff_t priors        # last rows of f, which the loss leaves as they are: they are no data

cdef size_t loss_doubles(ptrdiff_t m, bint called) noexcept nogil
cdef void loss_place(lm_loss *loss, ptrdiff_t m, double *memory) noexcept nogil
cdef double loss_norm(const lm_loss *loss, ptrdiff_t m, const double *f) noexcept nogil
cdef int loss_rows(const lm_loss *loss, ptrdiff_t m, const double *f) noexcept nogil
cdef int loss_weights(const lm_loss *loss, ptrdiff_t m, const double *f, double *weights) noexcept nogil
cdef int loss_sums(const lm_loss *loss, ptrdiff_t m, const double *f, double *sums) noexcept nogil
cdef double loss_deviation(const double *sums, double m, double degrees) noexcept nogil
cdef void scale_rows(ptrdiff_t m, ptrdiff_t n, const double *root, double *fjac, ptrdiff_t lda) noexcept nogil
cdef void multiply_rows(ptrdiff_t m, const double *root, const double *f, double *out) noexcept nogil
cdef double loss_estimate(const lm_loss *loss, ptrdiff_t m, ptrdiff_t n, const double *f, double *work) noexcept nogil

cdef class LossKernel:
    cdef lm_loss table
    cdef object func, memory
    cdef int place(self, ptrdiff_t m, ptrdiff_t padded) except -1


# ---- evaluate/threads.pxi: Jobs without the GIL on several Python threads.

ctypedef void (*job_function)(ptrdiff_t k, void *context) noexcept nogil

cdef int run_in_threads(job_function job, ptrdiff_t count, void *context) except -1 with gil


# ---- evaluate/differences.pxi: Compiled Jacobian strategies: the problem's own, and differences.

ctypedef struct lm_differences:
    int use_jacobian    # the problem's own Jacobian, where it has one
    int central         # instead of forward differences
    int minpack_compatible  # step and divide exactly as MINPACK does
    int refines         # forward differences may be followed by central ones
    double epsfcn       # relative error of the residual; 0: the precision in which it comes
    const double *typical   # n sizes that |x_j| is taken to be at least, or NULL

ctypedef struct lm_columns:
    # How far differences have come.
    ptrdiff_t j         # the column
    int phase, central
    int first           # what is asked for is the first value of column j
    double root, h, step, lower
    double *out         # where f at point.x_work is wanted
    double eps          # relative error of f
    double noise        # norm of the error of f
    double size         # what a parameter contributes to f, as far as the last model tells
    double largest      # and the most that one does
    int tries           # intervals that column j has been taken with
    int restarted       # the noise of f has been seen in this Jacobian, which has begun anew
    double last_h, last_second  # the interval before, and the second difference that it showed

cdef enum:
    # What differences_next returns when it wants f at point.x_work, in out.
    DIFFERENCES_ASK = 2

cdef void differences_begin(lmoo_point *at, const lm_differences *d, lm_columns *w) noexcept nogil
cdef int differences_next(lmoo_point *at, const lm_differences *d, lm_columns *w,
                          int code) noexcept nogil
cdef bint differences_skips(const lmoo_point *at, ptrdiff_t j) noexcept nogil
cdef ptrdiff_t differences_points(const lmoo_point *at, const lm_differences *d,
                                  const lm_columns *w, double *x) noexcept nogil
cdef int differences_take(lmoo_point *at, const lm_differences *d, lm_columns *w,
                          ptrdiff_t *nfev) noexcept nogil
cdef int analytic(lmoo_point *at, void *context) noexcept nogil
cdef int differences(lmoo_point *at, void *context) noexcept nogil


# ---- evaluate/driver.pxi: The driver: it answers what the iteration asks, by an evaluator.

cdef enum:
    FAILED = -1     # what an evaluation returns when the solve is to end
    PAUSED = 1

ctypedef struct lm_driver

ctypedef struct lm_evaluator:
    # Each answers one request of the iteration and returns 0; or PAUSED, leaving that to the caller of driver_run; or
    # FAILED, with d.code or a Python exception.
    int (*residual)(lm_driver *d) noexcept nogil
    int (*linearize)(lm_driver *d, bint high_accuracy) noexcept nogil
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
    lm_loss *loss       # NULL where the cost is the sum of squares
    bint weighted       # fjac holds rows that the loss has scaled
    double noise        # relative rounding of the residual, where the user told it
    bint evaluated      # f holds a residual
    bint factored       # fjac holds qrfac's factors of the model
    bint folded         # fjac holds the Jacobian of the model as it is
    bint has_jacobian   # the problem's own Jacobian has been used
    bint joint          # residuals are evaluated with the Jacobian, by problem.both
    bint fresh          # fjac holds the problem's own Jacobian at the last trial point
    bint streams        # fjac holds blocks of rows of the Jacobian, one after the other (stream.pxi)
    const double *stream_x  # where its jobs evaluate, and where they put f
    double *stream_f
    int stream_code     # what stopped them; else 0
    bint threads        # there is an interpreter, whose threads may be used
    bint python         # problem.residual is Python code: the thread holds the GIL
    ptrdiff_t njev      # Jacobians evaluated
    ptrdiff_t differenced   # residuals evaluated for differences
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


# ---- evaluate/linearize.pxi: From the Jacobian to the linear model.

cdef size_t linearize_doubles(ptrdiff_t m, ptrdiff_t n) noexcept nogil
cdef void lm_linearize(lm_state *s, ptrdiff_t m, double *fjac, double *f) noexcept nogil
cdef const double *weigh_model(lm_driver *d) noexcept nogil
cdef bint folds_rows(const lm_driver *d) noexcept nogil
cdef int linearize_answer(lm_driver *d, int code) noexcept nogil
cdef bint linearize_errors(lm_driver *d, const double *acnorm) noexcept nogil
cdef bint tell_errors(lm_state *s, const double *acnorm, double relative, double precision,
                      double noise, ptrdiff_t m) noexcept nogil
cdef void drop_columns(lm_state *s, ptrdiff_t m, double *a, double *acnorm) noexcept nogil
cdef void times_transpose(lm_driver *d, double *v, double *out) noexcept nogil


# ---- evaluate/stream.pxi: Tall problems whose rows can be evaluated apart.

cdef size_t stream_doubles(ptrdiff_t m, ptrdiff_t n) noexcept nogil
cdef bint can_stream(const lmoo_problem *problem, const lmoo_jacobian *strategy, const lm_state *s, ptrdiff_t m,
                     ptrdiff_t n) noexcept nogil


# ---- evaluate/vectors.pxi: The evaluator of problems whose residual is a vector in memory.

cdef lm_evaluator VECTORS
cdef size_t vectors_doubles(ptrdiff_t m, ptrdiff_t n) noexcept nogil
cdef void vectors_place(lm_driver *d, ptrdiff_t m, double *memory, double *fjac) noexcept nogil
cdef int vectors_answer_residual(lm_driver *d) noexcept nogil
cdef void vectors_weigh_differences(lm_driver *d) noexcept nogil
cdef int vectors_linearize_again(lm_driver *d) noexcept nogil
cdef int vectors_begin_model(lm_driver *d, bint high_accuracy) noexcept nogil
cdef bint vectors_begin_curvature(lm_driver *d) noexcept nogil
cdef void vectors_answer_curvature(lm_driver *d, bint bad) noexcept nogil


# ---- evaluate/lanes.pxi: The linear models of several fits of one shape at once.

cdef enum:
    FITS = 8    # as LMOO_FITS of lanes.h

ctypedef struct lm_lanes:
    ptrdiff_t m, n
    double *memory              # lanes_doubles(m, n), the caller's
    int count
    lm_driver *drivers[FITS]    # whose Jacobians are filled, borrowed

cdef size_t lanes_doubles(ptrdiff_t m, ptrdiff_t n) noexcept nogil
cdef void lanes_answer(lm_lanes *w) noexcept nogil


# ---- evaluate/whole.pxi: A whole solve of a compiled problem, for callers in C.

cdef lmoo_jacobian ANALYTIC, FORWARD_DIFFERENCES, CENTRAL_DIFFERENCES, MINPACK_DIFFERENCES

cdef void default_options(lm_options *options, ptrdiff_t n) noexcept nogil
cdef size_t work_bytes(ptrdiff_t m, ptrdiff_t n) noexcept nogil
cdef int solve_compiled(const lmoo_problem *problem, const lmoo_jacobian *jacobian,
               const lm_options *options, double *x, const double *diag, void *work,
               lmoo_outcome *outcome) noexcept nogil


# ---- evaluate/access.pxi: What the compiled interface reads and writes of a state.

cdef double *lm_vector(lm_state *s, int which) noexcept nogil
cdef double *lm_number(lm_state *s, int which) noexcept nogil
cdef ptrdiff_t *lm_count(lm_state *s, int which) noexcept nogil
cdef int *lm_flag(lm_state *s, int which) noexcept nogil
