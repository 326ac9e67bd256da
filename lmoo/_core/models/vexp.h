/* exp of many numbers, for several instruction sets as in vectors.h, with the same bits. */

#ifndef LMOO_VEXP_H
#define LMOO_VEXP_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "vectors.h"

/* exp(x) = 2^k exp(r), r = x - k ln 2, |r| <= ln(2) / 2 (Cody, Waite (1980), "Software manual for the elementary
   functions", chapter 6), exp(r) by a polynomial in Estrin's scheme: curves are short, and the latency of the
   operations limits a short loop.  Within one or two units in the last place; inf beyond 709.78, NaN for NaN.

   Up to LMOO_EXP_FAR, k is added to the exponent of exp(r); beyond (`far`), 2^k is multiplied in two factors, as k may
   be beyond the exponents of doubles.  The bits are the same where both can be used. */
LMOO_INLINE double lmoo_exp_of(double x, int far)
{
    double rounded, k, half, r, r2, r4, q, one, two;
    uint64_t bits, exponent;
    if (far) {
        x = x > 710.0 ? 710.0 : x;
        x = x < -746.0 ? -746.0 : x;
    }
    rounded = x * 1.4426950408889634 + LMOO_ROUND;
    k = rounded - LMOO_ROUND;
    r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
    r2 = r * r;
    r4 = r2 * r2;
    q = ((LMOO_EXP_2 + LMOO_EXP_3 * r) + (LMOO_EXP_4 + LMOO_EXP_5 * r) * r2)
        + (((LMOO_EXP_6 + LMOO_EXP_7 * r) + (LMOO_EXP_8 + LMOO_EXP_9 * r) * r2)
           + (LMOO_EXP_10 + LMOO_EXP_11 * r) * r4) * r4;
    q = 1.0 + (r + r2 * q);
    if (!far) {
        memcpy(&bits, &q, sizeof bits);
        memcpy(&exponent, &rounded, sizeof exponent);
        bits += exponent << 52;
        memcpy(&q, &bits, sizeof bits);
        return q;
    }
    half = (k * 0.5 + LMOO_ROUND) - LMOO_ROUND;
    one = half + (LMOO_ROUND + 1023.0);
    two = (k - half) + (LMOO_ROUND + 1023.0);
    memcpy(&bits, &one, sizeof bits);
    bits <<= 52;
    memcpy(&one, &bits, sizeof bits);
    memcpy(&bits, &two, sizeof bits);
    bits <<= 52;
    memcpy(&two, &bits, sizeof bits);
    return q * one * two;
}

#define LMOO_EXP_LOOP                                                                              \
    {                                                                                              \
        ptrdiff_t i;                                                                               \
        uint64_t far = 0;                                                                          \
        for (i = 0; i < m; i++)                                                                    \
            far |= fabs(v[i]) < LMOO_EXP_FAR ? 0 : 1;                                              \
        if (far) {                                                                                 \
            for (i = 0; i < m; i++)                                                                \
                v[i] = lmoo_exp_of(v[i], 1);                                                       \
            return;                                                                                \
        }                                                                                          \
        for (i = 0; i < m; i++)                                                                    \
            v[i] = lmoo_exp_of(v[i], 0);                                                           \
    }

#if defined(__GNUC__) && defined(__x86_64__)
__attribute__((target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")))
static void lmoo_vexp_avx512(ptrdiff_t m, double *v) LMOO_EXP_LOOP

__attribute__((target("avx2")))
static void lmoo_vexp_avx2(ptrdiff_t m, double *v) LMOO_EXP_LOOP
#endif

static void lmoo_vexp_plain(ptrdiff_t m, double *v) LMOO_EXP_LOOP

/* v = exp(v), m doubles. */
static void lmoo_exp(ptrdiff_t m, double *v)
{
#if defined(__GNUC__) && defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl")) {
        lmoo_vexp_avx512(m, v);
        return;
    }
    if (__builtin_cpu_supports("avx2")) {
        lmoo_vexp_avx2(m, v);
        return;
    }
#endif
    lmoo_vexp_plain(m, v);
}

#endif /* LMOO_VEXP_H */
