/* Householder reflections over a block of rows, vectorised.

   One body, fold_body.inc, is compiled for several instruction sets, and each call asks the processor
   which it has (function multiversioning), so that one binary runs everywhere.  It asks for
   instructions, not for models: the compiler's own target_clones("arch=...") knows no processor
   younger than itself.  The vectors are GCC's and Clang's own extension; other compilers get plain
   loops, which they may vectorise as they like. */

#ifndef LMOO_SIMD_H
#define LMOO_SIMD_H

#include <math.h>
#include <stddef.h>

#if defined(__GNUC__)
#define LMOO_UNUSED __attribute__((unused))
#define LMOO_INLINE __attribute__((always_inline)) static inline   /* for the caller's instructions */
#else
#define LMOO_UNUSED
#define LMOO_INLINE static inline
#endif

/* Rows of a block come in multiples of this; the caller pads with zeros. */
#define LMOO_LANES 8
/* Columns that are reflected together. */
#define LMOO_PANEL 4

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

/* Turn the stacked column (alpha, u) into the vector of its reflection H = I - v v^T / v_0,
   v = (v_0, u / norm), which takes it to (-norm, 0); returns v_0, or 0 where the column is zero.

     sum   of the squares of u
     r     alpha, overwritten by -norm, norm having alpha's sign (More' 1978, as in qrfac) */
LMOO_INLINE double lmoo_reflector(ptrdiff_t rows, double *u, double *r, double sum)
{
    double norm = lmoo_stacked_norm(rows, u, *r, sum), v0, inverse;
    ptrdiff_t i;
    if (norm == 0.0)
        return 0.0;
    if (*r < 0.0)
        norm = -norm;
    inverse = 1.0 / norm;
    if (fabs(inverse) <= 1e290)
        for (i = 0; i < rows; i++)
            u[i] *= inverse;
    else
        for (i = 0; i < rows; i++)
            u[i] /= norm;
    v0 = *r / norm + 1.0;
    *r = -norm;
    return v0;
}

#if defined(__GNUC__)

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define LMOO_SHUFFLE(a, b, p, q, r, s) __builtin_shufflevector(a, b, p, q, r, s)
#endif
#endif
#ifndef LMOO_SHUFFLE
typedef long long lmoo_mask4 __attribute__((vector_size(32)));
#define LMOO_SHUFFLE(a, b, p, q, r, s) __builtin_shuffle(a, b, (lmoo_mask4){p, q, r, s})
#endif

typedef double lmoo_vector4 __attribute__((vector_size(32), aligned(8), may_alias));

#define LMOO_PASTE_(a, b) a##b
#define LMOO_PASTE(a, b) LMOO_PASTE_(a, b)
#define LMOO_LOAD(p) (*(const LMOO_VECTOR *)(p))
#define LMOO_STORE(p, v) (*(LMOO_VECTOR *)(p) = (v))
/* Two lines of the cache, which a processor fetches without waiting for them. */
#define LMOO_PREFETCH(next, end)                                                                   \
    if (next < end) {                                                                              \
        __builtin_prefetch(next);                                                                  \
        __builtin_prefetch(next + 64);                                                             \
        next += 128;                                                                               \
    }
#define LMOO_LOAD4(p) (*(const lmoo_vector4 *)(p))

/* As many columns a tile as keep a panel's products in the registers. */
#if defined(__x86_64__)
typedef double lmoo_vector8 __attribute__((vector_size(64), aligned(8), may_alias));
#define LMOO_SUFFIX avx512
#define LMOO_TARGET __attribute__((target("avx512f,avx512dq,avx512vl,fma")))
#define LMOO_VECTOR lmoo_vector8
#define LMOO_WIDTH 8
#define LMOO_TILE 4
#include "fold_body.inc"

#define LMOO_SUFFIX avx2
#define LMOO_TARGET __attribute__((target("avx2,fma")))
#define LMOO_VECTOR lmoo_vector4
#define LMOO_WIDTH 4
#define LMOO_TILE 2
#include "fold_body.inc"
#endif

#define LMOO_SUFFIX plain
#define LMOO_TARGET
#define LMOO_VECTOR lmoo_vector4
#define LMOO_WIDTH 4
#define LMOO_TILE 2
#include "fold_body.inc"

LMOO_UNUSED
static void lmoo_fold_block(ptrdiff_t rows, ptrdiff_t n, double *block, double *t, ptrdiff_t ldt,
                            const double *next, const double *end)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl")) {
        lmoo_fold_avx512(rows, n, block, t, ldt, next, end);
        return;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        lmoo_fold_avx2(rows, n, block, t, ldt, next, end);
        return;
    }
#endif
    lmoo_fold_plain(rows, n, block, t, ldt, next, end);
}

#else /* no vector extension: one reflection after the other, in plain loops */

static void lmoo_fold_block(ptrdiff_t rows, ptrdiff_t n, double *block, double *t, ptrdiff_t ldt,
                            const double *next, const double *end)
{
    ptrdiff_t i, j, k;
    (void)next;
    (void)end;
    for (j = 0; j < n; j++) {
        double *u = block + j * rows, sum = 0.0, v0;
        for (i = 0; i < rows; i++)
            sum += u[i] * u[i];
        v0 = lmoo_reflector(rows, u, t + j + j * ldt, sum);
        if (v0 == 0.0)
            continue;
        for (k = j + 1; k <= n; k++) {
            double *c = block + k * rows, *r = t + j + k * ldt, s = v0 * *r;
            for (i = 0; i < rows; i++)
                s += u[i] * c[i];
            s /= v0;
            *r -= s * v0;
            for (i = 0; i < rows; i++)
                c[i] -= s * u[i];
        }
    }
}
#endif

#endif /* LMOO_SIMD_H */
