/* lmoo for C, and for all that speaks C: the structs, and the functions behind lmoo_import().

   The promise.  A module compiled against this header runs, unbuilt, with every lmoo whose
   LMOO_API_VERSION has the same major part and at least its minor part; with any other,
   lmoo_import() raises ImportError.  Structs grow at their ends only, where it says so; those that
   the caller fills in begin with their own size, and lmoo reads no further than that.

   Memory belongs to the caller unless it says otherwise.  Matrices are column-major.  No function
   here needs Python's global interpreter lock but lmoo_import(). */

#ifndef LMOO_H
#define LMOO_H

#include <limits.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Major part in the upper half, minor part in the lower. */
#define LMOO_API_VERSION 0x00010001

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

typedef struct lmoo_problem {
    size_t size;                        /* sizeof(lmoo_problem) */
    ptrdiff_t m, n;                     /* residuals and parameters, m >= n >= 1 */
    void *user_data;
    lmoo_residual_function residual;
    lmoo_jacobian_function jacobian;    /* or NULL */
    lmoo_both_function both;            /* or NULL */
    double precision;                   /* relative rounding error of f; 0: that of double */
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

struct lm_state;

/* How lambda and the trust region move.  A strategy holds nothing of a solve: its own numbers live
   in state->memory, its vectors in state->velocity and state->acceleration. */
typedef struct lmoo_step {
    size_t size;                        /* sizeof(lmoo_step) */
    void *context;
    /* The first model is in; diag, xnorm and delta are set.  Or NULL. */
    void (*begin)(struct lm_state *state, void *context);
    /* Fill step, par and newton from model, diag and delta; prered and dirder with lm_predict or
       lm_predict_damped.  Return LM_RESIDUAL when that is done, or LM_CURVATURE or LM_STEP to ask
       for what those bring and be called again. */
    int (*propose)(struct lm_state *state, void *context);
    /* The trial has been judged: ratio, actred, prered, fnorm1.  Move delta and par. */
    void (*update)(struct lm_state *state, void *context);
    /* The trial is a bad point, delta has been shortened.  Move par. */
    void (*refused)(struct lm_state *state, void *context);
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
    /* grows here */
} lm_options;

/* The linear model at x, what a factorisation J P = Q R leaves behind: O(n^2) numbers whatever m
   is.  The iteration needs nothing else of the problem. */
typedef struct lm_model {
    double *r;              /* n x n: R on and above the diagonal, below it lmpar's work */
    double *qtf;            /* n: (Q^T f)[:n] */
    double *acnorm;         /* n: the norms of the columns of J, in the order of the parameters */
    int *ipvt;              /* n: J[:, ipvt] = Q R */
} lm_model;

/* One block of memory of state_bytes(n), or of bounded_bytes(n) where there are bounds, which attach
   lays out: this struct and, behind it, every array it points to.  It can be copied, stored between any two calls and kept in arrays of
   states; a copy is to be attached again. */
typedef struct lm_state {
    int version;
    ptrdiff_t n;
    lm_model model;         /* of the last point linearised, which is base */
    double *x;              /* n each: the current point */
    double *trial;          /* where f is asked for */
    double *base;           /* the last point whose model was good */
    double *diag;           /* D, the scaling of the trust region */
    double *step;           /* trial - x */
    double *velocity;       /* the direction that LM_CURVATURE is asked for */
    double *acceleration;
    double *curvature;      /* its answer: J^T f_vv */
    double *sdiag;
    double *wa1;
    double *wa2;
    /* The dialogue. */
    int request;
    int answer;             /* what came back: one of LM_ANSWER_... */
    int status;
    int accepted;           /* the last answer made trial the current point */
    int reverted;           /* the last answer threw the current point back to base */
    int refined;            /* the model comes from the better derivatives */
    int refused;            /* points refused since the last step that was taken */
    int started;
    int curved;             /* in propose: LM_CURVATURE was answered (1) or refused (-1) */
    /* The scalars of More' (1978). */
    double fnorm;           /* |f(x)| */
    double fnorm1;          /* |f(trial)| */
    double base_fnorm;      /* |f(base)| */
    double delta;           /* radius of the trust region, in units of |D x| */
    double par;             /* for the next step: as the radius, it has been updated */
    double step_par;        /* that gave the step */
    double xnorm;           /* |D x| */
    double pnorm;           /* |D step| */
    double gnorm;           /* largest cosine between f and a column of J */
    double actred;
    double prered;
    double dirder;
    double ratio;
    ptrdiff_t nfev;         /* kept by the driver, which knows what a Jacobian cost */
    ptrdiff_t models;       /* Jacobians gone on from */
    ptrdiff_t nit;          /* trial points judged */
    ptrdiff_t steps;        /* those of them that were taken */
    double jacobian_error;  /* relative error of J's columns, told by the driver */
    int newton;             /* the step is, as good as, that of Gauss and Newton */
    int trusting;           /* and it is to be: it is taken on the model's word */
    double memory[8];       /* the step strategy's own */
    /* What follows is lmoo's own and no part of the interface: it moves as the options grow. */
    lm_options options;
    double promise;         /* relative reduction of |f|^2 that the model predicts for a Gauss-Newton step */
    double noise;           /* a relative change of |f|^2 that errors of f can bring */
    double contraction;     /* |N step| over that of the step before, both Gauss-Newton steps; else 1 */
    double last_pnorm;      /* |N step| of the step before, N being the current column norms; 0 where it
                               was not a Gauss-Newton step, negative where derivatives have become better since */
    double word;            /* the promise below noise on which the last step was taken, if any */
    int broken_words;       /* such steps in a row after which more was promised */
    /* With bounds, and only then. */
    int bounded;
    int confined;           /* the step was made to stay inside */
    double *lower, *upper;  /* n each */
    double *gradient;       /* n: J^T f at base, of all parameters */
    double *shift, *target, *bounds_work;
    lm_model full;          /* the model with all columns; in `model` those held are zero */
    lm_model face;
    int *held;              /* n: -1 at the lower bound, 1 at the upper, 2 fixed; 0 free */
    int *working;
    /* What is measured of f and J. */
    double *column_error;   /* n: relative error of each column of J, told by the driver */
    double *interval;       /* n: distance of the points whose difference a column is; 0: it is none */
    double *length;         /* n: over which a column of J changes by its own size; 0: not known */
    double *last_step;      /* n: the last step that was taken */
    double least_noise;     /* error of |f| that was measured, absolute; 0: none was */
    int rank;               /* of the model, as far as R is more than its error */
    int probe;              /* values of |f| taken to measure its error, and where they went */
    double probes[8];
    int search;             /* trials before a success, away from x: for parameters without an effect, or held */
    int best;               /* the one of them to be taken, plus 1; 0: none is */
    double drop;            /* what that takes from |f|^2, relatively */
    int found;              /* searches that have led on */
    /* What becomes of the steps. */
    double start_fnorm;     /* |f(x0)| */
    double reached;         /* |f| when a reduction was last seen */
    int idle;               /* trials since */
    int rejections;         /* in a row */
    int cut;                /* steps in a row that the radius has cut */
    int good;               /* those of them since a step was last refused */
    int looked;             /* differences have been measured since the last step that was taken */
    int looking;            /* and are being measured */
    int extrapolated;       /* the step is more than that of Gauss and Newton (1), or bent (2) */
    int steady;             /* the last two rates were the same */
    double remainder;       /* share of an extrapolated step that it leaves to go */
    double refused_length;  /* |D step| of the first of the steps in a row that were refused */
    double noise_seen;      /* error of |f| along one line, to be confirmed along a shorter one; else 0 */
    double probe_scale;     /* how many times as long as that the line is, along which |f| is probed */
    double rate;            /* signed: of the last two Gauss-Newton steps */
    double linear;          /* the rate by which a step was last extrapolated */
    int since;              /* steps taken since */
    int *near;              /* n: the bound that the last step was kept short of, as in held */
    double bend;            /* second derivative of |f|^2 / 2 along the last step, over |J p|^2; 0: not more */
    int finished;           /* `steps` when a last step was asked for, plus 1 */
    double wall;            /* radius before bad points have shrunk it, 0: they have not */
} lm_state;

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
    int better;                 /* the best there is, please: LM_REFINE */
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

/* What came of it. */
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

         lm_state *s = malloc(lm_state_bytes(n));
         lm_attach(s, n);  lm_start(s, &options, x0, diag or NULL);
         while ((request = lm_advance(s)) != LM_DONE) answer it;                               */
    size_t (*state_bytes)(ptrdiff_t n);
    void (*attach)(lm_state *s, ptrdiff_t n);
    void (*start)(lm_state *s, const lm_options *options, const double *x0, const double *diag);
    int (*advance)(lm_state *s);
    void (*residual)(lm_state *s, double fnorm);
    void (*linearized)(lm_state *s);
    void (*curved)(lm_state *s);
    void (*stepped)(lm_state *s);
    void (*refuse)(lm_state *s);
    void (*stop)(lm_state *s, int status);
    void (*default_options)(lm_options *options, ptrdiff_t n);

    /* For step strategies.  The reduction that the model predicts for any p, or for one that solves
       (J^T J + par D^2) p = -J^T f; that p itself. */
    void (*predict)(lm_state *s, const double *p);
    void (*predict_damped)(lm_state *s, const double *p, double par);
    void (*damped_step)(lm_state *s, double par, double *p);
    const lmoo_step *more, *nielsen, *geodesic;

    /* The kernels: the equations and the arguments stand in lmoo/_core, in norms.pxd,
       qr.pyx, lmpar.pyx and fold.pyx. */
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
    /* Bytes of a state for a solve with bounds. */
    size_t (*bounded_bytes)(ptrdiff_t n);
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
