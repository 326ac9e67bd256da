"""The structs that everything speaks in: the linear model, the options, the state, the requests.

The linear model at x is what a factorisation J P = Q R leaves behind,

    R, ipvt (P), qtf = (Q^T f)[:n], acnorm = column norms of J, fnorm = |f|,

O(n^2) numbers whatever m is.  The iteration needs nothing else of the problem; whoever answers
its requests fills them in.
"""

# What the iteration asks for.  Open-ended: a driver answers those it knows.
cdef enum:
    LM_RESIDUAL = 1     # evaluate f at trial: lm_residual(|f|), or lm_refuse
    LM_LINEARIZE = 2    # evaluate J at x, fill the model: lm_linearized, or lm_refuse
    LM_REFINE = 3       # the same at the same x with better derivatives: likewise
    LM_DONE = 4         # status says why

# Why it stopped: MINPACK's info where that has a number, ours below zero.
cdef enum:
    LM_RUNNING = 0
    LM_FTOL = 1
    LM_XTOL = 2
    LM_FTOL_XTOL = 3
    LM_GTOL = 4
    LM_MAXFEV = 5
    LM_FTOL_SMALL = 6
    LM_XTOL_SMALL = 7
    LM_GTOL_SMALL = 8
    LM_START_NOT_FINITE = -1
    LM_DOMAIN = -2
    LM_STOPPED = -3
    LM_NO_PROGRESS = -4
    LM_FLAT = -6            # -5 is what an unfinished solve is called

# Which tests end the iteration.
cdef enum:
    LM_TESTS_MINPACK = 0
    LM_TESTS_ACCURATE = 1

cdef enum:
    LM_STATE_VERSION = 1

ctypedef struct lm_options:
    double ftol
    double xtol
    double gtol
    double factor       # first radius of the trust region, in units of |D x|
    double epsfcn       # relative rounding of the residual as it comes from the user
    ptrdiff_t maxfev
    int user_scale      # diag was given and stays
    int tests           # LM_TESTS_...
    int refine          # the driver has better derivatives: ask for them before stopping

ctypedef struct lm_model:
    double *r           # n x n, column-major: R on and above the diagonal, below it lmpar's work
    double *qtf         # n
    double *acnorm      # n, in the order of the parameters
    int *ipvt           # n, J[:, ipvt] = Q R

ctypedef struct lm_state:
    # One block of memory holds this struct and, behind it, every array it points to, so that a
    # state can be copied, stored and kept in arrays of states.
    int version
    ptrdiff_t n
    lm_options options
    lm_model model      # of the last point linearised, which is base
    double *x           # n each: the current point
    double *trial       # where f is asked for
    double *base        # the last point whose model was good
    double *diag        # D, the scaling of the trust region
    double *step        # trial - x
    double *sdiag
    double *wa1
    double *wa2
    # The dialogue.
    int request
    int answer          # what came back: one of LM_ANSWER_...
    int status
    int accepted        # the last answer made trial the current point
    int reverted        # the last answer threw the current point back to base
    int refined         # the model comes from the better derivatives
    int refused         # points refused since the last step that was taken
    int started
    # The scalars of More' (1978).
    double fnorm        # |f(x)|
    double fnorm1       # |f(trial)|
    double base_fnorm   # |f(base)|
    double delta
    double par          # for the next step: as the radius, it has been updated
    double step_par     # that gave the step
    double xnorm        # |D x|
    double pnorm        # |D step|
    double gnorm        # largest cosine between f and a column of J
    double actred
    double prered
    double dirder
    double ratio
    double promise      # relative reduction of |f|^2 that the model promises a Gauss-Newton step
    double noise        # a relative change of |f|^2 that rounding can bring
    int trusting        # the Gauss-Newton step is taken on the model's word (stopping.pyx)
    double contraction  # |D step| over that of the step before, both Gauss-Newton steps; else 1
    double last_pnorm   # |D step| of the step before, 0 where it was not a Gauss-Newton step
    double jacobian_error   # relative error of J's columns, told by the driver
    ptrdiff_t nfev      # kept by the driver, which knows what a Jacobian cost
    ptrdiff_t models    # Jacobians gone on from
    ptrdiff_t nit       # trial points judged
    ptrdiff_t steps     # those of them that were taken
