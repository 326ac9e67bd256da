# The declarations of lmoo.h without lm_state, which the including file declares, completely or as an opaque struct.

cdef extern from "lmoo.h" nogil:
    enum:
        LMOO_API_VERSION
        LMOO_GOOD
        LMOO_BAD_POINT
        LMOO_NOT_PROVIDED

        LM_RESIDUAL
        LM_LINEARIZE
        LM_REFINE
        LM_DONE
        LM_CURVATURE
        LM_STEP

        LM_RUNNING
        LM_FTOL
        LM_XTOL
        LM_FTOL_XTOL
        LM_GTOL
        LM_MAXFEV
        LM_FTOL_SMALL
        LM_XTOL_SMALL
        LM_GTOL_SMALL
        LM_START_NOT_FINITE
        LM_DOMAIN
        LM_STOPPED
        LM_NO_PROGRESS
        LM_FLAT

        LM_TESTS_MINPACK
        LM_TESTS_ACCURATE
        LM_VALLEY

        LMOO_X
        LMOO_TRIAL
        LMOO_BASE
        LMOO_DIAG
        LMOO_STEP
        LMOO_VELOCITY
        LMOO_ACCELERATION
        LMOO_CURVATURE
        LMOO_COLUMN_NORMS
        LMOO_MEMORY
        LMOO_FNORM
        LMOO_FNORM1
        LMOO_BASE_FNORM
        LMOO_DELTA
        LMOO_PAR
        LMOO_XNORM
        LMOO_PNORM
        LMOO_GNORM
        LMOO_ACTRED
        LMOO_PRERED
        LMOO_DIRDER
        LMOO_RATIO
        LMOO_NFEV
        LMOO_NIT
        LMOO_STEPS
        LMOO_MODELS
        LMOO_STATUS
        LMOO_REQUEST
        LMOO_ACCEPTED
        LMOO_REVERTED
        LMOO_REFUSED
        LMOO_REFINED
        LMOO_CURVED
        LMOO_NEWTON
        LMOO_BELOW_NOISE

    ctypedef int (*lmoo_residual_function)(ptrdiff_t m, ptrdiff_t n, const double *x, double *fvec,
                                           void *user_data) noexcept nogil
    ctypedef int (*lmoo_jacobian_function)(ptrdiff_t m, ptrdiff_t n, const double *x, double *fjac,
                                           void *user_data) noexcept nogil
    ctypedef int (*lmoo_both_function)(ptrdiff_t m, ptrdiff_t n, const double *x, double *fvec,
                                       double *fjac, void *user_data) noexcept nogil
    ctypedef int (*lmoo_rows_function)(ptrdiff_t begin, ptrdiff_t count, ptrdiff_t n, const double *x, double *fvec,
                                       double *fjac, void *user_data) noexcept nogil

    ctypedef int (*lmoo_second_function)(ptrdiff_t m, ptrdiff_t n, const double *x, const double *v,
                                         double *out, void *user_data) noexcept nogil

    ctypedef struct lmoo_problem:
        size_t size
        ptrdiff_t m, n
        void *user_data
        lmoo_residual_function residual
        lmoo_jacobian_function jacobian
        lmoo_both_function both
        double precision
        lmoo_rows_function rows
        lmoo_second_function second

    ctypedef int (*lmoo_model_function)(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x,
                                        double *out, void *user_data) noexcept nogil

    ctypedef int (*lmoo_model_both_function)(ptrdiff_t m, ptrdiff_t n, const double *t,
                                             const double *x, double *values, double *derivatives,
                                             void *user_data) noexcept nogil

    ctypedef void (*lmoo_model_many_function)(ptrdiff_t count, ptrdiff_t m, ptrdiff_t n, const double *const *t,
                                              const double *const *x, double *const *values,
                                              double *const *derivatives, void *user_data) noexcept nogil

    ctypedef int (*lmoo_loss_function)(ptrdiff_t m, const double *z, double *rho, void *user_data) noexcept nogil
    ctypedef struct lmoo_loss:
        size_t size
        void *user_data
        lmoo_loss_function rho

    ctypedef struct lmoo_model:
        size_t size
        ptrdiff_t n, variables
        void *user_data
        lmoo_model_function values
        lmoo_model_function derivatives
        lmoo_model_both_function both
        lmoo_model_many_function many

    ctypedef struct lmoo_step:
        size_t size
        void *context
        void (*begin)(lm_state *state, void *context) noexcept nogil
        int (*propose)(lm_state *state, void *context) noexcept nogil
        void (*update)(lm_state *state, void *context) noexcept nogil
        void (*refused)(lm_state *state, void *context) noexcept nogil
        int wants_curvature

    ctypedef struct lmoo_linear:
        size_t size
        int (*fill)(void *model, ptrdiff_t m, double *a, ptrdiff_t lda, double *f) noexcept nogil
        void (*leave_out)(void *model, const int *active) noexcept nogil
        ptrdiff_t (*truncate)(void *model, const double *column_error, double fnorm, double *newton,
                              double *error) noexcept nogil
        void (*gradient)(void *model, const double *p, double fnorm, double *out) noexcept nogil
        void (*predict)(void *model, const double *p, int all, double fnorm, double *norm,
                        double *slope) noexcept nogil
        void (*gram)(void *model, const double *v, double *out) noexcept nogil
        void (*damped)(void *model, double par, const double *diag, double *p) noexcept nogil
        void (*damped_on_face)(void *model, const int *active, const double *moved, double par,
                               const double *diag, double *p) noexcept nogil
        int (*solve)(void *model, double par, const double *diag, const double *g,
                     double *x) noexcept nogil
        double (*within)(void *model, const double *diag, double delta, double par,
                         double *p) noexcept nogil
        void (*triangle)(void *model, double *r, int *ipvt, double *qtf) noexcept nogil

    ctypedef struct lm_options:
        size_t size
        double ftol, xtol, gtol, factor, epsfcn
        ptrdiff_t maxfev
        int tests
        int refine
        int user_scale
        const lmoo_step *step
        const double *lower
        const double *upper
        const lmoo_linear *linear
        void *model

    ctypedef struct lmoo_point:
        size_t size
        ptrdiff_t m, n
        const double *x
        const double *f
        double *fjac
        double *x_work
        double *f_work
        const lm_state *state
        double precision
        int high_accuracy
        double relative_error
        int (*residual)(lmoo_point *point, const double *x, double *f) noexcept nogil
        int (*jacobian)(lmoo_point *point) noexcept nogil
        void *driver
        int takes_rows
        const double *rows
        ptrdiff_t row_stride, column_stride
        double *column_error
        double *interval
        double noise
        double *length
        double share

    ctypedef struct lmoo_jacobian:
        size_t size
        void *context
        int (*evaluate)(lmoo_point *point, void *context) noexcept nogil
        int refines

    ctypedef struct lmoo_outcome:
        size_t size
        int status, code
        double fnorm
        ptrdiff_t nfev, njev, nit
        const double *fvec
        const lm_state *state

    ctypedef struct lmoo_api:
        size_t size
        unsigned int version
        size_t (*state_bytes)(ptrdiff_t n, bint bounded, bint dense) noexcept nogil
        void (*attach)(lm_state *s, ptrdiff_t n) noexcept nogil
        void (*start)(lm_state *s, ptrdiff_t n, const lm_options *options, const double *x0,
                      const double *diag) noexcept nogil
        int (*advance)(lm_state *s) noexcept nogil
        void (*residual)(lm_state *s, double fnorm) noexcept nogil
        void (*linearize)(lm_state *s, ptrdiff_t m, double *fjac, double *f) noexcept nogil
        void (*linearized)(lm_state *s) noexcept nogil
        void (*curved)(lm_state *s) noexcept nogil
        void (*stepped)(lm_state *s) noexcept nogil
        void (*refuse)(lm_state *s) noexcept nogil
        void (*stop)(lm_state *s, int status) noexcept nogil
        void (*default_options)(lm_options *options, ptrdiff_t n) noexcept nogil
        void (*predict)(lm_state *s, const double *p, bint all) noexcept nogil
        void (*predict_damped)(lm_state *s, const double *p, double par) noexcept nogil
        void (*damped)(lm_state *s, double par, double *p) noexcept nogil
        double (*within)(lm_state *s, double delta, double par, double *p) noexcept nogil
        double *(*vector)(lm_state *s, int which) noexcept nogil
        double *(*number)(lm_state *s, int which) noexcept nogil
        ptrdiff_t *(*count)(lm_state *s, int which) noexcept nogil
        int *(*flag)(lm_state *s, int which) noexcept nogil
        const lmoo_step *more
        const lmoo_step *nielsen
        const lmoo_step *geodesic
        double (*enorm)(ptrdiff_t n, const double *x) noexcept nogil
        void (*column_norms)(ptrdiff_t m, ptrdiff_t n, const double *a, ptrdiff_t lda,
                             double *norms) noexcept nogil
        void (*qrfac)(ptrdiff_t m, ptrdiff_t n, double *a, ptrdiff_t lda, int *ipvt, double *rdiag,
                      const double *acnorm, double *wa, double *f, double *qtf) noexcept nogil
        void (*qrsolv)(ptrdiff_t n, double *r, ptrdiff_t ldr, const int *ipvt, const double *diag,
                       const double *qtb, double *x, double *sdiag, double *wa) noexcept nogil
        double (*lmpar)(ptrdiff_t n, double *r, ptrdiff_t ldr, const int *ipvt, const double *diag,
                        const double *qtb, double delta, double par, double *x, double *sdiag,
                        double *wa1, double *wa2) noexcept nogil
        size_t (*fold_work_bytes)(ptrdiff_t n) noexcept nogil
        void (*fold)(ptrdiff_t m, ptrdiff_t n, const double *a, ptrdiff_t row_stride,
                     ptrdiff_t column_stride, const double *f, double *t, double *work) noexcept nogil
        void (*pivot_triangle)(ptrdiff_t n, double *t, int *ipvt, double *acnorm, double *qtf,
                               double *work) noexcept nogil
        size_t (*work_bytes)(ptrdiff_t m, ptrdiff_t n) noexcept nogil
        int (*solve)(const lmoo_problem *problem, const lmoo_jacobian *jacobian,
                     const lm_options *options, double *x, const double *diag, void *work,
                     lmoo_outcome *outcome) noexcept nogil
        const lmoo_jacobian *analytic
        const lmoo_jacobian *forward
        const lmoo_jacobian *central
        const lmoo_jacobian *minpack_forward
