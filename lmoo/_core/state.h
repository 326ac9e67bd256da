/* The state of the iteration: one block of memory, this struct and, behind it, every array that it points to and
   the dense linear model.  It can be copied, stored between any two calls and kept in arrays; a copy is to be attached
   again.  Nothing of it is part of the compiled interface, which reads it by functions. */

#ifndef LMOO_STATE_H
#define LMOO_STATE_H

#include "lmoo.h"

struct lm_state {
    int version;
    ptrdiff_t n;
    const lmoo_linear *linear;  /* operations of the linear model of the last point linearised, which is base */
    void *model;            /* and its own memory */
    double *x;              /* n each: the current point */
    double *trial;          /* where f is asked for */
    double *base;           /* the last point whose model was good */
    double *diag;           /* D, the scaling of the trust region */
    double *step;           /* trial - x */
    double *velocity;       /* the direction that LM_CURVATURE is asked for */
    double *acceleration;
    double *curvature;      /* its answer: J^T f_vv */
    double *acnorm;         /* norms of the columns of J */
    double *free_norms;     /* the same with zeros for active parameters; without bounds the same memory */
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
    int failed;             /* the linear model cannot go on, and its owner knows why */
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
    int newton;             /* the step is, to rounding, that of Gauss and Newton */
    int below_noise;        /* the reduction that the model predicts cannot be seen in |f|^2: the Gauss-Newton
                               step is taken without */
    double memory[8];       /* the step strategy's own */
    lm_options options;
    /* Stopping. */
    double offset;          /* squared relative offset: the reduction of |f|^2, relative, that a Gauss-Newton step
                               is predicted to bring */
    double noise;           /* a relative change of |f|^2 that errors of f can bring */
    double contraction;     /* |N step| over that of the step before, both Gauss-Newton steps; else 1 */
    double last_pnorm;      /* |N step| of the step before, N being the current column norms; 0 where it
                               was not a Gauss-Newton step, negative where derivatives have become better since */
    double hidden_offset;   /* offset at which the last noise-level step was taken, if any */
    int failed_hidden;      /* such steps in a row after which the offset was no smaller */
    /* With bounds. */
    int bounded;
    int limited;            /* the step was made to stay inside */
    double *lower, *upper;  /* n each */
    double *gradient;       /* n: J^T f at base, of all parameters */
    double *shift, *target;
    int *active;            /* n: -1 at the lower bound, 1 at the upper, 2 fixed; 0 free */
    int *working;
    int *near;              /* n: the bound that the last step was kept short of, as in active */
    /* What is measured of f and J. */
    double *column_error;   /* n: relative error of each column of J, told by the driver */
    double *interval;       /* n: distance of the points whose difference a column is; 0: it is none */
    double *length;         /* n: over which a column of J changes by its own size; 0: not known */
    double *last_step;      /* n: the last step that was taken */
    double least_noise;     /* error of |f| that was measured, absolute; 0: none was */
    int rank;               /* of the model, as far as it is more than its error */
    int probe;              /* values of |f| taken to measure its error, and where they went */
    double probes[8];
    int search;             /* trials before a success, away from x: for parameters without an effect, or active */
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
    int measured;           /* differences have been measured since the last step that was taken */
    int measuring;          /* and are being measured */
    int extrapolated;       /* the step is more than that of Gauss and Newton (1), or bent (2) */
    int steady;             /* the last two rates were the same */
    double remainder;       /* share of an extrapolated step that it leaves to go */
    double probe_scale;     /* how many times as long as the last step the line is, along which |f| is probed */
    double rate;            /* signed: of the last two Gauss-Newton steps */
    double linear_rate;     /* the rate by which a step was last extrapolated */
    int since;              /* steps taken since */
    double bend;            /* second derivative of |f|^2 / 2 along the last step, over |J p|^2; 0: not more */
    int finished;           /* `steps` when a last step was asked for, plus 1 */
    double wall;            /* radius before bad points have shrunk it, 0: they have not */
    int left_out;           /* columns below the rounding of f are left out of the models */
};

#endif /* LMOO_STATE_H */
