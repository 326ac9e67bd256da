/* Robust losses of many residuals, vectorised; the formulas are in losses_body.inc. */

#ifndef LMOO_LOSSES_H
#define LMOO_LOSSES_H

#include "finite.h"
#include "vectors.h"

#include <float.h>

/* In the order of LM_LOSS_LINEAR to LM_LOSS_CALLED of evaluate.pxd. */
enum lmoo_loss_kind {
    LMOO_LOSS_LINEAR,
    LMOO_LOSS_HUBER,
    LMOO_LOSS_SOFT_L1,
    LMOO_LOSS_CAUCHY,
    LMOO_LOSS_ARCTAN,
    LMOO_LOSS_TUKEY,
    LMOO_LOSS_CALLED
};

/* Least value of h, as a share of rho'.  Beyond an inflection of rho the true h is negative.  With the root of
   machine epsilon, as in scipy, the scaled residuals would be so large that their rounding hides the gradient; with 1,
   as in Ceres, the steps are those of iteratively reweighted least squares, which converge linearly. */
#define LMOO_LEAST_H 0.05

/* Independent partial sums of a sum. */
#define LMOO_SUMS 8

#define LMOO_BODY "evaluate/losses_body.inc"
#include "vector_bodies.inc"

#if defined(__x86_64__) && defined(__GNUC__)
#define LMOO_LOSS_RUN(name, ...)                                                                   \
    (LMOO_HAS_VECTORS_OF_8   ? lmoo_##name##_avx512(__VA_ARGS__)                                   \
     : LMOO_HAS_VECTORS_OF_4 ? lmoo_##name##_avx2(__VA_ARGS__)                                     \
                             : lmoo_##name##_plain(__VA_ARGS__))
#else
#define LMOO_LOSS_RUN(name, ...) lmoo_##name##_plain(__VA_ARGS__)
#endif

/* sum rho((f_i / C)^2), scale = 1 / C; NaN if an entry of f is not finite. */
static double lmoo_loss_sum(int kind, double scale, ptrdiff_t m, const double *f)
{
    return LMOO_LOSS_RUN(loss_sum, kind, scale, m, f);
}

/* root_i = sqrt(h_i), model_i = rho'_i / sqrt(h_i) f_i, weighted_i = root_i f_i. */
static void lmoo_loss_rows(int kind, double scale, ptrdiff_t m, const double *f, double *root,
                           double *weighted, double *model)
{
    LMOO_LOSS_RUN(loss_rows, kind, scale, m, f, root, weighted, model);
}

/* sums[0] = sum (psi_i / C)^2, and the sums of h_i, h_i^2 and max(h_i, LEAST rho'_i), for psi and h of loss_sums in
   lossstatistics.pxi; m is a multiple of LMOO_SUMS. */
static void lmoo_loss_sums(int kind, double scale, ptrdiff_t m, const double *f, double *sums)
{
    LMOO_LOSS_RUN(loss_sums, kind, scale, m, f, sums);
}

/* rho(z_i), rho'(z_i) and rho'(z_i) + 2 z_i rho''(z_i), z_i = u_i^2; rho may be NULL. */
static void lmoo_loss_values(int kind, ptrdiff_t m, const double *u, double *rho, double *slope, double *h)
{
    LMOO_LOSS_RUN(loss_values, kind, m, u, rho, slope, h);
}

#endif /* LMOO_LOSSES_H */
