"""Evaluation of problems for the iteration: losses, differences, the driver, factorisation of the Jacobian."""

from cpython.pythread cimport PyThread_type_lock
from libc.stddef cimport size_t
from lmoo._core.model cimport lm_options, lm_state, lmoo_jacobian, lmoo_loss, lmoo_outcome, lmoo_point, lmoo_problem


# ---- evaluate/losses.pxi: Robust losses: the cost sum rho(z), z = (f / C)^2.

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
    double tuning           # C over the standard deviation of f, if C is estimated; else 0
    lm_rho_function rho     # of LM_LOSS_CALLED
    void *context
    double *root            # m: sqrt(h), the factors of the rows of J
    double *weighted        # m: root f, the function that differences are computed of
    double *model           # m: the residual of the linear model
    double *values          # 4 m: z and rho of LM_LOSS_CALLED
    const double *weights   # m, or NULL: entries of f with the weight 0 are not used for C
    int rounds              # estimates of C so far
    ptrdiff_t parameters    # that can make f small, for the estimate of C; 0: all of the problem
    ptrdiff_t priors        # number of last rows of f that are priors, not data: the loss does not apply to them

cdef size_t loss_doubles(ptrdiff_t m, bint called) noexcept nogil
cdef void loss_place(lm_loss *loss, ptrdiff_t m, double *memory) noexcept nogil
cdef double loss_norm(const lm_loss *loss, ptrdiff_t m, const double *f) noexcept nogil


# ---- evaluate/lossrows.pxi: The scaling of rows with which the linear model predicts the cost.

cdef int loss_rows(const lm_loss *loss, ptrdiff_t m, const double *f) noexcept nogil
cdef void scale_rows(ptrdiff_t m, ptrdiff_t n, const double *root, double *fjac, ptrdiff_t lda) noexcept nogil
cdef void multiply_rows(ptrdiff_t m, const double *root, const double *f, double *out) noexcept nogil


# ---- evaluate/lossstatistics.pxi: Statistics of a robust fit.

cdef int loss_weights(const lm_loss *loss, ptrdiff_t m, const double *f, double *weights) noexcept nogil
cdef int loss_sums(const lm_loss *loss, ptrdiff_t m, const double *f, double *sums) noexcept nogil
cdef double loss_deviation(const double *sums, double m, double degrees) noexcept nogil
cdef double loss_estimate(const lm_loss *loss, ptrdiff_t m, ptrdiff_t n, const double *f, double *work) noexcept nogil


# ---- evaluate/losskernel.pxi: Losses as Python objects.

cdef class CompiledRho:
    cdef lmoo_loss table
    cdef object capsule

cdef class LossKernel:
    cdef lm_loss table
    cdef object func, memory
    cdef int place(self, ptrdiff_t m, ptrdiff_t padded) except -1


# ---- evaluate/threads.pxi: Jobs on several Python threads, without the GIL.

ctypedef void (*job_function)(ptrdiff_t k, void *context) noexcept nogil

cdef int run_in_threads(job_function job, ptrdiff_t count, void *context) except -1 with gil

cdef enum:
    HELPER_CALL     # free: the thread is to look for jobs
    HELPER_BEGUN    # free: there are jobs that neither the thread nor the caller has begun
    HELPER_ENDED    # free: the thread has ended its jobs, and the caller has not seen it

ctypedef struct lm_helper:
    job_function job
    void *context
    ptrdiff_t first, count, step
    PyThread_type_lock locks[3]
    lm_helper *next

cdef class Team:
    cdef list helpers
    cdef lm_helper *chain
    cdef int start(self, ptrdiff_t count) except -1

cdef void run_in_team(lm_helper *team, job_function job, ptrdiff_t count, void *context) noexcept nogil


# ---- evaluate/differences.pxi: Compiled Jacobian strategies: the problem's own, and differences.

ctypedef struct lm_differences:
    int use_jacobian    # the problem's own Jacobian, if it provides one
    int central         # instead of forward differences
    int minpack_compatible  # step and divide exactly as MINPACK does
    int refines         # forward differences may be followed by central ones
    double epsfcn       # relative error of the residual; 0: that of its data type
    const double *typical   # n least sizes of |x_j|, or NULL

ctypedef struct lm_columns:
    # The position in a Jacobian by differences.
    ptrdiff_t j         # the column
    int phase, central
    int first           # the first value of column j is requested
    double root, h, step, lower
    double *out         # memory for f at point.x_work
    double eps          # relative error of f
    double noise        # norm of the error of f
    double size         # contribution of a parameter to f, from the last model
    double largest      # the largest contribution
    int tries           # intervals tried for column j
    int restarted       # the noise of f has been measured in this Jacobian, which was restarted
    double last_h, last_second  # the previous interval, and its second difference
    double error        # the error of f that the last two second differences show

cdef enum:
    # Value of differences_next: f at point.x_work is requested, in out.
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


# ---- evaluate/driver.pxi: The driver: it answers the requests of the iteration by an evaluator.

cdef enum:
    FAILED = -1     # value of an evaluation that ends the solve
    PAUSED = 1

ctypedef struct lm_driver

ctypedef struct lm_evaluator:
    # Each function answers one request of the iteration and returns 0; or returns PAUSED, and the caller of driver_run
    # must answer; or FAILED, with d.code or a Python exception.
    int (*residual)(lm_driver *d) noexcept nogil
    int (*linearize)(lm_driver *d, bint high_accuracy) noexcept nogil
    int (*curvature)(lm_driver *d) noexcept nogil
    int (*step)(lm_driver *d) noexcept nogil

ctypedef struct lm_driver:
    lm_state *s
    const lm_evaluator *evaluator
    void *owner         # for the evaluator
    const lmoo_problem *problem
    const lmoo_jacobian *strategy
    ptrdiff_t m, n
    ptrdiff_t rows      # of the residual; if they are fewer than n, m is n and the other rows are 0
    double *f           # f(s.x)
    double *previous    # f(s.base), if x is another point; NULL: it is evaluated again
    double *trial       # f(s.trial); work space between trials
    double *work
    double *row_sizes   # m: largest size of each row of J so far, in units of D; NULL if the rows are not stored
    double *u0          # n: the first entries of qrfac's Householder vectors
    double *fjac        # m x n, column-major
    lmoo_point point    # the argument of the strategy
    lm_loss *loss       # NULL if the cost is the sum of squares
    bint weighted       # the rows of fjac are scaled by the loss
    bint weighs_differences # a strategy other than `differences` computes differences of the scaled residual
    double noise        # relative rounding of the residual, if the user has given it
    bint evaluated      # f contains a residual
    bint factored       # fjac contains qrfac's factors of the model
    bint folded         # fjac contains the unchanged Jacobian of the model
    bint has_jacobian   # the problem's own Jacobian has been used
    bint joint          # residuals are evaluated with the Jacobian, by problem.both
    bint fresh          # fjac contains the problem's own Jacobian at the last trial point
    # out = J^T v of a model whose Jacobian is stored elsewhere, NaN if it fails; NULL: it is that of fjac.
    void (*transposed)(lm_driver *d, const double *v, double *out) noexcept nogil
    bint streams        # fjac contains a block of rows of the Jacobian for each part (stream.pxi)
    const double *stream_x  # the point of its jobs, and the memory for f
    double *stream_f
    int stream_code     # nonzero code of the user's function in a job; else 0
    bint threads        # threads of the Python interpreter may be used
    bint python         # problem.residual is Python code: the thread holds the GIL
    ptrdiff_t njev      # Jacobians evaluated
    ptrdiff_t differenced   # residuals evaluated for differences
    int code            # negative: code with which the user's function ended the solve
    # Checks for signals.
    bint stop           # set from outside, at any time
    bint watching       # for Ctrl-C
    ptrdiff_t countdown, interval
    double checked      # time of the last check, in milliseconds

cdef int driver_run(lm_driver *d, bint one_iteration) noexcept nogil
cdef int driver_advance(lm_driver *d) noexcept nogil
cdef int driver_again(lm_driver *d) noexcept nogil
cdef int refuse_request(lm_driver *d) noexcept nogil
cdef int pause_at_request(lm_driver *d) noexcept nogil
cdef bint wants_curvature(const lm_state *s) noexcept nogil


# ---- evaluate/columnerrors.pxi: Errors of the columns of a Jacobian.

cdef bint linearize_errors(lm_driver *d, const double *acnorm) noexcept nogil
cdef bint store_errors(lm_state *s, const double *acnorm, double relative, double precision,
                      double noise, ptrdiff_t m) noexcept nogil
cdef void drop_columns(lm_state *s, ptrdiff_t m, double *a, double *acnorm) noexcept nogil


# ---- evaluate/rowshares.pxi: Parts of the error of a column that can be in its row of R.

cdef bint wants_shares(const lm_state *s) noexcept nogil
cdef void share_block_errors(lm_state *s, const double *sizes, ptrdiff_t m, double *work) noexcept nogil


# ---- evaluate/overlaps.pxi: The part of f that a column of J meets.

cdef void add_overlaps(ptrdiff_t m, ptrdiff_t n, const double *a, ptrdiff_t down, ptrdiff_t across,
                       const double *root, const double *f, double fnorm, double *sums) noexcept nogil
cdef void store_overlaps(lm_state *s, const double *sums, const double *acnorm) noexcept nogil


# ---- evaluate/linearize.pxi: From the Jacobian to the linear model.

cdef size_t linearize_doubles(ptrdiff_t m, ptrdiff_t n) noexcept nogil
cdef void lm_linearize(lm_state *s, ptrdiff_t m, double *fjac, double *f) noexcept nogil
cdef const double *weigh_model(lm_driver *d) noexcept nogil
cdef bint folds_rows(const lm_driver *d) noexcept nogil
cdef void fold_with_overlaps(ptrdiff_t m, ptrdiff_t n, const double *a, ptrdiff_t down, ptrdiff_t across,
                             const double *root, const double *f, double fnorm, double *t, double *work,
                             double *overlaps) noexcept nogil
cdef int linearize_answer(lm_driver *d, int code) noexcept nogil
cdef void times_transpose(lm_driver *d, double *v, double *out) noexcept nogil


# ---- evaluate/stream.pxi: Tall problems whose rows can be evaluated separately.

cdef size_t stream_doubles(ptrdiff_t m, ptrdiff_t n) noexcept nogil
cdef bint can_stream(const lmoo_problem *problem, const lmoo_jacobian *strategy, const lm_state *s, ptrdiff_t m,
                     ptrdiff_t n) noexcept nogil


# ---- evaluate/vectors.pxi: The evaluator of problems whose residual is a vector in memory.

cdef lm_evaluator VECTORS
cdef size_t vectors_doubles(ptrdiff_t m, ptrdiff_t n, bint streams) noexcept nogil
cdef void vectors_place(lm_driver *d, ptrdiff_t m, double *memory, double *fjac) noexcept nogil
cdef int vectors_answer_residual(lm_driver *d) noexcept nogil
cdef int vectors_answer_norm(lm_driver *d, double fnorm) noexcept nogil
cdef void vectors_weigh_differences(lm_driver *d) noexcept nogil
cdef int vectors_linearize_again(lm_driver *d) noexcept nogil
cdef int vectors_begin_model(lm_driver *d, bint high_accuracy) noexcept nogil
cdef bint vectors_begin_curvature(lm_driver *d) noexcept nogil
cdef void vectors_answer_curvature(lm_driver *d, bint bad) noexcept nogil


# ---- evaluate/lanes.pxi: The linear models and the limited steps of several fits of one shape at once.

cdef enum:
    FITS = 8    # that wait for each other: the lanes of the widest vectors

ctypedef struct lm_lanes:
    ptrdiff_t m, n
    double *memory              # lanes_doubles(m, n), owned by the caller
    int count
    lm_driver *drivers[FITS]    # the waiting fits, borrowed

cdef size_t lanes_doubles(ptrdiff_t m, ptrdiff_t n) noexcept nogil
cdef void lanes_answer(lm_lanes *w) noexcept nogil
cdef void lanes_step(lm_lanes *w) noexcept nogil


# ---- evaluate/whole.pxi: A whole solve of a compiled problem, for callers in C.

cdef lmoo_jacobian ANALYTIC, FORWARD_DIFFERENCES, CENTRAL_DIFFERENCES, MINPACK_DIFFERENCES

cdef void default_options(lm_options *options, ptrdiff_t n) noexcept nogil
cdef size_t work_bytes(ptrdiff_t m, ptrdiff_t n) noexcept nogil
cdef int solve_compiled(const lmoo_problem *problem, const lmoo_jacobian *jacobian,
               const lm_options *options, double *x, const double *diag, void *work,
               lmoo_outcome *outcome) noexcept nogil


# ---- evaluate/access.pxi: Members of a state for the compiled interface.

cdef double *lm_vector(lm_state *s, int which) noexcept nogil
cdef double *lm_number(lm_state *s, int which) noexcept nogil
cdef ptrdiff_t *lm_count(lm_state *s, int which) noexcept nogil
cdef int *lm_flag(lm_state *s, int which) noexcept nogil
