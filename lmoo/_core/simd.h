/* Householder reflections over a block of rows, vectorised.

   One function is compiled for several instruction sets, and each call asks the processor which it
   has (function multiversioning), so that one binary runs everywhere.  It asks for instructions,
   not for models: the compiler's own target_clones("arch=...") knows no processor younger than
   itself.  The vectors are GCC's and Clang's own extension; other compilers get plain loops, which
   they may vectorise as they like. */

#ifndef LMOO_SIMD_H
#define LMOO_SIMD_H

#include <math.h>
#include <stddef.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define LMOO_MULTIVERSION 1
#endif

#if defined(__GNUC__)
#define LMOO_UNUSED __attribute__((unused))
#else
#define LMOO_UNUSED
#endif

/* Rows of a block come in multiples of this; the caller pads with zeros. */
#define LMOO_LANES 8

#if defined(__GNUC__)
typedef double lmoo_vector __attribute__((vector_size(8 * LMOO_LANES), aligned(8), may_alias));
#define LMOO_LOAD(p) (*(const lmoo_vector *)(p))
#define LMOO_STORE(p, v) (*(lmoo_vector *)(p) = (v))
#else
typedef struct { double lane[LMOO_LANES]; } lmoo_vector;
#endif

/* The norm of (alpha, u), safe where the plain sum of squares is not. */
static inline double lmoo_stacked_norm(ptrdiff_t rows, const double *u, double alpha, double sum)
{
    ptrdiff_t i;
    double largest = fabs(alpha), total = alpha * alpha + sum;
    if (total > 1e-280 && total < 1e300)
        return sqrt(total);
    for (i = 0; i < rows; i++) {
        if (!(fabs(u[i]) <= largest))
            largest = fabs(u[i]);
        if (u[i] != u[i])
            return u[i];
    }
    if (largest == 0.0 || !(largest <= 1.7976931348623157e308))
        return largest;
    total = (alpha / largest) * (alpha / largest);
    for (i = 0; i < rows; i++)
        total += (u[i] / largest) * (u[i] / largest);
    return largest * sqrt(total);
}

#if defined(__GNUC__)
#define LMOO_SUM(v) (((v)[0] + (v)[4]) + ((v)[1] + (v)[5]) + (((v)[2] + (v)[6]) + ((v)[3] + (v)[7])))

/* Fold a block into a triangle: for each column j the reflection over (t_jj, u), u the block's
   column j, that leaves (-+ norm, 0), applied to the columns behind it.

     rows     of the block, a multiple of LMOO_LANES
     n        columns of J; the block and the triangle have one more, for f
     block    rows x (n + 1), column-major, leading dimension rows; overwritten
     t        (n + 1) columns of leading dimension ldt >= n, upper triangle of [R | Q^T f]; updated

   More' (1978) for the reflection, as in qrfac; Demmel, Grigori, Hoemmen, Langou (2012),
   "Communication-optimal parallel and sequential QR and LU factorizations", section 6. */
__attribute__((always_inline)) static inline void lmoo_fold_block_body(
    ptrdiff_t rows, ptrdiff_t n, double *block, double *t, ptrdiff_t ldt)
{
    ptrdiff_t i, j, k;
    for (j = 0; j < n; j++) {
        double *u = block + j * rows;
        double alpha = t[j + j * ldt], norm, u0, inverse;
        lmoo_vector a0 = {0.0}, a1 = {0.0};
        for (i = 0; i + LMOO_LANES < rows; i += 2 * LMOO_LANES) {
            a0 += LMOO_LOAD(u + i) * LMOO_LOAD(u + i);
            a1 += LMOO_LOAD(u + i + LMOO_LANES) * LMOO_LOAD(u + i + LMOO_LANES);
        }
        if (i < rows)
            a0 += LMOO_LOAD(u + i) * LMOO_LOAD(u + i);
        a0 += a1;
        norm = lmoo_stacked_norm(rows, u, alpha, LMOO_SUM(a0));
        if (norm == 0.0)
            continue;
        if (alpha < 0.0)
            norm = -norm;
        inverse = 1.0 / norm;
        if (fabs(inverse) <= 1e290)
            for (i = 0; i < rows; i += LMOO_LANES)
                LMOO_STORE(u + i, LMOO_LOAD(u + i) * inverse);
        else
            for (i = 0; i < rows; i++)
                u[i] /= norm;
        u0 = alpha / norm + 1.0;
        t[j + j * ldt] = -norm;
        for (k = j + 1; k + 3 <= n; k += 4) {
            double *c = block + k * rows;
            double *r = t + j + k * ldt;
            double s0, s1, s2, s3;
            lmoo_vector b0 = {0.0}, b1 = {0.0}, b2 = {0.0}, b3 = {0.0};
            for (i = 0; i < rows; i += LMOO_LANES) {
                lmoo_vector v = LMOO_LOAD(u + i);
                b0 += v * LMOO_LOAD(c + i);
                b1 += v * LMOO_LOAD(c + rows + i);
                b2 += v * LMOO_LOAD(c + 2 * rows + i);
                b3 += v * LMOO_LOAD(c + 3 * rows + i);
            }
            s0 = (LMOO_SUM(b0) + u0 * r[0]) / u0;
            s1 = (LMOO_SUM(b1) + u0 * r[ldt]) / u0;
            s2 = (LMOO_SUM(b2) + u0 * r[2 * ldt]) / u0;
            s3 = (LMOO_SUM(b3) + u0 * r[3 * ldt]) / u0;
            r[0] -= s0 * u0;
            r[ldt] -= s1 * u0;
            r[2 * ldt] -= s2 * u0;
            r[3 * ldt] -= s3 * u0;
            for (i = 0; i < rows; i += LMOO_LANES) {
                lmoo_vector v = LMOO_LOAD(u + i);
                LMOO_STORE(c + i, LMOO_LOAD(c + i) - s0 * v);
                LMOO_STORE(c + rows + i, LMOO_LOAD(c + rows + i) - s1 * v);
                LMOO_STORE(c + 2 * rows + i, LMOO_LOAD(c + 2 * rows + i) - s2 * v);
                LMOO_STORE(c + 3 * rows + i, LMOO_LOAD(c + 3 * rows + i) - s3 * v);
            }
        }
        for (; k <= n; k++) {
            double *c = block + k * rows;
            double *r = t + j + k * ldt;
            double s;
            lmoo_vector b = {0.0};
            for (i = 0; i < rows; i += LMOO_LANES)
                b += LMOO_LOAD(u + i) * LMOO_LOAD(c + i);
            s = (LMOO_SUM(b) + u0 * r[0]) / u0;
            r[0] -= s * u0;
            for (i = 0; i < rows; i += LMOO_LANES)
                LMOO_STORE(c + i, LMOO_LOAD(c + i) - s * LMOO_LOAD(u + i));
        }
    }
}

#ifdef LMOO_MULTIVERSION
__attribute__((target("avx512f,avx512dq,fma"), unused)) static void lmoo_fold_block_avx512(
    ptrdiff_t rows, ptrdiff_t n, double *block, double *t, ptrdiff_t ldt)
{
    lmoo_fold_block_body(rows, n, block, t, ldt);
}

__attribute__((target("avx2,fma"), unused)) static void lmoo_fold_block_avx2(
    ptrdiff_t rows, ptrdiff_t n, double *block, double *t, ptrdiff_t ldt)
{
    lmoo_fold_block_body(rows, n, block, t, ldt);
}
#endif

LMOO_UNUSED
static void lmoo_fold_block(ptrdiff_t rows, ptrdiff_t n, double *block, double *t, ptrdiff_t ldt)
{
#ifdef LMOO_MULTIVERSION
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) {
        lmoo_fold_block_avx512(rows, n, block, t, ldt);
        return;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        lmoo_fold_block_avx2(rows, n, block, t, ldt);
        return;
    }
#endif
    lmoo_fold_block_body(rows, n, block, t, ldt);
}

#else /* no vector extension: the same reflections in plain loops */

static void lmoo_fold_block(ptrdiff_t rows, ptrdiff_t n, double *block, double *t, ptrdiff_t ldt)
{
    ptrdiff_t i, j, k;
    for (j = 0; j < n; j++) {
        double *u = block + j * rows;
        double alpha = t[j + j * ldt], sum = 0.0, norm, u0;
        for (i = 0; i < rows; i++)
            sum += u[i] * u[i];
        norm = lmoo_stacked_norm(rows, u, alpha, sum);
        if (norm == 0.0)
            continue;
        if (alpha < 0.0)
            norm = -norm;
        for (i = 0; i < rows; i++)
            u[i] /= norm;
        u0 = alpha / norm + 1.0;
        t[j + j * ldt] = -norm;
        for (k = j + 1; k <= n; k++) {
            double *c = block + k * rows;
            double s = u0 * t[j + k * ldt];
            for (i = 0; i < rows; i++)
                s += u[i] * c[i];
            s /= u0;
            t[j + k * ldt] -= s * u0;
            for (i = 0; i < rows; i++)
                c[i] -= s * u[i];
        }
    }
}
#endif

#endif /* LMOO_SIMD_H */
