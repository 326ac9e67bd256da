/* exp of many numbers, for several instruction sets, as simd.h has it; the bits are those of all. */

#ifndef LMOO_VEXP_H
#define LMOO_VEXP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* 1.5 * 2^52: what is added to it is rounded to an integer, which stands in its lowest bits. */
#define LMOO_ROUND 6755399441055744.0

/* exp(x) = 2^k exp(r), r = x - k ln 2, |r| <= ln(2) / 2 (Cody, Waite (1980), "Software manual for the
   elementary functions", chapter 6), exp(r) by its series to r^13, whose rest is below 4e-18, in
   Estrin's scheme: curves are short, and what a short loop waits for is the chain of operations.
   Within one or two units in the last place; inf beyond 709.78, NaN for NaN.  2^k in two factors, as k
   may be beyond the exponents of doubles. */
#if defined(__GNUC__)
__attribute__((always_inline))
#endif
static inline double lmoo_exp_of(double x)
{
    double k, half, r, r2, r4, q, one, two;
    uint64_t bits;
    x = x > 710.0 ? 710.0 : x;
    x = x < -746.0 ? -746.0 : x;
    k = (x * 1.4426950408889634 + LMOO_ROUND) - LMOO_ROUND;
    r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
    r2 = r * r;
    r4 = r2 * r2;
    q = ((0.5 + 1.0 / 6.0 * r) + (1.0 / 24.0 + 1.0 / 120.0 * r) * r2)
        + ((1.0 / 720.0 + 1.0 / 5040.0 * r) + (1.0 / 40320.0 + 1.0 / 362880.0 * r) * r2) * r4
        + ((1.0 / 3628800.0 + 1.0 / 39916800.0 * r)
           + (1.0 / 479001600.0 + 1.0 / 6227020800.0 * r) * r2) * (r4 * r4);
    q = 1.0 + (r + r2 * q);
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
        for (i = 0; i < m; i++)                                                                    \
            v[i] = lmoo_exp_of(v[i]);                                                              \
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
