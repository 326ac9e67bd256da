/* QR factorisations of several small matrices at once, each in a lane of a vector.

   One body, lanes_body.inc, is compiled for several instruction sets, with the vectors of each: compilers keep wider
   ones in memory.  Each lane performs the operations of qrfac in the same order, so its result has qrfac's bits. */

#ifndef LMOO_LANES_H
#define LMOO_LANES_H

#include <float.h>
#include <math.h>
#include <stddef.h>

#include "finite.h"
#include "vectors.h"

#if defined(__GNUC__)

#define LMOO_HAVE_LANES 1

#define LMOO_LANES_PASTE_(a, b) a##b
#define LMOO_LANES_PASTE(a, b) LMOO_LANES_PASTE_(a, b)
#define LMOO_LANES_TYPES(suffix, bytes)                                                            \
    typedef double lmoo_lanes_##suffix __attribute__((vector_size(bytes), aligned(8), may_alias)); \
    typedef long long lmoo_lane_mask_##suffix __attribute__((vector_size(bytes), aligned(8), may_alias));
#define lmoo_lanes LMOO_LANES_PASTE(lmoo_lanes_, LMOO_LANES_SUFFIX)
#define lmoo_lane_mask LMOO_LANES_PASTE(lmoo_lane_mask_, LMOO_LANES_SUFFIX)
/* Matrices that are factored together. */
#define LMOO_LANES ((int)(sizeof(lmoo_lanes) / sizeof(double)))
#define LMOO_SELECT(mask, a, b)                                                                    \
    ((lmoo_lanes)(((lmoo_lane_mask)(a) & (mask)) | ((lmoo_lane_mask)(b) & ~(mask))))

#if defined(__x86_64__)

LMOO_LANES_TYPES(avx512, 64)
LMOO_LANES_TYPES(avx2, 32)

/* u /= norm, m of each lane, to the last bit, in a third of the time that the processor's division
   takes: with y = 1 / norm rounded, q y-fold and corrected by q + (u - norm q) y is one of the two
   doubles about the quotient, and corrected once more it is the nearest (Markstein (1990), "Computation
   of elementary functions on the IBM RISC System/6000 processor", IBM J. Res. Dev. 34, theorem 5),
   if nothing underflows in between: returns the lanes in which a numerator is too small for
   that.  norm is between the roots of LMOO_SMALL_SUM and LMOO_LARGE_SUM, or its lane is marked in odd. */
__attribute__((target("avx512f,avx512dq,avx512vl")))
static inline unsigned lmoo_divide_lanes_avx512(ptrdiff_t m, lmoo_lanes_avx512 *u, const lmoo_lanes_avx512 *norm)
{
    const __m512d b = _mm512_loadu_pd((const double *)norm);
    const __m512d y = _mm512_div_pd(_mm512_set1_pd(1.0), b);
    /* Remainders of numerators from 1e-280 on are exact, and quotients from 1e-290 on normal.  Compared as bits:
       those of zero, less one, are the largest. */
    const __m512i least = _mm512_castpd_si512(_mm512_max_pd(
        _mm512_mul_pd(_mm512_abs_pd(b), _mm512_set1_pd(1e-290)), _mm512_set1_pd(1e-280)));
    const __m512i one = _mm512_set1_epi64(1);
    unsigned odd = 0;
    ptrdiff_t i;
    for (i = 0; i < m; i++) {
        __m512d a = _mm512_loadu_pd((const double *)(u + i)), q = _mm512_mul_pd(a, y);
        __m512i size = _mm512_castpd_si512(_mm512_abs_pd(a));
        q = _mm512_fmadd_pd(_mm512_fnmadd_pd(b, q, a), y, q);
        q = _mm512_fmadd_pd(_mm512_fnmadd_pd(b, q, a), y, q);
        _mm512_storeu_pd((double *)(u + i), q);
        odd |= _mm512_cmplt_epu64_mask(_mm512_sub_epi64(size, one), least);
    }
    return odd;
}

/* to[i, l] = from[l][i] for m numbers of each lane, eight by eight. */
__attribute__((target("avx512f,avx512dq,avx512vl")))
static void lmoo_load_lanes_avx512(ptrdiff_t m, const double *const *from, double *to)
{
    ptrdiff_t i, l;
    for (i = 0; i + 8 <= m; i += 8) {
        __m512d v[8], w[8];
        for (l = 0; l < 8; l++)
            v[l] = _mm512_loadu_pd(from[l] + i);
        LMOO_TRANSPOSE_8(v, w);
        for (l = 0; l < 8; l++)
            _mm512_storeu_pd(to + (i + l) * 8, v[l]);
    }
    for (; i < m; i++)
        for (l = 0; l < 8; l++)
            to[i * 8 + l] = from[l][i];
}

/* The same with four lanes, four by four. */
__attribute__((target("avx2")))
static void lmoo_load_lanes_avx2(ptrdiff_t m, const double *const *from, double *to)
{
    ptrdiff_t i, l;
    for (i = 0; i + 4 <= m; i += 4) {
        __m256d v[4], w[4];
        for (l = 0; l < 4; l++)
            v[l] = _mm256_loadu_pd(from[l] + i);
        LMOO_TRANSPOSE_4(v, w);
        for (l = 0; l < 4; l++)
            _mm256_storeu_pd(to + (i + l) * 4, v[l]);
    }
    for (; i < m; i++)
        for (l = 0; l < 4; l++)
            to[i * 4 + l] = from[l][i];
}

#define LMOO_LANES_SUFFIX avx512
#define LMOO_LANES_TARGET __attribute__((target("avx512f,avx512dq,avx512vl")))
#define LMOO_LANES_DIVIDES
#include "lanes_body.inc"
#undef LMOO_LANES_DIVIDES

#define LMOO_LANES_SUFFIX avx2
#define LMOO_LANES_TARGET __attribute__((target("avx2")))
#include "lanes_body.inc"
#endif

LMOO_LANES_TYPES(plain, 16)

#define LMOO_LANES_SUFFIX plain
#define LMOO_LANES_TARGET
#include "lanes_body.inc"

/* The number of lanes of this processor's vectors: 8, 4 or 2. */
static ptrdiff_t lmoo_lanes_here(void)
{
#if defined(__x86_64__)
    return LMOO_HAS_VECTORS_OF_8 ? 8 : LMOO_HAS_VECTORS_OF_4 ? 4 : 2;
#else
    return 2;
#endif
}

/* to[i, l] = from[l][i], m numbers of each lane. */
static void lmoo_load_lanes(ptrdiff_t m, const double *const *from, double *to)
{
    ptrdiff_t i;
#if defined(__x86_64__)
    if (LMOO_HAS_VECTORS_OF_8) {
        lmoo_load_lanes_avx512(m, from, to);
        return;
    }
    if (LMOO_HAS_VECTORS_OF_4) {
        lmoo_load_lanes_avx2(m, from, to);
        return;
    }
#endif
    for (i = 0; i < m; i++)
        to[2 * i] = from[0][i], to[2 * i + 1] = from[1][i];
}

/* See lanes_body.inc. */
static unsigned lmoo_qrfac_lanes(ptrdiff_t m, ptrdiff_t n, const double *factors, double *a,
                                 double *ipvt, double *rdiag, double *acnorm, double *wa)
{
#if defined(__x86_64__)
    if (LMOO_HAS_VECTORS_OF_8)
        return lmoo_qrfac_lanes_avx512(m, n, factors, a, ipvt, rdiag, acnorm, wa);
    if (LMOO_HAS_VECTORS_OF_4)
        return lmoo_qrfac_lanes_avx2(m, n, factors, a, ipvt, rdiag, acnorm, wa);
#endif
    return lmoo_qrfac_lanes_plain(m, n, factors, a, ipvt, rdiag, acnorm, wa);
}

/* See damping_body.inc. */
static unsigned lmoo_lmpar_lanes(ptrdiff_t n, const double *r, const double *ipvt, const double *diag,
                                 const double *qtb, const double *delta, double *par, double *x, double *work)
{
#if defined(__x86_64__)
    if (LMOO_HAS_VECTORS_OF_8)
        return lmoo_lmpar_lanes_avx512(n, r, ipvt, diag, qtb, delta, par, x, work);
    if (LMOO_HAS_VECTORS_OF_4)
        return lmoo_lmpar_lanes_avx2(n, r, ipvt, diag, qtb, delta, par, x, work);
#endif
    return lmoo_lmpar_lanes_plain(n, r, ipvt, diag, qtb, delta, par, x, work);
}

#else /* no vector extension: the caller factors the matrices one by one */

#define LMOO_HAVE_LANES 0

static ptrdiff_t lmoo_lanes_here(void)
{
    return 2;
}

static void lmoo_load_lanes(ptrdiff_t m, const double *const *from, double *to)
{
    (void)m, (void)from, (void)to;
}

static unsigned lmoo_qrfac_lanes(ptrdiff_t m, ptrdiff_t n, const double *factors, double *a,
                                 double *ipvt, double *rdiag, double *acnorm, double *wa)
{
    (void)m, (void)n, (void)factors, (void)a, (void)ipvt, (void)rdiag, (void)acnorm, (void)wa;
    return 3u;
}

static unsigned lmoo_lmpar_lanes(ptrdiff_t n, const double *r, const double *ipvt, const double *diag,
                                 const double *qtb, const double *delta, double *par, double *x, double *work)
{
    (void)n, (void)r, (void)ipvt, (void)diag, (void)qtb, (void)delta, (void)par, (void)x, (void)work;
    return 3u;
}
#endif

#endif /* LMOO_LANES_H */
