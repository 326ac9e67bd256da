/* The compiled interface of lmoo, for C and for languages that can call C: structs, and the functions that
   lmoo_import() returns.

   A module compiled with this header runs, without being compiled again, with every lmoo whose LMOO_API_VERSION has the
   same major part and at least its minor part; with any other, lmoo_import() raises ImportError.  Structs grow at their
   ends only, at "grows here"; those that the caller fills in begin with their own size, and lmoo reads no further.

   Memory belongs to the caller unless it says otherwise.  Matrices are column-major.  Only lmoo_import() needs Python's
   global interpreter lock. */

#ifndef LMOO_H
#define LMOO_H

#include <limits.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Major part in the upper half, minor part in the lower. */
#define LMOO_API_VERSION 0x00010002

/* What functions of the user's return: 0 where all went well, a positive number where x is a bad
   point, at which there is no value (the step is refused and shortened), a negative one to end
   the solve with an error. */
#define LMOO_GOOD 0
#define LMOO_BAD_POINT 1
#define LMOO_NOT_PROVIDED INT_MIN   /* this function is not there: do without */

/* ---- what is to be minimised ---------------------------------------------------------------- */

/* f, m doubles, at x, n doubles. */
typedef int (*lmoo_residual_function)(ptrdiff_t m, ptrdiff_t n, const double *x, double *fvec,
                                      void *user_data);
/* J, m x n, at x: fjac[i + j * m] is the derivative of f_i by x_j. */
typedef int (*lmoo_jacobian_function)(ptrdiff_t m, ptrdiff_t n, const double *x, double *fjac,
                                      void *user_data);
/* Both, where they share much of their work. */
typedef int (*lmoo_both_function)(ptrdiff_t m, ptrdiff_t n, const double *x, double *fvec,
                                  double *fjac, void *user_data);
/* Of the rows begin to begin + count: f, count doubles, and J, count x n, column-major; either may be NULL.  Threads
   call it at the same time, for other rows. */
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
    /* Or NULL: the same numbers by rows.  The Jacobian of a tall problem is then factored block by block, and never
       stored. */
    lmoo_rows_function rows;
    lmoo_second_function second;        /* or NULL: step strategies that want curvature get differences */
    /* grows here */
} lmoo_problem;

/* ---- a model of curves ---------------------------------------------------------------------- */

/* At m points, `values` of a model, m of them, or its derivatives, m x n: out[i + j * m] is that of
   value i by x_j.  t holds the independent variables, an array of m doubles each, one after the other;
   it and x are read only. */
typedef int (*lmoo_model_function)(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x,
                                   double *out, void *user_data);
/* Both, where they share much of their work. */
typedef int (*lmoo_model_both_function)(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x,
                                        double *values, double *derivatives, void *user_data);

/* What a curve y is fitted by: the residual is (value - y) * weight. */
typedef struct lmoo_model {
    size_t size;                        /* sizeof(lmoo_model) */
    ptrdiff_t n;                        /* parameters */
    ptrdiff_t variables;                /* independent ones, >= 1 */
    void *user_data;
    lmoo_model_function values;
    lmoo_model_function derivatives;    /* or NULL */
    /* Or NULL: the same numbers, to the last bit, for little more than `values` takes.  Stacks of fits
       ask for both at every trial point, most of which are taken. */
    lmoo_model_both_function both;
    /* grows here */
} lmoo_model;

/* ---- the linear model ----------------------------------------------------------------------- */

/* Near x the residual is f + J p.  This is all that the iteration, the step strategies, bounds and covariances
   use of it; `model` is the implementation's own memory.  Vectors have n entries, in the order of the parameters, and
   are the caller's.  fnorm is |f|, by which results are divided so that nothing overflows.

   Parameters can be left out: those that are fixed, or at active bounds.  But where it says "of all columns",
   the functions speak of the others, which are free. */
typedef struct lmoo_linear {
    size_t size;                        /* sizeof(lmoo_linear) */
    /* Take in J, m x n with m >= n, column-major with leading dimension lda, and f, m doubles; both are read only.
       No column is left out then.  Return 0; or positive where this cannot be factored: x is then a bad point. */
    int (*fill)(void *model, ptrdiff_t m, double *a, ptrdiff_t lda, double *f);
    /* Leave out the parameters with active[j] != 0, and no others, until the next fill. */
    void (*leave_out)(void *model, const int *active);
    /* Leave out the directions along which J is no more than its error; column_error[j] is that of column j,
       relative.  Return the rank that is left; *newton = |J p| / fnorm for the Gauss-Newton step p; *error = the
       largest error of the columns that are left. */
    ptrdiff_t (*truncate)(void *model, const double *column_error, double fnorm, double *newton,
                          double *error);
    /* out = J^T (f + J p) / fnorm, of all columns; p = 0 where it is NULL. */
    void (*gradient)(void *model, const double *p, double fnorm, double *out);
    /* *norm = |J p| / fnorm and *slope = f^T J p / fnorm^2; of all columns where `all` is set. */
    void (*predict)(void *model, const double *p, int all, double fnorm, double *norm, double *slope);
    /* out = J^T J v, of all columns. */
    void (*gram)(void *model, const double *v, double *out);
    /* p = argmin |J p + f|^2 + par |D p|^2, D = diag; where that is singular, a basic solution. */
    void (*damped)(void *model, double par, const double *diag, double *p);
    /* The same over the parameters with active[j] == 0 of all, for others p[j] = moved[j]. */
    void (*damped_on_face)(void *model, const int *active, const double *moved, double par,
                           const double *diag, double *p);
    /* x = (J^T J + par D^2)^-1 g.  Return 0, or 1 where that is singular. */
    int (*solve)(void *model, double par, const double *diag, const double *g, double *x);
    /* The damped p with | |D p| - delta | <= 0.1 delta, or with par = 0 where that is no longer than 1.1 delta;
       par is a first guess.  Return par.  NULL: Newton's method on |D p|, with damped and solve. */
    double (*within)(void *model, const double *diag, double delta, double par, double *p);
    /* The triangle R, n x n, column-major, of J P = Q R, P in ipvt, and (Q^T f)[:n]; what is left out is zero. */
    void (*triangle)(void *model, double *r, int *ipvt, double *qtf);
    /* grows here */
} lmoo_linear;

/* ---- the iteration -------------------------------------------------------------------------- */

/* What the iteration asks for.  Open-ended: a driver answers those it knows, and refuses others. */
enum {
    LM_RESIDUAL = 1,    /* evaluate f at trial: lm_residual(|f|), or lm_refuse */
    LM_LINEARIZE = 2,   /* evaluate J at x, fill the model: lm_linearized, or lm_refuse */
    LM_REFINE = 3,      /* the same at the same x with better derivatives: likewise */
    LM_DONE = 4,        /* status says why */
    LM_CURVATURE = 5,   /* J^T f_vv to curvature, for the direction velocity: lm_curved, or
                           lm_refuse, which costs nothing but the acceleration */
    LM_STEP = 6         /* a step strategy that is asked: step, par: lm_stepped */
};

/* Why it stopped: MINPACK's info where that has a number, ours below zero. */
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
    LM_FLAT = -6        /* -5 is what an unfinished solve is called */
};

/* Which tests end the iteration. */
enum {
    LM_TESTS_MINPACK = 0,
    LM_TESTS_ACCURATE = 1
};

#define LM_VALLEY 10

/* A solve: a block of memory that is lmoo's own, read and written by the functions of lmoo_api. */
typedef struct lm_state lm_state;

/* Vectors of a solve, for lmoo_api.vector: n doubles each, but for the last. */
enum {
    LMOO_X = 1,               /* the current point */
    LMOO_TRIAL,               /* where f is asked for */
    LMOO_BASE,                /* the last point whose linear model was good */
    LMOO_DIAG,                /* D, the scaling of the trust region */
    LMOO_STEP,                /* trial - x: a step strategy writes it */
    LMOO_VELOCITY,            /* the direction that LM_CURVATURE is asked for */
    LMOO_ACCELERATION,        /* a step strategy's own */
    LMOO_CURVATURE,           /* J^T f_vv, the answer to LM_CURVATURE */
    LMOO_COLUMN_NORMS,        /* norms of the columns of J, 0 for parameters that are fixed or at active bounds */
    LMOO_MEMORY               /* 8 doubles, a step strategy's own */
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
    LMOO_NFEV = 1,            /* evaluations of f; the caller counts them */
    LMOO_NIT,                 /* trial points judged */
    LMOO_STEPS,               /* those of them that were taken */
    LMOO_MODELS               /* Jacobians used */
};
/* Flags and codes, for lmoo_api.flag. */
enum {
    LMOO_STATUS = 1,          /* LM_RUNNING, or why it ended */
    LMOO_REQUEST,             /* what is asked for */
    LMOO_ACCEPTED,            /* the last answer made trial the current point */
    LMOO_REVERTED,            /* the last answer went back to base */
    LMOO_REFUSED,             /* points refused since the last step that was taken */
    LMOO_REFINED,             /* the Jacobian is the more accurate one */
    LMOO_CURVED,              /* in propose: LM_CURVATURE was answered (1) or refused (-1) */
    LMOO_NEWTON,              /* the step is that of Gauss and Newton: a step strategy says so */
    LMOO_BELOW_NOISE          /* no reduction of |f|^2 can be seen: the Gauss-Newton step is wanted */
};

/* How lambda and the trust region move.  A strategy holds nothing of a solve: its own numbers live
   in state->memory, its vectors in state->velocity and state->acceleration. */
typedef struct lmoo_step {
    size_t size;                        /* sizeof(lmoo_step) */
    void *context;
    /* The first model is in; diag, xnorm and delta are set.  Or NULL. */
    void (*begin)(lm_state *state, void *context);
    /* Fill step, par and newton from model, diag and delta; prered and dirder with lm_predict or
       lm_predict_damped.  Return LM_RESIDUAL when that is done, or LM_CURVATURE or LM_STEP to ask
       for what those bring and be called again. */
    int (*propose)(lm_state *state, void *context);
    /* The trial has been judged: ratio, actred, prered, fnorm1.  Move delta and par. */
    void (*update)(lm_state *state, void *context);
    /* The trial is a bad point, delta has been shortened.  Move par. */
    void (*refused)(lm_state *state, void *context);
    int wants_curvature;                /* propose may return LM_CURVATURE: 1; 2: in valleys only, once
                                           LM_VALLEY steps in a row have been cut by the radius */
    /* grows here */
} lmoo_step;

typedef struct lm_options {
    size_t size;            /* sizeof(lm_options) */
    double ftol;
    double xtol;
    double gtol;
    double factor;          /* first radius of the trust region, in units of |D x| */
    double epsfcn;          /* relative rounding of the residual as it comes from the user */
    ptrdiff_t maxfev;
    int tests;              /* LM_TESTS_... */
    int refine;             /* the driver has better derivatives: ask for them before stopping */
    int user_scale;         /* lm_start sets it: diag was given and stays */
    const lmoo_step *step;  /* NULL: More's */
    /* n each, or NULL for no bounds on that side: x and all that is evaluated stay within, lower <=
       upper; where the two are equal, or one is NaN, the parameter is fixed.  lm_start copies them, and then wants a
       block of bounded_bytes(n). */
    const double *lower;
    const double *upper;
    const lmoo_linear *linear;  /* NULL: the dense linear model, behind the state */
    void *model;                /* the memory of another one, the caller's */
    /* grows here */
} lm_options;

/* ---- where derivatives come from ------------------------------------------------------------ */

/* What a Jacobian strategy is given: the point, and what it may call. */
typedef struct lmoo_point {
    size_t size;                /* lmoo's, when the strategy is called */
    ptrdiff_t m, n;
    const double *x;            /* n: where J is wanted */
    const double *f;            /* m: the residual there */
    double *fjac;               /* m x n, to be filled */
    double *x_work;             /* n and m doubles of work space */
    double *f_work;
    const lm_state *state;      /* model and base_fnorm are those of the last point linearised */
    double precision;           /* relative rounding error of f */
    int better;                 /* use the most accurate scheme: LM_REFINE */
    double relative_error;      /* answer: that of J's columns; 0 (as it comes): as f's */
    /* f at any x, counted: 0, or positive at a bad point (not finite ones are), or negative: give
       up and return that. */
    int (*residual)(struct lmoo_point *point, const double *x, double *f);
    /* The problem's own Jacobian at point->x to fjac; likewise, or LMOO_NOT_PROVIDED. */
    int (*jacobian)(struct lmoo_point *point);
    void *driver;               /* lmoo's own */
    /* Where takes_rows is set and J lies somewhere already, the answer can be where: entry (i, j) at
       rows[i * row_stride + j * column_stride], until evaluate is called again.  fjac is left as
       it is then. */
    int takes_rows;
    const double *rows;         /* NULL, as it comes: J is in fjac */
    ptrdiff_t row_stride, column_stride;
    /* Answer, n each, 0 as they come: the relative error of each column of J, beside relative_error; and
       the distance of the points whose difference it is, over which the error of f counts as well. */
    double *column_error;
    double *interval;
    double noise;               /* answer: norm of the error of f, where the strategy has seen it; 0 as it comes */
    double *length;             /* n: kept from one Jacobian to the next; see lm_state */
    double share;               /* of |f| that these rows make up, where they are a block of many; else 1 */
    /* grows here */
} lmoo_point;

typedef struct lmoo_jacobian {
    size_t size;                /* sizeof(lmoo_jacobian) */
    void *context;
    /* Fill point->fjac.  Return 0, positive where there are no derivatives at x, negative to stop. */
    int (*evaluate)(lmoo_point *point, void *context);
    int refines;                /* it has better derivatives, for LM_REFINE */
    /* grows here */
} lmoo_jacobian;

/* ---- a whole solve -------------------------------------------------------------------------- */

/* Result of a solve. */
typedef struct lmoo_outcome {
    size_t size;                /* sizeof(lmoo_outcome) */
    int status;                 /* LM_... */
    int code;                   /* what the user's function returned to end the solve; else 0 */
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

    /* The iteration asks, it never calls:

         lm_state *s = malloc(state_bytes(n, bounded, dense));
         start(s, n, &options, x0, diag or NULL);
         while ((request = advance(s)) != LM_DONE) answer it;

       bounded: options.lower or options.upper is given; dense: options.linear is NULL.  A copy of a state is to
       be attached before it is used. */
    size_t (*state_bytes)(ptrdiff_t n, int bounded, int dense);
    void (*attach)(lm_state *s, ptrdiff_t n);
    void (*start)(lm_state *s, ptrdiff_t n, const lm_options *options, const double *x0,
                  const double *diag);
    int (*advance)(lm_state *s);
    void (*residual)(lm_state *s, double fnorm);
    /* J, m x n, column-major, and f, both of which are overwritten, for LM_LINEARIZE and LM_REFINE; refuses them where
       they are not finite.  Or fill options.linear's model yourself, and say so by linearized. */
    void (*linearize)(lm_state *s, ptrdiff_t m, double *fjac, double *f);
    void (*linearized)(lm_state *s);
    void (*curved)(lm_state *s);
    void (*stepped)(lm_state *s);
    void (*refuse)(lm_state *s);
    void (*stop)(lm_state *s, int status);
    void (*default_options)(lm_options *options, ptrdiff_t n);

    /* For step strategies.  The reduction that the model predicts for any p, or for one that solves
       (J^T J + par D^2) p = -J^T f; that p itself. */
    void (*predict)(lm_state *s, const double *p, int all);
    void (*predict_damped)(lm_state *s, const double *p, double par);
    void (*damped)(lm_state *s, double par, double *p);
    /* The damped step with |D p| close to delta, or that of Gauss and Newton; returns its par. */
    double (*within)(lm_state *s, double delta, double par, double *p);

    /* What a solve holds, by the names above; NULL for a name that is not known. */
    double *(*vector)(lm_state *s, int which);
    double *(*number)(lm_state *s, int which);
    ptrdiff_t *(*count)(lm_state *s, int which);
    int *(*flag)(lm_state *s, int which);
    const lmoo_step *more, *nielsen, *geodesic;

    /* The kernels: the equations and the arguments stand in lmoo/_core, in norms.pxd,
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

    /* Minimise |f(x)| from x, and leave the solution there: the whole solve, for compiled problems.
       jacobian: NULL for the problem's own, differences where it has none (MINPACK's with its
       tests).  options: NULL for those of lmoo.Solver().  diag: n, or NULL.  work:
       work_bytes(m, n), to be used again as often as you like.  Returns outcome->status, or
       outcome->code where the user's function ended it; 0 for m < n, n < 1, or x out of bounds. */
    size_t (*work_bytes)(ptrdiff_t m, ptrdiff_t n);
    int (*solve)(const lmoo_problem *problem, const lmoo_jacobian *jacobian,
                 const lm_options *options, double *x, const double *diag, void *work,
                 lmoo_outcome *outcome);
    /* The problem's own Jacobian alone; that where there is one, else differences. */
    const lmoo_jacobian *analytic, *forward, *central, *minpack_forward;
    /* grows here */
} lmoo_api;

/* The module is named after the major part: a module compiled for another does not find it. */
#define LMOO_API_CAPSULE "lmoo._core.abi1._api"

#if defined(Py_PYTHON_H)
/* The functions, with a version that this header can work with; NULL with ImportError set. */
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
