/* QR factorisations of several small matrices at once, each in a lane of a vector.

   One body, lanes_body.inc, is compiled for several instruction sets, as fold_body.inc is (simd.h).
   Each lane performs the operations of qrfac in the same order, so its result has qrfac's bits. */

#ifndef LMOO_LANES_H
#define LMOO_LANES_H

#include <float.h>
#include <math.h>
#include <stddef.h>

#include "finite.h"
#include "vectors.h"

/* Matrices that are factored together. */
#define LMOO_FITS 8

#if defined(__GNUC__)

#define LMOO_HAVE_LANES 1

typedef double lmoo_lanes __attribute__((vector_size(64), aligned(8), may_alias));
typedef long long lmoo_lane_mask __attribute__((vector_size(64), aligned(8), may_alias));

#define LMOO_LANES_PASTE_(a, b) a##b
#define LMOO_LANES_PASTE(a, b) LMOO_LANES_PASTE_(a, b)
#define LMOO_SELECT(mask, a, b)                                                                    \
    ((lmoo_lanes)(((lmoo_lane_mask)(a) & (mask)) | ((lmoo_lane_mask)(b) & ~(mask))))

#if defined(__x86_64__)

/* u /= norm, m of each lane, to the last bit, in a third of the time that the processor's division
   takes: with y = 1 / norm rounded, q y-fold and corrected by q + (u - norm q) y is one of the two
   doubles about the quotient, and corrected once more it is the nearest (Markstein (1990), "Computation
   of elementary functions on the IBM RISC System/6000 processor", IBM J. Res. Dev. 34, theorem 5),
   if nothing underflows in between: returns the lanes in which a numerator is too small for
   that.  norm is between the roots of LMOO_SMALL_SUM and LMOO_LARGE_SUM, or its lane is marked in odd. */
__attribute__((target("avx512f,avx512dq,avx512vl")))
static inline unsigned lmoo_divide_lanes_avx512(ptrdiff_t m, lmoo_lanes *u, const lmoo_lanes *norm)
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

#define LMOO_LANES_SUFFIX avx512
#define LMOO_LANES_TARGET __attribute__((target("avx512f,avx512dq,avx512vl")))
#define LMOO_LANES_DIVIDES
#include "lanes_body.inc"
#undef LMOO_LANES_DIVIDES

#define LMOO_LANES_SUFFIX avx2
#define LMOO_LANES_TARGET __attribute__((target("avx2")))
#include "lanes_body.inc"
#endif

#define LMOO_LANES_SUFFIX plain
#define LMOO_LANES_TARGET
#include "lanes_body.inc"

/* to[i, l] = from[l][i], m numbers of each of the LMOO_FITS lanes. */
static void lmoo_load_lanes(ptrdiff_t m, const double *const *from, double *to)
{
    ptrdiff_t i, l;
#if defined(__x86_64__)
    if (LMOO_HAS_VECTORS_OF_8) {
        lmoo_load_lanes_avx512(m, from, to);
        return;
    }
#endif
    for (i = 0; i < m; i++)
        for (l = 0; l < LMOO_FITS; l++)
            to[i * LMOO_FITS + l] = from[l][i];
}

/* See lanes_body.inc. */
static unsigned lmoo_qrfac_lanes(ptrdiff_t m, ptrdiff_t n, const double *factors, double *a,
                                 double *ipvt, double *rdiag, double *acnorm, double *wa)
{
#if defined(__x86_64__)
    if (LMOO_HAS_VECTORS_OF_8)
        return lmoo_qrfac_lanes_avx512(m, n, factors, a, ipvt, rdiag, acnorm, wa);
    if (__builtin_cpu_supports("avx2"))
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
    if (__builtin_cpu_supports("avx2"))
        return lmoo_lmpar_lanes_avx2(n, r, ipvt, diag, qtb, delta, par, x, work);
#endif
    return lmoo_lmpar_lanes_plain(n, r, ipvt, diag, qtb, delta, par, x, work);
}

#else /* no vector extension: the caller factors the matrices one by one */

#define LMOO_HAVE_LANES 0

static void lmoo_load_lanes(ptrdiff_t m, const double *const *from, double *to)
{
    (void)m, (void)from, (void)to;
}

static unsigned lmoo_qrfac_lanes(ptrdiff_t m, ptrdiff_t n, const double *factors, double *a,
                                 double *ipvt, double *rdiag, double *acnorm, double *wa)
{
    (void)m, (void)n, (void)factors, (void)a, (void)ipvt, (void)rdiag, (void)acnorm, (void)wa;
    return (1u << LMOO_FITS) - 1u;
}

static unsigned lmoo_lmpar_lanes(ptrdiff_t n, const double *r, const double *ipvt, const double *diag,
                                 const double *qtb, const double *delta, double *par, double *x, double *work)
{
    (void)n, (void)r, (void)ipvt, (void)diag, (void)qtb, (void)delta, (void)par, (void)x, (void)work;
    return (1u << LMOO_FITS) - 1u;
}
#endif

#endif /* LMOO_LANES_H */
