/* The compiled interface of lmoo for C, and for languages that can call C: structs, and the functions that
   lmoo_import() returns.

   A module compiled with this header runs, without being compiled again, with every lmoo whose LMOO_API_VERSION has
   the same major part and at least its minor part; with any other, lmoo_import() raises ImportError.  Members are
   added at the ends of structs only, at "grows here".  The first member of structs that the caller fills in is their
   size; lmoo reads no further.

   Memory is owned by the caller unless stated otherwise.  Matrices are column-major.  Only lmoo_import() needs
   Python's global interpreter lock. */

#ifndef LMOO_H
#define LMOO_H

#include <limits.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Major part in the upper half, minor part in the lower. */
#define LMOO_API_VERSION 0x00010003

/* Values of the user's functions: 0 on success; a positive number if x is a bad point, where the function has no
   value (the step is refused and shortened); a negative number to end the solve with an error. */
#define LMOO_GOOD 0
#define LMOO_BAD_POINT 1
#define LMOO_NOT_PROVIDED INT_MIN   /* the function is not provided */

/* ---- problems ------------------------------------------------------------------------------- */

/* f, m doubles, at x, n doubles. */
typedef int (*lmoo_residual_function)(ptrdiff_t m, ptrdiff_t n, const double *x, double *fvec,
                                      void *user_data);
/* J, m x n, at x: fjac[i + j * m] is the derivative of f_i by x_j. */
typedef int (*lmoo_jacobian_function)(ptrdiff_t m, ptrdiff_t n, const double *x, double *fjac,
                                      void *user_data);
/* Both, if they share much of their work. */
typedef int (*lmoo_both_function)(ptrdiff_t m, ptrdiff_t n, const double *x, double *fvec,
                                  double *fjac, void *user_data);
/* The rows begin to begin + count - 1: f, count doubles, and J, count x n, column-major; either may be NULL.  Threads
   call it at the same time for other rows. */
typedef int (*lmoo_rows_function)(ptrdiff_t begin, ptrdiff_t count, ptrdiff_t n, const double *x,
                                  double *fvec, double *fjac, void *user_data);

/* The second derivatives of f along v, n doubles: out_i = sum over j and k of v_j v_k d2 f_i / dx_j dx_k. */
typedef int (*lmoo_second_function)(ptrdiff_t m, ptrdiff_t n, const double *x, const double *v,
                                    double *out, void *user_data);

typedef struct lmoo_problem {
    size_t size;                        /* sizeof(lmoo_problem) */
    ptrdiff_t m, n;                     /* residuals and parameters, m >= n >= 1 */
    void *user_data;
    lmoo_residual_function residual;
    lmoo_jacobian_function jacobian;    /* or NULL */
    lmoo_both_function both;            /* or NULL */
    double precision;                   /* relative rounding error of f; 0: that of double */
    /* Or NULL: the same numbers by rows.  The Jacobian of a tall problem is then factored block by block, and not
       stored. */
    lmoo_rows_function rows;
    lmoo_second_function second;        /* or NULL: differences are used if a step strategy requests the curvature */
    /* grows here */
} lmoo_problem;

/* ---- a model of curves ---------------------------------------------------------------------- */

/* The m values of a model at m points, or its derivatives, m x n: out[i + j * m] is that of value i by x_j.
   t contains the independent variables, an array of m doubles for each, one after the other; t and x are read
   only. */
typedef int (*lmoo_model_function)(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x,
                                   double *out, void *user_data);
/* Both, if they share much of their work. */
typedef int (*lmoo_model_both_function)(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x,
                                        double *values, double *derivatives, void *user_data);

/* Values, unless that is NULL, and derivatives, unless that is NULL, of `count` fits of the same length, each with
   its own t, x and results: the same numbers as those of the functions above, to the last bit. */
typedef void (*lmoo_model_many_function)(ptrdiff_t count, ptrdiff_t m, ptrdiff_t n, const double *const *t,
                                         const double *const *x, double *const *values,
                                         double *const *derivatives, void *user_data);

/* A model for fits to data y: the residual is (value - y) * weight. */
typedef struct lmoo_model {
    size_t size;                        /* sizeof(lmoo_model) */
    ptrdiff_t n;                        /* parameters */
    ptrdiff_t variables;                /* independent ones, >= 1 */
    void *user_data;
    lmoo_model_function values;
    lmoo_model_function derivatives;    /* or NULL */
    /* Or NULL: the same numbers, to the last bit, for little more than `values` takes.  Batches of fits request
       both at every trial point, as most of these are accepted. */
    lmoo_model_both_function both;
    lmoo_model_many_function many;      /* or NULL; for a model that cannot fail, and has `both` and derivatives */
    /* grows here */
} lmoo_model;

/* ---- a loss ---------------------------------------------------------------------------------- */

/* rho and its first two derivatives at z, m doubles that are not negative: rho[i], rho[m + i] and rho[2 m + i] for
   z[i].  0 on success; a negative number to end the solve with an error. */
typedef int (*lmoo_loss_function)(ptrdiff_t m, const double *z, double *rho, void *user_data);

/* A robust loss: the cost is 1/2 sum C^2 rho((f / C)^2), rho(0) = 0 and rho'(0) = 1. */
typedef struct lmoo_loss {
    size_t size;                        /* sizeof(lmoo_loss) */
    void *user_data;
    lmoo_loss_function rho;
    /* grows here */
} lmoo_loss;

/* ---- the linear model ----------------------------------------------------------------------- */

/* Near x the residual is f + J p.  The iteration, the step strategies, bounds and covariances use only these
   functions of it; `model` is the memory of the implementation.  Vectors have n entries, in the order of the
   parameters, and are owned by the caller.  Results are divided by fnorm = |f|, so that nothing overflows.

   Parameters can be left out: those that are fixed, or at active bounds.  Unless "of all columns" is stated, the
   functions refer to the other parameters, which are free. */
typedef struct lmoo_linear {
    size_t size;                        /* sizeof(lmoo_linear) */
    /* Compute the model of J, m x n with m >= n, column-major with leading dimension lda, and f, m doubles; both are
       read only.  No column is left out then.  Return 0; or positive if J cannot be factored: x is then a bad point. */
    int (*fill)(void *model, ptrdiff_t m, double *a, ptrdiff_t lda, double *f);
    /* Leave out the parameters with active[j] != 0, and no others, until the next fill. */
    void (*leave_out)(void *model, const int *active);
    /* Leave out the directions along which J is not larger than its error; column_error[j] is that of column j,
       relative.  Return the remaining rank; *newton = |J p| / fnorm for the Gauss-Newton step p; *error = the largest
       error of the remaining columns. */
    ptrdiff_t (*truncate)(void *model, const double *column_error, double fnorm, double *newton,
                          double *error);
    /* out = J^T (f + J p) / fnorm, of all columns; NULL stands for p = 0. */
    void (*gradient)(void *model, const double *p, double fnorm, double *out);
    /* *norm = |J p| / fnorm and *slope = f^T J p / fnorm^2; of all columns if `all` is set. */
    void (*predict)(void *model, const double *p, int all, double fnorm, double *norm, double *slope);
    /* out = J^T J v, of all columns. */
    void (*gram)(void *model, const double *v, double *out);
    /* p = argmin |J p + f|^2 + par |D p|^2, D = diag; a basic solution if that is singular. */
    void (*damped)(void *model, double par, const double *diag, double *p);
    /* The same over the parameters with active[j] == 0, with p[j] = moved[j] for the others. */
    void (*damped_on_face)(void *model, const int *active, const double *moved, double par,
                           const double *diag, double *p);
    /* x = (J^T J + par D^2)^-1 g.  Return 0, or 1 if that is singular. */
    int (*solve)(void *model, double par, const double *diag, const double *g, double *x);
    /* The damped p with | |D p| - delta | <= 0.1 delta, or with par = 0 if its length is at most 1.1 delta; par is a
       first guess.  Return par.  NULL: Newton's method on |D p|, with damped and solve. */
    double (*within)(void *model, const double *diag, double delta, double par, double *p);
    /* The triangle R, n x n, column-major, of J P = Q R, P in ipvt, and (Q^T f)[:n]; left-out columns are 0. */
    void (*triangle)(void *model, double *r, int *ipvt, double *qtf);
    /* grows here */
} lmoo_linear;

/* ---- the iteration -------------------------------------------------------------------------- */

/* Requests of the iteration.  New ones may be added: a driver refuses requests that it does not support. */
enum {
    LM_RESIDUAL = 1,    /* evaluate f at trial: lm_residual(|f|), or lm_refuse */
    LM_LINEARIZE = 2,   /* evaluate J at x, fill the model: lm_linearized, or lm_refuse */
    LM_REFINE = 3,      /* the same at the same x with more accurate derivatives */
    LM_DONE = 4,        /* the iteration has ended, see status */
    LM_CURVATURE = 5,   /* compute curvature = J^T f_vv for the direction velocity: lm_curved; or lm_refuse:
                           then the step has no acceleration */
    LM_STEP = 6         /* compute step and par for the step strategy: lm_stepped */
};

/* Reasons of the end: MINPACK's info if it has a number for them; others are negative. */
enum {
    LM_RUNNING = 0,
    LM_FTOL = 1,
    LM_XTOL = 2,
    LM_FTOL_XTOL = 3,
    LM_GTOL = 4,
    LM_MAXFEV = 5,
    LM_FTOL_SMALL = 6,
    LM_XTOL_SMALL = 7,
    LM_GTOL_SMALL = 8,
    LM_START_NOT_FINITE = -1,
    LM_DOMAIN = -2,
    LM_STOPPED = -3,
    LM_NO_PROGRESS = -4,
    LM_FLAT = -6        /* -5 stands for an unfinished solve */
};

/* Tests that end the iteration. */
enum {
    LM_TESTS_MINPACK = 0,
    LM_TESTS_ACCURATE = 1
};

#define LM_VALLEY 10

/* A solve: a block of memory that is accessed by the functions of lmoo_api only. */
typedef struct lm_state lm_state;

/* Vectors of a solve, for lmoo_api.vector: n doubles each, except for the last. */
enum {
    LMOO_X = 1,               /* the current point */
    LMOO_TRIAL,               /* the point at which f is requested */
    LMOO_BASE,                /* the last point whose linear model was good */
    LMOO_DIAG,                /* D, the scaling of the trust region */
    LMOO_STEP,                /* trial - x, written by the step strategy */
    LMOO_VELOCITY,            /* the direction for LM_CURVATURE */
    LMOO_ACCELERATION,        /* for the step strategy */
    LMOO_CURVATURE,           /* J^T f_vv, the answer to LM_CURVATURE */
    LMOO_COLUMN_NORMS,        /* norms of the columns of J, 0 for parameters that are fixed or at active bounds */
    LMOO_MEMORY               /* 8 doubles for the step strategy */
};
/* Numbers of a solve, for lmoo_api.number. */
enum {
    LMOO_FNORM = 1,           /* |f(x)| */
    LMOO_FNORM1,              /* |f(trial)| */
    LMOO_BASE_FNORM,          /* |f(base)| */
    LMOO_DELTA,               /* radius of the trust region, in units of |D x| */
    LMOO_PAR,                 /* the Levenberg-Marquardt parameter */
    LMOO_XNORM,               /* |D x| */
    LMOO_PNORM,               /* |D step| */
    LMOO_GNORM,               /* largest cosine between f and a column of J */
    LMOO_ACTRED,              /* actual reduction of |f|^2, relative */
    LMOO_PRERED,              /* predicted reduction */
    LMOO_DIRDER,              /* its slope along the step */
    LMOO_RATIO                /* actual over predicted reduction */
};
/* Counts, for lmoo_api.count. */
enum {
    LMOO_NFEV = 1,            /* evaluations of f, counted by the caller */
    LMOO_NIT,                 /* assessed trial points */
    LMOO_STEPS,               /* accepted trial points */
    LMOO_MODELS               /* Jacobians used */
};
/* Flags and codes, for lmoo_api.flag. */
enum {
    LMOO_STATUS = 1,          /* LM_RUNNING, or the reason of the end */
    LMOO_REQUEST,             /* the current request */
    LMOO_ACCEPTED,            /* the last answer made trial the current point */
    LMOO_REVERTED,            /* the last answer returned the current point to base */
    LMOO_REFUSED,             /* bad points since the last accepted step */
    LMOO_REFINED,             /* the Jacobian is the more accurate one */
    LMOO_CURVED,              /* in propose: LM_CURVATURE was answered (1) or refused (-1) */
    LMOO_NEWTON,              /* the step is a Gauss-Newton step, set by the step strategy */
    LMOO_BELOW_NOISE          /* reductions of |f|^2 are below noise: the Gauss-Newton step is requested */
};

/* A step strategy: the updates of lambda and of the trust region.  It contains no data of a solve: its numbers are
   in state->memory, its vectors in state->velocity and state->acceleration. */
typedef struct lmoo_step {
    size_t size;                        /* sizeof(lmoo_step) */
    void *context;
    /* Called after the first model; diag, xnorm and delta are set.  Or NULL. */
    void (*begin)(lm_state *state, void *context);
    /* Compute step, par and newton from model, diag and delta; prered and dirder with lm_predict or
       lm_predict_damped.  Return LM_RESIDUAL then; or LM_CURVATURE or LM_STEP to request these, to be called again
       after the answer. */
    int (*propose)(lm_state *state, void *context);
    /* Called after the assessment of a trial point: ratio, actred, prered, fnorm1.  Update delta and par. */
    void (*update)(lm_state *state, void *context);
    /* Called after a bad trial point; delta has been reduced.  Update par. */
    void (*refused)(lm_state *state, void *context);
    int wants_curvature;                /* 1: propose may return LM_CURVATURE; 2: in valleys only, when the radius
                                           has limited LM_VALLEY steps in a row */
    /* grows here */
} lmoo_step;

typedef struct lm_options {
    size_t size;            /* sizeof(lm_options) */
    double ftol;
    double xtol;
    double gtol;
    double factor;          /* first radius of the trust region, in units of |D x| */
    double epsfcn;          /* relative rounding error of the user's residual */
    ptrdiff_t maxfev;
    int tests;              /* LM_TESTS_... */
    int refine;             /* the driver has more accurate derivatives: request them before stopping; 2: only where
                               J is error along some direction */
    int user_scale;         /* set by lm_start: diag was given and is not changed */
    const lmoo_step *step;  /* NULL: More's */
    /* n each, or NULL for no bounds on that side: x and all points of evaluations are within them, lower <= upper.
       A parameter is fixed if the two are equal, or one is NaN.  lm_start copies them; the state then needs a block
       of state_bytes(n, 1, dense). */
    const double *lower;
    const double *upper;
    const lmoo_linear *linear;  /* NULL: the dense linear model, after the state */
    void *model;                /* the memory of another one, owned by the caller */
    /* grows here */
} lm_options;

/* ---- Jacobian strategies -------------------------------------------------------------------- */

/* The argument of a Jacobian strategy: the point, and functions that it may call. */
typedef struct lmoo_point {
    size_t size;                /* set by lmoo */
    ptrdiff_t m, n;
    const double *x;            /* n: the point of J */
    const double *f;            /* m: the residual there */
    double *fjac;               /* m x n: J, written by the strategy */
    double *x_work;             /* n and m doubles of work space */
    double *f_work;
    const lm_state *state;      /* model and base_fnorm are those of the last point linearised */
    double precision;           /* relative rounding error of f */
    int high_accuracy;                 /* use the most accurate scheme: LM_REFINE */
    double relative_error;      /* result: that of the columns of J; 0 (preset): as that of f */
    /* Compute f at any x, and count it: 0, or positive at a bad point (also if f is not finite), or negative: the
       strategy must return this value. */
    int (*residual)(struct lmoo_point *point, const double *x, double *f);
    /* Compute the problem's own Jacobian at point->x in fjac; the same values, or LMOO_NOT_PROVIDED. */
    int (*jacobian)(struct lmoo_point *point);
    void *driver;               /* for lmoo */
    /* If takes_rows is set, the strategy can return J in other memory instead of fjac: entry (i, j) at
       rows[i * row_stride + j * column_stride], valid until evaluate is called again. */
    int takes_rows;
    const double *rows;         /* NULL (preset): J is in fjac */
    ptrdiff_t row_stride, column_stride;
    /* Results, n each, preset to 0: the relative error of each column of J, in addition to relative_error; and
       the distance of the points of its difference, over which the error of f adds to it. */
    double *column_error;
    double *interval;
    double noise;               /* result: norm of the error of f, if the strategy has measured it; preset to 0 */
    double *length;             /* n: kept from one Jacobian to the next; see lm_state */
    double share;               /* of these rows in |f|, if they are one block of several; else 1 */
    /* grows here */
} lmoo_point;

typedef struct lmoo_jacobian {
    size_t size;                /* sizeof(lmoo_jacobian) */
    void *context;
    /* Fill point->fjac.  Return 0, positive if there are no derivatives at x, negative to stop. */
    int (*evaluate)(lmoo_point *point, void *context);
    int refines;                /* it has more accurate derivatives, for LM_REFINE; 2: see lm_options.refine */
    /* grows here */
} lmoo_jacobian;

/* ---- complete solves ------------------------------------------------------------------------ */

/* Result of a solve. */
typedef struct lmoo_outcome {
    size_t size;                /* sizeof(lmoo_outcome) */
    int status;                 /* LM_... */
    int code;                   /* value with which the user's function ended the solve; else 0 */
    double fnorm;               /* |f(x)| */
    ptrdiff_t nfev, njev, nit;
    const double *fvec;         /* m: f(x), in the work space */
    const lm_state *state;      /* with the last model, in the work space */
    /* grows here */
} lmoo_outcome;

/* ---- the functions -------------------------------------------------------------------------- */

typedef struct lmoo_api {
    size_t size;
    unsigned version;           /* the LMOO_API_VERSION that lmoo was built with */

    /* The iteration returns requests; it calls no function of the problem:

         lm_state *s = malloc(state_bytes(n, bounded, dense));
         start(s, n, &options, x0, diag or NULL);
         while ((request = advance(s)) != LM_DONE) answer it;

       bounded: options.lower or options.upper is given; dense: options.linear is NULL.  A copy of a state must
       be attached before its use. */
    size_t (*state_bytes)(ptrdiff_t n, int bounded, int dense);
    void (*attach)(lm_state *s, ptrdiff_t n);
    void (*start)(lm_state *s, ptrdiff_t n, const lm_options *options, const double *x0,
                  const double *diag);
    int (*advance)(lm_state *s);
    void (*residual)(lm_state *s, double fnorm);
    /* Answer LM_LINEARIZE or LM_REFINE with J, m x n, column-major, and f, which are overwritten; refuse it if they are
       not finite.  Alternatively fill options.linear's model, and call linearized. */
    void (*linearize)(lm_state *s, ptrdiff_t m, double *fjac, double *f);
    void (*linearized)(lm_state *s);
    void (*curved)(lm_state *s);
    void (*stepped)(lm_state *s);
    void (*refuse)(lm_state *s);
    void (*stop)(lm_state *s, int status);
    void (*default_options)(lm_options *options, ptrdiff_t n);

    /* For step strategies: the reduction that the model predicts for any p, or for one that solves
       (J^T J + par D^2) p = -J^T f; this p itself. */
    void (*predict)(lm_state *s, const double *p, int all);
    void (*predict_damped)(lm_state *s, const double *p, double par);
    void (*damped)(lm_state *s, double par, double *p);
    /* The damped step with |D p| close to delta, or the Gauss-Newton step; returns its par. */
    double (*within)(lm_state *s, double delta, double par, double *p);

    /* Members of a state, by the names above; NULL for an unknown name. */
    double *(*vector)(lm_state *s, int which);
    double *(*number)(lm_state *s, int which);
    ptrdiff_t *(*count)(lm_state *s, int which);
    int *(*flag)(lm_state *s, int which);
    const lmoo_step *more, *nielsen, *geodesic;

    /* The kernels.  Equations and arguments are documented in lmoo/_core: norms.pxd,
       linalg/qr.pxi, linalg/lmpar.pxi and fold.pyx. */
    double (*enorm)(ptrdiff_t n, const double *x);
    void (*column_norms)(ptrdiff_t m, ptrdiff_t n, const double *a, ptrdiff_t lda, double *norms);
    void (*qrfac)(ptrdiff_t m, ptrdiff_t n, double *a, ptrdiff_t lda, int *ipvt, double *rdiag,
                  const double *acnorm, double *wa, double *f, double *qtf);
    void (*qrsolv)(ptrdiff_t n, double *r, ptrdiff_t ldr, const int *ipvt, const double *diag,
                   const double *qtb, double *x, double *sdiag, double *wa);
    double (*lmpar)(ptrdiff_t n, double *r, ptrdiff_t ldr, const int *ipvt, const double *diag,
                    const double *qtb, double delta, double par, double *x, double *sdiag,
                    double *wa1, double *wa2);
    size_t (*fold_work_bytes)(ptrdiff_t n);
    void (*fold)(ptrdiff_t m, ptrdiff_t n, const double *a, ptrdiff_t row_stride,
                 ptrdiff_t column_stride, const double *f, double *t, double *work);
    void (*pivot_triangle)(ptrdiff_t n, double *t, int *ipvt, double *acnorm, double *qtf,
                           double *work);

    /* Minimise |f(x)| from x, and leave the solution there: a complete solve of a compiled problem.  jacobian: NULL
       for the problem's own, or differences if it provides none (MINPACK's with its tests).  options: NULL for those
       of lmoo.Solver().  diag: n, or NULL.  work: work_bytes(m, n), which can be used again.  Returns
       outcome->status, or outcome->code if the user's function ended the solve; 0 for m < n, n < 1, or x out of
       bounds. */
    size_t (*work_bytes)(ptrdiff_t m, ptrdiff_t n);
    int (*solve)(const lmoo_problem *problem, const lmoo_jacobian *jacobian,
                 const lm_options *options, double *x, const double *diag, void *work,
                 lmoo_outcome *outcome);
    /* The problem's own Jacobian only; or that, if it is provided, and differences otherwise. */
    const lmoo_jacobian *analytic, *forward, *central, *minpack_forward;
    /* grows here */
} lmoo_api;

/* The name of the module contains the major part: modules compiled for another one do not find it. */
#define LMOO_API_CAPSULE "lmoo._core.abi1._api"

#if defined(Py_PYTHON_H)
/* Return the functions, of a version that is compatible with this header; NULL with ImportError set. */
static inline const lmoo_api *lmoo_import(void)
{
    const lmoo_api *api = (const lmoo_api *)PyCapsule_Import(LMOO_API_CAPSULE, 0);
    unsigned wanted = LMOO_API_VERSION;
    if (api == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_ImportError)) {
            PyErr_Clear();
            PyErr_SetString(PyExc_ImportError, "lmoo is not installed, or has no compiled interface");
        }
        return NULL;
    }
    if (api->version >> 16 != wanted >> 16 || api->version < wanted) {
        PyErr_Format(PyExc_ImportError,
                     "this module was compiled for version %u.%u of lmoo's interface; the lmoo that is "
                     "installed has version %u.%u",
                     wanted >> 16, wanted & 0xffffu, api->version >> 16, api->version & 0xffffu);
        return NULL;
    }
    return api;
}
#endif

#ifdef __cplusplus
}
#endif

#endif /* LMOO_H */
