/* The state of the iteration: one block of memory with this struct, all arrays that it points to, and the dense
   linear model.  It can be copied, stored between any two calls and kept in arrays; a copy must be attached again.
   The struct is not part of the compiled interface, which accesses it by functions. */

#ifndef LMOO_STATE_H
#define LMOO_STATE_H

#include "lmoo.h"

struct lm_state {
    int version;
    ptrdiff_t n;
    const lmoo_linear *linear;  /* operations of the linear model, which is that of base */
    void *model;            /* memory of the linear model */
    double *x;              /* n each: the current point */
    double *trial;          /* the point at which f is requested */
    double *base;           /* the last point whose model was good */
    double *diag;           /* D, the scaling of the trust region */
    double *step;           /* trial - x */
    double *velocity;       /* the direction for LM_CURVATURE */
    double *acceleration;
    double *curvature;      /* the answer to LM_CURVATURE: J^T f_vv */
    double *acnorm;         /* norms of the columns of J */
    double *free_norms;     /* the same with zeros for active parameters; without bounds the same memory */
    double *wa1;
    double *wa2;
    /* Requests and answers. */
    int request;
    int answer;             /* ANSWER_... of iteration.pxi */
    int status;
    int accepted;           /* the last answer made trial the current point */
    int reverted;           /* the last answer returned the current point to base */
    int refined;            /* the model is based on the more accurate derivatives */
    int refused;            /* bad points since the last accepted step */
    int started;
    int curved;             /* in propose: LM_CURVATURE was answered (1) or refused (-1) */
    int failed;             /* the linear model has failed; its implementation has the error */
    /* The scalars of More' (1978). */
    double fnorm;           /* |f(x)| */
    double fnorm1;          /* |f(trial)| */
    double base_fnorm;      /* |f(base)| */
    double delta;           /* radius of the trust region, in units of |D x| */
    double par;             /* for the next step: updated like the radius */
    double step_par;        /* par of the step */
    double xnorm;           /* |D x| */
    double pnorm;           /* |D step| */
    double gnorm;           /* largest cosine between f and a column of J */
    double actred;
    double prered;
    double dirder;
    double ratio;
    ptrdiff_t nfev;         /* counted by the driver, with those for Jacobians */
    ptrdiff_t models;       /* Jacobians used for models */
    ptrdiff_t nit;          /* assessed trial points */
    ptrdiff_t steps;        /* accepted trial points */
    double jacobian_error;  /* relative error of the columns of J, set by the driver */
    int newton;             /* the step is a Gauss-Newton step up to rounding */
    int below_noise;        /* the predicted reduction of |f|^2 is below noise: the Gauss-Newton step is accepted
                               without a visible reduction */
    double memory[8];       /* for the step strategy */
    lm_options options;
    /* Stopping. */
    double offset;          /* squared relative offset: the relative reduction of |f|^2 predicted for a Gauss-Newton
                               step */
    double noise;           /* the relative change of |f|^2 that errors of f can cause */
    double contraction;     /* |N step| over that of the step before, both Gauss-Newton steps; else 1 */
    double last_pnorm;      /* |N step| of the step before, N being the current column norms; 0 if it was not a
                               Gauss-Newton step, or if the derivatives are others since */
    double hidden_offset;   /* offset at the last accepted noise-level step, else 0 */
    int failed_hidden;      /* noise-level steps in a row that have not reduced the offset */
    /* With bounds. */
    int bounded;
    int limited;            /* the step was changed to stay within the bounds */
    double *lower, *upper;  /* n each */
    double *gradient;       /* n: J^T f at base, of all parameters; without bounds over |f| there */
    double *shift, *target;
    int *active;            /* n: -1 at the lower bound, 1 at the upper, 2 fixed; 0 free */
    int *working;
    int *near;              /* n: the bound before which the last step was stopped, as in active */
    /* Measured properties of f and J. */
    double *column_error;   /* n: relative error of each column of J, set by the driver */
    double *interval;       /* n: distance of the points of the difference for a column; 0: not a difference */
    double *length;         /* n: over which a column of J changes by its own size; 0: unknown */
    double *last_step;      /* n: the last accepted step */
    double *newton_step;    /* n: the last Gauss-Newton step, without extrapolation */
    double least_noise;     /* measured absolute error of |f|; 0: none was measured */
    double along_error;     /* error of f in one direction, as that of the residual */
    int rank;               /* of the model, without directions along which J is error */
    int probe;              /* values of |f| measured along a line for its error, in probes; more: see PROBED */
    double probes[8];
    int search;             /* trial points away from x before a success, see search.pxi */
    int best;               /* index of the best of them plus 1; 0: none */
    double drop;            /* its relative reduction of |f|^2 */
    int found;              /* successful searches */
    /* History of the steps. */
    double start_fnorm;     /* |f(x0)| */
    double reached;         /* |f| at the last visible reduction */
    int idle;               /* trials since then, in tenths */
    int rejections;         /* in a row */
    int cut;                /* steps in a row that the radius has limited */
    int good;               /* those of them since the last rejected step */
    int measured;           /* intervals of differences have been measured since the last accepted step */
    int measuring;          /* they are being measured */
    int extrapolated;       /* the step is extrapolated from a Gauss-Newton step (1), bent (2), leads across infinity (3), or is one in a logarithm (4) */
    ptrdiff_t crossed;      /* `steps` when a step across infinity was last looked for, plus 1 */
    ptrdiff_t logarithmic;  /* the same for a step in a logarithm */
    double par_before;      /* par before such a step */
    int crossings;          /* steps across infinity that were taken */
    int known_newton;       /* newton_step is that at the last point */
    double remainder;       /* share of an extrapolated step that remains after it */
    double probe_scale;     /* length of the line along which |f| is measured, over that of the last step */
    double last_actred;     /* actred and dirder of the last accepted step, relative to |f|^2 after it */
    double last_dirder;
    double secant_error;    /* error of what the last move shows of the contraction, see secant.pxi */
    double linear_rate;     /* rate of contraction at the last extrapolation */
    int since;              /* accepted steps since then */
    double bend;            /* second derivative of |f|^2 / 2 along the last step, over |J p|^2; 0: not larger */
    int finished;           /* `steps` when a last step was requested, plus 1 */
    double wall;            /* radius before bad points have reduced it; 0: they have not */
    ptrdiff_t wall_seen;    /* `steps` at the last bad point */
    double room;            /* |D .| from x to the last bad point, or over |D last_step| after a good one; 0: none is ahead */
    double gained;          /* largest actred of the steps towards bad points */
    int ending;             /* the next model is one for a last step (1), the next trial point the end (2), a last step was made (3) */
    int left_out;           /* columns below the rounding of f are left out of the model */
    int kinks;              /* parameters that were set to 0, where f has a kink */
    double rounding;        /* as noise, without what rows whose residuals are small add to it */
    double *overlap;        /* n: 10 sum |f_i J_ij| / (|f| |J_j|), at most 1: set by the driver, 1 if unknown */
    double base_reached;    /* reached and idle at base */
    int base_idle;
};

#endif /* LMOO_STATE_H */
